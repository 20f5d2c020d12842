"""Moving the clock of a sandbox: what is due on the way happens, each at its instant.

Where the clock has come to is in the database. So if whoever moves it dies, another goes on, and
several at the same time do each other no harm.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TypeVar

import structlog

from benefit_programs.domain.audit_rows import CALENDAR
from benefit_programs.domain.clock_commands import DueKind, Step, StepClock
from benefit_programs.domain.command import Command
from benefit_programs.domain.orders.calendar import SettlePrograms
from benefit_programs.domain.orders.cascades import StartCascades
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.settling import SettlePools
from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.domain.values import SYSTEM
from benefit_programs.engine.engine import Engine, QueueFull

Answer = TypeVar("Answer")

JOB_PAUSE_SECONDS = 0.02
"""How long to wait before looking again at jobs that a cascade or a large program has begun."""

ATTEMPTS_MAX = 3
"""How often rows are tried that stay as they are, before they are left behind."""

_log = structlog.get_logger("benefit_programs.clock")


async def move_clock(
    engine: Engine, tenant_id: int, settings: TenantSettings, *, seconds: float
) -> bool:
    """Move a clock that was set, for so long at the most; whether it is there.

    What can't be booked stays behind, and is tried again by the runners. Raises as
    ``Engine.execute``.
    """
    mover, until = _Mover(engine, tenant_id, settings), monotonic() + seconds
    while not await mover.step():
        if monotonic() >= until:
            return False
    return True


class _Mover:
    def __init__(self, engine: Engine, tenant_id: int, settings: TenantSettings) -> None:
        self._engine = engine
        self._tenant_id = tenant_id
        self._settings = settings
        self._passed_by: frozenset[str] = frozenset()
        self._last = Step()
        self._attempts = 0
        """How often in a row the last step was the same."""

    async def step(self) -> bool:
        """Book what is next; whether nothing was."""
        step = await self._execute(StepClock(passed_by=self._passed_by))
        if step.waits_for_jobs:
            await asyncio.sleep(JOB_PAUSE_SECONDS)
        elif step.ids:
            self._attempts = self._attempts + 1 if step == self._last else 1
            self._last = step
            done = await self._book(step.kind, step.ids)
            # Else somebody else may just have booked them.
            if not done and self._attempts >= ATTEMPTS_MAX:
                self._passed_by |= frozenset(step.ids)
        return step.is_over

    async def _book(self, kind: DueKind, ids: tuple[str, ...]) -> int:
        """Book rows together, or else one by one; how many there were."""
        try:
            return await self._execute(booking(kind, ids))
        except (QueueFull, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, other rows can be booked
            if len(ids) > 1:
                return sum([await self._book(kind, (each,)) for each in ids])
            _log.warning("due row not booked", tenant=self._tenant_id, row=ids[0], exc_info=error)
            return 0

    async def _execute(self, command: Command[Answer]) -> Answer:
        return await self._engine.execute(
            command,
            tenant_id=self._tenant_id,
            caller=SYSTEM,
            settings=self._settings,
            actor=CALENDAR,
        )


def booking(kind: DueKind, ids: tuple[str, ...]) -> Command[int]:
    """What books rows that have come due."""
    if kind is DueKind.CASCADE:
        return StartCascades()
    if kind is DueKind.PROGRAM:
        return SettlePrograms(program_ids=ids)
    return SettlePools(pool_ids=ids)
