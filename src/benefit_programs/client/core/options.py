"""The settings of a client, and the way to a service in the same process."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benefit_programs.client.core.exchange import Settings
from benefit_programs.client.errors import ServerNotInstalled
from benefit_programs.client.types.common import UNSET, Unset

TIMEOUT_SECONDS = 10.0
MAX_RETRIES = 3

STRICT_HEADER = "x-benefits-strict"
_ANSWERS = {True: "true", False: "false"}

INPROCESS = "benefit_programs.inprocess"
DISTRIBUTIONS = ("benefit-programs-client", "benefit-programs")


def settings_for(
    api_key: str | None,
    *,
    site_id: str | None,
    timeout: float | None,
    max_retries: int,
    strict: bool,
) -> Settings:
    """The settings of a new client. Raises ValueError for what can't be."""
    headers = {"user-agent": user_agent(), STRICT_HEADER: _ANSWERS[strict]}
    if api_key is not None:
        headers["authorization"] = _sendable("api_key", api_key)
    if site_id is not None:
        headers["wix-site-id"] = _sendable("site_id", site_id)
    return Settings(headers=headers, timeout=timeout, max_retries=_checked(max_retries))


def changed_settings(
    settings: Settings,
    *,
    timeout: float | Unset | None,
    max_retries: int | Unset,
    site_id: str | Unset,
    request_id: str | Unset,
    strict: bool | Unset,
) -> Settings:
    """The same settings with some that are given. Raises ValueError for what can't be."""
    headers = dict(settings.headers)
    if site_id is not UNSET:
        headers["wix-site-id"] = _sendable("site_id", site_id)
    if strict is not UNSET:
        headers[STRICT_HEADER] = _ANSWERS[strict]
    if request_id is not UNSET:
        headers["x-request-id"] = _sendable("request_id", request_id)
    return replace(
        settings,
        headers=headers,
        timeout=settings.timeout if timeout is UNSET else timeout,
        max_retries=settings.max_retries if max_retries is UNSET else _checked(max_retries),
    )


@cache
def user_agent() -> str:
    """Who calls, for the logs of the service and of what stands before it."""
    for name in DISTRIBUTIONS:
        try:
            return f"benefit-programs-client/{version(name)}"
        except PackageNotFoundError:
            continue
    return "benefit-programs-client"


def inprocess() -> Any:
    """The module that runs the service in this process. Raises ServerNotInstalled.

    It is found by its name when it is asked for: the client alone is a smaller package.
    """
    try:
        return import_module(INPROCESS)
    except ModuleNotFoundError as error:
        raise ServerNotInstalled(
            f"open() runs the service in this process, which needs the whole package "
            f"(pip install benefit-programs); {error.name} isn't installed"
        ) from error


def _sendable(name: str, value: str) -> str:
    """What can be the value of a header. The error doesn't repeat it, for it may be a secret."""
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise ValueError(f"{name} must have printable ASCII characters, and no spaces around them")
    return value


def _checked(max_retries: int) -> int:
    if max_retries < 0:
        raise ValueError(f"max_retries must be 0 or more, not {max_retries}")
    return max_retries
