"""Makes statements of one pool from sums, and balances as they were.

Sums come from the database. What has happened and isn't booked yet is added to them, as the
transactions that it will be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from benefit_programs.api.call import Call
from benefit_programs.api.looking import Looked
from benefit_programs.domain.entities import (
    BalanceType,
    Draw,
    Lot,
    LotOrigin,
    LotStatus,
    Transaction,
)
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.lookups import LOT
from benefit_programs.domain.lots import is_standard, standard_lot
from benefit_programs.domain.statements import (
    Figures,
    Moved,
    MovedInLot,
    figures_of,
    moment_of,
    moved_by,
    moved_in_lots,
)
from benefit_programs.domain.values import Credits, Instant
from benefit_programs.storage import pool_statements as statements
from benefit_programs.storage.query import Statement
from benefit_programs.storage.rows import CODECS
from benefit_programs.wire.types import statements as wire
from benefit_programs.wire.types.transactions import DrawnLot

AVAILABLE, RESERVED = BalanceType.AVAILABLE, BalanceType.RESERVED


class Cut(msgspec.Struct, frozen=True):
    """A place in the ledger of a pool: behind the transaction with this revision."""

    revision: int
    available: Credits
    reserved: Credits

    @property
    def amount(self) -> BalanceAmount:
        return BalanceAmount(available=self.available, reserved=self.reserved)


BEGINNING = Cut(0, 0, 0)


class Ledger:
    """The transactions of one pool, booked or not, for one answer."""

    def __init__(self, call: Call, seen: Looked) -> None:
        self._call = call
        self._dialect = call.services.reader.dialect
        self.seen = seen
        self.pool_id = seen.stored.id
        self.booked = seen.stored.balance_revision

    async def _fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        """The rows of a statement along an index: tables don't tell how large this pool is."""
        (rows,) = await self._call.services.reader.fetch_together(statement)
        return rows

    async def cut(self, before: Instant) -> Cut:
        """Behind all that happened before an instant."""
        for each in reversed(self.seen.coming):
            if moment_of(each) < before:
                return Cut(each.balance_revision, each.available_after, each.details.reserved_after)
        found = await self._fetch(
            statements.cut(
                self._dialect,
                tenant_id=self._call.tenant_id,
                pool_id=self.pool_id,
                before=before,
                up_to=self.booked,
            )
        )
        return Cut(*map(int, found[0])) if found else BEGINNING

    def coming(self, after: int, up_to: int) -> list[Transaction]:
        """What isn't booked yet, between two revisions."""
        return [each for each in self.seen.coming if after < each.balance_revision <= up_to]

    async def moves(self, start: Cut, end: Cut, since: Instant) -> tuple[list[Moved], int]:
        """What was moved between two cuts, by kinds, and how many transactions that were."""
        found = await self._fetch(
            statements.sums(
                self._dialect,
                tenant_id=self._call.tenant_id,
                pool_id=self.pool_id,
                since=since,
                after=start.revision,
                up_to=min(end.revision, self.booked),
            )
        )
        coming = self.coming(start.revision, end.revision)
        moves = [statements.moved_of(row[:-1]) for row in found]
        count = sum(int(row[-1]) for row in found) + len(coming)
        return moves + [moved_by(each) for each in coming], count

    async def has_lots(self) -> bool:
        """Whether the pool has or had lots of its own."""
        if self.seen.lots:
            return True
        statement = statements.any_lot(
            self._dialect, tenant_id=self._call.tenant_id, pool_id=self.pool_id
        )
        return bool(await self._fetch(statement))

    async def lots(self, start: Cut, end: Cut, since: Instant) -> LotsThen:
        """The lots of the pool at the end of a period, and what was moved in them meanwhile.

        Lots show what was booked, so that is read in one snapshot with them. It may be more by now.
        """
        tenant_id, pool_id = self._call.tenant_id, self.pool_id
        sums, stored, ((booked,),) = await self._call.services.reader.fetch_together(
            statements.sums_by_lot(
                self._dialect,
                since=since,
                after=start.revision,
                to=end.revision,
                tenant_id=tenant_id,
                pool_id=pool_id,
            ),
            statements.lots(self._dialect, since=since, tenant_id=tenant_id, pool_id=pool_id),
            statements.revision(self._dialect, tenant_id=tenant_id, pool_id=pool_id),
        )
        inside: list[MovedInLot] = []
        later: list[MovedInLot] = []
        for row in sums:
            into = inside if row[statements.KIND_WIDTH + 2] else later
            into.append(statements.moved_in_lot_of(row, self.pool_id))
        coming = self.coming(int(booked), end.revision)
        inside += [
            part
            for each in coming
            if each.balance_revision > start.revision
            for part in moved_in_lots(each)
        ]
        lots = [CODECS[Lot].read(row) for row in stored]
        return LotsThen(
            lots={lot.id: lot for lot in (*self.seen.lots, *lots)}
            | await self._over(lots, (*inside, *later)),
            stored={lot.id: lot for lot in lots},
            inside=inside,
            later=later,
            coming=[part for each in coming for part in moved_in_lots(each)],
            end=end,
            standard=standard_lot(self.seen.pool),
        )

    async def _over(self, lots: Iterable[Lot], moves: Iterable[MovedInLot]) -> dict[str, Lot]:
        """Lots that were drawn on although they have long been over: they have nothing any more."""
        known = {self.pool_id, *(lot.id for lot in lots)}
        drawn = {each.lot_id for each in moves if not _is_coming(each.lot_id)} - known
        return {row.id: row for row in await self._call.many(LOT, [(each,) for each in drawn])}

    async def page(self, after: int, up_to: int, since: str, limit: int) -> list[Transaction]:
        """The next transactions behind a revision, in the order of their ids after ``since``."""
        found = await self._fetch(
            statements.rows(
                self._dialect,
                tenant_id=self._call.tenant_id,
                pool_id=self.pool_id,
                since=since,
                after=after,
                up_to=min(up_to, self.booked),
                limit=limit,
            )
        )
        return [CODECS[Transaction].read(row) for row in found]


def _is_coming(lot_id: str) -> bool:
    """Whether a lot isn't stored yet, so that its id is none."""
    return "-" not in lot_id


class LotsThen(msgspec.Struct, frozen=True, kw_only=True):
    """The lots of a pool at the end of a period.

    ``stored`` are the lots as they are stored, after all that was booked: by the end of the period,
    and ``later``. What is ``coming`` happened by the end, too, and isn't booked yet. Moves
    ``inside`` the period are of both kinds.
    """

    lots: dict[str, Lot]
    stored: dict[str, Lot]
    inside: list[MovedInLot]
    later: list[MovedInLot]
    coming: list[MovedInLot]
    end: Cut
    standard: Lot

    def amounts(self, balance: BalanceType, before: Instant) -> dict[str, Credits]:
        """What each lot held at the end, which is right before an instant."""
        amounts = {
            lot.id: lot.available if balance is AVAILABLE else lot.reserved
            for lot in self.stored.values()
        }
        _add(amounts, self.later, balance, -1)
        _add(amounts, self.coming, balance, 1)
        for lot in self.stored.values():
            if _was_split_off(lot, before):
                amounts[lot.id] = 0
        amounts.pop(self.standard.id, None)
        total = self.end.available if balance is AVAILABLE else self.end.reserved
        amounts[self.standard.id] = total - sum(amounts.values())
        return amounts

    def as_of(self, at: Instant) -> list[wire.LotAsOf]:
        """The lots that held something, or were to, in the burn order."""
        available = self.amounts(AVAILABLE, at + 1)
        reserved = self.amounts(RESERVED, at + 1)
        shown = [
            _lot_as_of(lot, at, available.get(lot.id, 0), reserved.get(lot.id, 0))
            for lot in sorted((*self.lots.values(), self.standard), key=lambda each: each.rank)
            if lot.created <= at or available.get(lot.id) or reserved.get(lot.id)
        ]
        return [each for each in shown if is_held(each)]

    def statements(self, opening: Credits, since: Instant, to: Instant) -> list[wire.LotStatement]:
        """The statement of each lot that had something, or in which something was moved."""
        closings = self.amounts(AVAILABLE, to)
        moves: dict[str, list[Moved]] = {}
        for each in self.inside:
            moves.setdefault(each.counted_in, []).append(each.moved)
        figures = {lot_id: figures_of(moved) for lot_id, moved in moves.items()}
        openings = {
            lot_id: 0
            if (lot := self.stored.get(lot_id)) and _was_split_off(lot, since)
            else closing - _change(figures, lot_id)
            for lot_id, closing in closings.items()
        }
        rest = self.standard.id
        openings[rest] = 0
        openings[rest] = opening - sum(openings.values())
        lots = sorted((*self.lots.values(), self.standard), key=lambda each: each.rank)
        return [
            wire.LotStatement(
                lot_id=_known_id(lot.id),
                opening=openings.get(lot.id, 0),
                figures=figures_view(figures.get(lot.id, Figures())),
                moved=closings.get(lot.id, 0) - openings.get(lot.id, 0) - _change(figures, lot.id),
                closing=closings.get(lot.id, 0),
            )
            for lot in lots
            if lot.id in figures or openings.get(lot.id) or closings.get(lot.id)
        ]


def _change(figures: dict[str, Figures], lot_id: str) -> Credits:
    return figures[lot_id].change if lot_id in figures else 0


def _add(
    amounts: dict[str, Credits], moves: Iterable[MovedInLot], balance: BalanceType, sign: int
) -> None:
    for each in moves:
        for lot_id, change in each.changes_of(balance):
            amounts[lot_id] = amounts.get(lot_id, 0) + sign * change


def _was_split_off(lot: Lot, before: Instant) -> bool:
    """Whether a rollover has split a lot off the standard one only at an instant or after it.

    No transaction tells of that. Such lots alone are of a provisioning that was before them.
    """
    return lot.origin is LotOrigin.PROVISION and lot.created >= before


def _known_id(lot_id: str) -> str | None:
    """The id of a lot; one that isn't stored yet has none."""
    return None if _is_coming(lot_id) else lot_id


def _lot_as_of(lot: Lot, at: Instant, available: Credits, reserved: Credits) -> wire.LotAsOf:
    if is_standard(lot):
        return wire.LotAsOf(id=lot.id, available=available, reserved=reserved)
    return wire.LotAsOf(
        id=_known_id(lot.id),
        status=_status_at(lot, at, available),
        available=available,
        reserved=reserved,
        granted=lot.granted,
        origin=lot.origin,
        priority=lot.priority,
        effective_date=lot.effective_date,
        expiration_date=lot.expiration_date,
        display_name=lot.display_name,
        external_reference=lot.external_reference,
    )


def is_held(lot: wire.LotAsOf) -> bool:
    """Whether a lot held something, or was to."""
    return bool(lot.available or lot.reserved) or lot.status is LotStatus.FUTURE


def _status_at(lot: Lot, at: Instant, available: Credits) -> LotStatus:
    if available:
        return LotStatus.LIVE
    if lot.effective_date > at:
        return LotStatus.FUTURE
    if lot.expiration_date is not None and lot.expiration_date <= at:
        return LotStatus.EXPIRED
    return LotStatus.SPENT


def figures_view(figures: Figures) -> wire.StatementFigures:
    return wire.StatementFigures(
        provisioned=figures.provisioned,
        renewed=figures.renewed,
        granted=figures.granted,
        adjusted=figures.adjusted,
        returned=figures.returned,
        redeemed=figures.redeemed,
        reserved=figures.reserved,
        lapsed=figures.lapsed,
    )


def row_view(transaction: Transaction) -> wire.StatementRow:
    """A transaction as a row; one that isn't booked yet has neither an id nor a date of booking."""
    details, moved = transaction.details, moved_by(transaction)
    is_booked = not _is_coming(transaction.id)
    return wire.StatementRow(
        transaction_id=transaction.id if is_booked else None,
        date=moment_of(transaction),
        booked_date=transaction.created if is_booked else None,
        revision=transaction.balance_revision,
        figure=moved.figure,
        amount=moved.change_of(AVAILABLE),
        reserved_amount=moved.change_of(RESERVED),
        available_after=transaction.available_after,
        reserved_after=details.reserved_after,
        reason=details.reason,
        benefit_key=details.benefit_key,
        item_external_id=details.item.external_id if details.item else None,
        item_count=details.item_count,
        external_reference=transaction.external_reference,
        related_transaction_id=transaction.related_transaction_id,
        draws=tuple(map(_draw_view, details.draws)) or None,
    )


def _draw_view(draw: Draw) -> DrawnLot:
    return DrawnLot(
        lot_id=_known_id(draw.lot_id),
        amount=draw.amount,
        into_lot_id=None if draw.into is None else _known_id(draw.into),
    )
