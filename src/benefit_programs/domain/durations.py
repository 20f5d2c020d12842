"""Durations, as definitions write them: ISO 8601 texts such as P1M or PT12H.

Years, months, weeks and days move the wall clock of a time zone. Hours, minutes and seconds are
exact, and are added after them. A month later than the 31st is the last day of a shorter month. A
local time that doesn't exist is the first instant after the gap, and one that comes twice is the
first of the two.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import whenever

from benefit_programs.domain.values import DAY, Instant

DURATION_YEARS_MAX = 100
"""How many years a duration may have, all its units together."""

DURATION_LENGTH_MAX = 64
"""How many characters its text may have."""

DURATIONS_MAX = 1_000
"""How many parsed durations a process remembers."""

INSTANTS_MAX = 100
"""How many instants that lie later it remembers."""

FIRST_INSTANT = -62_135_596_800_000
LAST_INSTANT = 253_402_300_799_999

SECOND = 1_000
HOUR = 3_600 * SECOND
# A month of average length: a twelfth of 365.2425 days.
MONTH = 2_629_746 * SECOND

# No offset of a zone leads out of the calendar from here.
_INSIDE_FIRST = FIRST_INSTANT + 2 * DAY
_INSIDE_LAST = LAST_INSTANT - 2 * DAY


class Span(msgspec.Struct, frozen=True):
    """A duration in its three kinds of units, which can't be turned into each other."""

    months: int
    days: int
    milliseconds: int

    @property
    def is_exact(self) -> bool:
        """Whether it has no units of the calendar."""
        return not (self.months or self.days)

    @property
    def usual_milliseconds(self) -> int:
        """How long it is, with months of average length and days of 24 hours."""
        return self.months * MONTH + self.days * DAY + self.milliseconds


LONGEST = Span(months=12 * DURATION_YEARS_MAX, days=0, milliseconds=0)


@lru_cache(maxsize=DURATIONS_MAX)
def parse(text: str) -> Span:
    """Parse a duration without a sign; ``ValueError`` if it isn't one. It may be zero or too long.

    Only seconds may have a fraction, of milliseconds at the finest.
    """
    if len(text) > DURATION_LENGTH_MAX or not text.startswith("P") or "," in text:
        raise ValueError(text[:DURATION_LENGTH_MAX])
    units = whenever.ItemizedDelta.parse_iso(text)
    milliseconds, finer = divmod(units.get("nanoseconds", 0), 1_000_000)
    if finer:
        raise ValueError(text)
    minutes = units.get("hours", 0) * 60 + units.get("minutes", 0)
    seconds = minutes * 60 + units.get("seconds", 0)
    return Span(
        months=units.get("years", 0) * 12 + units.get("months", 0),
        days=units.get("weeks", 0) * 7 + units.get("days", 0),
        milliseconds=seconds * SECOND + milliseconds,
    )


@lru_cache(maxsize=INSTANTS_MAX)
def later(at: Instant, duration: str, time_zone: str) -> Instant:
    """The instant that lies a duration after ``at``; at most the last one of the year 9999.

    The commands of a batch have one instant, and ask for the same one after it.
    """
    return moved(at, parse(duration), time_zone)


def earlier(at: Instant, duration: str, time_zone: str) -> Instant:
    """The instant that lies a duration before ``at``; at least the first one of the year 1."""
    return moved(at, parse(duration), time_zone, direction=-1)


def moved(at: Instant, span: Span, time_zone: str, *, direction: int = 1) -> Instant:
    """The instant that lies a span after ``at``, or before it with the direction -1."""
    found = at
    if not span.is_exact:
        inside = min(max(at, _INSIDE_FIRST), _INSIDE_LAST)
        found = _on_calendar(inside, span, time_zone, direction)
        if FIRST_INSTANT < found < LAST_INSTANT:
            found += at - inside
    return min(max(found + direction * span.milliseconds, FIRST_INSTANT), LAST_INSTANT)


def put_off(at: Instant, by: int) -> Instant:
    """The instant so many milliseconds after ``at``; at most the last one of the year 9999."""
    return min(at + by, LAST_INSTANT)


def zoned(at: Instant, time_zone: str) -> whenever.ZonedDateTime:
    """What clocks of a time zone show at an instant.

    In UTC where an offset may lead out of the calendar: in its first two days and its last two.
    """
    zone = time_zone if _INSIDE_FIRST <= at <= _INSIDE_LAST else "UTC"
    return whenever.Instant.from_timestamp(at, unit="millisecond").to_tz(zone)


def _on_calendar(at: Instant, span: Span, time_zone: str, direction: int) -> Instant:
    """Move the wall clock by the months and then by the days of a span."""
    wall = zoned(at, time_zone)
    try:
        day = wall.date().add(months=direction * span.months, days=direction * span.days)
        return instant_of(day.at(wall.time()), time_zone)
    except ValueError:
        return LAST_INSTANT if direction > 0 else FIRST_INSTANT


def instant_of(wall: whenever.PlainDateTime, time_zone: str) -> Instant:
    """The first instant at which a wall clock shows this, or the first after the gap it is in."""
    before = wall.assume_tz(time_zone, disambiguation="earlier")
    if before.to_plain() != wall:
        after_gap = before.next_transition()
        assert after_gap is not None
        before = after_gap
    return before.timestamp(unit="millisecond")
