"""A studio of a given size for the pages of the console: three months of packs and memberships.

Some programs are made by the service, of each kind one, and copied by the database: the first copy
was made 90 days ago, the last one just now.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bench.client import Client, Request
from bench.copies import Copying, copy_programs
from bench.databases import open_session
from bench.inprocess import inprocess_client
from bench.people import fill_people
from bench.scenarios import (
    PREFIX,
    State,
    create_definitions,
    make_provision_requests,
    make_redeem_requests,
    new_id,
)
from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.entities import Job, Lot, Pool, Program, Transaction
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.webhooks.rows import (
    DeliveryAttempt,
    DeliveryOrigin,
    DeliveryStatus,
    WebhookDelivery,
)
from benefit_programs.storage.rows import CODECS

DAYS = 90
LASTS = "PT2184H"
"""91 days: of what lasts so long some ends, expires or renews every day from tomorrow on."""

CREDITS = "10"
BUSY_COPIES = 10
"""So many programs belong to one member."""

ENTITIES = (Program, Pool, Transaction, Lot, Job, ScheduledChange, AuditEntry)
"""What of a program is copied: no page reads events."""

DELIVERIES = 100_000
RETENTIONS = {"settings": {"jobRetentionDays": 2 * DAYS, "deliveryRetentionDays": 2 * DAYS}}
"""Else what is older would be removed while pages are asked."""

PARKED_ONE_IN = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Programs of one kind: how many of a hundred there are, and how one of them is made."""

    percent: int
    make: Callable[[Client], State]
    redemptions: int


def _buy(client: Client, *, expires_after: str | None = None, **fields: Any) -> State:
    """Sell a program of two packs with ten credits each."""
    definitions = create_definitions(client, expires_after=expires_after, amount=CREDITS)
    body = make_provision_requests(definitions)().body or {}
    program = client.post(f"{PREFIX}/programs/provision", body | fields)["program"]
    query = {"query": {"filter": {"programId": program["id"]}}}
    pools = client.post(f"{PREFIX}/pools/query", query)["pools"]
    first = definitions["pools"][0]
    paying = [each for each in pools if each["poolDefinitionId"] == first["poolDefinitionId"]]
    return {**definitions, **first, "program": program, "poolIds": [paying[0]["id"]]}


def _buy_expiring(client: Client) -> State:
    return _buy(client, expires_after=LASTS)


def _buy_membership(client: Client) -> State:
    return _buy(client, renewalConfiguration={"every": LASTS})


def _buy_ending(client: Client) -> State:
    """One that ends by itself, and is to be paused before."""
    state = _buy(client, endsAfter=LASTS)
    date = datetime.now(UTC) + timedelta(days=DAYS, hours=12)
    change = {"kind": "PAUSE", "date": f"{date:%Y-%m-%dT%H:%M:%SZ}", "idempotencyKey": new_id()}
    client.post(f"{PREFIX}/programs/{state['program']['id']}/changes", change)
    return state


def _buy_ended(client: Client) -> State:
    state = _buy(client)
    client.post(f"{PREFIX}/programs/end", {"programId": state["program"]["id"]})
    return state


KINDS = {
    "packs": Kind(percent=45, make=_buy, redemptions=2),
    "used up but for one": Kind(percent=5, make=_buy, redemptions=9),
    "expiring": Kind(percent=20, make=_buy_expiring, redemptions=3),
    "memberships": Kind(percent=15, make=_buy_membership, redemptions=3),
    "ending": Kind(percent=5, make=_buy_ending, redemptions=1),
    "ended": Kind(percent=10, make=_buy_ended, redemptions=0),
}


def make_studio(url: str, *, pools: int, people: int, deliveries: int = DELIVERIES) -> State:
    """Fill a database that has our schema, and give what to ask for."""
    with inprocess_client(url) as client:
        client.send(Request("PATCH", f"{PREFIX}/settings", RETENTIONS))
        made = {name: _make(client, kind) for name, kind in KINDS.items()}
        endpoint = client.post(
            f"{PREFIX}/webhook-endpoints",
            {"webhookEndpoint": {"url": "https://shop.example/hooks", "active": False}},
        )["webhookEndpoint"]
        item = {"externalId": made["expiring"]["itemExternalId"]}
        items = client.post(f"{PREFIX}/items/query", {"query": {"filter": item}})
    copyings = [_copying(made[name], kind, pools // 2) for name, kind in KINDS.items()]
    asyncio.run(copy_programs(url, copyings, ENTITIES))
    job_id = asyncio.run(_fill(url, people, _make_deliveries(endpoint["id"], deliveries)))
    pack, ending = made["packs"], made["ending"]
    return {
        **pack,
        "poolId": pack["poolIds"][0],
        "programId": pack["program"]["id"],
        "memberId": made["expiring"]["program"]["beneficiary"]["memberId"],
        "busyMemberId": pack["program"]["beneficiary"]["memberId"],
        "transactionId": made["expiring"]["transactionIds"][0],
        "itemId": items["items"][0]["id"],
        "endingDefinitionId": ending["programDefinitionId"],
        "jobId": job_id,
        "webhookEndpointId": endpoint["id"],
    }


def _make(client: Client, kind: Kind) -> State:
    state = kind.make(client)
    redeem = make_redeem_requests(state)
    answers = [client.send(redeem()) for _ in range(kind.redemptions)]
    return {**state, "transactionIds": [each["transactionId"] for each in answers]}


def _copying(state: State, kind: Kind, programs: int) -> Copying:
    copies = max(programs * kind.percent // 100 - 1, 1)
    return Copying(
        program_id=state["program"]["id"],
        copies=copies,
        of_one_member=BUSY_COPIES,
        step_ms=DAYS * 24 * 60 * 60 * 1000 // copies,
    )


def _make_deliveries(endpoint_id: str, count: int) -> list[WebhookDelivery]:
    """So many of the past days, evenly; a few are given up."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    step_ms = DAYS * 24 * 60 * 60 * 1000 // count
    instants = (now - number * step_ms for number in range(count, 0, -1))
    return [
        WebhookDelivery(
            id=str(UUID(int=(at << 80 | 0x7000_8000 << 48) + number)),
            created=at,
            updated=at,
            endpoint_id=endpoint_id,
            event_id=str(UUID(int=number, version=4)),
            event_type="wix.benefit_programs.v1.pool_benefit_redeemed",
            entity_id=str(UUID(int=number, version=4)),
            position=number,
            part=0,
            origin=DeliveryOrigin.FEED,
            status=DeliveryStatus.DELIVERED if number % PARKED_ONE_IN else DeliveryStatus.PARKED,
            first_attempt=at,
            attempts=1,
            tries=(DeliveryAttempt(at=at, milliseconds=9, status=200),),
        )
        for number, at in enumerate(instants)
    ]


async def _fill(url: str, people: int, deliveries: Sequence[WebhookDelivery]) -> str:
    """Name all members and as many others as it takes; the id of the newest job."""
    codec = CODECS[WebhookDelivery]
    async with open_session(url) as session:
        members = await session.fetch(
            "select member_id, max(created) from programs where tenant_id ="
            " (select min(id) from tenants) group by member_id order by 2 desc"
        )
        ((tenant_id,),) = await session.fetch("select min(id) from tenants")
        rows = ((tenant_id, *codec.values(each, codec.columns)) for each in deliveries)
        await session.copy(codec.table, ["tenant_id", *codec.columns], rows)
        ((job_id,),) = await session.fetch("select id from jobs order by id desc limit 1")
    await fill_people(url, people, [str(row[0]) for row in members])
    return str(job_id)
