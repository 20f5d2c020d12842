"""Verifying takes as many steps as there are rows, also where nobody has analyzed them."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from bench.growth_stores import make_store
from benefit_programs.bootstrap import open_database
from benefit_programs.config import Settings
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.verification import Report, verify

POOLS = 8_000
PAGE_SIZE = 200
READS_OF_ROW_MAX = 25
"""Some fifteen checks go through the rows of a table. A walk for each page reads more."""

# But for what migrations say of columns, as on a database that was just restored.
FORGET = """
delete from pg_statistic where staattnum > 1 and starelid in
    (select oid from pg_class where relnamespace = 'public'::regnamespace);
update pg_class set reltuples = -1, relpages = 0
    where relnamespace = 'public'::regnamespace and relkind = 'r';
select pg_stat_reset()
"""
READ = """
select (select sum(seq_tup_read) from pg_stat_user_tables)
    + (select sum(idx_tup_read) from pg_stat_user_indexes)
"""


@pytest.fixture
def unanalyzed_url(postgres_url: str) -> str:
    """A PostgreSQL database with thousands of programs of which the planner knows nothing."""
    asyncio.run(migrate(postgres_url))
    make_store(postgres_url, pools=POOLS, redemptions=50)
    return postgres_url


async def verify_counting(url: str) -> tuple[Report, int]:
    """Verify in small pages; also how many rows and entries of indexes the database read."""
    watcher = await asyncpg.connect(url)
    await watcher.execute(FORGET)
    async with open_database(Settings(database_url=url)) as store:
        report = await verify(store, page_size=PAGE_SIZE)
    read = await watcher.fetchval(READ)
    await watcher.close()
    return report, read


def test_every_row_is_read_a_few_times(unanalyzed_url: str) -> None:
    """A page of a table never costs a walk through all of it, or of another table."""
    report, read = asyncio.run(verify_counting(unanalyzed_url))
    assert report.is_sound
    assert read / sum(report.contents.rows.values()) < READS_OF_ROW_MAX
