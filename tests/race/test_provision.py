"""Two server processes on one PostgreSQL: what must hold whoever answers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import NAMESPACE, Caller, Refused, guid
from tests.support.databases import PostgresDatabases
from tests.support.service import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.anyio

AT_ONCE = 200


@pytest.fixture(scope="module")
def two_servers(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    databases = PostgresDatabases(postgres_server)
    url, folder = databases.create(), tmp_path_factory.mktemp("servers")
    first, second = Server(url, folder / "first.log"), Server(url, folder / "second.log")
    yield first, second
    first.stop()
    second.stop()
    databases.drop(url)


@pytest.fixture
async def callers(two_servers: tuple[Server, Server]) -> AsyncIterator[tuple[Caller, Caller]]:
    """The administrator of a new tenant, at each of the servers."""
    first, second = two_servers
    key = first.make_key()
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(first.connect(key)),
            await stack.enter_async_context(second.connect(key)),
        )


async def race(calls: list[Any]) -> tuple[list[dict[str, Any]], list[Refused]]:
    """Make the calls at the same time; the answers, and the refusals."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, Refused)]
    answers = [each for each in outcomes if isinstance(each, dict)]
    assert len(answers) + len(refused) == len(calls), outcomes
    return answers, refused


async def test_one_external_id_makes_one_program(callers: tuple[Caller, Caller]) -> None:
    """Of 200 provisions of one external id, through both servers, exactly one succeeds."""
    definition = await callers[0].create_pool_definition()
    answers, refused = await race(
        [
            callers[number % 2].provision(pool_definition=definition, externalProgramId="mine")
            for number in range(AT_ONCE)
        ]
    )
    assert len(answers) == 1
    assert {each.status for each in refused} == {409}
    assert {each.code for each in refused} <= {"PROGRAM_ALREADY_EXISTS", "IN_PROGRESS"}
    for caller in callers:
        for name, rows in (("queryPrograms", "programs"), ("queryPools", "pools")):
            assert len((await caller.call(name))[rows]) == 1


async def test_an_empty_program_is_filled_once(callers: tuple[Caller, Caller]) -> None:
    """Of many retries on a program without pools, through both servers, exactly one fills it."""
    definition = await callers[0].create_program_definition()
    fields = {"program_definition": definition, "externalProgramId": "mine"}
    program = (await callers[0].provision(**fields))["program"]
    await callers[0].create_pool_definition(programDefinitionIds=[definition["id"]])
    answers, refused = await race(
        [callers[number % 2].provision(**fields) for number in range(AT_ONCE)]
    )
    assert [each["program"]["id"] for each in answers] == [program["id"]]
    assert {each.code for each in refused} <= {"PROGRAM_ALREADY_EXISTS", "IN_PROGRESS"}
    assert len(await callers[1].pools_of(program["id"])) == 1


async def test_different_programs_don_t_hinder_each_other(callers: tuple[Caller, Caller]) -> None:
    """200 provisions of different external ids, through both servers, all succeed."""
    definition = await callers[0].create_pool_definition()
    answers, refused = await race(
        [callers[number % 2].provision(pool_definition=definition) for number in range(AT_ONCE)]
    )
    assert (len(answers), refused) == (AT_ONCE, [])
    ids = {each["program"]["id"] for each in answers}
    pages = await callers[1].pages("queryPools", {"cursorPaging": {"limit": 100}})
    assert {each["programId"] for page in pages for each in page} == ids


async def test_one_revision_is_updated_once(callers: tuple[Caller, Caller]) -> None:
    """Of many updates on one revision, through both servers, exactly one is done."""
    definition = await callers[0].create_program_definition()

    def change(number: int) -> dict[str, Any]:
        new = {"id": definition["id"], "revision": "1", "displayName": str(number)}
        return {"programDefinition": new}

    answers, refused = await race(
        [
            callers[number % 2].call("updateProgramDefinition", change(number))
            for number in range(AT_ONCE)
        ]
    )
    assert [each["programDefinition"]["revision"] for each in answers] == ["2"]
    assert {each.code for each in refused} == {"INVALID_REVISION"}
    asked = {"programDefinitionId": definition["id"]}
    for caller in callers:
        read = await caller.call("getProgramDefinition", asked)
        assert read["programDefinition"] == answers[0]["programDefinition"]


async def test_definitions_that_change_while_programs_are_made(
    callers: tuple[Caller, Caller],
) -> None:
    """Programs that are made while their definition changes each have one of its revisions."""
    definition = await callers[0].create_pool_definition(displayName="1")

    async def update_ten_times() -> None:
        for revision in range(1, 11):
            new = {
                "id": definition["id"],
                "revision": str(revision),
                "displayName": str(revision + 1),
            }
            request = {"poolDefinition": new, "cascade": "FUTURE_PROVISIONS"}
            await callers[1].call("updatePoolDefinition", request)

    _, *programs = await asyncio.gather(
        update_ten_times(),
        *(callers[0].provision(pool_definition=definition) for _ in range(AT_ONCE)),
    )
    pages = await callers[0].pages("queryPools", {"cursorPaging": {"limit": 100}})
    pools = [each for page in pages for each in page]
    assert len(pools) == len(programs)
    assert all(each["displayName"] == each["poolDefinitionRevision"] for each in pools)


async def test_what_one_server_answered_the_other_reads(callers: tuple[Caller, Caller]) -> None:
    """A read at one server sees every write that the other one answered before it."""
    definition = await callers[0].create_pool_definition()

    async def write_and_read(number: int) -> None:
        here, there = callers[number % 2], callers[(number + 1) % 2]
        program = (await here.provision(pool_definition=definition))["program"]
        asked = {"namespace": NAMESPACE, "externalId": program["externalId"]}
        read = await there.call("getProgramByExternalIdAndNamespace", asked)
        assert read["program"] == program
        unknown = await there.refusal("getProgram", {"programId": guid()})
        assert unknown.code == "PROGRAM_NOT_FOUND"

    await asyncio.gather(*(write_and_read(number) for number in range(50)))
