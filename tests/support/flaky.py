"""A real HTTP server that does as its script says: answers, drops connections, loses answers."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

START_SECONDS_MAX = 10


@dataclass(frozen=True)
class Answer:
    """Answer with this."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Drop:
    """Close the connection without a word."""


@dataclass(frozen=True)
class Stall:
    """Never answer."""


@dataclass(frozen=True)
class Forward:
    """Ask the service behind, and pass its answer on, or lose it."""

    lose_answer: bool = False


Behavior = Answer | Drop | Stall | Forward


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    verb: str
    target: str
    headers: dict[str, str]
    body: bytes


class FlakyServer:
    """Listens on a free port; behaves as its script says, then forwards what comes."""

    def __init__(self, behind: str = "http://127.0.0.1:9") -> None:
        self._behind = behind
        self._script: deque[Behavior] = deque()
        self.seen: list[Seen] = []
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        assert started.wait(START_SECONDS_MAX)

    def script(self, behaviors: Iterable[Behavior]) -> None:
        """What to do with the next requests."""
        self.seen.clear()
        self._script = deque(behaviors)

    def close(self) -> None:
        """Stop listening, and drop what is open."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self, started: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await self._stop.wait()
        server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            self.seen.append(request)
            answer = await self._follow(request)
            if answer is not None:
                writer.write(_http_text(answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _follow(self, request: Seen) -> Answer | None:
        match self._script.popleft() if self._script else Forward():
            case Answer() as answer:
                return answer
            case Drop():
                return None
            case Stall():
                await self._stop.wait()
                return None
            case Forward(lose_answer):
                answer = await self._ask(request)
                return None if lose_answer else answer

    async def _ask(self, request: Seen) -> Answer:
        kept = ("authorization", "content-type", "x-request-id")
        async with httpx.AsyncClient(base_url=self._behind, trust_env=False) as client:
            response = await client.request(
                request.verb,
                request.target,
                headers={name: request.headers[name] for name in kept if name in request.headers},
                content=request.body,
            )
        headers = {"x-request-id": response.headers["x-request-id"]}
        return Answer(response.status_code, response.content, headers)


async def _read_request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    verb, target, _ = head[0].split(" ")
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(verb, target, headers, body)


def _http_text(answer: Answer) -> bytes:
    headers = {**answer.headers, "content-length": str(len(answer.body)), "connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body
