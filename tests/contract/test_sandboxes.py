"""Sandboxes: tenants with a clock that is set forward.

docs/how-to/test-with-a-clock.md says the same to users.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from benefit_programs.api.handlers import clock as clock_handler
from benefit_programs.domain.clock_commands import CALLER_MILLISECONDS, LeaveClockToJob, SetClock
from benefit_programs.domain.due import DUE
from benefit_programs.domain.entities import Agenda, Job, Operation
from benefit_programs.domain.event_rows import Event
from benefit_programs.engine.engine import read_clock as real_now
from benefit_programs.storage.verification import verify_store
from tests.support.calls import benefit, guid
from tests.support.clock import DAY, StillClock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import (
    act,
    do,
    job_of,
    large_program,
    limit_requests,
    read,
    run_jobs,
)
from tests.support.receiver import Received, Receiver
from tests.support.sandboxes import (
    START,
    advance,
    booked,
    new_membership,
    read_clock,
    set_clock,
)
from tests.support.wallet import open_wallet
from tests.support.webhooks import create_endpoint, look_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

MONTHS = (
    "2040-02-29T10",
    "2040-03-31T10",
    "2040-04-30T10",
    "2040-05-31T10",
    "2040-06-30T10",
    "2040-07-31T10",
    "2040-08-31T10",
    "2040-09-30T10",
    "2040-10-31T10",
    "2040-11-30T10",
    "2040-12-31T10",
    "2041-01-31T10",
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def instant(text: str) -> int:
    return int(moment(text).timestamp() * 1000)


def hours(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()[:13]


@pytest.fixture
async def sandbox(request: pytest.FixtureRequest, service: Service) -> Service:
    """A sandbox of the shared service."""
    return await new_tenant(service.running, service.client, is_sandbox=True)


@pytest.fixture
def real() -> StillClock:
    """Real time, which stands still."""
    return StillClock()


@pytest.fixture
async def idle(database_url: str, real: StillClock) -> AsyncIterator[Service]:
    """A sandbox in which runners do nothing, whose real time stands still."""
    async with open_application(database_url, clock=real, run_jobs=False) as application:
        yield await new_tenant(*application, is_sandbox=True)


async def verify(service: Service) -> None:
    assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []


async def test_clock_begins_with_real_time_and_runs_on(idle: Service, real: StillClock) -> None:
    """Until it is set it shows real time; from then on it is ahead, always by as much."""
    assert instant((await read_clock(idle))["date"]) == real.now
    assert await set_clock(idle, START) == {"date": START}
    real.now += 90_000
    assert (await read_clock(idle))["date"] == "2040-01-31T10:01:30.000Z"
    made = await idle.create_program_definition()
    assert made["createdDate"] == "2040-01-31T10:01:30.000Z"


async def test_clock_goes_only_forward(idle: Service) -> None:
    """A date behind it is refused, and so is one that is too far ahead; it stays as it is."""
    await set_clock(idle, START)
    behind = await idle.refusal("setClock", {"date": "2040-01-31T09:59:59.999Z"})
    assert list(behind.fields) == ["date"]
    ahead = await idle.refusal("setClock", {"date": "2500-01-01T00:00:00.001Z"})
    assert list(ahead.fields) == ["date"]
    far = await idle.refusal("setClock", {"advance": "P1000Y"})
    assert list(far.fields) == ["advance"]
    for wrong in ({}, {"date": START, "advance": "P1D"}, {"advance": "a month"}):
        assert (await idle.refusal("setClock", wrong)).fields
    assert (await read_clock(idle)) == {"date": START}
    assert await set_clock(idle, START) == {"date": START}
    last = "2500-01-01T00:00:00.000Z"
    assert await set_clock(idle, last) == {"date": last}


async def test_real_tenants_have_no_clock(service: Service) -> None:
    """Theirs is real time, which nobody reads or sets here."""
    for name, request in (("getClock", {}), ("setClock", {"advance": "P1D"})):
        assert (await service.refusal(name, request)).code == "NOT_A_SANDBOX"


async def test_only_who_may_manage_sets_a_clock(sandbox: Service) -> None:
    """A member sees programs, and no clock."""
    member = await sandbox.as_member(guid())
    refused = await member.refusal("setClock", {"advance": "P1D"})
    assert refused.status == 403


async def test_year_of_a_membership_happens_before_the_call_returns(sandbox: Service) -> None:
    """Each renewal happens at its own instant, and nothing of it is late."""
    await set_clock(sandbox, START)
    program = await new_membership(sandbox)
    await advance(sandbox, "P1Y")
    renewals = [each for each in await booked(sandbox) if each.operation is Operation.RENEWAL]
    assert tuple(hours(each.created) for each in renewals) == MONTHS
    assert [each.details.due for each in renewals if each.details] == [None] * 12
    told = [
        each.created
        for each in await sandbox.rows(Event)
        if each.entity_id == program["id"] and "renewed" in each.slug
    ]
    assert sorted(told) == [each.created for each in renewals]
    assert (await read(sandbox, program["id"]))["cycle"]["number"] == 13
    await verify(sandbox)


async def test_what_is_due_where_the_clock_stops_happens_too(idle: Service) -> None:
    """Before the call returns, at the very instant to which it was set."""
    await set_clock(idle, START)
    await new_membership(idle)
    await set_clock(idle, "2040-02-29T10:00:00.000Z")
    renewals = [each for each in await booked(idle) if each.operation is Operation.RENEWAL]
    assert [hours(each.created) for each in renewals] == ["2040-02-29T10"]


async def test_other_tenants_stay_where_they_are(service: Service, sandbox: Service) -> None:
    """What others have is due by real time, and dated by it."""
    credit = {"amount": "100", "expiresAfter": "P1D"}
    wallet = await open_wallet(service, creditConfiguration=credit)
    await set_clock(sandbox, START)
    await advance(sandbox, "P1Y")
    await service.running.runner.settle()
    answer = await service.call("getBalance", {"poolId": wallet.pool_id})
    assert answer["balance"]["amount"]["available"] == "100"
    made = await service.create_program_definition()
    assert abs(instant(made["createdDate"]) - real_now()) < DAY
    newer = await service.create_program_definition()
    assert made["id"] < newer["id"] < (await sandbox.create_program_definition())["id"]


async def test_everything_goes_by_the_clock(sandbox: Service) -> None:
    """Lots expire, reservations lapse and limits begin anew at the instants of the sandbox."""
    await set_clock(sandbox, START)
    limit = {"type": "RATE_LIMITED", "rateLimitedOptions": {"times": 1, "timePeriod": "MONTH"}}
    once = {"type": "POLICY", "policyOptions": limit}
    credit = {"amount": "100", "expiresAfter": "P40D"}
    wallet = await open_wallet(
        sandbox,
        benefit("towel", policyExpression=once),
        benefit("robe"),
        creditConfiguration=credit,
    )
    held = await sandbox.call("reserveBenefit", wallet.redemption("robe", expiresAfter="PT48H"))
    await sandbox.call("redeemBenefit", wallet.redemption("towel"))
    again = await sandbox.refusal("redeemBenefit", wallet.redemption("towel"))
    assert again.code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    await advance(sandbox, "P3D")
    reservation = await sandbox.call("getReservation", {"reservationId": held["transactionId"]})
    assert reservation["reservation"]["status"] == "LAPSED"
    await sandbox.call("redeemBenefit", wallet.redemption("towel"))
    await advance(sandbox, "P40D")
    answer = await sandbox.call("getBalance", {"poolId": wallet.pool_id})
    assert answer["balance"]["amount"] == {"available": "0", "reserved": "0"}
    await verify(sandbox)


async def test_what_comes_due_as_the_clock_runs_on_is_booked(sandbox: Service) -> None:
    """Runners look at a sandbox when its own time comes, not when real time does."""
    await set_clock(sandbox, START)
    credit = {"amount": "100", "expiresAfter": "P1D"}
    await open_wallet(sandbox, creditConfiguration=credit)
    now = moment((await read_clock(sandbox))["date"])
    await set_clock(sandbox, (now + timedelta(hours=23, minutes=59, seconds=59)).isoformat())
    (agenda,) = [each for each in await sandbox.rows(Agenda) if each.kind == DUE]
    assert agenda.since is not None
    assert agenda.since < real_now() + DAY
    found = await look_until(lambda: booked(sandbox), lambda found: len(found) == 2)
    assert found[-1].operation is Operation.EXPIRY


async def test_jobs_on_the_way_are_done_before_time_goes_on(sandbox: Service) -> None:
    """A renewal that is a job's work is dated like any other."""
    await set_clock(sandbox, START)
    await limit_requests(sandbox)
    program = await new_membership(sandbox)
    await sandbox.running.runner.settle()
    assert "jobId" not in await advance(sandbox, "P3M")
    renewals = [each for each in await booked(sandbox) if each.operation is Operation.RENEWAL]
    assert tuple(hours(each.created) for each in renewals) == MONTHS[:3]
    assert (await read(sandbox, program["id"]))["status"] == "ACTIVE"
    await verify(sandbox)


async def test_much_is_a_jobs_work(sandbox: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer names a job, which runners go on with; meanwhile the clock is not set again."""
    await set_clock(sandbox, START)
    await new_membership(sandbox)
    monkeypatch.setattr(clock_handler, "IN_REQUEST_SECONDS_MAX", 0.0)
    answer = await advance(sandbox, "P1Y")
    assert answer["targetDate"].startswith("2041-01-31T10")
    await sandbox.running.runner.settle()
    job = await job_of(sandbox, answer["jobId"])
    assert (job["status"], job["metadata"]["kind"]) == ("FINISHED", "ADVANCE_CLOCK")
    assert "targetDate" not in await read_clock(sandbox)
    renewals = [each for each in await booked(sandbox) if each.operation is Operation.RENEWAL]
    assert tuple(hours(each.created) for each in renewals) == MONTHS
    await verify(sandbox)


async def test_moving_clock_is_not_set_again(idle: Service) -> None:
    """It stands still until all that is due at its instant is booked."""
    await set_clock(idle, START)
    await do(idle, SetClock(advance="P1D"))
    assert await read_clock(idle) == {"date": START, "targetDate": "2040-02-01T10:00:00.000Z"}
    assert (await idle.refusal("setClock", {"advance": "P1D"})).code == "CLOCK_IS_MOVING"


async def test_clock_whose_caller_died_is_moved_on_by_a_runner(
    idle: Service, real: StillClock
) -> None:
    """Not at once, for the caller may be at it; and the end is the same."""
    await set_clock(idle, START)
    await new_membership(idle)
    await do(idle, SetClock(advance="P3M"))
    await run_jobs(idle)
    assert (await read_clock(idle))["date"] == START
    real.now += CALLER_MILLISECONDS
    await run_jobs(idle)
    assert (await read_clock(idle))["date"] == "2040-04-30T10:00:00.000Z"
    renewals = [each for each in await booked(idle) if each.operation is Operation.RENEWAL]
    assert tuple(hours(each.created) for each in renewals) == MONTHS[:3]
    await verify(idle)


async def test_job_that_sets_a_clock_is_one_job(idle: Service) -> None:
    """Whoever leaves the clock to a job a second time finds the first."""
    await do(idle, SetClock(advance="P3M"))
    first = await do(idle, LeaveClockToJob())
    assert await do(idle, LeaveClockToJob()) == first
    assert len(await idle.rows(Job)) == 1
    await run_jobs(idle)
    assert await do(idle, LeaveClockToJob()) != first


async def test_large_program_renews_by_jobs_in_order(sandbox: Service) -> None:
    """One with more pools than a request changes."""
    await set_clock(sandbox, START)
    program_id = await large_program(sandbox)
    await act(sandbox, "renew", program_id)
    await advance(sandbox, "P1M")
    assert (await read(sandbox, program_id))["status"] == "ACTIVE"


async def test_webhooks_go_out_in_real_time(sandbox: Service) -> None:
    """What happens in another year is delivered at once, and signed with real time."""
    async with Receiver().running() as receiver:
        await set_clock(sandbox, START)
        await create_endpoint(sandbox, receiver)
        await new_membership(sandbox)
        await advance(sandbox, "P1M")

        async def taken() -> list[Received]:
            return [each for each in receiver.taken if each.event["slug"] == "renewed"]

        (first, *_) = await look_until(taken, bool)
        assert first.event["eventTime"].startswith(MONTHS[0])
        assert abs(int(first.headers["webhook-timestamp"]) * 1000 - real_now()) < DAY


async def test_settings_make_no_sandbox(service: Service) -> None:
    """A tenant is a sandbox from its beginning, or never."""
    refused = await service.refusal(
        "updateSettings", {"settings": {"isSandbox": True}}, x_benefits_strict="true"
    )
    assert list(refused.fields) == ["settings.isSandbox"]
    await service.call("updateSettings", {"settings": {"isSandbox": True}})
    assert (await service.refusal("getClock")).code == "NOT_A_SANDBOX"
