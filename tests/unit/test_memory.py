"""What a process remembers of a tenant: what reserved, until its reservation ends."""

from __future__ import annotations

from typing import Any

import pytest

from benefit_programs.domain.entities import (
    BalanceType,
    Item,
    Operation,
    Reservation,
    ReservationStatus,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import (
    ITEM_BY_REFERENCE,
    POOL,
    RESERVATION,
    RESERVING_TRANSACTION,
    TRANSACTION_BY_KEY,
)
from benefit_programs.domain.reservations import CancelReservation, CaptureReservation
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, State
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.engine.batch import Submission, first_needs
from benefit_programs.engine.memory import ITEMS_MAX, RESERVING_MAX, Memory

NOW = 1_700_000_000_000
OPEN, CAPTURED = ReservationStatus.OPEN, ReservationStatus.CAPTURED


def reserving(number: int = 1, operation: Operation = Operation.RESERVE) -> Transaction:
    return Transaction(
        id=f"transaction {number}",
        pool_id="pool",
        created=NOW,
        operation=operation,
        amount=1,
        source=BalanceType.AVAILABLE,
        target=BalanceType.RESERVED,
        available_after=0,
        balance_revision=1,
        snapshot_id="snapshot",
        details=TransactionDetails(reason="Reservation"),
        party_type=IdentityType.APP,
        party_id="app",
        correlation_id=f"transaction {number}",
    )


def reservation(status: ReservationStatus = OPEN, **more: Any) -> Reservation:
    return Reservation(
        id="transaction 1",
        created=NOW,
        updated=NOW,
        pool_id="pool",
        status=status,
        count=2,
        price=1,
        expiration_date=NOW + 1,
        draws=(),
        quota_shares=(),
        **more,
    )


def remember(memory: Memory, *rows: Any) -> Memory:
    """Let a batch save these rows."""
    state, changes = State(), Changes(None)
    changes.save(*rows)
    state.apply(changes)
    memory.keep_reserving(state)
    return memory


def asked(memory: Memory, command: type[CaptureReservation | CancelReservation]) -> set[Index[Any]]:
    """What a command on the first reservation asks for before anything is loaded."""
    wanted = command(transaction_id="transaction 1", idempotency_key="key")
    submission = Submission(wanted, Identity(IdentityType.APP, "app"), TenantSettings())
    return set(first_needs(submission, now=NOW, memory=memory))


@pytest.mark.parametrize("command", [CaptureReservation, CancelReservation])
def test_what_reserved_here_ends_in_one_round(command: type[CaptureReservation]) -> None:
    """The pool is known, so all is asked for at once; else the transaction comes first."""
    memory = remember(Memory(), reserving(), reservation())
    assert asked(memory, command) == {POOL, RESERVATION, TRANSACTION_BY_KEY}
    assert asked(Memory(), command) == {RESERVING_TRANSACTION}


def test_what_was_read_is_remembered_too() -> None:
    """A reservation that another process made is looked for once."""
    memory = Memory()
    memory.keep(RESERVING_TRANSACTION, [reserving()])
    assert asked(memory, CaptureReservation) == {POOL, RESERVATION, TRANSACTION_BY_KEY}


@pytest.mark.parametrize(("status", "first"), [(OPEN, POOL), (CAPTURED, RESERVING_TRANSACTION)])
def test_it_is_forgotten_with_the_end_of_its_reservation(
    status: ReservationStatus, first: Index[Any]
) -> None:
    """A part that is captured doesn't end it."""
    memory = remember(Memory(), reserving(), reservation())
    remember(memory, reservation(status, captured=1))
    assert first in asked(memory, CaptureReservation)


def test_a_batch_that_reserves_and_captures_leaves_nothing() -> None:
    """Neither do transactions that reserve nothing."""
    memory = remember(Memory(), reserving(), reservation(CAPTURED))
    remember(memory, reserving(2, Operation.REDEEM))
    assert [memory.at_hand[RESERVING_TRANSACTION]((f"transaction {n}",)) for n in (1, 2)] == [
        None,
        None,
    ]


def test_only_the_latest_are_remembered() -> None:
    """The memory has a limit, past which the one that was used least recently goes."""
    rows = [reserving(number) for number in range(RESERVING_MAX)]
    memory = remember(Memory(), *rows)
    find = memory.at_hand[RESERVING_TRANSACTION]
    assert find((rows[0].id,)) == rows[0]
    remember(memory, reserving(RESERVING_MAX))
    assert (find((rows[0].id,)), find((rows[1].id,))) == (rows[0], None)


def item(number: int, item_set_id: str) -> Item:
    return Item(
        id=f"item {number} of {item_set_id}",
        revision=1,
        created=NOW,
        updated=NOW,
        item_set_id=item_set_id,
        provider_app_id="app",
        category="",
        external_id=f"{number}",
        namespace="namespace",
    )


def test_an_items_set_is_guessed_from_where_it_was_found_last() -> None:
    """Nothing is guessed of an item that wasn't found, or long ago."""
    memory, guess = Memory(), ITEM_BY_REFERENCE
    find = memory.guesses[guess]
    memory.keep(guess, [item(0, "a"), item(1, "a")])
    memory.keep(guess, [item(0, "b")])
    assert find(("0", "app", "")) == ("0", "app", "", "b")
    assert find(("2", "app", "")) is None
    memory.keep(guess, [item(number, "c") for number in range(2, ITEMS_MAX + 1)])
    assert find(("0", "app", "")) == ("0", "app", "", "b")
    assert find(("1", "app", "")) is None
