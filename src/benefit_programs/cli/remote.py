"""Commands that call the service like other clients: over HTTP, or on a database in this process.

A command is a function that takes a client and its own options, and returns its answer.
``calls_service`` adds the options for the address of the service and for printing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, TypeVar

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.operator import operator
from benefit_programs.cli.options import DatabaseUrl, DataDir, Register, answers
from benefit_programs.cli.output import Answer
from benefit_programs.client import (
    AnonymousVisitor,
    BenefitPrograms,
    Identity,
    Member,
    WixUser,
)
from benefit_programs.client.core.options import inprocess
from benefit_programs.client.core.wire import to_wire
from benefit_programs.config import KEY_VARIABLE, URL_VARIABLE, read_settings

T = TypeVar("T")

Url = Annotated[
    str | None,
    typer.Option(
        "--url", help=f"The address of the service. Default: `{URL_VARIABLE}`.", metavar="URL"
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        help=f"The API key. Better set `{KEY_VARIABLE}`, which no process list shows.",
        metavar="KEY",
    ),
]
SiteId = Annotated[
    str | None,
    typer.Option(
        "--site-id", help="The site id of the tenant, for a key of several.", metavar="ID"
    ),
]
ROWS_MAX = 1_000_000
"""How many rows one call shows at the most; they are kept in memory until the end."""

COUNT_MAX = 2**31 - 1
"""The largest number of items that the wire takes."""

Limit = Annotated[
    int,
    typer.Option("--limit", min=1, max=ROWS_MAX, help="The largest number to show.", metavar="N"),
]
Count = Annotated[
    int | None,
    typer.Option(
        "--count", min=1, max=COUNT_MAX, help="The number of items. Default: 1.", metavar="N"
    ),
]
Namespace = Annotated[str | None, typer.Option("--namespace", help="Only of this namespace.")]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        help="Your key for this change: a second run with it changes nothing.",
        metavar="KEY",
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, for the audit.")]
MemberId = Annotated[
    str | None, typer.Option("--member", help="The beneficiary: a site member.", metavar="ID")
]
WixUserId = Annotated[
    str | None, typer.Option("--wix-user", help="The beneficiary: a Wix user.", metavar="ID")
]
VisitorId = Annotated[
    str | None,
    typer.Option("--visitor", help="The beneficiary: an anonymous visitor.", metavar="ID"),
]

ROWS_USUALLY = 50
_SERVICE_HINT = (
    f"Or call a service that runs: name it with {URL_VARIABLE} and {KEY_VARIABLE}, or with --url "
    "and --api-key."
)


def calls_service(commands: typer.Typer, name: str, **how: Any) -> Register:
    """Register a command of the service: a function that takes a client and options."""
    return answers(commands, name, connect, **how)


def connect(
    *,
    url: Url = None,
    api_key: ApiKey = None,
    site_id: SiteId = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> BenefitPrograms:
    """Connect to the service that options or the environment name.

    Open the database that an option names; else call an address, if there is one; else open the
    database of the settings. Raises WrongUsage, or SchemaError if there is no database.
    """
    names_database = data_dir is not None or database_url is not None
    if url and names_database:
        raise WrongUsage("--url names a service, and --data-dir or --database-url another: use one")
    address = url or (None if names_database else os.environ.get(URL_VARIABLE))
    if not address:
        _act_as_operator()
        return BenefitPrograms.open(_database(data_dir, database_url))
    key = key_for(address, api_key)
    try:
        return BenefitPrograms(address, key, site_id=site_id)
    except ValueError as error:
        raise WrongUsage(f"the service can't be called: {error}") from None


def key_for(address: str, api_key: str | None) -> str:
    """The key that the option or the environment has for an address. Raises WrongUsage."""
    key = api_key or os.environ.get(KEY_VARIABLE)
    if not key:
        raise WrongUsage(
            f"{address} needs an API key: set {KEY_VARIABLE}, or use --api-key "
            "(`benefits keys create` makes one)"
        )
    return key


def _act_as_operator() -> None:
    """Have the audit name who runs the command, on a database that this process opens."""
    inprocess().act_as(operator().who)


def _database(data_dir: str | None, database_url: str | None) -> str:
    # Only here: they load everything, which a caller of a service doesn't need.
    from benefit_programs.bootstrap import require_file  # noqa: PLC0415
    from benefit_programs.storage.schema import SchemaError  # noqa: PLC0415

    # Logs are for those who run servers: here only the answer counts.
    settings = read_settings({"data_dir": data_dir, "database_url": database_url, "workers": 1})
    try:
        asyncio.run(require_file(settings))
    except SchemaError as missing:
        raise SchemaError(f"{missing} {_SERVICE_HINT}") from None
    return str(settings.sqlite_path) if settings.is_sqlite else settings.url


def listing(
    name: str,
    columns: Sequence[str],
    rows: Iterable[T],
    row_of: Callable[[T], Sequence[Any]],
    *,
    limit: int,
) -> Answer:
    """The first rows of a query; a line says if there are more."""
    found = list(islice(rows, limit + 1))
    shown = found[:limit]
    more = f"Only the first {limit} are shown; --limit N shows more." if found[limit:] else ""
    document = {name: [to_wire(each) for each in shown], "hasMore": bool(more)}
    return Answer(document, columns, [row_of(each) for each in shown], more)


def entity(value: Any) -> Answer:
    return Answer(to_wire(value))


def beneficiary_of(
    member: str | None, wix_user: str | None, visitor: str | None
) -> Identity | None:
    """The beneficiary that the options name, if any. Raises WrongUsage for several."""
    kinds: list[tuple[type[Identity], str | None]] = [
        (Member, member),
        (WixUser, wix_user),
        (AnonymousVisitor, visitor),
    ]
    named = [kind(each) for kind, each in kinds if each is not None]
    if len(named) > 1:
        raise WrongUsage("only one of --member, --wix-user and --visitor can be the beneficiary")
    return named[0] if named else None


def conditions_of(**conditions: Any) -> Any:
    """A filter of the given conditions. Double underscores stand for dots."""
    return {
        name.replace("__", "."): value for name, value in conditions.items() if value is not None
    }


def instant_of(option: str, text: str | None) -> datetime | None:
    """Read an instant from an option. Raises WrongUsage if it isn't one."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise WrongUsage(f"{option}: must be a date and time with its zone, 2026-12-01T10:00:00Z")
    return found


def require_consent(question: str, *, yes: bool) -> None:
    """Ask whether to continue. Raises WrongUsage without a terminal, Abort for a no."""
    if yes:
        return
    if not os.isatty(0):
        raise WrongUsage("nobody is there to ask: use --yes")
    typer.confirm(question, abort=True, err=True)
