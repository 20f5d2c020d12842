"""Functions of a process get the events of the service that runs in it."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.client import (
    AsyncBenefitPrograms,
    BenefitPrograms,
    ConnectionFailed,
    NotInProcess,
    Pool,
    ValidationError,
    WebhookStatus,
    WrongArgument,
)
from tests.support.databases import run_apart
from tests.support.gym import Gym
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    from collections.abc import Callable

    from benefit_programs.client import DomainEvent

REDEEMED = "wix.benefit_programs.v1.pool_benefit_redeemed"
WAIT_SECONDS_MAX = 30


class Inbox:
    """A function that keeps what it gets, unless it is told to refuse it."""

    def __init__(self, refuses: Callable[[DomainEvent], bool] = lambda _: False) -> None:
        self.refuses = refuses
        self.tried: list[DomainEvent] = []
        self.taken: list[DomainEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: DomainEvent) -> None:
        with self._changed:
            self.tried.append(event)
            refused = self.refuses(event)
            if not refused:
                self.taken.append(event)
            self._changed.notify_all()
        if refused:
            raise RuntimeError("not now")

    def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds of what has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(holds()), WAIT_SECONDS_MAX)

    def sequences(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for each in self.taken:
            found[each.entity_fqdn, each.entity_id].append(each.entity_event_sequence)
        return found


def events_of(client: BenefitPrograms) -> list[str]:
    return [each.id for page in client.events.pages() for each in page.events]


def test_function_gets_every_event_in_order(database_url: str) -> None:
    """Each event comes once, typed, in the order of its entity."""
    inbox = Inbox()
    with BenefitPrograms.open(database_url) as client:
        endpoint = client.on_events("mail", inbox)
        gym = Gym(client)
        _, pool = gym.provision()
        for _ in range(3):
            gym.redeem(pool)
        expected = events_of(client)
        inbox.until(lambda: len(inbox.taken) == len(expected))
        assert client.webhooks.get(endpoint.id).url == "in-process:mail"
    assert sorted(each.id for each in inbox.taken) == sorted(expected)
    assert run_benefits("verify", BENEFITS_DATABASE_URL=database_url).returncode == 0
    assert all(numbers == sorted(numbers) for numbers in inbox.sequences().values())
    redeemed = [each for each in inbox.taken if each.type == REDEEMED]
    assert [each.entity.id for each in redeemed if isinstance(each.entity, Pool)] == [pool.id] * 3


def test_function_gets_what_it_asked_for(database_url: str) -> None:
    """Types and namespaces choose; asked for anew, the new choice counts."""
    first, second = Inbox(), Inbox()
    with BenefitPrograms.open(database_url) as client:
        gym, other = Gym(client), Gym(client)
        client.on_events("mail", first, event_types=[REDEEMED], namespaces=[gym.namespace])
        redeem_once(other)
        pool = redeem_once(gym)
        first.until(lambda: first.taken)
    assert [(each.type, each.entity_id) for each in first.taken] == [(REDEEMED, pool.id)]
    with BenefitPrograms.open(database_url) as client:
        endpoint = client.on_events("mail", second, namespaces=[other.namespace])
        assert (endpoint.event_types, endpoint.namespaces) == ((), (other.namespace,))
        other.client = client
        pool = redeem_once(other)
        second.until(lambda: any(each.type == REDEEMED for each in second.taken))
    assert {each.namespace for each in second.taken} == {other.namespace}


def redeem_once(gym: Gym) -> Pool:
    _, pool = gym.provision()
    gym.redeem(pool)
    return pool


def test_refused_event_comes_again(database_url: str) -> None:
    """A function that raises gets the event again, and nothing of its entity before that."""
    inbox = Inbox()
    with BenefitPrograms.open(database_url) as client:
        gym = Gym(client)
        _, stubborn = gym.provision()
        _, easy = gym.provision()
        inbox.refuses = lambda event: len(inbox.tried) < 3 and event.entity_id == stubborn.id
        endpoint = client.on_events("mail", inbox, event_types=[REDEEMED])
        for pool in (stubborn, easy, stubborn):
            gym.redeem(pool)
        inbox.until(lambda: len(inbox.taken) == 3)
        tried = client.webhooks.query_deliveries({"webhook_endpoint_id": endpoint.id}).to_list()
    assert inbox.sequences()["wix.benefit_programs.v1.pool", stubborn.id] == [3, 4]
    assert len({each.id for each in inbox.tried}) == 3
    errors = [attempt.error for each in tried for attempt in each.attempts if attempt.error]
    assert set(errors) == {"RuntimeError: not now"}


def test_name_goes_on_where_it_was(database_url: str) -> None:
    """What was refused, and what happened while nobody listened, comes after reopening."""
    first, second = Inbox(lambda _: True), Inbox()
    with BenefitPrograms.open(database_url) as client:
        endpoint = client.on_events("mail", first, event_types=[REDEEMED])
        gym = Gym(client)
        _, pool = gym.provision()
        gym.redeem(pool)
        first.until(lambda: first.tried)
    with BenefitPrograms.open(database_url) as client:
        gym.client = client
        gym.redeem(pool)
    with BenefitPrograms.open(database_url) as client:
        assert client.on_events("mail", second, event_types=[REDEEMED]).id == endpoint.id
        gym.client = client
        gym.redeem(pool)
        second.until(lambda: len(second.taken) >= 3)
    assert second.taken[0].id == first.tried[0].id
    assert [each.entity_event_sequence for each in second.taken] == [3, 4, 5]
    with BenefitPrograms.open(database_url) as client:
        late = Inbox()
        client.on_events("another", late, event_types=[REDEEMED])
        gym.client = client
        gym.redeem(pool)
        late.until(lambda: late.taken)
    assert [each.entity_event_sequence for each in late.taken] == [6]


def test_closing_waits_for_calls(database_url: str) -> None:
    """A call under way ends before the client is closed, and counts: it isn't made again."""
    begun, may_end = threading.Event(), threading.Event()
    ended, again = [], Inbox()

    def slow(event: DomainEvent) -> None:
        begun.set()
        assert may_end.wait(WAIT_SECONDS_MAX)
        ended.append(event.entity_event_sequence)

    with BenefitPrograms.open(database_url) as client:
        client.on_events("mail", slow, event_types=[REDEEMED])
        gym = Gym(client)
        _, pool = gym.provision()
        gym.redeem(pool)
        assert begun.wait(WAIT_SECONDS_MAX)
        closing = threading.Thread(target=client.close)
        closing.start()
        while not is_closed(client):
            pass
        may_end.set()
        closing.join(WAIT_SECONDS_MAX)
        assert ended == [3]
    with BenefitPrograms.open(database_url) as client:
        client.on_events("mail", again, event_types=[REDEEMED])
        gym.client = client
        gym.redeem(pool)
        again.until(lambda: again.taken)
    assert [each.entity_event_sequence for each in again.taken] == [4]


def is_closed(client: BenefitPrograms) -> bool:
    try:
        client.programs.query().first()
    except ConnectionFailed:
        return True
    return False


def test_async_function_runs_in_the_loop(database_url: str) -> None:
    """An async function is awaited where its client lives, and may call the client."""

    async def work() -> None:
        found: asyncio.Queue[Any] = asyncio.Queue()

        async def keep(event: DomainEvent) -> None:
            definition = await client.program_definitions.get(event.entity_id)
            await found.put((definition.external_id, threading.get_ident()))

        async with AsyncBenefitPrograms.open(database_url) as client:
            created = "wix.benefit_programs.v1.program_definition_created"
            await client.on_events("mail", keep, event_types=[created])
            await client.program_definitions.create(namespace="gym", external_id="gold")
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                assert await found.get() == ("gold", threading.get_ident())

    run_apart(work())


def test_function_of_an_async_client_blocks_nobody(database_url: str) -> None:
    """A function that waits in its thread lets the event loop go on; it may give an awaitable."""

    async def work() -> None:
        may_go, taken = threading.Event(), asyncio.Event()

        async def finish() -> None:
            taken.set()

        def blocked(_: DomainEvent) -> Any:
            assert may_go.wait(WAIT_SECONDS_MAX)
            return finish()

        async with AsyncBenefitPrograms.open(database_url) as client:
            await client.on_events("mail", blocked)
            await client.program_definitions.create(namespace="gym", external_id="gold")
            assert await client.program_definitions.query().first() is not None
            may_go.set()
            async with asyncio.timeout(WAIT_SECONDS_MAX):
                await taken.wait()

    run_apart(work())


def test_functions_may_call_the_client(database_url: str) -> None:
    """Many functions that call the client at once don't wait for each other for ever."""
    inbox = Inbox()
    with BenefitPrograms.open(database_url) as client:
        gym = Gym(client)
        pools = [gym.provision()[1] for _ in range(20)]

        def look(event: DomainEvent) -> None:
            assert client.pools.get(event.entity_id).status == "ACTIVE"
            inbox(event)

        client.on_events("mail", look, event_types=[REDEEMED])
        for pool in pools:
            gym.redeem(pool)
        inbox.until(lambda: len(inbox.taken) == 20)


def test_only_a_service_here_has_functions(http_client: BenefitPrograms) -> None:
    """A client of a service that runs elsewhere says so."""
    with pytest.raises(NotInProcess):
        http_client.on_events("mail", print)


def test_wrong_registrations_are_refused(database_url: str) -> None:
    """A wrong name, a second function and an unknown type leave nothing behind."""
    with BenefitPrograms.open(database_url) as client:
        for name in ("", "two words", "x" * 101, "\N{SNOWMAN}"):
            with pytest.raises(WrongArgument, match="letters"):
                client.on_events(name, print)
        with pytest.raises(ValidationError, match="eventTypes") as caught:
            client.on_events("mail", print, event_types=[REDEEMED, "nothing"])
        assert [each.field for each in caught.value.violations] == ["eventTypes[1]"]
        assert client.webhooks.query().first() is None
        client.on_events("mail", print)
        with pytest.raises(WrongArgument, match="already"):
            client.on_events("mail", print)
        assert len(client.webhooks.query().to_list()) == 1


def test_endpoint_of_a_function_stays_one(database_url: str) -> None:
    """Its URL can't be changed; switched off it stays so; its secret has no use but can be made."""
    inbox = Inbox()
    with BenefitPrograms.open(database_url) as client:
        endpoint = client.on_events("mail", inbox)
        with pytest.raises(ValidationError) as caught:
            client.webhooks.update(
                endpoint.id, revision=endpoint.revision, url="https://example.com/"
            )
        assert [each.field for each in caught.value.violations] == ["webhookEndpoint.url"]
        assert client.webhooks.test(endpoint.id).success
        assert [each.slug for each in inbox.taken if each.slug == "tested"] == ["tested"]
        current = client.webhooks.get(endpoint.id)
        client.webhooks.update(endpoint.id, revision=current.revision, active=False)
    with BenefitPrograms.open(database_url) as client:
        tested = client.webhooks.test(endpoint.id)
        assert tested.attempt.error == "this process has no function of that name"
        assert client.on_events("mail", inbox).status == WebhookStatus.INACTIVE


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
def test_two_processes_share_an_endpoint(database_url: str) -> None:
    """Clients of one database that register a name at the same time make one endpoint."""
    clients = [BenefitPrograms.open(database_url) for _ in range(4)]
    with ExitStack() as stack, ThreadPoolExecutor(4) as threads:
        for each in clients:
            stack.enter_context(each)
        together = threading.Barrier(4)

        def register(client: BenefitPrograms, name: str) -> str:
            together.wait()
            return client.on_events(name, print).id

        for name in ("first", "second", "third"):
            ids = list(threads.map(register, clients, [name] * 4))
            assert len(set(ids)) == 1
        assert len(clients[0].webhooks.query().to_list()) == 3
