"""Helpers for lots."""

from __future__ import annotations

from benefit_programs.client.errors import ApiError
from benefit_programs.client.generated.errors import AlreadyExecuted
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.ledger import Balance
from benefit_programs.client.types.lots import Lot


class LotAnswer(Part, frozen=True, kw_only=True):
    """The answer to a grant or an end; of a first attempt whose answer was lost, only ids."""

    lot: Lot | None = None
    balance: Balance | None = None
    transaction_id: str | None = None
    lot_id: str | None = None


def first_lot(error: ApiError) -> LotAnswer | None:
    """The result of the first attempt."""
    if isinstance(error, AlreadyExecuted) and error.lot_id:
        return LotAnswer(lot_id=error.lot_id, transaction_id=error.transaction_id)
    return None
