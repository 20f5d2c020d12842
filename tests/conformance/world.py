"""A small world of entities, and a request of each method that names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.calls import NAMESPACE, benefit, details, guid

if TYPE_CHECKING:
    from tests.support.calls import Caller
    from tests.support.inprocess import Service

Document = dict[str, Any]

KEY = "towel"


class World(NamedTuple):
    """The ids of a program with a pool, and of what belongs to it."""

    program_definition: str
    program_definition_external: str
    pool_definition: str
    other_pool_definition: str
    program: str
    program_external: str
    pool: str
    item: str
    item_external: str
    item_set: str
    app: str
    member: str
    redemption: str
    reservation: str
    change: str
    lot: str
    job: str
    endpoint: str
    delivery: str
    scheduled_change: str
    person: str
    api_key: str
    console_user: str
    site: str = ""
    """The site id of the tenant; what isn't a service's own tenant may not know it."""
    other_pool: str = ""
    """Another pool of the beneficiary that holds the item."""
    visitor: str = ""
    """Somebody who has nothing yet."""

    @property
    def beneficiary(self) -> Document:
        """Who the program is for."""
        return {"memberId": self.member}

    @property
    def reference(self) -> Document:
        """The item, as redemptions name it."""
        return {"externalId": self.item_external, "providerAppId": self.app}


def ghosts() -> World:
    """Ids of which none exists."""
    return World(*(guid() for _ in World._fields))


async def settle(service: Caller) -> World:
    """Make everything, with a redemption, a reservation and a change of the balance."""
    app, member = guid(), guid()
    program_definition = await service.create_program_definition()
    definition = await service.create_pool_definition(
        programDefinitionIds=[program_definition["id"]],
        details=details({**benefit(KEY), "providerAppId": app}),
    )
    other = await service.create_pool_definition()
    item_set = definition["details"]["benefits"][0]["itemSetId"]
    external = guid()
    new_item = {
        "externalId": external,
        "itemSetId": item_set,
        "providerAppId": app,
        "namespace": NAMESPACE,
    }
    item = (await service.call("createItem", {"item": new_item}))["item"]
    provisioned = await service.provision(
        program_definition=program_definition, beneficiary={"memberId": member}
    )
    program = provisioned["program"]
    (pool,) = await service.pools_of(program["id"])
    world = World(
        program_definition=program_definition["id"],
        program_definition_external=program_definition["externalId"],
        pool_definition=definition["id"],
        other_pool_definition=other["id"],
        program=program["id"],
        program_external=program["externalId"],
        pool=pool["id"],
        item=item["id"],
        item_external=external,
        item_set=item_set,
        app=app,
        member=member,
        redemption="",
        reservation="",
        change="",
        lot="",
        job=provisioned["jobId"],
        endpoint="",
        delivery="",
        scheduled_change="",
        api_key="",
        console_user="",
        person="",
    )
    redeemed = await service.call("redeemBenefit", REQUESTS["redeemBenefit"](world))
    reserved = await service.call("reserveBenefit", REQUESTS["reserveBenefit"](world))
    changed = await service.call("changeBalance", REQUESTS["changeBalance"](world))
    later = REQUESTS["grantCredits"](world) | {"effectiveDate": "2100-01-01T00:00:00.000Z"}
    granted = await service.call("grantCredits", later)
    endpoint, delivery = await _replay(service, world)
    another = await service.provision(
        program_definition=program_definition, beneficiary={"memberId": member}
    )
    (other_pool,) = await service.pools_of(another["program"]["id"])
    key = await service.call("createApiKey", REQUESTS["createApiKey"](world))
    invited = await service.call("inviteConsoleUser", REQUESTS["inviteConsoleUser"](world))
    scheduled = await service.call(
        "scheduleProgramChange", REQUESTS["scheduleProgramChange"](world)
    )
    known = await service.call("setPerson", REQUESTS["setPerson"](world))
    return world._replace(
        other_pool=other_pool["id"],
        visitor=guid(),
        redemption=redeemed["transactionId"],
        reservation=reserved["transactionId"],
        change=changed["transactionId"],
        lot=granted["lot"]["id"],
        endpoint=endpoint,
        delivery=delivery,
        scheduled_change=scheduled["scheduledChange"]["id"],
        api_key=key["apiKey"]["id"],
        console_user=invited["consoleUser"]["id"],
        person=known["person"]["id"],
    )


async def _replay(service: Caller, world: World) -> tuple[str, str]:
    """An endpoint that is switched off, and a delivery that waits for it."""
    new = {"url": "https://receiver.test/hooks", "active": False}
    made = await service.call("createWebhookEndpoint", {"webhookEndpoint": new})
    endpoint: str = made["webhookEndpoint"]["id"]
    replay = {"webhookEndpointId": endpoint, "since": LONG_AGO, "entityId": world.pool}
    await service.call("replayWebhookEndpoint", replay)
    found = await service.call("queryWebhookDeliveries", _found(webhookEndpointId=endpoint))
    return endpoint, found["webhookDeliveries"][0]["id"]


def _found(**filter_: Any) -> Document:
    return {
        "query": {"filter": {name.replace("__", "."): value for name, value in filter_.items()}}
    }


def _changed(id_: str, **more: Any) -> Document:
    return {"id": id_, "revision": "1", "displayName": "New", **more}


def _person(world: World) -> Document:
    return {"beneficiary": world.beneficiary, "displayName": "Ada Lovelace"}


def _redemption(world: World) -> Document:
    return {
        **_wish(world),
        "poolId": world.pool,
        "benefitKey": KEY,
        "idempotencyKey": guid(),
    }


def _end(world: World) -> Document:
    return {"transactionId": world.reservation, "idempotencyKey": guid()}


def _new_item(world: World) -> Document:
    return {**world.reference, "itemSetId": world.item_set, "namespace": NAMESPACE}


def _action(world: World) -> Document:
    return {"programId": world.program, "idempotencyKey": guid()}


def _assignment(world: World) -> Document:
    return {
        "poolDefinitionId": world.other_pool_definition,
        "programDefinitionId": world.program_definition,
        "cascade": "FUTURE_PROVISIONS",
    }


def _benefit_items(world: World) -> Document:
    return {
        "poolDefinitionId": world.pool_definition,
        "benefitKey": KEY,
        "itemReferences": [{"externalId": world.item_external}],
    }


def _wish(world: World) -> Document:
    return {
        "itemReference": world.reference,
        "namespace": NAMESPACE,
        "count": 1,
        "beneficiary": world.beneficiary,
    }


def _new_definition(world: World) -> Document:
    return {
        "namespace": NAMESPACE,
        "details": details({**benefit(KEY), "providerAppId": world.app}),
        "programDefinitionIds": [world.program_definition],
    }


NOW = {"cascade": "IMMEDIATELY"}

LONG_AGO = "2020-01-01T00:00:00.000Z"

REQUESTS: dict[str, Callable[[World], Document]] = {
    "createProgramDefinition": lambda it: {
        "programDefinition": {"namespace": NAMESPACE, "externalId": it.program_definition_external}
    },
    "updateProgramDefinition": lambda it: {"programDefinition": _changed(it.program_definition)},
    "deleteProgramDefinition": lambda it: {"programDefinitionId": it.program_definition},
    "getProgramDefinition": lambda it: {"programDefinitionId": it.program_definition},
    "getProgramDefinitionByExternalIdAndNamespace": lambda it: {
        "namespace": NAMESPACE,
        "externalId": it.program_definition_external,
    },
    "queryProgramDefinitions": lambda it: _found(id=it.program_definition),
    "createPoolDefinition": lambda it: {"poolDefinition": _new_definition(it), **NOW},
    "bulkCreatePoolDefinitions": lambda it: {"poolDefinitions": [_new_definition(it)], **NOW},
    "updatePoolDefinition": lambda it: {"poolDefinition": _changed(it.pool_definition), **NOW},
    "bulkUpdatePoolDefinitions": lambda it: {
        "poolDefinitions": [{"poolDefinition": _changed(it.pool_definition)}],
        "returnEntity": True,
        **NOW,
    },
    "deletePoolDefinition": lambda it: {"poolDefinitionId": it.pool_definition, **NOW},
    "bulkDeletePoolDefinitions": lambda it: {"poolDefinitionIds": [it.pool_definition], **NOW},
    "getPoolDefinition": lambda it: {"poolDefinitionId": it.pool_definition},
    "queryPoolDefinitions": lambda it: _found(
        programDefinitionIds={"$hasSome": [it.program_definition]}
    ),
    "addPoolDefinitionToProgramDefinition": _assignment,
    "removePoolDefinitionFromProgramDefinition": _assignment,
    "findPoolDefinitionsByProgramDefinition": lambda it: {
        "programDefinitionId": it.program_definition,
        "namespace": NAMESPACE,
    },
    "provisionProgram": lambda it: {
        "poolDefinitionLookupId": {"programDefinitionId": it.program_definition},
        "beneficiary": it.beneficiary,
        "namespace": NAMESPACE,
        "externalProgramId": it.program_external,
    },
    "renewProgram": _action,
    "pauseProgram": _action,
    "resumeProgram": _action,
    "endProgram": lambda it: {"programId": it.program},
    "scheduleProgramChange": lambda it: {
        **_action(it),
        "kind": "PAUSE",
        "date": "2100-01-01T00:00:00.000Z",
        "untilDate": "2100-02-01T00:00:00.000Z",
    },
    "getScheduledChange": lambda it: {"scheduledChangeId": it.scheduled_change},
    "withdrawScheduledChange": lambda it: {"scheduledChangeId": it.scheduled_change},
    "queryScheduledChanges": lambda it: _found(programId=it.program),
    "updateProgram": lambda it: {"program": _changed(it.program)},
    "getProgram": lambda it: {"programId": it.program},
    "getProgramTimetable": lambda it: {"programId": it.program},
    "previewTimetable": lambda _: {
        "renewalConfiguration": {"every": "P1M"},
        "fromDate": "2027-01-31T10:00:00.000Z",
    },
    "queryPrograms": lambda it: _found(externalId=it.program_external),
    "getProgramByExternalIdAndNamespace": lambda it: {
        "namespace": NAMESPACE,
        "externalId": it.program_external,
    },
    "getPool": lambda it: {"poolId": it.pool},
    "updatePool": lambda it: {"pool": _changed(it.pool)},
    "queryPools": lambda it: _found(programId=it.program),
    "redeemBenefit": _redemption,
    "bulkRedeemBenefits": lambda it: {"redemptions": [_redemption(it)]},
    "reallocateBenefit": lambda it: {
        "transactionId": it.redemption,
        "targetDate": "2027-01-01T00:00:00.000Z",
        "idempotencyKey": guid(),
        "beneficiary": it.beneficiary,
        "namespace": NAMESPACE,
    },
    "cancelRedemption": lambda it: {"transactionId": it.redemption, "idempotencyKey": guid()},
    "reserveBenefit": lambda it: {**_redemption(it), "expiresAfter": "PT1H"},
    "captureBenefitReservation": _end,
    "cancelBenefitReservation": _end,
    "bulkReserveBenefits": lambda it: {"reservations": [_redemption(it)]},
    "bulkCaptureBenefitReservations": lambda it: {"reservations": [_end(it)]},
    "bulkCancelBenefitReservations": lambda it: {"reservations": [_end(it)]},
    "getReservation": lambda it: {"reservationId": it.reservation},
    "queryReservations": lambda it: _found(poolId=it.pool),
    "cancelByReference": lambda _: {
        "namespace": NAMESPACE,
        "externalReference": "booking:1",
        "idempotencyKey": guid(),
    },
    "moveRedemption": lambda it: {
        "transactionId": it.redemption,
        "poolId": it.other_pool,
        "idempotencyKey": guid(),
    },
    "redeemEligible": lambda it: {**_wish(it), "idempotencyKey": guid()},
    "checkBenefitEligibility": lambda it: {**_wish(it), "poolId": it.pool, "benefitKey": KEY},
    "bulkCheckBenefitEligibility": lambda it: {
        "benefitSelectors": [{"poolId": it.pool, "itemReference": it.reference, "count": 1}],
        "namespace": NAMESPACE,
    },
    "getEligibleBenefits": _wish,
    "bulkUpdatePools": lambda it: {"pools": [{"pool": _changed(it.pool)}]},
    "checkBenefitEligibilityByFilter": _wish,
    "createItem": lambda it: {"item": _new_item(it)},
    "bulkCreateItems": lambda it: {"items": [_new_item(it)], "returnEntity": True},
    "deleteItem": lambda it: {"itemId": it.item},
    "bulkDeleteItems": lambda it: {"itemIds": [it.item]},
    "bulkDeleteItemsByFilter": lambda it: {
        "namespace": NAMESPACE,
        "filter": {"itemSetId": it.item_set},
    },
    "updateItem": lambda it: {"item": _changed(it.item)},
    "bulkUpdateItems": lambda it: {"items": [{"item": _changed(it.item)}]},
    "getItem": lambda it: {"itemId": it.item},
    "listItems": lambda _: {"filter": {"namespace": NAMESPACE}},
    "queryItems": lambda it: _found(itemSetId=it.item_set),
    "countItems": lambda it: {"filter": {"itemSetId": it.item_set}},
    "queryPoolDefinitionItems": lambda it: _found(poolDefinitionId=it.pool_definition),
    "removeItemsFromBenefit": _benefit_items,
    "addItemsToBenefit": _benefit_items,
    "queryPoolItems": lambda it: _found(poolId=it.pool),
    "getBalance": lambda it: {"poolId": it.pool},
    "listBalances": lambda it: {"poolIds": [it.pool]},
    "queryBalances": lambda it: _found(beneficiary__memberId=it.member),
    "changeBalance": lambda it: {
        "poolId": it.pool,
        "idempotencyKey": guid(),
        "adjustOptions": {"value": "5"},
    },
    "revertBalanceChange": lambda it: {"transactionId": it.change},
    "grantCredits": lambda it: {
        "poolId": it.pool,
        "idempotencyKey": guid(),
        "amount": "5",
        "expiresAfter": "P30D",
        "displayName": "Pack of 5",
    },
    "getLot": lambda it: {"lotId": it.lot},
    "listLots": lambda it: {"poolId": it.pool},
    "queryLots": lambda it: _found(poolId=it.pool),
    "updateLot": lambda it: {"lot": _changed(it.lot)},
    "expireLot": lambda it: {"lotId": it.lot, "idempotencyKey": guid()},
    "getTransaction": lambda it: {"transactionId": it.change},
    "queryTransactions": lambda it: _found(pool__id=it.pool),
    "queryAuditEntries": lambda it: _found(poolId=it.pool),
    "getAsyncJob": lambda it: {"jobId": it.job},
    "listAsyncJobItems": lambda it: {"jobId": it.job},
    "getSettings": lambda _: {},
    "getClock": lambda _: {},
    "setClock": lambda _: {"advance": "P1D"},
    "updateSettings": lambda _: {"settings": {"timeZone": "Europe/Berlin"}},
    "eraseBeneficiary": lambda it: {"beneficiary": it.beneficiary},
    "listEvents": lambda it: {"entityId": it.pool},
    "getBalanceAsOf": lambda it: {"poolId": it.pool, "date": LONG_AGO},
    "getStatement": lambda it: {"poolId": it.pool},
    "getStatements": lambda _: {"fromDate": LONG_AGO},
    "getActivity": lambda _: {"fromDate": LONG_AGO},
    "getOverview": lambda it: {"beneficiary": it.beneficiary},
    "exportBeneficiary": lambda it: {"beneficiary": it.beneficiary},
    "mergeBeneficiary": lambda it: {
        "visitor": {"anonymousVisitorId": it.visitor},
        "beneficiary": it.beneficiary,
    },
    "setPerson": lambda it: {"person": _person(it)},
    "bulkSetPeople": lambda it: {"people": [_person(it)], "returnEntity": True},
    "updatePerson": lambda it: {"person": _changed(it.person)},
    "deletePerson": lambda it: {"personId": it.person},
    "getPerson": lambda it: {"personId": it.person},
    "lookUpPeople": lambda it: {"beneficiaries": [it.beneficiary]},
    "queryPeople": lambda it: _found(beneficiary=it.beneficiary),
    "searchPeople": lambda _: {"text": "ada lov"},
    "createWebhookEndpoint": lambda _: {"webhookEndpoint": {"url": "https://receiver.test/"}},
    "updateWebhookEndpoint": lambda it: {
        "webhookEndpoint": {"id": it.endpoint, "revision": "1", "description": "New"}
    },
    "deleteWebhookEndpoint": lambda it: {"webhookEndpointId": it.endpoint},
    "getWebhookEndpoint": lambda it: {"webhookEndpointId": it.endpoint},
    "queryWebhookEndpoints": lambda it: _found(id=it.endpoint),
    "rotateWebhookSecret": lambda it: {"webhookEndpointId": it.endpoint},
    "testWebhookEndpoint": lambda it: {"webhookEndpointId": it.endpoint},
    "replayWebhookEndpoint": lambda it: {"webhookEndpointId": it.endpoint, "since": LONG_AGO},
    "queryWebhookDeliveries": lambda it: _found(webhookEndpointId=it.endpoint),
    "resendWebhookDelivery": lambda it: {"webhookDeliveryId": it.delivery},
    "queryAsyncJobs": lambda it: _found(subjectId=it.program),
    "retryAsyncJob": lambda it: {"jobId": it.job},
    "cancelAsyncJob": lambda it: {"jobId": it.job},
    "createApiKey": lambda _: {"name": "desk", "role": "FRONT_DESK"},
    "queryApiKeys": lambda it: _found(id=it.api_key),
    "getApiKey": lambda it: {"apiKeyId": it.api_key},
    "revokeApiKey": lambda it: {"apiKeyId": it.api_key},
    "inviteConsoleUser": lambda _: {"name": "Ada", "role": "FRONT_DESK"},
    "queryConsoleUsers": lambda it: _found(id=it.console_user),
    "revokeConsoleUser": lambda it: {"consoleUserId": it.console_user},
    "createTenant": lambda _: {"name": "New"},
    "getTenant": lambda it: {"siteId": it.site or guid()},
    "listTenants": lambda _: {},
    "getHealth": lambda _: {},
    "listWebhookKeys": lambda _: {},
    "rotateWebhookKey": lambda _: {},
}
"""A request of each method that names entities of a world; its own tenant would get an answer."""

UNLIKE: dict[str, dict[str, Any]] = {
    "createProgramDefinition": {"programDefinition": {"externalId": "silver", "namespace": "gym"}},
    "provisionProgram": {"externalProgramId": "order-1844"},
    "cancelByReference": {"externalReference": "booking:2"},
}
"""What requests of the world must have otherwise, for they would repeat what is there."""


async def prepare(service: Service, world: World, method: str) -> None:
    """Bring a new world to where the method has something to do."""
    if method == "resumeProgram":
        await service.call("pauseProgram", REQUESTS["pauseProgram"](world))
    if method == "cancelByReference":
        redemption = {**REQUESTS["redeemBenefit"](world), "externalReference": "booking:2"}
        await service.call("redeemBenefit", redemption)
    if method in {"createItem", "bulkCreateItems", "addItemsToBenefit"}:
        await service.call("deleteItem", {"itemId": world.item})
    if method in {"setPerson", "bulkSetPeople"}:
        await service.call("deletePerson", {"personId": world.person})
