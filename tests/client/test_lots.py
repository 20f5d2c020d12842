"""Lots by the client, in all its forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benefit_programs.client import (
    AlreadyExecuted,
    BalanceNotFound,
    InvalidRevision,
    LotExpired,
    LotIsStandard,
    LotNotFound,
    LotOrigin,
    LotStatus,
    ValidationError,
)

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms
    from tests.support.gym import Gym

ENGINES = ["sqlite"]


def test_lots_are_granted_found_changed_and_ended(client: BenefitPrograms, gym: Gym) -> None:
    """What the methods answer is what was done, as the client's own types."""
    _, pool = gym.provision()
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    made = client.lots.grant(
        pool.id,
        Decimal("2.5"),
        expiration_date=end,
        priority=5,
        display_name="Pack",
        external_reference="order:1",
        additional_data={"till": 1},
    )
    assert made.transaction_id is not None
    assert made.balance.available == Decimal("102.5")
    lot = made.lot
    assert (lot.granted, lot.available, lot.priority) == (Decimal("2.5"), Decimal("2.5"), 5)
    assert (lot.expiration_date, lot.origin, lot.status) == (end, LotOrigin.GRANT, LotStatus.LIVE)
    assert client.lots.get(lot.id) == lot
    drawn = client.transactions.get(made.transaction_id)
    assert [(each.lot_id, each.amount) for each in drawn.lots or ()] == [(lot.id, Decimal("2.5"))]
    assert [each.id for each in client.lots.list(pool.id)] == [lot.id, pool.id]
    soon = client.lots.query(
        {"pool_id": pool.id, "status": LotStatus.LIVE, "expiration_date": {"$lte": end}},
        sort=["expiration_date"],
    )
    assert [each.id for each in soon] == [lot.id]
    changed = client.lots.update(
        lot.id, revision=lot.revision, expiration_date=None, kept_at_renewal=False
    )
    assert (changed.expiration_date, changed.kept_at_renewal) == (None, False)
    with pytest.raises(InvalidRevision):
        client.lots.update(lot.id, revision=lot.revision, priority=1)
    ended = client.lots.expire(lot.id)
    assert (ended.lot.status, ended.balance.available) == (LotStatus.EXPIRED, Decimal(100))
    with pytest.raises(LotExpired):
        client.lots.expire(lot.id)


def test_refusals_have_their_classes(client: BenefitPrograms, gym: Gym) -> None:
    """Each refusal is an error of its own, with its facts."""
    _, pool = gym.provision()
    with pytest.raises(LotNotFound):
        client.lots.get(str(uuid4()))
    with pytest.raises(BalanceNotFound):
        client.lots.grant(str(uuid4()), 1)
    with pytest.raises(LotIsStandard):
        client.lots.update(pool.id, revision=1, priority=1)
    with pytest.raises(ValidationError):
        client.lots.grant(pool.id, 1, expires_after="P0D")
    first = client.lots.grant(pool.id, 1, idempotency_key="one")
    with pytest.raises(AlreadyExecuted) as refused:
        client.lots.grant(pool.id, 1, idempotency_key="one")
    assert refused.value.lot_id == first.lot.id
    assert refused.value.same_request
