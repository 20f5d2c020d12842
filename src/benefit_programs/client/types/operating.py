"""What operators look after: keys, tenants, and how the service is."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.generated.enums import KeyHolderType, Role
from benefit_programs.client.types.base import Part


class ApiKeyIdentity(Part, frozen=True, kw_only=True):
    """Whom a key stands for: an app, a site member, or an administrator (WIX_USER)."""

    type: KeyHolderType
    id: str


class ApiKey(Part, frozen=True, kw_only=True):
    """A key, without its secret. If it has permission ids, it is narrowed to them."""

    id: str
    name: str
    identity: ApiKeyIdentity
    created_date: datetime
    scopes: tuple[str, ...] = ()
    permission_ids: tuple[str, ...] = ()
    expiration_date: datetime | None = None
    revoked_date: datetime | None = None


class CreatedApiKey(Part, frozen=True, kw_only=True):
    """A new key, and the secret that callers send. The secret is never shown again."""

    api_key: ApiKey
    secret: str


class ConsoleUser(Part, frozen=True, kw_only=True):
    """Somebody who may use the console, or might once."""

    id: str
    name: str
    role: Role
    created_date: datetime
    email: str | None = None
    revoked_date: datetime | None = None


class InvitedConsoleUser(Part, frozen=True, kw_only=True):
    """A user, and the link that signs in once: a path, to be put behind the service's address."""

    console_user: ConsoleUser
    sign_in_path: str
    expiration_date: datetime


class Tenant(Part, frozen=True, kw_only=True):
    """One site, to which everything belongs."""

    id: int
    site_id: str
    name: str
    created_date: datetime
    sandbox: bool = False


class ProcessHealth(Part, frozen=True, kw_only=True):
    """The process that has answered."""

    version: str
    schema_revision: str
    engine: str
    date: datetime
    started_date: datetime
    queue_length: int = 0
    requests_waiting: int = 0
    http_connections: int = 0
    database_connections_used: int = 0
    database_connections_idle: int = 0


class JobsHealth(Part, frozen=True, kw_only=True):
    """The jobs of the tenant."""

    waiting: int = 0
    running: int = 0
    failed_recently: int = 0
    oldest_date: datetime | None = None


class WebhooksHealth(Part, frozen=True, kw_only=True):
    """The webhook endpoints of the tenant."""

    active: int = 0
    inactive: int = 0
    paused: int = 0
    deliveries_waiting: int = 0


class ServiceHealth(Part, frozen=True, kw_only=True):
    """How the service is at this moment. Counts go no further than 1,000."""

    process: ProcessHealth
    jobs: JobsHealth
    webhooks: WebhooksHealth
