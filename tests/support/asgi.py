"""Calls of an application in this process, the short way: most tests make dozens of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec

Application = Callable[[Any, Any, Any], Awaitable[None]]

_PLAIN = {"headers", "json", "params"}
"""What a request may say to be sent the short way."""


class InProcessClient(httpx.AsyncClient):
    """An httpx client whose plain requests cost a tenth: they go straight to the application.

    All others, with streams, files or other content, go the client's own way.
    """

    def __init__(self, application: Application, *, base_url: str) -> None:
        super().__init__(transport=httpx.ASGITransport(application), base_url=base_url)
        self._application = application
        self._host = self.base_url.netloc

    async def request(  # type: ignore[override]
        self, method: str, url: str, **options: Any
    ) -> httpx.Response:
        """Send a request, and wait for the whole answer."""
        if not url.startswith("/") or options.keys() - _PLAIN:
            return await super().request(method, url, **options)
        body = b"" if options.get("json") is None else msgspec.json.encode(options["json"])
        headers = {"host": self._host.decode(), "accept": "*/*", "accept-encoding": "gzip"}
        if body:
            headers |= {"content-type": "application/json", "content-length": str(len(body))}
        headers |= {name.lower(): each for name, each in (options.get("headers") or {}).items()}
        scope = self._scope(method, url, options.get("params"), headers)
        return await _answer(self._application, scope, body)

    def _scope(
        self, method: str, url: str, parameters: Any, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        path, _, query = url.partition("?")
        if parameters:
            query = str(httpx.QueryParams(parameters))
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [(name.encode(), each.encode("latin-1")) for name, each in headers.items()],
            "server": (self.base_url.host, self.base_url.port),
            "client": ("127.0.0.1", 123),
        }


async def _answer(application: Application, scope: dict[str, Any], body: bytes) -> httpx.Response:
    asked, ended = False, asyncio.Event()
    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await ended.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                ended.set()

    await application(scope, receive, send)
    return httpx.Response(start["status"], headers=start["headers"], content=b"".join(parts))
