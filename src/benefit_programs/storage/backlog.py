"""What is still to be delivered: for those who deliver, and for those who watch the service."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.rows import WebhookDelivery, WebhookEndpoint, WebhookStatus
from benefit_programs.storage.all_tenants import AllTenants, about_all
from benefit_programs.storage.tables import live_condition

_OWN_LIVE = f"""
d.tenant_id = e.tenant_id and d.endpoint_id = e.id
    and {live_condition(WebhookDelivery, "d.status")} among[d]
"""

ENDPOINTS_WITH_WORK = about_all(f"""
select e.tenant_id, cast(e.id as text), e.url, p.lease, p.lease_owner,
    case when exists (
        select 1 from webhook_deliveries d
        where {_OWN_LIVE} and d.origin <> 'FEED' and d.attempts = 0
    ) then 1 else 0 end
from webhook_endpoints e
join webhook_progress p on p.tenant_id = e.tenant_id and p.endpoint_id = e.id among[p]
where {live_condition(WebhookEndpoint, "e.status")} among[e] and (
    exists (
        select 1 from events v
        where v.tenant_id = e.tenant_id and v.position > p.position among[v])
    or exists (select 1 from webhook_deliveries d where {_OWN_LIVE} and d.due <= $1))
order by e.tenant_id, e.id
""")
"""The instant."""

_ENDPOINTS = about_all("""
select e.status, count(*), min((
    select v.created from events v
    where v.tenant_id = e.tenant_id and v.position > p.position among[v]
    order by v.position limit 1
))
from webhook_endpoints e
join webhook_progress p on p.tenant_id = e.tenant_id and p.endpoint_id = e.id among[e] among[p]
group by e.status
""")

_WAITING = about_all(
    f"select count(*) from webhook_deliveries d where {live_condition(WebhookDelivery, 'd.status')}"
    " among[d]"
)


class Backlog(NamedTuple):
    """Endpoints by status, the age of what the last of the active ones comes to next, retries."""

    endpoints: dict[str, int]
    lag_seconds: float
    waiting: int


async def read_backlog(tenants: AllTenants, *, now: Instant) -> Backlog:
    """Of all tenants. Raises StoreUnavailable or StoreTimeout."""
    rows = await tenants.fetch(_ENDPOINTS, ())
    endpoints: Counter[str] = Counter()
    oldest = now
    for status, number, created in rows:
        endpoints[status] += number
        if status == WebhookStatus.ACTIVE and created is not None:
            oldest = min(oldest, created)
    waiting = await tenants.fetch(_WAITING, ()) if rows else []
    return Backlog(
        endpoints=dict(endpoints),
        lag_seconds=(now - oldest) / 1000,
        waiting=sum(row[0] for row in waiting),
    )
