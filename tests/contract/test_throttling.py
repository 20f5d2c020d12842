"""The limit of requests per key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.api.errors import TooManyRequests
from benefit_programs.api.throttling import THROTTLED_KEYS_MAX, Throttle
from tests.support.calls import guid
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

AT_ONCE = 3


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


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
    clock = Clock()
    throttle = Throttle(10, 20, elapsed=clock)
    assert admitted(throttle, "a", 30) == 20
    clock.seconds += 0.1
    assert admitted(throttle, "a", 30) == 1
    clock.seconds += 1.5
    assert admitted(throttle, "a", 30) == 15
    clock.seconds += 3_600
    assert admitted(throttle, "a", 30) == 20


async def test_a_limit_holds_in_the_long_run() -> None:
    """However the tries are spread, no second brings more than its share."""
    clock = Clock()
    throttle = Throttle(3, 1, elapsed=clock)
    count = 0
    for _ in range(1_000):
        clock.seconds += 0.01
        count += admitted(throttle, "a", 5)
    assert 29 <= count <= 31


async def test_the_wait_that_is_told_is_long_enough() -> None:
    """After the seconds of Retry-After the next request is let in."""
    clock = Clock()
    throttle = Throttle(1, 5, elapsed=clock)
    admitted(throttle, "a", 5)
    with pytest.raises(TooManyRequests) as refused:
        throttle.admit("a")
    clock.seconds += refused.value.retry_after
    throttle.admit("a")


async def test_keys_are_forgotten_in_the_order_of_their_use() -> None:
    """The memory of keys is bounded, and keeps those that were used last."""
    throttle = Throttle(1, 1, elapsed=Clock())
    throttle.admit("first")
    for _ in range(THROTTLED_KEYS_MAX - 1):
        throttle.admit(guid())
    assert admitted(throttle, "first", 1) == 0
    throttle.admit(guid())
    assert len(throttle._full_at) == THROTTLED_KEYS_MAX
    assert admitted(throttle, "first", 1) == 1
