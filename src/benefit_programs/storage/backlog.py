"""What is still to be delivered: for those who deliver, and for those who watch the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from benefit_programs.domain.values import Instant
from benefit_programs.domain.webhooks.rows import WebhookDelivery, WebhookEndpoint, WebhookStatus
from benefit_programs.storage.tables import live_condition

_OWN_LIVE = f"""
d.tenant_id = e.tenant_id and d.endpoint_id = e.id
    and {live_condition(WebhookDelivery, "d.status")}
"""

ENDPOINTS_WITH_WORK = f"""
select e.tenant_id, t.site_id, cast(e.id as text), e.url, p.lease, p.lease_owner,
    case when exists (
        select 1 from webhook_deliveries d
        where {_OWN_LIVE} and d.origin <> 'FEED' and d.attempts = 0
    ) then 1 else 0 end
from webhook_endpoints e
join webhook_progress p on p.tenant_id = e.tenant_id and p.endpoint_id = e.id
join tenants t on t.id = e.tenant_id
where {live_condition(WebhookEndpoint, "e.status")} and (
    exists (select 1 from events v where v.tenant_id = e.tenant_id and v.position > p.position)
    or exists (select 1 from webhook_deliveries d where {_OWN_LIVE} and d.due <= $1))
order by e.tenant_id, e.id
"""
"""The instant."""

_ENDPOINTS = """
select e.status, count(*), min((
    select v.created from events v where v.tenant_id = e.tenant_id and v.position > p.position
    order by v.position limit 1
))
from webhook_endpoints e
join webhook_progress p on p.tenant_id = e.tenant_id and p.endpoint_id = e.id
group by e.status
"""

_WAITING = f"select count(*) from webhook_deliveries where {live_condition(WebhookDelivery)}"


class Fetching(Protocol):
    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...


class Backlog(NamedTuple):
    """Endpoints by status, the age of what the last of the active ones comes to next, retries."""

    endpoints: dict[str, int]
    lag_seconds: float
    waiting: int


async def read_backlog(store: Fetching, *, now: Instant) -> Backlog:
    """Of all tenants. Raises StoreUnavailable or StoreTimeout."""
    rows = await store.fetch(_ENDPOINTS, ())
    oldest = {status: created for status, _, created in rows if created is not None}
    ((waiting,),) = await store.fetch(_WAITING, ()) if rows else ((0,),)
    return Backlog(
        endpoints={status: number for status, number, _ in rows},
        lag_seconds=max(0, now - oldest.get(WebhookStatus.ACTIVE, now)) / 1000,
        waiting=int(waiting),
    )
