"""The production store: PostgreSQL, shared by several servers and workers.

A batch is one READ COMMITTED transaction (``postgres_batches``). What was read beside the locks may
be older than the locks by the time that they were waited for, so whatever must hold across
processes is held by a unique key as well; the database then refuses the batch, and its commands run
again one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import asyncpg

from benefit_programs.domain.indexes import Index, Key, KeysByIndex
from benefit_programs.domain.rows import Row
from benefit_programs.domain.store import (
    BATCH_SIZE_MAX,
    BatchRun,
    NodeUnavailable,
    StatementUnsupported,
    StoreConflict,
    StoreLocked,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.storage import statements
from benefit_programs.storage.connecting import (
    create_pool,
    require_setting,
    require_version,
    set_local,
    told_failures,
    told_pooler,
)
from benefit_programs.storage.distribution import has_citus
from benefit_programs.storage.gathering import GatheredLookUps
from benefit_programs.storage.hosts import Hosts
from benefit_programs.storage.outage import Outage
from benefit_programs.storage.postgres_batches import (
    SYSTEM,
    UNCONFIRMED,
    Batch,
    UnheldBatch,
    can_be_unheld,
    read,
    run_held,
)
from benefit_programs.storage.query import Dialect, PostgresDialect
from benefit_programs.storage.rows import statement_on
from benefit_programs.tracing import recorded, statement

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)

CONNECTIONS_MAX = 10
"""Of each kind: for batches and look-ups, and for queries."""

LOOK_UP_CONNECTIONS_MIN = 2
"""How many of those for batches and look-ups are left to look-ups."""

PATIENT_BATCHES_MAX = 2
"""How many batches wait side by side for rows that somebody else has locked."""

LOCK_SECONDS_MAX = 5
LOCK_MILLISECONDS_OF_BATCH_MAX = 200
"""How long a batch waits for a lock before those who need it wait apart from the others."""

STATEMENT_SECONDS_MAX = 10
_CASEFOLD_SINCE = 18

_LOST_CLASSES = frozenset({"28", "3D", "53", "58"})
_LOST_STATES = frozenset({"25006", "25P03"})
"""What a server answers to writes that was made a standby, and when it ends an idle transaction."""

_TOO_MANY_CONNECTIONS = "53300"
_DRIVER_LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresStore:
    """A store on a PostgreSQL database that ``benefits migrate`` has prepared."""

    def __init__(
        self,
        keyed: asyncpg.Pool[Any],
        queries: asyncpg.Pool[Any],
        dialect: Dialect,
        local_settings: dict[asyncpg.Pool[Any], list[str]],
        *,
        statement_seconds: float = STATEMENT_SECONDS_MAX,
        outage: Outage | None = None,
        may_be_unheld: bool = True,
    ) -> None:
        others = LOOK_UP_CONNECTIONS_MIN + PATIENT_BATCHES_MAX
        self.batches_max = max(1, keyed.get_max_size() - others)
        self.patient_batches_max = PATIENT_BATCHES_MAX
        self.batch_size_max = BATCH_SIZE_MAX
        self._keyed = keyed
        self._queries = queries
        # Behind a pooler: what each transaction on connections of a pool begins with.
        self._local_settings = local_settings
        # A pooler's connections get no settings of ours outside of transactions.
        self._may_be_unheld = may_be_unheld and not local_settings
        self._for_one = self._transaction if local_settings else self._connection
        self._statement_seconds = statement_seconds
        self._outage = outage or Outage()
        self.on_commit: Callable[[float], object] = _ignore
        """Called with the seconds of each batch's commit, after it."""

        self._look_ups = GatheredLookUps(self._look_up)
        self.dialect = dialect

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        connections_max: int = CONNECTIONS_MAX,
        statement_seconds: float = STATEMENT_SECONDS_MAX,
        has_pooler: bool = False,
        prepare: Callable[[Any], Awaitable[None]] | None = None,
        outage: Outage | None = None,
    ) -> PostgresStore:
        """Connect. Raises StoreUnavailable if the server doesn't answer, refuses, or is too old.

        ``prepare`` gets each new connection, and may refuse it. ``outage`` tells the log when the
        server is away.
        """
        settings = _SETTINGS | {"statement_timeout": f"{statement_seconds * 1000:.0f}ms"}
        keyed_settings = settings | _KEYED_SETTINGS
        async with AsyncExitStack() as opened:
            told = nullcontext() if has_pooler else told_pooler()
            with translated_errors(), told_failures(url), told:
                pool = partial(
                    create_pool, Hosts(url), connections_max, has_pooler=has_pooler, prepare=prepare
                )
                keyed = await opened.enter_async_context(pool(keyed_settings))
                queries = await opened.enter_async_context(pool(settings))
                await opened.enter_async_context(queries)
                async with keyed.acquire() as connection:
                    version = require_version(connection)
                    is_cluster = await has_citus(connection)
                    if not has_pooler:
                        await require_setting(connection, "plan_cache_mode", keyed_settings)
            opened.pop_all()
        dialect = PostgresDialect(has_casefold=version >= _CASEFOLD_SINCE)
        local_settings = {keyed: set_local(keyed_settings), queries: set_local(settings)}
        return cls(
            keyed,
            queries,
            dialect,
            local_settings if has_pooler else {},
            statement_seconds=statement_seconds,
            outage=outage,
            # A shard's row has no version that its coordinator could ask for.
            may_be_unheld=not is_cluster,
        )

    async def run(
        self,
        tenant_id: int,
        steps: BatchRun[Answer],
        *,
        patient: bool = False,
        unheld: bool = False,
    ) -> Answer:
        """Run a batch in one transaction, or read first and write what is still as it was read."""
        batch = Batch(tenant_id, steps)
        if unheld and self._may_be_unheld and can_be_unheld(batch.step):
            return await self._run_unheld(batch)
        more = (_PATIENTLY,) if patient else ()
        async with self._transaction(self._keyed, *more, on_commit=self.on_commit) as connection:
            return await run_held(batch, connection)

    async def _run_unheld(self, batch: Batch[Answer]) -> Answer:
        async with self._connection(self._keyed) as connection:
            unheld = UnheldBatch(batch, connection, seconds_max=self._statement_seconds)
            if await unheld.run():
                if unheld.commit_seconds is not None:
                    loop = asyncio.get_running_loop()
                    loop.call_soon(self.on_commit, unheld.commit_seconds)
                return batch.answer
            async with self._begun(connection, self._keyed, on_commit=self.on_commit):
                await unheld.hold()
                return await run_held(batch, connection)

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with statement("query", SYSTEM):
            async with self._for_one(self._queries) as connection:
                return [tuple(record) for record in await connection.fetch(sql, *parameters)]

    async def fetch_quick(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a look-up by key."""
        with statement("look up", SYSTEM):
            async with self._for_one(self._keyed) as connection:
                return [tuple(record) for record in await connection.fetch(sql, *parameters)]

    async def fetch_together(
        self,
        statements: Sequence[tuple[str, Sequence[Any]]],
        *,
        seconds_max: float | None = None,
    ) -> list[list[tuple[Any, ...]]]:
        """The rows of several reads, which see the same commits, however long they take.

        Joins go along indexes from row to row, whatever is known of the tables. With
        ``seconds_max`` they are refused with StoreTimeout if one of them takes longer.
        """
        with statement("query", SYSTEM):
            return await self._fetch_together(statements, seconds_max)

    async def _fetch_together(
        self, statements: Sequence[tuple[str, Sequence[Any]]], seconds_max: float | None
    ) -> list[list[tuple[Any, ...]]]:
        async with (
            self._connection(self._queries) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            limit = 0 if seconds_max is None else seconds_max
            settings = [
                *self._local_settings.get(self._queries, ()),
                *_PATIENTLY_BY_KEYS,
                f"set local statement_timeout = '{limit}s'",
            ]
            await connection.execute("; ".join(settings))
            return [
                [tuple(record) for record in await connection.fetch(sql, *parameters)]
                for sql, parameters in statements
            ]

    def look_up(
        self, tenant_id: int, index: Index[R], keys: Iterable[Key]
    ) -> Coroutine[Any, Any, list[R]]:
        """The rows that an index has under these keys."""
        found = self._look_ups.look_up(tenant_id, index, tuple(keys))
        return found if recorded() is None else _told_look_up(found, index)

    async def look_up_all(self, tenant_id: int, wanted: KeysByIndex) -> dict[Index[Any], list[Any]]:
        """The rows of several indexes, looked up at the same time."""
        if len(wanted) == 1:
            ((index, keys),) = wanted.items()
            return {index: await self.look_up(tenant_id, index, keys)}
        with statement_on(wanted, "look up", SYSTEM):
            begun = [
                self._look_ups.begin(tenant_id, index, tuple(keys))
                for index, keys in wanted.items()
            ]
            return dict(zip(wanted, await asyncio.gather(*begun), strict=True))

    async def _look_up(self, tenant_id: int, index: Index[R], keys: Sequence[Key]) -> list[R]:
        async with self._for_one(self._keyed) as connection:
            return await read(connection, tenant_id, index, keys)

    async def count(self, tenant_id: int, index: Index[Any], key: Key) -> int:
        """How many rows a walk has before it."""
        rows = await self.fetch(statements.postgres_count(index), (tenant_id, *key))
        return int(rows[0][0])

    async def next_id(self, tenant_id: int, index: Index[Any], key: Key) -> str | None:
        """The id that a walk comes to next, whether or not its row can be read."""
        rows = await self.fetch(statements.postgres_next(index), (tenant_id, *key))
        return rows[0][0] if rows else None

    async def execute(
        self,
        sql: str,
        parameters: Sequence[Any],
        *,
        then: Sequence[tuple[str, Sequence[Any]]] = (),
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; the rows are those that it returns.

        If there are any, ``then`` comes behind it in the same transaction.
        """
        # Beside the batches, whose locks are soon given up.
        async with self._transaction(self._queries) as connection:
            rows = [tuple(record) for record in await connection.fetch(sql, *parameters)]
            for statement, values in then if rows else ():
                await connection.execute(statement, *values)
            return rows

    async def probe(self) -> None:
        """Raise StoreUnavailable if nothing can be written.

        A server whose disk is full goes down by itself; a standby and a read-only database don't.
        """
        sql = "select current_setting('transaction_read_only')"
        if await self.fetch_quick(sql, ()) == [("on",)]:
            await self._look_elsewhere()
            raise StoreUnavailable("the database is read-only, or a standby")

    def connections(self) -> list[tuple[str, int, int]]:
        """The pools: name, connections in use, connections at rest."""
        pools = {"keyed": self._keyed, "queries": self._queries}
        return [
            (name, pool.get_size() - pool.get_idle_size(), pool.get_idle_size())
            for name, pool in pools.items()
        ]

    @asynccontextmanager
    async def _connection(self, pool: asyncpg.Pool[Any]) -> AsyncIterator[Any]:
        connection = None
        try:
            with translated_errors():
                async with pool.acquire() as connection:
                    try:
                        if pool is self._keyed and connection.has_old_plans():
                            await connection.execute("discard plans")
                        yield connection
                    except asyncpg.ReadOnlySQLTransactionError:
                        await self._look_elsewhere()
                        raise
                    except Exception as error:
                        if _is_told(error) or not _is_lost(connection):
                            raise
                        raise StoreUnavailable("the connection was lost") from error
        except StoreUnavailable as error:
            if connection is None and not _is_full(error):
                self._outage.begin(str(error))
            raise
        self._outage.end()

    @asynccontextmanager
    async def _transaction(
        self,
        pool: asyncpg.Pool[Any],
        *settings: str,
        on_commit: Callable[[float], object] | None = None,
    ) -> AsyncIterator[Any]:
        """A transaction, which is durable at the end. Raises as ``_connection``.

        Also if a standby that commits wait for says nothing. If the server ended that wait, it
        would call the commit done; so no limit of the server holds for it, only ours.
        """
        async with (
            self._connection(pool) as connection,
            self._begun(connection, pool, *settings, on_commit=on_commit),
        ):
            yield connection

    @asynccontextmanager
    async def _begun(
        self,
        connection: Any,
        pool: asyncpg.Pool[Any],
        *settings: str,
        on_commit: Callable[[float], object] | None = None,
    ) -> AsyncIterator[None]:
        begin = ("begin", *self._local_settings.get(pool, ()), *settings)
        await connection.execute("; ".join(begin))
        try:
            yield
            started = perf_counter()
            with statement("commit", SYSTEM):
                await self._commit(connection)
        except BaseException:
            if not connection.is_closed() and connection.is_in_transaction():
                await connection.execute("rollback")
            raise
        if on_commit is not None:
            asyncio.get_running_loop().call_soon(on_commit, perf_counter() - started)

    async def _commit(self, connection: Any) -> None:
        try:
            await connection.execute(_COMMIT, timeout=self._statement_seconds)
        except TimeoutError:
            raise StoreUnavailable(UNCONFIRMED) from None

    async def _look_elsewhere(self) -> None:
        """Use no connection again to a server that takes no writes any more."""
        await self._keyed.expire_connections()
        await self._queries.expire_connections()

    async def close(self) -> None:
        """Close the connections, those in use when they are free."""
        await self._keyed.close()
        await self._queries.close()

    def abandon(self) -> None:
        """Drop all connections at once, whoever uses them."""
        self._keyed.terminate()
        self._queries.terminate()


_SETTINGS = {
    "lock_timeout": f"{LOCK_SECONDS_MAX}s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    # A plan that was made when a table was small must not outlive its growth.
    "plan_cache_mode": "force_custom_plan",
}

_KEYED_SETTINGS = {
    # Planning would take longer than the statement; see ``PLAN_SECONDS_MAX``.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "lock_timeout": f"{LOCK_MILLISECONDS_OF_BATCH_MAX}ms",
}
"""Batches and look-ups go by keys alone, and wait for no lock for long."""

_PATIENTLY_BY_KEYS = set_local(
    {
        "work_mem": "64MB",
        "enable_seqscan": "off",
        "enable_bitmapscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_material": "off",
        "max_parallel_workers_per_gather": "0",
    }
)
"""Else, where nobody has analyzed a table, joining a page of it would read all of another one."""

_PATIENTLY = f"set local lock_timeout = '{LOCK_SECONDS_MAX}s'"
_COMMIT = "set local statement_timeout = 0; commit"


def _ignore(_: object) -> None:
    """Nobody wants to know."""


def _is_told(error: Exception) -> bool:
    """Whether the server or the store itself says what is wrong."""
    return isinstance(error, asyncpg.PostgresError | StoreConflict | StoreTimeout)


def _is_full(error: StoreUnavailable) -> bool:
    """Whether the server is there and has no connection to give; others may have theirs."""
    return getattr(error.__cause__, "sqlstate", None) == _TOO_MANY_CONNECTIONS


def _is_lost(connection: Any) -> bool:
    """Whether there is no connection any more; then the driver fails in any way."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True  # The pool has taken it back.


async def _told_look_up(found: Awaitable[list[R]], index: Index[R]) -> list[R]:
    with statement_on((index,), "look up", SYSTEM):
        return await found


@contextmanager
def translated_errors() -> Iterator[None]:
    """Driver errors, recognised by SQLSTATE, as the store's own."""
    try:
        yield
    except Exception as error:
        state = getattr(error, "sqlstate", None) or ""
        if state[:2] in {"23", "40"}:
            raise StoreConflict(str(error)) from error
        if state == "55P03":
            raise StoreLocked(str(error)) from error
        if state == "57014":
            raise StoreTimeout(str(error)) from error
        if state == "0A000":
            raise StatementUnsupported(str(error)) from error
        is_down = state[:2] == "08" or state[:3] == "57P"
        if is_down and getattr(error, "severity", None) == "ERROR":
            # Our own connection stands: a node of a cluster couldn't be reached from there.
            raise NodeUnavailable(str(error)) from error
        lost = is_down or state[:2] in _LOST_CLASSES or state in _LOST_STATES
        if lost or isinstance(error, _DRIVER_LOST):
            raise StoreUnavailable(str(error) or type(error).__name__) from error
        raise
