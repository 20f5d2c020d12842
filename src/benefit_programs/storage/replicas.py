"""Replicas: standby servers of PostgreSQL that answer reads (ADR 38).

A position says how far the log of the database has come. It is a text: eight hexadecimal digits of
the timeline, then sixteen of the place in its log. A later position sorts after an earlier one. A
replica may answer whoever holds a position as soon as it has replayed the log up to there.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage.outage import Outage
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.reader import Reader

T = TypeVar("T")

WAIT_SECONDS_MAX = 0.05
"""How long a read waits for its replica to come as far as its caller; then the primary answers."""

LOOK_SECONDS = 0.004
"""How often a replica is asked how far it is while reads wait for it."""

REST_SECONDS = 0.25
"""The same while none waits: so it is known soon that a replica is away."""

SILENT_SECONDS_MAX = 2.0
"""How long a replica may be silent; then it is away."""

RETRY_SECONDS = 2.0
"""After how long a replica that is away is tried again."""

POSITION_SECONDS_MAX = 1.0
"""How long the primary has to say its position."""

TENANTS_WRITTEN_MAX = 10_000
"""Of how many tenants a process remembers the last write."""

PRIMARY = "primary"
"""What stands for a position that isn't known. It sorts after all: no replica comes as far."""

_POSITION = re.compile(r"[0-9A-F]{24}")

_ASK_PRIMARY = """
select substr(pg_walfile_name(w.place), 1, 8), w.place - '0/0'::pg_lsn from (
    -- A commit that doesn't wait for the disk may not be written yet.
    select case current_setting('synchronous_commit')
        when 'off' then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end as place
) w
"""

_ASK_SERVER = """
select s.system_identifier, current_database(), pg_is_in_recovery(),
    cast(pg_postmaster_start_time() as text)
from pg_control_system() s
"""

# The timelines are those of the last restart point and of the last page that was written: a replica
# that has changed its primary may seem to be on the old timeline for some minutes, never the other
# way round.
_ASK_REPLICA = """
select to_hex(greatest(c.timeline_id, r.min_recovery_end_timeline)),
    coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)
from pg_control_checkpoint() c, pg_control_recovery() r
"""


def is_position(text: str) -> bool:
    """Whether a text is one that a primary may have told; ``PRIMARY`` isn't."""
    return _POSITION.fullmatch(text) is not None


class _Server(NamedTuple):
    """Which server answers, and what it has."""

    system: int
    database: str
    is_standby: bool
    started: str


class Replica:
    """One standby server. It is connected to in the background, again and again if it is away."""

    def __init__(self, url: str, primary: _Server, *, like: Reader) -> None:
        self.name = urlsplit(url).netloc.rpartition("@")[2]
        self.reader: Reader | None = None
        """What reads from it; None while it is away."""

        self._url = url
        self._primary = primary
        self._like = like
        self._outage = Outage(f"the replica {self.name}")
        self._server: _Server | None = None
        self._store: PostgresStore | None = None
        self._reached = ""
        self._limits: set[asyncio.Timeout] = set()
        self._waiting: dict[asyncio.Future[None], str] = {}
        self._asked = asyncio.Event()
        self._failure: Exception | None = None

    async def reaches(self, position: str) -> bool:
        """Whether it has come as far as a position, or comes there within a moment."""
        if self.reader is None or position == PRIMARY:
            return False
        if self._reached >= position:
            return True
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[arrived] = position
        self._asked.set()
        try:
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                await arrived
        except TimeoutError:
            return False
        finally:
            del self._waiting[arrived]
        return self.reader is not None

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """For the time of a read. Raises TimeoutError as soon as the replica is away."""
        async with asyncio.timeout(None) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    def fail(self, error: Exception) -> None:
        """Take it for away, as a read found out."""
        self._failure = error
        self._asked.set()

    async def follow(self) -> None:
        """Keep connected, and know how far it is, for ever."""
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - whatever it is, the primary answers
                self._outage.begin(str(error) or type(error).__name__)
            finally:
                self._leave()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        self._failure = self._server = None
        store = await PostgresStore.open(self._url, prepare=self._require_same, outage=self._outage)
        self._store = store
        while self._failure is None:
            rows = await _answer(store.fetch_quick(_ASK_REPLICA, ()), SILENT_SECONDS_MAX)
            self._arrive(_as_position(*rows[0]))
            if self.reader is None:
                self.reader = self._like.on(store)
                self._outage.end()
            await self._rest()
        raise self._failure

    async def _rest(self) -> None:
        if self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            return
        self._asked.clear()
        try:
            async with asyncio.timeout(REST_SECONDS):
                await self._asked.wait()
        except TimeoutError:
            """Nobody has come."""

    def _arrive(self, reached: str) -> None:
        self._reached = reached
        for arrived, position in self._waiting.items():
            if position <= reached and not arrived.done():
                arrived.set_result(None)

    def _leave(self) -> None:
        """Let nobody read from it any more, and let those who do ask the primary."""
        self.reader, self._reached = None, ""
        now = asyncio.get_running_loop().time()
        while self._limits:
            self._limits.pop().reschedule(now)
        for arrived in self._waiting:
            if not arrived.done():
                arrived.set_result(None)
        if self._store is not None:
            self._store.abandon()
            self._store = None

    async def _require_same(self, connection: Any) -> None:
        """Refuse a connection to anything but the one standby: how far another is, nobody knows."""
        server = _Server(*await connection.fetchrow(_ASK_SERVER))
        if (server.system, server.database) != (self._primary.system, self._primary.database):
            raise StoreUnavailable("it holds another database")
        if not server.is_standby:
            raise StoreUnavailable("it is no standby")
        if self._server not in (None, server):
            raise StoreUnavailable("its address leads to several servers")
        self._server = server


class Replicas:
    """The replicas of a database, and what its primary tells for them."""

    def __init__(
        self, primary: PostgresStore, replicas: Sequence[Replica], *, earliest: str
    ) -> None:
        self.all = tuple(replicas)
        self._primary = primary
        self._earliest = earliest
        """What everybody must see: the schema, and the last writes of forgotten tenants."""

        self._written: OrderedDict[int, str] = OrderedDict()
        self._asking: asyncio.Task[str] | None = None
        self._next: asyncio.Task[str] | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, primary: PostgresStore, urls: Sequence[str], *, like: Reader
    ) -> AsyncIterator[Replicas]:
        """Follow the replicas, also those that are away now. Raises StoreUnavailable.

        ``like`` is what reads from the primary.
        """
        (row,) = await primary.fetch_quick(_ASK_SERVER, ())
        server = _Server(*row)
        async with AsyncExitStack() as stack:
            replicas = [Replica(url, server, like=like) for url in urls]
            for each in replicas:
                task = asyncio.create_task(each.follow())
                stack.push_async_callback(_cancel, task)
            yield cls(primary, replicas, earliest=await _position_of(primary))

    async def position(self) -> str:
        """Where the log of the primary is now, after all that was committed before.

        Those who come while the primary is asked share the next question.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._ask(self._asking))
        return await asyncio.shield(self._next)

    async def _ask(self, before: asyncio.Task[str] | None) -> str:
        if before is not None:
            await asyncio.wait((before,))
        self._asking, self._next = self._next, None
        try:
            return await _answer(_position_of(self._primary), POSITION_SECONDS_MAX)
        except Exception:  # noqa: BLE001 - what was done is done, and its caller hears of it
            return PRIMARY

    def wrote(self, tenant_id: int, position: str) -> None:
        """Remember that a write of a tenant was answered here."""
        before = self._written.get(tenant_id, "")
        self._written[tenant_id] = position if before == PRIMARY else max(before, position)
        self._written.move_to_end(tenant_id)
        if len(self._written) > TENANTS_WRITTEN_MAX and position != PRIMARY:
            _, forgotten = self._written.popitem(last=False)
            # This write is later than any that is forgotten.
            later = position if forgotten == PRIMARY else forgotten
            self._earliest = max(self._earliest, later)

    def required(self, tenant_id: int, position: str) -> str:
        """How far a replica must be for a caller of a tenant who holds a position."""
        return max(self._earliest, self._written.get(tenant_id, ""), position)


def _as_position(timeline: str, place: Any) -> str:
    return f"{int(timeline, 16):08X}{int(place):016X}"


async def _position_of(primary: PostgresStore) -> str:
    ((timeline, place),) = await primary.fetch_quick(_ASK_PRIMARY, ())
    return _as_position(timeline, place)


async def _answer(asked: Coroutine[Any, Any, T], seconds_max: float) -> T:
    """An answer. Raises StoreUnavailable without one, at once: the driver would wait on."""
    task = asyncio.create_task(asked)
    task.add_done_callback(_see)
    await asyncio.wait((task,), timeout=seconds_max)
    if not task.done():
        task.cancel()
        raise StoreUnavailable(f"no answer within {seconds_max:g} seconds")
    return task.result()


def _see(task: asyncio.Task[Any]) -> None:
    """Nobody may wait for it any more when it fails."""
    if not task.cancelled():
        task.exception()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait((task,))
