"""The limits of requests of a key and of a tenant."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.api import throttling as limits
from benefit_programs.api.errors import TooManyRequests
from benefit_programs.api.throttling import (
    AWAY_SECONDS_MAX,
    THROTTLED_KEYS_MAX,
    SharedThrottle,
    Throttle,
)
from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage.allowances import take_requests
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.schema import migrate
from tests.support.calls import Caller, guid
from tests.support.clock import Seconds
from tests.support.inprocess import new_tenant, open_application
from tests.support.looking import LOOK_PAUSE_SECONDS

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

AT_ONCE = 3


def admitted(throttle: Throttle, key: str, tries: int) -> int:
    """How many of so many tries are let in."""
    count = 0
    for _ in range(tries):
        try:
            throttle.admit(key)
        except TooManyRequests:
            continue
        count += 1
    return count


async def test_a_key_past_its_limit_is_told_to_wait(database_url: str) -> None:
    """Past the limit a key gets 429 with the seconds to wait; other keys go on."""
    settings = {"requests_per_second": 1, "requests_at_once": AT_ONCE}
    async with open_application(database_url, **settings) as application:
        service = await new_tenant(*application)
        refused = None
        for _ in range(AT_ONCE * 10):
            response = await service.send("queryPrograms")
            if response.status_code != httpx.codes.OK:
                refused = response
                break
        assert refused is not None, "no limit"
        assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert int(refused.headers["retry-after"]) == 1
        error = refused.json()["details"]["applicationError"]
        assert (error["code"], error["data"]) == ("TOO_MANY_REQUESTS", {"retryAfter": 1})
        app = await service.as_app()
        for _ in range(AT_ONCE):
            assert (await app.send("queryPrograms")).status_code == httpx.codes.OK


async def test_who_has_no_key_takes_none_from_others(database_url: str) -> None:
    """A wrong key is 401 as often as it is tried, and uses up nobody's requests."""
    settings = {"requests_per_second": 1, "requests_at_once": AT_ONCE}
    async with open_application(database_url, **settings) as application:
        service = await new_tenant(*application)
        for _ in range(AT_ONCE * 2):
            refused = await service.nobody().refusal("queryPrograms")
            assert refused.code == "UNAUTHENTICATED"
        await service.call("queryPrograms")


async def test_there_is_no_limit_by_default(service: Service) -> None:
    """A service without the setting throttles nobody."""
    assert service.running.services.throttle is None


async def test_a_bucket_holds_a_burst_and_fills_up_again() -> None:
    """A quiet key may make a burst at once, then as many as the seconds bring, never more."""
    clock = Seconds()
    throttle = Throttle(10, 20, elapsed=clock)
    assert admitted(throttle, "a", 30) == 20
    clock.now += 0.1
    assert admitted(throttle, "a", 30) == 1
    clock.now += 1.5
    assert admitted(throttle, "a", 30) == 15
    clock.now += 3_600
    assert admitted(throttle, "a", 30) == 20


async def test_a_limit_holds_in_the_long_run() -> None:
    """However the tries are spread, no second brings more than its share."""
    clock = Seconds()
    throttle = Throttle(3, 1, elapsed=clock)
    count = 0
    for _ in range(1_000):
        clock.now += 0.01
        count += admitted(throttle, "a", 5)
    assert 29 <= count <= 31


async def test_the_wait_that_is_told_is_long_enough() -> None:
    """After the seconds of Retry-After the next request is let in."""
    clock = Seconds()
    throttle = Throttle(1, 5, elapsed=clock)
    admitted(throttle, "a", 5)
    with pytest.raises(TooManyRequests) as refused:
        throttle.admit("a")
    clock.now += refused.value.retry_after
    throttle.admit("a")


async def test_keys_are_forgotten_in_the_order_of_their_use() -> None:
    """The memory of keys is bounded, and keeps those that were used last."""
    throttle = Throttle(1, 1, elapsed=Seconds())
    throttle.admit("first")
    for _ in range(THROTTLED_KEYS_MAX - 1):
        throttle.admit(guid())
    assert admitted(throttle, "first", 1) == 0
    throttle.admit(guid())
    assert len(throttle._full_at) == THROTTLED_KEYS_MAX
    assert admitted(throttle, "first", 1) == 1


TENANT_AT_ONCE = 20


async def test_a_tenants_limit_holds_over_all_its_keys_and_processes(database_url: str) -> None:
    """With two keys, and two processes where there may be two, a tenant gets its limit once."""
    settings = {"tenant_requests_per_second": 1, "tenant_requests_at_once": TENANT_AT_ONCE}
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_application(database_url, **settings))
        one = await new_tenant(*first)
        callers = [one, await one.as_app()]
        if database_url.startswith("postgresql"):
            _, client = await stack.enter_async_context(open_application(database_url, **settings))
            callers += [Caller(client, caller.key) for caller in callers]
        other = await new_tenant(*first)
        started = time.monotonic()
        answers = [await each.send("queryPrograms") for _ in range(15) for each in callers]
        seconds = time.monotonic() - started
        admitted = [each for each in answers if each.status_code == httpx.codes.OK]
        assert TENANT_AT_ONCE <= len(admitted) <= TENANT_AT_ONCE + seconds + 1
        refused = answers[-1]
        assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert int(refused.headers["retry-after"]) == 1
        assert refused.json()["details"]["applicationError"]["code"] == "TOO_MANY_REQUESTS"
        await other.call("queryPrograms")


async def admit_until(throttle: SharedThrottle, count: int) -> None:
    """Ask until so many requests were let in."""
    while count:
        try:
            await throttle.admit(1)
        except TooManyRequests:
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
        else:
            count -= 1


async def test_processes_together_are_never_faster_than_the_limit(postgres_url: str) -> None:
    """Two processes that ask all the time get what the seconds bring, and what each may hold."""
    await migrate(postgres_url)
    store = await PostgresStore.open(postgres_url)
    per_second, burst, size = 100, 20, 10

    async def take(tenant_id: int, size: int) -> bool:
        return await take_requests(store, tenant_id, size=size, per_second=per_second, burst=burst)

    throttles = [SharedThrottle(per_second, burst, take) for _ in range(2)]
    started = time.monotonic()
    await asyncio.gather(*(admit_until(each, 60) for each in throttles))
    seconds = time.monotonic() - started
    assert seconds >= (2 * 60 - burst - 2 * size) / per_second
    for each in throttles:
        await each.close()
    await store.close()


async def test_an_allowance_begins_anew_where_the_clock_was_set_back(postgres_url: str) -> None:
    """A bucket that would be full in years is none, so nobody is locked out for long."""
    await migrate(postgres_url)
    store = await PostgresStore.open(postgres_url)
    limit = {"size": 1, "per_second": 1, "burst": 2}
    assert [await take_requests(store, 1, **limit) for _ in range(3)] == [True, True, False]
    await store.execute("update allowances set full_at = full_at + 1000000000000000000", ())
    assert [await take_requests(store, 1, **limit) for _ in range(3)] == [True, True, False]
    await store.close()


async def test_most_requests_ask_the_database_nothing() -> None:
    """A process takes a tenth of a second's requests at once, and one more before they end."""
    asked = []

    async def take(tenant_id: int, size: int) -> bool:
        asked.append((tenant_id, size))
        return True

    throttle = SharedThrottle(1_000, 1_000, take)
    for _ in range(1_000):
        await throttle.admit(7)
    await throttle.close()
    assert asked == [(7, 100)] * 11


async def test_tenants_are_forgotten_in_the_order_of_their_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process keeps slices of so many tenants alone, and of those that asked last."""
    monkeypatch.setattr(limits, "THROTTLED_KEYS_MAX", 2)
    asked = []

    async def take(tenant_id: int, size: int) -> bool:
        asked.append(tenant_id)
        return True

    throttle = SharedThrottle(50, 50, take)
    for tenant_id in (1, 2, 1, 3, 1, 2):
        await throttle.admit(tenant_id)
    assert asked == [1, 2, 3, 2]


async def test_whoever_was_refused_asks_the_database_no_more_for_a_while() -> None:
    """Past its limit a tenant is refused by the process itself until there may be a slice again."""
    clock, asked = Seconds(), []

    async def take(tenant_id: int, size: int) -> bool:
        asked.append((tenant_id, size))
        return False

    throttle = SharedThrottle(10, 10, take, elapsed=clock)
    for _ in range(100):
        with pytest.raises(TooManyRequests):
            await throttle.admit(1)
    assert asked == [(1, 1)]
    clock.now += 0.1
    with pytest.raises(TooManyRequests):
        await throttle.admit(1)
    assert asked == [(1, 1)] * 2


@pytest.mark.parametrize("way", ["gone", "silent"])
async def test_a_limit_outlives_the_database(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away each process lets a tenant have its limit, then asks again."""
    monkeypatch.setattr(limits, "TAKING_SECONDS_MAX", 0.01)
    clock, asked = Seconds(), []

    async def take(tenant_id: int, size: int) -> bool:
        asked.append((tenant_id, size))
        if way == "gone":
            raise StoreUnavailable("away")
        return await asyncio.get_running_loop().create_future()

    throttle, admitted = SharedThrottle(10, 5, take, elapsed=clock), 0
    for _ in range(20):
        with suppress(TooManyRequests):
            await throttle.admit(1)
            admitted += 1
    assert (admitted, asked) == (5, [(1, 1)])
    clock.now += AWAY_SECONDS_MAX
    await throttle.admit(1)
    assert asked == [(1, 1)] * 2
