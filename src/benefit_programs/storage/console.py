"""Who may use the console: users, the links that invite them, and their sessions.

Who gives access, and takes it away, is in the audit. Of links and sessions only hashes are stored.
Every change is one short statement in a transaction of its own, so that the command line may work
on a SQLite file that a server is serving. Nothing is cached: what is revoked is refused by the next
request.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import msgspec

from benefit_programs.domain.audit_rows import SERVICE, Actor, AuditEntity
from benefit_programs.domain.directory import NAME_LENGTH_MAX
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.ids import guid_in
from benefit_programs.domain.people.rows import EMAIL_LENGTH_MAX
from benefit_programs.domain.store import StoreConflict
from benefit_programs.domain.values import Id, Instant
from benefit_programs.storage.directory import (
    ATTEMPTS_MAX,
    SECRET_BYTES,
    Directory,
    DirectoryStore,
    Statement,
    hash_secret,
)

_MINUTE = 60_000
_HOUR = 60 * _MINUTE

INVITATION_MILLISECONDS_MAX = 15 * _MINUTE
"""How long a link may be used."""

SESSION_IDLE_MILLISECONDS_MAX = 12 * _HOUR
"""How long a session lasts without a request."""

SESSION_MILLISECONDS_MAX = 7 * 24 * _HOUR
"""How long a session lasts in all."""

SEEN_MILLISECONDS_MAX = _MINUTE
"""How far behind the stored time of the last request may be: not every request writes."""

FIRST_USER_ID = "00000000-0000-4000-8000-000000000002"
"""The id of the user whom a first start invites."""

FIRST_USER_NAME = "first user"


class ConsoleUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may use the console for one tenant."""

    id: Id
    tenant_id: int
    name: str
    role: str
    email: str | None = None
    """What a proxy with single sign-on knows the user by; in lower case, once in a tenant."""

    created: Instant
    revoked: Instant | None = None


class ConsoleInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that opens one session."""

    secret_hash: str
    user_id: Id
    expires: Instant
    used: Instant | None = None


class ConsoleSession(msgspec.Struct, frozen=True, kw_only=True):
    """A browser in which somebody has signed in: a user, or who has an API key."""

    secret_hash: str
    user_id: Id | None = None
    key_id: Id | None = None
    created: Instant
    seen: Instant

    def is_open(self, *, at: Instant) -> bool:
        return (
            at < self.seen + SESSION_IDLE_MILLISECONDS_MAX
            and at < self.created + SESSION_MILLISECONDS_MAX
        )


def sign_in_path(secret: str) -> str:
    """The link that an invitation's secret makes, without the address of the service."""
    return f"/console/sign-in?token={secret}"


class UnknownConsoleUser(LookupError):
    """No user of the console has this id or name."""


class ConsoleDirectory:
    """The users of the console in a store. ``clock`` says when something happened.

    ``actor`` is who gives and takes access, where a call doesn't name another one.
    """

    def __init__(
        self, store: DirectoryStore, *, clock: Callable[[], Instant], actor: Actor = SERVICE
    ) -> None:
        self._store = store
        self._clock = clock
        self._directory = Directory(store, clock=clock, actor=actor)

    # Users.

    async def invite(
        self,
        name: str,
        *,
        tenant_id: int,
        role: str,
        email: str | None = None,
        actor: Actor | None = None,
    ) -> tuple[ConsoleUser, str]:
        """A user with a new link's secret. Whoever has the name in the tenant is invited again.

        Raises UnknownTenant, and Invalid for a bad name or address, for an address that somebody
        else of the tenant has, and if the user has another role or address: revoke that one first.
        """
        _require_text("name", name, NAME_LENGTH_MAX)
        if email is not None:
            email = email.strip().lower()
            _require_text("email", email, EMAIL_LENGTH_MAX)
        await self._directory.tenant(tenant_id)
        await self._remove_old_links()
        for _ in range(ATTEMPTS_MAX):
            user = await self._user_named(name, tenant_id)
            if user is not None:
                _require_same(user, role=role, email=email)
                return user, await self._invite_again(user, actor)
            other = await self._user_with(email, tenant_id) if email is not None else None
            if other is not None and other.name != name:
                raise Invalid.because("email", "is that of another user")
            if other is not None:
                continue  # another call has just made the user
            user = self._new_user(str(uuid4()), name, tenant_id, role, email)
            secret = await self._invite_new(user, actor)
            if secret is not None:
                return user, secret
        raise StoreConflict("others kept being invited")

    async def invite_first(self, tenant_id: int, role: str) -> str | None:
        """A link for the first user of all, with its secret; nothing if there has been any."""
        if await self._store.fetch_quick("select 1 from console_users limit 1", ()):
            return None
        first = self._new_user(FIRST_USER_ID, FIRST_USER_NAME, tenant_id, role)
        return await self._invite_new(first, None)

    async def users(self) -> list[ConsoleUser]:
        """All users, the oldest first, those that are revoked too."""
        return [read_user(row) for row in await self._store.fetch_quick(_USERS, ())]

    async def user(self, user_id: str) -> ConsoleUser | None:
        guid = guid_in(user_id)
        if guid is None:
            return None
        rows = await self._store.fetch_quick(f"{_SELECT_USER} where id = $1", (guid,))
        return read_user(rows[0]) if rows else None

    async def users_of_email(self, email: str) -> list[ConsoleUser]:
        """The users with this address who aren't revoked, the oldest first: one a tenant."""
        sql = f"{_SELECT_USER} where email = $1 and revoked is null order by created, id"
        rows = await self._store.fetch_quick(sql, (email.strip().lower(),))
        return [read_user(row) for row in rows]

    async def revoke(
        self, user_id: str, *, tenant_id: int, actor: Actor | None = None
    ) -> ConsoleUser:
        """End the access of a tenant's user for good, and all sessions.

        Raises UnknownConsoleUser, also for another tenant's.
        """
        user = await self.user(user_id)
        if user is None or user.tenant_id != tenant_id:
            raise UnknownConsoleUser(f"The console has no user {user_id!r}.")
        sql = (
            "update console_users set revoked = $1 "
            "where id = $2 and tenant_id = $3 and revoked is null returning id"
        )
        then = [
            ("delete from console_sessions where user_id = $1", (user.id,)),
            *await self._told(actor, "revokeConsoleUser", user),
        ]
        await self._store.execute(sql, (self._clock(), user.id, tenant_id), then=then)
        return await self.user(user.id) or user

    # Links.

    async def invited(self, secret: str) -> ConsoleUser | None:
        """Whom a link invites, if it can still be used; this doesn't use it."""
        sql = (
            "select cast(user_id as text) from console_invitations "
            "where secret_hash = $1 and used is null and expires > $2"
        )
        rows = await self._store.fetch_quick(sql, (hash_secret(secret), self._clock()))
        user = await self.user(rows[0][0]) if rows else None
        return user if user is not None and user.revoked is None else None

    async def accept(self, secret: str) -> ConsoleUser | None:
        """Use a link up, and tell whom it has invited; nothing for one that is used or old."""
        user = await self.invited(secret)
        sql = (
            "update console_invitations set used = $1 "
            "where secret_hash = $2 and used is null and expires > $3 returning user_id"
        )
        now = self._clock()
        used = await self._store.execute(sql, (now, hash_secret(secret), now))
        return user if used else None

    # Sessions.

    async def open_session(self, *, user_id: str | None = None, key_id: str | None = None) -> str:
        """Begin a session, and return its secret. Sessions that are over are removed."""
        now = self._clock()
        over = (now - SESSION_IDLE_MILLISECONDS_MAX, now - SESSION_MILLISECONDS_MAX)
        await self._store.execute(
            "delete from console_sessions where seen <= $1 or created <= $2", over
        )
        secret = secrets.token_urlsafe(SECRET_BYTES)
        sql = (
            "insert into console_sessions (secret_hash, user_id, key_id, created, seen) "
            "values ($1, $2, $3, $4, $5)"
        )
        await self._store.execute(sql, (hash_secret(secret), user_id, key_id, now, now))
        return secret

    async def session(self, secret: str) -> ConsoleSession | None:
        """The open session with this secret; its time without a request begins anew."""
        sql = (
            "select secret_hash, cast(user_id as text), cast(key_id as text), created, seen "
            "from console_sessions where secret_hash = $1"
        )
        rows = await self._store.fetch_quick(sql, (hash_secret(secret),))
        if not rows:
            return None
        secret_hash, user_id, key_id, created, seen = rows[0]
        session = ConsoleSession(
            secret_hash=secret_hash, user_id=user_id, key_id=key_id, created=created, seen=seen
        )
        now = self._clock()
        if not session.is_open(at=now):
            return None
        if now - seen >= SEEN_MILLISECONDS_MAX:
            sql = "update console_sessions set seen = $1 where secret_hash = $2"
            await self._store.execute(sql, (now, secret_hash))
        return session

    async def close_session(self, secret: str) -> None:
        sql = "delete from console_sessions where secret_hash = $1"
        await self._store.execute(sql, (hash_secret(secret),))

    async def _user_named(self, name: str, tenant_id: int) -> ConsoleUser | None:
        sql = (
            f"{_SELECT_USER} where tenant_id = $1 and name = $2 and revoked is null "
            "order by created, id limit 1"
        )
        rows = await self._store.fetch_quick(sql, (tenant_id, name))
        return read_user(rows[0]) if rows else None

    async def _user_with(self, email: str, tenant_id: int) -> ConsoleUser | None:
        found = await self.users_of_email(email)
        return next((each for each in found if each.tenant_id == tenant_id), None)

    def _new_user(
        self, user_id: str, name: str, tenant_id: int, role: str, email: str | None = None
    ) -> ConsoleUser:
        return ConsoleUser(
            id=user_id,
            tenant_id=tenant_id,
            name=name,
            role=role,
            email=email,
            created=self._clock(),
        )

    async def _invite_new(self, user: ConsoleUser, actor: Actor | None) -> str | None:
        """Store a user with a link, whose secret it is; nothing if somebody got ahead of it."""
        sql = (
            "insert into console_users (id, tenant_id, name, role, email, created) "
            "values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id"
        )
        values = (user.id, user.tenant_id, user.name, user.role, user.email, user.created)
        secret, link = self._link_for(user)
        told = await self._told(actor, "inviteConsoleUser", user)
        return secret if await self._store.execute(sql, values, then=[link, *told]) else None

    async def _invite_again(self, user: ConsoleUser, actor: Actor | None) -> str:
        secret, (sql, values) = self._link_for(user)
        told = await self._told(actor, "inviteConsoleUser", user)
        await self._store.execute(sql, values, then=told)
        return secret

    def _link_for(self, user: ConsoleUser) -> tuple[str, Statement]:
        """The secret of a new link, and what stores the link."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        sql = (
            "insert into console_invitations (secret_hash, user_id, expires) "
            "values ($1, $2, $3) returning secret_hash"
        )
        expires = self._clock() + INVITATION_MILLISECONDS_MAX
        return secret, (sql, (hash_secret(secret), user.id, expires))

    async def _remove_old_links(self) -> None:
        sql = "delete from console_invitations where expires <= $1"
        await self._store.execute(sql, (self._clock(),))

    async def _told(self, actor: Actor | None, method: str, user: ConsoleUser) -> list[Statement]:
        tenant = await self._directory.tenant(user.tenant_id)
        kind = AuditEntity.CONSOLE_USER
        return self._directory.entries(actor, method, (tenant,), kind, user.id)


USER_COLUMNS = "cast(u.id as text), u.tenant_id, u.name, u.role, u.email, u.created, u.revoked"
"""What ``read_user`` reads of ``console_users u``."""

_SELECT_USER = f"select {USER_COLUMNS} from console_users u"
_USERS = f"{_SELECT_USER} order by created, id"


def read_user(row: tuple[Any, ...]) -> ConsoleUser:
    """The user in a row of the columns of users."""
    user_id, tenant_id, name, role, email, created, revoked = row
    return ConsoleUser(
        id=user_id,
        tenant_id=tenant_id,
        name=name,
        role=role,
        email=email,
        created=created,
        revoked=revoked,
    )


def user_called(users: Iterable[ConsoleUser], name_or_id: str) -> ConsoleUser:
    """The one with this id; else whose name it is, of those who aren't revoked if there are any.

    Raises UnknownConsoleUser if there is none, Invalid if there are several.
    """
    everybody = list(users)
    found = [each for each in everybody if each.id == name_or_id]
    found = found or [each for each in everybody if each.name == name_or_id]
    found = [each for each in found if each.revoked is None] or found
    if not found:
        raise UnknownConsoleUser(f"The console has no user {name_or_id!r}.")
    if len(found) > 1:
        raise Invalid.because("name", "is that of several users; name the id")
    return found[0]


def _require_same(user: ConsoleUser, *, role: str, email: str | None) -> None:
    """Raise Invalid if somebody is invited again as somebody else."""
    if user.role != role:
        raise Invalid.because("role", f"differs: {user.name} is {user.role} already; revoke first")
    if email not in (None, user.email):
        raise Invalid.because("email", f"differs from that of {user.name}; revoke first")


def _require_text(field: str, text: str, length_max: int) -> None:
    if not text.strip() or not text.isprintable() or len(text) > length_max:
        raise Invalid.because(field, f"must have 1 to {length_max} printable characters")
