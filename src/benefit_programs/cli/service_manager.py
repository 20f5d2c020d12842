"""Tells the service manager how this process is, as units of systemd with ``Type=notify`` ask for.

The manager names a socket in NOTIFY_SOCKET; without one nothing is said. A manager that doesn't
listen is no reason to stop.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping

import uvicorn

SOCKET_VARIABLE = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE = "WATCHDOG_USEC"
WATCHDOG_PROCESS_VARIABLE = "WATCHDOG_PID"
WATCHDOG_PART = 3
"""How many signs of life fit into the time after which the manager takes this process for dead."""


class ServiceManager:
    """Whoever started this process and waits to hear of it; mostly nobody."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        address = variables.get(SOCKET_VARIABLE, "")
        # A name that begins with @ is none of a file.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_seconds = _watchdog_seconds(variables) if address else None
        self._told_alive = 0.0
        self._is_ready = False

    @property
    def watchdog_seconds(self) -> float | None:
        """How often the manager wants a sign of life, at least; None if it doesn't."""
        return self._watchdog_seconds

    @property
    def is_ready(self) -> bool:
        return self._is_ready

    def ready(self) -> None:
        """Say that the service can be used."""
        if not self._is_ready:
            self._is_ready = True
            self._tell("READY=1")

    def alive(self) -> None:
        """Say that this process goes on, if the manager wants to know and it is time."""
        if self._watchdog_seconds is None:
            return
        now = time.monotonic()
        if now - self._told_alive >= self._watchdog_seconds:
            self._told_alive = now
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        ):
            sender.setblocking(False)
            sender.sendto(state.encode(), self._address)


class WatchedServer(uvicorn.Server):
    """A server that tells the service manager when it begins to serve, goes on, and stops."""

    def __init__(self, config: uvicorn.Config, manager: ServiceManager) -> None:
        super().__init__(config)
        self._manager = manager

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._manager.ready()

    async def on_tick(self, counter: int) -> bool:
        self._manager.alive()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._manager.stopping()
        await super().shutdown(sockets)


def _watchdog_seconds(variables: Mapping[str, str]) -> float | None:
    """How often to give a sign of life, if this process was asked to."""
    microseconds = variables.get(WATCHDOG_VARIABLE, "")
    if variables.get(WATCHDOG_PROCESS_VARIABLE) not in (None, str(os.getpid())):
        return None
    is_number = microseconds.isascii() and microseconds.isdecimal() and int(microseconds) > 0
    return int(microseconds) / 1_000_000 / WATCHDOG_PART if is_number else None
