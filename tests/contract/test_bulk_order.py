"""The entries of a bulk request are done in their order, also where they meet, and kept whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.event_rows import Event
from tests.support.calls import NAMESPACE, benefit, details, guid
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio

CHANGES = 12


def outcomes_of(answer: dict[str, Any]) -> list[str]:
    """The code of each entry's error, or the revision of what it made."""
    return [
        each["itemMetadata"].get("error", {}).get("code") or each["item"]["revision"]
        for each in answer["results"]
    ]


def changes_of(wrapper: str, entity_id: str, **more: Any) -> list[dict[str, Any]]:
    """Changes of one entity, each on the revision that the one before it makes."""
    return [
        {wrapper: {"id": entity_id, "revision": str(number), "displayName": f"{number}", **more}}
        for number in range(1, CHANGES + 1)
    ]


REVISIONS = [str(number) for number in range(2, CHANGES + 2)]


async def test_changes_of_one_pool_definition(service: Service) -> None:
    """Each change of a pool definition sees what those before it in the request did."""
    places = [(await service.create_program_definition())["id"] for _ in range(2)]
    definition = await service.create_pool_definition(programDefinitionIds=places[:1])
    changes = changes_of("poolDefinition", definition["id"], programDefinitionIds=places)
    request = {"poolDefinitions": changes, "returnEntity": True, "cascade": "NEXT_RENEWAL"}
    assert outcomes_of(await service.call("bulkUpdatePoolDefinitions", request)) == REVISIONS


async def test_changes_of_one_item(service: Service) -> None:
    """So does each change of an item."""
    definition = await service.create_pool_definition(details=details(benefit("towel")))
    made = definition["details"]["benefits"][0]
    new = {name: made[name] for name in ("itemSetId", "providerAppId")}
    new |= {"namespace": NAMESPACE, "externalId": guid()}
    item = (await service.call("createItem", {"item": new}))["item"]
    request = {"items": changes_of("item", item["id"]), "returnEntity": True}
    assert outcomes_of(await service.call("bulkUpdateItems", request)) == REVISIONS


async def test_changes_of_one_pool(service: Service) -> None:
    """So does each change of a pool, although each makes new details."""
    program_definition = await service.create_program_definition()
    await service.create_pool_definition(programDefinitionIds=[program_definition["id"]])
    provisioned = await service.provision(program_definition=program_definition)
    (pool,) = await service.pools_of(provisioned["program"]["id"])
    request = {"pools": changes_of("pool", pool["id"]), "returnEntity": True}
    assert outcomes_of(await service.call("bulkUpdatePools", request)) == REVISIONS


async def test_texts_are_kept_as_they_were_written(service: Service) -> None:
    """Whatever may be special to a language in between is a character like any other."""
    wallet = await open_wallet(service)
    texts = ["null", '{"a": [1, "b"]}', "a,b\\", 'it\'s "so"', "\n\t", "\u2028 😀", "NULL", "[]"]
    entries = [
        wallet.redemption(idempotencyKey=each, additionalData={"text": each}) for each in texts
    ]
    answer = await service.call("bulkRedeemBenefits", {"redemptions": entries})
    assert answer["bulkActionMetadata"]["totalSuccesses"] == len(texts)
    keys = [each.get("idempotencyKey") for each in await wallet.transactions()]
    assert keys[-len(texts) :] == texts
    bodies = [each.body.get("additional_data") for each in await service.rows(Event)]
    assert [each for each in bodies if each] == [{"text": each} for each in texts]
