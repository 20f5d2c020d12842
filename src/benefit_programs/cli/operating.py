"""Commands of operators: on the database, or over HTTP where ``--url`` names a service.

The environment alone doesn't send them to a service: they are what makes the first keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Annotated, Protocol, TypeVar

import typer

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.options import (
    Ask,
    DatabaseUrl,
    DataDir,
    Register,
    answers,
    directory_of,
)
from benefit_programs.cli.remote import ApiKey as KeyOption
from benefit_programs.cli.remote import SiteId, key_for
from benefit_programs.client import ApiKey as AnsweredKey
from benefit_programs.client import (
    ApiKeyIdentity,
    AsyncBenefitPrograms,
    JobFilter,
    KeyHolderType,
)
from benefit_programs.client import Job as AnsweredJob
from benefit_programs.client import Tenant as AnsweredTenant
from benefit_programs.domain.entities import Job, JobStatus
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.directory import DEFAULT_TENANT_ID, ApiKey, Grants, NewKey, Tenant

T = TypeVar("T")

Url = Annotated[
    str | None,
    typer.Option("--url", help="Call the service at this address, with a key.", metavar="URL"),
]


class KeysAndTenants(Protocol):
    """The part of the directory that commands know."""

    async def create_key(
        self,
        name: str,
        *,
        tenant_ids: Sequence[int],
        grants: Grants,
        expires: int | None = None,
    ) -> NewKey: ...

    async def keys(self) -> list[ApiKey]: ...

    async def revoke_key(self, key_id: str) -> ApiKey: ...

    async def create_tenant(
        self, name: str, *, site_id: str | None = None, is_sandbox: bool = False
    ) -> Tenant: ...

    async def tenants(self) -> list[Tenant]: ...


class AskAnywhere(Protocol):
    """Calls a function on the directory, wherever it is, and closes it."""

    usual_tenant_ids: tuple[int, ...]
    """Which tenants a key opens if nobody says; none where the caller's key says it."""

    def __call__(self, work: Callable[[KeysAndTenants], Awaitable[T]], /) -> T: ...


def asks_anywhere(commands: typer.Typer, name: str) -> Register:
    """Register a command of keys, here or at a service: it takes ``AskAnywhere``."""
    return answers(commands, name, _anywhere)


def asks_installation(commands: typer.Typer, name: str) -> Register:
    """Register a command of tenants, here or at a service: it takes ``AskAnywhere``."""
    return answers(commands, name, _installation)


def call_service(
    url: str,
    api_key: str | None,
    site_id: str | None,
    work: Callable[[AsyncBenefitPrograms], Awaitable[T]],
) -> T:
    """Do something with a client of a service. Raises WrongUsage without a key."""
    key = key_for(url, api_key)

    async def run() -> T:
        try:
            client = AsyncBenefitPrograms(url, key, site_id=site_id)
        except ValueError as error:
            raise WrongUsage(f"the service can't be called: {error}") from None
        async with client:
            return await work(client)

    return asyncio.run(run())


def require_one_place(url: str | None, *others: object) -> None:
    """Raise WrongUsage if a service is named, and something that only a database has."""
    if url and any(each is not None for each in others):
        raise WrongUsage(
            "--url names a service: leave out --data-dir and --database-url, "
            "and name a tenant with --site-id"
        )


def _anywhere(
    *,
    url: Url = None,
    api_key: KeyOption = None,
    site_id: SiteId = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> AbstractContextManager[AskAnywhere]:
    require_one_place(url, data_dir, database_url)
    if url is None:
        return nullcontext(_OnDatabase(directory_of(data_dir, database_url)))
    return nullcontext(_AtService(url, api_key, site_id))


def _installation(
    *,
    url: Url = None,
    api_key: KeyOption = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> AbstractContextManager[AskAnywhere]:
    return _anywhere(url=url, api_key=api_key, data_dir=data_dir, database_url=database_url)


class _OnDatabase:
    usual_tenant_ids: tuple[int, ...] = (DEFAULT_TENANT_ID,)

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, work: Callable[[KeysAndTenants], Awaitable[T]], /) -> T:
        return self._ask(work)


class _AtService:
    usual_tenant_ids: tuple[int, ...] = ()

    def __init__(self, url: str, api_key: str | None, site_id: str | None) -> None:
        self._url = url
        self._api_key = api_key
        self._site_id = site_id

    def __call__(self, work: Callable[[KeysAndTenants], Awaitable[T]], /) -> T:
        return call_service(
            self._url, self._api_key, self._site_id, lambda each: work(RemoteDirectory(each))
        )


class RemoteDirectory:
    """The directory of a service, as far as a key may look."""

    def __init__(self, client: AsyncBenefitPrograms) -> None:
        self._client = client

    async def create_key(
        self,
        name: str,
        *,
        tenant_ids: Sequence[int],
        grants: Grants,
        expires: int | None = None,
    ) -> NewKey:
        """Make a key of the tenant that the caller's key acts for; ids can't name it."""
        if tenant_ids:
            raise WrongUsage("--tenant is for databases: name a tenant of a service by --site-id")
        identity = ApiKeyIdentity(type=KeyHolderType(grants.identity.type), id=grants.identity.id)
        made = await self._client.api_keys.create(
            name,
            identity=identity,
            scopes=grants.scopes,
            permission_ids=grants.permission_ids,
            expiration_date=_date(expires),
        )
        return NewKey(_key(made.api_key), made.secret)

    async def keys(self) -> list[ApiKey]:
        found = self._client.api_keys.query(sort=["created_date"])
        return [_key(each) async for each in found]

    async def revoke_key(self, key_id: str) -> ApiKey:
        return _key(await self._client.api_keys.revoke(key_id))

    async def create_tenant(
        self, name: str, *, site_id: str | None = None, is_sandbox: bool = False
    ) -> Tenant:
        made = await self._client.tenants.create(name, site_id=site_id, sandbox=is_sandbox)
        return _tenant(made)

    async def tenants(self) -> list[Tenant]:
        return [_tenant(each) async for each in self._client.tenants.list()]


def names_its_runner(job: Job) -> bool:
    """Whether it is known who works on a job: a service doesn't say it, nor who asked for it."""
    return job.created_by_type is not IdentityType.UNKNOWN


class RemoteJobs:
    """The jobs of the tenant that a key acts for."""

    def __init__(self, client: AsyncBenefitPrograms) -> None:
        self._jobs = client.async_jobs

    async def newest(self, limit: int, *, unfinished: bool) -> list[Job]:
        live: JobFilter = {"status": {"$nin": list(Job.over)}} if unfinished else {}
        found: list[Job] = []
        async for each in self._jobs.query(live, sort=["-created_date"]):
            found.append(_job(each))
            if len(found) == limit:
                break
        return found

    async def one(self, job_id: str) -> Job:
        return _job(await self._jobs.get(job_id))

    async def retry(self, job_id: str) -> Job:
        return _job(await self._jobs.retry(job_id))

    async def cancel(self, job_id: str) -> Job:
        return _job(await self._jobs.cancel(job_id))


def _job(job: AnsweredJob) -> Job:
    counts = job.counts
    return Job(
        id=job.id,
        created=_instant(job.created_date),
        updated=_instant(job.updated_date),
        kind=job.metadata["kind"],
        status=JobStatus(job.status),
        subject_id=job.metadata["subjectId"],
        created_by_type=IdentityType.UNKNOWN,
        created_by_id="",
        total=counts.total or 0,
        success_count=counts.success_count or 0,
        fail_count=counts.fail_count or 0,
        errors=counts.error_by_code_count,
        reason=job.metadata.get("reason"),
    )


def _key(key: AnsweredKey) -> ApiKey:
    return ApiKey(
        id=key.id,
        name=key.name,
        created=_instant(key.created_date),
        tenant_ids=(),
        grants=Grants(
            identity=Identity(IdentityType(key.identity.type), key.identity.id),
            scopes=key.scopes,
            permission_ids=key.permission_ids,
        ),
        expires=_instant_or_none(key.expiration_date),
        revoked=_instant_or_none(key.revoked_date),
    )


def _tenant(tenant: AnsweredTenant) -> Tenant:
    return Tenant(
        id=tenant.id,
        site_id=tenant.site_id,
        name=tenant.name,
        created=_instant(tenant.created_date),
        settings=TenantSettings(is_sandbox=tenant.sandbox),
    )


def _instant(date: datetime) -> int:
    return round(date.timestamp() * 1000)


def _instant_or_none(date: datetime | None) -> int | None:
    return None if date is None else _instant(date)


def _date(instant: int | None) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(instant / 1000, UTC)
