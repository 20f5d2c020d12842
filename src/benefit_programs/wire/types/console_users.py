"""Who may use the console of a tenant."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import ReadOnly, Text
from benefit_programs.domain.directory import NAME_LENGTH_MAX, Role
from benefit_programs.domain.people.rows import EMAIL_LENGTH_MAX
from benefit_programs.wire.types.common import (
    CursorPagingMetadata,
    EntityId,
    QueryRequest,
    Timestamp,
)

ConsoleUserName = Annotated[str, Text(min_length=1, max_length=NAME_LENGTH_MAX)]
Email = Annotated[str, Text(min_length=1, max_length=EMAIL_LENGTH_MAX)]


class ConsoleUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may use the console, or might once."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    name: ConsoleUserName | None = None
    role: Role | None = None
    email: Email | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    revoked_date: Annotated[Timestamp, ReadOnly()] | None = None


class InviteConsoleUserRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give somebody access to the console of the tenant, by a link that signs in once.

    Whoever has access already gets a new link. The role allows no more than the caller has.
    """

    name: ConsoleUserName
    role: Role
    email: Email | None = None


class InviteConsoleUserResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The user, and the link as a path of the service. The link is shown only here."""

    console_user: ConsoleUser | None = None
    sign_in_path: str | None = None
    expiration_date: Timestamp | None = None


class QueryConsoleUsersRequest(QueryRequest, frozen=True, kw_only=True):
    """Find who may use the console of the tenant, and who might once."""


class QueryConsoleUsersResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of users."""

    console_users: tuple[ConsoleUser, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class RevokeConsoleUserRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Take somebody's access away for good. All sessions end at once."""

    console_user_id: EntityId


class RevokeConsoleUserResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The user as it is now."""

    console_user: ConsoleUser | None = None
