"""What is due: tenants that have jobs, and those of their jobs that a runner may take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from benefit_programs.domain.entities import Job, JobStatus
from benefit_programs.domain.job_commands import WAIT_MILLISECONDS_MAX
from benefit_programs.domain.jobs import JOBS
from benefit_programs.domain.values import Instant
from benefit_programs.storage.tables import live_condition

CANDIDATES_MAX = 10
"""Among how many jobs a runner takes the first that nobody else has taken meanwhile."""

TENANTS_WITH_JOBS = """
select tenant_id from agenda where kind = $1 and since is not null order by tenant_id
"""

UNFINISHED_JOBS = f"""
select j.status, count(*), min(j.created) from agenda a
join jobs j on j.tenant_id = a.tenant_id and {live_condition(Job, "j.status")}
where a.kind = $1 and a.since is not null group by j.status
"""
"""How many jobs of all tenants have not ended, by status, and when the oldest was asked for."""

JOBS_DUE = f"""
select cast(j.id as text) from jobs j
where j.tenant_id = $1 and {live_condition(Job, "j.status")}
and (j.due <= $2 or j.due > $2 + {WAIT_MILLISECONDS_MAX}
    or (j.lease_owner is not null and cast($3 as int) = 1))
and not exists (
    select 1 from jobs o where o.tenant_id = j.tenant_id and o.subject_id = j.subject_id
    and {live_condition(Job, "o.status")} and o.order_number < j.order_number)
order by j.updated, j.id limit {CANDIDATES_MAX}
"""
"""The tenant, the instant, and whether leases count for nothing. Who has waited longest is first.

Of the orders for one definition only the oldest is a candidate: the others would do its work.
"""


class Fetching(Protocol):
    """A store that is read."""

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


class JobCounts(NamedTuple):
    """The jobs of all tenants that have not ended."""

    waiting: int
    running: int
    oldest_seconds: float
    """How long ago the oldest of them was asked for; 0 if there is none."""


async def count_jobs(store: Fetching, *, now: Instant) -> JobCounts:
    """Raises StoreUnavailable or StoreTimeout."""
    rows = await store.fetch(UNFINISHED_JOBS, (JOBS,))
    numbers = {status: number for status, number, _ in rows}
    oldest = min((created for *_, created in rows), default=now)
    return JobCounts(
        waiting=numbers.get(JobStatus.INITIALIZED, 0),
        running=numbers.get(JobStatus.PROCESSING, 0),
        oldest_seconds=max(0, now - oldest) / 1000,
    )
