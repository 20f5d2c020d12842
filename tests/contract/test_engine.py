"""The one way in for writes: batches, queues and what goes wrong in them, on real stores."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import apsw
import asyncpg
import httpx
import pytest

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    PoolDefinition,
    ProgramDefinition,
)
from benefit_programs.domain.errors import ProgramDefinitionAlreadyExists
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.program_definitions import (
    UpdateProgramDefinition,
)
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.store import BATCH_SIZE_MAX, StoreConflict
from benefit_programs.engine.engine import QUEUE_LENGTH_MAX, QueueFull
from benefit_programs.storage.sqlite import HALF_BATCH_SIZE_MAX
from tests.support.calls import NAMESPACE, details
from tests.support.commands import Blind, create, external_ids, submit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio


class Mistaken(Command[None], frozen=True, kw_only=True):
    """A command with a mistake in it."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing."""

    def decide(self, state: State, context: Context) -> Changes[None]:  # noqa: ARG002
        """Fail in a way that nobody has foreseen."""
        raise ZeroDivisionError("a mistake of ours")


async def finish(futures: list[asyncio.Future[Any]]) -> list[Any]:
    """What became of each command: its answer, or what it was refused with."""
    return await asyncio.gather(*futures, return_exceptions=True)


@asynccontextmanager
async def writes_held(service: Service, url: str) -> AsyncIterator[None]:
    """Hold what every write of definitions needs, as another process might for a moment."""
    if url.startswith("sqlite"):
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        connection.execute("begin immediate")
        try:
            yield
        finally:
            connection.execute("rollback")
            connection.close()
        return
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.execute("lock table program_definitions in exclusive mode")
            yield
    finally:
        await other.close()


async def test_what_waits_together_is_one_batch(service: Service) -> None:
    """Commands that wait at the same time are decided at one instant, in their order."""
    names = [str(number) for number in range(HALF_BATCH_SIZE_MAX)]
    made = await finish([submit(service, create(name)) for name in names])
    assert [row.external_id for row in made] == names
    assert len({row.created for row in made}) == 1
    assert [row.id for row in made] == sorted(row.id for row in made)
    assert await external_ids(service) == names


async def test_more_than_a_batch_is_done_too(service: Service) -> None:
    """Whatever is submitted is answered, however many batches it takes."""
    names = [str(number) for number in range(5 * BATCH_SIZE_MAX + 1)]
    made = await finish([submit(service, create(name)) for name in names])
    assert [row.external_id for row in made] == names


async def test_a_refusal_hurts_one_command(service: Service) -> None:
    """A refused command leaves no trace, and those before and after it in the batch are done."""
    commands = [create("a"), create("b"), create("a"), create("c")]
    a, b, again, c = await finish([submit(service, each) for each in commands])
    assert [a.external_id, b.external_id, c.external_id] == ["a", "b", "c"]
    assert isinstance(again, ProgramDefinitionAlreadyExists)
    assert len(await service.rows(Event)) == 3


async def test_a_mistake_hurts_one_command(service: Service) -> None:
    """A command that fails in a way that nobody has foreseen takes no other with it."""
    commands = [create("a"), Mistaken(), create("b")]
    a, mistake, b = await finish([submit(service, each) for each in commands])
    assert isinstance(mistake, ZeroDivisionError)
    assert await external_ids(service) == [a.external_id, b.external_id] == ["a", "b"]


async def test_what_the_database_refuses_hurts_one_command(service: Service) -> None:
    """If the database refuses a batch, only the guilty command fails, and its work is undone."""
    blind = Blind(namespace=NAMESPACE, external_id="a")
    commands = [create("a"), blind, create("b"), create("c")]
    a, guilty, b, c = await finish([submit(service, each) for each in commands])
    assert isinstance(guilty, StoreConflict)
    assert [a.external_id, b.external_id, c.external_id] == ["a", "b", "c"]
    assert await external_ids(service) == ["a", "b", "c"]
    assert len(await service.rows(Event)) == 3


async def test_a_command_sees_those_before_it(service: Service) -> None:
    """In one batch each command is decided on what the ones before it have left."""
    (made,) = await finish([submit(service, create("a"))])
    updates = [
        UpdateProgramDefinition(id=made.id, revision=revision, updates={"display_name": "x"})
        for revision in (1, 2, 3, 3)
    ]
    *done, refused = await finish([submit(service, each) for each in updates])
    assert [row.revision for row in done] == [2, 3, 4]
    assert getattr(refused, "code", None) == "INVALID_REVISION"
    assert await service.slugs_of(made.id) == ["created", "updated", "updated", "updated"]


async def test_tenants_are_apart_in_the_queue(service: Service) -> None:
    """Commands of two tenants that wait together are done for each, with the same names."""
    other = await service.another_tenant()
    names = [str(number) for number in range(100)]
    futures = [submit(each, create(name)) for name in names for each in (service, other)]
    assert not [each for each in await finish(futures) if isinstance(each, Exception)]
    assert sorted(await external_ids(service)) == sorted(await external_ids(other))


async def test_who_gave_up_before_the_start_is_left_out(service: Service) -> None:
    """A command whose caller has gone away before its batch began is not done."""
    gone, stays = submit(service, create("gone")), submit(service, create("stays"))
    gone.cancel()
    await stays
    assert await external_ids(service) == ["stays"]


async def test_what_waits_for_a_lock_is_done_after_it(
    own_service: Service, database_url: str
) -> None:
    """A write waits for another process's short transaction; reads go on meanwhile."""
    await own_service.running.runner.settle()
    async with writes_held(own_service, database_url):
        future = submit(own_service, create("a"))
        assert await external_ids(own_service) == []
        answer = await own_service.call("queryProgramDefinitions")
        assert answer["programDefinitions"] == []
        assert not future.done()
    await future
    assert await external_ids(own_service) == ["a"]


async def test_who_was_just_answered_shares_the_next_batch(
    own_service: Service, database_url: str
) -> None:
    """Callers who came at different moments don't go on in halves that wait for each other."""
    callers, each = 8, 20
    await own_service.running.runner.settle()
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    async def call(number: int) -> None:
        for turn in range(each):
            await submit(own_service, create(f"{number}: {turn}"))

    own_service.engine.on_commit(count)
    async with writes_held(own_service, database_url):
        first = [asyncio.create_task(call(number)) for number in range(callers // 2)]
        assert await external_ids(own_service) == []
        others = [asyncio.create_task(call(number)) for number in range(callers // 2, callers)]
        assert await external_ids(own_service) == []
    await asyncio.gather(*first, *others)
    assert len(await external_ids(own_service)) == callers * each
    # Those who came first are one ahead. In halves there would be twice as many.
    assert commits <= each + 5


async def test_a_full_queue_says_when_to_come_back(own_service: Service, database_url: str) -> None:
    """Past its limit the queue refuses at once with 429 and Retry-After, and loses nothing."""
    made = await own_service.create_program_definition()
    await own_service.running.runner.settle()
    change = UpdateProgramDefinition(id=made["id"], revision=1, updates={})
    new = {"namespace": NAMESPACE, "externalId": "late"}
    async with writes_held(own_service, database_url):
        futures = [submit(own_service, change) for _ in range(QUEUE_LENGTH_MAX)]
        with pytest.raises(QueueFull):
            submit(own_service, change)
        # The first batch is taken out of the queue, and held up; then the queue is filled again.
        await own_service.call("queryProgramDefinitions")
        futures += fill(own_service, change)
        refused = await own_service.refusal("createProgramDefinition", {"programDefinition": new})
        bulk = {"poolDefinitions": [{"namespace": NAMESPACE, "details": details()}]}
        refused_bulk = await own_service.refusal("bulkCreatePoolDefinitions", bulk)
        await own_service.call("queryProgramDefinitions")
    for each in (refused, refused_bulk):
        assert (each.status, each.code) == (httpx.codes.TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
        assert int(each.response.headers["retry-after"]) >= 1
    answers = await finish(futures)
    done = [each for each in answers if isinstance(each, ProgramDefinition)]
    assert [row.revision for row in done] == [2]
    await own_service.call("createProgramDefinition", {"programDefinition": new})


def fill(service: Service, command: Command[Any]) -> list[asyncio.Future[Any]]:
    """Submit until the queue is full."""
    futures: list[asyncio.Future[Any]] = []
    with suppress(QueueFull):
        while len(futures) <= QUEUE_LENGTH_MAX:
            futures.append(submit(service, command))
    return futures


async def test_a_bulk_request_may_be_taken_on_in_part(
    own_service: Service, database_url: str
) -> None:
    """If the queue fills up in the middle of a bulk request, the entries past its limit fail."""
    made = await own_service.create_program_definition()
    await own_service.running.runner.settle()
    change = UpdateProgramDefinition(id=made["id"], revision=1, updates={})
    new = {"namespace": NAMESPACE, "details": details()}
    before = own_service.engine.submitted
    async with writes_held(own_service, database_url):
        futures = [submit(own_service, change)]
        await own_service.call("queryProgramDefinitions")
        futures += [submit(own_service, change) for _ in range(QUEUE_LENGTH_MAX - 10)]
        request = {"poolDefinitions": [new] * 100}
        bulk = asyncio.create_task(own_service.call("bulkCreatePoolDefinitions", request))
        await has_taken(own_service, before + QUEUE_LENGTH_MAX + 1)
    await finish(futures)
    results = (await bulk)["results"]
    codes = [each["itemMetadata"].get("error", {}).get("code") for each in results]
    taken = codes.count(None)
    assert 0 < taken < len(codes)
    assert codes == [None] * taken + ["TOO_MANY_REQUESTS"] * (len(codes) - taken)
    assert len(await own_service.rows(PoolDefinition)) == taken


async def has_taken(service: Service, submitted: int) -> None:
    """Return once so many commands have come; nothing is submitted to find out."""
    for _ in range(100):
        await service.call("queryProgramDefinitions")
        if service.engine.submitted >= submitted:
            return
    raise AssertionError("the queue isn't full")


async def test_a_stopping_engine_finishes_what_waits(own_service: Service) -> None:
    """Close waits for what was submitted, and takes nothing more."""
    futures = [submit(own_service, create(str(number))) for number in range(200)]
    await own_service.engine.close()
    assert all(each.done() for each in futures)
    assert len(await external_ids(own_service)) == 200
    with pytest.raises(QueueFull):
        submit(own_service, create("late"))


async def test_reads_see_what_was_answered(service: Service) -> None:
    """A read that starts after a write was answered sees it, with many writers at once."""

    async def write_and_read() -> None:
        created = await service.create_program_definition()
        asked = {"programDefinitionId": created["id"]}
        read = (await service.call("getProgramDefinition", asked))["programDefinition"]
        assert read == created
        query = {"query": {"filter": {"externalId": created["externalId"]}}}
        found = await service.call("queryProgramDefinitions", query)
        assert found["programDefinitions"] == [created]

    await asyncio.gather(*(write_and_read() for _ in range(100)))
