"""A pool that can be spent: its definition, its items, its program, and calls on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.calls import NAMESPACE, benefit, details, guid

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document, Refused


class Wallet:
    """Where the credits of one pool are spent; what a call doesn't say is made up."""

    def __init__(
        self, caller: Caller, definition: Document, program: Document, pool_id: str
    ) -> None:
        self.caller = caller
        self.definition = definition
        self.program = program
        self.pool_id = pool_id

    def benefit(self, key: str | None = None) -> Document:
        """A benefit of the definition, the first one unless another is named."""
        benefits: list[Document] = self.definition["details"]["benefits"]
        return next(each for each in benefits if key in (None, each["benefitKey"]))

    def reference(self, key: str | None = None) -> Document:
        chosen = self.benefit(key)
        return {
            "externalId": f"item of {chosen['benefitKey']}",
            "providerAppId": chosen["providerAppId"],
        }

    def redemption(self, key: str | None = None, **fields: Any) -> Document:
        return {
            "poolId": self.pool_id,
            "benefitKey": self.benefit(key)["benefitKey"],
            "itemReference": self.reference(key),
            "idempotencyKey": guid(),
            "namespace": NAMESPACE,
            **fields,
        }

    def question(self, key: str | None = None, **fields: Any) -> Document:
        """The request that asks whether a benefit may be redeemed."""
        asked = {
            "poolId": self.pool_id,
            "itemReference": self.reference(key),
            "namespace": NAMESPACE,
            **fields,
        }
        return asked if key is None else {"benefitKey": key, **asked}

    def move(self, transaction_id: str, target_date: str, **fields: Any) -> Document:
        """The request that moves a redemption to another date."""
        return {
            "transactionId": transaction_id,
            "targetDate": target_date,
            "idempotencyKey": guid(),
            "beneficiary": self.program["beneficiary"],
            "namespace": NAMESPACE,
            **fields,
        }

    def change(self, **fields: Any) -> Document:
        return {"poolId": self.pool_id, "idempotencyKey": guid(), **fields}

    async def redeem(self, key: str | None = None, **fields: Any) -> str:
        answer = await self.caller.call("redeemBenefit", self.redemption(key, **fields))
        return answer["transactionId"]  # type: ignore[no-any-return]

    async def redeem_refused(self, key: str | None = None, **fields: Any) -> Refused:
        return await self.caller.refusal("redeemBenefit", self.redemption(key, **fields))

    async def reallocate(self, transaction_id: str, target_date: str, **fields: Any) -> str:
        request = self.move(transaction_id, target_date, **fields)
        answer = await self.caller.call("reallocateBenefit", request)
        return answer["transactionId"]  # type: ignore[no-any-return]

    async def reallocate_refused(
        self, transaction_id: str, target_date: str, **fields: Any
    ) -> Refused:
        request = self.move(transaction_id, target_date, **fields)
        return await self.caller.refusal("reallocateBenefit", request)

    async def cancel(self, transaction_id: str, key: str | None = None) -> str:
        request = {"transactionId": transaction_id, "idempotencyKey": key or guid()}
        answer = await self.caller.call("cancelRedemption", request)
        return answer["transactionId"]  # type: ignore[no-any-return]

    async def cancel_refused(self, transaction_id: str, key: str | None = None) -> Refused:
        request = {"transactionId": transaction_id, "idempotencyKey": key or guid()}
        return await self.caller.refusal("cancelRedemption", request)

    async def adjust(self, value: str, **options: Any) -> Document:
        return await self.caller.call(
            "changeBalance", self.change(adjustOptions={"value": value, **options})
        )

    async def adjust_refused(self, value: str, **options: Any) -> Refused:
        return await self.caller.refusal(
            "changeBalance", self.change(adjustOptions={"value": value, **options})
        )

    async def set_balance(self, value: str, **options: Any) -> Document:
        return await self.caller.call(
            "changeBalance", self.change(setOptions={"value": value, **options})
        )

    async def leave(self, **options: Any) -> Document:
        """Change the balance to what it is already; the answer names no transaction."""
        answer = await self.caller.call("changeBalance", self.change(**options))
        assert "transactionId" not in answer
        return answer["balance"]  # type: ignore[no-any-return]

    async def revert(self, transaction_id: str) -> str:
        answer = await self.caller.call("revertBalanceChange", {"transactionId": transaction_id})
        return answer["transactionId"]  # type: ignore[no-any-return]

    async def revert_refused(self, transaction_id: str) -> Refused:
        return await self.caller.refusal("revertBalanceChange", {"transactionId": transaction_id})

    async def balance(self) -> Document:
        answer = await self.caller.call("getBalance", {"poolId": self.pool_id})
        return answer["balance"]  # type: ignore[no-any-return]

    async def available(self) -> str:
        return (await self.balance())["amount"]["available"]  # type: ignore[no-any-return]

    async def pool(self) -> Document:
        answer = await self.caller.call("getPool", {"poolId": self.pool_id})
        return answer["pool"]  # type: ignore[no-any-return]

    async def transaction(self, transaction_id: str) -> Document:
        answer = await self.caller.call("getTransaction", {"transactionId": transaction_id})
        return answer["transaction"]  # type: ignore[no-any-return]

    async def transactions(self) -> list[Document]:
        """All transactions of the pool, the oldest first."""
        query = {
            "filter": {"pool.id": self.pool_id},
            "sort": [{"fieldName": "createdDate", "order": "ASC"}],
            "cursorPaging": {"limit": 100},
        }
        pages = await self.caller.pages("queryTransactions", query)
        return [row for page in pages for row in page]

    async def eligibility(self, key: str | None = None, **fields: Any) -> list[Document]:
        """The results of asking whether a benefit may be redeemed."""
        answer = await self.caller.call("checkBenefitEligibility", self.question(key, **fields))
        return answer["result"]["benefitResults"]  # type: ignore[no-any-return]


async def open_wallet(
    caller: Caller,
    *benefits: Document,
    amount: str | None = "100",
    program: Document | None = None,
    definition: Document | None = None,
    **more: Any,
) -> Wallet:
    """A wallet with a new definition, one item for each of its benefits, and a program of it.

    Without benefits there is one, ``towel`` at the price of 10; more are details.
    """
    benefits = benefits or (benefit("towel"),)
    made = await caller.create_pool_definition(
        details=details(*benefits, amount=amount, **more), **(definition or {})
    )
    for each in made["details"]["benefits"]:
        await add_item(caller, each, f"item of {each['benefitKey']}")
    return await open_another(caller, made, **(program or {}))


async def open_another(caller: Caller, definition: Document, **fields: Any) -> Wallet:
    """A wallet with another program of a definition."""
    program = (await caller.provision(pool_definition=definition, **fields))["program"]
    (pool,) = await caller.pools_of(program["id"])
    return Wallet(caller, definition, program, pool["id"])


async def add_item(caller: Caller, chosen: Document, external_id: str, **fields: Any) -> Document:
    new = {
        "itemSetId": chosen["itemSetId"],
        "providerAppId": chosen["providerAppId"],
        "externalId": external_id,
        "namespace": NAMESPACE,
        **fields,
    }
    return (await caller.call("createItem", {"item": new}))["item"]  # type: ignore[no-any-return]
