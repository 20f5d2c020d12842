"""The options of commands that say when programs renew and end, and what timetables print."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.output import Answer
from benefit_programs.cli.remote import instant_of
from benefit_programs.client import AtEnd, RenewalConfiguration, Timetable, WhilePaused
from benefit_programs.client.core.wire import to_wire
from benefit_programs.domain.calendars import CYCLES_MAX, PAUSED_DAYS_MAX
from benefit_programs.domain.calendars import AtEnd as KnownAtEnd
from benefit_programs.domain.calendars import WhilePaused as KnownWhilePaused
from benefit_programs.domain.outlook import DATES_DEFAULT, DATES_MAX

Every = Annotated[
    str | None,
    typer.Option("--every", help="Renew by itself, so often: P1M, P2W, P1Y.", metavar="DURATION"),
]
Anchor = Annotated[
    str | None,
    typer.Option(
        "--anchor",
        help="Count the renewals from then (ISO 8601). Default: the begin.",
        metavar="DATE",
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option("--time-zone", help="The time zone of the renewals.", metavar="NAME"),
]
Cycles = Annotated[
    int | None,
    typer.Option("--cycles", min=1, max=CYCLES_MAX, help="How many cycles there are.", metavar="N"),
]
AfterCycles = Annotated[
    KnownAtEnd | None,
    typer.Option(
        "--at-end",
        help=f"After the last cycle: {' or '.join(KnownAtEnd)}. Default: END.",
        metavar="WHAT",
    ),
]
EndDate = Annotated[
    str | None, typer.Option("--end-date", help="When it ends (ISO 8601).", metavar="DATE")
]
EndsAfter = Annotated[
    str | None,
    typer.Option("--ends-after", help="How long after its begin it ends.", metavar="DURATION"),
]
Pausing = Annotated[
    KnownWhilePaused | None,
    typer.Option(
        "--while-paused",
        help=f"The clock of its dates in pauses: {' or '.join(KnownWhilePaused)}. Default: RUN.",
        metavar="WHAT",
    ),
]
PausedDaysMax = Annotated[
    int | None,
    typer.Option(
        "--paused-days-max",
        min=1,
        max=PAUSED_DAYS_MAX,
        help="For how many days of a year it may be paused.",
        metavar="DAYS",
    ),
]
Dates = Annotated[
    int,
    typer.Option("--limit", min=1, max=DATES_MAX, help="How many instants to show.", metavar="N"),
]
DATES_USUALLY = DATES_DEFAULT

COLUMNS = ("DATE", "WHAT", "CYCLE", "WHY")


def renewals(
    every: str | None,
    anchor: str | None,
    time_zone: str | None,
    cycles: int | None,
    at_end: KnownAtEnd | None,
) -> RenewalConfiguration | None:
    """The timetable that the options name, if any. Raises WrongUsage for one without --every."""
    if every is None:
        given = {
            "--anchor": anchor,
            "--time-zone": time_zone,
            "--cycles": cycles,
            "--at-end": at_end,
        }
        alone = [option for option, value in given.items() if value is not None]
        if alone:
            raise WrongUsage(f"{alone[0]} needs --every: how often does it renew?")
        return None
    return RenewalConfiguration(
        every=every,
        anchor=instant_of("--anchor", anchor),
        time_zone=time_zone,
        cycles=cycles,
        at_end=AtEnd(at_end) if at_end else None,
    )


def ends(
    end_date: str | None,
    ends_after: str | None,
    while_paused: KnownWhilePaused | None,
    paused_days_max: int | None,
) -> dict[str, Any]:
    """What the other options say, as arguments of the client's methods."""
    return {
        "end_date": instant_of("--end-date", end_date),
        "ends_after": ends_after,
        "while_paused": WhilePaused(while_paused) if while_paused else None,
        "paused_days_max": paused_days_max,
    }


def timetable_answer(timetable: Timetable) -> Answer:
    rows = [
        (each.local_date, each.kind, each.cycle_number, each.reason) for each in timetable.dates
    ]
    return Answer(to_wire(timetable), COLUMNS, rows)
