"""Renewals of one tenant hold up nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration
from benefit_programs.domain.entities import Program
from benefit_programs.engine.engine import read_clock
from tests.support.books import Books
from tests.support.crowd import gather_crowd, let_renew
from tests.support.databases import run_apart
from tests.support.dated import open_dated
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.webhooks import look_until

if TYPE_CHECKING:
    from tests.support.databases import Databases

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio

MANY = 3_000


@pytest.mark.timeout(180)
async def test_one_renewal_comes_between_the_many_of_another_tenant(databases: Databases) -> None:
    """The other tenant's program renews while many of the first tenant still wait."""
    url = databases.create()
    run_apart(gather_crowd(url, programs=MANY))
    books = Books(url)
    async with open_application(url, run_jobs=False) as application:
        other = await new_tenant(*application)
        due = read_clock() + 1_000
        renewal = RenewalConfiguration(every="P1D", anchor=due)
        await open_dated(other, ProgramTerms(renewal_configuration=renewal), amount="1")
        await let_renew(url, due)
        other.running.runner.start()
        await look_until(lambda: has_renewed(other), bool)
        sql = "select count(*) from programs where tenant_id = $1 and due <= $2"
        ((left,),) = await books.read(sql, due)
        assert left > 0
    databases.drop(url)


async def has_renewed(service: Service) -> bool:
    (program,) = await service.rows(Program)
    assert program.calendar is not None
    return program.calendar.cycle > 1
