"""A row that can't be worked on is told of, and holds up nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Job, JobKind, Order, Pool
from benefit_programs.domain.job_commands import SKIPS_IN_A_ROW_MAX, RetryJob
from benefit_programs.domain.values import DAY, SYSTEM
from benefit_programs.engine.engine import Engine
from benefit_programs.jobs.runner import JobRunner
from tests.support.calls import Refused, guid
from tests.support.lifecycle import (
    MANY,
    act,
    job_of,
    large_program,
    limit_requests,
    pool_rows,
    read,
    run_jobs,
)

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

UNREADABLE = "[1]"
"""What the extended fields of no pool can be."""

TOLD = "an error of the service, ValidationError; its log tells more"
"""What callers hear of that: nothing that a driver or a library says."""


async def spoil(service: Service, pool: Pool, column: str, value: Any) -> None:
    """Write what the service never would into a pool; the value that was there comes back so."""
    sql = f"update pools set {column} = $1 where tenant_id = $2 and id = $3"
    await service.store.execute(sql, (value, service.tenant.id, pool.id))


async def failures_of(service: Service, job_id: str) -> list[dict[str, Any]]:
    """The items of a job that it couldn't work on."""
    request: dict[str, Any] = {"jobId": job_id, "paging": {"limit": 100}}
    found = []
    while True:
        answer = await service.call("listAsyncJobItems", request)
        found += [each for each in answer["jobItems"] if each["status"] == "FAILURE"]
        following = answer["metadata"]["cursors"].get("next")
        if following is None:
            return found
        request["paging"] = {"limit": 100, "cursor": following}


async def job_from(service: Service, kind: JobKind) -> Job:
    (job,) = [row for row in await service.rows(Job) if row.kind == kind]
    return job


async def test_a_pool_that_cannot_be_renewed_is_told_of(idle_service: Service) -> None:
    """The other pools are renewed once, the program is done, and the job names the one."""
    service = idle_service
    program_id = await large_program(service)
    bad = (await pool_rows(service, program_id))[7]
    await spoil(service, bad, "snapshot_id", guid())
    job_id = await act(service, "renew", program_id)
    await run_jobs(service)
    job = await job_of(service, job_id)
    assert job["status"] == "FINISHED"
    assert job["counts"] == {
        "total": MANY,
        "successCount": MANY - 1,
        "failCount": 1,
        "errorByCodeCount": {"INTERNAL": 1},
    }
    (failure,) = await failures_of(service, job_id)
    assert (failure["id"], failure["error"]["code"]) == (bad.id, "INTERNAL")
    assert failure["error"]["description"].startswith("an error of the service, ")
    await spoil(service, bad, "snapshot_id", bad.snapshot_id)
    counts = {row.id: row.renewal_count for row in await pool_rows(service, program_id)}
    assert counts.pop(bad.id) == 0
    assert set(counts.values()) == {1}
    assert "targetStatus" not in await read(service, program_id)


async def test_a_pool_that_cannot_be_opened_is_told_of(idle_service: Service) -> None:
    """The program gets the others, and isn't held up by the one that it can't get."""
    service = idle_service
    plan = await service.create_program_definition()
    for _ in range(3):
        await service.create_pool_definition(programDefinitionIds=[plan["id"]])
    await limit_requests(service, 1)
    answer = await service.provision(program_definition=plan)
    bad = sorted(await service.rows(Order), key=lambda order: str(order.opened_id))[1]
    where = (service.tenant.id, bad.opened_id)
    sql = "update orders set snapshot_id = $1 where tenant_id = $2 and opened_id = $3"
    await service.store.execute(sql, (guid(), *where))
    await run_jobs(service)
    assert (await job_of(service, answer["jobId"]))["counts"]["failCount"] == 1
    (failure,) = await failures_of(service, answer["jobId"])
    assert failure["id"] == bad.opened_id
    program_id = answer["program"]["id"]
    assert (await read(service, program_id))["status"] == "ACTIVE"
    assert len(await pool_rows(service, program_id)) == 2
    assert await service.rows(Order) == []


async def many_pools(service: Service) -> dict[str, Any]:
    definition = await service.create_pool_definition()
    calls = [service.provision(pool_definition=definition) for _ in range(MANY + 50)]
    await asyncio.gather(*calls)
    return definition


async def rename(service: Service, definition: dict[str, Any]) -> None:
    change = {"id": definition["id"], "revision": "1", "displayName": "Gold"}
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    await service.call("updatePoolDefinition", request)


async def test_a_pool_that_cannot_even_be_read_is_told_of(idle_service: Service) -> None:
    """A cascade passes by what no process can read, by its id alone."""
    service = idle_service
    definition = await many_pools(service)
    pools = await service.rows(Pool)
    bad = [pools[3], pools[120]]
    await rename(service, definition)
    for pool in bad:
        await spoil(service, pool, "extended_fields", UNREADABLE)
    await run_jobs(service)
    job = await job_from(service, JobKind.UPDATE_POOLS)
    assert (job.status, job.fail_count, job.done_count) == ("FINISHED", 2, len(pools))
    failures = await failures_of(service, job.id)
    assert [each["id"] for each in failures] == [pool.id for pool in bad]
    for pool in bad:
        await spoil(service, pool, "extended_fields", None)
    revisions = [row.revision for row in await service.rows(Pool)]
    assert (revisions.count(1), revisions.count(2)) == (2, len(pools) - 2)


async def test_what_fails_everywhere_fails_the_job(idle_service: Service) -> None:
    """Rows that fail one after the other stop it, with the reason; a retry goes on from there."""
    service = idle_service
    definition = await many_pools(service)
    pools = await service.rows(Pool)
    await rename(service, definition)
    for pool in pools[10:]:
        await spoil(service, pool, "extended_fields", UNREADABLE)
    await run_jobs(service)
    job = await job_from(service, JobKind.UPDATE_POOLS)
    assert (job.status, job.success_count) == ("FAILED", 10)
    assert job.fail_count == SKIPS_IN_A_ROW_MAX
    assert job.reason == TOLD
    for pool in pools[10:]:
        await spoil(service, pool, "extended_fields", None)
    engine, tenant = service.engine, service.tenant
    command = RetryJob(job_id=job.id)
    await engine.execute(command, tenant_id=tenant.id, caller=SYSTEM, settings=tenant.settings)
    await run_jobs(service)
    job = await job_from(service, JobKind.UPDATE_POOLS)
    assert (job.status, job.fail_count) == ("FINISHED", SKIPS_IN_A_ROW_MAX)
    assert job.done_count == job.total == len(pools)


async def test_few_pools_fail_as_a_whole(idle_service: Service) -> None:
    """What is done within its request is done wholly or not at all: the caller is told."""
    service = idle_service
    program_id = await large_program(service, 3)
    bad = (await pool_rows(service, program_id))[1]
    await spoil(service, bad, "snapshot_id", guid())
    with pytest.raises(Refused) as refused:
        await act(service, "renew", program_id)
    assert refused.value.status == 500
    await spoil(service, bad, "snapshot_id", bad.snapshot_id)
    assert {row.renewal_count for row in await pool_rows(service, program_id)} == {0}


async def test_a_failed_action_is_kept_until_it_is_retried(idle_service: Service) -> None:
    """A program that waits for its job doesn't wait for ever: the job isn't swept meanwhile."""
    service = idle_service
    program_id = await large_program(service)
    pools = await pool_rows(service, program_id)
    job_id = await act(service, "renew", program_id)
    for pool in pools:
        await spoil(service, pool, "extended_fields", UNREADABLE)
    await run_jobs(service)
    job = await job_from(service, JobKind.RENEW_PROGRAM)
    assert job.status == "FAILED"
    later = job.updated + (service.tenant.settings.job_retention_days + 1) * DAY
    runner = JobRunner(
        Engine(service.store, clock=lambda: later),
        service.store,
        service.running.services.directory,
    )
    await runner.sweep(service.tenant)
    assert [row.id for row in await service.rows(Job)] == [job_id]
    for pool in pools:
        await spoil(service, pool, "extended_fields", None)
