"""Whoever does a job may be killed at any moment: it is done to its end, each pool once."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.domain.details import CreditConfiguration, Details
from benefit_programs.domain.entities import (
    Job,
    Pool,
    ProgramStatus,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.pool_definitions import CreatePoolDefinition
from benefit_programs.domain.program_definitions import CreateProgramDefinition
from benefit_programs.domain.programs import ProvisionProgram
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.values import CREDIT, Cascade, Identity, IdentityType
from benefit_programs.storage.directory import DEFAULT_TENANT_ID
from tests.support.calls import Caller, guid
from tests.support.databases import run_apart
from tests.support.inprocess import Service, open_application
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.service import FIRST_KEY
from tests.support.serving import Command, ServerProcess, run_benefits, start_benefits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

POOLS = 2_000
POOLS_FULL = 20_000
KILLS = {POOLS: 2, POOLS_FULL: 5}
AT_ONCE = 500
WAITS_MAX = 100_000


class Seeded:
    """A database with a program definition and many programs of it."""

    def __init__(self, url: str, pools: int) -> None:
        self.url = url
        self.pools = pools
        self.plan = ""
        self.definition = ""

    async def seed(self) -> None:
        async with open_application(self.url, bootstrap_api_key=FIRST_KEY) as (running, _):
            engine = running.services.engine
            common = {
                "tenant_id": DEFAULT_TENANT_ID,
                "caller": Identity(IdentityType.WIX_USER, guid()),
                "settings": TenantSettings(),
            }
            plan = await engine.execute(
                CreateProgramDefinition(namespace="gym", external_id=guid()), **common
            )
            made = await engine.execute(
                CreatePoolDefinition(
                    namespace="gym",
                    details=Details(credit_configuration=CreditConfiguration(amount=CREDIT)),
                    cascade=Cascade.FUTURE_PROVISIONS,
                    program_definition_ids=(plan.id,),
                ),
                **common,
            )
            self.plan, self.definition = plan.id, made.definition.id
            for start in range(0, self.pools, AT_ONCE):
                commands = [
                    ProvisionProgram(
                        beneficiary=Identity(IdentityType.MEMBER, guid()),
                        namespace="gym",
                        external_id=str(number),
                        status=ProgramStatus.ACTIVE,
                        program_definition_id=plan.id,
                    )
                    for number in range(start, min(start + AT_ONCE, self.pools))
                ]
                await asyncio.gather(*(engine.submit(each, **common) for each in commands))

    async def leave_job(self, kind: str) -> str:
        """Ask for a large change where nobody does jobs, and give the job that waits."""
        async with self.look_inside() as service:
            service.key = FIRST_KEY
            await start_job(service, self, kind)
            (job,) = [row for row in await service.rows(Job) if row.status == "INITIALIZED"]
        return job.id

    @asynccontextmanager
    async def look_inside(self) -> AsyncIterator[Service]:
        """The rows of the tenant, with no server running."""
        async with open_application(self.url, run_jobs=False) as (running, client):
            tenant = await running.services.directory.tenant(DEFAULT_TENANT_ID)
            yield Service(running, client, tenant)


@pytest.fixture(params=[POOLS, pytest.param(POOLS_FULL, marks=pytest.mark.full)])
def seeded(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Seeded]:
    """Give a database with many pools of one definition."""
    seeded = Seeded(databases.create(), request.param)
    run_apart(seeded.seed())
    yield seeded
    databases.drop(seeded.url)


class Serving(ServerProcess):
    """A server of the seeded database."""

    def __init__(self, seeded: Seeded, log: Path, **variables: str) -> None:
        super().__init__(
            ["--log-format", "json"],
            log,
            BENEFITS_DATABASE_URL=seeded.url,
            BENEFITS_BOOTSTRAP_API_KEY=FIRST_KEY,
            **variables,
        )

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Caller]:
        async with httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False) as client:
            yield Caller(client, FIRST_KEY)


async def start_job(caller: Caller, seeded: Seeded, kind: str) -> None:
    if kind == "update":
        change = {"id": seeded.definition, "revision": "1", "displayName": "Gold"}
        request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
        await caller.call("updatePoolDefinition", request)
    elif kind == "add":
        new = {
            "namespace": "gym",
            "details": {"benefits": [], "creditConfiguration": {"amount": "3"}},
            "programDefinitionIds": [seeded.plan],
        }
        request = {"poolDefinition": new, "cascade": "IMMEDIATELY"}
        await caller.call("createPoolDefinition", request)
    else:
        request = {"programDefinitionId": seeded.plan, "cascadeType": "IMMEDIATELY"}
        await caller.call("deleteProgramDefinition", request)


async def progress_of(caller: Caller, job_id: str) -> tuple[str, int]:
    """How a job stands."""
    job = (await caller.call("getAsyncJob", {"jobId": job_id}))["job"]
    return job["status"], job["counts"]["successCount"]


async def wait_for_progress(server: Serving, job_id: str, chance: random.Random) -> bool:
    """Wait until a job has come further by some chunks; whether it still has some to do."""
    async with server.connect() as caller:
        status, before = await progress_of(caller, job_id)
        further = chance.randrange(1, 800)
        for _ in range(WAITS_MAX):
            status, now = await progress_of(caller, job_id)
            if status in {"FINISHED", "FAILED"} or now >= before + further:
                return status == "PROCESSING"
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    raise AssertionError("the job stands still")


async def require_done_once(seeded: Seeded, kind: str) -> None:
    """Fail unless each pool has been changed, and told of, exactly once."""
    async with seeded.look_inside() as service:
        pools = await service.rows(Pool)
        told: dict[str, list[str]] = {}
        for event in await service.rows(Event):
            told.setdefault(event.entity_id, []).append(event.slug)
    old = [pool for pool in pools if pool.pool_definition_id == seeded.definition]
    new = [pool for pool in pools if pool.pool_definition_id != seeded.definition]
    assert len(old) == seeded.pools
    assert len(new) == (seeded.pools if kind == "add" else 0)
    assert len({pool.program_id for pool in new}) == len(new)
    expected = {"update": ["updated"], "add": [], "end": ["updated+ended"]}[kind]
    for pool in old:
        assert told[pool.id][1:] == expected
        assert pool.revision == 1 + len(expected)
        assert (pool.status == "ENDED") == (kind == "end")
    verified = run_benefits("verify", BENEFITS_DATABASE_URL=seeded.url)
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.parametrize(
    "kind",
    [
        "update",
        pytest.param("add", marks=pytest.mark.full),
        pytest.param("end", marks=pytest.mark.full),
    ],
)
async def test_a_killed_server_leaves_jobs_that_the_next_one_ends(
    seeded: Seeded, tmp_path: Path, kind: str
) -> None:
    """Killed at random moments, a server is followed by others that do the rest, each pool once."""
    chance = random.Random(kind)
    job_id = await seeded.leave_job(kind)
    server = Serving(seeded, tmp_path / "log")
    killed = 0
    while killed < KILLS[seeded.pools] and await wait_for_progress(server, job_id, chance):
        killed += 1
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        server = Serving(seeded, tmp_path / "log")
    await finish(server, job_id)
    server.stop()
    assert killed
    await require_done_once(seeded, kind)


async def test_a_killed_worker_leaves_jobs_that_another_one_ends(
    seeded: Seeded, tmp_path: Path
) -> None:
    """Where servers do no jobs workers do; what one of them leaves, another takes over."""
    if seeded.url.startswith("sqlite"):
        refused = run_benefits("worker", BENEFITS_DATABASE_URL=seeded.url)
        assert refused.returncode == 2
        assert "the server of the file does its jobs" in refused.stderr
        return
    chance = random.Random("worker")
    job_id = await seeded.leave_job("update")
    server = Serving(seeded, tmp_path / "log", BENEFITS_RUN_JOBS="false")
    workers = [start_worker(seeded, tmp_path) for _ in range(2)]
    for _ in range(KILLS[seeded.pools]):
        if not await wait_for_progress(server, job_id, chance):
            break
        for worker in workers:
            worker.kill()
            worker.wait()
        workers = [start_worker(seeded, tmp_path) for _ in range(2)]
    await finish(server, job_id)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    server.stop()
    await require_done_once(seeded, "update")


def start_worker(seeded: Seeded, tmp_path: Path) -> Command:
    with (tmp_path / "worker").open("a") as log:
        return start_benefits(
            "worker",
            stdout=log.fileno(),
            stderr=log.fileno(),
            BENEFITS_DATABASE_URL=seeded.url,
        )


async def finish(server: Serving, job_id: str) -> None:
    """Wait for the end of a job, which must be a good one."""
    async with server.connect() as caller:
        for _ in range(WAITS_MAX):
            status, done = await progress_of(caller, job_id)
            if status in {"FINISHED", "FAILED"}:
                assert status == "FINISHED"
                assert done
                return
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    raise AssertionError("the job doesn't end")
