"""Changes that are answered while a program still waits for the pools of its provisioning.

It gets what it was provisioned with, and then what was changed since, whichever job comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import (
    Job,
    Order,
    Pool,
    Transaction,
)
from benefit_programs.domain.orders.chunks import RunChunk
from benefit_programs.domain.values import CREDIT
from tests.support.calls import details
from tests.support.lifecycle import (
    claim_job,
    do,
    limit_requests,
    pool_rows,
    put_off,
    read,
    refused,
    run_jobs,
)

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NOW, RENEWAL, NEVER = "IMMEDIATELY", "NEXT_RENEWAL", "FUTURE_PROVISIONS"
CASCADES = [NOW, RENEWAL, NEVER]
OLD = 5 * CREDIT


class Arrival:
    """A plan with a pass, and a program of it that has been asked for and has no pool yet."""

    def __init__(self, service: Service, *, waits: bool) -> None:
        self.service = service
        self.waits = waits

    async def begin(self) -> None:
        self.plan = await self.service.create_program_definition()
        self.pass_ = await self.service.create_pool_definition(
            programDefinitionIds=[self.plan["id"]], details=details(amount="5")
        )
        await limit_requests(self.service)
        answer = await self.service.provision(program_definition=self.plan)
        assert answer["program"]["status"] == "PROVISIONING"
        self.program: str = answer["program"]["id"]
        assert await pool_rows(self.service, self.program) == []

    async def update(self, cascade: str) -> None:
        """Let the pass have another name."""
        current = await self.service.call("getPoolDefinition", {"poolDefinitionId": self.pass_id})
        revision = current["poolDefinition"]["revision"]
        change = {"id": self.pass_id, "revision": revision, "displayName": "Gold"}
        request = {"poolDefinition": change, "cascade": cascade}
        await self.service.call("updatePoolDefinition", request)

    async def place(self, verb: str, cascade: str) -> None:
        """Add the pass to the plan, or remove it from there."""
        method = {
            "add": "addPoolDefinitionToProgramDefinition",
            "remove": "removePoolDefinitionFromProgramDefinition",
        }[verb]
        ids = {"poolDefinitionId": self.pass_id, "programDefinitionId": self.plan["id"]}
        await self.service.call(method, {**ids, "cascade": cascade})

    async def done(self) -> list[Pool]:
        """Do all jobs, that of the provisioning last if it shall wait; the pools there are then."""
        if self.waits:
            assert await put_off(self.service) == "PROVISION_PROGRAM"
        await run_jobs(self.service)
        assert all(each.stands for each in await self.service.rows(Order))
        assert {str(job.status) for job in await self.service.rows(Job)} == {"FINISHED"}
        assert "targetStatus" not in await read(self.service, self.program)
        return await pool_rows(self.service, self.program)

    @property
    def pass_id(self) -> str:
        return str(self.pass_["id"])


@pytest.fixture(params=[False, True], ids=["provisioning first", "provisioning last"])
async def arrival(request: pytest.FixtureRequest, idle_service: Service) -> Arrival:
    """A program that is being provisioned."""
    arrival = Arrival(idle_service, waits=request.param)
    await arrival.begin()
    return arrival


async def test_a_program_gets_what_it_was_provisioned_with(arrival: Arrival) -> None:
    """An update for future provisions doesn't reach a program that was there before it."""
    await arrival.update(NEVER)
    (pool,) = await arrival.done()
    assert (pool.pool_definition_revision, pool.available, pool.revision) == (1, OLD, 1)
    assert (await read(arrival.service, arrival.program))["status"] == "ACTIVE"


async def test_an_update_at_once_reaches_the_pool_that_was_to_come(arrival: Arrival) -> None:
    """The pool is opened with the old details, and then has the new ones."""
    await arrival.update(NOW)
    (pool,) = await arrival.done()
    assert (pool.pool_definition_revision, pool.revision) == (2, 2)
    (transaction,) = await arrival.service.rows(Transaction)
    assert (transaction.operation, transaction.amount) == ("PROVISION", OLD)


async def test_an_update_with_the_renewal_marks_the_pool_that_was_to_come(
    arrival: Arrival,
) -> None:
    """It waits for the renewal with the new details."""
    await arrival.update(RENEWAL)
    (pool,) = await arrival.done()
    assert (pool.pool_definition_revision, pool.renewal_action) == (1, "UPDATE")


@pytest.mark.parametrize("cascade", CASCADES)
@pytest.mark.parametrize("how", ["removed", "deleted"])
async def test_a_pass_that_goes_takes_the_pool_with_it_as_its_cascade_says(
    arrival: Arrival, cascade: str, how: str
) -> None:
    """The pool is opened all the same: it ends, is to end, or goes on without its definition."""
    if how == "deleted":
        request = {"poolDefinitionId": arrival.pass_id, "cascade": cascade}
        await arrival.service.call("deletePoolDefinition", request)
    else:
        await arrival.place("remove", cascade)
    (pool,) = await arrival.done()
    expected = {NOW: ("ENDED", None), RENEWAL: ("ACTIVE", "END"), NEVER: ("ACTIVE", None)}
    assert (pool.status, pool.renewal_action) == expected[cascade]


@pytest.mark.parametrize("cascade", CASCADES)
async def test_another_pass_comes_as_its_cascade_says(arrival: Arrival, cascade: str) -> None:
    """A definition that is added meanwhile gives the program a pool only if that is at once."""
    new = {"namespace": "gym", "details": details(), "programDefinitionIds": [arrival.plan["id"]]}
    request = {"poolDefinition": new, "cascade": cascade}
    await arrival.service.call("createPoolDefinition", request)
    pools = await arrival.done()
    assert sorted(pool.origin for pool in pools) == ["CASCADE"] * (cascade == NOW) + ["PROVISION"]


@pytest.mark.parametrize("cascade", CASCADES)
async def test_a_pass_that_comes_back_opens_no_second_pool(arrival: Arrival, cascade: str) -> None:
    """The program has the pool that it was provisioned with, by its details of then."""
    await arrival.place("remove", NEVER)
    await arrival.update(NEVER)
    await arrival.place("add", cascade)
    (pool,) = await arrival.done()
    assert (pool.pool_definition_revision, pool.status, pool.origin) == (1, "ACTIVE", "PROVISION")


async def test_a_pass_that_ended_and_comes_back_opens_another_pool(arrival: Arrival) -> None:
    """The first pool ended with the removal, the second one came with the addition."""
    await arrival.place("remove", NOW)
    await arrival.place("add", NOW)
    pools = await arrival.done()
    assert [(pool.status, pool.origin) for pool in pools] == [
        ("ENDED", "PROVISION"),
        ("ACTIVE", "CASCADE"),
    ]


async def test_a_pass_that_comes_back_twice_opens_one_pool_more(arrival: Arrival) -> None:
    """The first addition opens a pool, and the second one only keeps it."""
    for verb, cascade in [("remove", NOW), ("add", NOW), ("remove", RENEWAL), ("add", NOW)]:
        await arrival.place(verb, cascade)
    pools = await arrival.done()
    assert [(pool.status, pool.origin, pool.renewal_action) for pool in pools] == [
        ("ENDED", "PROVISION", None),
        ("ACTIVE", "CASCADE", None),
    ]


async def test_a_pass_that_came_and_went_before_the_last_step_is_gone(
    idle_service: Service,
) -> None:
    """However few pools a step of the job opens, it hears of what was asked for beside it."""
    arrival = Arrival(idle_service, waits=False)
    await arrival.begin()
    await limit_requests(idle_service, 100)
    new = {"namespace": "gym", "details": details(), "programDefinitionIds": [arrival.plan["id"]]}
    request = {"poolDefinition": new, "cascade": NOW}
    answer = await idle_service.call("createPoolDefinition", request)
    claim = await claim_job(idle_service)
    assert claim is not None
    await do(idle_service, RunChunk(job_id=claim.job.id, owner="one", size=1, ends_turn=True))
    ids = {
        "poolDefinitionId": answer["poolDefinition"]["id"],
        "programDefinitionId": arrival.plan["id"],
    }
    await idle_service.call("removePoolDefinitionFromProgramDefinition", {**ids, "cascade": NOW})
    statuses = {pool.origin: pool.status for pool in await arrival.done()}
    assert statuses == {"PROVISION": "ACTIVE", "CASCADE": "ENDED"}


@pytest.mark.parametrize(
    ("cascade", "status", "pools"),
    [
        (NOW, "ENDED", []),
        (RENEWAL, "ACTIVE", [("ACTIVE", "END")]),
        (NEVER, "ACTIVE", [("ACTIVE", None)]),
    ],
)
async def test_a_plan_that_is_deleted_meanwhile(
    arrival: Arrival, cascade: str, status: str, pools: list[tuple[str, str | None]]
) -> None:
    """A program that ends at once gets no more pools; else it gets all of them."""
    request = {"programDefinitionId": arrival.plan["id"], "cascadeType": cascade}
    await arrival.service.call("deleteProgramDefinition", request)
    found = await arrival.done()
    assert [(pool.status, pool.renewal_action) for pool in found] == pools
    assert (await read(arrival.service, arrival.program))["status"] == status


async def test_nothing_else_is_done_to_a_program_that_is_provisioned(arrival: Arrival) -> None:
    """Pause, resume, end and renew have to wait."""
    for action in ("pause", "resume", "end", "renew"):
        assert (await refused(arrival.service, action, arrival.program)).code == "IN_PROGRESS"
    (pool,) = await arrival.done()
    assert pool.status == "ACTIVE"
