"""The calendar of a program: what its dates are made from.

``ProgramTerms`` is what a program definition, or whoever provisions, says; ``Calendar`` is a
program's own copy, with how far its timetable has come. See docs/concepts/calendar.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.constraints import (
    Duration,
    InstantText,
    Int32,
    Required,
    TimeZone,
)
from benefit_programs.domain.values import Instant, Updates

RENEWAL_HOURS_MIN = 1
"""How long a cycle of a timetable must be at the least, in hours."""

CYCLES_MAX = 10_000
"""How many cycles a timetable may have that has an end."""

PAUSED_DAYS_MAX = 366
"""The largest ``pausedDaysMax``: a whole year."""


class WhilePaused(StrEnum):
    """What becomes of a program's dates while it is paused: the clock runs on, or stops."""

    RUN = "RUN"
    STOP = "STOP"


class AtEnd(StrEnum):
    """What becomes of a program whose last cycle is over."""

    END = "END"
    STAY = "STAY"


class RenewalConfiguration(msgspec.Struct, frozen=True, omit_defaults=True):
    """When programs renew by themselves."""

    every: Annotated[str, Duration(hours_min=RENEWAL_HOURS_MIN), Required()]
    anchor: Annotated[Instant, InstantText()] | None = None
    time_zone: Annotated[str, TimeZone()] | None = None
    cycles: Annotated[int, Int32(minimum=1, maximum=CYCLES_MAX)] | None = None
    at_end: AtEnd | None = None


class ProgramTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """The dates of programs to come. Exactly one of the two ends is given, or none."""

    renewal_configuration: RenewalConfiguration | None = None
    end_date: Annotated[Instant, InstantText()] | None = None
    ends_after: Annotated[str, Duration()] | None = None
    while_paused: WhilePaused | None = None
    paused_days_max: Annotated[int, Int32(minimum=1, maximum=PAUSED_DAYS_MAX)] | None = None


TERMS = ProgramTerms.__struct_fields__
"""The names of what is said about dates, wherever it is said."""


def terms_of(stated: Any) -> ProgramTerms | None:
    """What an object with fields of these names says about dates; None if that is nothing."""
    terms = ProgramTerms(**{name: getattr(stated, name) for name in TERMS})
    return None if terms == ProgramTerms() else terms


def changed_terms(terms: ProgramTerms | None, updates: Updates) -> ProgramTerms | None:
    """The terms after an update. One of the two ends takes the place of the other."""
    given = {name: updates[name] for name in TERMS if name in updates}
    for name, other in (("end_date", "ends_after"), ("ends_after", "end_date")):
        if given.get(name) is not None:
            given[other] = None
    after = replace(terms or ProgramTerms(), **given)
    return None if after == ProgramTerms() else after


def merged(general: ProgramTerms | None, own: ProgramTerms | None) -> ProgramTerms | None:
    """The terms of a program: its own, and else those of its definition. Either end counts once."""
    if general is None or own is None:
        return own or general
    has_end = own.end_date is not None or own.ends_after is not None
    ends = own if has_end else general
    return ProgramTerms(
        renewal_configuration=own.renewal_configuration or general.renewal_configuration,
        end_date=ends.end_date,
        ends_after=ends.ends_after,
        while_paused=own.while_paused or general.while_paused,
        paused_days_max=own.paused_days_max or general.paused_days_max,
    )


class Timetable(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a program renews: ``anchor`` and what lies once, twice, ... ``every`` after it.

    ``cycles`` is how many cycles there are at the most. Pauses have moved all of it by ``shift``
    milliseconds. See domain/timetables.py.
    """

    every: str
    anchor: Instant
    time_zone: str
    cycles: int | None = None
    at_end: AtEnd = AtEnd.END
    shift: int = 0

    @property
    def configuration(self) -> RenewalConfiguration:
        """What makes such a timetable, as long as no pause has moved it."""
        return RenewalConfiguration(
            every=self.every,
            anchor=self.anchor,
            time_zone=self.time_zone,
            cycles=self.cycles,
            at_end=self.at_end,
        )


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the dates of one program stand.

    ``index`` is the place in the timetable of the next instant, ``cycle`` the number of the current
    cycle (from 1 on; 0 without a timetable) and ``cycle_start`` its begin. ``ends`` is the end that
    somebody set, ``last_end`` that of the last cycle. ``paused`` milliseconds of the calendar year
    ``paused_year`` are used up by pauses that are over.
    """

    time_zone: str
    timetable: Timetable | None = None
    index: int = 0
    cycle: int = 0
    cycle_start: Instant = 0
    ends: Instant | None = None
    last_end: Instant | None = None
    while_paused: WhilePaused = WhilePaused.RUN
    paused_days_max: int | None = None
    paused_since: Instant | None = None
    paused_until: Instant | None = None
    paused_year: int = 0
    paused: int = 0
