"""Who may use the console of the caller's tenant."""

from __future__ import annotations

from benefit_programs.api.call import Call, metadata_of
from benefit_programs.api.method import OPERATE, POST, method
from benefit_programs.api.roles import grants_of, require_within
from benefit_programs.domain.directory import Role
from benefit_programs.domain.directory_errors import ConsoleUserNotFound
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage import specs
from benefit_programs.storage.console import (
    INVITATION_MILLISECONDS_MAX,
    ConsoleUser,
    UnknownConsoleUser,
    read_user,
    sign_in_path,
)
from benefit_programs.wire.types import console_users as wire


@method(
    "inviteConsoleUser",
    POST,
    "/benefit-programs/v1/console-users/invite",
    OPERATE,
    "BENEFIT_PROGRAMS.CONSOLE_USER_MANAGE",
    for_administrators=True,
    is_addition=True,
)
async def invite(
    call: Call, request: wire.InviteConsoleUserRequest
) -> wire.InviteConsoleUserResponse:
    """A user outlives the key that invites, so a key that ends invites nobody."""
    anybody = Identity(IdentityType.WIX_USER, "")
    require_within(call.principal, grants_of(request.role, anybody), None)
    user, secret = await call.services.console_users.invite(
        request.name,
        tenant_id=call.tenant_id,
        role=request.role,
        email=request.email,
        actor=call.actor,
    )
    return wire.InviteConsoleUserResponse(
        console_user=_shown(user),
        sign_in_path=sign_in_path(secret),
        expiration_date=call.services.engine.now() + INVITATION_MILLISECONDS_MAX,
    )


@method(
    "queryConsoleUsers",
    POST,
    "/benefit-programs/v1/console-users/query",
    OPERATE,
    "BENEFIT_PROGRAMS.CONSOLE_USER_READ",
    spec=specs.console_users,
    for_administrators=True,
    is_addition=True,
)
async def query(
    call: Call, request: wire.QueryConsoleUsersRequest
) -> wire.QueryConsoleUsersResponse:
    found = await call.find(request.query, read_user)
    return wire.QueryConsoleUsersResponse(
        console_users=tuple(map(_shown, found.rows)), metadata=metadata_of(found.page)
    )


@method(
    "revokeConsoleUser",
    POST,
    "/benefit-programs/v1/console-users/{consoleUserId}/revoke",
    OPERATE,
    "BENEFIT_PROGRAMS.CONSOLE_USER_MANAGE",
    refuses=(ConsoleUserNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def revoke(
    call: Call, request: wire.RevokeConsoleUserRequest
) -> wire.RevokeConsoleUserResponse:
    users, user_id = call.services.console_users, request.console_user_id
    try:
        user = await users.revoke(user_id, tenant_id=call.tenant_id, actor=call.actor)
    except UnknownConsoleUser:
        raise ConsoleUserNotFound(console_user_id=user_id) from None
    return wire.RevokeConsoleUserResponse(console_user=_shown(user))


def _shown(user: ConsoleUser) -> wire.ConsoleUser:
    return wire.ConsoleUser(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        email=user.email,
        created_date=user.created,
        revoked_date=user.revoked,
    )
