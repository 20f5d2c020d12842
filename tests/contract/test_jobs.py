"""Who does a job, in which order, what becomes of one that fails, and for how long it is kept."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import (
    Agenda,
    Job,
    JobPage,
    JobStatus,
    Order,
    Pool,
)
from benefit_programs.domain.errors import JobNotCancelable, JobNotRetryable
from benefit_programs.domain.job_commands import ATTEMPTS_MAX, CancelJob, FailJob, RetryJob
from benefit_programs.domain.jobs import LEASE_MILLISECONDS
from benefit_programs.domain.orders.chunks import RunChunk
from benefit_programs.domain.values import DAY, SYSTEM
from benefit_programs.engine.engine import Engine, read_clock
from benefit_programs.jobs.runner import JobRunner
from tests.support.calls import Refused
from tests.support.lifecycle import (
    act,
    claim_job,
    items_of,
    job_of,
    large_program,
    limit_requests,
    run_jobs,
)
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    from benefit_programs.domain.command import Command
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

MANY = 250
"""Some chunks' worth of pools."""


class Somebody:
    """A runner, chunk by chunk, with a clock of its own."""

    def __init__(self, service: Service, name: str, later: int = 0) -> None:
        self.service = service
        self.name = name
        self.later = later
        self.engine = Engine(service.store, clock=lambda: read_clock() + self.later)

    async def do(self, command: Command[Any]) -> Any:
        tenant = self.service.tenant
        return await self.engine.execute(
            command, tenant_id=tenant.id, caller=SYSTEM, settings=tenant.settings
        )

    async def claim(self) -> str | None:
        claim = await claim_job(self.service, self.name, engine=self.engine, alone=False)
        return claim.job.id if claim else None

    async def run(self, job_id: str) -> Any:
        return await self.do(RunChunk(job_id=job_id, owner=self.name))


async def many_pools(service: Service) -> dict[str, Any]:
    """A pool definition with many pools."""
    definition = await service.create_pool_definition()
    provisions = [service.provision(pool_definition=definition) for _ in range(MANY)]
    await asyncio.gather(*provisions)
    return definition


async def rename(service: Service, definition: dict[str, Any], name: str) -> str:
    """Update a definition at once, and give the job of that."""
    answer = await service.call("getPoolDefinition", {"poolDefinitionId": definition["id"]})
    revision = answer["poolDefinition"]["revision"]
    change = {"id": definition["id"], "revision": revision, "displayName": name}
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    await service.call("updatePoolDefinition", request)
    return max(row.id for row in await service.rows(Job))


async def stored(service: Service, job_id: str) -> Job:
    (job,) = [row for row in await service.rows(Job) if row.id == job_id]
    return job


async def test_a_job_counts_what_it_has_done(idle_service: Service) -> None:
    """Chunk by chunk the counts grow, to the total; its items are the pools, each once."""
    service = idle_service
    definition = await many_pools(service)
    job_id = await rename(service, definition, "Gold")
    one = Somebody(service, "one")
    assert await one.claim() == job_id
    counts = []
    while not (await one.run(job_id)).is_over:
        counts.append((await job_of(service, job_id))["counts"]["successCount"])
    assert counts == [100, 200]
    assert (await job_of(service, job_id))["counts"]["total"] == MANY
    pools = await service.rows(Pool)
    assert sorted(await items_of(service, job_id)) == sorted(pool.id for pool in pools)
    assert len(await service.rows(JobPage)) == 1


async def test_a_program_is_in_progress_until_its_last_pool(idle_service: Service) -> None:
    """Whoever provisions it again is told so however far it has come, then that it exists."""
    service = idle_service
    program_id = await large_program(service, 205)
    program = (await service.call("getProgram", {"programId": program_id}))["program"]
    definition = {"id": program["programDefinitionId"]}
    again = {"program_definition": definition, "externalProgramId": program["externalId"]}
    one, codes = Somebody(service, "one"), []
    job_id, is_over = await one.claim(), False
    while not is_over:
        with pytest.raises(Refused) as refused:
            await service.provision(**again)
        codes.append(refused.value.code)
        assert job_id is not None
        is_over = (await one.run(job_id)).is_over
    assert len(codes) > 1
    assert set(codes) == {"IN_PROGRESS"}
    with pytest.raises(Refused) as refused:
        await service.provision(**again)
    assert refused.value.code == "PROGRAM_ALREADY_EXISTS"


async def test_a_job_is_one_runners_until_its_lease_is_over(idle_service: Service) -> None:
    """Nobody else gets it meanwhile; then another does, and the first one has lost it."""
    service = idle_service
    job_id = await rename(service, await many_pools(service), "Gold")
    one, two = Somebody(service, "one"), Somebody(service, "two")
    assert await one.claim() == job_id
    await one.run(job_id)
    assert await two.claim() is None
    two.later = LEASE_MILLISECONDS + 1_000
    assert await two.claim() == job_id
    assert (await one.run(job_id)).is_lost
    assert (await stored(service, job_id)).success_count == 100
    while not (await two.run(job_id)).is_over:
        pass
    assert {pool.revision for pool in await service.rows(Pool)} == {2}


async def test_jobs_of_one_definition_are_done_in_their_order(idle_service: Service) -> None:
    """A later change waits for the earlier one; a job of something else doesn't."""
    service = idle_service
    definition, other = await many_pools(service), await many_pools(service)
    first = await rename(service, definition, "Gold")
    second = await rename(service, definition, "Silver")
    third = await rename(service, other, "Bronze")
    runners = [Somebody(service, name) for name in ("one", "two", "three")]
    assert [await runner.claim() for runner in runners] == [first, third, None]
    while not (await runners[0].run(first)).is_over:
        pass
    assert await runners[2].claim() == second
    await run_jobs_of(service)
    assert {pool.revision for pool in await service.rows(Pool)} == {2, 3}


async def test_many_jobs_of_one_definition_hold_up_no_other(idle_service: Service) -> None:
    """However many of them wait, a second runner finds the job of another definition."""
    service = idle_service
    definition, other = [await service.create_pool_definition() for _ in range(2)]
    for each in (definition, other):
        await service.provision(pool_definition=each)
    await limit_requests(service)
    first, *_ = [await rename(service, definition, f"Gold {number}") for number in range(60)]
    last = await rename(service, other, "Silver")
    runners = [Somebody(service, name) for name in ("one", "two", "three")]
    assert [await runner.claim() for runner in runners] == [first, last, None]
    await run_jobs_of(service)


async def test_a_job_is_not_put_off_by_a_clock_that_is_ahead(idle_service: Service) -> None:
    """A lease that was taken by a clock an hour ahead keeps nobody from a job."""
    service = idle_service
    job_id = await rename(service, await many_pools(service), "Gold")
    ahead, other = Somebody(service, "ahead", later=3_600_000), Somebody(service, "other")
    assert await ahead.claim() == job_id
    assert await other.claim() == job_id


async def run_jobs_of(service: Service) -> None:
    """Do the rest as a runner that is alone, whoever holds a lease."""
    engine = Engine(service.store)
    directory = service.running.services.directory
    runner = JobRunner(engine, service.store, directory, alone=True)
    runner.start()
    await runner.settle()
    await runner.close()


async def test_a_job_that_keeps_failing_has_failed(idle_service: Service) -> None:
    """After some attempts it is given up with its reason; a retry goes on where it stopped."""
    service = idle_service
    job_id = await rename(service, await many_pools(service), "Gold")
    one = Somebody(service, "one")
    for attempt in range(1, ATTEMPTS_MAX + 1):
        assert await one.claim() == job_id
        if attempt == 1:
            await one.run(job_id)
        status = await one.do(FailJob(job_id=job_id, owner="one", reason="it broke"))
        assert status == ("FAILED" if attempt == ATTEMPTS_MAX else "PROCESSING")
        assert await one.claim() is None
        one.later += 60_000
    job = await job_of(service, job_id)
    assert (job["status"], job["metadata"]["reason"]) == ("FAILED", "it broke")
    assert job["counts"]["successCount"] == 100
    await one.do(RetryJob(job_id=job_id))
    await run_jobs(service)
    assert (await stored(service, job_id)).success_count == MANY
    assert {pool.revision for pool in await service.rows(Pool)} == {2}


async def test_a_renewal_takes_the_cascade_of_a_failed_job(idle_service: Service) -> None:
    """What was answered holds for whoever acts on a pool, even if its job was given up."""
    service = idle_service
    definition = await many_pools(service)
    job_id = await rename(service, definition, "Gold")
    one = Somebody(service, "one")
    for _ in range(ATTEMPTS_MAX):
        await one.claim()
        await one.do(FailJob(job_id=job_id, owner="one", reason="it broke"))
        one.later += 60_000
    (pool, *_) = await service.rows(Pool)
    await act(service, "renew", pool.program_id)
    (renewed, *_) = await service.rows(Pool)
    assert (renewed.pool_definition_revision, renewed.renewal_count) == (2, 1)


async def test_a_canceled_cascade_stops_where_it_stands(idle_service: Service) -> None:
    """What it hasn't reached stays as it is, and nobody is brought up to it any more."""
    service = idle_service
    job_id = await rename(service, await many_pools(service), "Gold")
    one = Somebody(service, "one")
    await one.claim()
    await one.run(job_id)
    await one.do(CancelJob(job_id=job_id))
    assert (await one.run(job_id)).is_lost
    await run_jobs(service)
    assert (await stored(service, job_id)).status is JobStatus.FAILED
    revisions = [pool.revision for pool in await service.rows(Pool)]
    assert (revisions.count(2), revisions.count(1)) == (100, MANY - 100)
    assert await service.rows(Order) == []
    assert [agenda.since for agenda in await service.rows(Agenda)] == [None]


async def test_a_canceled_cascade_is_not_tried_again(idle_service: Service) -> None:
    """What was given up can't be taken up: nobody knows any more what was to be done."""
    service = idle_service
    job_id = await rename(service, await many_pools(service), "Gold")
    one = Somebody(service, "one")
    canceled = await one.do(CancelJob(job_id=job_id))
    with pytest.raises(JobNotRetryable):
        await one.do(RetryJob(job_id=job_id))
    assert await stored(service, job_id) == canceled
    with pytest.raises(JobNotCancelable):
        await one.do(CancelJob(job_id=job_id))


async def test_finished_jobs_are_kept_for_their_time(idle_service: Service) -> None:
    """They can be read for 30 days after their end, and are gone with their items then."""
    service = idle_service
    job_id = await rename(service, await many_pools(service), "Gold")
    await run_jobs(service)
    jobs = len(await service.rows(Job))
    ended = (await stored(service, job_id)).updated
    retention = service.tenant.settings.job_retention_days * DAY
    for moment, left in ((ended + retention, jobs), (ended + retention + 1, 0)):
        engine = Engine(service.store, clock=lambda at=moment: at)  # type: ignore[misc]
        runner = JobRunner(engine, service.store, service.running.services.directory)
        await runner.sweep(service.tenant)
        kept = await service.rows(Job)
        assert (job_id in {row.id for row in kept}) == bool(left)
    assert await service.rows(Job) == []
    assert await service.rows(JobPage) == []


async def test_tenants_take_turns(idle_service: Service) -> None:
    """A large job of one tenant doesn't hold up another's."""
    services = [idle_service, await idle_service.another_tenant()]
    jobs = [await rename(each, await many_pools(each), "Gold") for each in services]
    await run_jobs(idle_service)
    for service, job_id in zip(services, jobs, strict=True):
        assert (await stored(service, job_id)).status is JobStatus.FINISHED


async def test_a_commit_wakes_the_runner(service: Service) -> None:
    """Work that a request leaves is begun at once, without waiting for the next look."""
    program_id = await large_program(service)
    job_id = await act(service, "renew", program_id)
    await service.running.runner.settle()
    assert (await job_of(service, job_id))["status"] == "FINISHED"


async def test_operators_look_after_jobs(idle_service: Service, database_url: str) -> None:
    """The commands list, show, cancel and retry jobs, beside a server, and say what they refuse."""
    service = idle_service
    definition = await many_pools(service)
    job_id = await rename(service, definition, "Gold")

    async def told(*arguments: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(
            run_benefits,
            *("jobs", *arguments, "--tenant", str(service.tenant.id)),
            BENEFITS_DATABASE_URL=database_url,
        )
        return done.returncode, done.stdout, done.stderr

    code, out, _ = await told("list", "--unfinished", "--json")
    assert code == 0
    assert [job["id"] for job in json.loads(out)["jobs"]] == [job_id]
    variables = {"BENEFITS_DATABASE_URL": database_url}
    done = await asyncio.to_thread(run_benefits, "jobs", "list", "--json", **variables)
    assert json.loads(done.stdout) == {"jobs": []}, "the first tenant, that nobody named, has none"
    code, _, error = await told("retry", job_id)
    assert (code, "JOB_NOT_RETRYABLE" in error) == (2, True)
    code, out, _ = await told("cancel", job_id)
    assert json.loads(out)["status"] == "FAILED"
    code, out, _ = await told("show", job_id)
    assert json.loads(out)["reason"] == "canceled"
    followed = asyncio.create_task(told("show", await rename(service, definition, "Red"), "--wait"))
    await run_jobs(service)
    code, out, _ = await followed
    shown = json.loads(out)
    assert (shown["status"], shown["successCount"], shown["failCount"]) == ("FINISHED", MANY, 0)
    code, _, error = await told("show", "00000000-0000-4000-8000-000000000000")
    assert (code, "JOB_NOT_FOUND" in error) == (5, True)
