"""``benefits console``: who may use the console."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Protocol, TypeVar

import typer

from benefit_programs.cli.options import (
    TENANT_ID_MAX,
    DatabaseUrl,
    DataDir,
    answers,
    database_settings,
)
from benefit_programs.cli.output import Answer, instant
from benefit_programs.cli.roles import role_of
from benefit_programs.cli.welcome import sign_in_link
from benefit_programs.config import URL_VARIABLE, Settings
from benefit_programs.storage.console import ConsoleDirectory, ConsoleUser
from benefit_programs.storage.directory import DEFAULT_TENANT_ID

T = TypeVar("T")

commands = typer.Typer(
    name="console", no_args_is_help=True, help="Say who may use the pages of the console."
)


class AskUsers(Protocol):
    """Calls a function on the users of the console, with the settings of the command."""

    def __call__(self, work: Callable[[ConsoleDirectory, Settings], Awaitable[T]], /) -> T: ...


def _users(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> AbstractContextManager[AskUsers]:
    def ask(work: Callable[[ConsoleDirectory, Settings], Awaitable[T]]) -> T:
        from benefit_programs.bootstrap import (  # noqa: PLC0415 - loads everything
            open_console_users,
        )

        settings = database_settings(data_dir, database_url)

        async def run() -> T:
            async with open_console_users(settings) as users:
                return await work(users, settings)

        return asyncio.run(run())

    return nullcontext(ask)


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
        int,
        typer.Option(
            "--tenant", min=1, max=TENANT_ID_MAX, help="The tenant that it is for.", metavar="ID"
        ),
    ] = DEFAULT_TENANT_ID,
    email: Annotated[
        str | None,
        typer.Option(
            "--email", help="What a proxy with single sign-on knows the user by.", metavar="ADDRESS"
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar=URL_VARIABLE,
            help="The address of the service. Default: where it listens.",
            metavar="URL",
        ),
    ] = None,
) -> Answer:
    """Give somebody access, and print a link that signs in once, within 15 minutes.

    Whoever has access already gets a new link.
    """
    wanted = role_of(role)

    async def make(users: ConsoleDirectory, settings: Settings) -> tuple[ConsoleUser, str]:
        user, secret = await users.invite(name, tenant_id=tenant, role=wanted, email=email)
        return user, sign_in_link(url or f"http://{settings.host}:{settings.port}", secret)

    user, link = ask(make)
    line = f"\n{link}\n\nIt signs {user.name} in once, within 15 minutes."
    return Answer({"user": _document(user), "link": link}, COLUMNS, [_row(user)], line)


@answers(commands, "list", _users)
def list_users(ask: AskUsers) -> Answer:
    """List everybody who has or had access, the oldest first."""
    users = ask(lambda directory, _settings: directory.users())
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
    found = ask(lambda directory, _settings: directory.revoke(user, tenant_id=tenant))
    return Answer(_document(found), COLUMNS, [_row(found)])


COLUMNS = ("ID", "NAME", "ROLE", "TENANT", "EMAIL", "CREATED", "REVOKED")


def _row(user: ConsoleUser) -> tuple[Any, ...]:
    created, revoked = instant(user.created), instant(user.revoked)
    return (user.id, user.name, user.role, user.tenant_id, user.email, created, revoked)


def _document(user: ConsoleUser) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "role": user.role,
        "tenantId": user.tenant_id,
        "email": user.email,
        "createdDate": instant(user.created),
        "revokedDate": instant(user.revoked),
    }
