"""All migrations together make the schema that the tables describe, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite

from benefit_programs.cli.failures import line_of
from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage import schema
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.schema import (
    SchemaError,
    current_revision,
    migrate,
    newest_revision,
    require_current_schema,
)
from benefit_programs.storage.sqlite import SqliteStore, connect
from benefit_programs.storage.tables import EVENT_POSITIONS
from tests.support.described_tables import described
from tests.support.old_postgres import old_postgres

pytestmark = pytest.mark.anyio

Facts = set[tuple[Any, ...]]

POSTGRES_FACTS = (
    """
    select 'column', c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, l.collname, pg_get_expr(d.adbin, d.adrelid)
    from pg_attribute a join pg_class c on c.oid = a.attrelid
        left join pg_collation l on l.oid = a.attcollation
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0
    """,
    "select 'index', tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    """
    select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
    """,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name an empty database of each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'benefits.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def facts_of_file(path: Path) -> Facts:
    """Columns, keys, checks and indexes of a SQLite file, with how they were written."""
    with closing(connect(path)) as connection:
        objects = connection.execute(
            "select type, tbl_name, name, sql from sqlite_master where name <> 'alembic_version'"
            " and tbl_name <> 'alembic_version' and tbl_name not like 'sqlite_stat%'"
        ).fetchall()
        facts: Facts = {(kind, table, name, words(sql)) for kind, table, name, sql in objects}
        for kind, table, name, _ in objects:
            pragma = "table_xinfo" if kind == "table" else "index_xinfo"
            facts |= {(pragma, table, name, *row) for row in connection.pragma(pragma, name) or ()}
    return facts


def words(sql: str | None) -> str | None:
    """A statement without its line breaks; clauses of a table in one order."""
    return None if sql is None else ",".join(sorted(" ".join(sql.split()).split(", ")))


async def facts_of_database(url: str) -> Facts:
    """The same of a PostgreSQL database, from its catalog."""
    async with connected(url) as connection:
        rows = [tuple(row) for sql in POSTGRES_FACTS for row in await connection.fetch(sql)]
    return {row for row in rows if row[1] != "alembic_version"}


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqliteStore | PostgresStore]:
    store: SqliteStore | PostgresStore
    if url.startswith("sqlite"):
        store = SqliteStore(Path(url.removeprefix("sqlite:///")))
    else:
        store = await PostgresStore.open(url, connections_max=1)
    try:
        yield store
    finally:
        await store.close()


async def test_migrations_make_the_described_file(tmp_path: Path) -> None:
    """On SQLite, tables made from their description equal those that migrations make."""
    migrated, fresh = tmp_path / "migrated", tmp_path / "fresh"
    await migrate(f"sqlite:///{migrated}")
    with closing(connect(fresh)) as connection:
        for statement in described(sqlite.dialect()):
            connection.execute(statement)
    assert facts_of_file(fresh) == facts_of_file(migrated)


async def test_migrations_make_the_described_database(postgres_server: Any) -> None:
    """On PostgreSQL, tables made from their description equal those that migrations make."""
    migrated, fresh = postgres_server.create_database(), postgres_server.create_database()
    await migrate(migrated)
    async with connected(fresh) as connection:
        await connection.execute(f"create sequence {EVENT_POSITIONS}")
        for statement in described(postgresql.dialect()):
            await connection.execute(statement)
    expected = await facts_of_database(fresh)
    assert len(expected) > 100
    assert expected == await facts_of_database(migrated)


async def test_migrations_run_once(database_url: str) -> None:
    """The first migration applies everything, the second nothing."""
    assert await current_revision(database_url) is None
    assert (await migrate(database_url))[-1] == newest_revision()
    assert await migrate(database_url) == []
    assert await current_revision(database_url) == newest_revision()


async def test_migrations_at_once_run_once(database_url: str) -> None:
    """Of several migrations at the same time one applies everything, the others nothing."""
    applied = await asyncio.gather(*(migrate(database_url) for _ in range(4)))
    assert sorted(map(len, applied))[:3] == [0, 0, 0]
    assert max(applied, key=len)[-1] == newest_revision()


async def test_empty_database_is_refused(database_url: str) -> None:
    """A store without a schema is refused, with the command that makes one."""
    async with opened(database_url) as store:
        with pytest.raises(SchemaError, match="run `benefits migrate`"):
            await require_current_schema(store)
        await migrate(database_url)
        await require_current_schema(store)


async def test_newer_database_is_refused(database_url: str) -> None:
    """A schema from a newer version is neither served nor touched."""
    await migrate(database_url)
    async with opened(database_url) as store:
        await store.execute("update alembic_version set version_num = $1", ("9999",))
        with pytest.raises(SchemaError, match="revision 9999"):
            await require_current_schema(store)
    with pytest.raises(SchemaError, match="install the newer version"):
        await migrate(database_url)
    assert await current_revision(database_url) == "9999"


async def test_unreachable_database_is_told() -> None:
    """A server that doesn't answer is no crash but StoreUnavailable, which names it."""
    with pytest.raises(StoreUnavailable, match=r"^127\.0\.0\.1:1: "):
        await migrate("postgresql://user:hush@127.0.0.1:1/none")


@pytest.mark.parametrize("use", [migrate, current_revision, PostgresStore.open])
async def test_old_server_is_refused(use: Callable[[str], Awaitable[object]]) -> None:
    """A server older than the oldest supported is neither migrated nor served, in one line."""
    old = old_postgres("14.12 (Debian 14.12-1)")
    with old as url, pytest.raises(StoreUnavailable) as refused:
        await use(url)
    told = "The database can't be used: it is PostgreSQL 14.12, and the oldest supported is 15"
    assert told == line_of(refused.value)


@pytest.mark.parametrize("url", ["postgresql://user:hush#@db/x", "postgresql://[::1/x?hush"])
@pytest.mark.parametrize("use", [migrate, PostgresStore.open])
async def test_unreadable_url_is_told(use: Callable[[str], Awaitable[object]], url: str) -> None:
    """What the driver can't read is no crash either, and nothing of it is repeated."""
    with pytest.raises(StoreUnavailable, match=r"^its URL can't be read$"):
        await use(url)


async def test_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """A file with something else in it is refused and stays as it is."""
    path = tmp_path / "benefits.sqlite3"
    path.write_text("This is a letter, and no database. " * 100)
    with pytest.raises(StoreUnavailable):
        await migrate(f"sqlite:///{path}")
    assert path.read_text().startswith("This is a letter")


def test_revisions_are_those_of_the_migrations() -> None:
    """A start that loads no Alembic knows the same revisions as the migrations themselves."""
    scripts = ScriptDirectory(schema.MIGRATIONS)
    walked = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(walked)) == schema.REVISIONS


async def test_a_new_file_is_for_its_user_alone(tmp_path: Path) -> None:
    """Nobody else reads the secrets in it, or in its log; a file that is there keeps its rights."""
    path = tmp_path / "new.sqlite3"
    await migrate(f"sqlite:///{path}")
    store = SqliteStore(path)
    assert {
        each.name: each.stat().st_mode & 0o777 for each in tmp_path.glob("new.sqlite3*")
    } == dict.fromkeys(
        ("new.sqlite3", "new.sqlite3-wal", "new.sqlite3-shm", "new.sqlite3.lock"), 384
    )
    await store.close()
    path.chmod(0o640)
    await SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o640
