"""Options of several commands, and a way to write commands as functions that return an answer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, get_type_hints

import typer

from benefit_programs.cli.output import Answer
from benefit_programs.config import Settings, read_settings

if TYPE_CHECKING:
    from benefit_programs.storage.directory import Directory

T = TypeVar("T")

# Values are read by `config`, so that a wrong one gets the same line wherever it came from.
DataDir = Annotated[
    str | None,
    typer.Option("--data-dir", help="Folder of the SQLite file.", metavar="FOLDER"),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="sqlite:///... or postgresql://...", metavar="URL"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TENANT_ID_MAX = 2**63 - 1
"""The largest number that the databases hold."""

TenantId = Annotated[
    int,
    typer.Option("--tenant", min=1, max=TENANT_ID_MAX, help="The id of the tenant.", metavar="ID"),
]

Answering = Callable[..., Answer | None]
"""What doesn't answer has printed everything itself."""
Register = Callable[[Answering], Answering]


class Ask(Protocol):
    """Calls a function on the directory, and closes it."""

    def __call__(self, work: Callable[[Directory], Awaitable[T]], /) -> T: ...


def answers(
    commands: typer.Typer,
    name: str,
    opened: Callable[..., AbstractContextManager[Any]],
    *,
    only_json: bool = False,
    **how: Any,
) -> Register:
    """Register a command: a function from an opened resource and options to an answer.

    The command has the options of the function, those of ``opened``, and ``--json`` unless it
    prints nothing else.
    """

    def register(function: Answering) -> Answering:
        own, shared = _parameters_of(function)[1:], _parameters_of(opened)

        @wraps(function)
        def run(*, as_json: bool = only_json, **given: Any) -> None:
            with opened(**{each.name: given.pop(each.name) for each in shared}) as subject:
                answer = function(subject, **given)
            if answer is not None:
                answer.print(as_json=as_json)
                if answer.code:
                    raise typer.Exit(answer.code)

        json = inspect.Parameter("as_json", _KEYWORD, default=False, annotation=AsJson)
        parameters = [*own, *shared] if only_json else [*own, *shared, json]
        vars(run)["__signature__"] = inspect.Signature(parameters)
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        commands.command(name, **how)(run)
        return function

    return register


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    return [each.replace(kind=_KEYWORD, annotation=hints[each.name]) for each in parameters]


def asks_directory(commands: typer.Typer, name: str) -> Register:
    """Register a command of the directory: a function that takes ``Ask`` and options."""
    return answers(commands, name, _directory)


def _directory(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> AbstractContextManager[Ask]:
    return nullcontext(directory_of(data_dir, database_url))


def directory_of(data_dir: str | None, database_url: str | None) -> Ask:
    """What calls functions on the directory of the database that options or settings name."""

    def ask(work: Callable[[Directory], Awaitable[T]]) -> T:
        from benefit_programs.bootstrap import open_directory  # noqa: PLC0415 - loads everything
        from benefit_programs.cli.operator import operator  # noqa: PLC0415

        settings = database_settings(data_dir, database_url)

        async def run() -> T:
            async with open_directory(settings, actor=operator()) as directory:
                return await work(directory)

        return asyncio.run(run())

    return ask


def database_settings(data_dir: str | None, database_url: str | None) -> Settings:
    """The settings of a command that only works on the database."""
    from benefit_programs.bootstrap import config_logging  # noqa: PLC0415 - loads everything

    # How many processes serve is no matter of a command's.
    settings = read_settings({"data_dir": data_dir, "database_url": database_url, "workers": 1})
    config_logging(settings.log_format)
    return settings
