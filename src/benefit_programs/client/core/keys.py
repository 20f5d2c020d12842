"""Calls that an idempotency key makes safe to repeat.

The client makes a key if the caller gives none. Nobody else can have used such a key. So if a
repeated call is refused because it was done before, its own first attempt has done it, and the
answer is the result of that attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from benefit_programs.client.core.calls import Call
from benefit_programs.client.core.wire import Reader, document
from benefit_programs.client.errors import ApiError, EligibleAlreadyRedeemed
from benefit_programs.client.generated.errors import AlreadyExecuted, BenefitAlreadyRedeemed
from benefit_programs.client.types.pools import Redemption
from benefit_programs.client.types.programs import StartedJob
from benefit_programs.client.types.returns import (
    CanceledItems,
    Cancellation,
    MovedRedemption,
    PaidRedemption,
)

T = TypeVar("T")


def keyed(
    name: str,
    read: Reader[T],
    fields: dict[str, Any],
    *,
    idempotency_key: str | None,
    replay: Callable[[ApiError], T | None],
) -> Call[T]:
    """A call with the caller's key, or with a new one."""
    key = idempotency_key or str(uuid4())
    return Call(
        name=name,
        fields={**fields, **document(idempotency_key=key)},
        read=read,
        own_key=not idempotency_key,
        replay=replay,
    )


def first_redemption(error: ApiError) -> Redemption | None:
    """The result of the first attempt to redeem, or reallocate."""
    found = first_transaction(error)
    return Redemption(transaction_id=found) if found else None


def first_cancellation(error: ApiError) -> Cancellation | None:
    """The result of the first attempt to cancel a redemption."""
    found = first_transaction(error)
    return Cancellation(transaction_id=found) if found else None


def first_canceled_items(error: ApiError) -> CanceledItems | None:
    """The result of the first attempt to cancel items; it may have changed nothing."""
    if isinstance(error, AlreadyExecuted):
        return CanceledItems(transaction_id=error.transaction_id)
    return None


def first_move(error: ApiError) -> MovedRedemption | None:
    """The result of the first attempt to let another pool pay."""
    found = first_transaction(error)
    return MovedRedemption(transaction_id=found) if found else None


def first_payment(error: ApiError) -> tuple[PaidRedemption, ...] | None:
    """The result of the first attempt to redeem by whichever pools pay."""
    return error.redemptions if isinstance(error, EligibleAlreadyRedeemed) else None


def first_job(error: ApiError) -> StartedJob | None:
    """The job that the first attempt to pause, resume or renew has started."""
    found = error.job_id if isinstance(error, AlreadyExecuted) else None
    return StartedJob(job_id=found) if found else None


def first_transaction(error: ApiError) -> str | None:
    """The transaction that the first attempt has made."""
    if isinstance(error, AlreadyExecuted | BenefitAlreadyRedeemed):
        return error.transaction_id
    return None
