"""Answers of the console as HTTP: addresses below a proxy's path, headers, files, compression."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from benefit_programs.api.compression import COMPRESSED_BYTES_MIN, compressed
from benefit_programs.api.messages import AsgiScope, Receive, Send
from benefit_programs.console.rendering import security_headers
from benefit_programs.console.static_files import static_file
from benefit_programs.console.visit import ROOT, Visit

STATIC_SECONDS = 365 * 24 * 3600
"""How long browsers keep a file, whose address changes with its content."""

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+){1,8}")


def prefix_of(request: Request) -> str:
    """The path below which a proxy has put the service, as it says; usually none."""
    told = request.headers.get("x-forwarded-prefix", "").rstrip("/")
    return told if _PREFIX.fullmatch(told) else ""


def origin_of(request: Request) -> str:
    """The address of the service as the browser sees it, without a path."""
    told = request.headers.get("x-forwarded-proto", request.url.scheme)
    scheme = told if told in ("http", "https") else "https"
    return f"{scheme}://{request.headers.get('host', '')}"


def path_of(request: Request) -> str:
    """The path below the console's, as it was sent: with its escapes."""
    raw: bytes = request.scope["raw_path"]
    return raw.decode("latin-1").partition("?")[0].removeprefix(ROOT)


def redirect(to: str) -> Response:
    return Response(status_code=int(HTTPStatus.SEE_OTHER), headers={"location": to})


def is_shown_already(request: Request) -> bool:
    """Whether the browser is at this address, to which it needn't go once more."""
    return urlsplit(request.headers.get("hx-current-url", "")).path == request.url.path


def with_headers(response: Response, visit: Visit) -> Response:
    response.headers.update(security_headers(visit.nonce))
    response.headers["x-request-id"] = visit.request_id
    return response


def static_answer(name: str) -> Response:
    file = static_file(name)
    if file is None:
        return Response(status_code=HTTPStatus.NOT_FOUND)
    headers = {
        "cache-control": f"public, max-age={STATIC_SECONDS}, immutable",
        "x-content-type-options": "nosniff",
    }
    return Response(file.body, 200, headers, file.media_type)


async def send_answer(response: Response, scope: AsgiScope, receive: Receive, send: Send) -> None:
    """Send it, compressed where that is worth it."""
    if len(response.body) >= COMPRESSED_BYTES_MIN:
        headers: dict[str, str] = {}
        body = await compressed(scope, bytes(response.body), headers)
        response.body = body
        response.headers.update({**headers, "content-length": str(len(body))})
    await response(scope, receive, send)
