"""All rows that tell of one beneficiary, in one order and a bounded number at a time.

Programs and pools are found by the beneficiary; transactions, rate limits, lots and reservations by
the pools. Events and jobs have no index by person, so steps look through those of the whole tenant,
from the person's first program on.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple, Protocol, TypeVar

from benefit_programs.domain.entities import (
    BENEFICIARY_COLUMNS,
    Job,
    JobItem,
    JobPage,
    Lot,
    Pool,
    Program,
    Quota,
    Reservation,
    Transaction,
    beneficiary_columns,
)
from benefit_programs.domain.erasure import made_since
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, JOB, WALK_JOBS
from benefit_programs.domain.people.lookups import PERSON_OF
from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Identity
from benefit_programs.storage.query import Dialect
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of

R = TypeVar("R", bound=Row)

KEPT_LIMIT_MAX = 100
"""How many rows one step gives at the most."""

EVENTS_LOOKED_THROUGH_MAX = 5_000
"""Through how many events of the tenant one step looks."""

JOB_PAGES_LOOKED_THROUGH_MAX = 10
"""Through how many pages of jobs one step looks."""

AFTER_ALL_IDS = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_TRANSACTIONS = Index(Transaction, "pool_id", after="id", limit=KEPT_LIMIT_MAX)
_LOTS = Index(Lot, "pool_id", after="id", limit=KEPT_LIMIT_MAX)
_RESERVATIONS = Index(Reservation, "pool_id", after="id", limit=KEPT_LIMIT_MAX)


def _walks(entity: type[R], limit: int) -> dict[str, Index[R]]:
    """Walks through what a beneficiary has, by the column of the identity."""
    return {
        column: Index(entity, column, after="id", limit=limit) for column in BENEFICIARY_COLUMNS
    }


_PROGRAMS, _FIRST_PROGRAM = _walks(Program, KEPT_LIMIT_MAX), _walks(Program, 1)
_POOLS, _NEXT_POOL = _walks(Pool, KEPT_LIMIT_MAX), _walks(Pool, 1)


class KeptStore(Protocol):
    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]: ...


class Part(IntEnum):
    """What is kept, in the order in which it is found. The numbers stand in cursors."""

    PROGRAMS = 0
    POOLS = 1
    TRANSACTIONS = 2
    QUOTAS = 3
    LOTS = 7
    RESERVATIONS = 8
    EVENTS = 4
    JOBS = 5
    JOB_PAGES = 6
    PERSON = 9


Place = tuple[str | int | None, ...]
"""A part, and the keys of the row after which to go on in it."""

_OF_POOLS = (Part.TRANSACTIONS, Part.QUOTAS, Part.LOTS, Part.RESERVATIONS)
"""The parts that are found by pools, each for all pools before the next."""

BEGINNING: Place = (Part.PERSON,)


class NamedBy(NamedTuple):
    """A job, and those of its items that name the beneficiary's programs or pools."""

    job: Job
    items: tuple[JobItem, ...]


class Kept(NamedTuple):
    """A row that tells of the beneficiary, and its place."""

    place: Place
    row: Person | Program | Pool | Transaction | Quota | Lot | Reservation | Event | NamedBy


class Step(NamedTuple):
    """The next rows, of which there may be none, and where to go on; None at the end."""

    kept: list[Kept]
    following: Place | None


class KeptOfBeneficiary:
    """Finds what a tenant keeps of one beneficiary."""

    def __init__(self, store: KeptStore, tenant_id: int, identity: Identity) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._identity = identity
        columns = beneficiary_columns(identity)
        self._column = next(name for name, value in columns.items() if value is not None)
        self._steps: dict[Part, Callable[..., Coroutine[Any, Any, Step]]] = {
            Part.PERSON: self._person,
            Part.PROGRAMS: self._programs,
            Part.POOLS: self._pools,
            Part.TRANSACTIONS: self._transactions,
            Part.QUOTAS: self._quotas,
            Part.LOTS: self._lots,
            Part.RESERVATIONS: self._reservations,
            Part.EVENTS: self._events,
            Part.JOBS: self._jobs,
            Part.JOB_PAGES: self._job_pages,
        }

    async def after(self, place: Place) -> Step:
        """The rows that follow a place: at most ``KEPT_LIMIT_MAX``, and none of another part."""
        part, *keys = place
        return await self._steps[Part(int(part or 0))](*keys)

    async def _person(self) -> Step:
        rows = await self._look_up(PERSON_OF[self._identity.type], self._identity.id)
        following = (Part.PROGRAMS, BEFORE_ALL_IDS)
        return Step([Kept(following, row) for row in rows], following)

    async def _programs(self, after: str) -> Step:
        rows = await self._look_up(_PROGRAMS[self._column], self._identity.id, after)
        kept = [Kept((Part.PROGRAMS, row.id), row) for row in rows]
        return _step(kept, (Part.POOLS, BEFORE_ALL_IDS))

    async def _pools(self, after: str) -> Step:
        rows = await self._look_up(_POOLS[self._column], self._identity.id, after)
        kept = [Kept((Part.POOLS, row.id), row) for row in rows]
        return _step(kept, await self._next_pool(Part.TRANSACTIONS, BEFORE_ALL_IDS))

    async def _transactions(self, pool_id: str, after: str) -> Step:
        return await self._of_pool(Part.TRANSACTIONS, _TRANSACTIONS, pool_id, after)

    async def _lots(self, pool_id: str, after: str) -> Step:
        return await self._of_pool(Part.LOTS, _LOTS, pool_id, after)

    async def _reservations(self, pool_id: str, after: str) -> Step:
        return await self._of_pool(Part.RESERVATIONS, _RESERVATIONS, pool_id, after)

    async def _of_pool(self, part: Part, walk: Index[Any], pool_id: str, after: str) -> Step:
        rows = await self._look_up(walk, pool_id, after)
        kept = [Kept((part, pool_id, row.id), row) for row in rows]
        return _step(kept, await self._next_pool(part, pool_id))

    async def _quotas(self, pool_id: str, quota_id: str, start: int) -> Step:
        rows = await self._rows(
            Quota,
            "q.pool_id = $2 and (q.quota_id, q.period_start) > ($3, $4)"
            f" order by q.quota_id, q.period_start limit {KEPT_LIMIT_MAX}",
            (pool_id, quota_id, start),
        )
        kept = [Kept((Part.QUOTAS, pool_id, row.quota_id, row.period_start), row) for row in rows]
        return _step(kept, await self._next_pool(Part.QUOTAS, pool_id))

    async def _events(self, after: str) -> Step:
        """Look through the next events of the tenant, up to one that is chosen beforehand."""
        end = await self._store.fetch(
            "select cast(id as text) from events where tenant_id = $1 and id > $2"
            f" order by id limit 1 offset {EVENTS_LOOKED_THROUGH_MAX - 1}",
            (self._tenant_id, after),
        )
        up_to = end[0][0] if end else AFTER_ALL_IDS
        rows = await self._rows(
            Event,
            "q.id > $2 and q.id <= $3 and q.entity_id in ("
            f"select id from programs where tenant_id = $1 and {self._column} = $4 union all"
            f" select id from pools where tenant_id = $1 and {self._column} = $4 union all"
            " select l.id from pools p join lots l on l.tenant_id = p.tenant_id"
            f" and l.pool_id = p.id where p.tenant_id = $1 and p.{self._column} = $4)"
            f" order by q.id limit {KEPT_LIMIT_MAX}",
            (after, up_to, self._identity.id),
        )
        kept = [Kept((Part.EVENTS, row.id), row) for row in rows]
        return _step(kept, (Part.EVENTS, up_to) if end else await self._first(Part.JOBS))

    async def _jobs(self, after: str) -> Step:
        """Look through the next jobs, for what was done within requests."""
        jobs = await self._look_up(WALK_JOBS, after)
        named = await self._named([(job, job.items) for job in jobs if job.items])
        kept = [Kept((Part.JOBS, each.job.id), each) for each in named]
        is_full = len(jobs) == WALK_JOBS.limit
        return Step(
            kept, (Part.JOBS, jobs[-1].id) if is_full else await self._first(Part.JOB_PAGES)
        )

    async def _job_pages(self, after: str, number: int = -1) -> Step:
        """Look through the next pages of what jobs in chunks did."""
        pages = await self._rows(
            JobPage,
            "(q.job_id, q.number) > ($2, $3)"
            f" order by q.job_id, q.number limit {JOB_PAGES_LOOKED_THROUGH_MAX}",
            (after, number),
        )
        if not pages:
            return Step([], None)
        ids = dict.fromkeys((page.job_id,) for page in pages)
        jobs = {job.id: job for job in await self._store.look_up(self._tenant_id, JOB, ids)}
        kept = [
            Kept((Part.JOB_PAGES, page.job_id, page.number), each)
            for page in pages
            for each in await self._named([(jobs[page.job_id], page.items)])
        ]
        is_full = len(pages) == JOB_PAGES_LOOKED_THROUGH_MAX
        return Step(kept, (Part.JOB_PAGES, pages[-1].job_id, pages[-1].number) if is_full else None)

    async def _named(self, done: Iterable[tuple[Job, Sequence[JobItem]]]) -> list[NamedBy]:
        """Of what jobs did, that which names the beneficiary's programs and pools."""
        ids = {item.id for _, items in done for item in items}
        if not ids:
            return []
        within = self._store.dialect.within("id", 3, "uuid")
        found = await self._store.fetch(
            " union all ".join(
                f"select cast(id as text) from {table}"
                f" where tenant_id = $1 and {self._column} = $2 and {within}"
                for table in ("programs", "pools")
            ),
            (self._tenant_id, self._identity.id, self._store.dialect.list_parameter(sorted(ids))),
        )
        own = {row[0] for row in found}
        named = [
            NamedBy(job, tuple(each for each in items if each.id in own)) for job, items in done
        ]
        return [each for each in named if each.items]

    async def _next_pool(self, part: Part, pool_id: str) -> Place | None:
        """The beginning of the part's rows of the pool after this one, else of the next part."""
        pools = await self._look_up(_NEXT_POOL[self._column], self._identity.id, pool_id)
        if pools:
            beginning = (BEFORE_ALL_IDS, 0) if part is Part.QUOTAS else (BEFORE_ALL_IDS,)
            return (part, pools[0].id, *beginning)
        if part is _OF_POOLS[-1]:
            return await self._first(Part.EVENTS)
        return await self._next_pool(_OF_POOLS[_OF_POOLS.index(part) + 1], BEFORE_ALL_IDS)

    async def _first(self, part: Part) -> Place | None:
        """Where what was made since the first program begins; None without one."""
        programs = await self._look_up(
            _FIRST_PROGRAM[self._column], self._identity.id, BEFORE_ALL_IDS
        )
        return (part, made_since(programs[0].id)) if programs else None

    async def _look_up(self, index: Index[R], *key: Any) -> list[R]:
        return await self._store.look_up(self._tenant_id, index, [key])

    async def _rows(self, entity: type[R], condition: str, parameters: Key) -> list[R]:
        codec, columns = CODECS[entity], columns_of(entity, "q", self._store.dialect)
        sql = f"select {columns} from {codec.table} q where q.tenant_id = $1 and {condition}"
        found = await self._store.fetch(sql, (self._tenant_id, *parameters))
        return [codec.read(values) for values in found]


def _step(kept: list[Kept], following: Place | None) -> Step:
    """A full step goes on after its last row, another one with what follows."""
    return Step(kept, kept[-1].place if len(kept) == KEPT_LIMIT_MAX else following)
