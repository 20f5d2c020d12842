"""A studio as a desk knows it: people with names, classes, a pack of ten and a membership."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.calls import NAMESPACE, benefit, details, guid
from tests.support.wallet import add_item

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

ADA, ZOE = "Ada Lovelace", "Zoë O'Brien-Featherstonehaugh of the Very Long Name on a Small Screen"


class Studio:
    """Its definitions, and who has what."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.packs: dict[str, str] = {}
        """The pool of each member's first pack of ten."""

    async def open(self) -> None:
        classes = benefit("classes", price="1", displayName="Classes")
        ten = details(classes, amount="10")
        ten["creditConfiguration"]["expiresAfter"] = "P5D"
        self.ten = await self._sold("Ten classes", ten)
        self.monthly = await self._sold(
            "Membership",
            details(benefit("sauna", price="0", displayName="Sauna"), amount=None),
            renewalConfiguration={"every": "P5D"},
            endsAfter="P6D",
        )
        (pool,) = [each for each in self.pools if each["displayName"] == "Ten classes"]
        self.benefit = pool["details"]["benefits"][0]
        for name in ("Yoga", "Pilates at the break of day in the garden", "Boxing"):
            await add_item(self.service, self.benefit, name.split()[0].lower(), displayName=name)

    async def _sold(self, name: str, pool: Document, **fields: Any) -> Document:
        definition = await self.service.create_program_definition(displayName=name, **fields)
        self.pools = [
            *getattr(self, "pools", []),
            await self.service.create_pool_definition(
                displayName=name, details=pool, programDefinitionIds=[definition["id"]]
            ),
        ]
        return definition

    async def join(self, name: str, *definitions: Document) -> str:
        """A new member who has bought something; the id."""
        member_id = guid()
        person = {"beneficiary": {"memberId": member_id}, "displayName": name}
        person["email"] = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        await self.service.call("setPerson", {"person": person})
        for definition in definitions:
            made = await self.service.provision(
                program_definition=definition, beneficiary={"memberId": member_id}
            )
            (pool,) = await self.service.pools_of(made["program"]["id"])
            self.packs.setdefault(member_id, pool["id"])
        return member_id

    async def redeem(self, member_id: str, item: str, count: int = 1) -> str:
        answer = await self.service.call(
            "redeemBenefit",
            {
                "poolId": self.packs[member_id],
                "benefitKey": self.benefit["benefitKey"],
                "itemReference": {
                    "externalId": item,
                    "providerAppId": self.benefit["providerAppId"],
                },
                "namespace": NAMESPACE,
                "count": count,
                "idempotencyKey": guid(),
            },
        )
        return answer["transactionId"]  # type: ignore[no-any-return]

    async def left(self, member_id: str) -> str:
        answer = await self.service.call("getBalance", {"poolId": self.packs[member_id]})
        return answer["balance"]["amount"]["available"]  # type: ignore[no-any-return]


async def open_studio(service: Service) -> Studio:
    studio = Studio(service)
    await studio.open()
    return studio
