"""``benefits console``: who may use the console."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Protocol, TypeVar

import typer

from benefit_programs.cli.addresses import reachable, url_of
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.operating import Url, call_service, require_one_place
from benefit_programs.cli.options import (
    TENANT_ID_MAX,
    DatabaseUrl,
    DataDir,
    answers,
    database_settings,
)
from benefit_programs.cli.output import Answer, instant
from benefit_programs.cli.remote import ApiKey, SiteId
from benefit_programs.cli.roles import role_of
from benefit_programs.cli.welcome import sign_in_link
from benefit_programs.client import AsyncBenefitPrograms
from benefit_programs.client import ConsoleUser as AnsweredUser
from benefit_programs.client import Role as AnsweredRole
from benefit_programs.config import URL_VARIABLE
from benefit_programs.storage.console import ConsoleDirectory, ConsoleUser, user_called
from benefit_programs.storage.directory import DEFAULT_TENANT_ID

T = TypeVar("T")

commands = typer.Typer(
    name="console", no_args_is_help=True, help="Say who may use the pages of the console."
)


class Users(Protocol):
    """What commands know of the console's users, wherever those are."""

    async def invite(
        self, name: str, *, tenant_id: int | None, role: str, email: str | None
    ) -> tuple[ConsoleUser, str]:
        """The user, and a link that signs in once."""
        ...

    async def users(self) -> list[ConsoleUser]: ...

    async def revoke(self, name_or_id: str, *, tenant_id: int | None) -> ConsoleUser: ...


class AskUsers(Protocol):
    """Calls a function on the users of the console."""

    def __call__(self, work: Callable[[Users], Awaitable[T]], /) -> T: ...


def _users(
    *,
    url: Url = None,
    api_key: ApiKey = None,
    site_id: SiteId = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> AbstractContextManager[AskUsers]:
    require_one_place(url, data_dir, database_url)

    def ask(work: Callable[[Users], Awaitable[T]]) -> T:
        if url is None:
            return _on_database(data_dir, database_url, work)
        return call_service(url, api_key, site_id, lambda each: work(_AtService(each, url)))

    return nullcontext(ask)


def _on_database(
    data_dir: str | None, database_url: str | None, work: Callable[[Users], Awaitable[T]]
) -> T:
    from benefit_programs.bootstrap import open_console_users  # noqa: PLC0415 - loads everything
    from benefit_programs.cli.operator import operator  # noqa: PLC0415

    settings = database_settings(data_dir, database_url)
    address = os.environ.get(URL_VARIABLE) or reachable(url_of(settings.host, settings.port))

    async def run() -> T:
        async with open_console_users(settings, actor=operator()) as users:
            return await work(_OnDatabase(users, address))

    return asyncio.run(run())


class _OnDatabase:
    def __init__(self, users: ConsoleDirectory, address: str) -> None:
        self._users = users
        self._address = address

    async def invite(
        self, name: str, *, tenant_id: int | None, role: str, email: str | None
    ) -> tuple[ConsoleUser, str]:
        user, secret = await self._users.invite(
            name, tenant_id=tenant_id or DEFAULT_TENANT_ID, role=role, email=email
        )
        return user, sign_in_link(self._address, secret)

    async def users(self) -> list[ConsoleUser]:
        return await self._users.users()

    async def revoke(self, name_or_id: str, *, tenant_id: int | None) -> ConsoleUser:
        everybody = await self._users.users()
        user = user_called(
            (each for each in everybody if tenant_id in (None, each.tenant_id)), name_or_id
        )
        return await self._users.revoke(user.id, tenant_id=user.tenant_id)


class _AtService:
    def __init__(self, client: AsyncBenefitPrograms, address: str) -> None:
        self._users = client.console_users
        self._address = address

    async def invite(
        self, name: str, *, tenant_id: int | None, role: str, email: str | None
    ) -> tuple[ConsoleUser, str]:
        _require_no_tenant(tenant_id)
        made = await self._users.invite(name, role=AnsweredRole(role), email=email)
        return _user(made.console_user), self._address.rstrip("/") + made.sign_in_path

    async def users(self) -> list[ConsoleUser]:
        return [_user(each) async for each in self._users.query(sort=["created_date"])]

    async def revoke(self, name_or_id: str, *, tenant_id: int | None) -> ConsoleUser:
        _require_no_tenant(tenant_id)
        user = user_called(await self.users(), name_or_id)
        return _user(await self._users.revoke(user.id))


def _require_no_tenant(tenant_id: int | None) -> None:
    if tenant_id is not None:
        raise WrongUsage("--tenant is for databases: name a tenant of a service by --site-id")


def _user(user: AnsweredUser) -> ConsoleUser:
    return ConsoleUser(
        id=user.id,
        tenant_id=0,
        name=user.name,
        role=user.role,
        email=user.email,
        created=round(user.created_date.timestamp() * 1000),
        revoked=None if user.revoked_date is None else round(user.revoked_date.timestamp() * 1000),
    )


@answers(commands, "invite", _users)
def invite(
    ask: AskUsers,
    name: Annotated[str, typer.Argument(help="A name for people.")],
    *,
    role: Annotated[
        str,
        typer.Option("--role", help="reader, front-desk, manager or operator.", metavar="ROLE"),
    ],
    tenant: Annotated[
        int | None,
        typer.Option(
            "--tenant",
            min=1,
            max=TENANT_ID_MAX,
            help="The tenant that it is for. Default: 1.",
            metavar="ID",
        ),
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(
            "--email", help="What a proxy with single sign-on knows the user by.", metavar="ADDRESS"
        ),
    ] = None,
) -> Answer:
    """Give somebody access, and print a link that signs in once, within 15 minutes.

    Whoever has access already gets a new link. On the database the link begins with what
    BENEFITS_URL names, or with where the service listens.
    """
    wanted = role_of(role)
    user, link = ask(lambda each: each.invite(name, tenant_id=tenant, role=wanted, email=email))
    line = f"\n{link}\n\nIt signs {user.name} in once, within 15 minutes."
    return Answer({"user": _document(user), "link": link}, COLUMNS, [_row(user)], line)


@answers(commands, "list", _users)
def list_users(ask: AskUsers) -> Answer:
    """List everybody who has or had access, the oldest first."""
    users = ask(lambda each: each.users())
    return Answer({"users": [*map(_document, users)]}, COLUMNS, [*map(_row, users)])


@answers(commands, "revoke", _users)
def revoke(
    ask: AskUsers,
    user: Annotated[str, typer.Argument(help="The name of the user, or the id.")],
    *,
    tenant: Annotated[
        int | None,
        typer.Option(
            "--tenant", min=1, max=TENANT_ID_MAX, help="The tenant of the name.", metavar="ID"
        ),
    ] = None,
) -> Answer:
    """Take somebody's access away for good. All sessions end at once."""
    found = ask(lambda each: each.revoke(user, tenant_id=tenant))
    return Answer(_document(found), COLUMNS, [_row(found)])


COLUMNS = ("ID", "NAME", "ROLE", "TENANT", "EMAIL", "CREATED", "REVOKED")


def _row(user: ConsoleUser) -> tuple[Any, ...]:
    created, revoked = instant(user.created), instant(user.revoked)
    return (user.id, user.name, user.role, user.tenant_id or None, user.email, created, revoked)


def _document(user: ConsoleUser) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        **({"tenantId": user.tenant_id} if user.tenant_id else {}),
        "email": user.email,
        "createdDate": instant(user.created),
        "revokedDate": instant(user.revoked),
    }
