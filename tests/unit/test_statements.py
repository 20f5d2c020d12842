"""The figures of statements, and the periods that they are made for."""

from __future__ import annotations

from itertools import product

import pytest

from benefit_programs.domain.entities import BalanceType, Operation
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.periods import Interval, edges
from benefit_programs.domain.statements import FIGURES, Figures, Moved, figures_of
from benefit_programs.wire.codec import instant_text
from benefit_programs.wire.codec.formats import read_instant

AVAILABLE, EXTERNAL = BalanceType.AVAILABLE, BalanceType.EXTERNAL


def moved(operation: Operation, *, has_item: bool = False, back: bool = False) -> Moved:
    """Seven credits, moved as the operation does."""
    rule = RULES[operation]
    ways = (rule.source or EXTERNAL, rule.target or AVAILABLE)
    source, target = reversed(ways) if back else ways
    return Moved(operation=operation, source=source, target=target, has_item=has_item, amount=7)


def test_every_operation_counts_as_something() -> None:
    """No transaction is left out of a statement."""
    assert FIGURES.keys() == set(Operation)


@pytest.mark.parametrize(("operation", "has_item"), list(product(Operation, (False, True))))
def test_each_transaction_closes(operation: Operation, *, has_item: bool) -> None:
    """The figures change by what the balance changes by, and reserved by what is reserved."""
    one = moved(operation, has_item=has_item)
    figures = figures_of([one])
    assert figures.change == one.change_of(AVAILABLE)
    assert figures.reserved == one.change_of(BalanceType.RESERVED)


def test_what_is_captured_was_reserved_before() -> None:
    """It is redeemed, and no longer reserved; what can be spent stays the same."""
    assert figures_of([moved(Operation.CAPTURE)]) == Figures(redeemed=7, reserved=-7)


def test_a_reverted_redemption_is_returned() -> None:
    """The revert of a change by hand is an adjustment, with its sign."""
    assert figures_of([moved(Operation.REVERT, has_item=True)]) == Figures(returned=7)
    assert figures_of([moved(Operation.REVERT, back=True)]) == Figures(adjusted=-7)


@pytest.mark.parametrize(
    ("since", "to", "by", "zone", "starts"),
    [
        (
            "2026-01-30T12:00:00.000Z",
            "2026-03-01T00:00:00.000Z",
            Interval.MONTH,
            "UTC",
            ["2026-01-30T12:00:00.000Z", "2026-02-01T00:00:00.000Z"],
        ),
        (
            "2026-03-28T23:00:00.000Z",
            "2026-03-30T22:00:00.001Z",
            Interval.DAY,
            "Europe/Berlin",
            [
                "2026-03-28T23:00:00.000Z",
                "2026-03-29T22:00:00.000Z",
                "2026-03-30T22:00:00.000Z",
            ],
        ),
        (
            "2026-11-26T00:00:00.000Z",
            "2026-12-07T00:00:00.000Z",
            Interval.WEEK,
            "UTC",
            ["2026-11-26T00:00:00.000Z", "2026-11-30T00:00:00.000Z"],
        ),
    ],
)
def test_periods_begin_with_local_days(
    since: str, to: str, by: Interval, zone: str, starts: list[str]
) -> None:
    """The first begins and the last ends with the whole; a day of a changed clock is shorter."""
    found = edges(read_instant(since), read_instant(to), by, zone)
    assert [instant_text(each) for each in found] == starts
