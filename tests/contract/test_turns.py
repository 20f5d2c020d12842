"""The turns that tenants take, so that one with many callers holds up nobody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.api import turns as limits
from benefit_programs.api.turns import (
    BEGUN_BESIDE_FLUSH_MAX,
    COMPANY_SECONDS_MAX,
    TURNS_MAX,
    Turn,
    Turns,
)
from benefit_programs.engine.engine import QueueFull
from tests.support.calls import guid
from tests.support.clock import Seconds
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NOISY, QUIET = 1, 2
SHARE = TURNS_MAX // 2
PASSES = 5 * SHARE
"""Turns of the event loop after which everything has begun that may."""


@pytest.fixture
def clock() -> Seconds:
    """The time of the turns."""
    return Seconds()


@pytest.fixture
async def turns(clock: Seconds) -> Turns:
    """Turns of a process that both tenants have asked just now."""
    made = Turns(elapsed=clock)
    for tenant_id in (NOISY, QUIET):
        (await made.take(tenant_id)).give_back()
    return made


def ask(turns: Turns, tenant_id: int, count: int) -> list[asyncio.Task[Turn]]:
    """Ask for so many turns at once."""
    return [asyncio.create_task(turns.take(tenant_id)) for _ in range(count)]


async def given(asked: list[asyncio.Task[Turn]]) -> int:
    """How many of them have come, once all have that can."""
    for _ in range(PASSES):
        await asyncio.sleep(0)
    return sum(each.done() for each in asked)


async def give_up(asked: list[asyncio.Task[Turn]]) -> None:
    """Wait no longer, and give back what has come."""
    for each in asked:
        each.cancel()
    for turn in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(turn, Turn):
            turn.give_back()
    await asyncio.sleep(0)


async def test_a_tenant_that_is_alone_never_waits(clock: Seconds) -> None:
    """A minute after others have asked last, everything of a tenant is under way at once."""
    turns = Turns(elapsed=clock)
    for tenant_id in (QUIET, NOISY):
        (await turns.take(tenant_id)).give_back()
    clock.now += COMPANY_SECONDS_MAX
    asked = ask(turns, NOISY, 1_000)
    assert await given(asked) == 1_000
    await give_up(asked)


async def test_the_first_tenant_after_a_start_is_alone(clock: Seconds) -> None:
    """Until another one asks, nobody is there to be waited for."""
    turns = Turns(elapsed=clock)
    asked = ask(turns, NOISY, 1_000)
    assert await given(asked) == 1_000
    await give_up(asked)


async def test_beside_others_a_tenant_has_its_part_and_the_rest_waits_in_its_order(
    turns: Turns,
) -> None:
    """With two tenants one has half of the turns; each that ends lets its next request go on."""
    asked = ask(turns, NOISY, SHARE + 3)
    assert await given(asked) == SHARE
    (await asked[0]).give_back()
    await asyncio.wait_for(asked[SHARE], 5)
    assert await given(asked) == SHARE + 1
    assert await given(ask(turns, QUIET, 1)) == 1
    await give_up(asked)
    assert turns.waiting == 0


@pytest.mark.parametrize("waiting", [0, 3])
async def test_beside_others_requests_begin_one_at_a_time(turns: Turns, waiting: int) -> None:
    """However many come or go on at once, whatever else is ready goes on between any two."""
    before = ask(turns, NOISY, SHARE if waiting else 0)
    assert await given(before) == len(before)
    asked = ask(turns, NOISY, waiting or SHARE)
    for turn in before[:waiting]:
        (await turn).give_back()
    begun = [0]
    while begun[-1] < len(asked):
        await asyncio.sleep(0)
        begun.append(sum(each.done() for each in asked))
        assert begun[-1] - begun[-2] <= 1
    await give_up(before + asked)


@pytest.mark.parametrize("flushed", [QUIET, NOISY])
async def test_few_begin_while_a_commit_of_another_tenant_is_flushed(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, flushed: int
) -> None:
    """The others go on at its end, one at a time as ever; a tenant's own commit holds up none."""
    monkeypatch.setattr(limits, "REST_SECONDS", 3_600)
    turns.note_flush(flushed)
    asked = ask(turns, NOISY, SHARE)
    assert await given(asked) == (SHARE if flushed == NOISY else BEGUN_BESIDE_FLUSH_MAX)
    turns.note_flush(None)
    assert await given(asked) == SHARE
    turns.note_flush(flushed)
    assert await given(ask(turns, QUIET, 1)) == 1
    await give_up(asked)


async def test_a_long_flush_holds_nobody_up_for_long(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rest the next one begins, whatever the disk takes."""
    monkeypatch.setattr(limits, "REST_SECONDS", 0)
    turns.note_flush(QUIET)
    asked = ask(turns, NOISY, SHARE)
    await asyncio.wait_for(asyncio.gather(*asked), 5)
    await give_up(asked)
    turns.note_flush(None)
    assert await given(ask(turns, NOISY, 1)) == 1


async def test_beside_a_flush_a_tenant_that_is_alone_never_rests(clock: Seconds) -> None:
    """Whoever nobody else has asked beside for a minute has no rest from a job's commit either."""
    turns = Turns(elapsed=clock)
    turns.note_flush(QUIET)
    asked = ask(turns, NOISY, 1_000)
    assert await given(asked) == 1_000
    await give_up(asked)


async def test_those_who_wait_go_on_at_once_when_their_tenant_is_alone(
    turns: Turns, clock: Seconds
) -> None:
    """Nobody waits for turns that nobody else wants any more."""
    asked = ask(turns, NOISY, 100)
    assert await given(asked) == SHARE
    clock.now += COMPANY_SECONDS_MAX
    (await asked[0]).give_back()
    await asyncio.wait_for(asyncio.gather(*asked), 5)
    await give_up(asked)


async def test_many_tenants_share_the_turns_and_each_has_one(turns: Turns) -> None:
    """However many tenants ask, each of them goes on."""
    asked = [ask(turns, tenant_id, 2) for tenant_id in range(1, 2 * TURNS_MAX + 1)]
    assert [await given(each) >= 1 for each in asked] == [True] * len(asked)
    assert await given(asked[-1]) == 1
    for each in asked:
        await give_up(each)


async def test_tenants_with_nothing_under_way_have_no_part(turns: Turns) -> None:
    """Only those share the turns who ask for something now."""
    for tenant_id in range(1, 2 * TURNS_MAX):
        (await turns.take(tenant_id)).give_back()
    await asyncio.sleep(0)
    asked = ask(turns, NOISY, SHARE + 1)
    assert await given(asked) == SHARE
    await give_up(asked)


async def test_whoever_gives_up_takes_no_turn(turns: Turns) -> None:
    """A request that is gone, even at the moment that it gets its turn, leaves it to the next."""
    asked = ask(turns, NOISY, SHARE + 3)
    assert await given(asked) == SHARE
    asked[SHARE].cancel()
    await asyncio.wait(asked[SHARE : SHARE + 1])
    (await asked[0]).give_back()
    asked[SHARE + 1].cancel()
    await asyncio.wait_for(asked[SHARE + 2], 5)
    await give_up(asked)
    assert turns.waiting == 0


async def test_whoever_waits_for_somebody_outside_lets_others_go_on(turns: Turns) -> None:
    """A turn that is set apart is another request's, until one is free again."""
    asked = ask(turns, NOISY, SHARE + 1)
    assert await given(asked) == SHARE
    first = await asked[0]
    async with first.apart():
        (await asyncio.wait_for(asked[SHARE], 5)).give_back()
    assert await given(ask(turns, NOISY, 1)) == 0
    await give_up(asked)


async def test_too_many_who_wait_are_refused(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit nobody is kept waiting."""
    asked = ask(turns, NOISY, SHARE + 2)
    assert await given(asked) == SHARE
    monkeypatch.setattr(limits, "WAITING_MAX", 2)
    with pytest.raises(QueueFull):
        await turns.take(NOISY)
    await give_up(asked)


async def test_a_request_that_cannot_be_read_keeps_no_turn(database_url: str) -> None:
    """However many were refused for what they say, the tenant's next one goes on."""
    async with open_application(database_url) as application:
        quiet, noisy = await new_tenant(*application), await new_tenant(*application)
        await quiet.call("queryPrograms")
        for _ in range(SHARE + 1):
            async with asyncio.timeout(10):
                refused = await noisy.send("createProgramDefinition", {})
            assert refused.status_code == httpx.codes.BAD_REQUEST


CALLERS = 200
ANSWERS_MEANWHILE_MAX = 4 * SHARE
"""What one tenant's callers may be answered while another one waits for an answer."""


@pytest.mark.parametrize("asked", ["createProgramDefinition", "getProgramDefinition"])
async def test_a_quiet_tenant_waits_for_few_of_a_noisy_one(database_url: str, asked: str) -> None:
    """Beside hundreds of callers of another tenant, a request waits for some of them alone."""
    async with open_application(database_url) as application:
        quiet, noisy = await new_tenant(*application), await new_tenant(*application)
        answered, is_over, going = 0, False, asyncio.Event()

        async def call_again_and_again(service: Service) -> None:
            nonlocal answered
            while not is_over:
                await service.call(asked, _request(asked, ids[service]))
                answered += 1
                going.set()

        ids = {each: await _made(each) for each in (quiet, noisy)}
        crowd = [asyncio.create_task(call_again_and_again(noisy)) for _ in range(CALLERS)]
        meanwhile: list[int] = []
        while len(meanwhile) < 5:
            going.clear()
            await going.wait()
            before = answered
            await quiet.call(asked, _request(asked, ids[quiet]))
            meanwhile.append(answered - before)
        is_over = True
        await asyncio.gather(*crowd)
        assert answered >= CALLERS
        assert sorted(meanwhile)[2] <= ANSWERS_MEANWHILE_MAX


async def _made(service: Service) -> str:
    """The id of a new definition."""
    made = await service.call("createProgramDefinition", _request("createProgramDefinition"))
    return str(made["programDefinition"]["id"])


def _request(asked: str, definition_id: str = "") -> dict[str, object]:
    if asked == "getProgramDefinition":
        return {"programDefinitionId": definition_id}
    fields = {"namespace": "turns", "externalId": guid(), "displayName": "Membership"}
    return {"programDefinition": fields}
