"""What is booked late comes out as if it had been booked at its instant, whoever comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.calendars import ProgramTerms
from benefit_programs.domain.entities import Lot, Transaction
from benefit_programs.domain.orders.cascades import StartCascades
from benefit_programs.domain.settling import SettlePools
from benefit_programs.wire.codec import instant_text
from tests.support.clock import HOUR
from tests.support.dated import DAILY, STOPPING, open_dated, open_still, pause, program_row
from tests.support.lifecycle import act, do, do_jobs, limit_requests, run_jobs
from tests.support.wallet import open_another

if TYPE_CHECKING:
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio


async def change_terms(
    service: Service, wallet: Wallet, cascade: str, date: int | None = None, **credit: str
) -> None:
    """Let a definition give pools other credits."""
    definition = wallet.definition
    change = {
        "id": definition["id"],
        "revision": definition["revision"],
        "details": {
            "benefits": definition["details"]["benefits"],
            "creditConfiguration": credit,
        },
    }
    request = {"poolDefinition": change, "cascade": cascade}
    if date is not None:
        request["cascadeDate"] = instant_text(date)
    await service.call("updatePoolDefinition", request)


async def renewals(service: Service) -> list[int]:
    rows = sorted(await service.rows(Transaction), key=lambda row: row.balance_revision)
    return [row.amount // 10_000 for row in rows if row.operation == "RENEWAL"]


async def test_who_redeems_finds_a_program_resumed(database_url: str) -> None:
    """A pause that is over refuses nothing, though nobody has booked its end."""
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, STOPPING, amount="100")
        await pause(service, wallet.program["id"], until=clock.now + HOUR)
        clock.move(hours=1)
        await wallet.redeem()
        assert await wallet.available() == "90"


@pytest.mark.parametrize("jobs", [False, True])
@pytest.mark.parametrize("cascade", ["IMMEDIATELY", "NEXT_RENEWAL"])
async def test_a_cascade_changes_no_renewal_before_it(
    database_url: str, cascade: str, *, jobs: bool
) -> None:
    """What was due brings the old amount, what is due afterwards the new one."""
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, DAILY, amount="100")
        if jobs:
            await open_another(service, wallet.definition)
            await limit_requests(service, 1)
        clock.move(hours=36)
        await change_terms(service, wallet, cascade, amount="7")
        clock.move(hours=24)
        await run_jobs(service)
        assert await renewals(service) == [100, 7]


async def test_a_change_of_a_pool_changes_no_renewal_before_it(database_url: str) -> None:
    """The same for a pool that is changed by hand: what was due is booked first."""
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, DAILY, amount="100")
        before = await wallet.pool()
        clock.move(hours=36)
        details = {
            "benefits": wallet.definition["details"]["benefits"],
            "creditConfiguration": {"amount": "7"},
        }
        changed = {"id": before["id"], "revision": before["revision"], "details": details}
        refused = await service.refusal("updatePool", {"pool": changed})
        assert refused.code == "INVALID_REVISION"
        changed["revision"] = (await wallet.pool())["revision"]
        await service.call("updatePool", {"pool": changed})
        clock.move(hours=24)
        await run_jobs(service)
        assert await renewals(service) == [100, 7]


async def test_programs_end_with_their_definition_after_what_was_due(database_url: str) -> None:
    """A renewal that was due before the deletion is booked, and the next never comes."""
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, DAILY, amount="100")
        clock.move(hours=36)
        row = await program_row(service, wallet.program["id"])
        request = {"programDefinitionId": row.program_definition_id, "cascadeType": "IMMEDIATELY"}
        await service.call("deleteProgramDefinition", request)
        clock.move(hours=24)
        await run_jobs(service)
        assert await renewals(service) == [100]
        slugs = ["created+provisioned", "updated+renewed", "updated+ended"]
        assert await service.slugs_of(row.id) == slugs


@pytest.mark.parametrize("way", ["at once", "at a date", "at a renewal", "by hand"])
async def test_other_terms_change_no_lapse_before_them(database_url: str, way: str) -> None:
    """What came back before returned credits had a life of their own has none."""
    async with open_still(database_url) as (service, clock):
        wallet = await open_dated(service, ProgramTerms(), amount="100", expiresAfter="PT5H")
        credit = {"amount": "100", "returnsLive": "P9D"}
        held = wallet.redemption(expiresAfter="PT6H")
        await service.call("reserveBenefit", held)
        if way == "at a date":
            await change_terms(service, wallet, "IMMEDIATELY", clock.now + 7 * HOUR, **credit)
        if way == "at a renewal":
            await change_terms(service, wallet, "NEXT_RENEWAL", **credit)
        clock.move(hours=10)
        if way == "at once":
            await change_terms(service, wallet, "IMMEDIATELY", **credit)
        elif way == "at a date":
            await do(service, StartCascades())
            await do_jobs(service)
        elif way == "at a renewal":
            await act(service, "renew", wallet.program["id"])
        else:
            pool = await wallet.pool()
            details = {**pool["details"], "creditConfiguration": credit}
            changed = {"id": pool["id"], "revision": pool["revision"], "details": details}
            await service.call("updatePool", {"pool": changed})
        await do(service, SettlePools(pool_ids=(wallet.pool_id,)))
        assert [lot.origin for lot in await service.rows(Lot)] == ["PROVISION"]
        assert await wallet.available() == ("100" if way == "at a renewal" else "0")
