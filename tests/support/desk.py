"""Ada at the desk: a pack of classes that last three months, a membership, and a workshop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.calls import NAMESPACE, benefit, details, guid
from tests.support.wallet import Wallet, add_item, open_another

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service


class Desk:
    """What Ada has, and what she could have."""

    def __init__(self, service: Service, member_id: str, pack: Wallet, membership: Wallet) -> None:
        self.service = service
        self.member_id = member_id
        self.pack = pack
        self.membership = membership
        self.path = f"/console/people/member/{member_id}"

    async def left(self) -> tuple[str, str]:
        """What is left of the pack and of the membership."""
        return await self.pack.available(), await self.membership.available()

    async def lots(self) -> list[Document]:
        """The lots of the pack that last for a time."""
        answer = await self.service.call("listLots", {"poolId": self.pack.pool_id})
        return [each for each in answer["lots"] if "expirationDate" in each]

    def reference(self, item: str) -> Document:
        """What methods call an item by."""
        return {
            "externalId": item,
            "providerAppId": self.pack.benefit()["providerAppId"],
        }


async def open_desk(service: Service, *, name: str = "Ada Lovelace") -> Desk:
    member = {"memberId": guid()}
    await service.call(
        "setPerson",
        {
            "person": {
                "beneficiary": member,
                "displayName": name,
                "email": "ada@example.com",
                "phone": "+49 30 1234567",
                "note": "Left-handed.\nAsks for the mat at the window.",
            }
        },
    )
    app = guid()
    pack = await _sold(
        service, member, app, "10 classes", {"amount": "10", "expiresAfter": "P3M"}, "classes"
    )
    membership = await _sold(service, member, app, "Membership", {"amount": "4"}, "visits")
    for each in (pack, membership):
        await add_item(service, each.benefit(), "yoga", displayName="Yoga with Kim")
    await add_item(service, pack.benefit(), "pilates", displayName="Pilates at noon")
    other = await service.create_pool_definition(
        details=details(benefit("workshop", price="1", providerAppId=app), amount="1")
    )
    workshop = other["details"]["benefits"][0]
    await add_item(service, workshop, "workshop", displayName="Workshop: handstand")
    return Desk(service, member["memberId"], pack, membership)


async def _sold(
    service: Service,
    member: Document,
    app: str,
    name: str,
    credit: dict[str, Any],
    unit: str,
) -> Wallet:
    """A new definition, and a program of it."""
    one = benefit("class", price="1", providerAppId=app, displayName="Any class")
    definition = await service.create_pool_definition(
        displayName=name,
        details={
            "benefits": [one],
            "creditConfiguration": {**credit, "unitDisplayName": unit},
        },
        namespace=NAMESPACE,
    )
    return await open_another(
        service, definition, beneficiary=member, displayName=name, externalProgramId=guid()
    )
