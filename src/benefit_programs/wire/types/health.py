"""How the service is: for who is on call."""

from __future__ import annotations

import msgspec

from benefit_programs.wire.types.common import Number, Timestamp


class ProcessHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The process that answers."""

    version: str | None = None
    schema_revision: str | None = None
    engine: str | None = None
    date: Timestamp | None = None
    started_date: Timestamp | None = None
    queue_length: Number | None = None
    requests_waiting: Number | None = None
    http_connections: Number | None = None
    database_connections_used: Number | None = None
    database_connections_idle: Number | None = None


class JobsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of the tenant."""

    waiting: Number | None = None
    running: Number | None = None
    failed_recently: Number | None = None
    oldest_date: Timestamp | None = None


class WebhooksHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook endpoints of the tenant."""

    active: Number | None = None
    inactive: Number | None = None
    paused: Number | None = None
    deliveries_waiting: Number | None = None


class GetHealthRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read how the process is that answers, and how the tenant's jobs and webhooks are."""


class GetHealthResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The state at this moment. Counts go no further than 1,000."""

    process: ProcessHealth | None = None
    jobs: JobsHealth | None = None
    webhooks: WebhooksHealth | None = None
