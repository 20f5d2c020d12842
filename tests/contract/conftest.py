"""Programs with dates, in services whose clock the test moves and whose runner does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit import require_sound
from tests.support.clock import DAY, StillClock
from tests.support.dated import BEGIN
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.databases import Databases
    from tests.support.inprocess import Service


@pytest.fixture(scope="module")
async def still_application(databases: Databases) -> AsyncIterator[tuple[Any, StillClock]]:
    """What a module's tests share, and its clock."""
    url, clock = databases.create(), StillClock(BEGIN)
    async with open_application(url, clock=clock, run_jobs=False) as application:
        yield application, clock
    databases.drop(url)


@pytest.fixture
async def dated(
    request: pytest.FixtureRequest, still_application: tuple[Any, StillClock]
) -> AsyncIterator[tuple[Service, StillClock]]:
    """A new tenant and the clock, which goes on; its books are sound after the test."""
    application, clock = still_application
    clock.now += DAY
    service = await new_tenant(*application)
    yield service, clock
    await require_sound(request, service)


@pytest.fixture
def clock() -> StillClock:
    """Where a service of the test's own takes the time from."""
    return StillClock(BEGIN)


@pytest.fixture
async def timed(database_url: str, clock: StillClock) -> AsyncIterator[Service]:
    """A service whose time stands still, and in which nothing is booked by itself."""
    async with open_application(database_url, clock=clock, run_jobs=False) as application:
        yield await new_tenant(*application)
