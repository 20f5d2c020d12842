"""Changes with a date: accepted now, done then, listed, and withdrawn until then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.calendars import (
    ProgramTerms,
    RenewalConfiguration,
    WhilePaused,
)
from benefit_programs.domain.entities import Lot, Pool, Program, Transaction
from benefit_programs.domain.orders.calendar import SettlePrograms
from benefit_programs.domain.orders.programs import END, ActOnProgram
from benefit_programs.domain.programs import ProvisionProgram
from benefit_programs.domain.scheduled_changes import (
    CHANGES_OF_DEFINITION_MAX,
    CHANGES_OF_PROGRAM_MAX,
    ScheduledChange,
)
from benefit_programs.domain.values import CREDIT, Identity, IdentityType
from benefit_programs.storage.verification import verify_store
from tests.support.calls import NAMESPACE, details, guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.engines import ON_POSTGRES_IN_FULL
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, do, limit_requests, read, run_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Refused
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

Document = dict[str, Any]

START = int(datetime(2027, 1, 10, 12, tzinfo=UTC).timestamp() * 1000)
MONTHLY = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P1M"))
NO_ROLLOVER = {"creditConfiguration": {"amount": "10"}}


@pytest.fixture
async def clock() -> StillClock:
    return StillClock(START)


@pytest.fixture
async def idle(database_url: str, clock: StillClock) -> AsyncIterator[Service]:
    """A service with a clock that a test sets, where nothing happens by itself."""
    async with open_application(database_url, run_jobs=False, clock=clock) as application:
        yield await new_tenant(*application)


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Gym:
    """A program definition with one pool definition, and programs of it."""

    def __init__(self, service: Service, plan: Document, pass_: Document) -> None:
        self.service = service
        self.plan = plan
        self.pass_ = pass_

    async def join(self, terms: ProgramTerms | None = None) -> str:
        """The program of a new member."""
        provisioned = await do(
            self.service,
            ProvisionProgram(
                beneficiary=Identity(IdentityType.MEMBER, guid()),
                namespace=NAMESPACE,
                external_id=guid(),
                program_definition_id=self.plan["id"],
                terms=terms,
            ),
        )
        return provisioned.program.id

    async def update(self, amount: str, cascade: str, **more: Any) -> None:
        """Change what the pools give."""
        found = await self.service.call("getPoolDefinition", {"poolDefinitionId": self.pass_["id"]})
        change = {
            "id": self.pass_["id"],
            "revision": found["poolDefinition"]["revision"],
            "details": details(creditConfiguration={"amount": amount}),
        }
        request = {"poolDefinition": change, "cascade": cascade, **more}
        await self.service.call("updatePoolDefinition", request)

    async def place(self, verb: str, definition: str, cascade: str, **more: Any) -> None:
        """Add a pool definition to the program definition, or remove it."""
        preposition = "To" if verb == "add" else "From"
        request = {
            "poolDefinitionId": definition,
            "programDefinitionId": self.plan["id"],
            "cascade": cascade,
            **more,
        }
        await self.service.call(f"{verb}PoolDefinition{preposition}ProgramDefinition", request)


async def open_gym(service: Service) -> Gym:
    plan = await service.create_program_definition()
    pass_ = await service.create_pool_definition(
        programDefinitionIds=[plan["id"]], details=details(**NO_ROLLOVER)
    )
    return Gym(service, plan, pass_)


async def schedule(service: Service, program: str, kind: str, date: int, **more: Any) -> Document:
    """Schedule a change, and give it."""
    answer = await service.call("scheduleProgramChange", wish(program, kind, date, **more))
    return answer["scheduledChange"]  # type: ignore[no-any-return]


def wish(program: str, kind: str, date: int, **more: Any) -> Document:
    return {
        "programId": program,
        "kind": kind,
        "date": iso(date),
        "idempotencyKey": guid(),
        **more,
    }


async def refused(service: Service, program: str, kind: str, date: int, **more: Any) -> Refused:
    return await service.refusal("scheduleProgramChange", wish(program, kind, date, **more))


async def withdraw(service: Service, change_id: str) -> Document:
    answer = await service.call("withdrawScheduledChange", {"scheduledChangeId": change_id})
    return answer["scheduledChange"]  # type: ignore[no-any-return]


async def found(service: Service, **filter_: Any) -> list[Document]:
    answer = await service.call("queryScheduledChanges", {"query": {"filter": filter_}})
    return answer["scheduledChanges"]  # type: ignore[no-any-return]


async def statuses(service: Service) -> list[str]:
    return [str(each.status) for each in await service.rows(ScheduledChange)]


async def program_row(service: Service, program_id: str) -> Program:
    return next(row for row in await service.rows(Program) if row.id == program_id)


async def pool_row(service: Service, program_id: str) -> Pool:
    return next(row for row in await service.rows(Pool) if row.program_id == program_id)


async def is_sound(service: Service) -> bool:
    return await verify_store(service.store) == []


# Changes of programs


async def test_a_program_pauses_and_resumes_at_its_dates(idle: Service, clock: StillClock) -> None:
    """A scheduled pause with an end happens by itself, and so does its end."""
    program = await (await open_gym(idle)).join()
    pause, resume = START + 5 * DAY, START + 9 * DAY
    change = await schedule(idle, program, "PAUSE", pause, untilDate=iso(resume))
    assert change == {
        "id": change["id"],
        "createdDate": iso(START),
        "updatedDate": iso(START),
        "kind": "PAUSE",
        "status": "WAITING",
        "date": iso(pause),
        "untilDate": iso(resume),
        "programId": program,
    }
    clock.now = pause - 1
    await run_jobs(idle)
    assert (await read(idle, program))["status"] == "ACTIVE"
    clock.now = pause
    await run_jobs(idle)
    assert (await read(idle, program))["status"] == "PAUSED"
    assert (await pool_row(idle, program)).status == "PAUSED"
    clock.now = resume
    await run_jobs(idle)
    assert (await read(idle, program))["status"] == "ACTIVE"
    assert await statuses(idle) == ["DONE"]
    slugs = await idle.slugs_of(program)
    assert slugs == ["created+provisioned", "updated+paused", "updated+resumed"]
    assert await is_sound(idle)


async def test_a_program_ends_at_its_date_and_nothing_else_waits(
    idle: Service, clock: StillClock
) -> None:
    """What was to happen after the end is withdrawn."""
    program = await (await open_gym(idle)).join()
    await schedule(idle, program, "END", START + 2 * DAY)
    await schedule(idle, program, "PAUSE", START + 3 * DAY)
    clock.now = START + 4 * DAY
    await run_jobs(idle)
    assert (await read(idle, program))["status"] == "ENDED"
    assert await statuses(idle) == ["DONE", "WITHDRAWN"]
    answer = await refused(idle, program, "RESUME", START + 9 * DAY)
    assert (answer.status, answer.code) == (428, "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED")


async def test_an_end_by_hand_withdraws_what_waits(idle: Service, clock: StillClock) -> None:
    """Nothing happens any more to a program that has ended."""
    program = await (await open_gym(idle)).join()
    await schedule(idle, program, "PAUSE", START + DAY)
    await act(idle, "end", program)
    assert await statuses(idle) == ["WITHDRAWN"]
    assert (await program_row(idle, program)).due is None


async def test_a_pause_by_hand_ends_by_itself(idle: Service, clock: StillClock) -> None:
    """A pause may say until when; a resumption before takes its place."""
    gym = await open_gym(idle)
    first, second = await gym.join(), await gym.join(MONTHLY)
    for program in (first, second):
        request = {"programId": program, "idempotencyKey": guid(), "untilDate": iso(START + DAY)}
        await idle.call("pauseProgram", request)
    await act(idle, "resume", first)
    await act(idle, "pause", first)
    clock.now = START + DAY
    await run_jobs(idle)
    assert (await read(idle, first))["status"] == "PAUSED"
    assert (await read(idle, second))["status"] == "ACTIVE"


async def test_a_pause_by_hand_must_end_later(idle: Service) -> None:
    """An end of the pause that lies behind is refused by its field; so is another end."""
    program = await (await open_gym(idle)).join()
    key = guid()
    request = {"programId": program, "idempotencyKey": key}
    answer = await idle.refusal("pauseProgram", {**request, "untilDate": iso(START)})
    assert (answer.status, list(answer.fields)) == (400, ["untilDate"])
    await idle.call("pauseProgram", {**request, "untilDate": iso(START + DAY)})
    again = await idle.refusal("pauseProgram", {**request, "untilDate": iso(START + DAY)})
    assert (again.code, again.data["sameRequest"]) == ("ALREADY_EXECUTED", True)
    other = await idle.refusal("pauseProgram", request)
    assert (other.code, other.data["sameRequest"]) == ("ALREADY_EXECUTED", False)


@pytest.mark.parametrize(
    ("kind", "date", "more", "field"),
    [
        ("PAUSE", START, {}, "date"),
        ("END", START - DAY, {}, "date"),
        ("PAUSE", START + DAY, {"untilDate": iso(START + DAY)}, "untilDate"),
        ("RESUME", START + DAY, {"untilDate": iso(START + 2 * DAY)}, "untilDate"),
        ("CASCADE", START + DAY, {}, "kind"),
    ],
)
async def test_wrong_dates_are_refused(
    idle: Service, kind: str, date: int, more: Document, field: str
) -> None:
    """A date must lie ahead, and the end of a pause after its begin."""
    program = await (await open_gym(idle)).join()
    answer = await refused(idle, program, kind, date, **more)
    assert (answer.status, list(answer.fields)) == (400, [field])
    assert await statuses(idle) == []


async def test_what_cannot_be_done_is_refused_at_its_date(idle: Service, clock: StillClock) -> None:
    """It keeps the code of its refusal, and what comes after it happens all the same."""
    program = await (await open_gym(idle)).join()
    first = await schedule(idle, program, "RESUME", START + DAY)
    await schedule(idle, program, "PAUSE", START + DAY)
    again = await schedule(idle, program, "PAUSE", START + 2 * DAY)
    await schedule(idle, program, "END", START + 3 * DAY)
    clock.now = START + 3 * DAY
    await run_jobs(idle)
    assert await statuses(idle) == ["REFUSED", "DONE", "REFUSED", "DONE"]
    for each in (first, again):
        (row,) = await found(idle, id=each["id"])
        assert row["reason"] == "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"
    assert (await read(idle, program))["status"] == "ENDED"


async def test_what_was_refused_brings_nothing_forward(idle: Service, clock: StillClock) -> None:
    """The program waits for its next date then."""
    program = await (await open_gym(idle)).join(MONTHLY)
    await schedule(idle, program, "RESUME", START + DAY)
    clock.now = START + DAY
    await run_jobs(idle)
    assert await statuses(idle) == ["REFUSED"]
    row = await program_row(idle, program)
    assert row.due == row.next_renewal
    assert (await pool_row(idle, program)).renewal_count == 0


async def test_paused_days_refuse_a_scheduled_pause(idle: Service, clock: StillClock) -> None:
    """Once the days of the year are used up, a scheduled pause is refused at its date."""
    terms = ProgramTerms(paused_days_max=2)
    program = await (await open_gym(idle)).join(terms)
    await act(idle, "pause", program)
    await schedule(idle, program, "PAUSE", START + 4 * DAY)
    clock.now = START + 5 * DAY
    await run_jobs(idle)
    (row,) = await found(idle, programId=program)
    assert (row["status"], row["reason"]) == ("REFUSED", "PAUSED_DAYS_USED_UP")
    answer = await idle.refusal("pauseProgram", {"programId": program, "idempotencyKey": guid()})
    assert (answer.status, answer.code) == (428, "PAUSED_DAYS_USED_UP")
    assert answer.data == {"programId": program, "pausedDaysMax": 2}


async def test_whoever_may_make_a_change_of_a_kind_may_withdraw_it(idle: Service) -> None:
    """A key that only pauses plans pauses and withdraws them, and nothing else."""
    program = await (await open_gym(idle)).join()
    pausing = await idle.as_app(permission_ids=("BENEFIT_PROGRAMS.PROGRAM_PAUSE",))
    pause = await pausing.call("scheduleProgramChange", wish(program, "PAUSE", START + DAY))
    end = {"scheduledChangeId": (await schedule(idle, program, "END", START + DAY))["id"]}
    forbidden = await pausing.refusal("scheduleProgramChange", wish(program, "END", START + DAY))
    assert forbidden.status == 403
    assert (await pausing.refusal("withdrawScheduledChange", end)).status == 403
    request = {"scheduledChangeId": pause["scheduledChange"]["id"]}
    answer = await pausing.call("withdrawScheduledChange", request)
    assert answer["scheduledChange"]["status"] == "WITHDRAWN"
    other = await idle.as_app(permission_ids=("BENEFIT_PROGRAMS.PROGRAM_UPDATE",))
    assert (await other.refusal("withdrawScheduledChange", end)).status == 403


async def test_a_change_is_withdrawn_until_its_date(idle: Service, clock: StillClock) -> None:
    """What was withdrawn doesn't happen, and what has happened can't be withdrawn."""
    program = await (await open_gym(idle)).join()
    pause = await schedule(idle, program, "PAUSE", START + DAY)
    end = await schedule(idle, program, "END", START + 2 * DAY)
    assert (await withdraw(idle, end["id"]))["status"] == "WITHDRAWN"
    again = await idle.refusal("withdrawScheduledChange", {"scheduledChangeId": end["id"]})
    assert (again.status, again.code) == (428, "SCHEDULED_CHANGE_OVER")
    assert again.data == {"scheduledChangeId": end["id"], "changeStatus": "WITHDRAWN"}
    clock.now = START + DAY
    late = await idle.refusal("withdrawScheduledChange", {"scheduledChangeId": pause["id"]})
    assert late.data == {"scheduledChangeId": pause["id"], "changeStatus": "DONE"}
    row = await program_row(idle, program)
    assert (row.status, row.due) == ("PAUSED", None)
    assert (await pool_row(idle, program)).program_due is None
    unknown = await idle.refusal("withdrawScheduledChange", {"scheduledChangeId": guid()})
    assert (unknown.status, unknown.code) == (404, "SCHEDULED_CHANGE_NOT_FOUND")


async def test_a_key_schedules_once(idle: Service) -> None:
    """The same request answers the same change; another one with its key is refused."""
    program = await (await open_gym(idle)).join()
    request = wish(program, "PAUSE", START + DAY)
    first = await idle.call("scheduleProgramChange", request)
    assert await idle.call("scheduleProgramChange", request) == first
    other = await idle.refusal("scheduleProgramChange", {**request, "kind": "END"})
    assert (other.status, other.code) == (409, "ALREADY_EXECUTED")
    assert len(await statuses(idle)) == 1


async def test_a_key_is_of_one_pause_and_its_end(idle: Service) -> None:
    """A pause that is to end at another date is another request."""
    program = await (await open_gym(idle)).join()
    key = {"idempotencyKey": guid()}
    await schedule(idle, program, "PAUSE", START + DAY, untilDate=iso(START + 2 * DAY), **key)
    answer = await refused(idle, program, "PAUSE", START + DAY, **key)
    assert answer.code == "ALREADY_EXECUTED"


async def test_as_many_wait_as_may(idle: Service) -> None:
    """One more change of a program is refused until one is withdrawn."""
    program = await (await open_gym(idle)).join()
    for day in range(1, CHANGES_OF_PROGRAM_MAX + 1):
        change = await schedule(idle, program, "PAUSE", START + day * DAY)
    answer = await refused(idle, program, "END", START + DAY)
    assert (answer.status, answer.code) == (428, "TOO_MANY_SCHEDULED_CHANGES")
    assert answer.data == {"maximum": CHANGES_OF_PROGRAM_MAX}
    await withdraw(idle, change["id"])
    await schedule(idle, program, "END", START + DAY)


async def test_changes_are_found_by_what_they_are(idle: Service, clock: StillClock) -> None:
    """Queries give them in the order of their dates, and filter by all that they are."""
    gym = await open_gym(idle)
    first, second = await gym.join(), await gym.join()
    for program, kind, day in ((first, "END", 3), (second, "PAUSE", 1), (first, "PAUSE", 2)):
        await schedule(idle, program, kind, START + day * DAY)
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + 4 * DAY))
    every = await found(idle)
    assert [each["kind"] for each in every] == ["PAUSE", "PAUSE", "END", "CASCADE"]
    assert every[3] == {
        "id": every[3]["id"],
        "createdDate": iso(START),
        "updatedDate": iso(START),
        "kind": "CASCADE",
        "status": "WAITING",
        "date": iso(START + 4 * DAY),
        "poolDefinitionId": gym.pass_["id"],
        "cascadeType": "IMMEDIATELY",
    }
    assert [each["date"] for each in await found(idle, programId=first)] == [
        iso(START + 2 * DAY),
        iso(START + 3 * DAY),
    ]
    assert len(await found(idle, poolDefinitionId=gym.pass_["id"])) == 1
    assert len(await found(idle, kind="PAUSE", status="WAITING")) == 2
    soon = {"$gte": iso(START + DAY), "$lt": iso(START + 3 * DAY)}
    assert len(await found(idle, date=soon)) == 2
    one = await idle.call("getScheduledChange", {"scheduledChangeId": every[0]["id"]})
    assert one["scheduledChange"] == every[0]
    sort = {"query": {"sort": [{"fieldName": "date", "order": "DESC"}]}}
    answer = await idle.call("queryScheduledChanges", sort)
    assert answer["scheduledChanges"] == every[::-1]


async def test_at_one_instant_a_pause_comes_before_a_renewal(
    idle: Service, clock: StillClock
) -> None:
    """RESUME, PAUSE, END, RENEWAL: the order at one instant, whoever comes late."""
    gym = await open_gym(idle)
    paused, resumed, gone = [await gym.join(MONTHLY) for _ in range(3)]
    renewal = (await program_row(idle, paused)).next_renewal
    assert renewal is not None
    await act(idle, "pause", resumed)
    await schedule(idle, paused, "PAUSE", renewal)
    await schedule(idle, resumed, "RESUME", renewal)
    await schedule(idle, gone, "END", renewal)
    clock.now = renewal + HOUR
    await run_jobs(idle)
    slugs = {each: (await idle.slugs_of(each))[-1] for each in (paused, resumed, gone)}
    assert slugs == {paused: "updated", resumed: "updated+renewed", gone: "updated+ended"}
    counts = {row.program_id: row.renewal_count for row in await idle.rows(Pool)}
    assert counts == {paused: 0, resumed: 1, gone: 0}


@pytest.mark.parametrize("kind", ["PAUSE", "END"])
async def test_a_change_reaches_a_program_that_is_at_work(
    idle: Service, clock: StillClock, kind: str
) -> None:
    """While a job is at the program a change can be scheduled; it happens once that is done."""
    gym = await open_gym(idle)
    await limit_requests(idle, most=0)
    program = await gym.join()
    assert (await read(idle, program))["status"] == "PROVISIONING"
    await schedule(idle, program, kind, START + DAY)
    clock.now = START + 2 * DAY
    await run_jobs(idle)
    assert (await read(idle, program))["status"] == {"PAUSE": "PAUSED", "END": "ENDED"}[kind]
    assert await statuses(idle) == ["DONE"]
    assert await is_sound(idle)


async def test_what_waits_for_a_job_after_its_date_is_not_withdrawn(
    idle: Service, clock: StillClock
) -> None:
    """From the very instant on it will happen, as soon as the job is done."""
    gym = await open_gym(idle)
    await limit_requests(idle, most=0)
    program = await gym.join()
    change = await schedule(idle, program, "PAUSE", START + DAY)
    clock.now = START + DAY
    request = {"scheduledChangeId": change["id"]}
    answer = await idle.refusal("withdrawScheduledChange", request)
    assert answer.code == "IN_PROGRESS"
    await run_jobs(idle)
    assert await statuses(idle) == ["DONE"]


@pytest.mark.parametrize("most", [100, 0])
async def test_a_deleted_definition_withdraws_what_its_programs_wait_for(
    idle: Service, most: int
) -> None:
    """Programs that end with their definition have nothing ahead any more."""
    gym = await open_gym(idle)
    program = await gym.join(MONTHLY)
    await schedule(idle, program, "PAUSE", START + DAY)
    await limit_requests(idle, most=most)
    request = {"programDefinitionId": gym.plan["id"], "cascadeType": "IMMEDIATELY"}
    await idle.call("deleteProgramDefinition", request)
    await run_jobs(idle)
    assert await statuses(idle) == ["WITHDRAWN"]
    row = await program_row(idle, program)
    assert (row.status, row.due) == ("ENDED", None)


async def test_what_is_done_is_not_withdrawn_in_the_same_moment(
    idle: Service, clock: StillClock
) -> None:
    """Also if it is done in the decision before, and both are written together."""
    program = await (await open_gym(idle)).join()
    await schedule(idle, program, "PAUSE", START + DAY)
    clock.now = START + DAY
    settle = SettlePrograms(program_ids=(program,))
    end = ActOnProgram(action=END, program_id=program)
    await asyncio.gather(do(idle, settle), do(idle, end))
    assert await statuses(idle) == ["DONE"]
    assert (await read(idle, program))["status"] == "ENDED"


async def test_an_erasure_withdraws_what_waits(idle: Service) -> None:
    """The programs of an erased person end, with all that was to happen to them."""
    gym = await open_gym(idle)
    program = await gym.join(MONTHLY)
    await schedule(idle, program, "PAUSE", START + DAY)
    owner = (await program_row(idle, program)).member_id
    await idle.call("eraseBeneficiary", {"beneficiary": {"memberId": owner}})
    await run_jobs(idle)
    assert await statuses(idle) == ["WITHDRAWN"]
    assert (await program_row(idle, program)).due is None


async def test_a_program_that_is_provisioned_again_begins_anew(idle: Service) -> None:
    """Nothing of what waited for the program without pools happens to the one in its place."""
    plan = await idle.create_program_definition()
    external_id = guid()
    await idle.provision(program_definition=plan, externalProgramId=external_id)
    (first,) = await idle.rows(Program)
    await schedule(idle, first.id, "END", START + DAY)
    await idle.provision(program_definition=plan, externalProgramId=external_id)
    assert await statuses(idle) == ["WITHDRAWN"]
    (again,) = await idle.rows(Program)
    assert (again.id, again.status, again.due) == (first.id, "ACTIVE", None)


# Cascades


async def test_a_cascade_waits_for_its_date(idle: Service, clock: StillClock) -> None:
    """The definition changes now, for new programs; what was made before follows at the date."""
    gym = await open_gym(idle)
    before = await gym.join()
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    after = await gym.join()
    assert (await pool_row(idle, after)).available == 20 * CREDIT
    clock.now = START + DAY - 1
    await run_jobs(idle)
    old = await pool_row(idle, before)
    clock.now = START + DAY
    await run_jobs(idle)
    new = await pool_row(idle, before)
    assert (old.pool_definition_revision, new.pool_definition_revision) == (1, 2)
    assert new.snapshot_id == (await pool_row(idle, after)).snapshot_id
    assert await statuses(idle) == ["DONE"]
    await act(idle, "renew", before)
    assert (await pool_row(idle, before)).available == 20 * CREDIT
    assert await is_sound(idle)


async def test_a_cascade_at_renewal_marks_at_its_date(idle: Service, clock: StillClock) -> None:
    """A NEXT_RENEWAL with a date leaves renewals before it alone."""
    gym = await open_gym(idle)
    program = await gym.join()
    await gym.update("20", "NEXT_RENEWAL", cascadeDate=iso(START + DAY))
    await act(idle, "renew", program)
    assert (await pool_row(idle, program)).pool_definition_revision == 1
    clock.now = START + DAY
    await run_jobs(idle)
    marked = await pool_row(idle, program)
    assert (marked.renewal_revision, marked.pool_definition_revision) == (2, 1)
    await act(idle, "renew", program)
    assert (await pool_row(idle, program)).pool_definition_revision == 2


@pytest.mark.parametrize(
    ("cascade", "date"),
    [("FUTURE_PROVISIONS", START + DAY), ("IMMEDIATELY", START), ("NEXT_RENEWAL", START - DAY)],
)
async def test_a_cascade_date_must_make_sense(idle: Service, cascade: str, date: int) -> None:
    """It lies ahead, and only for what reaches what was made before."""
    gym = await open_gym(idle)
    other = await idle.create_pool_definition()
    more = {"cascade": cascade, "cascadeDate": iso(date)}
    place = {"poolDefinitionId": other["id"], "programDefinitionId": gym.plan["id"], **more}
    change = {"poolDefinition": {"id": other["id"], "revision": "1", "displayName": "New"}, **more}
    delete = {"programDefinitionId": gym.plan["id"], "cascadeDate": iso(date)}
    for name, request in (
        ("addPoolDefinitionToProgramDefinition", place),
        ("updatePoolDefinition", change),
        ("deletePoolDefinition", {"poolDefinitionId": other["id"], **more}),
        ("deleteProgramDefinition", {**delete, "cascadeType": cascade}),
    ):
        answer = await idle.refusal(name, request)
        assert (answer.status, list(answer.fields)) == (400, ["cascadeDate"]), name
    assert await statuses(idle) == []


@pytest.mark.parametrize("cascade", ["IMMEDIATELY", "NEXT_RENEWAL"])
async def test_whoever_has_newer_terms_is_not_taken_back(
    idle: Service, clock: StillClock, cascade: str
) -> None:
    """A later change that came at once, or was marked meanwhile, stands."""
    gym = await open_gym(idle)
    updated, marked = await gym.join(), await gym.join()
    await gym.update("20", cascade, cascadeDate=iso(START + DAY))
    await gym.update("30", "IMMEDIATELY")
    await gym.update("40", "NEXT_RENEWAL")
    newest = await gym.join()
    clock.now = START + DAY
    await run_jobs(idle)
    for program in (updated, marked, newest):
        await act(idle, "renew", program)
        assert (await pool_row(idle, program)).available == 40 * CREDIT
    assert await statuses(idle) == ["DONE"]


async def test_a_newer_mark_outlives_an_older_cascade(idle: Service, clock: StillClock) -> None:
    """An update with a date happens, and what was marked after it was asked for stays marked."""
    gym = await open_gym(idle)
    program = await gym.join()
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    await gym.place("remove", gym.pass_["id"], "NEXT_RENEWAL")
    clock.now = START + DAY
    await run_jobs(idle)
    pool = await pool_row(idle, program)
    assert (pool.pool_definition_revision, pool.renewal_action) == (2, "END")


async def test_programs_get_a_pool_at_the_date(idle: Service, clock: StillClock) -> None:
    """An addition with a date opens pools from the definition as it is then."""
    gym = await open_gym(idle)
    program = await gym.join()
    other = await idle.create_pool_definition(details=details(**NO_ROLLOVER))
    await gym.place("add", other["id"], "IMMEDIATELY", cascadeDate=iso(START + DAY))
    newer = await gym.join()
    assert len(await idle.pools_of(newer)) == 2
    assert len(await idle.pools_of(program)) == 1
    change = {"id": other["id"], "revision": "2", "displayName": "Newest"}
    request = {"poolDefinition": change, "cascade": "FUTURE_PROVISIONS"}
    await idle.call("updatePoolDefinition", request)
    clock.now = START + DAY
    await run_jobs(idle)
    pools = await idle.pools_of(program)
    assert {each.get("displayName") for each in pools} == {None, "Newest"}
    assert len(await idle.pools_of(newer)) == 2


async def test_the_last_word_about_a_place_counts(idle: Service, clock: StillClock) -> None:
    """Who adds a definition again takes back a removal that waits, and the other way round."""
    gym = await open_gym(idle)
    program = await gym.join()
    other = await idle.create_pool_definition()
    date = {"cascadeDate": iso(START + DAY)}
    await gym.place("remove", gym.pass_["id"], "IMMEDIATELY", **date)
    await gym.place("add", gym.pass_["id"], "FUTURE_PROVISIONS")
    await gym.place("add", other["id"], "IMMEDIATELY", **date)
    await gym.place("remove", other["id"], "FUTURE_PROVISIONS")
    newer = await gym.join()
    clock.now = START + DAY
    await run_jobs(idle)
    assert await statuses(idle) == ["WITHDRAWN", "WITHDRAWN"]
    for each in (program, newer):
        (pool,) = await idle.pools_of(each)
        assert pool["status"] == "ACTIVE"


async def test_a_pool_at_renewal_has_the_terms_of_a_cascade_before_it(
    idle: Service, clock: StillClock
) -> None:
    """An addition that stands for renewals is of the newest terms from the date on."""
    gym = await open_gym(idle)
    program = await gym.join()
    other = await idle.create_pool_definition(details=details(**NO_ROLLOVER))
    await gym.place("add", other["id"], "NEXT_RENEWAL")
    await Gym(idle, gym.plan, other).update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    clock.now = START + DAY
    await run_jobs(idle)
    await act(idle, "renew", program)
    amounts = {row.pool_definition_id: row.available for row in await idle.rows(Pool)}
    assert amounts == {gym.pass_["id"]: 10 * CREDIT, other["id"]: 20 * CREDIT}


async def test_one_of_two_places_is_taken_back(idle: Service, clock: StillClock) -> None:
    """The other one still gets its pools at the date."""
    gyms = [await open_gym(idle) for _ in range(2)]
    programs = [await gym.join() for gym in gyms]
    new = {
        "namespace": NAMESPACE,
        "details": details(**NO_ROLLOVER),
        "programDefinitionIds": [gym.plan["id"] for gym in gyms],
    }
    request = {"poolDefinition": new, "cascade": "IMMEDIATELY", "cascadeDate": iso(START + DAY)}
    other = (await idle.call("createPoolDefinition", request))["poolDefinition"]
    await gyms[0].place("remove", other["id"], "FUTURE_PROVISIONS")
    assert await statuses(idle) == ["WAITING"]
    clock.now = START + DAY
    await run_jobs(idle)
    assert [len(await idle.pools_of(each)) for each in programs] == [1, 2]


async def test_a_place_may_be_for_a_season(idle: Service, clock: StillClock) -> None:
    """An addition that waits stands, where the removal has a later date."""
    gym = await open_gym(idle)
    program = await gym.join()
    other = await idle.create_pool_definition()
    await gym.place("add", other["id"], "IMMEDIATELY", cascadeDate=iso(START + DAY))
    await gym.place("remove", other["id"], "IMMEDIATELY", cascadeDate=iso(START + 2 * DAY))
    clock.now = START + DAY
    await run_jobs(idle)
    assert [each["status"] for each in await idle.pools_of(program)] == ["ACTIVE", "ACTIVE"]
    clock.now = START + 2 * DAY
    await run_jobs(idle)
    pools = await idle.pools_of(program)
    assert sorted(each["status"] for each in pools) == ["ACTIVE", "ENDED"]
    assert await statuses(idle) == ["DONE", "DONE"]


async def test_a_removal_ends_pools_at_its_date(idle: Service, clock: StillClock) -> None:
    """Pools of the place end then, and programs that came meanwhile never had one."""
    gym = await open_gym(idle)
    program = await gym.join()
    await gym.place("remove", gym.pass_["id"], "IMMEDIATELY", cascadeDate=iso(START + DAY))
    assert (await pool_row(idle, program)).status == "ACTIVE"
    clock.now = START + DAY
    await run_jobs(idle)
    assert (await pool_row(idle, program)).status == "ENDED"


async def test_a_deletion_withdraws_what_waits_but_its_own(
    idle: Service, clock: StillClock
) -> None:
    """A pool definition that is deleted with a date is gone now; its pools end then."""
    gym = await open_gym(idle)
    program = await gym.join()
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    request = {"poolDefinitionId": gym.pass_["id"], "cascade": "IMMEDIATELY"}
    await idle.call("deletePoolDefinition", {**request, "cascadeDate": iso(START + 2 * DAY)})
    assert await statuses(idle) == ["WITHDRAWN", "WAITING"]
    clock.now = START + 2 * DAY
    await run_jobs(idle)
    pool = await pool_row(idle, program)
    assert (pool.status, pool.pool_definition_revision) == ("ENDED", 1)


@pytest.mark.parametrize("cascade", ["IMMEDIATELY", "NEXT_RENEWAL"])
async def test_programs_end_at_the_date_of_their_definitions_deletion(
    idle: Service, clock: StillClock, cascade: str
) -> None:
    """The definition is gone now; its programs live on until the date, or a renewal after it."""
    gym = await open_gym(idle)
    program = await gym.join(MONTHLY)
    end = START + 40 * DAY
    request = {"programDefinitionId": gym.plan["id"], "cascadeType": cascade}
    await idle.call("deleteProgramDefinition", {**request, "cascadeDate": iso(end)})
    (change,) = await found(idle, programDefinitionId=gym.plan["id"])
    assert (change["kind"], change["cascadeType"]) == ("CASCADE", cascade)
    clock.now = end - 1
    await run_jobs(idle)
    assert (await read(idle, program))["status"] == "ACTIVE"
    clock.now = end + 40 * DAY
    await run_jobs(idle)
    row = await program_row(idle, program)
    assert (row.status, row.due) == ("ENDED", None)
    counts = {"IMMEDIATELY": 1, "NEXT_RENEWAL": 1}
    assert (await pool_row(idle, program)).renewal_count == counts[cascade]
    assert await is_sound(idle)


async def test_a_cascade_is_withdrawn_until_its_date(idle: Service, clock: StillClock) -> None:
    """What was withdrawn reaches nothing; the definition stays as it is."""
    gym = await open_gym(idle)
    program = await gym.join()
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    await gym.update("30", "IMMEDIATELY", cascadeDate=iso(START + 2 * DAY))
    first, second = await found(idle)
    await withdraw(idle, second["id"])
    clock.now = START + 3 * DAY
    late = await idle.refusal("withdrawScheduledChange", {"scheduledChangeId": first["id"]})
    assert (late.code, late.data["changeStatus"]) == ("SCHEDULED_CHANGE_OVER", "DONE")
    await run_jobs(idle)
    assert (await pool_row(idle, program)).pool_definition_revision == 2


async def test_a_renewal_by_hand_finds_a_cascade_that_is_due(
    idle: Service, clock: StillClock
) -> None:
    """Whoever renews after the date gets the new terms, also before any runner came by."""
    gym = await open_gym(idle)
    program = await gym.join()
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    clock.now = START + DAY
    await act(idle, "renew", program)
    assert (await pool_row(idle, program)).available == 20 * CREDIT


async def test_a_read_begins_a_cascade_before_a_renewal(idle: Service, clock: StillClock) -> None:
    """Whoever reads books both in the order of their dates, before any runner came by."""
    gym = await open_gym(idle)
    program = await gym.join(MONTHLY)
    await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + DAY))
    clock.now = START + 40 * DAY
    pool = await pool_row(idle, program)
    balance = await idle.call("getBalance", {"poolId": pool.id})
    assert balance["balance"]["amount"]["available"] == "20"
    assert await statuses(idle) == ["DONE"]


async def test_as_many_cascades_wait_as_may(idle: Service) -> None:
    """One more of a definition is refused until one is withdrawn."""
    gym = await open_gym(idle)
    await gym.join()
    for day in range(1, CHANGES_OF_DEFINITION_MAX + 1):
        await gym.update(str(day), "IMMEDIATELY", cascadeDate=iso(START + day * DAY))
    definition = await idle.call("getPoolDefinition", {"poolDefinitionId": gym.pass_["id"]})
    change = {
        "id": gym.pass_["id"],
        "revision": definition["poolDefinition"]["revision"],
        "details": details(creditConfiguration={"amount": "500"}),
    }
    late = iso(START + 500 * DAY)
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY", "cascadeDate": late}
    answer = await idle.refusal("updatePoolDefinition", request)
    assert (answer.status, answer.code) == (428, "TOO_MANY_SCHEDULED_CHANGES")
    assert answer.data == {"maximum": CHANGES_OF_DEFINITION_MAX}
    first, *_ = await idle.rows(ScheduledChange)
    await withdraw(idle, first.id)
    await idle.call("updatePoolDefinition", request)


# Late or on time: it comes out the same


@ON_POSTGRES_IN_FULL
async def test_being_late_changes_nothing(database_url: str) -> None:
    """A year booked in one go ends as one that was booked day by day."""
    booked = [await live_a_year(f"{database_url}", every=each) for each in (DAY, 400 * DAY)]
    assert booked[0] == booked[1]


async def live_a_year(url: str, *, every: int) -> list[Any]:
    """What a program has been through, where the runner comes by every so often."""
    clock = StillClock(START)
    async with open_application(url, run_jobs=False, clock=clock) as application:
        service = await new_tenant(*application)
        gym = await open_gym(service)
        program = await gym.join(
            ProgramTerms(
                renewal_configuration=RenewalConfiguration(every="P1M"),
                while_paused=WhilePaused.STOP,
                paused_days_max=30,
            )
        )
        other = await service.create_pool_definition(
            details=details(creditConfiguration={"amount": "7", "expiresAfter": "P50D"})
        )
        await schedule(service, program, "PAUSE", START + 45 * DAY, untilDate=iso(START + 55 * DAY))
        await schedule(service, program, "PAUSE", START + 100 * DAY)
        await schedule(service, program, "RESUME", START + 110 * DAY)
        await gym.update("20", "IMMEDIATELY", cascadeDate=iso(START + 70 * DAY))
        await gym.place("add", other["id"], "IMMEDIATELY", cascadeDate=iso(START + 77 * DAY))
        await gym.place(
            "remove", gym.pass_["id"], "NEXT_RENEWAL", cascadeDate=iso(START + 201 * DAY)
        )
        await schedule(service, program, "END", START + 300 * DAY)
        while clock.now < START + 360 * DAY:
            clock.now += every
            await run_jobs(service)
        assert await is_sound(service)
        return await story(service, program)


async def story(service: Service, program: str) -> list[Any]:
    """All that was booked, at which instants, whenever that was."""
    rows = await service.rows(Program)
    pools = {row.id: row.origin for row in await service.rows(Pool)}
    told = [
        (
            pools[each.pool_id],
            each.operation,
            each.amount,
            (each.details.due or each.created) // HOUR,
        )
        for each in await service.rows(Transaction)
    ]
    lots = [
        (pools[each.pool_id], each.status, each.available, each.expiration_date)
        for each in await service.rows(Lot)
    ]
    ends = [
        (row.origin, row.status, row.available, row.renewal_count)
        for row in await service.rows(Pool)
    ]
    (row,) = [row for row in rows if row.id == program]
    # The first event is so old that it may have been removed.
    slugs = [each for each in await service.slugs_of(program) if "created" not in each]
    return [sorted(told), lots, ends, row.status, row.next_renewal, slugs, await statuses(service)]
