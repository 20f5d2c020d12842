"""Large changes while whoever does them is killed again and again, and members go on redeeming."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from benefit_programs.domain.values import CREDIT, Identity, IdentityType
from benefit_programs.wire.types.common import BULK_MAX
from tests.support.books import Books
from tests.support.calls import NAMESPACE, guid
from tests.support.crowd import AMOUNT, Crowd, gather_crowd, give_to
from tests.support.databases import run_apart
from tests.support.fleet import Death, Fleet
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.redeemers import redeeming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path
    from random import Random

    from tests.support.calls import Document
    from tests.support.databases import Databases
    from tests.support.redeemers import Redeemer

pytestmark = [
    pytest.mark.anyio,
    # Who connects to a server that is killed just then may leave its socket to the collector.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]

WORKERS = 2
CALLERS = 12
LOOKS_MAX = 10_000_000
SECONDS_MAX = 5 * 60
FULL_SECONDS_MAX = 2 * 60 * 60


class Size(NamedTuple):
    """How large a change is, and how often there is killing meanwhile."""

    programs: int
    pools_each: int
    kills: int
    definitions: int = 0
    """How many pools the one large program gets."""

    deaths: tuple[Death, ...] = (Death.ALL, Death.ALL, Death.WORKERS)
    """Who dies in how many of the cases.

    The server alone dies only where there is much to do: workers would end a job of a few thousand
    pools while the next server starts.
    """


def sizes(small: Size, full: Size) -> pytest.MarkDecorator:
    """A small change for everyday, and the real one."""
    everyday = pytest.param(small, marks=pytest.mark.timeout(SECONDS_MAX), id="small")
    marks = [pytest.mark.full, pytest.mark.timeout(FULL_SECONDS_MAX)]
    return pytest.mark.parametrize("size", [everyday, pytest.param(full, marks=marks, id="full")])


class Scene:
    """A database full of members, the processes that serve it, and who redeems."""

    def __init__(
        self, crowd: Crowd, size: Size, fleet: Fleet, books: Books, chance: Random
    ) -> None:
        self.crowd = crowd
        self.size = size
        self.fleet = fleet
        self.books = books
        self.chance = chance
        self.redeemers: list[Redeemer] = []

    async def progress_of(self, job_id: str) -> tuple[str, int]:
        """How a job stands."""
        job = (await self.fleet.call("getAsyncJob", {"jobId": job_id}))["job"]
        return job["status"], job["counts"]["successCount"]

    async def kill_some(self) -> None:
        """Kill whoever's turn it is."""
        await self.fleet.kill(self.chance.choice(self.size.deaths), self.chance)

    async def kill_until_done(self, job_id: str, *, total: int) -> None:
        """Kill at random places of a job's way, and see it to its end, which must be a good one.

        A short job may reach its end before all have been killed that should be.
        """
        kills = self.size.kills
        places = [0, *sorted(self.chance.sample(range(total * 9 // 10), kills - 1))]
        before = -1
        for _ in range(LOOKS_MAX):
            status, done = await self.progress_of(job_id)
            assert status != "FAILED"
            if status == "FINISHED":
                break
            if places and done >= places[0]:
                await self.kill_some()
                places.pop(0)
            elif done == before:
                await asyncio.sleep(LOOK_PAUSE_SECONDS)
            before = done
        assert (status, done) == ("FINISHED", total)
        assert len(places) <= kills // 2


@pytest.fixture
def crowd(databases: Databases, size: Size) -> Iterator[Crowd]:
    """A sound database with as many members as the size says."""
    url = databases.create()
    yield run_apart(gather_crowd(url, programs=size.programs, pools_each=size.pools_each))
    databases.drop(url)


@asynccontextmanager
async def set_scene(
    crowd: Crowd, size: Size, folder: Path, *, redeemed: str = "true"
) -> AsyncIterator[Scene]:
    """Let members redeem inside the block; after it all that they were told must be true.

    A condition says from which pools.
    """
    books, chance = Books(crowd.url), random.Random(crowd.pools)
    books.verify()
    where = f"pool_definition_id = $2 and {redeemed}"
    pools = await books.ids("pools", where, crowd.definitions[0]["id"])
    workers = 0 if crowd.url.startswith("sqlite") else WORKERS
    async with Fleet(crowd.url, folder, workers=workers) as fleet:
        scene = Scene(crowd, size, fleet, books, chance)
        async with redeeming(fleet, crowd, pools, chance) as redeemers:
            yield scene
    told = [each for redeemer in redeemers for each in redeemer.transactions]
    assert told
    assert sorted(told) == await books.ids("transactions", "operation = 'REDEEM'")
    books.verify()


@sizes(Size(400, 1, 2), Size(1_000_000, 1, 20, deaths=tuple(Death)))
async def test_an_update_reaches_every_pool_once(crowd: Crowd, size: Size, tmp_path: Path) -> None:
    """An IMMEDIATELY update is done to each pool once, however often its doers are killed."""
    async with set_scene(crowd, size, tmp_path) as scene:
        job_id = await update_definition(scene)
        await scene.kill_until_done(job_id, total=crowd.pools)
    books = scene.books
    changed = await books.group("pools", "revision", "pool_definition_revision", "order_number")
    assert changed == [(2, 2, 1, crowd.pools)]
    assert len(await books.group("pools", "snapshot_id")) == 1
    sql = (
        "select count(*), count(distinct entity_id) from events where tenant_id = $1"
        " and entity = 'pool' and slug = 'updated'"
    )
    assert await books.read(sql) == [(crowd.pools, crowd.pools)]
    sql = "select sum(json_array_length(items)) from job_pages where tenant_id = $1"
    assert await books.read(sql) == [(crowd.pools,)]


async def update_definition(scene: Scene) -> str:
    """Raise the price and change the name, at once for all; the job that does it."""
    before = scene.crowd.definitions[0]
    raised = {**before["details"]["benefits"][0], "price": "2"}
    change = {
        "id": before["id"],
        "revision": "1",
        "displayName": "Gold",
        "details": {**before["details"], "benefits": [raised]},
    }
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    await scene.fleet.call("updatePoolDefinition", request)
    (job_id,) = await scene.books.ids("jobs", "kind = 'UPDATE_POOLS'")
    return job_id


@sizes(Size(150, 2, 2), Size(100_000, 2, 20, deaths=tuple(Death)))
async def test_a_renewal_of_many_programs_is_done_once(
    crowd: Crowd, size: Size, tmp_path: Path
) -> None:
    """Programs that are renewed one by one start one cycle each, and all their pools with them."""
    async with set_scene(crowd, size, tmp_path) as scene:
        await renew_all(scene, size)
    books = scene.books
    await require_renewed_once(books, crowd.pools)
    assert await books.group("programs", "revision", "status") == [(2, "ACTIVE", size.programs)]
    renewals = "kind = 'RENEW_PROGRAM'"
    assert await books.group("jobs", "status", "success_count", where=renewals) == [
        ("FINISHED", size.pools_each, size.programs)
    ]


@sizes(Size(400, 1, 2), Size(100_000, 1, 20, deaths=tuple(Death)))
async def test_a_visitor_of_many_programs_becomes_a_member(
    crowd: Crowd, size: Size, tmp_path: Path
) -> None:
    """Each program moves once with its pools, while credits go on being spent from them."""
    visitor, member = guid(), guid()
    owner = Identity(IdentityType.ANONYMOUS_VISITOR, visitor)
    await give_to(crowd.url, owner, programs=size.programs)
    async with set_scene(crowd, size, tmp_path) as scene:
        people = {
            "visitor": {"anonymousVisitorId": visitor},
            "beneficiary": {"memberId": member},
        }
        job_id = (await scene.fleet.call("mergeBeneficiary", people))["jobId"]
        await scene.kill_until_done(job_id, total=size.programs)
    books = scene.books
    for table, count in (("programs", size.programs), ("pools", crowd.pools)):
        columns = ("anonymous_visitor_id", "member_id", "revision")
        assert await books.group(table, *columns) == [(None, member, 2, count)]
    sql = (
        "select entity, count(*), count(distinct entity_id) from events where tenant_id = $1"
        " and slug = 'updated' and entity in ('program', 'pool') group by entity order by entity"
    )
    assert await books.read(sql) == [
        ("pool", crowd.pools, crowd.pools),
        ("program", size.programs, size.programs),
    ]
    sql = "select sum(json_array_length(items)) from job_pages where tenant_id = $1"
    assert await books.read(sql) == [(size.programs,)]


@sizes(Size(400, 1, 3), Size(100_000, 1, 20, deaths=tuple(Death)))
async def test_a_person_of_many_programs_is_erased_whole(
    crowd: Crowd, size: Size, tmp_path: Path
) -> None:
    """Nothing of the person is left in any table, and others go on redeeming."""
    member, theirs = guid(), size.programs * 2 // 3
    await give_to(crowd.url, Identity(IdentityType.MEMBER, member), programs=theirs)
    async with set_scene(crowd, size, tmp_path, redeemed=f"member_id <> '{member}'") as scene:
        request = {"beneficiary": {"memberId": member}}
        answer = await scene.fleet.call("eraseBeneficiary", request)
        await scene.kill_until_done(answer["jobId"], total=theirs)
    pseudonym, books = answer["beneficiary"]["memberId"], scene.books
    owned = f"member_id = '{pseudonym}'"
    assert await books.group("programs", "status", where=owned) == [("ENDED", theirs)]
    assert await books.group("pools", "status", where=owned) == [
        ("ENDED", theirs * size.pools_each)
    ]
    parties = f"party_id in ('{member}', '{pseudonym}')"
    assert await books.group("transactions", "party_id", where=parties) == [
        (pseudonym, theirs * size.pools_each)
    ]
    told = f"entity_id in (select id from programs where tenant_id = $1 and {owned})"
    sql = f"select cast(body as text) from events where tenant_id = $1 and {told}"
    assert all(pseudonym in body for (body,) in await books.read(sql))
    assert await books.ids("jobs", f"cast(payload as text) like '%{member}%'") == []


async def renew_all(scene: Scene, size: Size) -> None:
    """Renew every program, some at the same time, and kill after some of the answers."""
    programs = await scene.books.ids("programs")
    places = sorted(scene.chance.sample(range(len(programs) * 9 // 10), size.kills))
    coming = iter(programs)
    answered = 0

    async def renew_some() -> None:
        nonlocal answered
        for program_id in coming:
            request = {"programId": program_id, "idempotencyKey": "the first renewal"}
            await scene.fleet.call("renewProgram", request)
            answered += 1
            if places and answered >= places[0]:
                places.pop(0)
                await scene.kill_some()

    await asyncio.gather(*(renew_some() for _ in range(CALLERS)))
    assert not places


@sizes(Size(60, 1, 2, definitions=240), Size(60, 1, 20, definitions=10_000))
async def test_a_program_with_very_many_pools_is_opened_and_renewed_once(
    crowd: Crowd, size: Size, tmp_path: Path
) -> None:
    """Jobs that open a program's pools and renew them do each once, whoever is killed meanwhile."""
    total = size.definitions
    async with set_scene(crowd, size, tmp_path) as scene:
        plan = await define_many(scene, total)
        answer = await scene.fleet.call("provisionProgram", provisioning(plan))
        await scene.kill_until_done(answer["jobId"], total=total)
        program_id: str = answer["program"]["id"]
        renewal = {"programId": program_id, "idempotencyKey": guid()}
        job_id = (await scene.fleet.call("renewProgram", renewal))["jobId"]
        await scene.kill_until_done(job_id, total=total)
    await require_renewed_once(scene.books, total, of=f"program_id = '{program_id}'")


async def define_many(scene: Scene, total: int) -> str:
    """A program definition with so many pool definitions."""
    new = {"namespace": NAMESPACE, "externalId": guid()}
    answer = await scene.fleet.call("createProgramDefinition", {"programDefinition": new})
    plan: str = answer["programDefinition"]["id"]
    each = {
        "namespace": NAMESPACE,
        "details": {"benefits": [], "creditConfiguration": {"amount": AMOUNT}},
        "programDefinitionIds": [plan],
    }
    for start in range(0, total, BULK_MAX):
        count = min(BULK_MAX, total - start)
        request = {"poolDefinitions": [each] * count, "cascade": "FUTURE_PROVISIONS"}
        made = await scene.fleet.call("bulkCreatePoolDefinitions", request)
        assert made["bulkActionMetadata"]["totalSuccesses"] == count
    return plan


def provisioning(plan: str) -> Document:
    """The request that provisions a program of a definition."""
    return {
        "poolDefinitionLookupId": {"programDefinitionId": plan},
        "beneficiary": {"memberId": guid()},
        "namespace": NAMESPACE,
        "externalProgramId": guid(),
    }


async def require_renewed_once(books: Books, pools: int, *, of: str = "1 = 1") -> None:
    """Fail unless each of these pools lost what was left once, and got its credits once."""
    assert await books.group("pools", "renewal_count", where=of) == [(1, pools)]
    whole = int(AMOUNT) * CREDIT
    found = (
        "select operation, available_after, count(*), count(distinct pool_id) from transactions"
        " where tenant_id = $1 and operation in ('EXPIRY', 'RENEWAL')"
        f" and pool_id in (select id from pools where tenant_id = $1 and {of})"
        " group by operation, available_after order by operation"
    )
    assert await books.read(found) == [
        ("EXPIRY", 0, pools, pools),
        ("RENEWAL", whole, pools, pools),
    ]
