"""Changes that are answered while the job of an action on a program still waits.

They end as if each was done when it was answered. Every request leaves its work to jobs here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Job, Order, OrderPhase, Pool
from benefit_programs.domain.job_commands import ClaimJob
from benefit_programs.domain.orders.chunks import RunChunk
from benefit_programs.domain.values import CREDIT
from benefit_programs.storage.verification import verify_store
from tests.support.calls import details
from tests.support.clock import Clock
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import (
    act,
    claim_job,
    do,
    limit_requests,
    pool_rows,
    put_off,
    read,
    run_jobs,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NOW = "IMMEDIATELY"
RENEWAL = "NEXT_RENEWAL"
OLD, NEW = 5 * CREDIT, 7 * CREDIT


class Club:
    """A plan with one pass, and one member."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def open(self) -> None:
        self.plan = await self.service.create_program_definition()
        self.pass_ = await self.service.create_pool_definition(
            programDefinitionIds=[self.plan["id"]], details=details(amount="5")
        )
        answer = await self.service.provision(program_definition=self.plan)
        self.program: str = answer["program"]["id"]

    async def renew(self) -> str:
        return await act(self.service, "renew", self.program)

    async def update(self, cascade: str) -> None:
        read = await self.service.call("getPoolDefinition", {"poolDefinitionId": self.pass_["id"]})
        revision = read["poolDefinition"]["revision"]
        change = {"id": self.pass_["id"], "revision": revision, "details": details(amount="7")}
        request = {"poolDefinition": change, "cascade": cascade}
        await self.service.call("updatePoolDefinition", request)

    async def remove(self, cascade: str) -> None:
        await self.service.call(
            "removePoolDefinitionFromProgramDefinition",
            {
                "poolDefinitionId": self.pass_["id"],
                "programDefinitionId": self.plan["id"],
                "cascade": cascade,
            },
        )

    async def put_back(self, cascade: str) -> None:
        """Add the pass to its plan again."""
        ids = {"poolDefinitionId": self.pass_["id"], "programDefinitionId": self.plan["id"]}
        request = {**ids, "cascade": cascade}
        await self.service.call("addPoolDefinitionToProgramDefinition", request)

    async def add(self, cascade: str) -> str:
        new = {
            "namespace": "gym",
            "details": details(amount="7"),
            "programDefinitionIds": [self.plan["id"]],
        }
        request = {"poolDefinition": new, "cascade": cascade}
        answer = await self.service.call("createPoolDefinition", request)
        return answer["poolDefinition"]["id"]  # type: ignore[no-any-return]

    async def delete_plan(self, cascade: str) -> None:
        request = {"programDefinitionId": self.plan["id"], "cascadeType": cascade}
        await self.service.call("deleteProgramDefinition", request)

    async def pool(self, definition_id: str | None = None) -> Pool:
        wanted = definition_id or self.pass_["id"]
        rows = await pool_rows(self.service, self.program)
        (row,) = [row for row in rows if row.pool_definition_id == wanted]
        return row

    async def done(self) -> None:
        await run_jobs(self.service)
        orders = await self.service.rows(Order)
        assert [(each.phase, each.stands) for each in orders] == [
            (OrderPhase.REACHED, True) for _ in orders
        ]
        assert {str(job.status) for job in await self.service.rows(Job)} == {"FINISHED"}
        assert "targetStatus" not in await read(self.service, self.program)


@pytest.fixture
async def club(idle_service: Service) -> Club:
    """A club whose requests change nothing themselves."""
    club = Club(idle_service)
    await club.open()
    await limit_requests(idle_service)
    return club


async def test_an_update_at_once_comes_after_the_renewal(club: Club) -> None:
    """The pool gets the credits of the cycle that was asked for, then the new details."""
    await club.renew()
    await club.update(NOW)
    await club.done()
    pool = await club.pool()
    assert (pool.available, pool.pool_definition_revision, pool.renewal_count) == (OLD, 2, 1)


async def test_an_update_in_the_request_comes_after_the_renewal(club: Club) -> None:
    """So it does where a request changes the pool itself: it renews it first."""
    await club.renew()
    await limit_requests(club.service, 100)
    await club.update(NOW)
    pool = await club.pool()
    assert (pool.available, pool.pool_definition_revision, pool.renewal_count) == (OLD, 2, 1)
    await club.done()
    assert await club.pool() == pool


async def test_a_later_pending_update_waits_for_the_next_renewal(club: Club) -> None:
    """What was answered during a renewal is pending until the next one."""
    await club.renew()
    await club.update(RENEWAL)
    await club.done()
    pool = await club.pool()
    assert (pool.available, pool.renewal_action, pool.renewal_count) == (OLD, "UPDATE", 1)
    await club.renew()
    await club.done()
    assert (await club.pool()).available == NEW


async def test_a_plan_that_was_deleted_keeps_later_changes_from_its_pools(club: Club) -> None:
    """They ended with it, though the job of a later update comes to them first."""
    await club.delete_plan(NOW)
    await club.update(NOW)
    assert await put_off(club.service) == "END_PROGRAMS"
    await club.done()
    pool = await club.pool()
    assert (pool.status, pool.pool_definition_revision) == ("ENDED", 1)


@pytest.mark.parametrize("cascade", [NOW, RENEWAL])
async def test_what_came_before_the_deletion_of_a_plan_hears_nothing_of_it(
    club: Club, cascade: str
) -> None:
    """Neither an action nor an update that were asked for before it shows the end early."""
    await act(club.service, "pause", club.program)
    await club.update(NOW)
    await club.delete_plan(cascade)
    seen = []
    for kind in ("PAUSE_PROGRAM", "UPDATE_POOLS"):
        claim = await claim_job(club.service)
        assert claim is not None
        assert claim.job.kind == kind
        await do(club.service, RunChunk(job_id=claim.job.id, owner="one"))
        pool = await club.pool()
        seen.append((pool.status, pool.pool_definition_revision, pool.renewal_action))
    assert seen == [("PAUSED", 1, None), ("PAUSED", 2, None)]
    await run_jobs(club.service)
    pool = await club.pool()
    ended = ("ENDED", None) if cascade == NOW else ("PAUSED", "END")
    assert (pool.status, pool.renewal_action) == ended


async def test_a_pool_that_is_removed_during_a_renewal_was_renewed(club: Club) -> None:
    """It gets its credits, and then it ends."""
    await club.renew()
    await club.remove(NOW)
    await club.done()
    pool = await club.pool()
    assert (pool.status, pool.renewal_count) == ("ENDED", 1)


async def test_a_plan_that_is_deleted_during_a_renewal_ends_with_the_next(club: Club) -> None:
    """Neither the program nor any of its pools ends a cycle early."""
    await club.renew()
    await club.delete_plan(RENEWAL)
    await club.done()
    pool = await club.pool()
    assert (pool.status, pool.renewal_count, pool.renewal_action) == ("ACTIVE", 1, "END")
    assert (await read(club.service, club.program))["status"] == "ACTIVE"
    await club.renew()
    assert (await read(club.service, club.program))["targetStatus"] == "ENDED"
    await club.done()
    assert (await club.pool()).status == "ENDED"
    assert (await read(club.service, club.program))["status"] == "ENDED"


async def test_a_plan_that_is_deleted_at_once_ends_what_was_renewed(club: Club) -> None:
    """The program ends, and its renewal is not left unfinished."""
    await club.renew()
    await club.delete_plan(NOW)
    await club.done()
    pool = await club.pool()
    assert (pool.status, pool.renewal_count) == ("ENDED", 1)
    assert (await read(club.service, club.program))["status"] == "ENDED"


async def test_a_renewal_first_opens_what_was_added_before(club: Club) -> None:
    """An addition whose job still waits is there, and is renewed, whoever comes first."""
    added = await club.add(NOW)
    await club.renew()
    await club.done()
    pool = await club.pool(added)
    assert (pool.available, pool.renewal_count) == (NEW, 1)


@pytest.mark.parametrize(("cascade", "first"), [(NOW, 1), (RENEWAL, 0)])
async def test_what_is_added_during_a_renewal_is_not_renewed(
    club: Club, cascade: str, first: int
) -> None:
    """It comes at once, or with the next renewal, but takes no part in this one."""
    await club.renew()
    added = await club.add(cascade)
    await club.done()
    rows = await pool_rows(club.service, club.program)
    assert [row.renewal_count for row in rows if row.pool_definition_id == added] == [0] * first
    await club.renew()
    await club.done()
    assert (await club.pool(added)).renewal_count == first


async def test_a_pool_updated_by_hand_during_a_renewal_was_renewed(club: Club) -> None:
    """The renewal gives what the pool gave when it was asked for."""
    await club.renew()
    pool = (await club.service.pools_of(club.program))[0]
    change: dict[str, Any] = {"id": pool["id"], "revision": pool["revision"]}
    change["details"] = {"creditConfiguration": {"amount": "7"}}
    await club.service.call("updatePool", {"pool": change})
    row = await club.pool()
    assert (row.available, row.renewal_count) == (OLD, 1)
    await club.done()
    assert await club.pool() == row


async def test_a_programs_end_comes_after_what_was_added_before(club: Club) -> None:
    """The pool of an addition whose job still waits is opened, and ends with the others."""
    added = await club.add(NOW)
    await act(club.service, "end", club.program)
    await club.done()
    assert (await club.pool(added)).status == "ENDED"


async def test_an_end_comes_before_a_later_update(club: Club) -> None:
    """A pool that ended before an update was answered keeps what it gave."""
    await act(club.service, "end", club.program)
    await club.update(NOW)
    await club.done()
    pool = await club.pool()
    assert (pool.status, pool.pool_definition_revision) == ("ENDED", 1)


@pytest.mark.parametrize("cascade", [NOW, RENEWAL, "FUTURE_PROVISIONS"])
async def test_an_addition_that_was_taken_back_reaches_no_later_program(
    club: Club, cascade: str
) -> None:
    """Who becomes a member after the removal never gets the pool, though the addition waits yet."""
    club.pass_ = {"id": await club.add(NOW)}
    await club.remove(cascade)
    answer = await club.service.provision(program_definition=club.plan)
    await club.done()
    assert len(await pool_rows(club.service, answer["program"]["id"])) == 1
    assert (await club.pool()).status == ("ENDED" if cascade == NOW else "ACTIVE")


async def test_a_pool_that_lived_when_its_kind_was_added_gets_no_follower(club: Club) -> None:
    """Whoever takes it past the addition to its end doesn't make the addition open another one."""
    service = club.service
    await club.remove("FUTURE_PROVISIONS")
    await club.put_back(NOW)
    await club.remove(NOW)
    (pool,) = await service.pools_of(club.program)
    change = {"id": pool["id"], "revision": pool["revision"], "displayName": "Mine"}
    await service.call("updatePool", {"pool": change})
    await club.done()
    assert (await club.pool()).status == "ENDED"


async def test_an_addition_waits_for_an_earlier_one_that_a_job_does(club: Club) -> None:
    """A pool that was added is there before it is asked whether the program has one."""
    await club.remove(NOW)
    await club.put_back(NOW)
    await club.update("FUTURE_PROVISIONS")
    await club.remove("FUTURE_PROVISIONS")
    await limit_requests(club.service, 100)
    await club.put_back(NOW)
    await club.done()
    pools = [(row.status, row.available) for row in await pool_rows(club.service, club.program)]
    assert pools == [("ENDED", OLD), ("ACTIVE", OLD)]


@pytest.mark.parametrize("most", [0, 100])
@pytest.mark.parametrize("cascade", [NOW, RENEWAL])
async def test_what_comes_back_keeps_its_pending_update(
    club: Club, cascade: str, most: int
) -> None:
    """Adding a definition again takes back the end of its pools, and nothing else."""
    await club.update(RENEWAL)
    await club.remove("FUTURE_PROVISIONS")
    await limit_requests(club.service, most)
    await club.put_back(cascade)
    await club.done()
    pool = await club.pool()
    assert (pool.renewal_action, pool.renewal_revision) == ("UPDATE", 2)


async def renew_behind_many(club: Club) -> str:
    """Update one definition a thousand times, then the club's, then renew; the renewal's job."""
    service = club.service
    other = await service.create_pool_definition(details=details(amount="1"))
    await limit_requests(service, 100)
    await service.provision(pool_definition=other)
    await limit_requests(service)
    for first in range(1, 1_001, 100):
        entries = [
            {"poolDefinition": {"id": other["id"], "revision": str(number), "displayName": "Gold"}}
            for number in range(first, first + 100)
        ]
        request = {"poolDefinitions": entries, "cascade": NOW}
        answer = await service.call("bulkUpdatePoolDefinitions", request)
        assert answer["bulkActionMetadata"]["totalSuccesses"] == len(entries)
    await club.update(NOW)
    return await club.renew()


async def test_no_number_of_orders_changes_their_order(club: Club) -> None:
    """An update is done before a renewal that was answered later, behind a thousand others."""
    job_id = await renew_behind_many(club)
    await do(club.service, ClaimJob(owner="one", alone=True, candidates=(job_id,)))
    await do(club.service, RunChunk(job_id=job_id, owner="one"))
    pool = await club.pool()
    assert (pool.available, pool.renewal_count) == (NEW, 1)


@pytest.mark.full
async def test_a_thousand_jobs_end_in_their_order(club: Club) -> None:
    """So it is when all of them are done."""
    await renew_behind_many(club)
    await club.done()
    pool = await club.pool()
    assert (pool.available, pool.renewal_count) == (NEW, 1)


@pytest.fixture
async def club_of_two_clocks(database_url: str) -> AsyncIterator[tuple[Club, Clock]]:
    clock = Clock()
    async with open_application(database_url, run_jobs=False, clock=clock) as application:
        service = await new_tenant(*application)
        club = Club(service)
        await club.open()
        await limit_requests(service)
        yield club, clock
        assert await verify_store(service.store) == []


@pytest.mark.parametrize("most", [0, 100])
async def test_a_renewal_after_an_update_has_new_terms_whatever_the_clocks_say(
    club_of_two_clocks: tuple[Club, Clock], most: int
) -> None:
    """The order of the answers counts, also where a server's clock is behind another's."""
    club, clock = club_of_two_clocks
    await club.update(NOW)
    clock.move(hours=-1)
    await limit_requests(club.service, most)
    await club.renew()
    await club.done()
    assert (await club.pool()).available == NEW


async def test_a_later_program_gets_nothing_that_was_taken_back_whatever_the_clocks_say(
    club_of_two_clocks: tuple[Club, Clock],
) -> None:
    """Who becomes a member after the removal, at a server that is behind, gets no such pool."""
    club, clock = club_of_two_clocks
    club.pass_ = {"id": await club.add(NOW)}
    await club.remove("FUTURE_PROVISIONS")
    clock.now -= 500
    answer = await club.service.provision(program_definition=club.plan)
    await club.done()
    rows = await pool_rows(club.service, answer["program"]["id"])
    assert club.pass_["id"] not in {row.pool_definition_id for row in rows}
    assert (await club.pool()).status == "ACTIVE"


async def test_an_earlier_program_gets_what_was_added_whatever_the_clocks_say(
    club_of_two_clocks: tuple[Club, Clock],
) -> None:
    """Who was a member at a server that is ahead gets the pool from one that is behind."""
    club, clock = club_of_two_clocks
    clock.now += 3_600_000
    answer = await club.service.provision(program_definition=club.plan)
    clock.now -= 7_200_000
    added = await club.add(NOW)
    await club.done()
    rows = await pool_rows(club.service, answer["program"]["id"])
    assert added in {row.pool_definition_id for row in rows}


async def test_a_renewal_before_an_update_has_old_terms_whatever_the_clocks_say(
    club_of_two_clocks: tuple[Club, Clock],
) -> None:
    """The order of the answers counts, also where a server's clock is behind another's."""
    club, clock = club_of_two_clocks
    await club.renew()
    clock.move(hours=-1)
    await club.update(NOW)
    await club.done()
    pool = await club.pool()
    assert (pool.available, pool.pool_definition_revision) == (OLD, 2)
