"""Helpers for balances."""

from __future__ import annotations

from typing import Any

from benefit_programs.client.core.keys import first_transaction
from benefit_programs.client.core.wire import amount_text, document
from benefit_programs.client.errors import ApiError
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.common import Amount
from benefit_programs.client.types.ledger import (
    AdjustBalance,
    Balance,
    SetBalance,
    SetInitialBalance,
)


class ChangeAnswer(Part, frozen=True, kw_only=True):
    """The answer to a change, without the balance if its first answer was lost."""

    balance: Balance | None = None
    transaction_id: str | None = None


def first_change(error: ApiError) -> ChangeAnswer | None:
    """The result of the first attempt to change a balance."""
    found = first_transaction(error)
    return ChangeAnswer(transaction_id=found) if found else None


def change_options(change: AdjustBalance | SetBalance | SetInitialBalance) -> dict[str, Any]:
    """The one of the three options that a change is. Raises TypeError for a float."""
    given = document(value=amount_text(change.value), beneficiary=change.beneficiary)
    match change:
        case AdjustBalance():
            return {"type": "ADJUST", "adjustOptions": given | _limits(change)}
        case SetBalance():
            return {"type": "SET", "setOptions": given}
        case SetInitialBalance():
            return {"type": "SET_INITIAL", "setInitialOptions": given}


def _limits(change: AdjustBalance) -> dict[str, Any]:
    return document(
        lower_limit=_amount(change.lower_limit),
        upper_limit=_amount(change.upper_limit),
        limit_rule=change.limit_rule,
    )


def _amount(value: Amount | None) -> str | None:
    return None if value is None else amount_text(value)
