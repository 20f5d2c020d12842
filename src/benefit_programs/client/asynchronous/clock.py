"""The clock of a sandbox."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.wire import document, reads_field
from benefit_programs.client.types.clock import SandboxClock

_CLOCK = reads_field("clock", SandboxClock)


class AsyncClock(AsyncMethods):
    """The clock of a sandbox: a tenant for tests, whose time can be set forward."""

    async def get(self) -> SandboxClock:
        """Read the clock.

        Raises:
            NotASandbox: The tenant has no clock of its own.
        """
        return await self._session.call("getClock", _CLOCK, {})

    async def set(self, date: datetime) -> SandboxClock:
        """Set the clock forward to a date. What is due until then happens before the call returns.

        If that is much, the answer names a job that goes on: see ``wait_for_job``.

        Raises:
            ValidationError: The date lies before the clock, or is too far ahead.
            NotASandbox: The tenant has no clock of its own.
            ClockIsMoving: The clock is being set forward already.
        """
        return await self._session.call("setClock", _CLOCK, document(date=date))

    async def advance(self, duration: str) -> SandboxClock:
        """Set the clock forward by an ISO 8601 duration, for example P1M; as ``set`` does.

        Raises:
            ValidationError: It is no duration, or leads too far ahead.
            NotASandbox: The tenant has no clock of its own.
            ClockIsMoving: The clock is being set forward already.
        """
        return await self._session.call("setClock", _CLOCK, document(advance=duration))
