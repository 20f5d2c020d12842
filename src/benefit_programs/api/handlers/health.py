"""How the service is: what an engineer on call asks first."""

from __future__ import annotations

from benefit_programs import __version__
from benefit_programs.api.call import Call
from benefit_programs.api.connections import OpenConnections
from benefit_programs.api.method import GET, OPERATE, method
from benefit_programs.domain.entities import JobStatus
from benefit_programs.domain.webhooks.rows import WebhookStatus
from benefit_programs.storage.health import TenantHealth, read_health
from benefit_programs.storage.query import SqliteDialect
from benefit_programs.storage.schema import newest_revision
from benefit_programs.wire.types import health as wire


@method(
    "getHealth",
    GET,
    "/benefit-programs/v1/health",
    OPERATE,
    "BENEFIT_PROGRAMS.HEALTH_READ",
    for_administrators=True,
    is_addition=True,
)
async def get(call: Call, _: wire.GetHealthRequest) -> wire.GetHealthResponse:
    found = await read_health(call.services.reader, call.tenant_id)
    return wire.GetHealthResponse(
        process=_process(call), jobs=_jobs(found), webhooks=_webhooks(found)
    )


def _process(call: Call) -> wire.ProcessHealth:
    services = call.services
    metrics, is_sqlite = services.metrics, isinstance(services.reader.dialect, SqliteDialect)
    pools = metrics.database_connections
    return wire.ProcessHealth(
        version=__version__,
        schema_revision=newest_revision(),
        engine="SQLITE" if is_sqlite else "POSTGRESQL",
        date=services.engine.now(),
        started_date=metrics.started,
        queue_length=services.engine.queue_length,
        requests_waiting=metrics.turns.waiting,
        http_connections=OpenConnections.count,
        database_connections_used=sum(used for _, used, _ in pools),
        database_connections_idle=sum(idle for _, _, idle in pools),
    )


def _jobs(found: TenantHealth) -> wire.JobsHealth:
    return wire.JobsHealth(
        waiting=found.jobs.get(JobStatus.INITIALIZED, 0),
        running=found.jobs.get(JobStatus.PROCESSING, 0),
        failed_recently=found.failed_jobs,
        oldest_date=found.oldest_job,
    )


def _webhooks(found: TenantHealth) -> wire.WebhooksHealth:
    return wire.WebhooksHealth(
        active=found.endpoints.get(WebhookStatus.ACTIVE, 0),
        inactive=found.endpoints.get(WebhookStatus.INACTIVE, 0),
        paused=found.endpoints.get(WebhookStatus.PAUSED, 0),
        deliveries_waiting=found.deliveries_waiting,
    )
