"""What is due: tenants that have jobs, and those of their jobs that a runner may take."""

from __future__ import annotations

from benefit_programs.domain.entities import Job
from benefit_programs.domain.job_commands import WAIT_MILLISECONDS_MAX
from benefit_programs.storage.tables import live_condition

CANDIDATES_MAX = 10
"""Among how many jobs a runner takes the first that nobody else has taken meanwhile."""

TENANTS_WITH_JOBS = """
select tenant_id from agenda where kind = $1 and since is not null order by tenant_id
"""

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
