"""The schema of a database: which revision it has, and how it gets the newest.

Alembic turns the numbered migrations into one script, and the drivers of the stores run it in one
transaction that no other migration can enter: applied as a whole, or not at all, and by one
process only, however many ask.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol

import apsw
import asyncpg

from benefit_programs.domain.store import StoreLocked
from benefit_programs.storage import postgres, sqlite
from benefit_programs.storage.connecting import connect
from benefit_programs.storage.distribution import (
    ONE_BY_ONE,
    CannotDistribute,
    distribute_tables,
    is_distributed,
)
from benefit_programs.storage.migrations.functions import register
from benefit_programs.storage.open_file import refuse_more_names
from benefit_programs.storage.planning import write_statistics
from benefit_programs.storage.tables import TABLES

MIGRATIONS = Path(__file__).parent / "migrations"

REVISIONS = tuple(f"{number:04}" for number in range(1, 13))
"""The revisions of the schema, the oldest first: what Alembic would read from the migrations.

A start that has nothing to migrate needn't load Alembic; a test holds the two together.
"""

SQLITE_PREFIX = "sqlite:///"
POSTGRES_PREFIXES = ("postgresql://", "postgres://")

MIGRATION_LOCK = 0x62656E6566697473
"""The key of the advisory lock on PostgreSQL that lets one migration run at a time."""

LOCK_SECONDS_MAX = 2
"""How long a migration waits for a table on PostgreSQL: whoever uses it then waits behind."""

LOCK_PAUSE_SECONDS = 1.0
"""How long it leaves the tables to others before it tries again."""

LOCK_ATTEMPTS_MAX = 20

_STATEMENT_END = ";\n\n"
"""What Alembic writes after each statement."""

_READ_REVISION = "select version_num from alembic_version"


class SchemaError(Exception):
    """The database has a schema that this version can't work with; the message says what to do."""


class VersionedStore(Protocol):
    async def fetch_quick(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


def sqlite_path(url: str) -> Path | None:
    """The file that a ``sqlite:///path`` URL names; nothing if it is a PostgreSQL URL.

    Raises ValueError for any other URL.
    """
    if url.startswith(SQLITE_PREFIX) and len(url) > len(SQLITE_PREFIX):
        return Path(url.removeprefix(SQLITE_PREFIX))
    if url.startswith(POSTGRES_PREFIXES):
        return None
    raise ValueError("a database URL begins with sqlite:/// or postgresql://")


def newest_revision() -> str:
    return REVISIONS[-1]


async def migrate(url: str) -> list[str]:
    """Bring the database to the newest revision, and list the revisions that were applied.

    A SQLite file is made if it isn't there. Raises SchemaError if the database was made by a
    newer version, StoreUnavailable if it can't be reached, StoreTimeout if it is busy for long.
    """
    path = sqlite_path(url)
    if path is not None:
        return await asyncio.to_thread(_migrate_sqlite, path)
    return await _migrate_postgres(url)


async def pending_revisions(url: str) -> list[str]:
    """The revisions that ``migrate`` would apply. Nothing is changed; raises what it raises."""
    return _newer_than(await current_revision(url))


async def migration_script(url: str) -> str:
    """The SQL that ``migrate`` would run, as one transaction; empty if there is nothing to do."""
    revision = await current_revision(url)
    if sqlite_path(url) is not None:
        applied, script = _write_script("sqlite", revision)
        return f"begin immediate;\n\n{script}commit;\n" if applied else ""
    applied, script = _write_script("postgresql", revision)
    if not applied:
        return ""
    with postgres.translated_errors():
        connection = await connect(url)
        try:
            locks = await _locks_for(connection, script)
        finally:
            await connection.close()
    before = [_TAKE_TURN.replace("$1", str(MIGRATION_LOCK)), *_LIMITS, *locks]
    return "".join(
        f"{each}{_STATEMENT_END}" for each in ("begin", *before, *_statements(script), "commit")
    )


async def distribute(url: str) -> list[str]:
    """Distribute the tables of tenants over a Citus cluster; list those that weren't before.

    All of them are distributed, or none is. Nobody can write meanwhile. Raises SchemaError if the
    schema isn't the newest, CannotDistribute, and what ``migrate`` raises.
    """
    if sqlite_path(url) is not None:
        raise CannotDistribute("A SQLite file can't be distributed: use a Citus cluster.")
    with postgres.translated_errors():
        connection = await connect(url)
        try:
            async with connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
                _require_newest(await _postgres_revision(connection))
                return await distribute_tables(connection)
        finally:
            await connection.close()


async def current_revision(url: str) -> str | None:
    """The revision that a database has; nothing if it has no schema, or isn't there yet."""
    path = sqlite_path(url)
    if path is not None:
        return await asyncio.to_thread(_sqlite_revision, path)
    with postgres.translated_errors():
        connection = await connect(url)
        try:
            return await _postgres_revision(connection)
        finally:
            await connection.close()


async def require_current_schema(store: VersionedStore) -> None:
    """Raise SchemaError unless the store's schema is the one that this version works with."""
    try:
        rows = await store.fetch_quick(_READ_REVISION, ())
    except (apsw.SQLError, asyncpg.UndefinedTableError):
        rows = []
    _require_newest(rows[0][0] if rows else None)


def _require_newest(revision: str | None) -> None:
    refuse_unknown(revision)
    if revision is None:
        raise SchemaError("The database has no schema yet: run `benefits migrate`.")
    if revision != newest_revision():
        raise SchemaError(
            f"The database has revision {revision} of the schema, and this version works with "
            f"{newest_revision()}: run `benefits migrate`."
        )


def _migrate_sqlite(path: Path) -> list[str]:
    refuse_more_names(path)
    with sqlite.translated_errors(), closing(sqlite.connect(path)) as connection:
        connection.execute("begin immediate")
        try:
            revision = _revision_in_file(connection)
            applied, script = _write_script("sqlite", revision)
            register(connection)
            connection.execute(script).fetchall()
            if applied:
                write_statistics(connection)
            connection.execute("commit")
        finally:
            if connection.in_transaction:
                connection.execute("rollback")
        return applied


async def _migrate_postgres(url: str) -> list[str]:
    with postgres.translated_errors():
        connection = await connect(url)
        try:
            for _ in range(LOCK_ATTEMPTS_MAX):
                with suppress(asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                    return await _migrate_once(connection)
                await asyncio.sleep(LOCK_PAUSE_SECONDS)
            raise StoreLocked(_IN_USE)
        finally:
            await connection.close()


async def _migrate_once(connection: Any) -> list[str]:
    """Migrate in one transaction, with everything locked first that is changed.

    Servers of the version before may be at work. Whoever holds one table and waits for another
    that a migration holds would else stop both.
    """
    async with connection.transaction():
        await connection.execute(_TAKE_TURN, MIGRATION_LOCK)
        revision = await _postgres_revision(connection)
        applied, script = _write_script("postgresql", revision)
        if applied:
            for each in _LIMITS:
                await connection.execute(each)
            if not await is_distributed(connection):
                for each in await _locks_for(connection, script):
                    await connection.execute(each)
            await _apply(connection, script)
        return applied


_IN_USE = (
    f"Tables stay in use: {LOCK_ATTEMPTS_MAX} attempts got none, and nothing was changed. "
    "End long transactions, such as those of pg_dump, and try again."
)
_TAKE_TURN = "select pg_advisory_xact_lock($1)"
_LIMITS = (
    f"set local lock_timeout = '{LOCK_SECONDS_MAX}s'",
    # A role or a database may have one that is meant for requests.
    "set local statement_timeout = 0",
)
_EXISTING = """
select relname from pg_class
where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname = any($1::text[])
"""


async def _locks_for(connection: Any, script: str) -> list[str]:
    """What locks the tables that a script names and that are there, in the order of the stores."""
    names = [table.name for table in TABLES.values() if re.search(rf"\b{table.name}\b", script)]
    there = {name for (name,) in await connection.fetch(_EXISTING, names)}
    tables = ", ".join(name for name in names if name in there)
    return [f"lock table {tables} in access exclusive mode"] if tables else []


def _statements(script: str) -> list[str]:
    return [each.strip() for each in script.split(_STATEMENT_END) if each.strip()]


async def _apply(connection: Any, script: str) -> None:
    """Run a script of migrations; what is new in a distributed database is distributed too."""
    if not await is_distributed(connection):
        await connection.execute(script)
        return
    # A node is sent the whole text of which a statement is a part, and takes one at a time.
    await connection.execute(ONE_BY_ONE)
    for statement in _statements(script):
        await connection.execute(statement)
    await distribute_tables(connection)


def _sqlite_revision(path: Path) -> str | None:
    if not path.exists():
        return None
    with sqlite.translated_errors(), closing(sqlite.connect(path, read_only=True)) as connection:
        return _revision_in_file(connection)


def _revision_in_file(connection: apsw.Connection) -> str | None:
    known = "select 1 from sqlite_master where name = 'alembic_version'"
    if not connection.execute(known).fetchall():
        return None
    return next((version for (version,) in connection.execute(_READ_REVISION)), None)


async def _postgres_revision(connection: Any) -> str | None:
    if await connection.fetchval("select to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await connection.fetchval(_READ_REVISION)
    return revision


def _write_script(dialect_name: str, revision: str | None) -> tuple[list[str], str]:
    """The revisions that follow the given one, oldest first, and the SQL that applies them."""
    newer = _newer_than(revision)
    return newer, _alembic_script(dialect_name, revision) if newer else ""


def _newer_than(revision: str | None) -> list[str]:
    refuse_unknown(revision)
    return list(REVISIONS[REVISIONS.index(revision) + 1 :] if revision else REVISIONS)


def _alembic_script(dialect_name: str, revision: str | None) -> str:
    from alembic.config import Config  # noqa: PLC0415 - only a migration needs to load it
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts, buffer = ScriptDirectory(MIGRATIONS), io.StringIO()
    config = Config(attributes={"dialect_name": dialect_name, "script": buffer})

    def upgrade(from_revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", from_revision)  # noqa: SLF001 - as Alembic's own commands

    environment = EnvironmentContext(
        config, scripts, fn=upgrade, as_sql=True, starting_rev=revision, destination_rev="head"
    )
    with environment:
        scripts.run_env()
    return buffer.getvalue()


def refuse_unknown(revision: str | None) -> None:
    """Raise SchemaError for a revision that this version has never heard of."""
    if revision is not None and revision not in REVISIONS:
        raise SchemaError(
            f"The database has revision {revision} of the schema, which a newer version made; "
            f"this one works with {newest_revision()}: install the newer version."
        )
