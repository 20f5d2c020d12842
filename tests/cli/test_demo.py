"""``benefits demo``: a studio to look at, the same one for the same seed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benefit_programs.bootstrap import open_service
from benefit_programs.config import Settings
from tests.cli.conftest import run
from tests.support.console import FROM_HERE

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("--people", "4", "--days", "35")

LEDGER = """
    SELECT t.operation, t.amount, (t.created - m.midnight) / 60000
    FROM transactions t, (SELECT min(created) / 86400000 * 86400000 AS midnight FROM transactions
                          WHERE tenant_id = ?1) m
    WHERE t.tenant_id = ?1 AND t.created < unixepoch('now', 'start of day') * 1000
    ORDER BY t.created, t.id
"""


def studio(folder: Path, *arguments: str) -> Any:
    done = run("demo", *SMALL, "--data-dir", str(folder), *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def ledger_of(folder: Path, tenant_id: int) -> list[tuple[Any, ...]]:
    """What has happened before today, and how many minutes after the first midnight."""
    with closing(sqlite3.connect(folder / "benefits.sqlite3")) as database:
        return database.execute(LEDGER, (tenant_id,)).fetchall()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def test_a_studio_can_be_looked_at(folder: Path) -> None:
    """The link opens a console in which people have lived some weeks, and nothing is broken."""
    made = studio(folder)
    assert (made["people"], made["programs"] >= 4, made["visits"] > 10) == (4, True, True)
    assert run("verify", "--data-dir", str(folder)).code == 0

    async def look() -> str:
        async with open_service(Settings(data_dir=folder)) as running:
            assert running.first_secret, "the first start is still to come"
            transport = httpx.ASGITransport(running.application)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", headers=FROM_HERE
            ) as browser:
                token = made["link"].partition("token=")[2]
                await browser.post("/console/sign-in", data={"token": token})
                return (await browser.get("/console/audit")).text

    html = asyncio.run(look())
    assert "Redeemed" in html
    assert ">Finn</a>" in html
    again = studio(folder)
    assert again["tenantId"] == made["tenantId"] + 1
    assert ledger_of(folder, made["tenantId"]) == ledger_of(folder, again["tenantId"])


def test_nothing_is_made_beside_other_things(folder: Path) -> None:
    """A tenant that has something, that is no sandbox, or that isn't there is refused."""
    made = studio(folder, "--seed", "2")
    before = ledger_of(folder, made["tenantId"])
    for tenant, code, said in (
        (made["tenantId"], 2, "has something"),
        (1, 2, "no sandbox"),
        (999, 5, "no tenant 999"),
    ):
        done = run("demo", "--data-dir", str(folder), "--tenant", str(tenant))
        assert (done.code, said in done.err) == (code, True), done.err
    assert ledger_of(folder, made["tenantId"]) == before
