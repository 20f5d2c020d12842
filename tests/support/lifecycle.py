"""What tests of programs' lives do again and again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from benefit_programs.domain.entities import Pool
from benefit_programs.domain.job_commands import Claim, ClaimJob, ReleaseJob, TidyLog
from benefit_programs.domain.orders.chunks import RunChunk
from benefit_programs.domain.values import SYSTEM
from benefit_programs.storage.agenda import JOBS_DUE
from tests.support.calls import details, guid
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benefit_programs.domain.command import Command
    from benefit_programs.domain.settings import TenantSettings
    from benefit_programs.engine.engine import Engine
    from tests.support.calls import Refused
    from tests.support.inprocess import Service

Answer = TypeVar("Answer")

CHUNKS_MAX = 10_000

MANY = 101
"""More than one request changes."""


@asynccontextmanager
async def open_idle(database_url: str) -> AsyncIterator[Service]:
    """A service whose jobs wait until ``run_jobs`` is called."""
    async with open_application(database_url, run_jobs=False) as application:
        yield await new_tenant(*application)


async def limit_requests(service: Service, most: int = 0) -> None:
    """Have a tenant's requests change only so many pools or programs; jobs do the rest."""

    def change(old: TenantSettings) -> TenantSettings:
        return msgspec.structs.replace(old, in_request_max=most)

    await service.running.services.directory.change_settings(service.tenant.id, change)


async def run_jobs(service: Service) -> None:
    runner = service.running.runner
    if not runner.is_started:
        runner.start()
    await runner.settle()


async def do(service: Service, command: Command[Answer]) -> Answer:
    """Have the engine do a command as the runner of jobs would."""
    settings = await service.running.services.directory.settings(service.tenant.id)
    return await service.engine.execute(
        command, tenant_id=service.tenant.id, caller=SYSTEM, settings=settings
    )


async def claim_job(
    service: Service, owner: str = "one", *, engine: Engine | None = None, alone: bool = True
) -> Claim | None:
    """Take the job that has waited longest, as a runner would."""
    engine, tenant = engine or service.engine, service.tenant
    found = await service.store.fetch(JOBS_DUE, (tenant.id, engine.now(), int(alone)))
    candidates = tuple(row[0] for row in found)
    return await engine.execute(
        ClaimJob(owner=owner, alone=alone, candidates=candidates),
        tenant_id=tenant.id,
        caller=SYSTEM,
        settings=tenant.settings,
    )


async def do_jobs(service: Service) -> None:
    """Do all jobs of a tenant to their end, as a runner that has no other tenant would."""
    for _ in range(CHUNKS_MAX):
        claim = await claim_job(service)
        if claim is not None:
            await do(service, RunChunk(job_id=claim.job.id, owner="one"))
        elif not await do(service, TidyLog()):
            return
    raise AssertionError("the jobs don't end")


async def put_off(service: Service) -> str:
    """Let the oldest job have waited less than all others; its kind."""
    claim = await claim_job(service)
    assert claim is not None
    await do(service, ReleaseJob(job_id=claim.job.id, owner="one"))
    return claim.job.kind


def request(action: str, program_id: str, key: str | None = None) -> dict[str, Any]:
    """The body of an action."""
    keyed = {} if action == "end" else {"idempotencyKey": key or guid()}
    return {"programId": program_id, **keyed}


async def act(service: Service, action: str, program_id: str, key: str | None = None) -> str:
    """Do an action, and give its job."""
    answer = await service.call(f"{action}Program", request(action, program_id, key))
    return answer["jobId"]  # type: ignore[no-any-return]


async def refused(
    service: Service, action: str, program_id: str, key: str | None = None
) -> Refused:
    """Ask for an action that must be refused."""
    return await service.refusal(f"{action}Program", request(action, program_id, key))


async def read(service: Service, program_id: str) -> dict[str, Any]:
    answer = await service.call("getProgram", {"programId": program_id})
    return answer["program"]  # type: ignore[no-any-return]


async def job_of(service: Service, job_id: str) -> dict[str, Any]:
    return (await service.call("getAsyncJob", {"jobId": job_id}))["job"]  # type: ignore[no-any-return]


async def new_program(service: Service, pools: int = 1, **more: Any) -> str:
    """A program with some pools, of a program definition of its own."""
    program_definition = await service.create_program_definition()
    for _ in range(pools):
        await service.create_pool_definition(
            programDefinitionIds=[program_definition["id"]],
            details=more.get("details") or details(),
        )
    status = more.get("status", "ACTIVE")
    first = "ACTIVE" if status == "ENDED" else status
    answer = await service.provision(program_definition=program_definition, programStatus=first)
    program_id: str = answer["program"]["id"]
    if status == "ENDED":
        await act(service, "end", program_id)
    return program_id


async def large_program(service: Service, pools: int = MANY) -> str:
    """A program with more pools than a request changes."""
    program_definition = await service.create_program_definition()
    new = {
        "namespace": "gym",
        "details": details(),
        "programDefinitionIds": [program_definition["id"]],
    }
    for start in range(0, pools, 100):
        await service.call(
            "bulkCreatePoolDefinitions",
            {"poolDefinitions": [new] * min(100, pools - start), "cascade": "FUTURE_PROVISIONS"},
        )
    answer = await service.provision(program_definition=program_definition)
    return answer["program"]["id"]  # type: ignore[no-any-return]


async def set_balance(service: Service, pool_id: str, value: str) -> None:
    change = {"poolId": pool_id, "type": "SET", "setOptions": {"value": value}}
    await service.call("changeBalance", {**change, "idempotencyKey": guid()})


async def balance_of(service: Service, pool_id: str) -> dict[str, Any]:
    answer = await service.call("getBalance", {"poolId": pool_id})
    return answer["balance"]  # type: ignore[no-any-return]


async def pool_rows(service: Service, program_id: str) -> list[Pool]:
    return [row for row in await service.rows(Pool) if row.program_id == program_id]


async def items_of(service: Service, job_id: str) -> list[str]:
    """The ids of all things that a job tells of, page by page."""
    found: list[str] = []
    paging: dict[str, Any] = {"limit": 30}
    while True:
        answer = await service.call("listAsyncJobItems", {"jobId": job_id, "paging": paging})
        found += [each["id"] for each in answer["jobItems"]]
        following = answer["metadata"]["cursors"].get("next")
        if following is None:
            return found
        paging = {"limit": 30, "cursor": following}
