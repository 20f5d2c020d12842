"""Statements: what became of credits, what was there at any time, and what a member has."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from benefit_programs.client.generated.enums import (
    Figure,
    LotOrigin,
    LotStatus,
    PoolStatus,
    ProgramStatus,
    WeekDay,
)
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.calendars import Cycle
from benefit_programs.client.types.common import BalanceAmount
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.ledger import DrawnLot
from benefit_programs.client.types.lots import Lot
from benefit_programs.client.types.people import Person

PeriodLength: TypeAlias = Literal["DAY", "WEEK", "MONTH"]
"""How long the periods of a statement are, in the tenant's time zone."""


class LotAsOf(Part, frozen=True, kw_only=True):
    """A lot of a pool at an instant. That with the pool's id holds what is in no other."""

    id: str | None = None
    status: LotStatus | None = None
    available: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    granted: Decimal | None = None
    origin: LotOrigin | None = None
    priority: int | None = None
    effective_date: datetime | None = None
    expiration_date: datetime | None = None
    display_name: str | None = None
    external_reference: str | None = None


class BalanceAsOf(Part, frozen=True, kw_only=True):
    """What a balance was at an instant, after everything that had happened by then."""

    pool_id: str
    date: datetime
    revision: int
    amount: BalanceAmount = BalanceAmount()
    lots: tuple[LotAsOf, ...] = ()


class StatementFigures(Part, frozen=True, kw_only=True):
    """What made credits more (the first five) or less (the other three)."""

    provisioned: Decimal = Decimal(0)
    renewed: Decimal = Decimal(0)
    granted: Decimal = Decimal(0)
    adjusted: Decimal = Decimal(0)
    returned: Decimal = Decimal(0)
    redeemed: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    lapsed: Decimal = Decimal(0)


class LotStatement(Part, frozen=True, kw_only=True):
    """The statement of one lot. That with the pool's id holds what is in no other."""

    lot_id: str | None = None
    opening: Decimal = Decimal(0)
    figures: StatementFigures = StatementFigures()
    moved: Decimal = Decimal(0)
    closing: Decimal = Decimal(0)


class StatementSummary(Part, frozen=True, kw_only=True):
    """What a statement adds up to: opening, figures and closing."""

    opening: BalanceAmount = BalanceAmount()
    figures: StatementFigures = StatementFigures()
    closing: BalanceAmount = BalanceAmount()
    transaction_count: int = 0
    lots: tuple[LotStatement, ...] = ()


class StatementRow(Part, frozen=True, kw_only=True):
    """A transaction in a statement, and the balance right after it.

    What has happened and isn't booked yet has no ``transaction_id``.
    """

    date: datetime
    revision: int
    figure: Figure
    amount: Decimal = Decimal(0)
    reserved_amount: Decimal = Decimal(0)
    available_after: Decimal = Decimal(0)
    reserved_after: Decimal = Decimal(0)
    transaction_id: str | None = None
    booked_date: datetime | None = None
    reason: str | None = None
    benefit_key: str | None = None
    item_external_id: str | None = None
    item_count: int | None = None
    external_reference: str | None = None
    related_transaction_id: str | None = None
    draws: tuple[DrawnLot, ...] = ()


class Statement(Part, frozen=True, kw_only=True):
    """The statement of a pool: what it adds up to, and the first of its rows."""

    pool_id: str
    from_date: datetime
    to_date: datetime
    summary: StatementSummary = StatementSummary()
    rows: tuple[StatementRow, ...] = ()


class StatementPeriod(Part, frozen=True, kw_only=True):
    """The statement of many pools together, for one period."""

    from_date: datetime
    to_date: datetime
    opening: BalanceAmount = BalanceAmount()
    figures: StatementFigures = StatementFigures()
    closing: BalanceAmount = BalanceAmount()
    transaction_count: int = 0


class OutstandingPart(Part, frozen=True, kw_only=True):
    """Outstanding credits whose end or begin is between two instants."""

    from_date: datetime | None = None
    to_date: datetime | None = None
    amount: Decimal = Decimal(0)


class OutstandingOfDefinition(Part, frozen=True, kw_only=True):
    """What the pools of one pool definition hold now."""

    pool_definition_id: str | None = None
    pool_count: int = 0
    amount: BalanceAmount = BalanceAmount()


class Outstanding(Part, frozen=True, kw_only=True):
    """What pools hold now, by when it ends and by how long it has been there."""

    date: datetime
    pool_count: int = 0
    amount: BalanceAmount = BalanceAmount()
    by_expiry: tuple[OutstandingPart, ...] = ()
    never_expires: Decimal = Decimal(0)
    by_age: tuple[OutstandingPart, ...] = ()
    without_age: Decimal = Decimal(0)
    by_pool_definition: tuple[OutstandingOfDefinition, ...] = ()


class StatementOfPools(Part, frozen=True, kw_only=True):
    """The statement of many pools together. What happened up to ``complete_until`` is booked."""

    outstanding: Outstanding
    complete_until: datetime
    periods: tuple[StatementPeriod, ...] = ()


class ActivityPeriod(Part, frozen=True, kw_only=True):
    """What happened to the credits of many pools in one period."""

    from_date: datetime
    to_date: datetime
    figures: StatementFigures = StatementFigures()
    transaction_count: int = 0


class ActivityHour(Part, frozen=True, kw_only=True):
    """What was redeemed in one hour of one weekday, in the tenant's time zone."""

    week_day: WeekDay
    hour: int = 0
    redemption_count: int = 0
    amount: Decimal = Decimal(0)


class Activity(Part, frozen=True, kw_only=True):
    """What happened to the credits of many pools, by periods, weekdays and hours.

    If it isn't complete, there were too many transactions, and ``from_date`` is later than asked.
    """

    from_date: datetime
    to_date: datetime
    is_complete: bool = False
    pool_count: int = 0
    periods: tuple[ActivityPeriod, ...] = ()
    hours: tuple[ActivityHour, ...] = ()


class OverviewBenefit(Part, frozen=True, kw_only=True):
    """A benefit, and for how many items the credits are enough."""

    benefit_key: str
    display_name: str | None = None
    price: Decimal = Decimal(0)
    is_usable: bool = False
    payable_count: int | None = None


class OverviewReservation(Part, frozen=True, kw_only=True):
    """Credits that are set aside for items until a date."""

    id: str
    expiration_date: datetime
    count: int = 0
    amount: Decimal = Decimal(0)
    external_reference: str | None = None


class NextExpiry(Part, frozen=True, kw_only=True):
    """When credits end next, and how many."""

    date: datetime
    amount: Decimal = Decimal(0)


class OverviewPool(Part, frozen=True, kw_only=True):
    """A pool as it is now."""

    id: str
    status: PoolStatus
    display_name: str | None = None
    unit_display_name: str | None = None
    amount: BalanceAmount = BalanceAmount()
    benefits: tuple[OverviewBenefit, ...] = ()
    lots: tuple[Lot, ...] = ()
    reservations: tuple[OverviewReservation, ...] = ()
    next_expiry: NextExpiry | None = None


class OverviewProgram(Part, frozen=True, kw_only=True):
    """A program that hasn't ended, with its pools, the oldest first."""

    id: str
    external_id: str
    namespace: str
    status: ProgramStatus
    display_name: str | None = None
    next_renewal_date: datetime | None = None
    cycle: Cycle | None = None
    end_date: datetime | None = None
    paused_until_date: datetime | None = None
    pools: tuple[OverviewPool, ...] = ()


class Overview(Part, frozen=True, kw_only=True):
    """What a beneficiary has now, the oldest program first."""

    beneficiary: Identity
    person: Person | None = None
    """Who it is. None if nobody has said it, or the key may not read people."""
    date: datetime
    programs: tuple[OverviewProgram, ...] = ()
    has_more: bool = False
