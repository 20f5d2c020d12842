"""What the fields hold of methods that go beside redemptions. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import errors, explanations
from benefit_programs.wire.types import pools, returns

OF_RETURNS: dict[type[Any], dict[str, str]] = {
    pools.ReallocateBenefitRequest: {
        "beneficiary": "The owner that the pool must have.",
        "target_date": "The new date. Policies are judged at that moment.",
        "transaction_id": "The latest transaction of the redemption.",
    },
    pools.CancelRedemptionRequest: {
        "override": "Give all credits back, whatever the cancellation terms say. Default: false.",
        "total_count": (
            "How many of the items are canceled after this, in all. If it were fewer than are"
            " canceled already, nothing changes. Absent: all."
        ),
        "transaction_id": "The latest transaction of the redemption.",
    },
    pools.CancelRedemptionResponse: {
        "forfeited": "The credits that didn't come back, since it was late.",
        "returned": "The credits that came back.",
        "total_count": "How many of the items are canceled now, in all.",
        "transaction_id": (
            "The transaction that gives the credits back. Absent if as many items were canceled"
            " before."
        ),
    },
    returns.BulkRedeemBenefitsRequest: {"redemptions": "What to redeem."},
    returns.BulkRedemptionResult: {
        "item": "The new transaction. Absent if the entry failed.",
        "item_metadata": "Whether it was done, and the id of the transaction.",
    },
    returns.CancelByReferenceRequest: {
        "external_reference": "What the redemptions and reservations were made with.",
        "namespace": "The namespace whose pools to look at.",
        "override": "Give all credits back, whatever the cancellation terms say. Default: false.",
    },
    returns.CancelByReferenceResponse: {
        "results": "What became of each redemption and reservation, the oldest first."
    },
    returns.ReferencedCancellation: {
        "cancellation_transaction_id": (
            "The transaction that gave its credits back. Absent if there is none."
        ),
        "error": "Why it couldn't be canceled. Only if the status is FAILED.",
        "forfeited": "The credits that didn't come back, since it was late.",
        "returned": "The credits that came back. Only if this call has canceled it.",
        "status": (
            "CANCELED by this call, also if it is repeated; or what had become of it before:"
            " ALREADY_CANCELED, CAPTURED or LAPSED. FAILED if it stands as it was."
        ),
        "transaction_id": "The transaction of the redemption or reservation.",
    },
    returns.MoveRedemptionRequest: {
        "benefit_key": (
            "The benefit of that pool that pays. Absent: the first one that holds the item."
        ),
        "pool_id": "The pool that pays from now on.",
        "transaction_id": "The latest transaction of the redemption.",
    },
    returns.MoveRedemptionResponse: {
        "cancellation_transaction_id": "The transaction that gave the credits back.",
        "returned": "The credits that the other pool got back.",
        "transaction_id": "The transaction of the new redemption.",
    },
    returns.RedeemEligibleRequest: {
        "additional_data": (
            "The caller's own values. Policy providers get them, and the event keeps them."
        ),
        "beneficiary": "Whose pools may pay. The idempotency key is theirs, too.",
        "count": "How many items. Default: 1.",
        "split": (
            "Whether several benefits may pay together, each for whole items: for all of them, or"
            " for none. Default: false."
        ),
    },
    returns.RedeemEligibleResponse: {
        "redemptions": "The redemptions that were made, in the order in which they pay."
    },
    explanations.PaidRedemption: {
        "amount": "The credits that were spent.",
        "benefit_key": "The benefit that paid.",
        "count": "For how many items it paid.",
        "pool_id": "The pool that paid.",
        "transaction_id": "The transaction of this redemption.",
    },
    errors.TooManyReferenced: {"maximum": "How many one call cancels."},
    errors.EligibleAlreadyRedeemed: {
        "idempotency_key": "The key that was used.",
        "redemptions": "The redemptions of the first execution.",
    },
}
