"""A real service in this process, on a real database, called through its ASGI application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from benefit_programs.api.method import Scope
from benefit_programs.bootstrap import Running, open_service, owner_grants
from benefit_programs.config import LogFormat, Settings
from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage.directory import Grants, Tenant
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of
from tests.support.asgi import InProcessClient
from tests.support.calls import Caller, guid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from benefit_programs.domain.values import Instant
    from benefit_programs.engine.engine import Engine
    from benefit_programs.storage.postgres import PostgresStore
    from benefit_programs.storage.sqlite import SqliteStore

R = TypeVar("R", bound=Row)

_TABLE_NAMES = sorted(codec.table for codec in CODECS.values())

ORIGIN = "http://service.test"

LOOPBACK = (ip_network("127.0.0.0/8"),)
"""Where the policy providers and the receivers of tests are."""

SECRET_KEY = bytes(range(32))


class Service(Caller):
    """A tenant of a running service, and its administrator."""

    def __init__(self, running: Running, client: httpx.AsyncClient, tenant: Tenant) -> None:
        super().__init__(client, None)
        self.running = running
        self.tenant = tenant

    @property
    def engine(self) -> Engine:
        return self.running.services.engine

    @property
    def store(self) -> SqliteStore | PostgresStore:
        return self.engine._store  # type: ignore[return-value]

    async def with_grants(self, grants: Grants, *tenants: Tenant) -> Caller:
        """Somebody with a new key, of this tenant unless others are named."""
        ids = [tenant.id for tenant in tenants or (self.tenant,)]
        directory = self.running.services.directory
        key = await directory.create_key("test", tenant_ids=ids, grants=grants)
        return Caller(self.client, key.secret)

    async def as_app(
        self,
        app_id: str | None = None,
        *,
        scopes: Sequence[str] = (Scope.MANAGE,),
        permission_ids: Sequence[str] = (),
    ) -> Caller:
        """An app, with all rights unless its scopes or permission ids say otherwise."""
        return await self.with_grants(
            Grants(
                identity=Identity(IdentityType.APP, app_id or guid()),
                scopes=tuple(map(str, scopes)),
                permission_ids=tuple(permission_ids),
            )
        )

    async def as_member(self, member_id: str) -> Caller:
        """A member of the site."""
        identity = Identity(IdentityType.MEMBER, member_id)
        return await self.with_grants(Grants(identity=identity, scopes=(str(Scope.READ_LIMITED),)))

    def nobody(self) -> Caller:
        """Somebody without a key."""
        return Caller(self.client, None)

    async def another_tenant(self) -> Service:
        """The administrator of another tenant of the same service."""
        return await new_tenant(self.running, self.client)

    def elsewhere(self, running: Running, client: httpx.AsyncClient) -> Service:
        """The same administrator of the same tenant, at another process of the service."""
        other = Service(running, client, self.tenant)
        other.key = self.key
        return other

    async def rows(self, entity: type[R]) -> list[R]:
        """All rows of a type that the tenant has, in the order of their keys."""
        codec, columns = CODECS[entity], columns_of(entity, "t", self.store.dialect)
        order = ", ".join(f"t.{name}" for name in entity.key)
        sql = f"SELECT {columns} FROM {codec.table} t WHERE t.tenant_id = $1 ORDER BY {order}"
        return [codec.read(row) for row in await self.store.fetch(sql, (self.tenant.id,))]

    async def has_rows(self) -> bool:
        """Whether the tenant has anything but the entries that say who made it and its keys."""
        names = (name for name in _TABLE_NAMES if name != CODECS[AuditEntry].table)
        each = (f"exists (SELECT 1 FROM {name} WHERE tenant_id = $1)" for name in names)
        rows = await self.store.fetch(f"SELECT {' OR '.join(each)}", (self.tenant.id,))
        return bool(rows[0][0])

    async def slugs_of(self, entity_id: str) -> list[str]:
        """The events of an entity, in their order."""
        events = [row for row in await self.rows(Event) if row.entity_id == entity_id]
        return [each.slug for each in sorted(events, key=lambda row: row.sequence)]


@asynccontextmanager
async def open_application(
    url: str, *, clock: Callable[[], Instant] = read_clock, **settings: Any
) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """A running service on a database, and a client that calls it in process."""
    settings.setdefault("outgoing_networks", LOOPBACK)
    settings.setdefault("secret_key", (SECRET_KEY,))
    chosen = Settings(database_url=url, log_format=LogFormat.JSON, **settings)
    async with (
        open_service(chosen, clock=clock) as running,
        InProcessClient(running.application, base_url=ORIGIN) as client,
    ):
        yield running, client


async def new_tenant(
    running: Running, client: httpx.AsyncClient, *, is_sandbox: bool = False
) -> Service:
    """A new tenant of a running service, with a key that may call every method."""
    tenant = await running.services.directory.create_tenant("test", is_sandbox=is_sandbox)
    service = Service(running, client, tenant)
    service.key = (await service.with_grants(owner_grants())).key
    return service
