"""The bench of partitions fills tables as it says, on a small scale."""

from __future__ import annotations

import asyncio

import pytest

from bench.databases import open_session
from bench.growth_stores import make_store
from bench.partition_rows import DAYS, FORMS, Filling, day_bounds, removal
from benefit_programs.storage.schema import migrate

ROWS = 4_000


@pytest.mark.full
@pytest.mark.anyio
@pytest.mark.parametrize(("table", "form"), FORMS)
async def test_a_table_is_filled_in_each_form(postgres_url: str, table: str, form: str) -> None:
    """All rows are there, and the oldest day of events can be removed piece by piece."""
    await migrate(postgres_url)
    await asyncio.to_thread(make_store, postgres_url, pools=20, redemptions=20)
    filling = Filling(table, form, ROWS, now=1_800_000_000_000)
    async with open_session(postgres_url) as session:
        indexes = await filling.read_indexes(session)
        for sql in [*filling.prepare(), *(filling.insert(*each) for each in filling.chunks())]:
            await session.execute(sql)
        for sql in indexes:
            await session.execute(sql)
        count = f"select count(*), count(distinct id), count(distinct tenant_id) from {table}"
        assert await session.fetch(count) == [(ROWS, ROWS, 16)]
        if table == "events":
            for piece in day_bounds(filling, 10):
                await session.fetch(removal(*piece))
            ((left, _, _),) = await session.fetch(count)
            assert left == ROWS - ROWS // DAYS
