"""For how long events are kept, how they are removed, and that what must be there still is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.event_rows import Event, Removal
from benefit_programs.domain.lookups import REMOVAL
from benefit_programs.domain.removals import EVENTS, RemoveOldest
from benefit_programs.domain.values import DAY, SYSTEM
from benefit_programs.engine.engine import Engine
from benefit_programs.jobs.chunk_sizes import ChunkSizes
from benefit_programs.jobs.runner import JobRunner
from benefit_programs.jobs.sweeper import HELD_BACK_DAYS_MAX, Sweeper
from benefit_programs.storage.verification import verify_store
from tests.support.calls import benefit, guid
from tests.support.clock import Clock
from tests.support.engines import ON_POSTGRES_IN_FULL
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act
from tests.support.wallet import add_item, open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benefit_programs.domain.rows import Row
    from benefit_programs.domain.values import Instant
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

RETENTION = 30 * DAY


@pytest.fixture
def clock() -> Clock:
    """Where the service takes the time from: no two requests have the same instant."""
    return Clock()


@pytest.fixture
async def aging(database_url: str, clock: Clock) -> AsyncIterator[Service]:
    """A service whose events grow old as fast as the test likes, and whose jobs wait."""
    async with open_application(database_url, clock=clock, run_jobs=False) as application:
        yield await new_tenant(*application)


async def live(service: Service, wallet: Wallet) -> None:
    """Make events of a pool, its balance and its program, and of what comes and goes."""
    await wallet.cancel(await wallet.redeem())
    await wallet.redeem()
    await wallet.adjust("5")
    await act(service, "pause", wallet.program["id"])
    await act(service, "resume", wallet.program["id"])
    gone = await add_item(service, wallet.benefit(), f"item {guid()}")
    await service.call("deleteItem", {"itemId": gone["id"]})
    await open_another(service, wallet.definition)
    await wallet.redeem()


async def fill(service: Service) -> list[Event]:
    """Make events of every kind of entity, and tell them in their order."""
    await live(service, await open_wallet(service, benefit("bar")))
    return await service.rows(Event)


async def remove(
    service: Service, *, now: Instant, size: int = 1000, needed_from: str | None = None
) -> bool:
    """Do what one commit of a sweep does, at some time; whether more may be left."""
    tenant = await service.running.services.directory.tenant(service.tenant.id)
    limit = now - RETENTION
    feed = service.running.services.reader.feed
    found = await feed.outdated(tenant.id, limit, needed_from=needed_from, limit=size)
    if found is None:
        return False
    return await Engine(service.store, clock=lambda: now).execute(
        RemoveOldest(kind=EVENTS, upto=found.upto, position=found.position, size=size),
        tenant_id=tenant.id,
        caller=SYSTEM,
        settings=tenant.settings,
    )


async def removal_of(service: Service) -> Removal | None:
    """How far the events were removed, as anybody may read it."""
    rows = await service.store.look_up(service.tenant.id, REMOVAL, [(EVENTS,)])
    return next(iter(rows), None)


async def test_events_are_kept_for_their_time(aging: Service) -> None:
    """An event goes when it is older than the retention, and not in the moment it is as old."""
    events = await fill(aging)
    middle = events[len(events) // 2].created
    older = [each for each in events if each.created < middle]
    await remove(aging, now=middle + RETENTION)
    assert await aging.rows(Event) == events[len(older) :]
    removal = await removal_of(aging)
    assert removal is not None
    assert (removal.upto, removal.created) == (older[-1].id, older[-1].created)
    rows, _ = await aging.running.services.reader.feed.read_after(aging.tenant.id, removal.position)
    assert [row.event for row in rows] == events[len(older) :]


@ON_POSTGRES_IN_FULL
async def test_the_books_are_in_order_after_every_commit(aging: Service) -> None:
    """Wherever the removal stands, verifying finds nothing: it knows what must still be there."""
    events = await fill(aging)
    later = events[-1].created + RETENTION + 1
    for gone in range(1, len(events) + 1):
        assert await remove(aging, now=later, size=1)
        assert len(await aging.rows(Event)) == len(events) - gone
        assert await verify_store(aging.store) == []
    assert await remove(aging, now=later, size=1) is False


async def test_life_goes_on_after_a_removal(aging: Service, clock: Clock) -> None:
    """What changes afterwards has its events, numbered on from those that are gone."""
    wallet = await open_wallet(aging, benefit("bar"))
    await live(aging, wallet)
    clock.move(24 * 31)
    await remove(aging, now=clock())
    assert await aging.rows(Event) == []
    await live(aging, wallet)
    assert any(event.sequence > 5 for event in await aging.rows(Event))
    assert await verify_store(aging.store) == []


async def test_events_may_be_kept_for_ever(aging: Service) -> None:
    """A tenant that sets its retention to 0 days keeps all of its events."""
    events = await fill(aging)
    await aging.call("updateSettings", {"settings": {"eventRetentionDays": 0}})
    await remove(aging, now=events[-1].created + 10_000 * DAY)
    assert await aging.rows(Event) == events
    assert await removal_of(aging) is None


async def test_what_a_receiver_needs_stays(aging: Service) -> None:
    """However old it is, an event that somebody waits for is kept, with all that came after it."""
    events = await fill(aging)
    later = events[-1].created + RETENTION + 1
    await remove(aging, now=later, needed_from=events[3].id)
    assert await aging.rows(Event) == events[3:]


@pytest.mark.parametrize("days", [-1, 3651, "long"])
async def test_a_retention_is_a_number_of_days(aging: Service, days: Any) -> None:
    """Anything else is refused, with the field's name, and changes nothing."""
    request = {"settings": {"eventRetentionDays": days}}
    refused = await aging.refusal("updateSettings", request)
    assert refused.status == 400
    assert "settings.eventRetentionDays" in str(refused.body)
    assert (await aging.call("getSettings", {}))["settings"]["eventRetentionDays"] == 30


async def sweep(service: Service, *, now: Instant) -> bool:
    """Do what a sweeper does with a tenant at some time; whether that is all."""
    engine, services = Engine(service.store, clock=lambda: now), service.running.services
    sizes = ChunkSizes(engine, lambda: 0.0)
    return await Sweeper(engine, services.reader.feed, services.directory, sizes).sweep(
        service.tenant
    )


async def test_what_an_endpoint_was_not_told_yet_stays_for_a_while(aging: Service) -> None:
    """The sweeper removes nothing that a webhook endpoint waits for, up to a limit."""
    answer = await aging.call(
        "createWebhookEndpoint", {"webhookEndpoint": {"url": "https://receiver.test/"}}
    )
    events = await fill(aging)
    later = events[-1].created + RETENTION + 1
    assert await sweep(aging, now=later)
    assert await aging.rows(Event) == events
    assert await sweep(aging, now=later + HELD_BACK_DAYS_MAX * DAY)
    assert await aging.rows(Event) == []
    endpoint = {"webhookEndpointId": answer["webhookEndpoint"]["id"]}
    await aging.call("deleteWebhookEndpoint", endpoint)
    kept = await fill(aging)
    assert await sweep(aging, now=kept[-1].created + RETENTION + 1)
    assert await aging.rows(Event) == []


async def test_a_runner_sweeps_by_itself(aging: Service) -> None:
    """A server that does jobs removes what is outdated, without being told to."""
    events = await fill(aging)
    engine = Engine(aging.store, clock=lambda: events[-1].created + RETENTION + 1)
    removed = asyncio.Event()

    def notice(written: frozenset[type[Row]]) -> None:
        if Removal in written:
            removed.set()

    engine.on_commit(notice)
    runner = JobRunner(engine, aging.store, aging.running.services.directory)
    runner.start()
    await removed.wait()
    await runner.close()
    assert await aging.rows(Event) == []


async def grow_old(service: Service, clock: Clock) -> None:
    """Live in two months, and remove the events of the first."""
    wallet = await open_wallet(service, benefit("bar"))
    await live(service, wallet)
    clock.move(24 * 60)
    await live(service, wallet)
    await remove(service, now=clock())
    assert await verify_store(service.store) == []


OF_TENANT = "tenant_id = 2 and"
NEWEST = f"(select max(cast(id as text)) from events where {OF_TENANT} entity = 'pool')"
YOUNG = (
    "(select min(cast(id as text)) from programs where tenant_id = 2 and sequence = 2"
    f" and created > (select created from removals where {OF_TENANT} kind = 'events') + {DAY})"
)

TAMPERINGS = {
    "a later redemption": ("delete from events where slug = 'benefit_redeemed'", "I11"),
    "a later change": (f"delete from events where {OF_TENANT} cast(id as text) = {NEWEST}", "I10"),
    "the start of a young entity": (
        f"delete from events where {OF_TENANT} cast(entity_id as text) = {YOUNG}",
        "I10",
    ),
    "a removal that is said and not done": (
        (
            f"update removals set upto = (select id from events where {OF_TENANT} 1 = 1"
            " order by id desc limit 1)"
        ),
        "I10",
    ),
    "a removal that is done and not said": (f"delete from removals where {OF_TENANT} 1 = 1", "I10"),
    "less removed than is gone": (
        f"update removals set created = created - {40 * DAY} where {OF_TENANT} 1 = 1",
        "I11",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_what_must_be_there_is_missed(aging: Service, clock: Clock, name: str) -> None:
    """What came after the border is checked as strictly as ever, and so is the border itself."""
    await grow_old(aging, clock)
    statement, invariant = TAMPERINGS[name]
    await aging.store.execute(statement, ())
    assert invariant in {each.invariant for each in await verify_store(aging.store)}
