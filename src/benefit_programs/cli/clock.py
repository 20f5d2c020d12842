"""``benefits clock``: the clock of a sandbox."""

from __future__ import annotations

from typing import Annotated

import typer

from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import calls_service, entity, instant_of
from benefit_programs.client import BenefitPrograms

commands = typer.Typer(
    name="clock", no_args_is_help=True, help="Read the clock of a sandbox, and set it forward."
)


@calls_service(commands, "show", only_json=True)
def show_clock(client: BenefitPrograms) -> Answer:
    """Show the time of a sandbox, and where it is being set to, if it is."""
    return entity(client.clock.get())


@calls_service(commands, "set", only_json=True)
def set_clock(
    client: BenefitPrograms,
    date: Annotated[
        str, typer.Argument(help="The new time, not before the present one.", metavar="DATE")
    ],
) -> Answer:
    """Set the clock of a sandbox forward to a date. What is due until then happens."""
    at = instant_of("DATE", date)
    assert at is not None
    return entity(client.clock.set(at))


@calls_service(commands, "advance", only_json=True)
def advance_clock(
    client: BenefitPrograms,
    duration: Annotated[
        str, typer.Argument(help="By how much: P1M, P10D, PT12H.", metavar="DURATION")
    ],
) -> Answer:
    """Set the clock of a sandbox forward by a duration. What is due until then happens."""
    return entity(client.clock.advance(duration))
