"""The directory: who the tenants are, which keys open them, and the secrets of the service.

Every change is one short transaction of its own, so that the command line may work on a SQLite
file that a server is serving. Its audit entries are in the same transaction, one in each tenant
that it concerns. A key's secret is shown once, when it is made; stored is
its SHA-256, which is enough for 256 random bits.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from msgspec.structs import astuple, replace

from benefit_programs.domain.audit_rows import SERVICE, Actor, AuditEntity, AuditEntry
from benefit_programs.domain.directory import (
    KEY_PERMISSIONS_MAX,
    KEY_TENANTS_MAX,
    NAME_LENGTH_MAX,
)
from benefit_programs.domain.errors import Invalid, ViolatedRule
from benefit_programs.domain.ids import IdSource, guid_in
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import StoreConflict
from benefit_programs.domain.time_zones import NO_TIME_ZONE, is_time_zone
from benefit_programs.domain.values import Id, Identity, Instant

SECRET_PREFIX = "bp_"  # noqa: S105 - tells what the secret is for, and is none
SECRET_BYTES = 32

DEFAULT_TENANT_ID = 1
FIRST_KEY_ID = "00000000-0000-4000-8000-000000000001"
"""The id of the key that a first start makes: whoever inserts it has made it, and nobody twice."""

CURSOR_SECRET = "cursor"  # noqa: S105 - the name of a secret
CONSOLE_SECRET = "console"  # noqa: S105 - the name of a secret

ATTEMPTS_MAX = 20
"""How often a change is tried again that another process got ahead of."""

Statement = tuple[str, Sequence[Any]]
"""A statement and its parameters."""


class DirectoryStore(Protocol):
    """What a store must offer to keep the directory in it."""

    async def fetch_quick(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]: ...

    async def execute(
        self, sql: str, parameters: Sequence[Any], *, then: Sequence[Statement] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; the rows are those that it returns.

        If there are any, ``then`` comes behind it in the same transaction.
        """
        ...


class Tenant(msgspec.Struct, frozen=True):
    """One site, to which everything belongs."""

    id: int
    site_id: Id
    name: str
    created: Instant
    settings: TenantSettings


class Grants(msgspec.Struct, frozen=True, kw_only=True):
    """What a key allows, and whom it stands for."""

    identity: Identity
    """An app, a site member, or an administrator (a Wix user)."""

    scopes: tuple[str, ...]

    permission_ids: tuple[str, ...] = ()
    """If there are any, the key is narrowed to them."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its secret."""

    id: Id
    name: str
    created: Instant
    tenant_ids: tuple[int, ...]
    grants: Grants
    expires: Instant | None = None
    revoked: Instant | None = None

    def is_valid(self, *, at: Instant) -> bool:
        """Whether the key opens anything at this instant; it expires at ``expires`` sharp."""
        return self.revoked is None and (self.expires is None or at < self.expires)


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made; the secret is known here and never again."""

    key: ApiKey
    secret: str


class UnknownTenant(LookupError):
    """No tenant has this id."""


class UnknownKey(LookupError):
    """No key has this id."""


class SiteTaken(ValueError):
    """Another tenant has this site id."""


def make_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """What is stored of a key, and what it is found by."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Directory:
    """The directory in a store. ``clock`` says when something was made or revoked.

    ``actor`` is who makes the changes, where a call doesn't name another one.
    """

    def __init__(
        self, store: DirectoryStore, *, clock: Callable[[], Instant], actor: Actor = SERVICE
    ) -> None:
        self._store = store
        self._clock = clock
        self._actor = actor
        self._listeners: list[Callable[[], None]] = []
        self._ids = IdSource(secrets.randbits)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call the listener after each change of a key or a tenant made through this object."""
        self._listeners.append(listener)

    # Tenants.

    async def create_tenant(
        self,
        name: str,
        *,
        site_id: str | None = None,
        is_sandbox: bool = False,
        actor: Actor | None = None,
    ) -> Tenant:
        """Make a tenant; without a site id it gets a new one. A sandbox has its own clock.

        Raises SiteTaken if another tenant has the site id, Invalid for a bad name or site id.
        """
        _require_name(name)
        site_id = str(uuid4()) if site_id is None else _guid(site_id)
        for _ in range(ATTEMPTS_MAX):
            if await self.tenant_of_site(site_id):
                raise SiteTaken(f"Another tenant has the site id {site_id}.")
            # The next number may be taken meanwhile, by another process; then the one after it.
            sql = (
                "insert into tenants (id, site_id, name, created, settings) values "
                "($1, $2, $3, $4, $5) on conflict do nothing returning id"
            )
            number = await self._next_tenant_id()
            created, settings = self._clock(), TenantSettings(is_sandbox=is_sandbox)
            tenant = Tenant(number, site_id, name, created, settings)
            values = (number, site_id, name, created, _text(settings))
            told = self.entries(actor, "createTenant", (tenant,), AuditEntity.TENANT, site_id)
            if await self._store.execute(sql, values, then=told):
                return await self.tenant(number)
        raise StoreConflict("other tenants kept being made")

    async def _next_tenant_id(self) -> int:
        sql = "select coalesce(max(id), 0) + 1 from tenants"
        number: int = (await self._store.fetch_quick(sql, ()))[0][0]
        return number

    async def tenants(self) -> list[Tenant]:
        rows = await self._store.fetch_quick(f"{_SELECT_TENANT} order by id", ())
        return [_tenant(row) for row in rows]

    async def newest_tenant_id(self) -> int:
        """The largest number that a tenant has; 0 if there is none."""
        rows = await self._store.fetch_quick("select coalesce(max(id), 0) from tenants", ())
        return int(rows[0][0])

    async def tenants_between(self, first_id: int, last_id: int) -> list[Tenant]:
        """The tenants with these numbers and those between them, the oldest first."""
        sql = f"{_SELECT_TENANT} where id >= $1 and id <= $2 order by id"
        rows = await self._store.fetch_quick(sql, (first_id, last_id))
        return [_tenant(row) for row in rows]

    async def tenant(self, tenant_id: int) -> Tenant:
        """The tenant with this id. Raises UnknownTenant."""
        rows = await self._store.fetch_quick(f"{_SELECT_TENANT} where id = $1", (tenant_id,))
        if not rows:
            raise UnknownTenant(f"There is no tenant {tenant_id}.")
        return _tenant(rows[0])

    async def tenant_of_site(self, site_id: str) -> Tenant | None:
        """The tenant with this site id, in any case; nothing for an unknown or malformed one."""
        guid = guid_in(site_id)
        if guid is None:
            return None
        rows = await self._store.fetch_quick(f"{_SELECT_TENANT} where site_id = $1", (guid,))
        return _tenant(rows[0]) if rows else None

    async def settings(self, tenant_id: int) -> TenantSettings:
        return (await self.tenant(tenant_id)).settings

    async def change_settings(
        self,
        tenant_id: int,
        change: Callable[[TenantSettings], TenantSettings],
        *,
        actor: Actor | None = None,
    ) -> TenantSettings:
        """Replace a tenant's settings by what the change makes of them, and return those.

        The change is made again if somebody else changed them meanwhile, so that no change is
        lost. Raises UnknownTenant, and Invalid for a new time zone that isn't known.
        """
        for _ in range(ATTEMPTS_MAX):
            rows = await self._store.fetch_quick(f"{_SELECT_TENANT} where id = $1", (tenant_id,))
            if not rows:
                raise UnknownTenant(f"There is no tenant {tenant_id}.")
            tenant, text = _tenant(rows[0]), rows[0][-1]
            before = tenant.settings
            settings = change(before)
            if settings.time_zone != before.time_zone and not is_time_zone(settings.time_zone):
                raise Invalid.because("timeZone", NO_TIME_ZONE)
            sql = (
                "update tenants set settings = $1 "
                "where id = $2 and cast(settings as text) = $3 returning id"
            )
            told = self.entries(
                actor,
                "updateSettings",
                # The last entry may be that there will be none.
                (tenant,) if before.audit_retention_days else (replace(tenant, settings=settings),),
                AuditEntity.TENANT,
                tenant.site_id,
            )
            if await self._store.execute(sql, (_text(settings), tenant_id, text), then=told):
                self._notify()
                return settings
        raise StoreConflict("the settings kept changing")

    # Keys.

    async def create_key(
        self,
        name: str,
        *,
        tenant_ids: Sequence[int],
        grants: Grants,
        expires: Instant | None = None,
        actor: Actor | None = None,
    ) -> NewKey:
        """Make a key, and return it with its secret. Raises UnknownTenant or Invalid."""
        _require_name(name)
        _require_size("tenantIds", len(tenant_ids), 1, KEY_TENANTS_MAX)
        _require_size("permissionIds", len(grants.permission_ids), 0, KEY_PERMISSIONS_MAX)
        for tenant_id in tenant_ids:
            await self.tenant(tenant_id)
        key = ApiKey(
            id=str(uuid4()),
            name=name,
            created=self._clock(),
            tenant_ids=tuple(dict.fromkeys(tenant_ids)),
            grants=grants,
            expires=expires,
        )
        secret = make_secret()
        await self._insert_key(key, secret, actor)
        return NewKey(key, secret)

    async def keys(self) -> list[ApiKey]:
        """All keys, the oldest first, those that are revoked or expired too."""
        rows = await self._store.fetch_quick(f"{_SELECT_KEY} order by created, id", ())
        return [read_key(row) for row in rows]

    async def key(self, key_id: str) -> ApiKey:
        """The key with this id. Raises UnknownKey."""
        found, guid = [], guid_in(key_id)
        if guid is not None:
            found = await self._store.fetch_quick(f"{_SELECT_KEY} where id = $1", (guid,))
        if not found:
            raise UnknownKey(f"There is no key {key_id}.")
        return read_key(found[0])

    async def key_by_hash(self, secret_hash: str) -> ApiKey | None:
        """The key whose secret has this hash, whether it is still valid or not."""
        rows = await self._store.fetch_quick(
            f"{_SELECT_KEY} where secret_hash = $1", (secret_hash,)
        )
        return read_key(rows[0]) if rows else None

    async def revoke_key(self, key_id: str, *, actor: Actor | None = None) -> ApiKey:
        """Close a key for ever; one that is revoked stays as it is. Raises UnknownKey."""
        key = await self.key(key_id)
        sql = "update api_keys set revoked = $1 where id = $2 and revoked is null returning id"
        told = await self._entries_of_key(actor, "revokeKey", key)
        await self._store.execute(sql, (self._clock(), key.id), then=told)
        self._notify()
        return await self.key(key.id)

    # The first start.

    async def ensure_default_tenant(self, *, is_sandbox: bool = False) -> Tenant:
        """The first tenant, made now if there is none at all, as a sandbox or not."""
        tenants = await self.tenants()
        if tenants:
            return tenants[0]
        sql = (
            "insert into tenants (id, site_id, name, created, settings) "
            "values ($1, $2, $3, $4, $5) on conflict do nothing returning id"
        )
        settings = TenantSettings(is_sandbox=is_sandbox)
        tenant = Tenant(DEFAULT_TENANT_ID, str(uuid4()), "default", self._clock(), settings)
        told = self.entries(None, "createTenant", (tenant,), AuditEntity.TENANT, tenant.site_id)
        values = (tenant.id, tenant.site_id, tenant.name, tenant.created, _text(settings))
        await self._store.execute(sql, values, then=told)
        return (await self.tenants())[0]

    async def ensure_key(self, secret: str, *, tenant_id: int, grants: Grants) -> bool:
        """Accept a secret that the operator chose; whether it is new.

        If the key was made before, it stays as it is, revoked or not.
        """
        return await self._insert_key(self._first_key(str(uuid4()), tenant_id, grants), secret)

    async def create_first_key(self, *, tenant_id: int, grants: Grants) -> str | None:
        """Make a key if there has never been any, and return its secret; otherwise nothing."""
        if await self._store.fetch_quick("select 1 from api_keys limit 1", ()):
            return None
        secret = make_secret()
        made = await self._insert_key(self._first_key(FIRST_KEY_ID, tenant_id, grants), secret)
        return secret if made else None

    async def ensure_secret(self, name: str) -> bytes:
        """A random secret of 32 bytes that all processes share, made when it is first asked for."""
        sql = "insert into secrets (name, value) values ($1, $2) on conflict (name) do nothing"
        rows = await self._store.fetch_quick(_SELECT_SECRET, (name,))
        if not rows:
            await self._store.execute(sql, (name, secrets.token_hex(SECRET_BYTES)))
            rows = await self._store.fetch_quick(_SELECT_SECRET, (name,))
        return bytes.fromhex(rows[0][0])

    def _first_key(self, key_id: str, tenant_id: int, grants: Grants) -> ApiKey:
        return ApiKey(
            id=key_id,
            name="first key",
            created=self._clock(),
            tenant_ids=(tenant_id,),
            grants=grants,
        )

    async def _insert_key(self, key: ApiKey, secret: str, actor: Actor | None = None) -> bool:
        sql = (
            "insert into api_keys (id, secret_hash, name, created, tenant_ids, grants, expires) "
            "values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id"
        )
        values = (
            key.id,
            hash_secret(secret),
            key.name,
            key.created,
            _text(key.tenant_ids),
            _text(key.grants),
            key.expires,
        )
        told = await self._entries_of_key(actor, "createKey", key)
        made = bool(await self._store.execute(sql, values, then=told))
        self._notify()
        return made

    async def _entries_of_key(
        self, actor: Actor | None, method: str, key: ApiKey
    ) -> Sequence[Statement]:
        tenants = [await self.tenant(each) for each in key.tenant_ids]
        return self.entries(actor, method, tenants, AuditEntity.API_KEY, key.id)

    def entries(
        self,
        actor: Actor | None,
        method: str,
        tenants: Iterable[Tenant],
        entity: AuditEntity,
        entity_id: str,
    ) -> list[Statement]:
        """What writes an entry into the audit of each tenant that keeps one."""
        actor, now = actor or self._actor, self._clock()
        entry = AuditEntry(
            id="",
            created=now,
            principal_kind=actor.who.kind,
            principal_id=actor.who.id,
            method=actor.method or method,
            request_id=actor.request_id,
            reason=actor.reason,
            entity=entity,
            entity_id=entity_id,
        )
        return [
            (_INSERT_ENTRY, (each.id, *astuple(replace(entry, id=self._ids.next(now)))))
            for each in tenants
            if each.settings.audit_retention_days
        ]

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()


# Numbers of parameters stand in the order of their first use: SQLite goes by that order.
_SELECT_TENANT = (
    "select id, cast(site_id as text), name, created, cast(settings as text) from tenants"
)
KEY_COLUMNS = (
    "cast(k.id as text), k.name, k.created, cast(k.tenant_ids as text), cast(k.grants as text), "
    "k.expires, k.revoked"
)
"""What ``read_key`` reads of ``api_keys k``."""

_SELECT_KEY = f"select {KEY_COLUMNS} from api_keys k"
_SELECT_SECRET = "select value from secrets where name = $1"  # noqa: S105 - a statement

_INSERT_ENTRY = (
    f"insert into audit_entries (tenant_id, {', '.join(AuditEntry.__struct_fields__)}) "
    f"values ({', '.join(f'${each + 1}' for each in range(1 + len(AuditEntry.__struct_fields__)))})"
)

_SETTINGS = msgspec.json.Decoder(TenantSettings)
_TENANT_IDS = msgspec.json.Decoder(tuple[int, ...])
_GRANTS = msgspec.json.Decoder(Grants)


def _tenant(row: tuple[Any, ...]) -> Tenant:
    tenant_id, site_id, name, created, settings = row
    return Tenant(tenant_id, site_id, name, created, _SETTINGS.decode(settings))


def read_key(row: tuple[Any, ...]) -> ApiKey:
    """The key in a row of the columns of keys."""
    key_id, name, created, tenant_ids, grants, expires, revoked = row
    return ApiKey(
        id=key_id,
        name=name,
        created=created,
        tenant_ids=_TENANT_IDS.decode(tenant_ids),
        grants=_GRANTS.decode(grants),
        expires=expires,
        revoked=revoked,
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _guid(text: str) -> str:
    guid = guid_in(text)
    if guid is None:
        rule = ViolatedRule.FORMAT
        raise Invalid.because("siteId", "must be a GUID", rule, data={"type": "GUID"})
    return guid


def _require_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > NAME_LENGTH_MAX:
        raise Invalid.because("name", f"must have 1 to {NAME_LENGTH_MAX} printable characters")


def _require_size(field: str, size: int, size_min: int, size_max: int) -> None:
    if size < size_min:
        data = {"threshold": size_min}
        raise Invalid.because(field, f"needs {size_min} or more", ViolatedRule.MIN_SIZE, data=data)
    if size > size_max:
        data = {"threshold": size_max}
        raise Invalid.because(field, f"takes at most {size_max}", ViolatedRule.MAX_SIZE, data=data)
