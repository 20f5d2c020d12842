"""Databases of earlier releases migrate with their data in place, and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Job
from benefit_programs.storage.schema import current_revision, migrate, newest_revision
from benefit_programs.storage.verification import verify_store
from tests.support.calls import Refused
from tests.support.inprocess import open_application
from tests.support.lifecycle import run_jobs
from tests.upgrade import releases

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

CASES = [(version, engine) for version in releases.versions() for engine in releases.ENGINES]


@pytest.fixture
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    version, engine = request.param
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'benefits.sqlite3'}"
    else:
        url = request.getfixturevalue("postgres_url")
    await releases.bring_back(version, engine, url)
    await migrate(url)
    return url, releases.expected(version, engine)


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
        await service.call("redeemBenefit", {**request, "idempotencyKey": "after the upgrade"})
