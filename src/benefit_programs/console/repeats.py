"""Changes that are sent twice: a double click does once what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BenefitAlreadyRedeemed,
    EligibleAlreadyRedeemed,
)


async def once(visit: Visit, method: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a method with the form's idempotency key.

    If the same form was sent before, the answer names what was made then.
    """
    try:
        answer: dict[str, Any] = await visit.call(
            method, {**request, "idempotencyKey": visit.form["key"]}
        )
    except (AlreadyExecuted, BenefitAlreadyRedeemed) as refusal:
        if not refusal.same_request:
            raise
        return {"transactionId": getattr(refusal, "transaction_id", None)}
    except EligibleAlreadyRedeemed as refusal:
        if not refusal.same_request:
            raise
        return {
            "redemptions": [
                {"transactionId": each.transaction_id, "poolId": each.pool_id}
                for each in refusal.redemptions
            ]
        }
    return answer
