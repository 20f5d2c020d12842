"""The bench of partitions fills tables as it says, on a small scale."""

from __future__ import annotations

import asyncio

import pytest

from bench.client import Request
from bench.databases import open_session
from bench.growth_stores import make_store
from bench.inprocess import inprocess_client
from bench.partition_rows import (
    DAYS,
    FORMS,
    PAGE_SIZE,
    UNASKED,
    Filling,
    day_bounds,
    pool_page,
    removal,
)
from bench.scenarios import make_redeem_requests
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


@pytest.mark.full
@pytest.mark.anyio
async def test_lean_rows_are_found_and_whole_ones_come_behind_them(postgres_url: str) -> None:
    """Copies have what pages and keys are found by, and the service goes on with whole rows."""
    await migrate(postgres_url)
    state = await asyncio.to_thread(make_store, postgres_url, pools=20, redemptions=20)
    filling = Filling("transactions", "plain", ROWS, now=1_800_000_000_000, lean=True)
    async with open_session(postgres_url) as session:
        indexes = await filling.read_indexes(session)
        # The widest first, while there is the most room to sort.
        assert "uq_transactions_idempotency_key" in indexes[0]
        assert not any(name in sql for sql in indexes for name in UNASKED)
        filled = [*filling.prepare(), *(filling.insert(*each) for each in filling.chunks())]
        for sql in [*filled, *indexes]:
            await session.execute(sql)
        rows = "select count(idempotency_key), count(correlation_id), count(details)"
        assert await session.fetch(f"{rows} from transactions") == [(ROWS, ROWS, 0)]
        assert len(await session.fetch(pool_page(state["poolIds"][0]))) == PAGE_SIZE
        redeem = make_redeem_requests(state)
        await asyncio.to_thread(_send, postgres_url, redeem())
        assert await session.fetch(f"{rows} from transactions") == [(ROWS + 1, ROWS + 1, 1)]


def _send(url: str, request: Request) -> None:
    with inprocess_client(url) as client:
        client.send(request)
