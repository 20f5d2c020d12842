"""However much there is, a page looks at no more of it: counted in the steps of SQLite."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import apsw
import pytest

from bench.console import SECRET_KEY
from bench.console_pages import make_questions
from bench.console_stores import make_studio
from benefit_programs.console import days, groups
from benefit_programs.console.pages import audit, figures, grants, move, today, webhooks
from benefit_programs.storage import tenant_statements
from tests.support.console import Browser
from tests.support.inprocess import Service, open_application
from tests.support.service import FIRST_KEY, RECEIVERS_HERE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.scenarios import State

POOLS = 7_000
"""So many that lists have more than one page. The other studio has twice as many."""

ROWS_LOOKED_AT = 100
LIMITS = (
    *((module, "SCAN_LIMIT") for module in (audit, grants, today, webhooks)),
    *((module, "ACTIVITY_POOLS_MAX") for module in (figures, tenant_statements)),
    (tenant_statements, "ACTIVITY_TRANSACTIONS_MAX"),
    (days, "ENTRIES_MAX"),
    (groups, "PART_MAX"),
    (move, "LOTS_SCANNED"),
)
"""How far pages look where no index leads. Here it isn't far, so that both studios have more."""

GROWTH_MAX = 1.2
STEPS_MORE = 3_000
"""Trees are deeper, lines longer. A walk through a table would be thousands of rows longer."""

TIMES = 2


class Steps:
    """How many steps the statements of all connections have taken."""

    def __init__(self) -> None:
        self.taken = 0

    def watch(self, connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._count)

    def _count(self, ended: dict[str, Any]) -> None:
        self.taken += ended["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    for module, name in LIMITS:
        monkeypatch.setattr(module, name, ROWS_LOOKED_AT)
    monkeypatch.setenv(SECRET_KEY, RECEIVERS_HERE[SECRET_KEY])
    steps = Steps()
    apsw.connection_hooks.append(steps.watch)
    yield steps
    apsw.connection_hooks.remove(steps.watch)


async def steps_of_pages(url: str, studio: State, steps: Steps) -> dict[str, int]:
    """What each page takes: the least of several times, for others look into the store, too."""
    async with open_application(url, bootstrap_api_key=FIRST_KEY) as (running, _client):
        visitor = Browser(cast("Service", SimpleNamespace(running=running)))
        await visitor.post("/sign-in", {"api_key": FIRST_KEY})
        return {
            each.name: min([await _steps(visitor, each.at, steps) for _ in range(TIMES)])
            for each in make_questions(studio)
        }


async def _steps(visitor: Browser, path: str, steps: Steps) -> int:
    steps.taken = 0
    answer = await visitor.get(path)
    assert answer.is_success, (path, answer.text)
    return steps.taken


def test_pages_look_at_no_more_where_there_is_more(tmp_path: Path, steps: Steps) -> None:
    """In a studio of twice the size each page takes as many steps."""
    found = []
    for pools in (POOLS, 2 * POOLS):
        url = f"sqlite:///{tmp_path / str(pools)}.sqlite3"
        studio = make_studio(url, pools=pools, people=pools // 4, deliveries=pools)
        found.append(asyncio.run(steps_of_pages(url, studio, steps)))
    small, large = found
    longer = {
        name: (small[name], taken)
        for name, taken in large.items()
        if taken > GROWTH_MAX * small[name] + STEPS_MORE
    }
    assert longer == {}
