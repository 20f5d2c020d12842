"""A query that takes too long ends with its own error, and the store goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benefit_programs.domain.store import StoreTimeout
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.sqlite import SqliteStore

pytestmark = pytest.mark.anyio

SECONDS = 0.2


async def test_a_long_query_on_sqlite_is_ended(tmp_path: Path) -> None:
    """The embedded engine gives a query up when its time is over, and answers the next one."""
    store = SqliteStore(tmp_path / "limits.db", statement_seconds=SECONDS)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    with pytest.raises(StoreTimeout):
        await store.fetch(endless, ())
    assert await store.fetch("select 1", ()) == [(1,)]
    await store.close()


async def test_a_long_query_on_postgresql_is_ended(postgres_url: str) -> None:
    """The server gives a query up when its time is over, and the connection goes on."""
    store = await PostgresStore.open(postgres_url, statement_seconds=SECONDS)
    with pytest.raises(StoreTimeout):
        await store.fetch("select pg_sleep(60)", ())
    assert await store.fetch("select 1", ()) == [(1,)]
    await store.close()
