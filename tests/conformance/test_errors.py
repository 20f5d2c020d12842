"""Every error code of the contract, provoked: its status, its code and its data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.api.reference.refusals import (
    BY_ANY_ADDRESS,
    BY_EVERY_METHOD,
    RESERVED,
    answered,
)
from benefit_programs.domain.entities import Pool
from tests.conformance.world import KEY, REQUESTS, World, ghosts, settle
from tests.support.calls import NAMESPACE, benefit, details, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

Document = dict[str, Any]


class Provoked(NamedTuple):
    """A request that must be refused, and the data of its refusal."""

    method: str
    request: Document
    data: Document


Provoke = Callable[["Service", World], Awaitable[Provoked]]


class Row(NamedTuple):
    """One line of the contract's table."""

    method: str
    status: int
    code: str
    provoke: Provoke


ROWS: list[Row] = []


def row(status: int, code: str, *methods: str) -> Callable[[Any], Any]:
    """Add a function to the table, once for each of its methods."""

    def add(provoke: Callable[[Service, World, str], Awaitable[Provoked]]) -> object:
        for method in methods:

            async def run(service: Service, world: World, name: str = method) -> Provoked:
                return await provoke(service, world, name)

            ROWS.append(Row(method, status, code, run))
        return provoke

    return add


def missing(code: str, data: Callable[[World], Document], *methods: str) -> None:
    """Add methods that answer 404 when nothing of what they name exists."""

    @row(404, code, *methods)
    async def ask_for_nothing(_: Service, __: World, method: str) -> Provoked:
        nothing = ghosts()
        return Provoked(method, REQUESTS[method](nothing), data(nothing))


missing(
    "PROGRAM_DEFINITION_NOT_FOUND",
    lambda it: {"programDefinitionId": it.program_definition},
    "updateProgramDefinition",
    "deleteProgramDefinition",
    "getProgramDefinition",
    "createPoolDefinition",
    "findPoolDefinitionsByProgramDefinition",
    "provisionProgram",
)
missing(
    "PROGRAM_DEFINITION_NOT_FOUND",
    lambda it: {"externalId": it.program_definition_external, "namespace": NAMESPACE},
    "getProgramDefinitionByExternalIdAndNamespace",
)
missing(
    "POOL_DEFINITION_NOT_FOUND",
    lambda it: {"poolDefinitionId": it.pool_definition},
    "updatePoolDefinition",
    "deletePoolDefinition",
    "getPoolDefinition",
)
missing(
    "PROGRAM_NOT_FOUND",
    lambda it: {"programId": it.program},
    *("renewProgram", "pauseProgram", "resumeProgram", "endProgram"),
    *("updateProgram", "getProgram", "getProgramTimetable", "scheduleProgramChange"),
)
missing(
    "PROGRAM_NOT_FOUND",
    lambda it: {"externalId": it.program_external, "namespace": NAMESPACE},
    "getProgramByExternalIdAndNamespace",
)
missing(
    "POOL_NOT_FOUND",
    lambda it: {"poolId": it.pool},
    *("getPool", "updatePool", "redeemBenefit", "reserveBenefit"),
)
missing(
    "RESERVATION_NOT_FOUND",
    lambda it: {"reservationId": it.reservation},
    *("captureBenefitReservation", "cancelBenefitReservation", "getReservation"),
)
missing("BALANCE_NOT_FOUND", lambda it: {"poolId": it.pool}, "getBalance", "changeBalance")
missing(
    "BALANCE_NOT_FOUND",
    lambda it: {"poolId": it.pool},
    "getBalanceAsOf",
    "getStatement",
)
missing("BALANCE_NOT_FOUND", lambda it: {"poolId": it.pool}, "grantCredits", "listLots")
missing("PERSON_NOT_FOUND", lambda it: {"personId": it.person}, "getPerson", "deletePerson")
missing("LOT_NOT_FOUND", lambda it: {"lotId": it.lot}, "getLot", "updateLot", "expireLot")
missing("ITEM_NOT_FOUND", lambda it: {"itemId": it.item}, "getItem", "updateItem", "deleteItem")
missing("ITEM_SET_NOT_FOUND", lambda it: {"itemSetId": it.item_set}, "createItem")
missing(
    "WEBHOOK_ENDPOINT_NOT_FOUND",
    lambda it: {"webhookEndpointId": it.endpoint},
    *("updateWebhookEndpoint", "deleteWebhookEndpoint", "getWebhookEndpoint"),
    *("rotateWebhookSecret", "testWebhookEndpoint", "replayWebhookEndpoint"),
)
missing(
    "WEBHOOK_DELIVERY_NOT_FOUND",
    lambda it: {"webhookDeliveryId": it.delivery},
    "resendWebhookDelivery",
)
missing(
    "TRANSACTION_NOT_FOUND",
    lambda it: {"transactionId": it.redemption},
    *("reallocateBenefit", "cancelRedemption"),
)
missing(
    "TRANSACTION_NOT_FOUND",
    lambda it: {"transactionId": it.change},
    *("revertBalanceChange", "getTransaction"),
)
missing("JOB_NOT_FOUND", lambda it: {"jobId": it.job}, "getAsyncJob", "listAsyncJobItems")


@row(404, "POOL_DEFINITION_NOT_FOUND", "provisionProgram")
async def provision_from_no_pool_definition(_: Service, world: World, method: str) -> Provoked:
    unknown = guid()
    lookup = {"poolDefinitionLookupId": {"poolDefinitionId": unknown}}
    request = REQUESTS[method](world) | lookup | {"externalProgramId": guid()}
    return Provoked(method, request, {"poolDefinitionId": unknown})


@row(404, "POOL_DEFINITION_BENEFIT_NOT_FOUND", "addItemsToBenefit", "removeItemsFromBenefit")
async def change_items_of_no_benefit(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world) | {"benefitKey": "sauna"}
    data = {"poolDefinitionId": world.pool_definition, "benefitKey": "sauna"}
    return Provoked(method, request, data)


@row(404, "POOL_DEFINITION_BENEFIT_NOT_FOUND", "addItemsToBenefit", "removeItemsFromBenefit")
async def change_items_of_nothing(_: Service, __: World, method: str) -> Provoked:
    nothing = ghosts()
    data = {"poolDefinitionId": nothing.pool_definition, "benefitKey": KEY}
    return Provoked(method, REQUESTS[method](nothing), data)


@row(404, "BENEFIT_NOT_FOUND", "redeemBenefit", "reserveBenefit")
async def redeem_no_benefit(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world) | {"benefitKey": "sauna"}
    return Provoked(method, request, {"poolId": world.pool, "benefitKey": "sauna"})


@row(404, "BENEFIT_NOT_FOUND", "redeemBenefit", "reserveBenefit")
async def redeem_no_item(_: Service, world: World, method: str) -> Provoked:
    other = {"externalId": guid(), "providerAppId": world.app}
    request = REQUESTS[method](world) | {"itemReference": other}
    return Provoked(method, request, {"poolId": world.pool, "benefitKey": KEY})


@row(404, "POOL_NOT_FOUND", "redeemBenefit", "reserveBenefit", "reallocateBenefit")
async def act_for_somebody_else(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world) | {"beneficiary": {"memberId": guid()}}
    return Provoked(method, request, {"poolId": world.pool})


@row(400, "INVALID_ITEM_REFERENCE", "getEligibleBenefits", "checkBenefitEligibilityByFilter")
async def ask_for_an_unknown_app(_: Service, world: World, method: str) -> Provoked:
    reference = {"externalId": world.item_external, "providerAppId": guid()}
    request = REQUESTS[method](world) | {"itemReference": reference}
    return Provoked(method, request, {"itemReference": reference})


@row(409, "PROGRAM_DEFINITION_ALREADY_EXISTS", "createProgramDefinition")
async def create_twice(_: Service, world: World, method: str) -> Provoked:
    data = {
        "externalId": world.program_definition_external,
        "namespace": NAMESPACE,
        "programDefinitionId": world.program_definition,
    }
    return Provoked(method, REQUESTS[method](world), data)


@row(409, "PROGRAM_ALREADY_EXISTS", "provisionProgram")
async def provision_twice(_: Service, world: World, method: str) -> Provoked:
    data = {
        "externalProgramId": world.program_external,
        "namespace": NAMESPACE,
        "programId": world.program,
    }
    return Provoked(method, REQUESTS[method](world), data)


@row(409, "ITEM_ALREADY_EXISTS", "createItem")
async def create_item_twice(_: Service, world: World, method: str) -> Provoked:
    data = {"itemSetId": world.item_set, "itemId": world.item, **world.reference}
    return Provoked(method, REQUESTS[method](world), data)


@row(
    409,
    "INVALID_REVISION",
    *("updateProgramDefinition", "updatePoolDefinition", "updateProgram"),
    *("updatePool", "updateItem"),
)
async def update_an_old_revision(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world)
    (change,) = (value for value in request.values() if isinstance(value, dict))
    change["revision"] = "7"
    return Provoked(method, request, {"revisionViolation": {"entityId": change["id"]}})


@row(409, "ALREADY_EXECUTED", "pauseProgram", "resumeProgram")
async def act_twice(service: Service, world: World, method: str) -> Provoked:
    if method == "resumeProgram":
        await service.call("pauseProgram", REQUESTS["pauseProgram"](world))
    request = REQUESTS[method](world)
    first = await service.call(method, request)
    data = {"idempotencyKey": request["idempotencyKey"], "jobId": first["jobId"]}
    return Provoked(method, request, data | {"sameRequest": True})


@row(409, "ALREADY_EXECUTED", "reallocateBenefit", "cancelRedemption", "changeBalance")
async def move_credits_twice(service: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world)
    first = await service.call(method, request)
    data = {"idempotencyKey": request["idempotencyKey"], "transactionId": first["transactionId"]}
    return Provoked(method, request, data | {"sameRequest": True})


TRANSITIONS = [
    ("ACTIVE", "resumeProgram", "ACTIVE"),
    ("PAUSED", "pauseProgram", "PAUSED"),
    ("ENDED", "pauseProgram", "PAUSED"),
    ("ENDED", "resumeProgram", "ACTIVE"),
    ("ENDED", "endProgram", "ENDED"),
    ("ENDED", "renewProgram", None),
]
BRINGS = {"PAUSED": "pauseProgram", "ENDED": "endProgram"}


def transition(status: str, name: str, requested: str | None) -> None:
    """Add a transition that the table of statuses refuses."""

    @row(428, "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED", name)
    async def act_too_late(service: Service, world: World, method: str) -> Provoked:
        if status in BRINGS:
            await service.call(BRINGS[status], REQUESTS[BRINGS[status]](world))
        data = {"currentStatus": status} | ({"requestedStatus": requested} if requested else {})
        return Provoked(method, REQUESTS[method](world), data)


for each in TRANSITIONS:
    transition(*each)


@row(409, "BENEFIT_ALREADY_REDEEMED", "redeemBenefit")
async def redeem_twice(service: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world)
    first = await service.call(method, request)
    key = {"poolId": world.pool, "idempotencyKey": request["idempotencyKey"]}
    done = {"transactionId": first["transactionId"], "sameRequest": True}
    return Provoked(method, request, key | done)


@row(409, "ALREADY_EXECUTED", "reserveBenefit", "captureBenefitReservation")
@row(409, "ALREADY_EXECUTED", "cancelBenefitReservation")
async def hold_or_end_twice(service: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world)
    first = await service.call(method, request)
    key = {"idempotencyKey": request["idempotencyKey"], "sameRequest": True}
    return Provoked(method, request, key | first)


@row(428, "RESERVATION_NOT_OPEN", "captureBenefitReservation", "cancelBenefitReservation")
async def end_what_has_ended(service: Service, world: World, method: str) -> Provoked:
    await service.call("cancelBenefitReservation", REQUESTS["cancelBenefitReservation"](world))
    data = {"reservationId": world.reservation, "reservationStatus": "CANCELED"}
    return Provoked(method, REQUESTS[method](world), data)


missing(
    "SCHEDULED_CHANGE_NOT_FOUND",
    lambda it: {"scheduledChangeId": it.scheduled_change},
    *("getScheduledChange", "withdrawScheduledChange"),
)


@row(428, "SCHEDULED_CHANGE_OVER", "withdrawScheduledChange")
async def withdraw_twice(service: Service, world: World, method: str) -> Provoked:
    await service.call(method, REQUESTS[method](world))
    data = {"scheduledChangeId": world.scheduled_change, "changeStatus": "WITHDRAWN"}
    return Provoked(method, REQUESTS[method](world), data)


@row(409, "ALREADY_EXECUTED", "scheduleProgramChange")
async def schedule_another_with_the_key(service: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world)
    await service.call(method, request)
    data = {"idempotencyKey": request["idempotencyKey"], "sameRequest": False}
    return Provoked(method, {**request, "kind": "END", "untilDate": None}, data)


@row(428, "NOT_ENOUGH_RESERVED", "captureBenefitReservation")
async def capture_too_much(_: Service, world: World, method: str) -> Provoked:
    data = {"reservationId": world.reservation, "heldCount": 1, "requestedCount": 2}
    return Provoked(method, REQUESTS[method](world) | {"count": 2}, data)


@row(428, "NOT_ENOUGH_BALANCE", "redeemBenefit", "reserveBenefit")
async def redeem_too_much(_: Service, world: World, method: str) -> Provoked:
    balance = {"availableBalance": "85", "requestedBalance": "100"}
    about = {"poolId": world.pool, "itemReference": world.reference}
    return Provoked(method, REQUESTS[method](world) | {"count": 10}, about | balance)


@row(428, "NOT_ENOUGH_BALANCE", "revertBalanceChange")
async def revert_what_is_spent(service: Service, world: World, method: str) -> Provoked:
    setting = {"poolId": world.pool, "idempotencyKey": guid(), "setOptions": {"value": "1.5"}}
    await service.call("changeBalance", setting)
    data = {"balance": {"available": "1.5", "reserved": "10"}, "requested": "5"}
    return Provoked(method, REQUESTS[method](world), data)


@row(428, "POOL_NOT_ACTIVE", "redeemBenefit", "reserveBenefit", "reallocateBenefit")
async def act_on_a_paused_pool(service: Service, world: World, method: str) -> Provoked:
    await service.call("pauseProgram", REQUESTS["pauseProgram"](world))
    return Provoked(method, REQUESTS[method](world), {"poolId": world.pool, "poolStatus": "PAUSED"})


@row(428, "POLICY_EXPRESSION_EVALUATED_TO_FALSE", "redeemBenefit", "reallocateBenefit")
async def act_against_the_policy(service: Service, world: World, method: str) -> Provoked:
    never = {
        "policyOptions": {
            "rateLimitedOptions": {"times": 1, "timePeriod": "DAY"},
        }
    }
    change = {"benefits": [policed(world, never)]}
    (pool,) = await service.pools_of(world.program)
    update = {"id": pool["id"], "revision": pool["revision"], "details": change}
    await service.call("updatePool", {"pool": update})
    on_this_day = {"targetDate": "2027-01-01T12:00:00.000Z"}
    await service.call("redeemBenefit", REQUESTS["redeemBenefit"](world) | on_this_day)
    request = REQUESTS[method](world) | on_this_day
    return Provoked(method, request, {"poolId": world.pool, "itemReference": world.reference})


def policed(world: World, policy: Document) -> Document:
    return {**benefit(KEY), "providerAppId": world.app, "policyExpression": policy}


@row(428, "NOT_LATEST_TRANSACTION", "reallocateBenefit", "cancelRedemption")
async def act_on_an_old_transaction(service: Service, world: World, method: str) -> Provoked:
    moved = await service.call("reallocateBenefit", REQUESTS["reallocateBenefit"](world))
    data = {"latestTransactionId": moved["transactionId"]}
    return Provoked(method, REQUESTS[method](world), data)


@row(428, "REDEMPTION_ALREADY_CANCELED", "reallocateBenefit", "cancelRedemption")
async def act_on_a_canceled_one(service: Service, world: World, method: str) -> Provoked:
    canceled = await service.call("cancelRedemption", REQUESTS["cancelRedemption"](world))
    data = {"cancellationTransactionId": canceled["transactionId"]}
    return Provoked(method, REQUESTS[method](world), data)


@row(428, "TRANSACTION_NOT_REALLOCATABLE", "reallocateBenefit")
@row(428, "TRANSACTION_NOT_CANCELABLE", "cancelRedemption")
@row(428, "TRANSACTION_NOT_MOVABLE", "moveRedemption")
async def act_on_no_redemption(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world) | {"transactionId": world.change}
    return Provoked(method, request, {})


@row(409, "BALANCE_ALREADY_INITIALIZED", "changeBalance")
async def initialize_twice(_: Service, world: World, method: str) -> Provoked:
    setting = {"setInitialOptions": {"value": "1"}}
    return Provoked(method, {"poolId": world.pool, "idempotencyKey": guid(), **setting}, {})


@row(428, "BALANCE_EXCEEDED_LIMITS", "changeBalance")
async def take_too_much(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world) | {"adjustOptions": {"value": "-85.0001"}}
    data = {
        "balance": {"available": "85", "reserved": "10"},
        "requested": "-85.0001",
        "lowerLimit": "0",
    }
    return Provoked(method, request, data)


@row(428, "LOT_IS_STANDARD", "updateLot", "expireLot")
async def touch_the_standard_lot(_: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world._replace(lot=world.pool))
    return Provoked(method, request, {"lotId": world.pool})


@row(428, "LOT_EXPIRED", "updateLot", "expireLot")
async def touch_an_ended_lot(service: Service, world: World, method: str) -> Provoked:
    await service.call("expireLot", REQUESTS["expireLot"](world))
    request = REQUESTS[method](world)
    if method == "updateLot":
        request["lot"]["revision"] = "2"
    return Provoked(method, request, {"lotId": world.lot})


@row(409, "ALREADY_EXECUTED", "grantCredits", "expireLot")
async def repeat_a_key_of_lots(service: Service, world: World, method: str) -> Provoked:
    request = REQUESTS[method](world)
    made = await service.call(method, request)
    data = {
        "idempotencyKey": request["idempotencyKey"],
        "lotId": made["lot"]["id"],
        "sameRequest": True,
    }
    if "transactionId" in made:
        data["transactionId"] = made["transactionId"]
    return Provoked(method, request, data)


@row(428, "CHANGE_ALREADY_REVERTED", "revertBalanceChange")
async def revert_twice(service: Service, world: World, method: str) -> Provoked:
    reverted = await service.call(method, REQUESTS[method](world))
    data = {
        "originalTransactionId": world.change,
        "revertedTransactionId": reverted["transactionId"],
    }
    return Provoked(method, REQUESTS[method](world), data)


COUNTED_MAX = 10_000
BULK_MAX = 100


@row(428, "TOO_MANY_TO_COUNT", "countItems")
async def count_too_many(service: Service, world: World, method: str) -> Provoked:
    for start in range(0, COUNTED_MAX, BULK_MAX):
        references = [{"externalId": f"{start + number}"} for number in range(BULK_MAX)]
        request = REQUESTS["addItemsToBenefit"](world) | {"itemReferences": references}
        await service.call("addItemsToBenefit", request)
    return Provoked(method, REQUESTS[method](world), {})


ACTIONS = ("pauseProgram", "resumeProgram", "endProgram", "renewProgram", "provisionProgram")


async def test_actions_wait_for_each_other(own_service: Service) -> None:
    """While a large program is still being provisioned, every action answers IN_PROGRESS."""
    service, runner = own_service, own_service.running.runner
    definition = await service.create_program_definition()
    new = {"namespace": NAMESPACE, "details": details(), "programDefinitionIds": [definition["id"]]}
    for number in (BULK_MAX, BULK_MAX, 1):
        request = {"poolDefinitions": [new] * number, "cascade": "FUTURE_PROVISIONS"}
        await service.call("bulkCreatePoolDefinitions", request)
    await runner.close()
    program = (await service.provision(program_definition=definition))["program"]
    assert program["status"] == "PROVISIONING"
    world = ghosts()._replace(
        program=program["id"],
        program_external=program["externalId"],
        program_definition=definition["id"],
    )
    for method in ACTIONS:
        refused = await service.refusal(method, REQUESTS[method](world))
        assert (refused.status, refused.code, refused.data) == (409, "IN_PROGRESS", {}), method
    runner.start()
    await runner.settle()


class Entry(NamedTuple):
    """A bulk method, and the error that an entry of it gets."""

    method: str
    code: str
    world: Callable[[World], World]
    data: Callable[[World], Document]


NO_ITEM = "no-such-item"


def same(world: World) -> World:
    """Name what there is."""
    return world


def ghost(_: World) -> World:
    """Name what isn't there, the same in each call."""
    return NOTHING


NOTHING = ghosts()


ENTRIES = [
    Entry("bulkCreateItems", "ITEM_SET_NOT_FOUND", ghost, lambda it: {"itemSetId": it.item_set}),
    Entry("bulkCreateItems", "ITEM_ALREADY_EXISTS", same, lambda it: {"itemId": it.item}),
    Entry("addItemsToBenefit", "ITEM_ALREADY_EXISTS", same, lambda it: {"itemId": it.item}),
    Entry("bulkDeleteItems", "ITEM_NOT_FOUND", ghost, lambda it: {"itemId": it.item}),
    Entry("bulkUpdateItems", "ITEM_NOT_FOUND", ghost, lambda it: {"itemId": it.item}),
    Entry("bulkUpdatePools", "POOL_NOT_FOUND", ghost, lambda it: {"poolId": it.pool}),
    Entry(
        "removeItemsFromBenefit",
        "NOT_FOUND",
        lambda it: it._replace(item_external=NO_ITEM),
        lambda _: {"externalId": NO_ITEM},
    ),
    Entry(
        "bulkCreatePoolDefinitions",
        "PROGRAM_DEFINITION_NOT_FOUND",
        ghost,
        lambda it: {"programDefinitionId": it.program_definition},
    ),
    *(
        Entry(
            method,
            "POOL_DEFINITION_NOT_FOUND",
            ghost,
            lambda it: {"poolDefinitionId": it.pool_definition},
        )
        for method in ("bulkUpdatePoolDefinitions", "bulkDeletePoolDefinitions")
    ),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.method}-{entry.code}")
async def test_entries_have_their_own_errors(service: Service, entry: Entry) -> None:
    """An entry of a bulk request that is refused has its code and data, and the answer is 200."""
    world = entry.world(await settle(service))
    answer = await service.call(entry.method, REQUESTS[entry.method](world))
    (result,) = answer["results"]
    error = result["itemMetadata"]["error"]
    assert error["code"] == entry.code
    data = entry.data(world)
    assert {name: error["data"].get(name) for name in data} == data
    assert answer["bulkActionMetadata"]["totalFailures"] == 1
    documented = {refusal.code for refusal in METHODS[entry.method].refuses}
    assert entry.code in documented


def name_of(row: Row, count: dict[str, int] = {}) -> str:  # noqa: B006 - counts across calls
    name = f"{row.method}-{row.code}"
    count[name] = count.get(name, 0) + 1
    return f"{name}-{count[name]}" if count[name] > 1 else name


@pytest.mark.parametrize("row", ROWS, ids=name_of)
async def test_refusals_have_their_status_and_data(service: Service, row: Row) -> None:
    """A call that the contract refuses answers the code with its status and all of its data."""
    world = await settle(service)
    provoked = await row.provoke(service, world)
    pools = await service.rows(Pool)
    refused = await service.refusal(provoked.method, provoked.request)
    assert (refused.status, refused.code) == (row.status, row.code), refused
    assert {name: refused.data.get(name) for name in provoked.data} == provoked.data
    assert refused.data.keys() - provoked.data.keys() <= CONTEXT | FURTHER.get(row.code, set())
    assert await service.rows(Pool) == pools


CONTEXT = {"poolInfo", "benefitInfo", "programInfo", "programDefinitionInfo"}
FURTHER = {
    "POLICY_EXPRESSION_EVALUATED_TO_FALSE": {"failureDetails"},
    "BALANCE_EXCEEDED_LIMITS": {"upperLimit", "sourceBalanceType", "targetBalanceType"},
    "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED": {"requestedStatus"},
}


PROVOKED_APART = {
    "IN_PROGRESS",
    # tests/contract/test_scheduled_changes.py
    "PAUSED_DAYS_USED_UP",
    "TOO_MANY_SCHEDULED_CHANGES",
    # tests/contract/test_sandboxes.py
    "CLOCK_IS_MOVING",
    "NOT_A_SANDBOX",
    # tests/contract/test_operators.py
    "API_KEY_NOT_FOUND",
    "CONSOLE_USER_NOT_FOUND",
    "TENANT_NOT_FOUND",
    "TENANT_ALREADY_EXISTS",
    "JOB_NOT_RETRYABLE",
    "JOB_NOT_CANCELABLE",
    # tests/contract/test_reservations.py
    "TOO_MANY_RESERVATIONS",
    # tests/contract/test_events.py
    "EVENTS_REMOVED",
    # tests/contract/test_lots.py
    "TOO_MANY_LOTS",
    # tests/contract/test_program_terms.py
    "END_DATE_PASSED",
    "PROGRAM_DATES_FIXED",
    # tests/contract/test_redeem_eligible.py
    "ELIGIBLE_ALREADY_REDEEMED",
    "NO_ELIGIBLE_BENEFIT",
    # Provoked by tests/contract/test_returns.py
    "TOO_MANY_REFERENCED",
    # tests/contract/test_webhooks.py
    "SECRET_KEY_MISSING",
    "TOO_MANY_TO_REPLAY",
    "TOO_MANY_WEBHOOK_ENDPOINTS",
}


def test_no_code_is_left_out() -> None:
    """Each code is provoked here, but for those that no state leads to."""
    provoked = {*(row.code for row in ROWS), *(entry.code for entry in ENTRIES), *PROVOKED_APART}
    elsewhere = {*BY_EVERY_METHOD, *BY_ANY_ADDRESS, *RESERVED}
    codes = {refusal.code for refusal in answered() if refusal not in elsewhere}
    assert codes - provoked == set()


def test_every_provoked_code_is_documented() -> None:
    """What a method was seen to answer stands in the reference."""
    documented = {
        (name, refusal.code) for name, each in METHODS.items() for refusal in each.refuses
    }
    assert {(row.method, row.code) for row in ROWS} <= documented
