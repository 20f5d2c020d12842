"""``benefits demo``: a sample studio to look at, in a sandbox of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, NamedTuple, Self
from uuid import uuid4

import typer

from benefit_programs.api.app import Application
from benefit_programs.api.authentication import Principal
from benefit_programs.api.roles import principal_of
from benefit_programs.api.services import Services
from benefit_programs.cli.addresses import reachable, url_of
from benefit_programs.cli.exits import WrongUsage
from benefit_programs.cli.operator import operator
from benefit_programs.cli.options import (
    TENANT_ID_MAX,
    DatabaseUrl,
    DataDir,
    answers,
    database_settings,
)
from benefit_programs.cli.output import Answer, progress_bar
from benefit_programs.cli.studio import OPERATOR, STAFF, TIME_ZONE, Studio
from benefit_programs.cli.welcome import sign_in_link
from benefit_programs.config import URL_VARIABLE, Settings
from benefit_programs.domain.values import DAY, Instant
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage.directory import Directory, Tenant

commands = typer.Typer()

PEOPLE_DEFAULT = 40
PEOPLE_MAX = 500
DAYS_DEFAULT = 92
DAYS_MAX = 366
SEED_DEFAULT = 1

NAME = "Sample studio"


class Made(NamedTuple):
    """What a studio came to."""

    tenant_id: int
    site_id: str
    secret: str
    counts: Mapping[str, int]


class _MovedClock:
    """A clock that is moved, and never back."""

    def __init__(self, now: Instant) -> None:
        self._now = now

    def __call__(self) -> Instant:
        return self._now

    def set(self, now: Instant) -> None:
        self._now = max(self._now, now)


def _settings(
    *, data_dir: DataDir = None, database_url: DatabaseUrl = None
) -> AbstractContextManager[Settings]:
    return nullcontext(database_settings(data_dir, database_url))


@answers(commands, "demo", _settings)
def demo(
    settings: Settings,
    *,
    tenant: Annotated[
        int | None,
        typer.Option(
            "--tenant",
            min=1,
            max=TENANT_ID_MAX,
            help="An empty sandbox to use. Default: a new one.",
            metavar="ID",
        ),
    ] = None,
    people: Annotated[
        int, typer.Option("--people", min=1, max=PEOPLE_MAX, help="How many people come.")
    ] = PEOPLE_DEFAULT,
    days: Annotated[
        int, typer.Option("--days", min=1, max=DAYS_MAX, help="How many days they have come.")
    ] = DAYS_DEFAULT,
    seed: Annotated[
        int, typer.Option("--seed", help="The same number makes the same people and visits.")
    ] = SEED_DEFAULT,
) -> Answer:
    """Make a sample studio in a sandbox, and print a link to look at it in the console.

    No server may have a SQLite file open. Nothing is made in a tenant that has something.
    """
    made = asyncio.run(_make(settings, tenant, people=people, days=days, seed=seed))
    address = os.environ.get(URL_VARIABLE) or reachable(url_of(settings.host, settings.port))
    link = sign_in_link(address, made.secret)
    document = {"tenantId": made.tenant_id, "siteId": made.site_id, **made.counts, "link": link}
    line = f"\nNow run `benefits serve`, and open this within 15 minutes:\n\n{link}"
    row = (made.tenant_id, *made.counts.values())
    return Answer(document, ("TENANT", "PEOPLE", "PROGRAMS", "VISITS"), [row], line)


async def _make(
    settings: Settings, tenant_id: int | None, *, people: int, days: int, seed: int
) -> Made:
    from benefit_programs.bootstrap import open_service  # noqa: PLC0415 - loads everything

    now = read_clock()
    today = now // DAY * DAY
    clock = _MovedClock(today - days * DAY)
    async with open_service(
        settings, make_first_key=False, clock=clock, with_console=False
    ) as running:
        directory = running.services.directory
        await directory.ensure_default_tenant()
        tenant = await _sandbox(directory, tenant_id)
        staff = await Staff.hire(running.services, tenant.id)
        await staff.require_empty()
        await staff.call(OPERATOR, "updateSettings", {"settings": {"timeZone": TIME_ZONE}})
        studio = Studio(staff.call, clock.set, seed=seed, people=people, days=days)
        await studio.open()
        with progress_bar(days) as show:
            for day in range(days + 1):
                await studio.live(day, today - (days - day) * DAY, until=now)
                await running.runner.settle()
                show(day, "days")
        clock.set(read_clock())
        await studio.book_ahead(read_clock())
        secret = await staff.invite(OPERATOR)
    return Made(tenant.id, tenant.site_id, secret, studio.counts)


async def _sandbox(directory: Directory, tenant_id: int | None) -> Tenant:
    """The sandbox for the studio. Raises UnknownTenant or WrongUsage."""
    if tenant_id is None:
        return await directory.create_tenant(NAME, is_sandbox=True, actor=operator())
    tenant = await directory.tenant(tenant_id)
    if not tenant.settings.is_sandbox:
        raise WrongUsage(f"--tenant: {tenant_id} is no sandbox; leave it out to make one")
    return tenant


class Staff:
    """Those who work in the studio: users of the console, in whose names methods are called."""

    def __init__(self, services: Services, principals: dict[str, Principal]) -> None:
        self._application = Application(services)
        self._services = services
        self._principals = principals

    @classmethod
    async def hire(cls, services: Services, tenant_id: int) -> Self:
        """Give everybody access whom the studio names."""
        tenant, principals = await services.directory.tenant(tenant_id), {}
        for name, role in STAFF.items():
            user, _secret = await services.console_users.invite(
                name, tenant_id=tenant_id, role=role, actor=operator()
            )
            principals[name] = principal_of(user, tenant)
        return cls(services, principals)

    async def call(self, name: str, method: str, request: dict[str, Any]) -> Any:
        return await self._application.call(
            self._principals[name], method, request, request_id=f"demo-{uuid4()}"
        )

    async def require_empty(self) -> None:
        """Raise WrongUsage if the tenant has definitions, programs or people already."""
        for method, field in _HOLDINGS.items():
            found = await self.call(OPERATOR, method, {"query": {"cursorPaging": {"limit": 1}}})
            if found.get(field):
                raise WrongUsage("--tenant: it has something already; leave it out to make one")

    async def invite(self, name: str) -> str:
        """A new link's secret."""
        principal = self._principals[name]
        _user, secret = await self._services.console_users.invite(
            name, tenant_id=principal.tenant_id, role=STAFF[name], actor=operator()
        )
        return secret


_HOLDINGS = {
    "queryProgramDefinitions": "programDefinitions",
    "queryPoolDefinitions": "poolDefinitions",
    "queryPrograms": "programs",
    "queryPeople": "people",
}
