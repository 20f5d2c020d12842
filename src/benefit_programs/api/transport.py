"""A transport that sends the head of an answer together with its body."""

from __future__ import annotations

import asyncio
from typing import Any

_INTERIM = b"HTTP/1.1 1"


class JoiningTransport(asyncio.Transport):
    """Keeps the head of an answer until the first part of its body, or the end, has come.

    Servers write the two one after the other. Sent by themselves they cost a system call and wake
    the client twice, which for a small answer is more than making it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._head: bytes | None = None
        self._has_head = False

    def write(self, data: Any) -> None:
        """Send data, unless the connection is gone: its answers are nobody's then."""
        if self._transport.is_closing():
            self._head = None
        elif self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head + data)
        elif not self._has_head and not data.startswith(_INTERIM):
            self._head, self._has_head = data, True
        else:
            self._transport.write(data)

    def finish(self) -> None:
        self._has_head = False
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)

    def close(self) -> None:
        self.finish()
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)
