"""The feed of events: what it holds, in which order, and from where on. Contract: Events."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.method import Scope
from benefit_programs.domain.event_rows import Event
from benefit_programs.wire.events import EVENT_TYPES, FQDN_PREFIX
from tests.support.calls import NAMESPACE, Caller, Document, benefit, guid
from tests.support.lifecycle import act
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

BODIES = {"createdEvent", "updatedEvent", "deletedEvent", "actionEvent"}
PAGES_MAX = 1_000


async def all_events(caller: Caller, limit: int = 1_000, **request: Any) -> list[Document]:
    """All events up to now, page by page; what a page says about itself is checked."""
    events: list[Document] = []
    paging: Document = {"limit": limit}
    for _ in range(PAGES_MAX):
        answer = await caller.call("listEvents", {**request, "paging": paging})
        events += answer["events"]
        metadata = answer["metadata"]
        assert metadata["count"] == len(answer["events"]) <= limit
        if not metadata["hasNext"]:
            return events
        paging = {"limit": limit, "cursor": metadata["cursors"]["next"]}
    raise AssertionError("the feed doesn't end")


async def position(caller: Caller) -> str:
    """The cursor of this moment."""
    answer = await caller.call("listEvents", {"start": "NEWEST"})
    return answer["metadata"]["cursors"]["next"]  # type: ignore[no-any-return]


async def since(caller: Caller, cursor: str) -> list[Document]:
    answer = await caller.call("listEvents", {"paging": {"limit": 1_000, "cursor": cursor}})
    assert not answer["metadata"]["hasNext"]
    return answer["events"]  # type: ignore[no-any-return]


def kinds(events: list[Document]) -> list[str]:
    return [f"{each['entityFqdn'].removeprefix(FQDN_PREFIX)} {each['slug']}" for each in events]


def body_of(event: Document) -> Document:
    """The one body that an event has."""
    (name,) = BODIES & event.keys()
    (inner,) = [value for value in event[name].values() if isinstance(value, dict)]
    return inner


async def lived(service: Service) -> Wallet:
    """A pool to which everything has happened, the definitions that it came from, and an item."""
    wallet = await open_wallet(service, benefit("towel", price="1"))
    spent = await wallet.redeem(additionalData={"desk": "3"})
    moved = await wallet.reallocate(spent, "2027-01-01T00:00:00.000Z")
    await wallet.cancel(moved)
    await service.call(
        "changeBalance",
        {"poolId": wallet.pool_id, "idempotencyKey": guid(), "adjustOptions": {"value": "5"}},
    )
    for action in ("pause", "resume", "renew", "end"):
        await act(service, action, wallet.program["id"])
    definition = await service.create_program_definition()
    place = {"programDefinitionId": definition["id"], "poolDefinitionId": wallet.definition["id"]}
    for name in (
        "addPoolDefinitionToProgramDefinition",
        "removePoolDefinitionFromProgramDefinition",
    ):
        await service.call(name, {**place, "cascade": "FUTURE_PROVISIONS"})
    await service.call("deleteProgramDefinition", {"programDefinitionId": definition["id"]})
    return wallet


def require_gapless(events: list[Document]) -> None:
    """Fail unless the events of each entity are numbered from 1, in their order, all with ids."""
    numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for each in events:
        number = int(each["entityEventSequence"])
        numbers[each["entityFqdn"], each["entityId"]].append(number)
    assert numbers
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1))
    assert len({each["id"] for each in events}) == len(events)


async def test_events_of_each_entity_come_in_order_without_gaps(service: Service) -> None:
    """The numbers of an entity's events go up by one, of balances and transactions too."""
    await lived(service)
    events = await all_events(service)
    require_gapless(events)
    assert {f"{each['entityFqdn']}_{each['slug']}" for each in events} <= EVENT_TYPES
    assert all(len(BODIES & each.keys()) == 1 for each in events)


async def test_a_redemption_is_three_events(service: Service) -> None:
    """The pool's action, the transaction, the balance, with what calls answer at that moment."""
    wallet = await open_wallet(service, benefit("towel", price="1"))
    cursor = await position(service)
    transaction_id = await wallet.redeem(
        idempotencyKey="once", additionalData={"desk": "3"}, count=2
    )
    redeemed, made, updated = await since(service, cursor)
    pool = (await service.call("getPool", {"poolId": wallet.pool_id}))["pool"]
    body = redeemed["actionEvent"]["body"]
    assert body["pool"]["details"] == pool["details"]
    assert body["pool"]["revision"] == pool["revision"]
    beneficiary = pool["beneficiary"]
    transaction = await service.call("getTransaction", {"transactionId": transaction_id})
    when = transaction["transaction"]["details"]["effectiveDate"]
    assert body["redemptionDetails"] == {
        "transactionId": transaction_id,
        "itemReference": wallet.reference(),
        "itemCount": 2,
        "targetDate": when,
        "idempotencyKey": "once",
        "additionalData": {"desk": "3"},
        "beneficiary": beneficiary,
    }
    assert made["createdEvent"]["entity"] == transaction["transaction"]
    balance = (await service.call("getBalance", {"poolId": wallet.pool_id}))["balance"]
    assert updated["updatedEvent"]["currentEntity"] == balance
    (row,) = [each for each in await service.rows(Event) if each.transaction_id == transaction_id]
    assert redeemed["id"] == row.id
    assert redeemed["entityEventSequence"] == "3"


async def test_entities_are_shown_as_they_were(service: Service) -> None:
    """An event that is read later shows its entity as it was when it happened."""
    definition = await service.create_program_definition(displayName="Before")
    change = {"id": definition["id"], "revision": "1", "displayName": "After"}
    updated = await service.call("updateProgramDefinition", {"programDefinition": change})
    await service.call("deleteProgramDefinition", {"programDefinitionId": definition["id"]})
    created, changed, deleted = await all_events(service)
    assert body_of(created) == definition
    assert body_of(changed) == updated["programDefinition"]
    assert deleted["deletedEvent"]["deletedEntity"] == updated["programDefinition"]


async def test_balances_and_pools_are_shown_as_they_were(service: Service) -> None:
    """Credits, statuses and details of a pool are those of the event, whatever came after."""
    wallet = await open_wallet(service, benefit("towel", price="1"))
    pool = (await service.call("getPool", {"poolId": wallet.pool_id}))["pool"]
    await wallet.redeem()
    await wallet.redeem()
    await act(service, "pause", wallet.program["id"])
    events = await all_events(service)
    balances = [
        body_of(each)["amount"]["available"] for each in events if "balance" in each["entityFqdn"]
    ]
    assert balances == ["100", "99", "98"]
    statuses = [
        (each["slug"], each["actionEvent"]["body"]["pool"]["status"])
        for each in events
        if each["entityFqdn"].endswith(".pool") and "actionEvent" in each
    ]
    assert statuses == [
        ("provisioned", "ACTIVE"),
        ("benefit_redeemed", "ACTIVE"),
        ("benefit_redeemed", "ACTIVE"),
        ("paused", "PAUSED"),
    ]
    (created,) = [
        each
        for each in events
        if each["entityFqdn"].endswith(".pool") and each["slug"] == "created"
    ]
    known = {
        name: value for name, value in pool.items() if name not in ("program", "programDefinition")
    }
    assert {name: body_of(created)[name] for name in known} == known


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_of_every_size_hold_the_same_events(service: Service, limit: int) -> None:
    """Where a page ends within the events of one change, the next one goes on there."""
    await lived(service)
    assert await all_events(service, limit) == await all_events(service)


async def test_filters_narrow_the_feed(service: Service) -> None:
    """Type, entity and namespace pick events out of all, in the same order."""
    wallet = await lived(service)
    other = await service.create_program_definition(namespace="elsewhere")
    events = await all_events(service)
    chosen = {f"{FQDN_PREFIX}pool_benefit_redeemed", f"{FQDN_PREFIX}balance_updated"}
    by_type = [each for each in events if f"{each['entityFqdn']}_{each['slug']}" in chosen]
    assert await all_events(service, 2, eventTypes=sorted(chosen)) == by_type
    by_entity = [each for each in events if each["entityId"] == wallet.pool_id]
    assert await all_events(service, 2, entityId=wallet.pool_id) == by_entity
    here = [each for each in events if each["entityId"] != other["id"]]
    assert await all_events(service, 2, namespace=NAMESPACE) == here
    (elsewhere,) = await all_events(service, namespace="elsewhere")
    assert elsewhere["entityId"] == other["id"]


async def test_what_a_feed_has_not_given_is_refused(service: Service) -> None:
    """A cursor of nobody, one of the future, and an event that there is none of, by their names."""
    for cursor in ("x", "-1", "1.2.3", "999999999999999"):
        refusal = await service.refusal("listEvents", {"paging": {"cursor": cursor}})
        assert (refusal.status, list(refusal.fields)) == (400, ["paging.cursor"])
    refusal = await service.refusal("listEvents", {"eventTypes": ["pool_redeemed"]})
    assert list(refusal.fields) == ["eventTypes[0]"]


async def test_a_cursor_before_what_was_removed_is_told(service: Service) -> None:
    """Who was away for too long hears so, and where the feed begins now."""
    first = await position(service)
    await service.create_program_definition()
    kept = await position(service)
    await service.create_program_definition()
    await service.store.execute(
        "delete from events where tenant_id = $1 and position <= $2",
        (service.tenant.id, int(kept)),
    )
    await service.store.execute(
        "insert into removals (tenant_id, kind, upto, created, position)"
        " values ($1, 'events', $2, 0, $3)",
        (service.tenant.id, guid(), int(kept)),
    )
    refusal = await service.refusal("listEvents", {"paging": {"cursor": first}})
    assert (refusal.status, refusal.code) == (428, "EVENTS_REMOVED")
    assert refusal.data == {"cursor": first, "oldestCursor": kept}
    assert kinds(await all_events(service)) == ["program_definition created"]
    assert kinds(await since(service, kept)) == ["program_definition created"]
    await service.store.execute("delete from events where tenant_id = $1", (service.tenant.id,))
    await service.store.execute(
        "delete from program_definitions where tenant_id = $1", (service.tenant.id,)
    )


async def test_members_have_no_feed(service: Service) -> None:
    """Administrators and apps read events; an app needs the right, a member never has it."""
    member = await service.as_member(guid())
    assert (await member.refusal("listEvents")).status == 403
    narrow = await service.as_app(scopes=[Scope.READ_LIMITED])
    assert (await narrow.refusal("listEvents")).status == 403
    reader = await service.as_app(scopes=[Scope.READ])
    assert await all_events(reader) == []


async def test_a_tenant_reads_its_own_events_alone(service: Service) -> None:
    """Events of another tenant are never in the feed."""
    other = await service.another_tenant()
    await other.create_program_definition()
    assert await all_events(service) == []
    assert len(await all_events(other)) == 1


async def test_hidden_extended_fields_stay_hidden(service: Service) -> None:
    """An app that may not read a namespace of extended fields doesn't see it in events either."""
    app_id = guid()
    schema = {
        "entity": "PROGRAM_DEFINITION",
        "namespace": "@gym",
        "schema": {"type": "object"},
        "readAppIds": [app_id],
        "writeAppIds": [app_id],
    }
    await service.call("updateSettings", {"settings": {"extendedFieldSchemas": [schema]}})
    fields = {"namespaces": {"@gym": {"door": "7"}}}
    await service.create_program_definition(extendedFields=fields)
    (seen,) = await all_events(await service.as_app(app_id))
    assert body_of(seen)["extendedFields"] == fields
    (hidden,) = await all_events(await service.as_app())
    assert "extendedFields" not in body_of(hidden)


async def test_erasures_say_so(service: Service) -> None:
    """What an erasure has changed is marked, and shows the pseudonym."""
    wallet = await open_wallet(service, benefit("towel", price="1"))
    program = (await service.call("getProgram", {"programId": wallet.program["id"]}))["program"]
    who = {"memberId": program["beneficiary"]["memberId"]}
    cursor = await position(service)
    await service.call("eraseBeneficiary", {"beneficiary": who})
    await service.running.runner.settle()
    events = await since(service, cursor)
    marked = [each for each in events if each.get("triggeredByAnonymizeRequest")]
    assert {"pool updated", "program updated"} <= set(kinds(marked))
    assert all(who["memberId"] not in str(each) for each in await all_events(service))
