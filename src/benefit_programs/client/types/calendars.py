"""Calendars: when programs renew and end by themselves, and what happens next."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from benefit_programs.client.generated.enums import AtEnd, TimetableKind
from benefit_programs.client.types.base import Part


class RenewalConfiguration(Part, frozen=True, kw_only=True):
    """When a program renews by itself: at the anchor, and once, twice, ... ``every`` after it.

    ``every`` is an ISO 8601 duration such as P1M or P2W. Without an anchor it is counted from the
    program's begin, without a time zone in the tenant's, and without cycles it has no end.
    """

    every: str
    anchor: datetime | None = None
    time_zone: str | None = None
    cycles: int | None = None
    at_end: AtEnd | None = None


class Cycle(Part, frozen=True, kw_only=True):
    """The current cycle of a program; without an end if nothing says when it ends."""

    number: int
    start_date: datetime
    end_date: datetime | None = None


class CreditsAtRenewal(Part, frozen=True, kw_only=True):
    """What a renewal does to the credits of a pool, as things are now."""

    pool_id: str
    amount: Decimal | None = None
    expiration_date: datetime | None = None
    rolls_over: bool = False
    balance_cap: Decimal | None = None
    percent: Decimal | None = None
    ends_pool: bool = False


class TimetableDate(Part, frozen=True, kw_only=True):
    """What happens at one instant, and why. ``local_date`` is the text of the zone's wall clock."""

    date: datetime
    local_date: str
    kind: TimetableKind
    reason: str
    cycle_number: int | None = None
    scheduled_change_id: str | None = None
    credits: tuple[CreditsAtRenewal, ...] = ()


class Timetable(Part, frozen=True, kw_only=True):
    """What happens to a program by itself next, in its order and its time zone."""

    time_zone: str
    dates: tuple[TimetableDate, ...] = ()
