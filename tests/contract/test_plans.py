"""No plan reads a whole table: neither a batch's, nor that of a query on an indexed field."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import apsw
import asyncpg
import pytest

from benefit_programs.domain import lookups
from benefit_programs.domain.entities import Item, Lot, Pool, Reservation, Transaction
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.people.lookups import PERSON, PERSON_OF, PERSON_WORD
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Mode
from benefit_programs.storage import (
    connecting,
    item_specs,
    pool_statements,
    specs,
    statements,
    tenant_statements,
)
from benefit_programs.storage.agenda import DUE_POOLS, FIRST_PLACE
from benefit_programs.storage.feed import after_statement
from benefit_programs.storage.people_finder import (
    Place,
    counts_of_words,
    end_after,
    people_after,
)
from benefit_programs.storage.positions import SQLITE_NEWEST
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.query import (
    GUIDS_DEFAULT,
    Dialect,
    PostgresDialect,
    Query,
    QuerySpec,
    SqliteDialect,
    Statement,
    plan_page,
)
from benefit_programs.storage.query.fields import IDENTITY_TYPES
from benefit_programs.storage.referenced import transactions_referenced
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.sqlite import connect
from benefit_programs.storage.statements import Writing
from benefit_programs.storage.tables import TABLES, Table
from tests.support.databases import PostgresDatabases, run_apart
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.anyio

INDEXES: list[Index[Any]] = [
    *(value for value in vars(lookups).values() if isinstance(value, Index)),
    *(PERSON, *PERSON_OF.values(), PERSON_WORD),
]
WRITINGS = [
    Writing(kind, entity, codec.columns[-1:] if kind == "update" else ())
    for entity, codec in CODECS.items()
    for kind in ("update", "delete")
    if not set(codec.columns[-1:]) <= set(entity.key)
]
SPECS = [
    specs.program_definitions,
    specs.pool_definitions,
    specs.programs,
    specs.pools,
    specs.balances,
    specs.transactions,
    specs.lots,
    specs.reservations,
    specs.people,
    item_specs.items,
    item_specs.pool_items,
    item_specs.pool_definition_items,
]
ROWS = 3_000
_IDS = [str(UUID(int=number)) for number in range(64)]
_LITERALS = {"uuid": "00000000-0000-4000-8000-000000000000", "bigint": "1", "text": "a"}
IDENTITIES = [{key: _LITERALS["uuid"]} for key in IDENTITY_TYPES]


def _arguments(sql: str, ids: str) -> str:
    """Made-up values for the parameters, of the types that the statement gives them."""
    types = {int(n): (t, array) for n, t, array in re.findall(r"\$(\d+)::(\w+)(\[\])?", sql)}
    values = ["1"]
    for number in range(2, max(types, default=1) + 1):
        kind, array = types[number]
        value = ids if array and kind.lower() == "uuid" else _LITERALS.get(kind.lower(), "1")
        values.append(f"'{{{value}}}'" if array else f"'{value}'")
    return ", ".join(values)


async def _plan(connection: asyncpg.Connection, sql: str, *, ids: str = _LITERALS["uuid"]) -> str:
    await connection.execute(f"prepare probe as {sql}")
    try:
        rows = await connection.fetch(f"explain execute probe({_arguments(sql, ids)})")
    finally:
        await connection.execute("deallocate probe")
    return "\n".join(row[0] for row in rows)


def _conditions(plan: str) -> list[str]:
    return re.findall(r"Index Cond: (.*)", plan)


def _fill(table: Table, *, rows: int = ROWS, same: str = "") -> str:
    """Rows of made-up values: enough that the planner sees a table worth an index.

    ``same`` names a column that has one value in all of them.
    """
    made = {"uuid": "gen_random_uuid()", "bigint": "g", "json": "'{}'::json"}
    values = [
        "1"
        if column.name == "tenant_id"
        else f"'{_LITERALS['uuid']}'::uuid"
        if column.name == same
        else made.get(column.type, "gen_random_uuid() || ''")
        for column in table.columns.values()
    ]
    columns = ", ".join(table.columns)
    return (
        f"insert into {table.name} ({columns})"
        f" select {', '.join(values)} from generate_series(1, {rows}) g"
    )


@pytest.fixture(scope="module")
def filled_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with rows in all tables that were never analyzed; to be copied."""
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    run_apart(_fill_all(url))
    yield url
    databases.drop(url)


async def _fill_all(url: str) -> None:
    connection = await asyncpg.connect(url)
    for table in TABLES.values():
        await connection.execute(_fill(table))
    await connection.close()


@pytest.fixture
async def filled(postgres_server: PostgresServer, filled_url: str) -> AsyncIterator[Any]:
    """A connection as batches have it, to such a database of the test's own."""
    url = postgres_server.create_database(template=urlsplit(filled_url).path.removeprefix("/"))
    store = await PostgresStore.open(url, connections_max=1)
    async with store._keyed.acquire() as connection:
        yield connection
    await store.close()
    postgres_server.drop_database(url)


async def test_look_ups_on_postgresql_use_all_columns_of_their_key(
    filled: asyncpg.Connection,
) -> None:
    """Each key is found by an index that has all of its columns."""
    for index in INDEXES:
        for mode in (Mode.READ, Mode.LOCK):
            if mode is Mode.LOCK and index.entity.key != ("id",):
                continue
            plan = await _plan(filled, statements.postgres_select(index, mode))
            assert "Seq Scan" not in plan, (index, plan)
            wanted = set(index.columns)
            assert any(
                wanted <= set(re.findall(r"(\w+) = ", condition)) for condition in _conditions(plan)
            ), (index, plan)


@pytest.mark.parametrize("entity", [Lot, Reservation])
async def test_many_rows_are_found_by_their_ids_alone(
    filled: asyncpg.Connection, entity: type[Row]
) -> None:
    """Lots and reservations are read and changed by their key, not by the index of pools."""
    await filled.execute(_fill(TABLES[entity], rows=4 * ROWS))
    ids = ",".join(_IDS)
    index = next(each for each in INDEXES if each.entity is entity and each.is_own_key)
    update = Writing("update", entity, CODECS[entity].columns[-1:])
    for sql in (
        statements.postgres_select(index, Mode.READ),
        statements.postgres_writing((update,)),
    ):
        plan = await _plan(filled, sql, ids=ids)
        assert f"pk_{TABLES[entity].name}" in plan, plan


async def test_a_busy_pool_is_found_by_the_whole_key(filled: asyncpg.Connection) -> None:
    """A replay isn't looked for among all transactions of its pool, analyzed or not yet."""
    await filled.execute("truncate transactions, items")
    for entity, owner in ((Transaction, "pool_id"), (Item, "item_set_id")):
        await filled.execute(_fill(TABLES[entity], rows=4 * ROWS, same=owner))
    analyze = "analyze transactions, items"
    # Migrations can't tell older servers of the one tenant; the first analysis does.
    knows_at_once = filled.get_server_version() >= (18,)
    for prepare in ("select 1", analyze) if knows_at_once else (analyze,):
        await filled.execute(prepare)
        for index in (lookups.TRANSACTION_BY_KEY, lookups.ITEM_BY_REFERENCE):
            plan = await _plan(filled, statements.postgres_select(index, Mode.READ))
            assert any(
                set(index.columns) <= set(re.findall(r"(\w+) = ", condition))
                for condition in _conditions(plan)
            ), plan


async def test_changes_on_postgresql_are_narrowed_by_their_key(
    filled: asyncpg.Connection,
) -> None:
    """An update or a delete of some rows never reads the others of the tenant."""
    for writing in WRITINGS:
        plan = await _plan(filled, statements.postgres_writing((writing,)))
        leading = writing.entity.key[0]
        assert "Seq Scan" not in plan, (writing, plan)
        assert any(f"{leading} = " in condition for condition in _conditions(plan)), plan


async def test_lone_changes_on_postgresql_go_by_the_whole_key(
    filled: asyncpg.Connection,
) -> None:
    """What reads a row and its probe, and what changes it, finds each by all of its columns."""
    probe, other = lookups.TRANSACTION_BY_KEY, lookups.ITEM_BY_REFERENCE
    insert = (Writing("insert", Transaction, CODECS[Transaction].columns), 1)
    for sql, keys in (
        (
            statements.postgres_first(lookups.POOL, (probe,), (other,)),
            [{"id"}, set(probe.columns), set(other.columns)],
        ),
        (statements.postgres_hold(lookups.POOL), [{"id"}]),
        (statements.postgres_guarded(lookups.POOL, ("available",), (insert,)), [{"id"}]),
    ):
        plan = await _plan(filled, sql)
        assert "Seq Scan" not in plan, plan
        for key in keys:
            assert any(
                key <= set(re.findall(r"(\w+) = ", condition)) for condition in _conditions(plan)
            ), plan


async def test_plans_are_made_anew_while_tables_grow(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan from when a table was empty is given up once it is older than plans may be."""
    databases = PostgresDatabases(postgres_server)
    url = databases.create()
    store = await PostgresStore.open(url, connections_max=1)
    index = lookups.LIVE_POOLS_OF_PROGRAM
    sql = statements.postgres_select(index, Mode.READ)
    name = "select name from pg_prepared_statements where statement = $1"

    async def plan() -> str:
        async with store._keyed.acquire() as connection:
            kept = await connection.fetchval(name, sql)
            rows = await connection.fetch(f"explain execute {kept}(1, '{{{_IDS[0]}}}')")
        return "\n".join(row[0] for row in rows)

    await store.look_up(1, index, [(_IDS[0],)])
    async with store._keyed.acquire() as connection:
        await connection.execute(_fill(TABLES[Pool]))
    old = await plan()
    assert not any("program_id = " in each for each in _conditions(old))
    assert await plan() == old, "a plan is kept for a while"
    monkeypatch.setattr(connecting, "PLAN_SECONDS_MAX", 0)
    await store.look_up(1, index, [(_IDS[0],)])
    assert any("program_id = " in each for each in _conditions(await plan()))
    await store.close()
    databases.drop(url)


async def test_balances_change_without_their_indexes(filled: asyncpg.Connection) -> None:
    """Pages have room for new balances of their pools, so no index gets an entry for them."""
    await filled.execute("update pools set available = available + 1 where created % 10 = 0")
    await filled.execute("select pg_stat_force_next_flush()")
    updates = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'pools'"
    assert tuple(await filled.fetchrow(updates)) == (ROWS // 10, ROWS // 10)


async def test_the_feed_on_postgresql_goes_by_positions(filled: asyncpg.Connection) -> None:
    """A page of the feed is a range of the index of positions, already in its order."""
    sql = after_statement(PostgresDialect())
    plan = "\n".join(row[0] for row in await filled.fetch(f"explain {sql}", 1, 10, 90, 20))
    assert "Index Scan using ix_events_position" in plan
    assert "Sort" not in plan


async def test_the_feed_on_sqlite_goes_by_positions(tmp_path: Path) -> None:
    """So it is on the embedded engine, and the newest position is looked up, not searched."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    with closing(connect(path)) as connection:
        for sql in (after_statement(SqliteDialect()), SQLITE_NEWEST):
            values = (1,) * (4 if "?4" in sql else 1)
            rows = connection.execute(f"explain query plan {sql}", values).fetchall()
            plan = "\n".join(str(row[3]) for row in rows)
            assert "ix_events_position (tenant_id=?" in plan
            assert "TEMP B-TREE" not in plan


async def test_what_is_due_on_postgresql_is_found_by_its_instant(
    filled: asyncpg.Connection,
) -> None:
    """The next pools are a range of the index of instants; their lots are counted by pool."""
    values = (1, 10, *FIRST_PLACE, 20)
    plan = "\n".join(row[0] for row in await filled.fetch(f"explain {DUE_POOLS}", *values))
    assert "ix_pools_due" in plan
    assert "Seq Scan" not in plan


async def test_what_is_due_on_sqlite_is_found_by_its_instant(tmp_path: Path) -> None:
    """So it is on the embedded engine."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    with closing(connect(path)) as connection:
        values = (1, 10, *FIRST_PLACE, 20)
        rows = connection.execute(f"explain query plan {DUE_POOLS}", values).fetchall()
    plan = "\n".join(str(row[3]) for row in rows)
    assert "ix_pools_due (tenant_id=?" in plan
    assert "TEMP B-TREE" not in plan
    assert "(tenant_id=?)" not in plan


async def test_statements_on_sqlite_search_by_their_whole_key(tmp_path: Path) -> None:
    """The embedded engine finds rows by all columns of a key too."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    connection = connect(path)
    for index in INDEXES:
        sql = statements.sqlite_select(index)
        values = (None,) * (1 + sql.count("?") - 1)
        rows = connection.execute(f"explain query plan {sql}", values).fetchall()
        plan = "\n".join(str(row[3]) for row in rows)
        assert "SCAN" not in plan, (index, plan)
        assert all(f"{column}=?" in plan for column in index.columns), (index, plan)
        if several := statements.sqlite_select_several(index):
            rows = connection.execute(f"explain query plan {several}", (None,) * several.count("?"))
            plan = "\n".join(str(row[3]) for row in rows)
            assert "SCAN t" not in plan, (index, plan)
            assert all(f"{column}=?" in plan for column in index.columns), (index, plan)
            assert "MATERIALIZE" not in plan, (index, plan)
    connection.close()


async def test_waiting_deliveries_on_sqlite_are_found_among_open_ones(tmp_path: Path) -> None:
    """They aren't sought among all of the endpoint, whose order they have."""
    statement = Statement(
        statements.sqlite_select(lookups.PENDING_DELIVERIES), (1, _LITERALS["uuid"])
    )
    assert "ix_webhook_deliveries_live_endpoint_id" in await _sqlite_plan(tmp_path, statement)


async def test_open_statuses_on_sqlite_are_found_among_open_rows(tmp_path: Path) -> None:
    """Several statuses of jobs that aren't over are searched in the index of such jobs."""
    dialect = SqliteDialect()
    statuses = {"status": {"$in": ["INITIALIZED", "PROCESSING"]}}
    statement = _equality(specs.jobs(dialect), statuses, dialect)
    assert "ix_jobs_live_id" in await _sqlite_plan(tmp_path, statement)


async def test_limited_scans_on_sqlite_go_through_the_rows_themselves(tmp_path: Path) -> None:
    """A limit is of lots: no index of their pools leads around it, unless one holds a value."""
    dialect = SqliteDialect()
    for field, expected in (
        (
            "programDefinitionId",
            "SEARCH l USING INDEX sqlite_autoindex_lots_1 (tenant_id=? AND id>?)",
        ),
        ("programId", "SEARCH p USING INDEX ix_pools_program_id (tenant_id=? AND program_id=?)"),
    ):
        query = Query(filter={field: _LITERALS["uuid"]}, scan_limit=9)
        planned = plan_page(
            specs.lots(dialect), query, dialect=dialect, tenant_id=1, ids=GUIDS_DEFAULT, secret=b""
        )
        planned.bound([(_LITERALS["uuid"],)])
        assert expected in await _sqlite_plan(tmp_path, planned.statement), field


async def test_look_ups_on_sqlite_are_planned_once(tmp_path: Path) -> None:
    """A look-up that is made again with other values goes by the plan that is there."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    planned: list[str] = []

    def note(*_: object) -> int:
        planned.append(sql)
        return apsw.SQLITE_OK

    with closing(connect(path)) as connection:
        # SQLite asks it about each table and column while it plans.
        connection.authorizer = note
        several = filter(None, map(statements.sqlite_select_several, INDEXES))
        for sql in dict.fromkeys((*map(statements.sqlite_select, INDEXES), *several)):
            connection.execute(sql, (1,) * sql.count("?")).fetchall()
            assert sql in planned
            planned.clear()
            connection.execute(sql, (2,) * sql.count("?")).fetchall()
            assert planned == []


async def test_changes_on_sqlite_need_no_tables_of_their_own(tmp_path: Path) -> None:
    """Whether a row is in a partial index is told by its values, without a list to look them up."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    with closing(connect(path)) as connection:
        for entity, codec in CODECS.items():
            others = tuple(name for name in codec.columns if name not in entity.key)
            for sql in (
                statements.sqlite_insert(entity, codec.columns),
                statements.sqlite_insert(entity, codec.columns, statements.SQLITE_ROWS),
                *([statements.sqlite_update(entity, others)] if others else []),
            ):
                program = connection.execute(f"explain {sql}", (None,) * len(_marks(sql)))
                assert "OpenEphemeral" not in {step[1] for step in program}, sql


def _marks(sql: str) -> set[str]:
    """The parameters of a statement; those without numbers each count."""
    numbered = set(re.findall(r"\?\d+", sql))
    return numbered or {str(position) for position in range(sql.count("?"))}


def _queries_on_indexed_fields(dialect: Dialect) -> list[tuple[str, Statement]]:
    """For each indexed field of each query: what it is, and an equality in the default order."""
    return [
        (f"{spec.method} by {name}", _equality(spec, {name: value}, dialect))
        for spec in (make(dialect) for make in SPECS)
        for name in sorted(spec.indexed)
        for value in (IDENTITIES if spec.fields[name].identity else (_LITERALS["uuid"],))
    ]


def _equality(spec: QuerySpec, filter_: dict[str, Any], dialect: Dialect) -> Statement:
    return plan_page(
        spec,
        Query(filter=filter_),
        dialect=dialect,
        tenant_id=1,
        ids=GUIDS_DEFAULT,
        secret=b"",
    ).statement


async def test_queries_on_indexed_fields_on_postgresql_go_by_an_index(
    filled: asyncpg.Connection,
) -> None:
    """An equality on an indexed field is searched by that field, whatever else the query joins."""
    await filled.execute("reset enable_seqscan; analyze")
    for what, statement in _queries_on_indexed_fields(PostgresDialect()):
        rows = await filled.fetch(f"explain {statement.sql}", *statement.parameters)
        plan = "\n".join(row[0] for row in rows)
        assert "Seq Scan" not in plan, (what, plan)
        assert _LITERALS["uuid"] in "".join(_conditions(plan)), (what, plan)


async def test_queries_on_indexed_fields_on_sqlite_go_by_an_index(tmp_path: Path) -> None:
    """The embedded engine searches by the field too, never by the tenant alone."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    connection = connect(path)
    for what, statement in _queries_on_indexed_fields(SqliteDialect()):
        rows = connection.execute(f"explain query plan {statement.sql}", statement.parameters)
        plan = "\n".join(str(row[3]) for row in rows)
        assert "SCAN" not in plan, (what, plan)
        assert "(tenant_id=?)" not in plan, (what, plan)
    connection.close()


def _expiring(dialect: Dialect) -> Statement:
    """What is live and expires in a week, soonest first."""
    week = {"$gte": "2030-01-01T00:00:00Z", "$lt": "2030-01-08T00:00:00Z"}
    return plan_page(
        specs.lots(dialect),
        Query(
            filter={"status": "LIVE", "expirationDate": week},
            sort=(("expirationDate", "ASC"),),
            now=1_700_000_000_000,
        ),
        dialect=dialect,
        tenant_id=1,
        ids=GUIDS_DEFAULT,
        secret=b"",
    ).statement


async def test_what_expires_soon_on_postgresql_goes_by_the_date(
    filled: asyncpg.Connection,
) -> None:
    """Of any number of lots only those of the week are looked at, in their order."""
    await filled.execute(
        "update lots set status = 'LIVE', effective_date = 0, expiration_date = created * 1e9"
    )
    await filled.execute("update lots set pool_id = (select id from pools limit 1)")
    await filled.execute("reset enable_seqscan; analyze")
    statement = _expiring(PostgresDialect())
    rows = await filled.fetch(f"explain {statement.sql}", *statement.parameters)
    plan = "\n".join(row[0] for row in rows)
    assert "ix_lots_live_expiration_date" in plan
    # In an order that no index has it would sort the whole week for each page.
    assert not re.search("Seq Scan|NULLS FIRST", plan), plan


async def test_what_expires_soon_on_sqlite_goes_by_the_date(tmp_path: Path) -> None:
    """So it does on the embedded engine, without a sort."""
    path = tmp_path / "plans.db"
    await migrate(f"sqlite:///{path}")
    with closing(connect(path)) as connection:
        statement = _expiring(SqliteDialect())
        rows = connection.execute(f"explain query plan {statement.sql}", statement.parameters)
        plan = "\n".join(str(row[3]) for row in rows)
    assert "ix_lots_live_expiration_date (tenant_id=? AND expiration_date>" in plan
    assert not re.search("SCAN|TEMP B-TREE", plan), plan


def _statements_of_a_pool(dialect: Dialect) -> dict[str, Statement]:
    """All that statements of one pool read, from the middle of its ledger on."""
    whose: dict[str, Any] = {"tenant_id": 1, "pool_id": _LITERALS["uuid"]}
    return {
        "cut": pool_statements.cut(dialect, **whose, before=1, up_to=ROWS),
        "sums": pool_statements.sums(dialect, **whose, since=1, after=1, up_to=ROWS),
        "sums by lot": pool_statements.sums_by_lot(dialect, **whose, since=1, after=1, to=ROWS),
        "rows": pool_statements.rows(
            dialect, **whose, since=_LITERALS["uuid"], after=1, up_to=ROWS, limit=1
        ),
        "lots": pool_statements.lots(dialect, **whose, since=1),
        "any lot": pool_statements.any_lot(dialect, **whose),
    }


REFERENCED: dict[str, Any] = {
    "tenant_id": 1,
    "namespace": "a",
    "external_reference": "a",
    "until": ROWS,
    "limit": 1,
}
SCOPES = (
    tenant_statements.Scope(tenant_id=1),
    tenant_statements.Scope(tenant_id=1, namespace="a"),
    tenant_statements.Scope(tenant_id=1, pool_definition_id=_LITERALS["uuid"]),
)


def _statements_of_a_tenant(dialect: Dialect) -> dict[str, Statement]:
    """All that statements of many pools read, however the pools are narrowed."""
    made = {
        "moved": lambda scope: tenant_statements.moved(
            dialect, scope, start=1, end=2, edges=(1, 2)
        ),
        "outstanding": lambda scope: tenant_statements.outstanding(dialect, scope),
        "oldest due": lambda scope: tenant_statements.oldest_due(dialect, scope),
        "by expiry": lambda scope: tenant_statements.lots_by_expiry(dialect, scope, (1, 2)),
        "by age": lambda scope: tenant_statements.lots_by_age(dialect, scope, (1, 2)),
        "by definition": lambda scope: tenant_statements.outstanding_by_definition(
            dialect, scope, limit=1
        ),
        "pools": lambda scope: tenant_statements.pools_up_to(dialect, scope, 1),
        "transaction before": lambda scope: tenant_statements.transaction_before(
            dialect, scope, start=1, end=2, count=1
        ),
        "moved by time": lambda scope: tenant_statements.moved_by_time(
            dialect, scope, after_id=pool_statements.first_id(1), end=2
        ),
    }
    return {f"{name} of {scope}": make(scope) for name, make in made.items() for scope in SCOPES}


async def _plan_by_keys(store: PostgresStore, statement: Statement) -> str:
    """How a snapshot reads it."""
    (rows,) = await store.fetch_together([(f"explain {statement.sql}", statement.parameters)])
    return "\n".join(row[0] for row in rows)


@pytest.fixture
async def store_of_one_busy_pool(
    postgres_server: PostgresServer, filled_url: str
) -> AsyncIterator[PostgresStore]:
    """One pool has many transactions, and the statistics say that pools have one each."""
    url = postgres_server.create_database(template=urlsplit(filled_url).path.removeprefix("/"))
    connection = await asyncpg.connect(url)
    await connection.execute("analyze")
    await connection.execute(_fill(TABLES[Transaction], same="pool_id"))
    await connection.close()
    store = await PostgresStore.open(url, connections_max=1)
    yield store
    await store.close()
    postgres_server.drop_database(url)


async def test_statements_of_a_pool_on_postgresql_read_its_rows_alone(
    store_of_one_busy_pool: PostgresStore,
) -> None:
    """They go along an index of the pool, and sort nothing to find a page, whatever is analyzed."""
    for name, statement in _statements_of_a_pool(PostgresDialect()).items():
        plan = await _plan_by_keys(store_of_one_busy_pool, statement)
        assert "Seq Scan" not in plan, (name, plan)
        assert "Sort Key: id" not in plan, (name, plan)
        assert "pool_id = " in "".join(_conditions(plan)), (name, plan)


async def test_statements_of_a_pool_on_sqlite_read_its_rows_alone(tmp_path: Path) -> None:
    """So they do on the embedded engine; only kinds and cuts are sorted."""
    for name, statement in _statements_of_a_pool(SqliteDialect()).items():
        plan = await _sqlite_plan(tmp_path, statement)
        assert not re.search("SCAN [olp]$", plan, re.MULTILINE), (name, plan)
        assert "(tenant_id=?)" not in plan, (name, plan)
        assert "(tenant_id=? AND pool_id=?" in plan, (name, plan)


async def test_a_page_of_a_statement_on_sqlite_is_read_in_order(tmp_path: Path) -> None:
    """The rows of a page come out of the index in the order of their ids."""
    plan = await _sqlite_plan(tmp_path, _statements_of_a_pool(SqliteDialect())["rows"])
    assert "TEMP B-TREE" not in plan


async def test_statements_of_a_tenant_on_postgresql_read_its_rows_alone(
    store_of_one_busy_pool: PostgresStore,
) -> None:
    """Each table is read by an index of the tenant; transactions by the time of the period."""
    for name, statement in _statements_of_a_tenant(PostgresDialect()).items():
        plan = await _plan_by_keys(store_of_one_busy_pool, statement)
        assert "Seq Scan" not in plan, (name, plan)
        conditions = _conditions(plan)
        assert all("tenant_id = " in each for each in conditions), (name, plan)
        if name.startswith("moved of"):
            assert any("id >= " in each and "id < " in each for each in conditions), plan


async def test_statements_of_a_tenant_on_sqlite_read_its_rows_alone(tmp_path: Path) -> None:
    """So they do on the embedded engine."""
    for name, statement in _statements_of_a_tenant(SqliteDialect()).items():
        plan = await _sqlite_plan(tmp_path, statement)
        assert not re.search("SCAN [tlp]$", plan, re.MULTILINE), (name, plan)
        if name.startswith("moved of"):
            assert re.search(r"SEARCH t .*\bid>\? AND id<\?\)", plan), (name, plan)


async def test_references_on_postgresql_are_found_by_their_index(
    filled: asyncpg.Connection,
) -> None:
    """What was made with an external reference is found by it."""
    await filled.execute("analyze")
    statement = transactions_referenced(PostgresDialect(), **REFERENCED)
    rows = await filled.fetch(f"explain {statement.sql}", *statement.parameters)
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan, plan
    assert "external_reference = " in "".join(_conditions(plan)), plan


async def test_references_on_sqlite_are_found_by_their_index(tmp_path: Path) -> None:
    """So it is on the embedded engine."""
    plan = await _sqlite_plan(tmp_path, transactions_referenced(SqliteDialect(), **REFERENCED))
    assert "(tenant_id=? AND external_reference=?" in plan
    assert not re.search("SCAN [tp]$", plan, re.MULTILINE), plan


def _searching(dialect: Dialect) -> list[Statement]:
    return [
        counts_of_words(1, ["ada", "lov"]),
        end_after(1, Place("ada")),
        people_after(dialect, 1, Place("ada"), Place("ada", "ada", _IDS[1]), ["lov"], limit=21),
        people_after(dialect, 1, Place("ada"), None, [], limit=21),
    ]


async def test_searches_on_postgresql_are_ranges_of_words(filled: asyncpg.Connection) -> None:
    """Words are counted and read along their key, in its order, and people by their ids."""
    await filled.execute("analyze")
    for statement in _searching(PostgresDialect()):
        rows = await filled.fetch(f"explain {statement.sql}", *statement.parameters)
        plan = "\n".join(row[0] for row in rows)
        assert re.search("pk_person_words|pk_people", plan), plan
        assert not re.search("Seq Scan|Sort", plan), plan


async def test_searches_on_sqlite_are_ranges_of_words(tmp_path: Path) -> None:
    """So it is on the embedded engine."""
    for statement in _searching(SqliteDialect()):
        plan = await _sqlite_plan(tmp_path, statement)
        assert not re.search("SCAN (person_words|w|p)$|TEMP B-TREE", plan, re.MULTILINE), plan


async def _sqlite_plan(folder: Path, statement: Statement) -> str:
    path = folder / "plans.db"
    if not path.exists():
        await migrate(f"sqlite:///{path}")
    with closing(connect(path)) as connection:
        rows = connection.execute(f"explain query plan {statement.sql}", statement.parameters)
        return "\n".join(str(row[3]) for row in rows)


@pytest.mark.parametrize("make", SPECS)
def test_indexed_fields_are_fields(make: Any) -> None:
    """Whatever is called indexed may be named in a filter."""
    spec = make(SqliteDialect())
    assert spec.indexed <= spec.fields.keys()
