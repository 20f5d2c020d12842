"""``benefits keys``: the API keys of callers."""

from __future__ import annotations

import time
from typing import Annotated, Any
from uuid import uuid4

import typer
from msgspec.structs import replace

from benefit_programs.api.authentication import anybody_with
from benefit_programs.api.method import Scope
from benefit_programs.api.roles import grants_of, require_operable, usual_scopes
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.operating import AskAnywhere, asks_anywhere
from benefit_programs.cli.options import TENANT_ID_MAX
from benefit_programs.cli.output import Answer, instant
from benefit_programs.cli.roles import ROLES, role_of
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.directory import ApiKey, Grants
from benefit_programs.wire.codec.formats import Violated, read_instant

commands = typer.Typer(name="keys", no_args_is_help=True, help="Make, list and revoke API keys.")

SCOPES = {scope.name.lower().replace("_", "-"): scope for scope in Scope}

RoleName = Annotated[
    str | None,
    typer.Option(
        "--role",
        help=f"What it is for: {', '.join(ROLES)}. In place of scopes and permissions.",
        metavar="ROLE",
    ),
]
OfInstallation = Annotated[
    bool,
    typer.Option("--installation", help="It also makes tenants, and acts for each by its site id."),
]


@asks_anywhere(commands, "create")
def create_key(  # noqa: PLR0913 - an option each
    ask: AskAnywhere,
    name: Annotated[str, typer.Argument(help="A name for people.")],
    *,
    tenants: Annotated[
        list[int] | None,
        typer.Option(
            "--tenant",
            min=1,
            max=TENANT_ID_MAX,
            help="A tenant that the key opens; repeatable. Default: 1.",
            metavar="ID",
        ),
    ] = None,
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help=f"What it allows: {', '.join(SCOPES)}. Default: manage."),
    ] = None,
    role: RoleName = None,
    installation: OfInstallation = False,
    permissions: Annotated[
        list[str] | None,
        typer.Option("--permission", help="Narrow the key to this permission id; repeatable."),
    ] = None,
    app: Annotated[
        str | None, typer.Option("--app", help="The key stands for this app.", metavar="ID")
    ] = None,
    member: Annotated[
        str | None,
        typer.Option("--member", help="The key stands for this site member.", metavar="ID"),
    ] = None,
    administrator: Annotated[
        str | None,
        typer.Option(
            "--administrator", help="The key stands for this administrator.", metavar="ID"
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="When it expires (ISO 8601).")
    ] = None,
) -> Answer:
    """Make a key and print it. It can't be shown again: only its hash is stored.

    Without --app, --member or --administrator it stands for a new administrator. An app's key
    can't do what needs an administrator, such as changing settings. A member's key only reads:
    its default scope is read-limited. An operator's key makes further keys over HTTP.
    """
    identity = _identity(app, member, administrator)
    grants = _grants(identity, role, scopes or [], permissions or [], installation=installation)
    ends = _expiry(expires)
    new = ask(
        lambda each: each.create_key(
            name, tenant_ids=tenants or ask.usual_tenant_ids, grants=grants, expires=ends
        )
    )
    refused = _refused_methods(grants)
    line = f"\n{new.secret}\n\nKeep it: it is not shown again. {_allowed(refused)}"
    document = {"key": _document(new.key), "secret": new.secret, "refusedMethods": refused}
    return Answer(document, COLUMNS, [_row(new.key)], line)


@asks_anywhere(commands, "list")
def list_keys(ask: AskAnywhere) -> Answer:
    """List all keys without their secrets, the oldest first."""
    keys = ask(lambda each: each.keys())
    document = {"keys": [_document(key) for key in keys]}
    return Answer(document, COLUMNS, [_row(key) for key in keys])


@asks_anywhere(commands, "revoke")
def revoke_key(
    ask: AskAnywhere,
    key_id: Annotated[
        str, typer.Argument(help="The id of the key, as `benefits keys list` shows it.")
    ],
) -> Answer:
    """Revoke a key for good. Running servers refuse it within a second."""
    key = ask(lambda each: each.revoke_key(key_id))
    return Answer(_document(key), COLUMNS, [_row(key)])


COLUMNS = ("ID", "NAME", "TENANTS", "STANDS FOR", "SCOPES", "STATE", "CREATED")

_STANDS_FOR = {
    IdentityType.APP: "app",
    IdentityType.MEMBER: "member",
    IdentityType.WIX_USER: "administrator",
}


def _identity(app: str | None, member: str | None, administrator: str | None) -> Identity:
    given = zip(_STANDS_FOR, (app, member, administrator), strict=True)
    chosen = [Identity(kind, each) for kind, each in given if each is not None]
    if len(chosen) > 1:
        raise WrongUsage("--app, --member and --administrator exclude each other")
    if chosen and not (chosen[0].id.strip() and chosen[0].id.isprintable()):
        raise WrongUsage("the id of whom the key stands for must not be empty")
    return chosen[0] if chosen else Identity(IdentityType.WIX_USER, str(uuid4()))


def _grants(
    identity: Identity,
    role: str | None,
    scopes: list[str],
    permissions: list[str],
    *,
    installation: bool,
) -> Grants:
    """What options say. Raises WrongUsage, or Invalid if the identity can't have it."""
    if role is not None:
        if scopes or permissions:
            raise WrongUsage("--role stands in place of --scope and --permission")
        grants = grants_of(role_of(role), identity)
    else:
        grants = Grants(
            identity=identity,
            scopes=tuple(map(_scope, scopes)) or usual_scopes(identity),
            permission_ids=tuple(map(_permission, permissions)),
        )
    if installation:
        grants = replace(grants, scopes=(*grants.scopes, str(Scope.INSTALLATION)))
    require_operable(grants)
    return grants


def _scope(text: str) -> str:
    scope = SCOPES.get(text.lower(), text)
    if scope not in set(Scope):
        raise WrongUsage(f"--scope: must be one of {', '.join(SCOPES)}, not {text!r}")
    return str(scope)


def _permission(text: str) -> str:
    from benefit_programs.api.methods import METHODS  # noqa: PLC0415 - loads every handler

    if not any(text in method.permission_ids for method in METHODS.values()):
        raise WrongUsage(f"--permission: no method has the permission id {text!r}")
    return text


def _expiry(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        expires = read_instant(text)
    except Violated:
        message = f"--expires: must be a time such as 2027-01-31T00:00:00Z, not {text!r}"
        raise WrongUsage(message) from None
    if expires <= time.time() * 1000:
        raise WrongUsage("--expires: must lie in the future")
    return expires


_REFUSED_SHOWN = 40
"""How many methods that a new key may not call are named for people."""


def _refused_methods(grants: Grants) -> list[str]:
    """The methods that a key with these grants may not call."""
    from benefit_programs.api.methods import METHODS  # noqa: PLC0415 - loads every handler

    principal = anybody_with(grants)
    return [name for name, method in METHODS.items() if not principal.may_call(method)]


def _allowed(refused: list[str]) -> str:
    """What a new key may call, in words."""
    if not refused:
        return "It may call all methods."
    if len(refused) <= _REFUSED_SHOWN:
        return f"It may call all methods but {', '.join(refused)}."
    return f"It may not call {len(refused)} of the methods."


def _state(key: ApiKey) -> str:
    if key.revoked is not None:
        return f"revoked {instant(key.revoked)}"
    if key.expires is not None:
        is_over = key.expires <= time.time() * 1000
        return f"{'expired' if is_over else 'valid until'} {instant(key.expires)}"
    return "valid"


def _row(key: ApiKey) -> tuple[Any, ...]:
    grants = key.grants
    names = {str(scope): name for name, scope in SCOPES.items()}
    scopes = ", ".join(names.get(scope, scope) for scope in grants.scopes)
    narrowed = " (narrowed)" if grants.permission_ids else ""
    return (
        key.id,
        key.name,
        ", ".join(map(str, key.tenant_ids)),
        f"{_STANDS_FOR.get(grants.identity.type, '?')} {grants.identity.id}",
        scopes + narrowed,
        _state(key),
        instant(key.created),
    )


def _document(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        **({"tenantIds": key.tenant_ids} if key.tenant_ids else {}),
        "identity": {"type": key.grants.identity.type, "id": key.grants.identity.id},
        "scopes": key.grants.scopes,
        "permissionIds": key.grants.permission_ids,
        "createdDate": instant(key.created),
        "expiresDate": instant(key.expires),
        "revokedDate": instant(key.revoked),
    }
