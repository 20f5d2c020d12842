"""What is asked of the servers: a setup over HTTP, then requests without end.

A scenario is added by writing its two functions and a row of SCENARIOS. All scenarios share one
setup, which runs in the process of the runner and returns plain JSON values; the requests are made
from these in the process of the load. What a scenario needs besides is set up when it is measured
first.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from bench.client import Client, Request

NAMESPACE = "bench"
PREFIX = "/benefit-programs/v1"
POOLS_PER_PROGRAM = 2
SPREAD_POOLS = 500
POOLS_WITH_LOTS = 64
PROVIDER_APP_ID = "5f0c6d0e-34c5-4b0a-9c8e-0b6f1f6a7d10"
OPENING_CREDITS = "1000000000"
LOTS_LIVE_FOR = "P1Y"
STATEMENT_TRANSACTIONS = 10_000
STATEMENT_LOTS = 5
BULK_SIZE = 100

State = dict[str, Any]
NextRequest = Callable[[], Request]
FollowUp = Callable[[dict[str, Any]], Request]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to measure."""

    make_requests: Callable[[State], NextRequest]
    check_answer: Callable[[dict[str, Any]], bool]
    set_up: Callable[[Client], State] | None = None
    """Makes pools of its own, and returns the state to make requests from."""

    follow_up: FollowUp | None = None
    """The second request that an answer to the first one leads to; both count as one."""

    held_against: str | None = None
    """The scenario that another checkout does meanwhile; without it the same."""


def new_id() -> str:
    """Make a random GUID as text."""
    return str(uuid4())


def create_definitions(
    client: Client,
    *,
    expires_after: str | None = None,
    pools: int = POOLS_PER_PROGRAM,
    **credit_configuration: str,
) -> State:
    """Create a program definition with two pool definitions of three benefits and ten items each.

    The credits of the second one expire after a duration, if there is one. There may be other
    numbers of ``pools``.

    The sizes are those of an ordinary definition: three benefits with prices, credits that are
    above 0 (so each balance opens with a transaction), ten items a benefit.
    """
    created = client.post(
        f"{PREFIX}/program-definitions",
        {
            "programDefinition": {
                "namespace": NAMESPACE,
                "externalId": new_id(),
                "displayName": "Membership",
            }
        },
    )
    definition_id = created["programDefinition"]["id"]
    lasting = {} if expires_after is None else {"expiresAfter": expires_after}
    made = [
        _create_pool_definition(
            client, definition_id, credit_configuration | (lasting if number else {})
        )
        for number in range(pools)
    ]
    return {"programDefinitionId": definition_id, "pools": made}


def _create_pool_definition(
    client: Client, definition_id: str, credit_configuration: dict[str, str]
) -> State:
    benefits = [
        {
            "benefitKey": f"benefit-{price}",
            "providerAppId": PROVIDER_APP_ID,
            "price": str(price),
            "displayName": f"Costs {price} credits",
        }
        for price in (1, 2, 3)
    ]
    fields = {
        "namespace": NAMESPACE,
        "displayName": "Visits",
        "programDefinitionIds": [definition_id],
        "details": {
            "benefits": benefits,
            "creditConfiguration": {
                "amount": OPENING_CREDITS,
                "rolloverConfiguration": {"enabled": True, "balanceCap": "5"},
                **credit_configuration,
            },
        },
    }
    created = client.post(
        f"{PREFIX}/pool-definitions", {"poolDefinition": fields, "cascade": "FUTURE_PROVISIONS"}
    )
    definition = created["poolDefinition"]
    benefits = definition["details"]["benefits"]
    items = [
        {
            "externalId": new_id(),
            "itemSetId": each["itemSetId"],
            "providerAppId": PROVIDER_APP_ID,
            "namespace": NAMESPACE,
            "displayName": f"Item {number}",
        }
        for each in benefits
        for number in range(10)
    ]
    answer = client.post(f"{PREFIX}/bulk/items/create", {"items": items})
    if answer["bulkActionMetadata"]["totalSuccesses"] != len(items):
        raise RuntimeError(f"items were not created: {answer}")
    return {
        "poolDefinitionId": definition["id"],
        "itemSetId": benefits[0]["itemSetId"],
        "benefitKey": benefits[0]["benefitKey"],
        "itemExternalId": items[0]["externalId"],
    }


def make_provision_requests(state: State) -> NextRequest:
    """Provision a program for a new member, with an external id that was never used."""

    def next_request() -> Request:
        body = {
            "poolDefinitionLookupId": {"programDefinitionId": state["programDefinitionId"]},
            "beneficiary": {"identityType": "MEMBER", "memberId": new_id()},
            "namespace": NAMESPACE,
            "displayName": "New Program",
            "externalProgramId": new_id(),
        }
        return Request("POST", f"{PREFIX}/programs/provision", body)

    return next_request


def _is_id(text: str) -> bool:
    return str(UUID(text)) == text


def _is_provisioned(answer: dict[str, Any]) -> bool:
    program = answer["program"]
    return program["status"] == "ACTIVE" and _is_id(answer["jobId"]) and _is_id(program["id"])


def set_up(client: Client, *, programs: int = SPREAD_POOLS) -> State:
    """Provision so many programs, and remember where and what to redeem."""
    return provision_pools(client, create_definitions(client), programs=programs)


def provision_pools(client: Client, state: State, *, programs: int) -> State:
    """Provision programs of a definition; their first pools are those to redeem from."""
    provision = make_provision_requests(state)
    pool_ids: list[str] = []
    for _ in range(programs):
        program = client.send(provision())["program"]
        query = {"query": {"filter": {"programId": program["id"]}}}
        found = client.post(f"{PREFIX}/pools/query", query)["pools"]
        pool_ids += [pool["id"] for pool in found if _is_first_pool(pool, state)]
    if len(pool_ids) != programs:
        raise RuntimeError(f"{programs} pools expected, {len(pool_ids)} found")
    return {**state, **state["pools"][0], "poolIds": pool_ids}


def _is_first_pool(pool: dict[str, Any], state: State) -> bool:
    return bool(pool["poolDefinitionId"] == state["pools"][0]["poolDefinitionId"])


def _reference(state: State) -> dict[str, str]:
    return {"externalId": state["itemExternalId"], "providerAppId": PROVIDER_APP_ID}


def _shuffled(values: list[str]) -> Iterator[str]:
    """Repeat the values for ever, in an order that differs from process to process."""
    return itertools.cycle(random.sample(values, len(values)))


def set_up_lots(client: Client, lots: int, programs: int = POOLS_WITH_LOTS) -> State:
    """Provision programs whose pools have so many live lots, each with credits to spend."""
    definitions = create_definitions(client, expiresAfter=LOTS_LIVE_FOR)
    state = provision_pools(client, definitions, programs=programs)
    for pool_id in state["poolIds"]:
        for _ in range(lots - 1):
            body = {
                "type": "ADJUST",
                "adjustOptions": {"value": OPENING_CREDITS},
                "idempotencyKey": new_id(),
            }
            client.post(f"{PREFIX}/balances/{pool_id}/change", body)
    return state


def set_up_history(client: Client, lots: int = 0) -> State:
    """Provision one pool, with or without lots, and redeem from it many times."""
    state = set_up_lots(client, lots, programs=1) if lots else set_up(client, programs=1)
    redeem = make_redeem_requests(state)
    for _ in range(STATEMENT_TRANSACTIONS):
        client.send(redeem())
    return state


def make_redeem_requests(state: State) -> NextRequest:
    """Redeem one item, going round the pools."""
    pool_ids = _shuffled(state["poolIds"])

    def next_request() -> Request:
        body = {
            "poolId": next(pool_ids),
            "itemReference": _reference(state),
            "benefitKey": state["benefitKey"],
            "count": 1,
            "idempotencyKey": new_id(),
            "namespace": NAMESPACE,
        }
        return Request("POST", f"{PREFIX}/benefits/redeem", body)

    return next_request


def make_bulk_requests(state: State) -> NextRequest:
    """Redeem a hundred times in one request, each from another pool."""
    redeem = make_redeem_requests(state)

    def next_request() -> Request:
        body = {"redemptions": [redeem().body for _ in range(BULK_SIZE)]}
        return Request("POST", f"{PREFIX}/bulk/benefits/redeem", body)

    return next_request


def make_reserve_requests(state: State) -> NextRequest:
    """Reserve one item, going round the pools."""
    redeem = make_redeem_requests(state)
    return lambda: Request("POST", f"{PREFIX}/benefits/reserve", redeem().body)


def make_capture_request(reserved: dict[str, Any]) -> Request:
    """Spend what was reserved."""
    body = {"transactionId": reserved["transactionId"], "idempotencyKey": new_id()}
    return Request("POST", f"{PREFIX}/benefits/capture-reservation", body)


def make_hot_requests(state: State) -> NextRequest:
    """Redeem one item, always from the same pool."""
    return make_redeem_requests({**state, "poolIds": state["poolIds"][:1]})


def make_eligibility_requests(state: State) -> NextRequest:
    """Ask whether an item can be redeemed, going round the pools."""
    pool_ids = _shuffled(state["poolIds"])

    def next_request() -> Request:
        body = {
            "poolId": next(pool_ids),
            "itemReference": _reference(state),
            "benefitKey": state["benefitKey"],
            "namespace": NAMESPACE,
        }
        return Request("POST", f"{PREFIX}/pools/check-eligibility", body)

    return next_request


def make_balance_requests(state: State) -> NextRequest:
    """Read balances, going round the pools."""
    pool_ids = _shuffled(state["poolIds"])
    return lambda: Request("GET", f"{PREFIX}/balances/{next(pool_ids)}")


def make_statement_requests(state: State, query: str = "") -> NextRequest:
    """Ask for the first page of the statement of a pool, from its beginning until now."""
    path = f"{PREFIX}/balances/{state['poolIds'][0]}/statement{query}"
    return lambda: Request("GET", path)


def _is_statement(answer: dict[str, Any]) -> bool:
    return bool(answer["summary"]["transactionCount"] > STATEMENT_TRANSACTIONS)


def _is_redeemed(answer: dict[str, Any]) -> bool:
    return _is_id(answer["transactionId"])


def _are_redeemed(answer: dict[str, Any]) -> bool:
    return bool(answer["bulkActionMetadata"]["totalSuccesses"] == BULK_SIZE)


def _is_eligible(answer: dict[str, Any]) -> bool:
    return bool(answer["result"]["benefitResults"][0]["type"] == "ELIGIBLE_BENEFIT")


def _is_balance(answer: dict[str, Any]) -> bool:
    return int(answer["balance"]["amount"]["available"]) > 0


SCENARIOS = {
    "redeem": Scenario(
        make_requests=make_redeem_requests,
        check_answer=_is_redeemed,
    ),
    "redeem-hot": Scenario(
        make_requests=make_hot_requests,
        check_answer=_is_redeemed,
    ),
    "redeem-bulk": Scenario(
        make_requests=make_bulk_requests,
        check_answer=_are_redeemed,
        held_against="redeem",
    ),
    "redeem-3-lots": Scenario(
        make_requests=make_redeem_requests,
        check_answer=_is_redeemed,
        set_up=partial(set_up_lots, lots=3),
        held_against="redeem",
    ),
    "redeem-300-lots": Scenario(
        make_requests=make_redeem_requests,
        check_answer=_is_redeemed,
        set_up=partial(set_up_lots, lots=300),
        held_against="redeem",
    ),
    "reserve-capture": Scenario(
        make_requests=make_reserve_requests,
        check_answer=_is_redeemed,
        follow_up=make_capture_request,
        held_against="redeem",
    ),
    "provision": Scenario(
        make_requests=make_provision_requests,
        check_answer=_is_provisioned,
    ),
    "check-eligibility": Scenario(
        make_requests=make_eligibility_requests,
        check_answer=_is_eligible,
    ),
    "get-balance": Scenario(
        make_requests=make_balance_requests,
        check_answer=_is_balance,
    ),
    "statement": Scenario(
        make_requests=make_statement_requests,
        check_answer=_is_statement,
        set_up=set_up_history,
        held_against="get-balance",
    ),
    "statement-by-lot": Scenario(
        make_requests=partial(make_statement_requests, query="?byLot=true"),
        check_answer=_is_statement,
        set_up=partial(set_up_history, lots=STATEMENT_LOTS),
        held_against="get-balance",
    ),
}
