"""The figures of statements: what each transaction adds to which of them. See docs/adr/0031.

opening + provisioned + renewed + granted + adjusted + returned - redeemed - reserved - lapsed is
closing, for the credits that can be spent. What was set aside counts as reserved until it is spent
or put back; so ``reserved`` is also the difference of what is reserved. That it closes follows from
the invariants I1 and I3 (docs/invariants.md): each transaction carries on from the one before.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from benefit_programs.domain.entities import BalanceType, Draw, Operation, Transaction
from benefit_programs.domain.values import Credits, Instant


class Figure(StrEnum):
    """What a transaction counts as in a statement."""

    PROVISIONED = "PROVISIONED"
    RENEWED = "RENEWED"
    GRANTED = "GRANTED"
    ADJUSTED = "ADJUSTED"
    RETURNED = "RETURNED"
    REDEEMED = "REDEEMED"
    RESERVED = "RESERVED"
    LAPSED = "LAPSED"


FIGURES = {
    Operation.PROVISION: Figure.PROVISIONED,
    Operation.RENEWAL: Figure.RENEWED,
    Operation.GRANT: Figure.GRANTED,
    Operation.CHANGE: Figure.ADJUSTED,
    Operation.REVERT: Figure.ADJUSTED,
    Operation.CANCEL: Figure.RETURNED,
    Operation.CANCEL_PART: Figure.RETURNED,
    Operation.REDEEM: Figure.REDEEMED,
    Operation.REALLOCATE: Figure.REDEEMED,
    Operation.CAPTURE: Figure.REDEEMED,
    Operation.RESERVE: Figure.RESERVED,
    Operation.RELEASE: Figure.RESERVED,
    Operation.EXPIRY: Figure.LAPSED,
}
"""What the operations count as. The revert of a redemption counts as its return instead."""

_SUBTRACTED = (Figure.REDEEMED, Figure.RESERVED, Figure.LAPSED)


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Credits that transactions of one kind moved. ``has_item``: they were for an item."""

    operation: Operation
    source: BalanceType
    target: BalanceType
    has_item: bool
    amount: Credits

    @property
    def figure(self) -> Figure:
        if self.operation is Operation.REVERT and self.has_item:
            return Figure.RETURNED
        return FIGURES[self.operation]

    def change_of(self, balance: BalanceType) -> Credits:
        """How much more there is of one kind afterwards."""
        return self.amount * ((self.target is balance) - (self.source is balance))


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How the credits that can be spent became more or less, by figures."""

    provisioned: Credits = 0
    renewed: Credits = 0
    granted: Credits = 0
    adjusted: Credits = 0
    returned: Credits = 0
    redeemed: Credits = 0
    reserved: Credits = 0
    lapsed: Credits = 0

    @property
    def change(self) -> Credits:
        """Closing less opening."""
        return sum(
            -getattr(self, figure.lower())
            if figure in _SUBTRACTED
            else getattr(self, figure.lower())
            for figure in Figure
        )


def figures_of(moves: Iterable[Moved]) -> Figures:
    """Add moves up to figures.

    What a capture spends was reserved before: it is redeemed, and no longer reserved.
    """
    sums = dict.fromkeys(Figure, 0)
    for each in moves:
        if each.source is BalanceType.RESERVED and each.target is BalanceType.EXTERNAL:
            sums[each.figure] += each.amount
            sums[Figure.RESERVED] -= each.amount
            continue
        change = each.change_of(BalanceType.AVAILABLE)
        sums[each.figure] += -change if each.figure in _SUBTRACTED else change
    return Figures(**{figure.lower(): amount for figure, amount in sums.items()})


def moment_of(transaction: Transaction) -> Instant:
    """When it happened, whenever it was booked."""
    due = transaction.details.due
    return transaction.created if due is None else due


def moved_by(transaction: Transaction, amount: Credits | None = None) -> Moved:
    """What a transaction moved, or a part of it."""
    return Moved(
        operation=transaction.operation,
        source=transaction.source,
        target=transaction.target,
        has_item=transaction.item_id is not None,
        amount=transaction.amount if amount is None else amount,
    )


class MovedInLot(msgspec.Struct, frozen=True):
    """The part of a move that concerns one lot, or takes reserved credits ``into`` another."""

    lot_id: str
    into: str | None
    moved: Moved

    @property
    def counted_in(self) -> str:
        """The lot whose statement it stands in: the one whose credits that can be spent change."""
        is_back = self.moved.target is BalanceType.AVAILABLE
        return self.into if self.into is not None and is_back else self.lot_id

    def changes_of(self, balance: BalanceType) -> Iterable[tuple[str, Credits]]:
        """The lots that have more or less of one kind afterwards."""
        if self.moved.source is balance:
            yield self.lot_id, -self.moved.amount
        if self.moved.target is balance:
            yield self.into or self.lot_id, self.moved.amount


def moved_in_lots(transaction: Transaction) -> list[MovedInLot]:
    """What a transaction moved, by lots."""
    draws = transaction.details.draws or (Draw(transaction.pool_id, transaction.amount),)
    return [
        MovedInLot(each.lot_id, each.into, moved_by(transaction, each.amount)) for each in draws
    ]
