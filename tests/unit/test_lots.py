"""The burn order of lots, and how amounts are shared out among them."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from benefit_programs.domain.details import CreditConfiguration
from benefit_programs.domain.durations import LAST_INSTANT
from benefit_programs.domain.entities import Draw, Lot, LotOrigin, LotStatus
from benefit_programs.domain.lots import (
    PRIORITY_MAX,
    Fate,
    draw,
    due_of,
    first_of,
    in_burn_order,
    joined,
    last_of,
    new_lot,
    own_fate,
    pays_for,
    ranked,
    total,
)

INSTANTS = st.sampled_from([-5, 0, 1, 1_800_000_000_000, LAST_INSTANT]) | st.integers(
    0, LAST_INSTANT
)


def lot(number: int = 1, **terms: Any) -> Lot:
    made = Lot(
        id=str(UUID(int=number)),
        revision=1,
        created=0,
        updated=0,
        pool_id="pool",
        origin=LotOrigin.GRANT,
        status=LotStatus.LIVE,
        granted=10,
        available=10,
        priority=100,
        effective_date=0,
        rank="",
    )
    return ranked(replace(made, **terms))


LOTS = st.lists(
    st.builds(
        lot,
        st.integers(0, 2**128 - 1),
        priority=st.integers(0, PRIORITY_MAX),
        expiration_date=st.none() | INSTANTS,
        effective_date=INSTANTS,
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)
DRAWS = st.lists(st.builds(Draw, st.sampled_from("abcd"), st.integers(1, 9)), max_size=6)


@given(LOTS, st.randoms(use_true_random=False))
def test_the_burn_order_is_that_of_the_terms(lots: list[Lot], chance: random.Random) -> None:
    """Priority, then the earlier end (never is last), then the earlier beginning, then the id."""
    chance.shuffle(lots)
    never = LAST_INSTANT + 1
    expected = sorted(
        lots,
        key=lambda each: (
            each.priority,
            never if each.expiration_date is None else max(each.expiration_date, 0),
            max(each.effective_date, 0),
            UUID(each.id).int,
        ),
    )
    assert in_burn_order(lots) == expected


@given(LOTS, st.data())
def test_an_amount_is_drawn_in_the_order_given(lots: list[Lot], data: st.DataObject) -> None:
    """Each lot gives all that it has before the next one is asked."""
    amount = data.draw(st.integers(0, 10 * len(lots)))
    draws = draw(lots, amount)
    assert total(draws) == amount
    assert [each.lot_id for each in draws] == [each.id for each in lots[: len(draws)]]
    assert all(each.amount == 10 for each in draws[:-1])


def test_more_than_there_is_cannot_be_drawn() -> None:
    """Whoever draws has seen that the lots have enough; else it is our own mistake."""
    with pytest.raises(AssertionError, match="I20"):
        draw([lot()], 11)


@given(DRAWS, st.data())
def test_draws_are_cut_without_a_rest(draws: list[Draw], data: st.DataObject) -> None:
    """What comes first and what comes last of some draws are all of them."""
    amount = data.draw(st.integers(0, total(draws)))
    first, last = first_of(draws, total(draws) - amount), last_of(draws, amount)
    assert (total(first), total(last)) == (total(draws) - amount, amount)
    assert total(joined([*first, *last])) == total(draws)
    units = [each.lot_id for each in draws for _ in range(each.amount)]
    cut = [each.lot_id for each in [*first, *last] for _ in range(each.amount)]
    assert cut == units


@given(DRAWS)
def test_joined_draws_have_each_lot_once(draws: list[Draw]) -> None:
    """The amounts of one lot are added up."""
    made = joined(draws)
    assert len({each.lot_id for each in made}) == len(made)
    for each in made:
        assert each.amount == sum(one.amount for one in draws if one.lot_id == each.lot_id)


@pytest.mark.parametrize(
    ("status", "due"),
    [
        (LotStatus.FUTURE, 5),
        (LotStatus.LIVE, 9),
        (LotStatus.SPENT, None),
        (LotStatus.EXPIRED, None),
    ],
)
def test_a_lot_begins_and_then_it_ends(status: LotStatus, due: int | None) -> None:
    """Nothing more happens by itself to a lot that has nothing to give."""
    assert due_of(lot(status=status, effective_date=5, expiration_date=9)) == due


@pytest.mark.parametrize(("at", "pays"), [(4, False), (5, True), (8, True), (9, False)])
def test_a_lot_pays_for_its_own_life(at: int, *, pays: bool) -> None:
    """From its first instant on, and no longer at its end."""
    assert pays_for(lot(effective_date=5, expiration_date=9), at) is pays
    assert pays_for(lot(effective_date=5), at) is (at >= 5)


def test_credits_have_the_fate_that_their_definition_says() -> None:
    """Without a duration they have none of their own."""
    configuration = CreditConfiguration(amount=1, expires_after="PT1H")
    fate = own_fate(configuration, LotOrigin.RENEWAL, 7, "UTC")
    assert fate == Fate(origin=LotOrigin.RENEWAL, expiration_date=3_600_007)
    assert own_fate(CreditConfiguration(amount=1), LotOrigin.RENEWAL, 7, "UTC") is None
    assert own_fate(None, LotOrigin.RENEWAL, 7, "UTC") is None


def test_a_new_lot_has_its_credits_still_to_come() -> None:
    """It begins when it is made, unless it is for later."""
    now = new_lot(Fate(origin=LotOrigin.GRANT), lot_id="1", pool_id="2", amount=3, now=7, begin=7)
    assert (now.status, now.granted, now.available) == (LotStatus.FUTURE, 3, 0)
    assert (now.effective_date, now.expiration_date, now.priority) == (7, None, 100)
    fate = Fate(origin=LotOrigin.GRANT, effective_date=50, expiration_date=60)
    later = new_lot(fate, lot_id="1", pool_id="2", amount=3, now=7, begin=50)
    assert (later.effective_date, later.expiration_date) == (50, 60)
