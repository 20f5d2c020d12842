"""A tenant full of random entities, for the queries, and what may come and go meanwhile."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tests.support.calls import benefit, details, guid

if TYPE_CHECKING:
    from tests.support.calls import Caller

Document = dict[str, Any]

NAMESPACES = ("gym", "Gym", "spa")
CATEGORIES = (None, "", "a", "A", "ä", "Straße")
EXTERNAL_IDS = ("a", "A", "ab", "b", "ß", "SS", "ŉ", "%", "_", "é", "\U0001f600", "' OR 1", "a/b")
IDENTITIES = ("memberId", "wixUserId", "memberId", "anonymousVisitorId", "wixUserId")
MONTHLY = {"renewalConfiguration": {"every": "P1M"}}
TERMS: list[Document] = [{}, MONTHLY, {"endsAfter": "P1Y"}, MONTHLY | {"endsAfter": "P2Y"}]


class Gymnasium:
    """Random entities, made through a caller."""

    def __init__(self, caller: Caller, random: Random) -> None:
        self._caller = caller
        self._random = random
        self.apps = [guid() for _ in range(2)]
        self.beneficiaries = [{name: guid()} for name in IDENTITIES]
        self.program_definitions: list[Document] = []
        self.pool_definitions: list[Document] = []
        self.items: list[Document] = []
        self.programs: list[Document] = []

    async def fill(self) -> None:
        """Make some of everything."""
        for _ in range(4):
            await self.add_program_definition()
        for count in (0, 1, 2, 3, 2):
            await self.add_pool_definition(count)
        for _ in range(14):
            await self.add_item()
        for _ in range(10):
            await self.add_program()
        await self._act()

    async def add_program_definition(self) -> None:
        """A program definition with an external id of which cases and prefixes matter."""
        ids = [each["externalId"] for each in self.program_definitions]
        free = [each for each in EXTERNAL_IDS if each not in ids] or [guid()]
        self.program_definitions.append(
            await self._caller.create_program_definition(
                namespace=self._random.choice(NAMESPACES), externalId=self._random.choice(free)
            )
        )

    async def add_pool_definition(self, benefits: int = 2) -> None:
        """A pool definition with so many benefits, in some program definitions."""
        places = self._random.sample(self.program_definitions, self._random.randint(0, 2))
        kept = [
            {**benefit(f"b{number}"), "providerAppId": self._random.choice(self.apps)}
            for number in range(benefits)
        ]
        self.pool_definitions.append(
            await self._caller.create_pool_definition(
                namespace=self._random.choice(NAMESPACES),
                details=details(*kept) if kept else {"benefits": []},
                programDefinitionIds=[each["id"] for each in places],
            )
        )

    async def add_item(self) -> None:
        """An item of one of the benefits."""
        definition = self._random.choice([each for each in self.pool_definitions if benefits(each)])
        held = self._random.choice(benefits(definition))
        item = {
            "externalId": f"{self._random.choice(EXTERNAL_IDS)}{len(self.items)}",
            "category": self._random.choice(CATEGORIES),
            "itemSetId": held["itemSetId"],
            "providerAppId": held["providerAppId"],
            "namespace": definition["namespace"],
        }
        self.items.append((await self._caller.call("createItem", {"item": item}))["item"])

    async def add_program(self) -> None:
        """A program, from a program definition or from a pool definition."""
        origin = self._random.choice(("program_definition", "pool_definition"))
        made_from = {origin: self._random.choice(getattr(self, f"{origin}s"))}
        answer = await self._caller.provision(
            **made_from,
            namespace=self._random.choice(NAMESPACES),
            externalProgramId=f"{self._random.choice(EXTERNAL_IDS)}{len(self.programs)}",
            beneficiary=self.beneficiaries[len(self.programs) % len(self.beneficiaries)],
            **TERMS[len(self.programs) % len(TERMS)],
        )
        self.programs.append(answer["program"])

    async def add_transaction(self) -> str | None:
        """A change of some pool's balance."""
        pools = await self._pools()
        if not pools:
            return None
        pool = self._random.choice(pools)
        change = {"poolId": pool["id"], "idempotencyKey": guid(), "adjustOptions": {"value": "7"}}
        return (await self._caller.call("changeBalance", change))["transactionId"]  # type: ignore[no-any-return]

    async def remove_item(self) -> str:
        """Delete an item; its id."""
        return await self._remove("deleteItem", "itemId", self.items)

    async def remove_program_definition(self) -> str:
        """Delete a program definition; its id."""
        return await self._remove(
            "deleteProgramDefinition", "programDefinitionId", self.program_definitions
        )

    async def remove_pool_definition(self) -> str:
        """Delete a pool definition; its id."""
        return await self._remove("deletePoolDefinition", "poolDefinitionId", self.pool_definitions)

    async def _remove(self, method: str, name: str, entities: list[Document]) -> str:
        gone: str = entities.pop(self._random.randrange(len(entities)))["id"]
        await self._caller.call(method, {name: gone, "cascade": "FUTURE_PROVISIONS"})
        return gone

    async def _pools(self) -> list[Document]:
        answer = await self._caller.call("queryPools", {"query": {}})
        return answer["pools"]  # type: ignore[no-any-return]

    async def _act(self) -> None:
        """Redeem, revert, pause and end a little, so that what can be absent is there or not."""
        reverted = await self.add_transaction()
        await self.add_transaction()
        await self._caller.call("revertBalanceChange", {"transactionId": reverted})
        for number, pool in enumerate(await self._pools()):
            await self._redeem(pool)
            grant = {"poolId": pool["id"], "idempotencyKey": guid(), "amount": "1"}
            grant["externalReference"] = f"Order:{number % 2}"
            await self._caller.call("grantCredits", grant)
        for program, action in zip(self.programs, ("pauseProgram", "endProgram"), strict=False):
            request = {"programId": program["id"], "idempotencyKey": guid()}
            await self._caller.call(action, request)

    async def _redeem(self, pool: Document) -> None:
        for held in benefits(pool):
            for item in self.items:
                if item["itemSetId"] == held["itemSetId"]:
                    reference = {name: item.get(name) for name in REFERENCE}
                    request = {
                        "poolId": pool["id"],
                        "itemReference": reference,
                        "benefitKey": held["benefitKey"],
                        "namespace": pool["namespace"],
                        "idempotencyKey": guid(),
                    }
                    await self._caller.call("redeemBenefit", request)
                    return


REFERENCE = ("externalId", "category", "providerAppId")


def benefits(entity: Document) -> list[Document]:
    """The benefits of a pool or pool definition."""
    found: list[Document] = entity.get("details", {}).get("benefits", [])
    return found
