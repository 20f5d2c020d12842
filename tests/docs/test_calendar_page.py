"""The worked example of the page about the calendar, lived by a real service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calendar import at, dates_of, new_member, pool_of, reach
from tests.support.calls import guid
from tests.support.clock import StillClock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import act, balance_of, read

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "calendar.md"
ROW = re.compile(r"^\| (\d{4}-\d\d-\d\d) \| (\w+)( \d+)? \| (\d+) \| (\d+) \|$", re.MULTILINE)
CREDIT = {"amount": "10", "rolloverConfiguration": {"enabled": True, "balanceCap": "4"}}


async def test_the_figures_are_those_of_the_service(database_url: str) -> None:
    """Every row happens on its day, with the credits and the cycle that the table says."""
    page = PAGE.read_text("utf-8")
    terms: dict[str, Any] = json.loads(page.split("```json")[1].split("```")[0])
    rows = ROW.findall(page)
    assert len(rows) == 7
    clock = StillClock(at(f"{rows[0][0]}T10:00"))
    async with open_application(database_url, clock=clock, run_jobs=False) as application:
        service = await new_tenant(*application)
        program_id = await new_member(service, CREDIT, **terms)
        for day, what, number, cycle, credits_then in rows:
            announced = await dates_of(service, program_id)
            await reach(service, clock, at(f"{day}T10:00"))
            if what.isupper():
                assert (announced[0]["kind"], announced[0]["date"][:10]) == (what, day)
            await do(service, program_id, what, number)
            assert await figures(service, program_id) == (int(cycle), credits_then)
        assert (await read(service, program_id))["status"] == "ENDED"


async def do(service: Service, program_id: str, what: str, number: str) -> None:
    """Do what Ada does; the rest happens by itself."""
    if what == "spends":
        spent = {"type": "ADJUST", "adjustOptions": {"value": f"-{number.strip()}"}}
        pool_id = (await pool_of(service, program_id)).id
        await service.call("changeBalance", {"poolId": pool_id, "idempotencyKey": guid(), **spent})
    elif what in {"pauses", "resumes"}:
        await act(service, what.removesuffix("s"), program_id)


async def figures(service: Service, program_id: str) -> tuple[int, str]:
    program = await read(service, program_id)
    balance = await balance_of(service, (await pool_of(service, program_id)).id)
    return program["cycle"]["number"], balance["amount"]["available"]
