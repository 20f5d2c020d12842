"""The one gate of the console: who comes in, and which requests may change something.

A browser shows a session by a cookie, or a trusted proxy names the user. A request that changes
something must come from a page of the console itself: browsers say so, and pages can't forge it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from benefit_programs.api.authentication import anybody_with, principal_with
from benefit_programs.api.errors import Forbidden
from benefit_programs.api.methods import METHODS
from benefit_programs.api.roles import ROLES, grants_of, principal_of
from benefit_programs.api.throttling import Throttle
from benefit_programs.config import Network
from benefit_programs.console.visit import Visitor
from benefit_programs.domain.audit_rows import PrincipalKind, Who
from benefit_programs.domain.directory import Role
from benefit_programs.domain.values import Identity, IdentityType, Instant
from benefit_programs.storage.console import ConsoleDirectory, ConsoleUser
from benefit_programs.storage.directory import (
    ApiKey,
    Directory,
    Tenant,
    UnknownKey,
    UnknownTenant,
    hash_secret,
)

SIGN_INS_PER_SECOND_MAX = 1
SIGN_INS_AT_ONCE_MAX = 10
"""How often one address may try to sign in."""

KEY_LENGTH_MAX = 512

EMAIL_HEADER = "x-forwarded-email"

COOKIE_SAFE = "__Host-benefits-console"
COOKIE_PLAIN = "benefits-console"
"""The cookie of the session: where the browser keeps secrets, and on this machine without TLS."""


class NotInvited(Exception):
    """A proxy has named somebody who is no user of the console."""

    def __init__(self, email: str) -> None:
        super().__init__(email)
        self.email = email


class Gate:
    """Tells who comes, and signs people in. ``clock`` is asked whether keys have expired."""

    def __init__(
        self,
        users: ConsoleDirectory,
        directory: Directory,
        *,
        clock: Callable[[], Instant],
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self._users = users
        self._directory = directory
        self._clock = clock
        self._trusted = trusted_proxies
        self._throttle: Throttle[str] = Throttle(SIGN_INS_PER_SECOND_MAX, SIGN_INS_AT_ONCE_MAX)

    def now(self) -> Instant:
        return self._clock()

    async def visitor(self, request: Request) -> Visitor | None:
        """Who has signed in. Raises NotInvited for a stranger whom a trusted proxy names.

        A session says for which tenant somebody works whom a proxy names and several tenants know.
        """
        secret = request.cookies.get(cookie_of(request))
        named = await self._named_by_proxy(request)
        if len(named) == 1:
            return await self._as_user(named[0], None)
        session = await self._users.session(secret) if secret else None
        if session is None:
            return None
        if named:
            chosen = next((each for each in named if each.id == session.user_id), None)
            return await self._as_user(chosen, secret) if chosen else None
        if session.key_id is not None:
            return await self._as_key(await self._key(session.key_id), secret)
        user = await self._users.user(session.user_id) if session.user_id else None
        return await self._as_user(user, secret) if user else None

    async def choices(self, request: Request) -> dict[str, str]:
        """For which tenants somebody may work whom a proxy names: names by the ids of users."""
        tenants = {
            each.id: await self._tenant(each.tenant_id)
            for each in await self._named_by_proxy(request)
        }
        return {user_id: tenant.name for user_id, tenant in tenants.items() if tenant}

    async def choose(self, user_id: str) -> str:
        """A session for one of the choices."""
        return await self._users.open_session(user_id=user_id)

    async def _named_by_proxy(self, request: Request) -> list[ConsoleUser]:
        """The users whom a trusted proxy names; none if there is no such proxy.

        Raises NotInvited if there is no user with the address.
        """
        email = request.headers.get(EMAIL_HEADER)
        if not email or not self._is_trusted(request):
            return []
        users = await self._users.users_of_email(email)
        if not users:
            raise NotInvited(email)
        return users

    def address(self, request: Request) -> str:
        """The client's address; a trusted proxy's last word about it, if it says any."""
        peer = request.client.host if request.client else ""
        told = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
        return told if told and self._is_trusted(request) else peer

    async def invited(self, secret: str) -> ConsoleUser | None:
        return await self._users.invited(secret)

    async def accept(self, secret: str, address: str) -> str | None:
        """A session for a link's secret, which is used up. Raises TooManyRequests."""
        self._throttle.admit(address)
        user = await self._users.accept(secret)
        return await self._users.open_session(user_id=user.id) if user else None

    async def take_key(self, secret: str, address: str) -> str | None:
        """A session for an API key that has the rights of a role. Raises TooManyRequests."""
        self._throttle.admit(address)
        if not secret or len(secret) > KEY_LENGTH_MAX:
            return None
        key = await self._directory.key_by_hash(hash_secret(secret))
        visitor = await self._as_key(key, None)
        return await self._users.open_session(key_id=key.id) if key and visitor else None

    async def close(self, secret: str) -> None:
        await self._users.close_session(secret)

    async def _key(self, key_id: str) -> ApiKey | None:
        try:
            return await self._directory.key(key_id)
        except UnknownKey:
            return None

    async def _as_user(self, user: ConsoleUser, session: str | None) -> Visitor | None:
        if user.revoked is not None or user.role not in set(Role):
            return None
        role = Role(user.role)
        tenant = await self._tenant(user.tenant_id)
        if tenant is None:
            return None
        principal = principal_of(user, tenant)
        return Visitor(name=user.name, role=role, principal=principal, session=session)

    async def _as_key(self, key: ApiKey | None, session: str | None) -> Visitor | None:
        if key is None or not key.is_valid(at=self._clock()):
            return None
        role = _role_of(key)
        tenant = await self._tenant(key.tenant_ids[0])
        if role is None or tenant is None:
            return None
        who = Who(PrincipalKind.API_KEY, key.id)
        principal = principal_with(tenant, key.id, grants_of(role, key.grants.identity), who)
        return Visitor(name=key.name, role=role, principal=principal, session=session)

    async def _tenant(self, tenant_id: int) -> Tenant | None:
        try:
            return await self._directory.tenant(tenant_id)
        except UnknownTenant:
            return None

    def _is_trusted(self, request: Request) -> bool:
        try:
            peer = ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        return any(peer in network for network in self._trusted)


def _role_of(key: ApiKey) -> Role | None:
    """The largest role of which the key allows everything."""
    holder = anybody_with(key.grants)
    fitting = (
        role
        for role in reversed(ROLES)
        if all(holder.may_call(METHODS[name]) for name in _methods_of(role))
    )
    return next(fitting, None)


@cache
def _methods_of(role: Role) -> tuple[str, ...]:
    """What a user of a role may call."""
    user = anybody_with(grants_of(role, Identity(IdentityType.WIX_USER, "")))
    return tuple(name for name, method in METHODS.items() if user.may_call(method))


def require_from_here(request: Request) -> None:
    """Raise Forbidden for a change that no page of this very address asks for."""
    if request.method not in ("GET", "HEAD") and not _is_from_here(request):
        raise Forbidden


def _is_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def is_plain_loopback(request: Request) -> bool:
    """Whether the browser is on this machine and speaks to it without TLS."""
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    is_here = name in ("localhost", "127.0.0.1", "::1")
    return is_here and request.headers.get("x-forwarded-proto", "http") == "http"


def is_secure(request: Request) -> bool:
    """Whether the browser keeps the cookie: not where it says that it came without TLS."""
    return is_plain_loopback(request) or not request.headers.get("origin", "").startswith("http:")


def cookie_of(request: Request) -> str:
    return COOKIE_PLAIN if is_plain_loopback(request) else COOKIE_SAFE
