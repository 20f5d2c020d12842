"""Reservations through the client: sync and async, over HTTP and in process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benefit_programs.client import (
    AlreadyExecuted,
    NewRedemption,
    NewReservation,
    NotEnoughReserved,
    ReservationCancel,
    ReservationCapture,
    ReservationNotFound,
    ReservationNotOpen,
    ReservationStatus,
)

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms, Pool
    from tests.support.gym import Gym

ENGINES = ["sqlite"]


def guid() -> str:
    return str(uuid4())


def reserve(gym: Gym, pool: Pool, **more: object) -> str:
    reserved = gym.client.reservations.reserve(
        pool.id,
        benefit_key="towel",
        item_reference=gym.reference,
        namespace=gym.namespace,
        **more,  # type: ignore[arg-type]
    )
    return reserved.transaction_id


def test_reservation_is_held_and_captured(client: BenefitPrograms, gym: Gym) -> None:
    """A reservation is read, captured in parts, and found by what it is."""
    _, pool = gym.provision()
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    made = reserve(gym, pool, count=3, expiration_date=end, external_reference="booking:7")
    reservation = client.reservations.get(made)
    assert (reservation.status, reservation.held_count) == (ReservationStatus.OPEN, 3)
    assert (reservation.held, reservation.price) == (Decimal(30), Decimal(10))
    assert (reservation.expiration_date, reservation.external_reference) == (end, "booking:7")
    captured = client.reservations.capture(made, count=1, keep_rest=True)
    assert client.transactions.get(captured.transaction_id).reservation_id == made
    with pytest.raises(NotEnoughReserved) as caught:
        client.reservations.capture(made, count=3)
    assert (caught.value.held_count, caught.value.requested_count) == (2, 3)
    assert client.balances.get(pool.id).amount.reserved == Decimal(20)
    client.reservations.cancel(made)
    with pytest.raises(ReservationNotOpen) as ended:
        client.reservations.capture(made)
    assert ended.value.reservation_status == ReservationStatus.CANCELED
    found = client.reservations.query({"pool_id": pool.id, "status": ReservationStatus.CANCELED})
    assert [each.id for each in found] == [made]
    with pytest.raises(ReservationNotFound):
        client.reservations.get(guid())


def test_own_keys_tell_of_the_first_answer(client: BenefitPrograms, gym: Gym) -> None:
    """A key that was used names its transaction, for each of the three."""
    _, pool = gym.provision()
    key = guid()
    made = reserve(gym, pool, idempotency_key=key)
    with pytest.raises(AlreadyExecuted) as caught:
        reserve(gym, pool, idempotency_key=key)
    assert caught.value.transaction_id == made
    captured = client.reservations.capture(made, idempotency_key=key).transaction_id
    with pytest.raises(AlreadyExecuted) as caught:
        client.reservations.capture(made, idempotency_key=key)
    assert caught.value.transaction_id == captured


def test_many_are_redeemed_in_one_call(client: BenefitPrograms, gym: Gym) -> None:
    """Each of many redemptions is done or refused by itself, and one that is sent again is told."""
    _, pool = gym.provision()
    new = NewRedemption(
        pool_id=pool.id,
        benefit_key="towel",
        item_reference=gym.reference,
        namespace=gym.namespace,
        idempotency_key=guid(),
    )
    result = client.pools.bulk_redeem([new, new])
    (made,) = result.successes
    (failed,) = result.failures
    assert failed.error is not None
    assert failed.error.code == "BENEFIT_ALREADY_REDEEMED"
    assert made.item is not None
    assert made.item.transaction_id == made.id


def test_many_are_reserved_captured_and_canceled(client: BenefitPrograms, gym: Gym) -> None:
    """The bulk forms tell of each entry by itself."""
    _, pool = gym.provision()
    new = NewReservation(
        pool_id=pool.id,
        benefit_key="towel",
        item_reference=gym.reference,
        namespace=gym.namespace,
        idempotency_key=guid(),
        expires_after="PT1H",
    )
    result = client.reservations.bulk_reserve([new, new])
    (made,) = result.successes
    (failed,) = result.failures
    assert failed.error is not None
    assert (failed.error.code, made.item is not None) == ("ALREADY_EXECUTED", True)
    assert made.id is not None
    capture = ReservationCapture(transaction_id=made.id, idempotency_key=guid(), keep_rest=True)
    assert len(client.reservations.bulk_capture([capture]).successes) == 1
    cancel = ReservationCancel(transaction_id=made.id, idempotency_key=guid())
    (gone,) = client.reservations.bulk_cancel([cancel]).failures
    assert gone.error is not None
    assert gone.error.code == "RESERVATION_NOT_OPEN"
