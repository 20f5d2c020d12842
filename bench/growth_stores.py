"""Stores of a given size, with what it takes to ask them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.client import Client, Request
from bench.copies import STEP_MS, copy_program
from bench.databases import open_session
from bench.inprocess import inprocess_client
from bench.scenarios import PREFIX, State, make_redeem_requests, set_up
from bench.servers import Place, Server, prepare_server

SAMPLED_POOLS = 10_000
"""So many pools, spread over the whole store, are redeemed from, whatever its size."""

BUSY_COPIES = 1_000
"""So many programs belong to one member."""

BUSY_REDEMPTIONS = 1_050
"""So often one pool was redeemed from."""


@contextmanager
def open_store(store: str, place: Place, *, pools: int) -> Iterator[tuple[Server, State]]:
    """Make a database with so many pools, and serve it."""
    url = place.create_own_database(f"{pools}-{store}")
    state = make_store(url, pools=pools)
    with prepare_server(store, place, database_url=url).start() as server:
        yield server, state


def make_store(url: str, *, pools: int, redemptions: int = BUSY_REDEMPTIONS) -> State:
    """Fill a database that has our schema with so many pools, two in each program."""
    with inprocess_client(url) as client:
        state = _fill(client, redemptions)
    one = state["one"]["id"]
    asyncio.run(copy_program(url, one, copies=pools // 2 - 2, of_one_member=BUSY_COPIES))
    pool_ids = asyncio.run(_sample(url, state["poolDefinitionId"], pools))
    return {**state, "poolIds": pool_ids}


def _fill(client: Client, redemptions: int) -> State:
    """Make one program to be copied, and one with a busy pool; remember what to ask for."""
    state = set_up(client, programs=2)
    found = [_find_pools(client, "id", pool_id)[0] for pool_id in state["poolIds"]]
    for pool in _find_pools(client, "programId", found[0]["programId"]):
        _redeem(client, state, pool, times=1)
    _redeem(client, state, found[1], times=redemptions)
    one, other = map(_describe, found)
    balance = client.send(Request("GET", f"{PREFIX}/balances/{one['poolId']}"))["balance"]
    last = {"transactionId": balance["lastTransactionId"]}
    # The first copies belong to the member of the program that is copied.
    busy = {"memberId": one["memberId"], "poolId": other["poolId"]}
    return {**state, "one": one | last | {"memberId": other["memberId"]}, "busy": busy}


def _find_pools(client: Client, field: str, value: str) -> list[dict[str, Any]]:
    query = {"filter": {field: value}}
    found: list[dict[str, Any]] = client.post(f"{PREFIX}/pools/query", {"query": query})["pools"]
    return found


def _redeem(client: Client, state: State, pool: dict[str, Any], *, times: int) -> None:
    definitions = {each["poolDefinitionId"]: each for each in state["pools"]}
    named = {**definitions[pool["poolDefinitionId"]], "poolIds": [pool["id"]]}
    next_request = make_redeem_requests(named)
    for _ in range(times):
        client.send(next_request())


def _describe(pool: dict[str, Any]) -> dict[str, str]:
    return {
        "id": pool["programId"],
        "poolId": pool["id"],
        "externalId": pool["program"]["externalId"],
        "memberId": pool["beneficiary"]["memberId"],
    }


async def _sample(url: str, pool_definition_id: str, pools: int) -> list[str]:
    """Pick pools at even distances: the copies were made one every few milliseconds."""
    every = max(1, pools // 2 // SAMPLED_POOLS)
    async with open_session(url) as session:
        rows = await session.fetch(
            f"select id from pools where pool_definition_id = '{pool_definition_id}'"
            f" and (created / {STEP_MS}) % {every} = 0 limit {SAMPLED_POOLS}"
        )
    return [str(row[0]) for row in rows]
