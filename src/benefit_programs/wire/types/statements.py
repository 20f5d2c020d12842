"""Statements: how the credits of pools became more or less, and what was there at any time."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import Size
from benefit_programs.domain.details import WeekDay
from benefit_programs.domain.entities import LotOrigin, LotStatus
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.periods import Interval
from benefit_programs.domain.statements import Figure
from benefit_programs.wire.types.common import (
    Amount,
    BenefitKey,
    CursorPagingMetadata,
    EntityId,
    ExternalId,
    LargeCursorPaging,
    Namespace,
    Number,
    Revision,
    SignedAmount,
    Timestamp,
)
from benefit_programs.wire.types.transactions import DrawnLot, Reason


class LotAsOf(msgspec.Struct, frozen=True, kw_only=True):
    """A lot of a pool at an instant. That with the pool's id holds what is in no other."""

    id: EntityId | None = None
    status: LotStatus | None = None
    available: Amount | None = None
    reserved: Amount | None = None
    granted: Amount | None = None
    origin: LotOrigin | None = None
    priority: Number | None = None
    effective_date: Timestamp | None = None
    expiration_date: Timestamp | None = None
    display_name: str | None = None
    external_reference: str | None = None


class GetBalanceAsOfRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read what a balance was at an instant, also what was booked only later.

    An instant that is still to come means now.
    """

    pool_id: EntityId
    date: Timestamp


class GetBalanceAsOfResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The balance after everything that had happened by then."""

    pool_id: EntityId | None = None
    date: Timestamp | None = None
    revision: Revision | None = None
    amount: BalanceAmount | None = None
    lots: tuple[LotAsOf, ...] | None = None


class StatementFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What made credits more (the first five) or less (the other three)."""

    provisioned: Amount | None = None
    renewed: Amount | None = None
    granted: Amount | None = None
    adjusted: SignedAmount | None = None
    returned: Amount | None = None
    redeemed: Amount | None = None
    reserved: SignedAmount | None = None
    lapsed: Amount | None = None


class LotStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of one lot. That with the pool's id holds what is in no other."""

    lot_id: EntityId | None = None
    opening: Amount | None = None
    figures: StatementFigures | None = None
    moved: SignedAmount | None = None
    closing: Amount | None = None


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in a statement, and the balance right after it."""

    transaction_id: EntityId | None = None
    date: Timestamp | None = None
    booked_date: Timestamp | None = None
    revision: Revision | None = None
    figure: Figure | None = None
    amount: SignedAmount | None = None
    reserved_amount: SignedAmount | None = None
    available_after: Amount | None = None
    reserved_after: Amount | None = None
    reason: Reason | None = None
    benefit_key: BenefitKey | None = None
    item_external_id: ExternalId | None = None
    item_count: Number | None = None
    external_reference: str | None = None
    related_transaction_id: EntityId | None = None
    draws: tuple[DrawnLot, ...] | None = None


class GetStatementRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read how a balance came from what it was to what it is, from one instant up to another.

    The period includes its start and excludes its end. One that ends later than now ends now. Rows
    come in the order in which they were booked.
    """

    pool_id: EntityId
    from_date: Timestamp | None = None
    to_date: Timestamp | None = None
    by_lot: bool | None = None
    cursor_paging: LargeCursorPaging | None = None


class StatementSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement adds up to.

    opening + provisioned + renewed + granted + adjusted + returned - redeemed - reserved - lapsed
    is closing, for the credits that can be spent.
    """

    opening: BalanceAmount | None = None
    figures: StatementFigures | None = None
    closing: BalanceAmount | None = None
    transaction_count: Number | None = None
    lots: tuple[LotStatement, ...] | None = None


class GetStatementResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a statement: the first one with what it adds up to."""

    pool_id: EntityId | None = None
    from_date: Timestamp | None = None
    to_date: Timestamp | None = None
    summary: StatementSummary | None = None
    rows: Annotated[tuple[StatementRow, ...], Size(maximum=1000)] | None = None
    metadata: CursorPagingMetadata | None = None


class GetStatementsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read what became of the credits of many pools, by periods, and what is outstanding now.

    Without a namespace or a definition all pools of the tenant are meant. Periods begin with a day,
    a week (on Monday) or a month of the tenant's time zone; the first one begins and the last one
    ends with the whole. With `accept: text/csv` the periods are answered as CSV.
    """

    from_date: Timestamp
    to_date: Timestamp | None = None
    by: Interval | None = None
    namespace: Namespace | None = None
    program_definition_id: EntityId | None = None
    pool_definition_id: EntityId | None = None


class StatementPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of all the pools together, for one period."""

    from_date: Timestamp | None = None
    to_date: Timestamp | None = None
    opening: BalanceAmount | None = None
    figures: StatementFigures | None = None
    closing: BalanceAmount | None = None
    transaction_count: Number | None = None


class OutstandingPart(msgspec.Struct, frozen=True, kw_only=True):
    """Outstanding credits whose end or begin is between two instants."""

    from_date: Timestamp | None = None
    to_date: Timestamp | None = None
    amount: Amount | None = None


class OutstandingOfDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What the pools of one pool definition hold now."""

    pool_definition_id: EntityId | None = None
    pool_count: Number | None = None
    amount: BalanceAmount | None = None


class Outstanding(msgspec.Struct, frozen=True, kw_only=True):
    """What all the pools hold now, by when it ends and by how long it has been there."""

    date: Timestamp | None = None
    pool_count: Number | None = None
    amount: BalanceAmount | None = None
    by_expiry: tuple[OutstandingPart, ...] | None = None
    never_expires: Amount | None = None
    by_age: tuple[OutstandingPart, ...] | None = None
    without_age: Amount | None = None
    by_pool_definition: tuple[OutstandingOfDefinition, ...] | None = None


class GetStatementsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The statement of all the pools together.

    What has happened up to `completeUntil` is booked, and in it. Later figures may still change.
    """

    periods: tuple[StatementPeriod, ...] | None = None
    outstanding: Outstanding | None = None
    complete_until: Timestamp | None = None


class GetActivityRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read what happened to the credits of many pools, by periods, weekdays and hours.

    It reads a limited number of transactions, the newest ones, so it is quick however many there
    are. If there are more, `fromDate` of the answer is later, and `isComplete` is false.
    """

    from_date: Timestamp
    to_date: Timestamp | None = None
    by: Interval | None = None
    namespace: Namespace | None = None
    program_definition_id: EntityId | None = None
    pool_definition_id: EntityId | None = None


class ActivityPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the credits in one period."""

    from_date: Timestamp | None = None
    to_date: Timestamp | None = None
    figures: StatementFigures | None = None
    transaction_count: Number | None = None


class ActivityHour(msgspec.Struct, frozen=True, kw_only=True):
    """What was redeemed in one hour of one weekday, in the tenant's time zone."""

    week_day: WeekDay | None = None
    hour: Number | None = None
    redemption_count: Number | None = None
    amount: Amount | None = None


class GetActivityResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the credits. Hours in which nothing was redeemed are left out."""

    from_date: Timestamp | None = None
    to_date: Timestamp | None = None
    is_complete: bool | None = None
    periods: tuple[ActivityPeriod, ...] | None = None
    hours: tuple[ActivityHour, ...] | None = None
    pool_count: Number | None = None
