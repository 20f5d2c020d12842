"""A provider of policies or people: a real HTTP server of a thread, which remembers questions."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Question = dict[str, Any]
Answer = dict[str, Any] | bytes
"""As JSON, or as the bytes that are sent."""

YES: Answer = {"fulfilled": True}


class PolicyServer:
    """Answers questions with ``decide``; ``together`` questions wait for each other first.

    While it is ``silent`` it answers nothing until the end of its block.
    """

    def __init__(
        self, decide: Callable[[Question], Answer] = lambda _: YES, *, together: int = 1
    ) -> None:
        self.decide = decide
        self.questions: list[Question] = []
        self.signatures: list[str] = []
        self.places: list[str | None] = []
        """Where in a trace questions are, as their header says it."""

        self.status = 200
        self.silent = False
        self._barrier = Barrier(together)
        self._over = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/policies"

    @contextmanager
    def running(self) -> Iterator[PolicyServer]:
        """Answer until the end of the block."""
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                question: Question = json.loads(self.rfile.read(length))
                provider.questions.append(question)
                provider.signatures.append(self.headers["x-benefits-signature"])
                provider.places.append(self.headers["traceparent"])
                if provider.silent:
                    provider._over.wait()
                    return
                provider._barrier.wait(timeout=10)
                decided = provider.decide(question)
                body = decided if isinstance(decided, bytes) else json.dumps(decided).encode()
                self.send_response(provider.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
