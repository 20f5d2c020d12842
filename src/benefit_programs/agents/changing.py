"""The tools that change something, each by one method of the API.

There are none that end programs, change definitions, settings or keys, or touch many at once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec

from benefit_programs.agents.calling import NOT_FOUND, Methods, Refused
from benefit_programs.agents.reading import Count, Date, Text
from benefit_programs.agents.tool import Arguments, Change, given, tool

REASON_LENGTH_MAX = 256
KEY_LENGTH_MAX = 64


class OnceForAReason(Arguments, frozen=True, kw_only=True):
    """What each change says."""

    reason: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=REASON_LENGTH_MAX,
            description="Who wants it and why, for the audit.",
        ),
    ]
    idempotency_key: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=KEY_LENGTH_MAX,
            description="Make up a new one for each change, such as a UUID. Repeat it only to try "
            "the very same change again: it is never done twice.",
        ),
    ]

    @property
    def said(self) -> dict[str, Any]:
        return {"reason": self.reason, "idempotencyKey": self.idempotency_key}


class Redeem(OnceForAReason, frozen=True, kw_only=True):
    """An item, and what pays."""

    pool_id: Text
    benefit_key: Annotated[Text, msgspec.Meta(description="From can_redeem.")]
    item_id: Annotated[Text, msgspec.Meta(description="The item's external id.")]
    category: Annotated[Text, msgspec.Meta(description="If the item has one.")] | None = None
    count: Count = 1
    target_date: Annotated[Date, msgspec.Meta(description="When it is used.")] | None = None


@tool("Redeem an item", "redeemBenefit", "getPool", changes=True)
async def redeem(methods: Methods, asked: Redeem) -> Change:
    """Pay for an item with credits of one pool.

    Ask can_redeem first, and take the pool and the benefit from its answer.
    """
    pool = (await methods.call("getPool", {"poolId": asked.pool_id}))["pool"]
    benefits = pool["details"].get("benefits", [])
    benefit = next((each for each in benefits if each["benefitKey"] == asked.benefit_key), None)
    if benefit is None:
        raise Refused(
            "BENEFIT_NOT_FOUND",
            "The pool has no such benefit.",
            status=NOT_FOUND,
            data={"benefitKeys": [each["benefitKey"] for each in benefits]},
        )
    reference = {"externalId": asked.item_id, "providerAppId": benefit["providerAppId"]}
    request = {
        "poolId": asked.pool_id,
        "benefitKey": asked.benefit_key,
        "itemReference": reference | given(category=asked.category),
        "namespace": pool["namespace"],
        "count": asked.count,
        **given(targetDate=asked.target_date),
        **asked.said,
    }
    amount = Decimal(benefit.get("price", "0")) * asked.count
    return Change(method="redeemBenefit", request=request, amount=amount)


class OfTransaction(OnceForAReason, frozen=True, kw_only=True):
    """A redemption."""

    transaction_id: Annotated[
        Text, msgspec.Meta(description="The redemption, from explain_balance.")
    ]


@tool("Give a redemption back", "cancelRedemption", "getTransaction", changes=True)
async def give_back(methods: Methods, asked: OfTransaction) -> Change:
    """Cancel a redemption and give its credits back, as far as the benefit's terms let it."""
    transaction = await _transaction(methods, asked.transaction_id)
    return Change(
        method="cancelRedemption",
        request={"transactionId": asked.transaction_id, **asked.said},
        amount=Decimal(transaction.get("amount", "0")),
    )


class Reallocate(OfTransaction, frozen=True, kw_only=True):
    """A redemption, and a date."""

    target_date: Date


@tool("Move a redemption to another date", "reallocateBenefit", "getTransaction", changes=True)
async def reallocate(methods: Methods, asked: Reallocate) -> Change:
    """Move a redemption to another date. It costs nothing."""
    transaction = await _transaction(methods, asked.transaction_id)
    beneficiary = dict(transaction.get("beneficiary", {}))
    beneficiary.pop("identityType", None)
    request = {
        "transactionId": asked.transaction_id,
        "targetDate": asked.target_date,
        "beneficiary": beneficiary,
        "namespace": transaction["pool"]["namespace"],
        **asked.said,
    }
    return Change(method="reallocateBenefit", request=request)


class Adjust(OnceForAReason, frozen=True, kw_only=True):
    """A pool, and credits."""

    pool_id: Text
    credits: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$",
            description='How many to add, such as "2"; with a minus sign to take off.',
        ),
    ]


@tool("Add or take off credits", "changeBalance", changes=True)
async def adjust(methods: Methods, asked: Adjust) -> Change:
    """Add credits to a pool, or take some off, by hand. To undo a redemption use give_back."""
    del methods
    request = {
        "poolId": asked.pool_id,
        "idempotencyKey": asked.idempotency_key,
        "adjustOptions": {"value": asked.credits},
        "transactionDetails": {"reason": asked.reason},
    }
    return Change(method="changeBalance", request=request, amount=abs(Decimal(asked.credits)))


class OfProgram(OnceForAReason, frozen=True, kw_only=True):
    """A program."""

    program_id: Text


class Pause(OfProgram, frozen=True, kw_only=True):
    """A program, and until when."""

    until_date: Annotated[Date, msgspec.Meta(description="When it resumes.")] | None = None


@tool("Pause a program", "pauseProgram", changes=True)
async def pause(methods: Methods, asked: Pause) -> Change:
    """Pause a program with its pools, now. It resumes by itself at untilDate, if one is named."""
    del methods
    request = {"programId": asked.program_id, **given(untilDate=asked.until_date), **asked.said}
    return Change(method="pauseProgram", request=request)


@tool("Resume a program", "resumeProgram", changes=True)
async def resume(methods: Methods, asked: OfProgram) -> Change:
    """Resume a paused program with its pools, now."""
    del methods
    return Change(method="resumeProgram", request={"programId": asked.program_id, **asked.said})


async def _transaction(methods: Methods, transaction_id: str) -> dict[str, Any]:
    answer = await methods.call("getTransaction", {"transactionId": transaction_id})
    transaction: dict[str, Any] = answer["transaction"]
    return transaction


CHANGING = (redeem, give_back, reallocate, adjust, pause, resume)
