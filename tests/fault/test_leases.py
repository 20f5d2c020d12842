"""Runners share: one that stops leaves its jobs to others, and none keeps a tenant waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import Job, JobPage, Pool, Program
from benefit_programs.domain.job_commands import SweepJobs
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, SWEEP_SIZE
from benefit_programs.domain.values import DAY, SYSTEM
from benefit_programs.engine.engine import Engine
from benefit_programs.jobs.runner import JobRunner
from benefit_programs.storage.verification import verify_store
from tests.support.clock import Clock
from tests.support.lifecycle import act, large_program, limit_requests, pool_rows

if TYPE_CHECKING:
    from benefit_programs.domain.rows import Row
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

POOLS = 400
SECONDS_MAX = 10
ITEMS = '[{"id": "01980000-0000-7000-8000-000000000000", "entity": "pool"}]'
MANY = 700
"""More pools than a job does in one turn."""


async def test_a_stopped_runner_hands_its_job_back(idle_service: Service) -> None:
    """Stopped in the middle of a job, it ends the lease, so another goes on without waiting."""
    service = idle_service
    program_id = await large_program(service, POOLS)
    await settle(service)
    job_id = await act(service, "renew", program_id)
    begun, engine = asyncio.Event(), Engine(service.store)

    def notice(written: frozenset[type[Row]]) -> None:
        if Pool in written:
            begun.set()

    engine.on_commit(notice)
    one = JobRunner(engine, service.store, service.running.services.directory)
    one.start()
    await begun.wait()
    await one.close()
    job = next(row for row in await service.rows(Job) if row.id == job_id)
    assert (job.status, job.lease_owner) == ("PROCESSING", None)
    assert 0 < job.success_count < POOLS
    await settle(service)
    assert {row.renewal_count for row in await pool_rows(service, program_id)} == {1}
    job = next(row for row in await service.rows(Job) if row.id == job_id)
    assert (job.status, job.success_count) == ("FINISHED", POOLS)


async def test_a_runner_forgets_what_others_have_done(idle_service: Service) -> None:
    """A job that it has lost is nothing to keep, nor to hand back when it stops."""
    service, clock = idle_service, Clock()
    program_id = await large_program(service, MANY)
    await settle(service)
    await act(service, "renew", program_id)
    engine, directory = Engine(service.store, clock=clock), service.running.services.directory
    one = JobRunner(engine, service.store, directory)
    assert await one._take_turn(service.tenant.id)
    clock.move(hours=1)
    another = JobRunner(Engine(service.store, clock=clock), service.store, directory)
    another.start()
    await another.settle()
    await another.close()
    assert not await one._take_turn(service.tenant.id)
    submitted = engine.submitted
    await one.close()
    assert engine.submitted == submitted
    assert {row.renewal_count for row in await pool_rows(service, program_id)} == {1}


async def test_a_large_job_does_not_hold_up_another_tenant(idle_service: Service) -> None:
    """A job of few rows that was asked for last is done before a large one of another tenant."""
    large, small = idle_service, await idle_service.another_tenant()
    program_ids = [await large_program(large, MANY), await large_program(small, 2)]
    await settle(large)
    await limit_requests(small)
    asked = [
        await act(service, "renew", program_id)
        for service, program_id in zip((large, small), program_ids, strict=True)
    ]
    await settle(large)
    jobs = [
        next(row for row in await service.rows(Job) if row.id == job_id)
        for service, job_id in zip((large, small), asked, strict=True)
    ]
    assert [job.success_count for job in jobs] == [MANY, 2]
    assert jobs[1].updated < jobs[0].updated


async def test_a_tenants_trouble_is_not_anothers(idle_service: Service) -> None:
    """Where one tenant's jobs can't even be read, the next one's are done as ever."""
    broken, sound = idle_service, await idle_service.another_tenant()
    program_ids = [await large_program(service, 2) for service in (broken, sound)]
    for service in (broken, sound):
        await limit_requests(service)
    asked = [
        await act(service, "renew", program_id)
        for service, program_id in zip((broken, sound), program_ids, strict=True)
    ]
    await set_status(broken, asked[0], "UNHEARD_OF")
    runner, done = new_runner(sound), asyncio.Event()

    def notice(written: frozenset[type[Row]]) -> None:
        if Program in written:
            done.set()

    runner._engine.on_commit(notice)
    runner.start()
    async with asyncio.timeout(SECONDS_MAX):
        await done.wait()
    await runner.close()
    assert {row.renewal_count for row in await pool_rows(sound, program_ids[1])} == {1}
    await set_status(broken, asked[0], "INITIALIZED")
    await settle(broken)
    assert {row.renewal_count for row in await pool_rows(broken, program_ids[0])} == {1}


async def set_status(service: Service, job_id: str, status: str) -> None:
    """Write a job's status behind the service's back."""
    await service.store.execute("update jobs set status = $1 where id = $2", (status, job_id))


async def test_a_sweep_takes_so_many_jobs_in_a_commit(idle_service: Service) -> None:
    """What is past its retention goes in portions, however much of it there is."""
    service = idle_service
    program_id = await large_program(service, 1)
    for _ in range(SWEEP_SIZE // 2 + 5):
        await act(service, "pause", program_id)
        await act(service, "resume", program_id)
    jobs = await service.rows(Job)
    later = jobs[-1].updated + (service.tenant.settings.job_retention_days + 1) * DAY
    engine, tenant = Engine(service.store, clock=lambda: later), service.tenant
    position: str | None = BEFORE_ALL_IDS
    left = []
    while position is not None:
        position = await engine.execute(
            SweepJobs(position=position),
            tenant_id=tenant.id,
            caller=SYSTEM,
            settings=tenant.settings,
        )
        left.append(len(await service.rows(Job)))
    assert left == [len(jobs) - SWEEP_SIZE, 0]


async def test_a_large_job_that_is_being_removed_breaks_nothing(idle_service: Service) -> None:
    """Its pages go in several commits, and the books are in order after each of them."""
    service, tenant = idle_service, idle_service.tenant
    await large_program(service, 1)
    (job,) = await service.rows(Job)
    count = SWEEP_SIZE + 1
    await service.store.execute(
        "update jobs set items = null, total = $1, success_count = $1 where id = $2",
        (count, job.id),
    )
    sql = "insert into job_pages (tenant_id, job_id, number, items) values ($1, $2, $3, $4)"
    for number in range(count):
        await service.store.execute(sql, (tenant.id, job.id, number, ITEMS))
    assert await verify_store(service.store) == []
    later = job.updated + (tenant.settings.job_retention_days + 1) * DAY
    engine = Engine(service.store, clock=lambda: later)
    left = []
    for _ in range(2):
        command = SweepJobs(position=BEFORE_ALL_IDS)
        await engine.execute(command, tenant_id=tenant.id, caller=SYSTEM, settings=tenant.settings)
        left.append((len(await service.rows(Job)), len(await service.rows(JobPage))))
        assert await verify_store(service.store) == []
    assert left == [(1, 1), (0, 0)]


async def settle(service: Service) -> None:
    """Have a runner do all jobs of all tenants, and stop."""
    runner = new_runner(service)
    runner.start()
    await runner.settle()
    await runner.close()


def new_runner(service: Service) -> JobRunner:
    """A runner of its own, as another process would have it."""
    return JobRunner(Engine(service.store), service.store, service.running.services.directory)
