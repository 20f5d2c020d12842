"""How the jobs and the webhooks of a tenant are. Each statement reads few rows of an index."""

from __future__ import annotations

from typing import NamedTuple

from benefit_programs.domain.entities import Job
from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.rows import WebhookDelivery
from benefit_programs.storage.query import Statement
from benefit_programs.storage.reader import Reader
from benefit_programs.storage.tables import live_condition

HEALTH_COUNTED_MAX = 1_000
"""How far jobs and deliveries are counted; of the jobs that ended, the newest are looked at."""

_JOBS = f"""
select j.status, count(*), min(j.created) from (
    select l.status, l.created from jobs l
    where l.tenant_id = $1 and {live_condition(Job, "l.status")}
    order by l.id limit {HEALTH_COUNTED_MAX}) j
group by j.status
"""
_FAILED_JOBS = f"""
select count(*) from (
    select l.status, l.reason from jobs l where l.tenant_id = $1
    order by l.id desc limit {HEALTH_COUNTED_MAX}) j
where j.status = 'FAILED' and j.reason <> 'canceled'
"""
_ENDPOINTS = """
select e.status, count(*) from webhook_endpoints e where e.tenant_id = $1 group by e.status
"""
_DELIVERIES = f"""
select count(*) from (
    select 1 from webhook_deliveries l
    where l.tenant_id = $1 and {live_condition(WebhookDelivery, "l.status")}
    limit {HEALTH_COUNTED_MAX}) d
"""


class TenantHealth(NamedTuple):
    """Jobs that haven't ended and endpoints, both by status; what failed, and what waits."""

    jobs: dict[str, int]
    oldest_job: Instant | None
    """When the oldest job was asked for that hasn't ended."""
    failed_jobs: int
    """Among the newest ones, without those that somebody canceled."""
    endpoints: dict[str, int]
    deliveries_waiting: int


async def read_health(reader: Reader, tenant_id: int) -> TenantHealth:
    """Raises StoreUnavailable or StoreTimeout."""
    jobs, failed, endpoints, deliveries = await reader.fetch_together(
        *(Statement(sql, (tenant_id,)) for sql in (_JOBS, _FAILED_JOBS, _ENDPOINTS, _DELIVERIES))
    )
    return TenantHealth(
        jobs={status: number for status, number, _ in jobs},
        oldest_job=min((created for *_, created in jobs), default=None),
        failed_jobs=failed[0][0],
        endpoints=dict(endpoints),
        deliveries_waiting=deliveries[0][0],
    )
