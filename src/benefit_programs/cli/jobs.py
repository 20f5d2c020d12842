"""``benefits worker`` and ``benefits jobs``: background work and its results."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

import structlog
import typer

from benefit_programs.bootstrap import (
    open_database,
    open_worker,
    search_garbage_seldom,
    warn_of_unknown_variables,
)
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.operating import (
    RemoteJobs,
    Url,
    call_service,
    names_its_runner,
    require_one_place,
)
from benefit_programs.cli.operator import operator
from benefit_programs.cli.options import (
    TENANT_ID_MAX,
    DatabaseUrl,
    DataDir,
    answers,
    database_settings,
)
from benefit_programs.cli.output import Answer, instant, print_line, progress_bar
from benefit_programs.cli.remote import ApiKey, SiteId
from benefit_programs.cli.serve import address, listen, loop_factory, server_config
from benefit_programs.cli.service_manager import ServiceManager, WatchedServer
from benefit_programs.config import Settings
from benefit_programs.domain.entities import Job
from benefit_programs.engine.engine import read_clock
from benefit_programs.jobs.operations import JobOperations
from benefit_programs.storage.directory import DEFAULT_TENANT_ID, Directory

T = TypeVar("T")

LIST_MAX = 1000
"""How many jobs one call lists at the most."""

LOOK_SECONDS = 0.5
"""How often a job that is followed is looked at."""

_OTHER_PORT = "Choose another port with BENEFITS_WORKER_METRICS_PORT; 0 takes a free one."
_OTHER_HOST = "Choose another address with BENEFITS_WORKER_METRICS_HOST."

commands = typer.Typer(
    name="jobs", no_args_is_help=True, help="Look at background jobs, and mend them."
)
top = typer.Typer()
"""Commands that stand directly below ``benefits``."""

JobId = Annotated[UUID, typer.Argument(help="The id of the job.", metavar="JOB")]


@top.command("worker")
def work(*, database_url: DatabaseUrl = None) -> None:
    """Do background jobs until Ctrl+C or SIGTERM. PostgreSQL only.

    Servers do jobs themselves; workers take this load off them. Several workers share the jobs.
    """
    settings = database_settings(None, database_url)
    if settings.is_sqlite:
        raise WrongUsage("A SQLite file has no workers: the server of the file does its jobs.")
    warn_of_unknown_variables()
    manager = ServiceManager()

    async def run() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with open_worker(settings) as application:
            if listener is not None:
                print_line(f"Metrics at {address(settings.worker_metrics_host, listener)}/metrics")
            print_line("Working.")
            sys.stdout.flush()
            search_garbage_seldom()
            if listener is None:
                await _work_until(stopped, manager)
            else:
                # This hears the signals, too.
                server = WatchedServer(server_config(settings, application), manager)
                await server.serve([listener])

    with (
        _metrics_listener(settings) as listener,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        runner.run(run())
    structlog.get_logger().info("stopped")


async def _work_until(stopped: asyncio.Event, manager: ServiceManager) -> None:
    """Let the background do its work, and the service manager know."""
    manager.ready()
    while not stopped.is_set():
        manager.alive()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), manager.watchdog_seconds)
    manager.stopping()


def _metrics_listener(settings: Settings) -> AbstractContextManager[socket.socket | None]:
    port = settings.worker_metrics_port
    if port is None:
        return nullcontext()
    return listen(
        settings.worker_metrics_host, port, other_port=_OTHER_PORT, other_host=_OTHER_HOST
    )


class Jobs(Protocol):
    """The jobs of a tenant, on the database or at a service."""

    async def newest(self, limit: int, *, unfinished: bool) -> list[Job]: ...

    async def one(self, job_id: str) -> Job: ...

    async def retry(self, job_id: str) -> Job: ...

    async def cancel(self, job_id: str) -> Job: ...


class Operate(Protocol):
    """Calls a function on the jobs of a tenant, and closes the database or the client."""

    def __call__(self, work: Callable[[Jobs], Awaitable[T]], /) -> T: ...


def _anywhere(
    *,
    tenant: Annotated[
        int | None,
        typer.Option(
            "--tenant",
            min=1,
            max=TENANT_ID_MAX,
            help="The id of the tenant. Default: 1.",
            metavar="ID",
        ),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    site_id: SiteId = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> AbstractContextManager[Operate]:
    require_one_place(url, data_dir, database_url, tenant)

    def operate(work: Callable[[Jobs], Awaitable[T]]) -> T:
        if url is not None:
            return call_service(url, api_key, site_id, lambda each: work(RemoteJobs(each)))
        settings = database_settings(data_dir, database_url)

        async def run() -> T:
            async with open_database(settings) as store:
                directory = Directory(store, clock=read_clock)
                found = await directory.tenant(tenant or DEFAULT_TENANT_ID)
                return await work(JobOperations(store, found.id, found.settings, actor=operator()))

        return asyncio.run(run())

    return nullcontext(operate)


@answers(commands, "list", _anywhere)
def list_jobs(
    operate: Operate,
    *,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Only those that have not ended.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="How many.", metavar="N")] = 50,
) -> Answer:
    """List the newest jobs of a tenant."""
    jobs = operate(lambda jobs: jobs.newest(limit, unfinished=unfinished))
    columns = ("ID", "KIND", "STATUS", "DONE", "TOTAL", "FAILED", "CREATED", "REASON")
    return Answer({"jobs": [_document(job) for job in jobs]}, columns, [_row(job) for job in jobs])


@answers(commands, "show", _anywhere, only_json=True)
def show_job(
    operate: Operate,
    job_id: JobId,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end, with a progress bar on a terminal.")
    ] = False,
) -> Answer:
    """Show one job, as JSON."""
    if wait:
        return Answer(_document(operate(lambda jobs: _follow(jobs, str(job_id)))))
    return Answer(_document(operate(lambda jobs: jobs.one(str(job_id)))))


@answers(commands, "retry", _anywhere, only_json=True)
def retry_job(operate: Operate, job_id: JobId) -> Answer:
    """Continue a failed job where it stopped."""
    return Answer(_document(operate(lambda jobs: jobs.retry(str(job_id)))))


@answers(commands, "cancel", _anywhere, only_json=True)
def cancel_job(operate: Operate, job_id: JobId) -> Answer:
    """Cancel a cascade, not an action. Pools that it hasn't reached stay as they are."""
    return Answer(_document(operate(lambda jobs: jobs.cancel(str(job_id)))))


async def _follow(operations: Jobs, job_id: str) -> Job:
    job = await operations.one(job_id)
    while job.status not in Job.over and not job.total:
        await asyncio.sleep(LOOK_SECONDS)
        job = await operations.one(job_id)
    with progress_bar(job.total) as show:
        while job.status not in Job.over:
            show(job.done_count, f"{job.done_count} of {job.total}")
            await asyncio.sleep(LOOK_SECONDS)
            job = await operations.one(job_id)
    return job


def _row(job: Job) -> tuple[Any, ...]:
    created, done = instant(job.created), job.done_count
    return (job.id, job.kind, job.status, done, job.total, job.fail_count, created, job.reason)


def _document(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "subjectId": job.subject_id,
        "createdDate": instant(job.created),
        "updatedDate": instant(job.updated),
        "total": job.total,
        "successCount": job.success_count,
        "failCount": job.fail_count,
        "errorByCodeCount": job.errors or {},
        **_held(job),
        "reason": job.reason,
    }


def _held(job: Job) -> dict[str, Any]:
    """Who works on a job, which only the database says."""
    if not names_its_runner(job):
        return {}
    return {
        "attempts": job.attempts,
        "leaseOwner": job.lease_owner,
        "leaseUntil": instant(job.due) if job.lease_owner else None,
    }
