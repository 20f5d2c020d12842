"""The timetable of a program to be read: what happens to it by itself, when and why.

It plays the dates of a program forward, with the functions that later make them happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec
import whenever
from msgspec.structs import replace

from benefit_programs.domain.calendars import Calendar, ProgramTerms
from benefit_programs.domain.entities import (
    LotOrigin,
    Pool,
    PoolStatus,
    Program,
    ProgramStatus,
)
from benefit_programs.domain.lookups import (
    CHANGES_OF_PROGRAM,
    LIVE_POOLS_OF_PROGRAM,
    ORDERS_OF_PROGRAM_DEFINITION,
    PROGRAM,
    SNAPSHOT,
)
from benefit_programs.domain.lots import own_fate
from benefit_programs.domain.opening import settled_status
from benefit_programs.domain.orders.log import ends_at_renewal
from benefit_programs.domain.orders.play import take_pending_action
from benefit_programs.domain.program_dates import (
    DateKind,
    ProgramDate,
    begun,
    dates_ahead,
    days_end,
    has_paused_days,
    paused,
    renewed,
    resumed,
)
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.values import Credits, Id, Instant

DATES_MAX = 100
"""How many instants a timetable shows at the most."""

DATES_DEFAULT = 24
"""How many it shows if nobody says."""

STEPS_MAX = 10_000
"""How many instants of a program it looks at, those that are over included."""

OUTLOOK_POOLS_MAX = 20
"""Of how many pools it shows the credits; of a program with more pools it shows none."""


class CreditsAtRenewal(msgspec.Struct, frozen=True, kw_only=True):
    """What a renewal does to the credits of a pool, as things are now."""

    pool_id: Id
    amount: Credits | None = None
    expiration_date: Instant | None = None
    rolls_over: bool = False
    balance_cap: Credits | None = None
    percent: Credits | None = None
    ends_pool: bool = False


class OutlookDate(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at an instant, and why. ``local`` is the wall clock's text, with its offset."""

    at: Instant
    local: str
    kind: DateKind
    cycle: int
    reason: str
    change_id: Id | None = None
    credits: tuple[CreditsAtRenewal, ...] = ()


class Outlook(NamedTuple):
    """The next dates of a program in its time zone."""

    time_zone: str
    dates: list[OutlookDate]


class ReadOutlook(msgspec.Struct, frozen=True):
    """The question for what a program's timetable shows."""

    program_id: Id

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(PROGRAM, self.program_id)
        needs.read(CHANGES_OF_PROGRAM, self.program_id)
        needs.read(LIVE_POOLS_OF_PROGRAM, self.program_id)
        program = state.loaded(PROGRAM, self.program_id)
        if program is not None and program.program_definition_id is not None:
            needs.read(ORDERS_OF_PROGRAM_DEFINITION, program.program_definition_id)
        for pool in state.known(LIVE_POOLS_OF_PROGRAM, self.program_id):
            needs.read(SNAPSHOT, pool.snapshot_id)
            if pool.renewal_snapshot_id is not None:
                needs.read(SNAPSHOT, pool.renewal_snapshot_id)


def outlook(state: State, program_id: Id, *, now: Instant, limit: int, zone: str) -> Outlook:
    """What happens to a program after now. Its credits follow the tenant's time zone."""
    program = require(state, PROGRAM, program_id)
    waiting = state.many(CHANGES_OF_PROGRAM, program_id)
    pools = state.many(LIVE_POOLS_OF_PROGRAM, program_id)
    brought = _Credits(state, pools if len(pools) <= OUTLOOK_POOLS_MAX else [], zone)
    settled = replace(program, status=settled_status(program), target_status=None)
    is_last = ends_at_renewal(state, program.program_definition_id)
    dates = _first(_played(settled, waiting, brought, ends_at_renewal=is_last), now, limit)
    return Outlook(program.calendar.time_zone if program.calendar else zone, dates)


def preview(terms: ProgramTerms, *, begin: Instant, limit: int, zone: str) -> Outlook:
    """What would happen to a program that is provisioned with these terms."""
    program = begun(
        Program(
            id="",
            revision=1,
            created=begin,
            updated=begin,
            status=ProgramStatus.ACTIVE,
            namespace="",
            external_id="",
        ),
        terms,
        begin,
        zone,
    )
    assert program.calendar is not None
    dates = _first(_played(program, (), _Credits(State(), [], zone)), begin, limit)
    return Outlook(program.calendar.time_zone, dates)


def _first(dates: Iterator[OutlookDate], after: Instant, limit: int) -> list[OutlookDate]:
    """The first dates after an instant."""
    looked_at = islice(dates, STEPS_MAX)
    return list(islice((each for each in looked_at if each.at > after), limit))


def _played(
    program: Program,
    changes: Iterable[ScheduledChange],
    brought: _Credits,
    *,
    ends_at_renewal: bool = False,
) -> Iterator[OutlookDate]:
    """All that happens to a program by itself, in its order."""
    waiting = list(changes)
    while ahead := dates_ahead(program, waiting):
        date = ahead[0]
        waiting = [each for each in waiting if each is not date.change]
        if not _is_allowed(program, date):
            continue
        ends = date.kind is DateKind.END or (date.kind is DateKind.RENEWAL and ends_at_renewal)
        after = program if ends else _after(program, date)
        yield _told(program, after, date, brought, ends=ends)
        if ends:
            return
        program = after


def _is_allowed(program: Program, date: ProgramDate) -> bool:
    """Whether what somebody has scheduled can be done when its instant comes."""
    if date.change is None or date.kind is DateKind.END:
        return True
    is_active = program.status is ProgramStatus.ACTIVE
    if date.kind is DateKind.RESUME:
        return not is_active
    return is_active and has_paused_days(program, date.at)


def _after(program: Program, date: ProgramDate) -> Program:
    match date.kind:
        case DateKind.RESUME:
            return replace(resumed(program, date.at), status=ProgramStatus.ACTIVE)
        case DateKind.PAUSE:
            until = date.change.until if date.change else None
            return replace(paused(program, date.at, until), status=ProgramStatus.PAUSED)
    return renewed(program, date.at)


def _told(
    program: Program, after: Program, date: ProgramDate, brought: _Credits, *, ends: bool
) -> OutlookDate:
    assert after.calendar is not None
    is_renewal = date.kind is DateKind.RENEWAL and not ends
    return OutlookDate(
        at=date.at,
        local=local_text(date.at, after.calendar.time_zone),
        kind=DateKind.END if ends else date.kind,
        cycle=after.calendar.cycle,
        reason=_reason(program, date, ends=ends),
        change_id=date.change.id if date.change else None,
        credits=brought.at_renewal(date.at) if is_renewal else (),
    )


def local_text(at: Instant, time_zone: str) -> str:
    """What the wall clock of a time zone shows at an instant, with its offset.

    In the first and the last hours of the calendar that of UTC, where the zone's has no date.
    """
    moment = whenever.Instant.from_timestamp(at, unit="millisecond")
    try:
        zoned = moment.to_tz(time_zone)
    except ValueError:
        zoned = moment.to_tz("UTC")
    return zoned.to_fixed_offset().format_iso()


# Why it happens.


def _reason(program: Program, date: ProgramDate, *, ends: bool) -> str:
    calendar = program.calendar
    assert calendar is not None
    if date.change is not None:
        return "a scheduled change"
    match date.kind:
        case DateKind.RESUME:
            return _why_resumed(calendar, date.at)
        case DateKind.END:
            return _why_ended(calendar, date.at)
        case DateKind.MISSED_RENEWAL:
            return f"{_grid(calendar)}; the program is paused, so nothing renews"
    if ends:
        return "the program definition is deleted: its programs end in place of a renewal"
    return _grid(calendar)


def _grid(calendar: Calendar) -> str:
    timetable = calendar.timetable
    assert timetable is not None
    moved = ", moved by pauses" if timetable.shift else ""
    since = local_text(timetable.anchor, timetable.time_zone)
    return f"the timetable: every {timetable.every} since {since}{moved}"


def _why_resumed(calendar: Calendar, at: Instant) -> str:
    if at == days_end(calendar):
        return f"the {calendar.paused_days_max} paused days of the year are used up"
    return "the pause was to last until then"


def _why_ended(calendar: Calendar, at: Instant) -> str:
    if at == calendar.ends or calendar.timetable is None:
        return "the end date of the program"
    return f"the last of {calendar.timetable.cycles} cycles is over"


# What becomes of credits.


class _Credits:
    """The pools of a program, with what each of its renewals brings them."""

    def __init__(self, state: State, pools: Iterable[Pool], time_zone: str) -> None:
        self._state = state
        self._pools = list(pools)
        self._time_zone = time_zone

    def at_renewal(self, at: Instant) -> tuple[CreditsAtRenewal, ...]:
        """What the next renewal does. A pool that it ends is no more."""
        renewed = [take_pending_action(pool) for pool in self._pools]
        self._pools = [pool for pool in renewed if pool.status is not PoolStatus.ENDED]
        return tuple(each for pool in renewed if (each := self._of(pool, at)) is not None)

    def _of(self, pool: Pool, at: Instant) -> CreditsAtRenewal | None:
        if pool.status is PoolStatus.ENDED:
            return CreditsAtRenewal(pool_id=pool.id, ends_pool=True)
        configuration = snapshot_of(self._state, pool).details.credit_configuration
        if configuration is None:
            return None
        fate = own_fate(configuration, LotOrigin.RENEWAL, at, self._time_zone)
        rollover = configuration.rollover_configuration
        rolls_over = rollover is not None and bool(rollover.enabled)
        return CreditsAtRenewal(
            pool_id=pool.id,
            amount=configuration.amount or 0,
            expiration_date=fate.expiration_date if fate else None,
            rolls_over=rolls_over,
            balance_cap=rollover.balance_cap if rollover and rolls_over else None,
            percent=rollover.percent if rollover and rolls_over else None,
        )
