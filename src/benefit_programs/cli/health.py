"""``benefits health``: what platforms run to know whether a process can be used.

They run it every few seconds, so it loads little, and has its answer within two seconds.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from http import HTTPStatus
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import typer

from benefit_programs.cli.addresses import reachable, url_of
from benefit_programs.cli.exits import ExitCode, WrongUsage
from benefit_programs.config import Settings, read_settings

commands = typer.Typer()

ANSWER_SECONDS_MAX = 1.5
"""How long an answer may take, so that the command ends within two seconds."""

LINE_BYTES_MAX = 1_024

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


class _NotReady(Exception):
    """Why it can't be used; the message is one line."""


@commands.command("health")
def ask_health(
    *,
    worker: Annotated[
        bool, typer.Option("--worker", help="Ask the worker, at `BENEFITS_WORKER_METRICS_PORT`.")
    ] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            help="Ask at this address. Default: where the settings have the server listen.",
            metavar="URL",
        ),
    ] = None,
) -> None:
    """Ask the server or worker of this machine whether it is ready: 0 if so, 1 if not.

    It has an answer within two seconds. The page /readyz tells the same to whatever asks over HTTP
    by itself.
    """
    if worker and url is not None:
        raise WrongUsage("--worker and --url name two addresses: use one")
    place = _place(url or _address(read_settings({"workers": 1}), worker=worker))
    try:
        asyncio.run(_require_ready(place))
    except _NotReady as reason:
        sys.stderr.write(f"benefits: {reason}\n")
        raise typer.Exit(ExitCode.FAILED) from None
    sys.stdout.write("ready\n")


def _address(settings: Settings, *, worker: bool) -> str:
    host, port = settings.host, settings.port
    if worker:
        if settings.worker_metrics_port is None:
            raise WrongUsage("The worker has no port: set BENEFITS_WORKER_METRICS_PORT")
        host, port = settings.worker_metrics_host, settings.worker_metrics_port
    if port == 0:
        raise WrongUsage("The port is 0, which takes any that is free: name the address with --url")
    return reachable(url_of(host, port))


def _place(url: str) -> SplitResult:
    """The parts of an address. Raises WrongUsage."""
    wrong = WrongUsage(f"{url!r} is no address such as http://127.0.0.1:8080")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        raise wrong from None
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    return parts


async def _require_ready(place: SplitResult) -> None:
    """Raises _NotReady."""
    page = f"{place.scheme}://{place.netloc}{place.path.rstrip('/')}/readyz"
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            line = await _status_line(place)
    except TimeoutError:
        raise _NotReady(f"{page} doesn't answer within {ANSWER_SECONDS_MAX:g} seconds") from None
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number).lower() if number > 0 else str(error)
        raise _NotReady(f"{page} doesn't answer: {reason}") from None
    found = _STATUS_LINE.match(line)
    if found is None:
        raise _NotReady(f"{page} doesn't answer in HTTP")
    if int(found[1]) != HTTPStatus.OK:
        raise _NotReady(f"{page} answers {int(found[1])}")


async def _status_line(place: SplitResult) -> bytes:
    """The first line of the answer. Raises OSError, or ValueError for a line without an end."""
    secure = place.scheme == "https"
    port = place.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(
        place.hostname, port, ssl=secure or None, limit=LINE_BYTES_MAX
    )
    try:
        path = f"{place.path.rstrip('/')}/readyz"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {place.netloc.rpartition('@')[2]}\r\n"
            "Connection: close\r\n\r\n".encode("ascii")
        )
        await writer.drain()
        return await reader.readline()
    finally:
        writer.transport.abort()
