"""The service behind a real pgbouncer that gives each transaction another connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from benefit_programs.cli.exits import ExitCode
from benefit_programs.config import Pooler
from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.schema import current_revision, migrate, newest_revision
from tests.e2e import test_sdk
from tests.race import test_ledger_races
from tests.support.databases import PostgresDatabases
from tests.support.pgbouncer import PROGRAM_VARIABLE, pgbouncer, pgbouncer_path
from tests.support.service import Server
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.postgres import PostgresServer

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        pgbouncer_path() is None,
        reason=f"pgbouncer is not installed, and {PROGRAM_VARIABLE} names none",
    ),
]

SETTINGS = {
    "lock_timeout": "200ms",
    "statement_timeout": "300ms",
    "idle_in_transaction_session_timeout": "1min",
    "jit": "off",
    "enable_seqscan": "off",
}
"""What holds in a look-up by key."""

REMEDY = "; behind a pooler such as pgbouncer, set BENEFITS_POSTGRES_POOLER=transaction"
IGNORED = ", ".join([*SETTINGS, "plan_cache_mode"])


@pytest.fixture(scope="module")
def servers(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[Server]]]:
    """Two servers behind one pgbouncer, with fewer connections than they ask for.

    The URL goes around it.
    """
    databases, folder = PostgresDatabases(postgres_server), tmp_path_factory.mktemp("pgbouncer")
    url = databases.create()
    with pgbouncer(url, default_pool_size="3") as pooled:
        started = [
            Server(pooled, folder / f"log {number}", postgres_pooler=Pooler.TRANSACTION)
            for number in range(2)
        ]
        yield url, started
        for server in started:
            server.stop()
    databases.drop(url)


crowd = test_ledger_races.crowd
packages = test_sdk.packages

test_one_key_has_one_effect = test_ledger_races.test_one_key_has_one_effect
test_changes_in_all_directions_add_up = test_ledger_races.test_changes_in_all_directions_add_up


def test_the_sdk_calls_all_methods(servers: tuple[str, list[Server]]) -> None:
    """Every method of the official SDK is answered."""
    test_sdk.require_passed(servers[1][0], "test_all_methods.mjs")


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """A store with a single connection to a pgbouncer with a single one; nothing is there yet."""
    with pgbouncer(postgres_url, default_pool_size="1") as pooled:
        opened = await PostgresStore.open(
            pooled, connections_max=1, statement_seconds=0.3, has_pooler=True
        )
        yield opened
        await opened.close()


async def test_migrations_run_through_it(postgres_url: str) -> None:
    """The schema is made through the pooler, once, and its revision is read there."""
    with pgbouncer(postgres_url) as pooled:
        assert (await migrate(pooled))[-1] == newest_revision()
        assert await migrate(pooled) == []
        assert await current_revision(pooled) == newest_revision()


async def test_transactions_have_their_settings_and_leave_none(store: PostgresStore) -> None:
    """The limits hold in each transaction, and the next one of somebody else knows none."""
    sql = f"select {', '.join(f'current_setting({name!r})' for name in SETTINGS)}"
    assert await store.fetch_quick(sql, ()) == [tuple(SETTINGS.values())]
    (patient,), _ = await store.fetch_together([(sql, ()), (sql, ())], seconds_max=2)
    assert patient[:4] == ("5s", "2s", "1min", "off")
    assert (await store.fetch(sql, ()))[0][0] == "5s"
    async with store._connection(store._keyed) as bare:
        found = await bare.fetchrow(sql)
    left = dict(zip(SETTINGS, found, strict=True))
    for name in ("lock_timeout", "statement_timeout", "enable_seqscan"):
        assert left[name] != SETTINGS[name]


async def test_failures_leave_no_transaction_open(store: PostgresStore) -> None:
    """After a statement that took too long or was wrong, the only connection goes on."""
    with pytest.raises(StoreTimeout):
        await store.fetch("select pg_sleep(60)", ())
    with pytest.raises(asyncpg.UndefinedTableError):
        await store.fetch_quick("select 1 from nothing", ())
    assert await store.execute("create table things (id int)", ()) == []
    assert await store.fetch("insert into things values ($1) returning id", (7,)) == [(7,)]
    assert await store.fetch_quick("select id from things", ()) == [(7,)]


async def test_a_start_that_knows_of_no_pooler_is_refused(postgres_url: str) -> None:
    """Where the pooler refuses the settings of connections, the start ends with the remedy."""
    with pgbouncer(postgres_url) as pooled, pytest.raises(StoreUnavailable) as refused:
        await PostgresStore.open(pooled)
    assert "unsupported startup parameter" in str(refused.value)
    assert str(refused.value).endswith(REMEDY)


def test_a_pooler_that_drops_settings_is_found_out(postgres_url: str) -> None:
    """Where it ignores them, too, each time, in one line."""
    with pgbouncer(
        postgres_url, ignore_startup_parameters=IGNORED, default_pool_size="1"
    ) as pooled:
        for _ in range(2):
            done = run_benefits("tenants", "list", BENEFITS_DATABASE_URL=pooled)
            assert (done.returncode, done.stderr.count("\n")) == (ExitCode.DATABASE, 1), done.stderr
            assert done.stderr.endswith(f"{REMEDY}\n")
