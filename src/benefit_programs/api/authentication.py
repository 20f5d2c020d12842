"""Who is calling: from the authorization header to a principal (contract: Credentials).

A key is found by the hash of its secret, so nothing compares secrets character by character, and
what a look-up found is kept for half a second at most: a key that another process revoked is
refused within a second, one that this process revoked at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from benefit_programs.api.errors import Forbidden, Unauthenticated
from benefit_programs.api.method import OPERATING, Method, Scope
from benefit_programs.domain.audit_rows import PrincipalKind, Who
from benefit_programs.domain.errors import Invalid, ViolatedRule
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.values import Identity, IdentityType, Instant
from benefit_programs.storage.directory import (
    ApiKey,
    Directory,
    Grants,
    Tenant,
    UnknownTenant,
    hash_secret,
)

KEPT_SECONDS_MAX = 0.5
KEPT_ENTRIES_MAX = 10_000
SECRET_LENGTH_MAX = 512

_BEARER = "bearer "

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose key was accepted, and the tenant that it acts for.

    ``who`` is whom the audit names.
    """

    key_id: str
    tenant_id: int
    site_id: str
    settings: TenantSettings
    caller: Identity
    scopes: frozenset[str]
    permission_ids: frozenset[str]
    who: Who
    expires: Instant | None = None
    _judged: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
    """Of the methods that were asked for, whether the key allows them."""

    def may(self, scope: str, permission_ids: Collection[str] = ()) -> bool:
        """Whether the key allows a method of this scope and with these permission ids.

        MANAGE allows every scope but those of operators. A key that is narrowed must have all of
        the method's ids. To read jobs, their scope is enough: once they had no id.
        """
        is_included = Scope.MANAGE in self.scopes and scope not in OPERATING
        if scope not in self.scopes and not is_included:
            return False
        if not self.permission_ids or self.permission_ids.issuperset(permission_ids):
            return True
        return scope == Scope.READ_JOBS and scope in self.scopes

    def may_call(self, method: Method) -> bool:
        """Whether the key, and whom it stands for, allow a method."""
        allowed = self._judged.get(method.name)
        if allowed is None:
            allowed = self._judged[method.name] = self._allows(method)
        return allowed

    def _allows(self, method: Method) -> bool:
        ids = method.permission_ids
        needed = [(each,) for each in ids] if method.takes_any else [ids]
        return (
            any(self.may(method.scope, each) for each in needed)
            and (method.for_members or not self.is_member)
            and (self.is_administrator or not method.for_administrators)
        )

    @property
    def is_member(self) -> bool:
        """Whether a site member calls, who sees only what is their own."""
        return self.caller.type is IdentityType.MEMBER

    @property
    def is_administrator(self) -> bool:
        return self.caller.type is IdentityType.WIX_USER

    @property
    def is_app(self) -> bool:
        return self.caller.type is IdentityType.APP


def principal_with(
    tenant: Tenant, key_id: str, grants: Grants, who: Who, *, expires: Instant | None = None
) -> Principal:
    """Somebody who acts in a tenant with these grants."""
    return Principal(
        key_id=key_id,
        tenant_id=tenant.id,
        site_id=tenant.site_id,
        settings=tenant.settings,
        caller=grants.identity,
        scopes=frozenset(grants.scopes),
        permission_ids=frozenset(grants.permission_ids),
        who=who,
        expires=expires,
    )


_NOWHERE = Tenant(0, "", "", 0, TenantSettings())


def anybody_with(grants: Grants) -> Principal:
    """Somebody with these grants in no tenant, for questions about rights alone."""
    return principal_with(_NOWHERE, "", grants, Who(PrincipalKind.API_KEY))


def as_agent(principal: Principal) -> Principal:
    """The same caller, of whom the audit says that an agent acts with the key."""
    if principal.who.kind is not PrincipalKind.API_KEY:
        return principal
    return replace(principal, who=Who(PrincipalKind.AGENT, principal.key_id))


class Authenticator:
    """Tells who calls. ``clock`` is asked whether a key has expired, ``elapsed`` ages what is kept.

    Raises Unauthenticated for a key that is missing, unknown, expired or revoked; Forbidden for a
    site that a key of several tenants doesn't open; Invalid where such a key names no site.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Callable[[], Instant],
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._keys: _Kept[str, ApiKey] = _Kept(directory.key_by_hash, elapsed)
        self._sites: _Kept[str, Tenant] = _Kept(directory.tenant_of_site, elapsed)
        self._principals: _Kept[tuple[str, int], Principal] = _Kept(self._principal_of, elapsed)
        directory.on_change(self.forget)

    async def authenticate(self, authorization: str | None, site_id: str | None) -> Principal:
        """The principal for the values of the headers authorization and wix-site-id."""
        secret_hash = hash_secret(_secret_in(authorization))
        key = await self._keys.get(secret_hash)
        if key is None or not key.is_valid(at=self._clock()):
            raise Unauthenticated
        tenant_id = key.tenant_ids[0]
        if len(key.tenant_ids) > 1 or (site_id and _opens_all(key)):
            tenant_id = await self._chosen_tenant(key, site_id)
        principal = await self._principals.get((secret_hash, tenant_id))
        if principal is None:
            raise Unauthenticated
        return principal

    def forget(self) -> None:
        for kept in (self._keys, self._sites, self._principals):
            kept.clear()

    async def _chosen_tenant(self, key: ApiKey, site_id: str | None) -> int:
        if not site_id:
            rule = ViolatedRule.REQUIRED_FIELD
            raise Invalid.because(
                "wix-site-id", "must name the site, for the key has several", rule
            )
        tenant = await self._sites.get(site_id.lower())
        if tenant is None or not (_opens_all(key) or tenant.id in key.tenant_ids):
            raise Forbidden
        return tenant.id

    async def _principal_of(self, which: tuple[str, int]) -> Principal | None:
        secret_hash, tenant_id = which
        key = await self._keys.get(secret_hash)
        if key is None:
            return None
        try:
            tenant = await self._directory.tenant(tenant_id)
        except UnknownTenant:
            return None
        who = Who(PrincipalKind.API_KEY, key.id)
        return principal_with(tenant, key.id, key.grants, who, expires=key.expires)


def _opens_all(key: ApiKey) -> bool:
    """Whether a key is the installation's: the header then names any tenant, also a later one."""
    grants = key.grants
    return Scope.INSTALLATION in grants.scopes and grants.identity.type is IdentityType.WIX_USER


def _secret_in(authorization: str | None) -> str:
    secret = (authorization or "").strip()
    if secret[: len(_BEARER)].lower() == _BEARER:
        secret = secret[len(_BEARER) :].strip()
    if not secret or len(secret) > SECRET_LENGTH_MAX:
        raise Unauthenticated
    return secret


class _Kept(Generic[K, V]):
    """What look-ups found, for half a second; look-ups at the same time are one.

    Nothing is kept of what isn't there: keys that somebody makes up displace no real ones.
    """

    def __init__(
        self, look_up: Callable[[K], Awaitable[V | None]], elapsed: Callable[[], float]
    ) -> None:
        self._look_up = look_up
        self._elapsed = elapsed
        self._found: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._under_way: dict[K, tuple[float, asyncio.Task[V | None]]] = {}

    async def get(self, key: K) -> V | None:
        """What there is for a key, as it was half a second ago or later."""
        now = self._elapsed()
        entry = self._found.get(key)
        if entry is not None and now < entry[0]:
            return entry[1]
        until, task = self._under_way.get(key, (now, None))
        # A look-up that takes longer than that may have seen what was there before.
        if task is None or until <= now:
            until = now + KEPT_SECONDS_MAX
            task = asyncio.get_running_loop().create_task(self._find(key, until))
            self._under_way[key] = until, task
            task.add_done_callback(lambda done: self._finish(key, done))
        # One caller who goes away must not take the answer from the others.
        return await asyncio.shield(task)

    def clear(self) -> None:
        self._found.clear()
        self._under_way.clear()

    async def _find(self, key: K, until: float) -> V | None:
        value = await self._look_up(key)
        # After a change meanwhile, the task is no longer listed, and what it found may be old.
        if value is not None and self._is_listed(key, asyncio.current_task()):
            self._found[key] = (until, value)
            self._found.move_to_end(key)
            if len(self._found) > KEPT_ENTRIES_MAX:
                self._found.popitem(last=False)
        return value

    def _is_listed(self, key: K, task: asyncio.Task[Any] | None) -> bool:
        return key in self._under_way and self._under_way[key][1] is task

    def _finish(self, key: K, task: asyncio.Task[Any]) -> None:
        if self._is_listed(key, task):
            del self._under_way[key]
        if not task.cancelled():
            # Seen here in case that everybody who waited for it has gone away.
            task.exception()
