"""The calendar of one program in a few lines, worked out by wall clocks and lists of pauses.

It knows no agenda, cursor or moved timetable. Before anything is asked of it, time is let pass: the
earliest thing that is due happens, then the next, until nothing is due.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.support.clock import DAY
from tests.support.lots_model import NEVER, Pool

if TYPE_CHECKING:
    from tests.support.lots_model import Lot, Redemption, Reservation, Terms

RESUMES, PAUSES, ENDS, RENEWS = range(4)
KINDS = {"RESUME": RESUMES, "PAUSE": PAUSES, "END": ENDS}
MINUTE = timedelta(minutes=1)
YEARS_MAX = 9
"""The longest time from one leap year to the next, and one more."""


def wall_of(at: int, zone: str) -> datetime:
    """What a clock on the wall shows at an instant."""
    seconds, milliseconds = divmod(at, 1000)
    shown = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone))
    return shown.replace(tzinfo=None, microsecond=milliseconds * 1000)


def instant_of(wall: datetime, zone: str) -> int:
    """The first instant at which the clock on the wall shows this or more."""
    guess = wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    found = _milliseconds(guess)
    if wall_of(found, zone) == wall:
        return found
    start = guess.replace(second=0, microsecond=0) - timedelta(hours=3)
    minutes = (_milliseconds(start + each * MINUTE) for each in range(6 * 60))
    return next(each for each in minutes if wall_of(each, zone) >= wall)


def begin_of(year: int, zone: str) -> int:
    return instant_of(datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None), zone)


def _milliseconds(when: datetime) -> int:
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@cache
def instant_of_grid(anchor: int, zone: str, every: tuple[str, int], times: int) -> int:
    """So many times a number of units after an anchor."""
    unit, number = every[0], every[1] * times
    if unit == "hours":
        return anchor + number * 3_600_000
    wall = wall_of(anchor, zone)
    if unit == "days":
        return instant_of(wall + timedelta(days=number), zone)
    years, month = divmod(wall.month - 1 + number, 12)
    year, month = wall.year + years, month + 1
    day = min(wall.day, calendar.monthrange(year, month)[1])
    return instant_of(wall.replace(year=year, month=month, day=day), zone)


@dataclass(frozen=True)
class Renewals:
    """How often a program renews; the anchor lies so many hours after its begin."""

    every: tuple[str, int]
    anchor_hours: int | None = None
    cycles: int | None = None
    stays: bool = False


@dataclass(frozen=True)
class Dates:
    """The dates of a program; ``ends_hours`` after its begin it ends."""

    zone: str
    renewals: Renewals | None = None
    ends_hours: int | None = None
    stops: bool = False
    paused_days: int | None = None


@dataclass(eq=False)
class Change:
    """What is to happen to a program at a date; ``number`` is its place among all of them."""

    number: int
    kind: str
    date: int
    until: float = NEVER
    status: str = "WAITING"
    reason: str | None = None
    id: str = ""

    @property
    def order(self) -> tuple[float, int, float]:
        return self.date, KINDS[self.kind], self.number


@dataclass(eq=False)
class Cascade:
    """Terms of a definition's revision, which reach the pool at a date, or when it renews then."""

    date: int
    terms: Terms
    revision: int
    at_renewal: bool
    status: str = "WAITING"
    id: str = ""


def lives(terms: Terms) -> tuple[int | None, int | None]:
    """How long credits live that come or come back: all that counts between renewals."""
    return terms.expires_after, terms.returns_live


class CalendarPool(Pool):
    """A pool whose clock may stand still, and whose terms may change."""

    program: Program
    status = "ACTIVE"
    revision = 1
    pending: Cascade | None = None
    stopped: float | None = None
    has_other_lives = False
    """Whether other terms have come that count before its next renewal, too."""

    def __post_init__(self) -> None:
        self.now: float = self.created
        self.dated: dict[Lot, float] = {}
        self.granted: list[float] = []
        super().__post_init__()

    def pass_until(self, now: float) -> None:
        """Let all happen that is due, in the pool's program first."""
        self.program.pass_until(int(now))

    def settle(self, now: float) -> None:
        """Let all happen that is due in the pool itself, unless the clock stands still."""
        if self.stopped is None:
            super().pass_until(now)
        self.now = now

    def stop(self, at: float) -> None:
        """Let nothing come due from now on."""
        self.settle(at)
        self.stopped = at

    def add(self, origin: str, amount: int, **more: float) -> Lot:
        """A lot; it is kept as of when its dates were said."""
        lot = super().add(origin, amount, **more)
        self.dated[lot] = self.now
        return lot

    def stood(self, lot: Lot) -> float:
        """For how long the clock has stood by now since a lot's dates were said."""
        return 0 if self.stopped is None else self.now - max(self.stopped, self.dated[lot])

    def begin_of(self, lot: Lot) -> float:
        """When a lot begins if the clock goes on now."""
        return lot.effective + (self.stood(lot) if lot.state == "FUTURE" else 0)

    def end_at(self, lot: Lot, end: float) -> None:
        """Let a lot end at another instant, said as of now."""
        if end != lot.expires:
            lot.effective = self.begin_of(lot)
            self.dated[lot] = self.now
            super().end_at(lot, end)

    def redeem(self, price: int, count: int) -> Redemption | None:
        return super().redeem(price, count) if self.status == "ACTIVE" else None

    def reserve(self, price: int, count: int, expires: float) -> Reservation | None:
        return super().reserve(price, count, expires) if self.status == "ACTIVE" else None

    def go_on(self, at: float) -> None:
        """Move all dates by the time for which they were there, and the clock stood still."""
        stopped = self.stopped
        if stopped is None:
            return
        for lot in self.lots[1:]:
            if not lot.lapsed:
                lot.effective = self.begin_of(lot)
                lot.expires += self.stood(lot)
        for held in self.reservations:
            held.expires += (at - stopped) if held.state == "OPEN" else 0
        self.stopped = None

    def lives(self, lot: Lot, until: float) -> bool:
        """While the clock stands, a lot ends as much later as it has stood."""
        return lot is self.standard or lot.expires + self.stood(lot) >= until

    def follow(self, cascade: Cascade) -> None:
        """Take over the terms of a definition, unless newer ones have come or wait."""
        self.settle(cascade.date)
        waiting = 0 if self.pending is None else self.pending.revision
        newest = max(self.revision, waiting) if cascade.at_renewal else self.revision
        if self.status == "ENDED" or cascade.revision <= newest:
            return
        if cascade.at_renewal:
            self.pending = cascade
            return
        self.has_other_lives |= lives(self.terms) != lives(cascade.terms)
        self._take(cascade)
        if waiting < cascade.revision:
            self.pending = None

    def _take(self, cascade: Cascade) -> None:
        self.terms, self.revision = cascade.terms, cascade.revision

    def renew(self, now: float) -> None:
        """Bring it into its next cycle, with what waits for that."""
        self.settle(now)
        if self.pending is not None:
            self._take(self.pending)
            self.pending = None
        super().renew(now)
        if self.terms.amount:
            self.granted.append(now)

    def shorten(self, lot: Lot, end: float) -> None:
        """While the clock stands, what rolled over has its life before it."""
        super().shorten(lot, end - self.stood(lot))


@dataclass(eq=False)
class Program:
    """A program with one pool, from its begin on."""

    dates: Dates
    begin: int
    pool: CalendarPool
    status: str = "ACTIVE"
    number: int = 0
    cycle: int = 0
    cycle_start: int = 0
    moved: int = 0
    anchor: int = 0
    ends: float = NEVER
    since: int | None = None
    until: float = NEVER
    pauses: list[tuple[int, int]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    cascades: list[Cascade] = field(default_factory=list)
    slugs: list[str] = field(default_factory=lambda: ["created+provisioned"])

    def __post_init__(self) -> None:
        self.pool.program = self
        self.pool.status = self.status
        if self.status == "PAUSED":
            self.since = self.begin
            self.pool.stopped = self.begin if self.dates.stops else None
        if self.dates.ends_hours is not None:
            self.ends = self.begin + self.dates.ends_hours * 3_600_000
        renewals = self.dates.renewals
        if renewals is not None:
            self.anchor = self.begin + (renewals.anchor_hours or 0) * 3_600_000
            self.start_cycle(1, self.begin)

    # What comes next

    def start_cycle(self, cycle: int, at: int) -> None:
        """Begin a cycle, and look for the next instant of the timetable."""
        self.cycle, self.cycle_start = cycle, at
        while self._grid(self.number) <= at:
            self.number += 1

    def _grid(self, number: int) -> int:
        renewals = self.dates.renewals
        assert renewals is not None
        every = renewals.every
        return self.moved + instant_of_grid(self.anchor, self.zone, every, number)

    @property
    def zone(self) -> str:
        """That of the timetable; without one it is the tenant's."""
        return "UTC" if self.dates.renewals is None else self.dates.zone

    @property
    def is_last(self) -> bool:
        renewals = self.dates.renewals
        return renewals is None or (renewals.cycles is not None and self.cycle >= renewals.cycles)

    @property
    def next_renewal(self) -> int | None:
        """The begin of the next cycle, unless the program is over by then."""
        following = None if self.is_last else self._grid(self.number)
        return None if following is None or following >= self.ends else following

    @property
    def end(self) -> float:
        """The end that somebody set, or that of the last cycle, if that is earlier."""
        renewals = self.dates.renewals
        if renewals is None or renewals.stays or renewals.cycles is None:
            return self.ends
        return min(self.ends, self._grid(self.number + renewals.cycles - self.cycle))

    @property
    def resumes(self) -> float:
        """When a pause ends by itself: as said, or when its days are used up."""
        return min(self.until, self.days_end(self.since)) if self.since is not None else NEVER

    def days_end(self, since: int) -> float:
        """When the days of a year are used up that a pause from an instant on takes."""
        days, zone = self.dates.paused_days, self.zone
        if days is None:
            return NEVER
        first = wall_of(since, zone).year
        for year in range(first, first + YEARS_MAX):
            start, end = (begin_of(each, zone) for each in (year, year + 1))
            used = sum(max(0, min(b, end) - max(a, start)) for a, b in self.pauses)
            is_up = max(start, since) + days * DAY - used
            if is_up < end:
                return max(is_up, since)
        return NEVER

    def next_date(self) -> tuple[float, int, float]:
        """What happens next by itself, and when; the last is the number of a change, if it is one.

        At one instant a change comes before what the program does without one.
        """
        found: list[tuple[float, int, float]] = [(NEVER, RENEWS, NEVER)]
        if self.status == "ENDED":
            return found[0]
        found += [each.order for each in self.changes if each.status == "WAITING"]
        if self.since is not None:
            found.append((self.resumes, RESUMES, NEVER))
        if self.since is None or not self.dates.stops:
            found.append((self.end, ENDS, NEVER))
            found.append((self.next_renewal or NEVER, RENEWS, NEVER))
        return min(found)

    def next_cascade(self) -> Cascade | None:
        """The cascade whose date comes next."""
        waiting = [each for each in self.cascades if each.status == "WAITING"]
        return min(waiting, key=lambda each: (each.date, each.revision), default=None)

    def next_instant(self) -> float:
        """When anything at all happens next."""
        cascade = self.next_cascade()
        return min(self.next_date()[0], NEVER if cascade is None else cascade.date)

    def pass_until(self, now: int) -> None:
        """Let all happen that is due by now, each at its own instant: cascades first."""
        while (at := self.next_instant()) <= now:
            cascade = self.next_cascade()
            if cascade is not None and cascade.date == at:
                cascade.status = "DONE"
                self.pool.follow(cascade)
            else:
                self._happen(*self.next_date())
        self.pool.settle(now)

    def _happen(self, when: float, kind: int, number: float) -> None:
        at, until = int(when), NEVER
        if number != NEVER:
            change = self.changes[int(number)]
            change.reason, until = self.refusal_of(change.kind, at), change.until
            change.status = "DONE" if change.reason is None else "REFUSED"
            if change.reason is not None:
                return
        if kind == RESUMES:
            self.resume(at)
        elif kind == PAUSES:
            self.pause(at, until)
        elif kind == ENDS:
            self.finish(at)
        else:
            self._renew_by_timetable(at)

    def refusal_of(self, kind: str, at: int) -> str | None:
        """Why the program can't pause, resume or end at an instant, if so."""
        allowed = {"PAUSE": ["ACTIVE"], "RESUME": ["PAUSED"], "END": ["ACTIVE", "PAUSED"]}
        if self.status not in allowed[kind]:
            return "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"
        if kind == "PAUSE" and self.days_end(at) <= at:
            return "PAUSED_DAYS_USED_UP"
        return None

    def _renew_by_timetable(self, at: int) -> None:
        self.number += 1
        self.start_cycle(self.cycle + 1, at)
        if self.since is None:
            self.renew(at)
        else:
            self.slugs.append("updated")

    # What happens

    def renew(self, at: int) -> None:
        """A renewal, by the timetable or by hand."""
        self.pool.renew(at)
        self.slugs.append("updated+renewed")

    def restart(self, at: int) -> None:
        """Count the timetable from now on anew, or from the end of a pause if the clock stands."""
        begin = at if self.since is None or not self.dates.stops else self.since
        self.anchor, self.moved, self.number = begin, 0, 0
        self.start_cycle(1, self.anchor)
        self.cycle_start = at

    def pause(self, at: int, until: float = NEVER) -> None:
        self.status = self.pool.status = "PAUSED"
        self.since, self.until = at, until
        self.slugs.append("updated+paused")
        if self.dates.stops:
            self.pool.stop(at)

    def resume(self, at: int) -> None:
        """Go on; with a clock that stood still all that lies ahead is as much later."""
        assert self.since is not None
        self.pauses.append((self.since, at))
        self.pool.settle(at)
        if self.dates.stops:
            self.moved += at - self.since
            self.ends += at - self.since
            self.pool.go_on(at)
        self.since, self.until = None, NEVER
        self.status = self.pool.status = "ACTIVE"
        self.slugs.append("updated+resumed")

    def finish(self, at: int) -> None:
        self.pool.settle(at)
        self.pool.go_on(at)
        self.status = self.pool.status = "ENDED"
        self.pool.pending = None
        for each in self.changes:
            each.status = "WITHDRAWN" if each.status == "WAITING" else each.status
        self.slugs.append("updated+ended")
