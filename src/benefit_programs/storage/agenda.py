"""What runners find: tenants that have jobs or something due, and what is to be done for each."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from benefit_programs.domain.due import DUE, LATEST, TURNS
from benefit_programs.domain.entities import Job, JobKind, JobStatus, Lot, Reservation
from benefit_programs.domain.job_commands import WAIT_MILLISECONDS_MAX
from benefit_programs.domain.jobs import JOBS
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, BEFORE_ALL_INSTANTS, CHUNK_SIZE
from benefit_programs.domain.rows import Row
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.values import Instant
from benefit_programs.storage.all_tenants import AllTenants, about_all
from benefit_programs.storage.tables import live_condition

CANDIDATES_MAX = 10
"""Among how many jobs a runner takes the first that nobody else has taken meanwhile."""

TENANTS_WITH_JOBS = about_all("""
select a.tenant_id from agenda a where a.kind = $1 and a.since is not null among[a]
order by a.tenant_id
""")

UNFINISHED_JOBS = about_all(f"""
select j.status, count(*), min(j.created) from agenda a
join jobs j on j.tenant_id = a.tenant_id and {live_condition(Job, "j.status")} among[j]
where a.kind = $1 and a.since is not null among[a] group by j.status
""")
"""How many jobs of all tenants have not ended, by status, and when the oldest was asked for."""

_DONE_HERE = ", ".join(f"'{each}'" for each in JobKind if each is not JobKind.ADVANCE_CLOCK)
_STATUSES = ", ".join(f"'{each}'" for each in JobStatus if each not in Job.over)

JOBS_DUE = f"""
select cast(j.id as text) from jobs j
where j.tenant_id = $1 and {live_condition(Job, "j.status")}
and j.kind in ({_DONE_HERE}) and j.status in ({_STATUSES})
and (j.due <= $2 or j.due > $2 + {WAIT_MILLISECONDS_MAX}
    or (j.lease_owner is not null and cast($3 as int) = 1))
and not exists (
    select 1 from jobs o where o.tenant_id = j.tenant_id and o.subject_id = j.subject_id
    and {live_condition(Job, "o.status")} and o.order_number < j.order_number)
order by j.updated, j.id limit {CANDIDATES_MAX}
"""
"""The tenant, the instant, and whether leases count for nothing. Who has waited longest is first.

Of the orders for one definition only the oldest is a candidate: the others would do its work.
A clock is set forward by what books what is due. Kinds and statuses that this version doesn't know
are left to servers of a newer one, which may run beside it while an installation is upgraded.
"""

AGENDAS = about_all(f"""
select a.tenant_id, a.since, t.kind, t.since from agenda a
left join agenda t on t.tenant_id = a.tenant_id and t.since is not null
    and t.kind in ({", ".join(f"'{each}'" for each in TURNS)}) among[t]
where a.kind = $1 and (a.since <= $2 or a.since > $3) among[a] order by a.since, a.tenant_id
""")

Place = tuple[Instant, str]
"""Where a walk through what is due has come to: an instant and an id."""

FIRST_PLACE: Place = (BEFORE_ALL_INSTANTS, BEFORE_ALL_IDS)


def _how_many(table: str, entity: type[Row]) -> str:
    """How many live rows a pool has, counted no further than a chunk goes."""
    return (
        f"(select count(*) from (select 1 from {table} c where c.tenant_id = p.tenant_id"
        f" and c.pool_id = p.id and {live_condition(entity, 'c.status')} limit {CHUNK_SIZE}) c)"
    )


DUE_POOLS = f"""
select cast(p.id as text), p.due,
    {_how_many("lots", Lot)} + {_how_many("reservations", Reservation)}
from pools p
where p.tenant_id = $1 and p.due <= $2 and (p.due, p.id) > ($3, $4) order by p.due, p.id limit $5
"""
"""The tenant, the instant, a place and a limit; how much of a chunk a pool takes is last."""

DUE_PROGRAMS = f"""
select cast(p.id as text), p.due, (
    select count(*) from (
        select 1 from pools c where c.tenant_id = p.tenant_id and c.program_id = p.id
        limit {CHUNK_SIZE}) c)
from programs p
where p.tenant_id = $1 and p.due <= $2 and (p.due, p.id) > ($3, $4) order by p.due, p.id limit $5
"""
"""The same for programs; a chunk has so many pools."""

DUE_CASCADES = f"""
select cast(c.id as text), c.due, {CHUNK_SIZE}
from scheduled_changes c
where c.tenant_id = $1 and {live_condition(ScheduledChange, "c.status")} and c.due <= $2
and (c.due, c.id) > ($3, $4) order by c.due, c.id limit $5
"""
"""The same for cascades, one by one."""


def _behind(table: str) -> str:
    return (
        f"select t.due, cast(t.id as text) from {table} t where t.tenant_id = $1 and t.due <= $2"
        " order by t.due, t.id limit 1 offset $3"
    )


BEHIND_POOLS = _behind("pools")
BEHIND_PROGRAMS = _behind("programs")
"""The tenant, the instant, and how many due rows are left to others: the place of the last."""

DUE_COUNTED_MAX = 100_000
"""How many pools with something due a metric counts."""

_DUE_FIRST = about_all("""
select min((
    select p.due from pools p where p.tenant_id = a.tenant_id and p.due <= $1 among[p]
    order by p.due limit 1
)) from agenda a where a.kind = $2 and a.since <= $1 among[a]
""")

_DUE_COUNT = about_all(f"""
select count(*) from (
    select 1 from agenda a join pools p on p.tenant_id = a.tenant_id and p.due <= $1 among[p]
    where a.kind = $2 and a.since <= $1 among[a] limit {DUE_COUNTED_MAX}) d
""")


class JobCounts(NamedTuple):
    """The jobs of all tenants that have not ended."""

    waiting: int
    running: int
    oldest_seconds: float
    """How long ago the oldest of them was asked for; 0 if there is none."""


async def count_jobs(tenants: AllTenants, *, now: Instant) -> JobCounts:
    """Raises StoreUnavailable or StoreTimeout."""
    rows = await tenants.fetch(UNFINISHED_JOBS, (JOBS,))
    numbers: Counter[str] = Counter()
    for status, number, _ in rows:
        numbers[status] += number
    oldest = min((created for *_, created in rows), default=now)
    return JobCounts(
        waiting=numbers[JobStatus.INITIALIZED],
        running=numbers[JobStatus.PROCESSING],
        oldest_seconds=max(0, now - oldest) / 1000,
    )


class TenantAgenda(NamedTuple):
    """From when on a tenant may have something due, and until when runners have turns there."""

    tenant_id: int
    since: Instant
    turns: dict[str, Instant]


async def read_agendas(tenants: AllTenants, *, before: Instant, now: Instant) -> list[TenantAgenda]:
    """The agendas of tenants that may have something due by then, the earliest first.

    Those are among them that a clock that was ahead has put off too far.
    """
    found: dict[int, TenantAgenda] = {}
    rows = await tenants.fetch(AGENDAS, (DUE, before, now + LATEST))
    for tenant_id, since, turn, until in rows:
        agenda = found.setdefault(tenant_id, TenantAgenda(tenant_id, since, {}))
        if turn is not None:
            agenda.turns[turn] = until
    return sorted(found.values(), key=lambda each: each.since)


class DueCounts(NamedTuple):
    """What is due for all tenants, and isn't booked yet."""

    pools: int
    late_seconds: float
    """How long ago the first of it was due; 0 if there is none."""


async def count_due(tenants: AllTenants, *, now: Instant) -> DueCounts:
    """Raises StoreUnavailable or StoreTimeout."""
    parameters = (now, DUE)
    firsts = [row[0] for row in await tenants.fetch(_DUE_FIRST, parameters) if row[0] is not None]
    if not firsts:
        return DueCounts(0, 0)
    number = sum(row[0] for row in await tenants.fetch(_DUE_COUNT, parameters))
    return DueCounts(min(number, DUE_COUNTED_MAX), (now - min(firsts)) / 1000)
