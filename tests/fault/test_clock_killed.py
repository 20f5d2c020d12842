"""The clock of a sandbox is set far forward while whoever does that is killed."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.bootstrap import open_database
from benefit_programs.config import LogFormat, Settings
from benefit_programs.engine.engine import read_clock as real_now
from benefit_programs.storage.directory import Directory
from tests.support.books import Books
from tests.support.databases import run_apart
from tests.support.engines import ON_POSTGRES_IN_FULL
from tests.support.fleet import Death, Fleet
from tests.support.sandboxes import new_membership
from tests.support.webhooks import look_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.calls import Document
    from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

WORKERS = 1
MEMBERSHIPS = 2
KILLS = 2
SECONDS_MAX = 100

DAYS = 40
DAYS_FULL = 120
"""How many days the clock is set forward."""

RENEWALS = "select count(*) from transactions where tenant_id = $1 and operation = 'RENEWAL'"
NOT_IN_TIME = """
select count(*) from transactions t where t.tenant_id = $1 and t.operation = 'RENEWAL'
and (cast(t.details as text) like '%"due"%' or not exists (
    select 1 from transactions p where p.tenant_id = t.tenant_id and p.pool_id = t.pool_id
    and p.operation = 'PROVISION' and (t.created - p.created) % 86400000 = 0))
"""
"""Of programs that renew each day, counted from the instant at which they were provisioned."""


async def make_sandbox(url: str) -> None:
    """Let the first tenant of a database be a sandbox."""
    async with open_database(Settings(database_url=url, log_format=LogFormat.JSON)) as store:
        await Directory(store, clock=real_now).ensure_default_tenant(is_sandbox=True)


@ON_POSTGRES_IN_FULL
@pytest.mark.timeout(SECONDS_MAX)
async def test_what_is_due_happens_once_at_its_instant(
    databases: Databases, tmp_path: Path
) -> None:
    """Nothing is left out, done twice or late, and the clock comes to where it was set."""
    await set_while_killed(databases, tmp_path, days=DAYS)


@pytest.mark.full
@pytest.mark.timeout(SECONDS_MAX)
async def test_what_is_due_in_many_days_happens_once(databases: Databases, tmp_path: Path) -> None:
    """So it is however far the clock is set."""
    await set_while_killed(databases, tmp_path, days=DAYS_FULL)


async def set_while_killed(databases: Databases, tmp_path: Path, *, days: int) -> None:
    """Set the clock forward, kill all twice on the way, and look at what was booked."""
    url, chance = databases.create(), random.Random(7)
    run_apart(make_sandbox(url))
    books = Books(url)
    workers = 0 if url.startswith("sqlite") else WORKERS
    async with Fleet(url, tmp_path, workers=workers) as fleet:
        for _ in range(MEMBERSHIPS):
            await new_membership(fleet.caller, renewalConfiguration={"every": "P1D"})
        setting = asyncio.create_task(set_forward(fleet, days))
        for done in range(1, KILLS + 1):
            await look_until_renewed(books, done * MEMBERSHIPS * days // (KILLS + 2))
            await fleet.kill(Death.ALL, chance)
        await look_until_renewed(books, MEMBERSHIPS * days)
        await setting
        await look_until(lambda: fleet.call("getClock", {}), is_there)
    assert await books.read(RENEWALS) == [(MEMBERSHIPS * days,)]
    assert await books.read(NOT_IN_TIME) == [(0,)]
    books.verify()
    databases.drop(url)


async def set_forward(fleet: Fleet, days: int) -> None:
    """Set the clock, and hear no answer if who would give it is killed."""
    with suppress(httpx.TransportError):
        await fleet.caller.call("setClock", {"advance": f"P{days}D"})


async def look_until_renewed(books: Books, times: int) -> None:
    """Wait until programs were renewed so often."""
    await look_until(lambda: books.read(RENEWALS), lambda rows: rows[0][0] >= times)


def is_there(answer: Document) -> bool:
    return "targetDate" not in answer["clock"]
