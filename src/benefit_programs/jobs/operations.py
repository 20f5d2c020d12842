"""What an operator does with jobs: look at them, try one again, give one up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from benefit_programs.domain.audit_rows import Actor
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import Job
from benefit_programs.domain.errors import JobNotFound
from benefit_programs.domain.job_commands import CancelJob, RetryJob
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import Store
from benefit_programs.domain.values import SYSTEM
from benefit_programs.engine.engine import Engine
from benefit_programs.storage.query import Dialect
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of

Answer = TypeVar("Answer")

UNFINISHED = "t.status not in ('FINISHED', 'FAILED')"


class ListingStore(Store, Protocol):
    """A database whose jobs can be listed."""

    dialect: Dialect


class JobOperations:
    """The jobs of one tenant, for a short command beside servers that may be running."""

    def __init__(
        self, store: ListingStore, tenant_id: int, settings: TenantSettings, *, actor: Actor
    ) -> None:
        self._store = store
        self._engine = Engine(store)
        self._tenant_id = tenant_id
        self._settings = settings
        self._actor = actor

    async def newest(self, limit: int, *, unfinished: bool) -> list[Job]:
        condition = f"t.tenant_id = $1 and {UNFINISHED}" if unfinished else "t.tenant_id = $1"
        return await self._select(f"{condition} order by t.id desc limit $2", (limit,))

    async def one(self, job_id: str) -> Job:
        """The job with this id. Raises JobNotFound."""
        jobs = await self._select("t.tenant_id = $1 and t.id = $2", (job_id,))
        if not jobs:
            raise JobNotFound(job_id=job_id)
        return jobs[0]

    async def retry(self, job_id: str) -> Job:
        """Let a failed job go on. Raises JobNotFound or JobNotRetryable."""
        return await self._execute(RetryJob(job_id=job_id), "retryJob")

    async def cancel(self, job_id: str) -> Job:
        """Give up a cascade. Raises JobNotFound or JobNotCancelable."""
        return await self._execute(CancelJob(job_id=job_id), "cancelJob")

    async def _select(self, condition: str, parameters: Sequence[Any]) -> list[Job]:
        codec, columns = CODECS[Job], columns_of(Job, "t", self._store.dialect)
        sql = f"select {columns} from {codec.table} t where {condition}"  # noqa: S608 - no values
        rows = await self._store.fetch(sql, (self._tenant_id, *parameters))
        return [codec.read(row) for row in rows]

    async def _execute(self, command: Command[Answer], method: str) -> Answer:
        return await self._engine.execute(
            command,
            tenant_id=self._tenant_id,
            caller=SYSTEM,
            settings=self._settings,
            actor=replace(self._actor, method=method),
        )
