"""Databases of earlier releases migrate with their data in place, and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apsw
import asyncpg
import pytest

from benefit_programs.domain.entities import (
    Job,
    Quota,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.storage.schema import (
    current_revision,
    migrate,
    newest_revision,
    sqlite_path,
)
from benefit_programs.storage.verification import verify_store
from tests.contract.test_events import all_events, require_gapless
from tests.support.calls import Refused
from tests.support.inprocess import open_application
from tests.support.lifecycle import run_jobs
from tests.upgrade import releases

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.anyio

CASES = [(version, engine) for version in releases.versions() for engine in releases.ENGINES]


def empty_database(request: pytest.FixtureRequest, engine: str, folder: Path) -> str:
    """Name a new database of an engine."""
    if engine == "sqlite":
        return f"sqlite:///{folder / 'benefits.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    version, engine = request.param
    url = empty_database(request, engine, tmp_path)
    await releases.bring_back(version, engine, url)
    await migrate(url)
    return url, releases.expected(version, engine)


async def execute(url: str, statements: Iterable[str]) -> None:
    """Run statements on a database, whatever its revision."""
    path = sqlite_path(url)
    if path is not None:
        with apsw.Connection(str(path)) as connection:
            connection.execute(";".join(statements))
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(";".join(statements))
    finally:
        await connection.close()


@pytest.mark.parametrize("old", CASES, indirect=True, ids="-".join)
async def test_a_released_database_keeps_what_it_holds(old: tuple[str, dict[str, Any]]) -> None:
    """Clients read of it what they read then, and no invariant is broken."""
    url, expected = old
    assert await current_revision(url) == newest_revision()
    async with open_application(url, run_jobs=False) as application:
        service = await releases.administrator_of(application, expected["tenant"])
        assert await verify_store(service.store) == []
        assert await releases.read_all(service) == expected["read"]


@pytest.mark.parametrize("old", CASES, indirect=True, ids="-".join)
async def test_a_released_database_goes_on(old: tuple[str, dict[str, Any]]) -> None:
    """What it had left to jobs is done, and a key that was used then is known."""
    url, expected = old
    async with open_application(url, run_jobs=False) as application:
        service = await releases.administrator_of(application, expected["tenant"])
        await run_jobs(service)
        assert {str(job.status) for job in await service.rows(Job)} == {"FINISHED"}
        assert await verify_store(service.store) == []
        first = expected["redemption"]
        pools = {pool["id"]: pool for pool in expected["read"]["pools"]}
        transactions = {each["id"]: each for each in expected["read"]["transactions"]}
        redeemed = transactions[first["transactionId"]]
        item = redeemed["details"]["item"]
        request = {
            "poolId": expected["poolId"],
            "namespace": pools[expected["poolId"]]["namespace"],
            "benefitKey": redeemed["details"]["benefitKey"],
            "itemReference": {
                "externalId": item["externalId"],
                "providerAppId": item["providerAppId"],
            },
        }
        with pytest.raises(Refused) as refused:
            await service.call(
                "redeemBenefit", {**request, "idempotencyKey": first["idempotencyKey"]}
            )
        assert refused.value.code == "BENEFIT_ALREADY_REDEEMED"
        assert refused.value.data["transactionId"] == first["transactionId"]
        assert "sameRequest" not in refused.value.data
        await service.call("redeemBenefit", {**request, "idempotencyKey": "after the upgrade"})


@pytest.mark.parametrize("old", CASES, indirect=True, ids="-".join)
async def test_events_of_a_released_database_are_in_the_feed(
    old: tuple[str, dict[str, Any]],
) -> None:
    """All of them are read in order, entities without gaps, and new ones come behind them."""
    url, expected = old
    async with open_application(url, run_jobs=False) as application:
        service = await releases.administrator_of(application, expected["tenant"])
        stored = await service.rows(Event)
        events = await all_events(service)
        require_gapless(events)
        assert {row.id for row in stored} - {each["id"] for each in events} <= {
            row.id for row in stored if row.entity == "balance"
        }
        await service.create_program_definition()
        assert (await all_events(service))[:-1] == events


@pytest.mark.parametrize("engine", releases.ENGINES)
async def test_clocks_that_differed_change_no_order(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    """Where ids of servers with other clocks go against the numbers of an entity, these count."""
    url, expected = empty_database(request, engine, tmp_path), releases.expected("0.2.0", engine)
    await releases.bring_back("0.2.0", engine, url)
    as_id = "cast('f' || substr(cast(id as text), 2) as uuid)"
    late = as_id if engine == "postgresql" else "'f' || substr(id, 2)"
    these = "(entity = 'pool' and slug like 'created%') or slug = 'benefit_redeemed'"
    await execute(url, [f"update events set id = {late} where {these}"])
    await migrate(url)
    async with open_application(url, run_jobs=False) as application:
        service = await releases.administrator_of(application, expected["tenant"])
        require_gapless(await all_events(service))


HOUR = 3_600_000
DAY = 24 * HOUR
# What the databases of 0.2.0 count: one redemption was moved to the first of December, then on.
STARTS = {"2026-11-28": 1795824000000, "2026-12-01": 1796083200000, "2026-12-02": 1796169600000}


def in_another_zone(tenant: int, zone: str, moved: dict[str, int], engine: str) -> list[str]:
    """The tenant has a time zone, in which its periods began at other instants."""
    document = "json" if engine == "postgresql" else "text"
    settings = f'{{"in_request_max":0,"time_zone":"{zone}"}}'
    statements = [f"update tenants set settings = '{settings}' where id = {tenant}"]
    for day, start in moved.items():
        then = STARTS[day]
        details = f"cast(replace(cast(details as text), '{then}', '{start}') as {document})"
        statements += [
            f"update quotas set period_start = {start} where period_start = {then}",
            f"update transactions set details = {details}",
        ]
    return statements


@pytest.mark.parametrize("engine", releases.ENGINES)
@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("UTC", 0),
        ("Pacific/Auckland", -13),
        ("Pacific/Honolulu", 10),
        # The zone was another one then: Berlin, Auckland, New York.
        ("UTC", -1),
        ("Asia/Tokyo", -13),
        ("UTC", 5),
        ("Factory", 0),
    ],
)
async def test_rate_limits_keep_their_dates(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, zone: str, hours: int
) -> None:
    """A count of an instant becomes the count of its date in the tenant's time zone."""
    url, expected = empty_database(request, engine, tmp_path), releases.expected("0.2.0", engine)
    await releases.bring_back("0.2.0", engine, url)
    moved = {day: start + hours * HOUR for day, start in STARTS.items()}
    await execute(url, in_another_zone(expected["tenant"], zone, moved, engine))
    await migrate(url)
    async with open_application(url, run_jobs=False) as application:
        service = await releases.administrator_of(application, expected["tenant"])
        counted = {row.period_start for row in await service.rows(Quota)}
        assert counted == {start // DAY for start in STARTS.values()}
        assert await verify_store(service.store) == []


@pytest.mark.parametrize("engine", releases.ENGINES)
async def test_counts_of_one_date_become_one(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    """What a date has used at two instants, of before and after a change of the zone, adds up."""
    url, expected = empty_database(request, engine, tmp_path), releases.expected("0.2.0", engine)
    await releases.bring_back("0.2.0", engine, url)
    moved = {"2026-12-01": STARTS["2026-12-02"] + HOUR, "2026-11-28": STARTS["2026-12-02"] - HOUR}
    await execute(url, in_another_zone(expected["tenant"], "UTC", moved, engine))
    await migrate(url)
    async with open_application(url, run_jobs=False) as application:
        service = await releases.administrator_of(application, expected["tenant"])
        rows = [row for row in await service.rows(Quota) if row.pool_id == expected["poolId"]]
        assert [(row.period_start, row.used) for row in rows] == [(STARTS["2026-12-02"] // DAY, 3)]
        assert await verify_store(service.store) == []
