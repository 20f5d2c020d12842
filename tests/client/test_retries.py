"""Calls over a network that fails: real servers, real connections, real losses."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.client import (
    AdjustBalance,
    AsyncBenefitPrograms,
    BenefitPrograms,
    ConnectionFailed,
    ItemNotFound,
    ProgramStatus,
    ServerError,
    Throttled,
    TimedOut,
    TransactionNotFound,
)
from tests.support.flaky import Answer, Drop, FlakyServer, Forward, Stall
from tests.support.gym import Gym

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.blocking import Portal
    from tests.support.service import Server

ENGINES = ["sqlite"]

KEY = "a-key"
LOST = Forward(lose_answer=True)


@pytest.fixture
def alone() -> Iterator[FlakyServer]:
    """A server with nothing behind it."""
    server = FlakyServer()
    yield server
    server.close()


@pytest.fixture
def before(server: Server) -> Iterator[FlakyServer]:
    """A server before the real one."""
    before = FlakyServer(server.url)
    yield before
    before.close()


@pytest.fixture(params=[BenefitPrograms, AsyncBenefitPrograms])
def make(request: pytest.FixtureRequest, portal: Portal) -> Iterator[Any]:
    """Make clients of either kind, which are closed after the test."""
    made: list[Any] = []

    def make(url: str, key: str = KEY, **options: Any) -> BenefitPrograms:
        client = request.param(url, key, **options)
        is_async = request.param is AsyncBenefitPrograms
        made.append(portal.wrap(client) if is_async else client)
        return made[-1]

    yield make
    for client in made:
        getattr(client, "aclose" if request.param is AsyncBenefitPrograms else "close")()


@pytest.fixture
def gym(make: Any, before: FlakyServer, server: Server) -> Gym:
    """A gym whose client talks through the server that may fail."""
    return Gym(make(before.url, server.make_key()))


def test_reads_are_repeated(make: Any, alone: FlakyServer) -> None:
    """A read goes on through dropped connections and passing failures."""
    alone.script([Drop(), Answer(503), Answer(200, b'{"programs": []}')])
    assert make(alone.url).programs.query().to_list() == []
    assert len(alone.seen) == 3


def test_requests_carry_what_they_must(make: Any, alone: FlakyServer) -> None:
    """The key travels as it is, beside the site, the client's name and one id per call."""
    alone.script([Answer(503), Answer(200, b'{"programs": []}')])
    client = make(alone.url, site_id="the-site").with_options(request_id="the-request")
    client.programs.query({"created_date": None, "$or": [{"external_id": "a"}]}).to_list()
    first, second = alone.seen
    assert first == second
    assert first.headers["authorization"] == KEY
    assert first.headers["wix-site-id"] == "the-site"
    assert first.headers["x-request-id"] == "the-request"
    assert first.headers["user-agent"].startswith("benefit-programs-client")
    query = {"filter": {"createdDate": None, "$or": [{"externalId": "a"}]}}
    assert json.loads(first.body) == {"query": query}


def test_retry_after_is_obeyed(make: Any, alone: FlakyServer) -> None:
    """A second attempt comes no sooner than the server asks."""
    alone.script([Answer(429, headers={"Retry-After": "1"}), Answer(200, b'{"programs": []}')])
    started = time.monotonic()
    make(alone.url).programs.query().to_list()
    assert time.monotonic() - started >= 1


def test_retries_can_be_turned_off(make: Any, alone: FlakyServer) -> None:
    """Without retries the first failure is raised; options count for the copy alone."""
    client = make(alone.url)
    alone.script([Answer(429), Answer(503), Answer(200, b'{"programs": []}')])
    with pytest.raises(Throttled):
        client.with_options(max_retries=0).programs.query().to_list()
    with pytest.raises(ServerError):
        client.with_options(max_retries=0).programs.query().to_list()
    assert client.programs.query().to_list() == []


def test_timeouts_are_told(make: Any, alone: FlakyServer) -> None:
    """A server that doesn't answer in time raises TimedOut, after the retries."""
    alone.script([Stall(), Stall()])
    client = make(alone.url, timeout=0.2, max_retries=1)
    with pytest.raises(TimedOut) as caught:
        client.programs.query().to_list()
    assert caught.value.may_have_happened
    assert len(alone.seen) == 2


def test_nobody_there_is_told(make: Any, alone: FlakyServer) -> None:
    """Where nobody listens nothing can have happened."""
    url = alone.url
    alone.close()
    with pytest.raises(ConnectionFailed) as caught:
        make(url, max_retries=1).programs.end("x")
    assert not caught.value.may_have_happened
    assert caught.value.request_id


def test_unsafe_calls_are_made_once(make: Any, alone: FlakyServer) -> None:
    """A call that could be done twice isn't repeated: its caller is told of the doubt."""
    alone.script([Drop(), Drop()])
    with pytest.raises(ConnectionFailed) as caught:
        make(alone.url).program_definitions.create(namespace="gym", external_id="x")
    assert caught.value.may_have_happened
    assert len(alone.seen) == 1
    assert caught.value.request_id == alone.seen[0].headers["x-request-id"]


def test_lost_redemption_is_found_again(gym: Gym, before: FlakyServer) -> None:
    """A redemption whose answer was lost is answered with its transaction, and spent once."""
    _, pool = gym.provision()
    before.script([LOST, LOST])
    transaction_id = gym.redeem(pool)
    assert gym.client.balances.get(pool.id).last_transaction_id == transaction_id
    assert gym.client.balances.get(pool.id).available == 90


def test_lost_cancellation_is_found_again(gym: Gym, before: FlakyServer) -> None:
    """So is a reallocation, and a cancellation."""
    program, pool = gym.provision()
    redeemed = gym.redeem(pool)
    before.script([LOST])
    moved = gym.client.pools.reallocate(
        redeemed,
        target_date=pool.created_date,
        beneficiary=program.beneficiary,
        namespace=gym.namespace,
    )
    before.script([LOST])
    canceled = gym.client.pools.cancel_redemption(moved.transaction_id)
    assert gym.client.transactions.get(canceled.transaction_id).related_transaction_id
    assert gym.client.balances.get(pool.id).available == 100


def test_lost_change_is_found_again(gym: Gym, before: FlakyServer) -> None:
    """A change of a balance whose answer was lost is made once, and the balance is read anew."""
    _, pool = gym.provision()
    before.script([LOST])
    changed = gym.client.balances.change(pool.id, AdjustBalance(value=1))
    assert changed.balance.available == 101
    assert changed.transaction_id == changed.balance.last_transaction_id


def test_lost_actions_are_found_again(gym: Gym, before: FlakyServer) -> None:
    """Pause, resume and renew are done once, and answered with the job that did them."""
    program, pool = gym.provision()
    jobs = set()
    for act in (gym.client.programs.pause, gym.client.programs.resume, gym.client.programs.renew):
        before.script([LOST])
        jobs.add(gym.client.async_jobs.wait(act(program.id).job_id).id)
    assert len(jobs) == 3
    assert gym.client.programs.get(program.id).status == ProgramStatus.ACTIVE
    assert gym.client.pools.get(pool.id).renewal_count == 1


def test_lost_delete_is_a_delete(gym: Gym, before: FlakyServer) -> None:
    """A delete whose answer was lost succeeds; one of what was never there doesn't."""
    before.script([LOST])
    gym.client.items.delete(gym.item.id)
    with pytest.raises(ItemNotFound):
        gym.client.items.delete(gym.item.id)


def test_refusals_are_not_repeated(gym: Gym, before: FlakyServer) -> None:
    """What the service refuses is raised at once."""
    before.script([])
    with pytest.raises(TransactionNotFound):
        gym.client.transactions.get(gym.item.id)
    assert len(before.seen) == 1


def test_keys_are_not_shown(make: Any, alone: FlakyServer) -> None:
    """No representation of a client or of its parts shows its key."""
    client = BenefitPrograms(alone.url, KEY)
    shown = [repr(client), repr(client._session), repr(client._session.settings)]
    client.close()
    assert not any(KEY in each for each in shown)
