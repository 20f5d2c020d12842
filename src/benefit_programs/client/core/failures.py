"""Turns answers with errors into exceptions."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from benefit_programs.client import errors
from benefit_programs.client.core.calls import Response
from benefit_programs.client.errors import (
    BY_CODE,
    ApiError,
    ServerError,
    Throttled,
    UnreadableAnswer,
)
from benefit_programs.client.types.base import Part

BODY_SHOWN_MAX = 200

_BY_STATUS: dict[int, type[ApiError]] = {
    400: errors.BadRequest,
    401: errors.Unauthenticated,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    409: errors.Conflict,
    428: errors.FailedPrecondition,
    429: Throttled,
}
SERVER_ERRORS = 500
_PROXIES_GIVE = frozenset({401, 403, 429})


class _ApplicationError(Part, frozen=True, kw_only=True):
    code: str = ""
    description: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class _ValidationError(Part, frozen=True, kw_only=True):
    field_violations: list[Any] = msgspec.field(default_factory=list)


class _Details(Part, frozen=True, kw_only=True):
    application_error: _ApplicationError | None = None
    validation_error: _ValidationError | None = None


class _Body(Part, frozen=True, kw_only=True):
    message: str = ""
    details: _Details


_BODY = msgspec.json.Decoder(_Body)


def error_of(response: Response) -> ApiError | UnreadableAnswer:
    """The exception for an answer with an error."""
    try:
        body = _BODY.decode(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _without_body(response)
    refusal = body.details.application_error or _ApplicationError(description=body.message)
    if body.details.validation_error is not None:
        data = {"fieldViolations": body.details.validation_error.field_violations}
        refusal = _ApplicationError(code="VALIDATION_ERROR", description=body.message, data=data)
    kind = BY_CODE.get(refusal.code) or _kind_of(response.status)
    error = kind(
        refusal.description,
        status=response.status,
        code=refusal.code,
        data=refusal.data,
        request_id=request_id_of(response),
    )
    return _with_retry_after(error, response)


def request_id_of(response: Response) -> str | None:
    """The id with which the service has logged the request."""
    return response.headers.get("x-request-id") or response.headers.get("x-wix-request-id")


def retry_after(response: Response, *, now: datetime | None = None) -> float | None:
    """How many seconds an answer asks to wait; None if it doesn't say."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def _without_body(response: Response) -> ApiError | UnreadableAnswer:
    """A proxy's answer: its status tells enough if it is one that proxies give, else it doesn't."""
    if response.status >= SERVER_ERRORS or response.status in _PROXIES_GIVE:
        error = _kind_of(response.status)(
            "answered without the service's details",
            status=response.status,
            request_id=request_id_of(response),
        )
        return _with_retry_after(error, response)
    return unreadable(response)


def unreadable(response: Response) -> UnreadableAnswer:
    """The exception for an answer that makes no sense."""
    shown = response.body[:BODY_SHOWN_MAX].decode("utf-8", "replace")
    message = f"{response.status} is no answer of the service: {shown!r}"
    return UnreadableAnswer(message, status=response.status, body=response.body)


def _kind_of(status: int) -> type[ApiError]:
    if status >= SERVER_ERRORS:
        return ServerError
    return _BY_STATUS.get(status, ApiError)


def _with_retry_after(error: ApiError, response: Response) -> ApiError:
    if isinstance(error, Throttled | ServerError):
        error.retry_after = retry_after(response)
    return error
