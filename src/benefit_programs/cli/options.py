"""Options that several commands have, and how they become settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from benefit_programs.config import Settings, read_settings

if TYPE_CHECKING:
    from benefit_programs.storage.directory import Directory

T = TypeVar("T")

# Values are read by `config`, so that a wrong one is told in the same way wherever it came from.
DataDir = Annotated[
    str | None,
    typer.Option("--data-dir", help="Folder of the SQLite file.", metavar="FOLDER"),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option("--database-url", help="sqlite:///... or postgresql://...", metavar="URL"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TenantId = Annotated[int, typer.Option("--tenant", help="The id of the tenant.", metavar="ID")]


def database_settings(data_dir: str | None, database_url: str | None) -> Settings:
    """The settings of a command that only works on the database."""
    from benefit_programs.bootstrap import config_logging  # noqa: PLC0415 - loads everything

    # How many processes serve is no matter of a command's.
    settings = read_settings({"data_dir": data_dir, "database_url": database_url, "workers": 1})
    config_logging(settings.log_format)
    return settings


def with_directory(settings: Settings, work: Callable[[Directory], Awaitable[T]]) -> T:
    """Do some work with the directory, and close it."""
    from benefit_programs.bootstrap import open_directory  # noqa: PLC0415 - loads everything

    async def run() -> T:
        async with open_directory(settings) as directory:
            return await work(directory)

    return asyncio.run(run())
