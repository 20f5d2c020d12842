"""When a change of a definition reaches what was made from it. Contract: section 3, Cascade.

Each case runs twice: with few programs, within the request, and with more than a request changes,
by a job.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import (
    Agenda,
    Order,
    Pool,
    Program,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.lookups import CHUNK_SIZE
from benefit_programs.domain.values import CREDIT
from tests.support.calls import details
from tests.support.lifecycle import act, limit_requests, pool_rows, read, refused, run_jobs

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NOW = "IMMEDIATELY"
RENEWAL = "NEXT_RENEWAL"
NEVER = "FUTURE_PROVISIONS"
IN_REQUEST_MAX = 10
SIZES = {"few": 2, "many": IN_REQUEST_MAX + 1}

Document = dict[str, Any]


class Gym:
    """A program definition with one pool definition, and programs of it."""

    def __init__(self, service: Service, plan: Document, pass_: Document) -> None:
        self.service = service
        self.plan = plan
        self.pass_ = pass_
        self.programs: list[str] = []

    @property
    def program(self) -> str:
        """One of the programs."""
        return self.programs[0]

    async def update(self, cascade: str, definition: Document | None = None, **change: Any) -> None:
        target = definition or self.pass_
        answer = await self.service.call("getPoolDefinition", {"poolDefinitionId": target["id"]})
        request = {
            "poolDefinition": {
                "id": target["id"],
                "revision": answer["poolDefinition"]["revision"],
                **change,
            },
            "cascade": cascade,
        }
        await self.service.call("updatePoolDefinition", request)

    async def place(self, verb: str, cascade: str, definition: Document | None = None) -> None:
        method = {
            "add": "addPoolDefinitionToProgramDefinition",
            "remove": "removePoolDefinitionFromProgramDefinition",
        }[verb]
        request = {
            "poolDefinitionId": (definition or self.pass_)["id"],
            "programDefinitionId": self.plan["id"],
            "cascade": cascade,
        }
        await self.service.call(method, request)

    async def delete(self, cascade: str) -> None:
        request = {"poolDefinitionId": self.pass_["id"], "cascade": cascade}
        await self.service.call("deletePoolDefinition", request)

    async def delete_plan(self, cascade: str | None) -> None:
        more = {} if cascade is None else {"cascadeType": cascade}
        request = {"programDefinitionId": self.plan["id"], **more}
        await self.service.call("deleteProgramDefinition", request)

    async def done(self) -> None:
        await run_jobs(self.service)
        assert all(order.stands for order in await self.service.rows(Order))
        assert all(agenda.since is None for agenda in await self.service.rows(Agenda))

    async def renew(self) -> None:
        await asyncio.gather(*(act(self.service, "renew", each) for each in self.programs))

    async def pools(self, definition: Document | None = None) -> list[Pool]:
        wanted = (definition or self.pass_)["id"]
        rows = await self.service.rows(Pool)
        return [row for row in rows if row.pool_definition_id == wanted]

    async def facts(self, definition: Document | None = None) -> set[tuple[Any, ...]]:
        """What the pools of a definition say of themselves, each different answer once."""
        return {
            (str(row.status), row.pool_definition_revision, row.renewal_action)
            for row in await self.pools(definition)
        }


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    """Give the number of programs."""
    return SIZES[request.param]


@pytest.fixture
async def gym(idle_service: Service, size: int) -> Gym:
    """A gym with some members."""
    return await open_gym(idle_service, size)


async def open_gym(service: Service, size: int) -> Gym:
    await limit_requests(service, IN_REQUEST_MAX)
    plan = await service.create_program_definition()
    pass_ = await service.create_pool_definition(programDefinitionIds=[plan["id"]])
    gym = Gym(service, plan, pass_)
    answers = [service.provision(program_definition=plan) for _ in range(size)]
    gym.programs = [answer["program"]["id"] for answer in await asyncio.gather(*answers)]
    return gym


CHANGED = details(amount="7")


@pytest.mark.parametrize(
    ("cascade", "facts"),
    [
        (NOW, ("ACTIVE", 2, None)),
        (RENEWAL, ("ACTIVE", 1, "UPDATE")),
        (NEVER, ("ACTIVE", 1, None)),
    ],
)
async def test_an_update_reaches_live_pools(gym: Gym, cascade: str, facts: Any) -> None:
    """Pools take it at once, or mark it for their renewal, or nothing; balances stay."""
    before = {row.id: row.available for row in await gym.pools()}
    await gym.update(cascade, details=CHANGED, displayName="Gold")
    await gym.done()
    assert await gym.facts() == {facts}
    rows = await gym.pools()
    assert {row.id: row.available for row in rows} == before
    assert {row.revision for row in rows} == {1 if cascade == NEVER else 2}
    (pool,) = await gym.service.pools_of(gym.program)
    assert pool.get("displayName") == ("Gold" if cascade == NOW else None)
    if cascade == RENEWAL:
        action = pool["renewalAction"]
        assert action["type"] == "UPDATE"


async def test_a_pending_update_is_taken_by_the_renewal(gym: Gym) -> None:
    """The pool renews with the new details: their amount is granted."""
    await gym.update(RENEWAL, details=CHANGED)
    await gym.done()
    await gym.renew()
    assert await gym.facts() == {("ACTIVE", 2, None)}
    assert {row.available for row in await gym.pools()} == {7 * CREDIT}


async def test_a_newer_pending_update_replaces_the_older(gym: Gym) -> None:
    """What renews is the newest of several updates."""
    await gym.update(RENEWAL, details=CHANGED)
    await gym.update(RENEWAL, details=details(amount="8"))
    await gym.update(NEVER, details=details(amount="9"))
    await gym.done()
    await gym.renew()
    assert await gym.facts() == {("ACTIVE", 3, None)}
    assert {row.available for row in await gym.pools()} == {8 * CREDIT}


async def test_an_immediate_update_clears_a_pending_one(gym: Gym) -> None:
    """What is done at once leaves nothing for the renewal, even if the details are the same."""
    await gym.update(RENEWAL, details=CHANGED)
    await gym.update(NOW, details=CHANGED)
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 3, None)}


async def test_an_end_beats_an_update(gym: Gym) -> None:
    """A pool that is to end at its renewal is not to be updated then, whichever came first."""
    await gym.update(RENEWAL, details=CHANGED)
    await gym.place("remove", RENEWAL)
    await gym.update(RENEWAL, details=CHANGED)
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 1, "END")}


async def test_an_update_of_nothing_that_pools_copy_reaches_none(gym: Gym) -> None:
    """Extended fields are the definition's own."""
    await gym.update(NOW, extendedFields={"namespaces": {"@a/b": {"c": 1}}})
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 1, None)}


@pytest.mark.parametrize("how", ["remove", "delete", "update"])
@pytest.mark.parametrize(
    ("cascade", "facts"),
    [(NOW, ("ENDED", 1, None)), (RENEWAL, ("ACTIVE", 1, "END")), (NEVER, ("ACTIVE", 1, None))],
)
async def test_pools_of_what_is_removed_end(gym: Gym, how: str, cascade: str, facts: Any) -> None:
    """They end at once, or when they renew (without credits), or live on."""
    if how == "remove":
        await gym.place("remove", cascade)
    elif how == "delete":
        await gym.delete(cascade)
    else:
        await gym.update(cascade, programDefinitionIds=[])
    await gym.done()
    assert await gym.facts() == {facts}
    await gym.renew()
    rows = await gym.pools()
    assert {str(row.status) for row in rows} == {"ACTIVE" if cascade == NEVER else "ENDED"}
    assert {row.renewal_count for row in rows} == {1 if cascade == NEVER else 0}
    programs = await gym.service.rows(Program)
    assert {str(row.status) for row in programs} == {"ACTIVE"}


@pytest.mark.parametrize("how", ["add", "create", "update"])
@pytest.mark.parametrize("cascade", [NOW, RENEWAL, NEVER])
async def test_programs_get_what_is_added(gym: Gym, how: str, cascade: str) -> None:
    """They get the pool at once, or when they renew, or never; those that ended get nothing."""
    service, ended = gym.service, gym.programs.pop()
    await act(service, "end", ended)
    await act(service, "pause", gym.program)
    if how == "create":
        new = {"namespace": "gym", "details": CHANGED, "programDefinitionIds": [gym.plan["id"]]}
        request = {"poolDefinition": new, "cascade": cascade}
        added = (await service.call("createPoolDefinition", request))["poolDefinition"]
    else:
        added = await service.create_pool_definition(details=CHANGED)
        if how == "add":
            await gym.place("add", cascade, added)
        else:
            await gym.update(cascade, added, programDefinitionIds=[gym.plan["id"]])
    await gym.done()
    assert len(await gym.pools(added)) == (len(gym.programs) if cascade == NOW else 0)
    await gym.renew()
    await gym.renew()
    rows = await gym.pools(added)
    assert sorted(row.program_id for row in rows) == (
        [] if cascade == NEVER else sorted(gym.programs)
    )
    assert {row.renewal_count for row in rows} <= {1 if cascade == RENEWAL else 2}
    for row in rows:
        assert row.origin == "CASCADE"
        assert row.available == 7 * CREDIT
        assert str(row.status) == ("PAUSED" if row.program_id == gym.program else "ACTIVE")


async def test_a_program_gets_no_second_pool_of_a_definition(gym: Gym) -> None:
    """Removing for the future and adding at once leaves the pools that there are."""
    before = {row.id for row in await gym.pools()}
    await gym.place("remove", NEVER)
    await gym.place("add", NOW)
    await gym.done()
    await gym.renew()
    assert {row.id for row in await gym.pools()} == before


@pytest.mark.parametrize("cascade", [NOW, RENEWAL])
async def test_adding_again_keeps_pools_that_were_to_end(gym: Gym, cascade: str) -> None:
    """A pool that waits for its end lives on if its definition comes back before the renewal."""
    await gym.place("remove", RENEWAL)
    await gym.place("add", cascade)
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 1, None)}
    await gym.renew()
    assert len(await gym.pools()) == len(gym.programs)
    assert await gym.facts() == {("ACTIVE", 1, None)}


async def test_adding_again_for_the_future_leaves_the_end(gym: Gym) -> None:
    """FUTURE_PROVISIONS touches nothing that is pending."""
    await gym.place("remove", RENEWAL)
    await gym.place("add", NEVER)
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 1, "END")}


async def test_adding_again_keeps_pools_whatever_was_for_the_future_only(gym: Gym) -> None:
    """What happens for future programs alone, in between, doesn't make an end forgotten."""
    await gym.place("remove", RENEWAL)
    await gym.place("add", NEVER)
    await gym.place("remove", NEVER)
    await gym.place("add", RENEWAL)
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 1, None)}


@pytest.mark.parametrize("cascade", [NOW, RENEWAL, NEVER])
async def test_removing_again_clears_a_pending_addition(gym: Gym, cascade: str) -> None:
    """What was to come with the renewal doesn't come if it is taken back before."""
    added = await gym.service.create_pool_definition()
    await gym.place("add", RENEWAL, added)
    await gym.place("remove", cascade, added)
    await gym.done()
    await gym.renew()
    assert await gym.pools(added) == []


async def test_a_pending_addition_follows_updates(gym: Gym) -> None:
    """The pool that comes with the renewal is made from the newest details that concern it."""
    added = await gym.service.create_pool_definition()
    await gym.place("add", RENEWAL, added)
    await gym.update(RENEWAL, added, details=CHANGED)
    await gym.update(NEVER, added, details=details(amount="9"))
    await gym.done()
    await gym.renew()
    assert {row.available for row in await gym.pools(added)} == {7 * CREDIT}


async def test_removing_from_one_program_definition_leaves_the_others(gym: Gym) -> None:
    """Only pools made through the one end; so do none that were made without any."""
    service = gym.service
    other = await service.create_program_definition()
    await gym.service.call(
        "addPoolDefinitionToProgramDefinition",
        {
            "poolDefinitionId": gym.pass_["id"],
            "programDefinitionId": other["id"],
            "cascade": NEVER,
        },
    )
    kept = [
        (await service.provision(program_definition=other))["program"]["id"],
        (await service.provision(pool_definition=gym.pass_))["program"]["id"],
    ]
    await gym.place("remove", NOW)
    await gym.done()
    live = {row.program_id for row in await gym.pools() if row.status != "ENDED"}
    assert live == set(kept)


@pytest.mark.parametrize("cascade", [NOW, RENEWAL, NEVER, None])
async def test_programs_end_with_their_definition(gym: Gym, cascade: str | None) -> None:
    """They end with their pools at once, or when they renew, or not at all (the default)."""
    service = gym.service
    await gym.place("remove", NEVER)
    await gym.delete_plan(cascade)
    await gym.done()
    facts = {
        NOW: ("ENDED", 1, None),
        RENEWAL: ("ACTIVE", 1, "END"),
    }.get(cascade or "", ("ACTIVE", 1, None))
    assert await gym.facts() == {facts}
    assert {str(row.status) for row in await service.rows(Program)} == {facts[0]}
    if cascade == NOW:
        refusal = await refused(service, "renew", gym.program)
        assert refusal.data["currentStatus"] == "ENDED"
        return
    await gym.renew()
    ended = "ENDED" if cascade == RENEWAL else "ACTIVE"
    assert {str(row.status) for row in await service.rows(Program)} == {ended}
    assert {str(row.status) for row in await gym.pools()} == {ended}
    assert {row.renewal_count for row in await gym.pools()} == {int(ended == "ACTIVE")}


async def test_bulk_changes_cascade_too(gym: Gym) -> None:
    """A bulk update and a bulk delete reach the pools of each entry."""
    service = gym.service
    entry = {"poolDefinition": {"id": gym.pass_["id"], "revision": "1", "details": CHANGED}}
    request = {"poolDefinitions": [entry], "cascade": NOW}
    await service.call("bulkUpdatePoolDefinitions", request)
    await gym.done()
    assert await gym.facts() == {("ACTIVE", 2, None)}
    request = {"poolDefinitionIds": [gym.pass_["id"]], "cascade": NOW}
    await service.call("bulkDeletePoolDefinitions", request)
    await gym.done()
    assert await gym.facts() == {("ENDED", 2, None)}


async def test_each_pool_tells_once_of_a_cascade(gym: Gym) -> None:
    """A cascade gives each pool one revision and one event of each kind."""
    await gym.update(NOW, details=CHANGED)
    await gym.place("remove", NOW)
    await gym.done()
    for row in await gym.pools():
        slugs = [
            event.slug for event in await gym.service.rows(Event) if event.entity_id == row.id
        ][1:]
        assert slugs == ["updated", "updated+ended"]
        assert row.revision == 3
        if len(gym.programs) > 2:
            break


@pytest.mark.parametrize("how", ["update", "remove", "add", "end"])
async def test_a_cascade_of_several_chunks_reaches_each_pool_once(
    idle_service: Service, how: str
) -> None:
    """A job that takes several commits leaves none out, and does none twice."""
    gym = await open_gym(idle_service, CHUNK_SIZE + 1)
    added = await gym.service.create_pool_definition()
    if how == "update":
        await gym.update(NOW, details=CHANGED)
    elif how == "remove":
        await gym.place("remove", NOW)
    elif how == "add":
        await gym.place("add", NOW, added)
    else:
        await gym.delete_plan(NOW)
    await gym.done()
    rows = await gym.pools(added if how == "add" else None)
    assert sorted(row.program_id for row in rows) == sorted(gym.programs)
    assert {row.revision for row in rows} == {1 if how == "add" else 2}
    ended = "ENDED" if how in {"remove", "end"} else "ACTIVE"
    assert {str(row.status) for row in rows} == {ended}


# Changes that meet while the job of an earlier one still waits.


@pytest.fixture
async def large_gym(idle_service: Service) -> Gym:
    """A gym with more members than a request changes."""
    return await open_gym(idle_service, SIZES["many"])


async def test_a_renewal_first_takes_a_waiting_removal(large_gym: Gym) -> None:
    """An answered removal gives no renewal credits, though its job hasn't come to the pool."""
    gym = large_gym
    await gym.place("remove", NOW)
    await act(gym.service, "renew", gym.program)
    (pool,) = await pool_rows(gym.service, gym.program)
    assert (pool.status, pool.renewal_count) == ("ENDED", 0)
    assert (await gym.service.slugs_of(pool.id))[1:] == ["updated+ended"]
    await gym.done()
    assert (await pool_rows(gym.service, gym.program)) == [pool]
    assert await gym.facts() == {("ENDED", 1, None)}


async def test_a_renewal_first_takes_waiting_updates_in_order(large_gym: Gym) -> None:
    """It renews with what was answered before, and the jobs then pass the pool by."""
    gym = large_gym
    await gym.update(NOW, details=details(amount="3"))
    await gym.update(RENEWAL, details=CHANGED)
    await act(gym.service, "renew", gym.program)
    (pool,) = await pool_rows(gym.service, gym.program)
    assert (pool.available, pool.pool_definition_revision) == (7 * CREDIT, 3)
    await gym.update(NOW, details=details(amount="9"))
    await gym.done()
    (pool,) = await pool_rows(gym.service, gym.program)
    assert (pool.available, pool.pool_definition_revision, pool.revision) == (7 * CREDIT, 4, 3)
    assert await gym.facts() == {("ACTIVE", 4, None)}


async def test_a_renewal_first_takes_a_waiting_addition(large_gym: Gym) -> None:
    """The pool is opened and renewed, and the job gives the program no second one."""
    gym = large_gym
    added = await gym.service.create_pool_definition(details=CHANGED)
    await gym.place("add", NOW, added)
    await act(gym.service, "renew", gym.program)
    (pool,) = await gym.pools(added)
    assert (pool.program_id, pool.renewal_count) == (gym.program, 1)
    await gym.place("remove", NOW, added)
    await act(gym.service, "renew", gym.program)
    await gym.done()
    assert len(await gym.pools(added)) == len(gym.programs)
    assert {str(row.status) for row in await gym.pools(added)} == {"ENDED"}


async def test_a_program_that_ends_with_its_definition_is_over_at_once(large_gym: Gym) -> None:
    """Once the deletion was answered no action is done, though its job still waits."""
    gym = large_gym
    await gym.delete_plan(NOW)
    refusal = await refused(gym.service, "pause", gym.program)
    assert refusal.data["currentStatus"] == "ENDED"
    await gym.done()
    assert (await read(gym.service, gym.program))["status"] == "ENDED"


async def test_a_programs_end_waits_for_a_deleted_definition(large_gym: Gym) -> None:
    """A renewal ends the program whose definition is gone, before the job has marked its pool."""
    gym = large_gym
    await gym.delete_plan(RENEWAL)
    await act(gym.service, "renew", gym.program)
    assert (await read(gym.service, gym.program))["status"] == "ENDED"
    await gym.done()
    (pool,) = await pool_rows(gym.service, gym.program)
    assert (pool.status, pool.revision) == ("ENDED", 2)


async def test_an_update_of_a_pool_is_the_last_word(large_gym: Gym) -> None:
    """A pool that was changed by hand after a cascade was answered keeps what it was given."""
    gym = large_gym
    await gym.update(NOW, details=CHANGED)
    (pool,) = await gym.service.pools_of(gym.program)
    change = {"id": pool["id"], "revision": pool["revision"], "displayName": "Mine"}
    await gym.service.call("updatePool", {"pool": change})
    await gym.done()
    (pool,) = await gym.service.pools_of(gym.program)
    assert (pool["displayName"], pool["poolDefinitionRevision"]) == ("Mine", "2")


async def test_adding_removing_and_adding_again_ends_as_in_order(large_gym: Gym) -> None:
    """Three changes whose jobs all wait leave one live pool in each program."""
    gym = large_gym
    added = await gym.service.create_pool_definition()
    for verb, cascade in (("add", NOW), ("remove", NOW), ("add", RENEWAL)):
        await gym.place(verb, cascade, added)
    await act(gym.service, "renew", gym.program)
    await gym.done()
    await gym.renew()
    live = [row for row in await gym.pools(added) if row.status != "ENDED"]
    assert sorted(row.program_id for row in live) == sorted(gym.programs)
    assert len(await gym.pools(added)) == 2 * len(gym.programs)
    assert [order.kind for order in await gym.service.rows(Order) if order.stands] == ["ADD_POOLS"]


@pytest.mark.parametrize("cascade", [None, "UNKNOWN_CASCADE"])
async def test_a_cascade_must_be_named(service: Service, cascade: str | None) -> None:
    """A change of a definition says when it reaches what was made before."""
    definition = await service.create_pool_definition()
    more = {} if cascade is None else {"cascade": cascade}
    request = {"poolDefinitionId": definition["id"], **more}
    refusal = await service.refusal("deletePoolDefinition", request)
    assert refusal.status == 400
    assert refusal.violations[0]["ruleName"] == "cascade_is_required"
