"""The caps of agents, on clocks of the test's own."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.agents.calling import Refused
from benefit_programs.agents.caps import HOUR_SECONDS, Caps, OwnChanges
from benefit_programs.storage.allowances import HOUR, take_change
from tests.support.calls import guid
from tests.support.clock import DAY

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000


class Clock:
    """Seconds that go by when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Caller:
    """Somebody whose changes are counted, and who calls nothing."""

    def __init__(self, clock: Clock) -> None:
        self.changes = OwnChanges(elapsed=clock)

    def may_call(self, name: str) -> bool:
        raise AssertionError(name)

    async def call(self, name: str, request: dict[str, Any]) -> Any:
        raise AssertionError(name, request)

    async def take_change(self, per_hour: int) -> bool:
        return self.changes.take(per_hour)

    def note_refusal(self, tool: str, refused: Refused) -> None:
        raise AssertionError(tool, refused)


@pytest.mark.parametrize(
    ("amount", "is_refused"), [("0", False), ("5", False), ("5.0001", True), ("6", True)]
)
async def test_how_much_at_once(amount: str, is_refused: bool) -> None:  # noqa: FBT001 - a case
    """As much as the cap and no more; what is refused for its size counts for nothing."""
    caller, caps = Caller(Clock()), Caps(credits_max=5, changes_per_hour=1)
    if is_refused:
        with pytest.raises(Refused, match="AGENT_CREDITS_EXCEEDED"):
            await caps.admit(caller, Decimal(amount))
    await caps.admit(caller, Decimal(5))
    with pytest.raises(Refused, match="AGENT_CHANGES_EXCEEDED"):
        await caps.admit(caller, Decimal(0))


def test_own_changes_come_back_after_an_hour() -> None:
    """Within any hour there are so many, and the next at the hour's end, not before."""
    clock = Clock()
    changes = OwnChanges(elapsed=clock)
    assert changes.take(2)
    clock.now = HOUR_SECONDS / 2
    assert changes.take(2)
    clock.now = HOUR_SECONDS - 0.001
    assert not changes.take(2)
    clock.now = HOUR_SECONDS
    assert [changes.take(2) for _ in range(2)] == [True, False]


async def test_processes_count_together(service: Service) -> None:
    """Of many changes at once there are as many as the cap, for each key of each tenant."""
    store, tenant_id, key = service.store, service.tenant.id, guid()
    other = await service.another_tenant()

    async def take(tenant_id: int, key: str, now: int = NOW) -> bool:
        return await take_change(store, tenant_id, key, 3, now=now)

    asked = await asyncio.gather(*(take(tenant_id, key) for _ in range(8)))
    assert sum(asked) == 3
    assert await take(tenant_id, guid())
    assert await take(other.tenant.id, key)
    assert not await take(tenant_id, key, NOW + HOUR - 1)
    assert [await take(tenant_id, key, NOW + HOUR) for _ in range(4)] == [True] * 3 + [False]


async def test_fewer_are_allowed_when_the_cap_is_lowered(service: Service) -> None:
    """What was done before counts, and a clock that was set back locks nobody out."""
    store, tenant_id, key = service.store, service.tenant.id, guid()
    for _ in range(3):
        assert await take_change(store, tenant_id, key, 5, now=NOW)
    assert not await take_change(store, tenant_id, key, 3, now=NOW)
    assert await take_change(store, tenant_id, key, 4, now=NOW)
    assert not await take_change(store, tenant_id, key, 3, now=NOW - 1000)
    assert await take_change(store, tenant_id, key, 3, now=NOW - DAY)
