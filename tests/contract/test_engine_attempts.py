"""What the engine does when the database refuses, and in which order it comes to everybody."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from benefit_programs.domain.audit_rows import SERVICE
from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.due import NotSettled
from benefit_programs.domain.entities import ProgramDefinition
from benefit_programs.domain.errors import ProgramDefinitionAlreadyExists
from benefit_programs.domain.lookups import PROGRAM_DEFINITION_BY_EXTERNAL_ID, SNAPSHOT
from benefit_programs.domain.program_definitions import (
    CreateProgramDefinition,
    UpdateProgramDefinition,
)
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Index, Needs, NotLoaded, State
from benefit_programs.domain.store import (
    BATCH_SIZE_MAX,
    BatchRun,
    Load,
    StoreConflict,
    StoreLocked,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.domain.values import Identity, IdentityType, Instant
from benefit_programs.engine.engine import QUEUE_LENGTH_MAX, Engine, QueueFull
from benefit_programs.engine.runs import ATTEMPTS_MAX
from tests.support.calls import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from tests.support.inprocess import Service

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio

Answer = TypeVar("Answer")

CALLER = Identity(IdentityType.WIX_USER, "6d2b9a54-2f0c-4a1e-8f6e-0b1d5c0c6a01")


class TroubledStore:
    """A real store with a script: the errors of the next batches, None where one succeeds."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.batch_size_max = BATCH_SIZE_MAX
        self.script: deque[Exception | None] = deque()
        self.tenants: list[int] = []
        """The tenants of all batches, in their order."""

        self.patient: list[bool] = []
        """Which of them were patient."""

        self.loads: list[Index[Any]] = []
        self.is_open = asyncio.Event()
        """Batches wait until it is."""

        self.is_open.set()
        self.begun = asyncio.Event()
        self.after_commit: Callable[[], Any] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def run(self, tenant_id: int, steps: BatchRun[Answer], **options: bool) -> Answer:
        self.tenants.append(tenant_id)
        self.patient.append(options.get("patient", False))
        self.begun.set()
        await self.is_open.wait()
        error = self.script.popleft() if self.script else None
        if isinstance(error, StoreLocked):
            next(steps, None)  # It is a row that is asked for that is locked.
        if error is not None:
            raise error
        answer: Answer = await self._store.run(tenant_id, self._watch(steps), **options)
        self.after_commit()
        return answer

    def _watch(self, steps: BatchRun[Any]) -> Generator[Any, Any, Any]:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Load):
                    self.loads += step.wanted
                step = steps.send((yield step))
        except StopIteration as end:
            return end.value


class Nothing(Command[str], frozen=True, kw_only=True):
    """A command that changes nothing."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing."""

    def decide(self, state: State, context: Context) -> Changes[str]:  # noqa: ARG002
        """Answer."""
        return Changes("done")


class Lost(Nothing, frozen=True, kw_only=True):
    """A command that never finds what it has asked for."""

    def decide(self, state: State, context: Context) -> Changes[str]:  # noqa: ARG002
        """Read what wasn't loaded."""
        raise NotLoaded


class ReadSnapshot(Nothing, frozen=True, kw_only=True):
    """A command that asks for a snapshot."""

    id: str

    def ask(self, needs: Needs, state: State) -> None:  # noqa: ARG002
        """Ask for it."""
        needs.read(SNAPSHOT, self.id)


class LateOnce(Nothing, frozen=True, kw_only=True):
    """A command before which something has to be booked, the first time."""

    tries: list[Instant]

    def decide(self, state: State, context: Context) -> Changes[str]:
        """Answer, unless it is the first time."""
        self.tries.append(context.now)
        if len(self.tries) == 1:
            raise NotSettled
        return super().decide(state, context)


class CopyPointed(Command[ProgramDefinition], frozen=True, kw_only=True):
    """Make a definition named after the one that the newest definition's name points at."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the pointer, then for what it points at."""
        needs.read(PROGRAM_DEFINITION_BY_EXTERNAL_ID, NAMESPACE, "pointer")
        pointer = state.loaded(PROGRAM_DEFINITION_BY_EXTERNAL_ID, NAMESPACE, "pointer")
        if pointer and pointer.display_name:
            needs.read(PROGRAM_DEFINITION_BY_EXTERNAL_ID, NAMESPACE, pointer.display_name)
            create(f"copy of {pointer.display_name}").ask(needs, state)

    def decide(self, state: State, context: Context) -> Changes[ProgramDefinition]:
        """Follow the pointer."""
        pointer = state.one(PROGRAM_DEFINITION_BY_EXTERNAL_ID, NAMESPACE, "pointer")
        assert pointer is not None
        state.one(PROGRAM_DEFINITION_BY_EXTERNAL_ID, NAMESPACE, pointer.display_name)
        return create(f"copy of {pointer.display_name}").decide(state, context)


def create(external_id: str, display_name: str | None = None) -> CreateProgramDefinition:
    return CreateProgramDefinition(
        namespace=NAMESPACE, external_id=external_id, display_name=display_name
    )


class Troubled:
    """An engine on a troubled store."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.store = TroubledStore(service.store)
        self.engine = Engine(self.store)

    def submit(
        self, *commands: Command[Any], service: Service | None = None
    ) -> list[asyncio.Future[Any]]:
        tenant_id = (service or self.service).tenant.id
        return [
            self.engine.submit(each, tenant_id=tenant_id, caller=CALLER, settings=TenantSettings())
            for each in commands
        ]

    async def do(self, *commands: Command[Any], script: Iterable[Exception | None] = ()) -> Any:
        self.store.script.extend(script)
        return await asyncio.gather(*self.submit(*commands), return_exceptions=True)

    def together(self, *commands: Command[Any]) -> asyncio.Task[list[Any]]:
        done = self.engine.execute_together(
            commands,
            tenant_id=self.service.tenant.id,
            caller=CALLER,
            settings=TenantSettings(),
        )
        return asyncio.create_task(done)

    async def do_each(
        self, *commands: Command[Any], script: Iterable[Exception | None] = ()
    ) -> Any:
        """What becomes of commands that one caller waits for."""
        self.store.script.extend(script)
        return await self.engine.execute_each(
            [(each, SERVICE) for each in commands],
            tenant_id=self.service.tenant.id,
            caller=CALLER,
            settings=TenantSettings(),
        )

    async def names(self) -> list[str]:
        return [row.external_id for row in await self.service.rows(ProgramDefinition)]


@pytest.fixture
def troubled(service: Service) -> Troubled:
    """Give an engine whose store refuses as the test says."""
    return Troubled(service)


async def test_many_commands_of_one_caller_have_their_own_fates(troubled: Troubled) -> None:
    """They are done in their order, and an error of one is told beside the others' answers."""
    commands = [create("a"), create("a"), create("b"), Lost(), Nothing()]
    a, refused, b, lost, done = await troubled.do_each(*commands)
    assert [a.external_id, b.external_id, done] == ["a", "b", "done"]
    assert isinstance(refused, ProgramDefinitionAlreadyExists)
    assert isinstance(lost, StoreConflict)
    assert await troubled.names() == ["a", "b"]
    assert await troubled.do_each() == []


async def test_one_of_many_waits_for_what_comes_first(troubled: Troubled) -> None:
    """What has come due is booked, and the command is done after that."""
    late = LateOnce(tries=[])
    assert await troubled.do_each(Nothing(), late, Nothing()) == ["done"] * 3
    assert len(late.tries) > 1


async def test_of_many_as_many_are_done_as_there_is_room_for(troubled: Troubled) -> None:
    """The others hear that the queue is full."""
    troubled.store.is_open.clear()
    waiting = troubled.submit(*[Nothing()] * BATCH_SIZE_MAX)
    await troubled.store.begun.wait()
    waiting += troubled.submit(*[Nothing()] * (QUEUE_LENGTH_MAX - 1))
    two = asyncio.ensure_future(troubled.do_each(Nothing(), Nothing()))
    await asyncio.sleep(0)
    troubled.store.is_open.set()
    done, full = await two
    assert (done, type(full)) == ("done", QueueFull)
    await asyncio.gather(*waiting)


async def test_many_are_left_out_together_with_their_caller(troubled: Troubled) -> None:
    """Who has gone takes along what wasn't begun, and others go on."""
    troubled.store.is_open.clear()
    troubled.store.script.append(StoreConflict("taken"))
    gone = asyncio.ensure_future(troubled.do_each(create("one"), create("two")))
    await troubled.store.begun.wait()
    (stays,) = troubled.submit(create("stays"))
    gone.cancel()
    await asyncio.wait({gone})
    troubled.store.is_open.set()
    assert (await stays).external_id == "stays"
    assert await troubled.names() == ["stays"]


async def test_a_conflict_is_tried_again(troubled: Troubled) -> None:
    """What another process made impossible may be possible the next time."""
    conflicts = [StoreConflict("taken")] * ATTEMPTS_MAX
    (made,) = await troubled.do(create("a"), script=conflicts)
    assert made.external_id == "a"
    assert len(troubled.store.tenants) == 1 + ATTEMPTS_MAX


async def test_a_conflict_that_stays_is_told(troubled: Troubled) -> None:
    """Tries come to an end, and the caller hears the last reason."""
    conflicts = [StoreConflict(str(number)) for number in range(20)]
    (refused,) = await troubled.do(create("a"), script=conflicts)
    assert (type(refused), str(refused)) == (StoreConflict, str(ATTEMPTS_MAX))
    assert len(troubled.store.tenants) == 1 + ATTEMPTS_MAX
    assert await troubled.names() == []


@pytest.mark.parametrize("error", [StoreConflict("taken"), StoreTimeout("slow"), ValueError("odd")])
async def test_a_refused_batch_is_done_one_by_one(troubled: Troubled, error: Exception) -> None:
    """Each of its commands is done by itself, in their order."""
    made = await troubled.do(create("a"), create("b"), create("c"), script=[error])
    assert [row.external_id for row in made] == ["a", "b", "c"] == await troubled.names()
    assert len(troubled.store.tenants) == 1 + 3


@pytest.mark.parametrize("error", [StoreTimeout("slow"), ValueError("odd")])
async def test_only_the_guilty_one_is_told(troubled: Troubled, error: Exception) -> None:
    """Of a refused batch the command that is refused by itself hears why, and is tried once."""
    a, refused, c = await troubled.do(
        create("a"), create("b"), create("c"), script=[error, None, error]
    )
    assert refused is error
    assert [a.external_id, c.external_id] == ["a", "c"] == await troubled.names()
    assert len(troubled.store.tenants) == 1 + 3


@pytest.mark.parametrize("error", [StoreTimeout("slow"), ValueError("odd")])
async def test_what_fails_alone_is_told_at_once(troubled: Troubled, error: Exception) -> None:
    """A command that was alone isn't tried again, for it was no other's fault."""
    assert await troubled.do(create("a"), script=[error]) == [error]
    assert len(troubled.store.tenants) == 1


async def test_a_lost_database_is_told_to_all(troubled: Troubled) -> None:
    """Nothing is tried again where it is unknown what was done."""
    lost = StoreUnavailable("lost")
    assert await troubled.do(create("a"), create("b"), script=[lost]) == [lost, lost]
    assert len(troubled.store.tenants) == 1
    (made,) = await troubled.do(create("a"))
    assert made.external_id == "a"


async def test_a_database_lost_between_tries_is_told_to_one(troubled: Troubled) -> None:
    """The others have their own tries."""
    lost = StoreUnavailable("lost")
    script = [StoreConflict("taken"), lost]
    a, b = await troubled.do(create("a"), create("b"), script=script)
    assert (a, b.external_id) == (lost, "b")


async def test_a_command_that_was_led_to_other_rows_comes_again(troubled: Troubled) -> None:
    """It is done on what those before it have left, and those behind it come after it."""
    await troubled.do(create("target"))
    commands = [create("pointer", "target"), CopyPointed(), create("late"), CopyPointed()]
    pointer, copied, late, refused = await troubled.do(*commands)
    assert copied.external_id == "copy of target"
    assert [pointer.id, copied.id, late.id] == sorted([pointer.id, copied.id, late.id])
    assert isinstance(refused, ProgramDefinitionAlreadyExists)
    assert await troubled.names() == ["target", "pointer", "copy of target", "late"]


async def test_a_command_that_is_always_led_elsewhere_is_told(troubled: Troubled) -> None:
    """Whose rows keep changing is told so after some tries; the others are done."""
    a, lost, b = await troubled.do(create("a"), Lost(), create("b"))
    assert isinstance(lost, StoreConflict)
    assert [a.external_id, b.external_id] == ["a", "b"] == await troubled.names()
    assert len(troubled.store.tenants) == 2 + ATTEMPTS_MAX + 1


async def test_who_gives_up_during_the_commit_hurts_nobody(troubled: Troubled) -> None:
    """Whoever is gone when the answers come is passed by."""
    gone, stays = troubled.submit(create("gone"), create("stays"))
    troubled.store.after_commit = gone.cancel
    assert (await stays).external_id == "stays"
    assert gone.cancelled()
    assert await troubled.names() == ["gone", "stays"]


async def test_who_gives_up_before_a_second_try_is_left_out(troubled: Troubled) -> None:
    """What the database refused isn't done for those who are gone."""
    troubled.store.is_open.clear()
    troubled.store.script.append(StoreConflict("taken"))
    gone, stays = troubled.submit(create("gone"), create("stays"))
    await troubled.store.begun.wait()
    gone.cancel()
    troubled.store.is_open.set()
    assert (await stays).external_id == "stays"
    assert await troubled.names() == ["stays"]


async def test_a_cancelled_batch_leaves_nobody_waiting(troubled: Troubled) -> None:
    """If the engine is cancelled in the midst of a batch, all who wait hear so."""
    troubled.store.is_open.clear()
    futures = troubled.submit(*(create(str(number)) for number in range(BATCH_SIZE_MAX + 1)))
    await troubled.store.begun.wait()
    many = asyncio.ensure_future(troubled.do_each(create("one"), create("two")))
    await asyncio.sleep(0)
    (task,) = troubled.engine._tasks
    task.cancel()
    await asyncio.wait({*futures, many}, timeout=10)
    assert all(each.cancelled() for each in (*futures, many))
    troubled.store.is_open.set()
    assert await troubled.do(Nothing()) == ["done"]


async def test_nobody_is_told_of_a_commit_without_changes(troubled: Troubled) -> None:
    """Listeners hear only of what was written."""
    heard: list[Any] = []
    troubled.engine.on_commit(heard.append)
    await troubled.do(Nothing(), Nothing())
    assert heard == []


async def test_the_queue_has_room_for_others_than_those_at_work(troubled: Troubled) -> None:
    """What has been taken out of the queue doesn't count any more."""
    troubled.store.is_open.clear()
    futures = troubled.submit(*[Nothing()] * BATCH_SIZE_MAX)
    await troubled.store.begun.wait()
    futures += troubled.submit(*[Nothing()] * QUEUE_LENGTH_MAX)
    with pytest.raises(QueueFull):
        troubled.submit(Nothing())
    troubled.store.is_open.set()
    assert set(await asyncio.gather(*futures)) == {"done"}
    assert await troubled.do(Nothing()) == ["done"]


async def test_a_snapshot_is_read_once(troubled: Troubled) -> None:
    """A later batch of the same tenant knows it, and another tenant's asks for itself."""
    await troubled.service.create_pool_definition()
    snapshots = await troubled.service.store.fetch(
        "select id from snapshots where tenant_id = $1", (troubled.service.tenant.id,)
    )
    read = ReadSnapshot(id=str(snapshots[0][0]))
    for _ in range(3):
        await troubled.do(read)
    assert troubled.store.loads == [SNAPSHOT]
    other = await troubled.service.another_tenant()
    await asyncio.gather(*troubled.submit(read, service=other))
    assert troubled.store.loads == [SNAPSHOT, SNAPSHOT]


async def test_tenants_take_turns(troubled: Troubled) -> None:
    """Whoever has much to do doesn't keep the others waiting for all of it."""
    other = await troubled.service.another_tenant()
    many = troubled.submit(*[Nothing()] * (3 * BATCH_SIZE_MAX))
    few = troubled.submit(Nothing(), service=other)
    await asyncio.gather(*few, *many)
    one, two = troubled.service.tenant.id, other.tenant.id
    assert troubled.store.tenants == [one, two, one, one]


@pytest.mark.parametrize(("first", "second", "begun"), [(1, 3, 1), (3, 1, 2), (2, 2, 2)])
async def test_the_shorter_batch_goes_first(
    troubled: Troubled, first: int, second: int, begun: int
) -> None:
    """Whoever is answered goes on before another tenant's batch begins, if that is the longer."""
    troubled.store.batches_max = 1
    other = await troubled.service.another_tenant()
    seen: list[int] = []

    def note(_: object) -> None:
        seen.append(len(troubled.store.tenants))

    futures = troubled.submit(*[Nothing()] * first)
    for each in futures:
        each.add_done_callback(note)
    await asyncio.gather(*futures, *troubled.submit(*[Nothing()] * second, service=other))
    assert seen == [begun] * first


async def test_who_is_locked_out_waits_apart_from_the_others(troubled: Troubled) -> None:
    """Whoever needs a locked row is tried again patiently, and the others are done before."""
    locked = StoreLocked("kept")
    script = [locked, None, locked, None]
    a, b, c = await troubled.do(create("a"), create("b"), create("c"), script=script)
    assert [row.external_id for row in (a, b, c)] == ["a", "b", "c"]
    assert await troubled.names() == ["a", "c", "b"]
    assert troubled.store.patient == [False] * 4 + [True]


async def test_what_stays_locked_is_told(troubled: Troubled) -> None:
    """Patience comes to an end; those who waited together are then tried once by themselves."""
    locked = StoreLocked("kept")
    script = [locked] * 3 + [locked, locked, None]
    refused, done = await troubled.do(create("a"), create("b"), script=script)
    assert refused is locked
    assert done.external_id == "b"
    assert troubled.store.patient == [False] * 3 + [True, False, False]
    assert await troubled.do(Nothing()) == ["done"]


async def test_commands_for_a_locked_row_keep_their_order(troubled: Troubled) -> None:
    """Who needs what another one waits for comes after it, even if the row is free by then."""
    (made,) = await troubled.do(create("a"))
    troubled.store.script.extend([StoreLocked("kept")] * 2)
    updates = [
        UpdateProgramDefinition(id=made.id, revision=revision, updates={"display_name": "x"})
        for revision in (1, 2, 3)
    ]
    first = troubled.submit(*updates[:2], create("b"))
    b = await first[-1]
    second = troubled.submit(updates[2])
    assert b.external_id == "b"
    assert not first[0].done()
    assert [row.revision for row in await asyncio.gather(*first[:2], *second)] == [2, 3, 4]


async def test_closing_finishes_those_who_wait_apart(troubled: Troubled) -> None:
    """An engine that is closed answers them too."""
    troubled.store.script.extend([StoreLocked("kept")] * 2)
    (waits,) = troubled.submit(create("a"))
    await troubled.engine.close()
    assert waits.result().external_id == "a"


async def test_tenants_are_served_side_by_side(troubled: Troubled) -> None:
    """While one tenant's batch is under way another one's begins, where the store takes both."""
    other = await troubled.service.another_tenant()
    troubled.store.is_open.clear()
    futures = troubled.submit(Nothing()) + troubled.submit(Nothing(), service=other)
    await troubled.store.begun.wait()
    assert len(troubled.store.tenants) == min(2, troubled.service.store.batches_max)
    futures += troubled.submit(Nothing())
    troubled.store.is_open.set()
    assert set(await asyncio.gather(*futures)) == {"done"}


async def test_commands_done_together_are_one_batch_of_any_size(troubled: Troubled) -> None:
    """Each is told what it came to: its answer, or why it was refused."""
    names = [str(number) for number in range(BATCH_SIZE_MAX + 1)]
    *made, refused = await troubled.together(*map(create, (*names, "0")))
    assert [row.external_id for row in made] == names
    assert isinstance(refused, ProgramDefinitionAlreadyExists)
    assert (len(troubled.store.tenants), troubled.store.patient) == (1, [True])
    assert sorted(await troubled.names()) == sorted(names)


async def test_groups_done_together_are_under_way_side_by_side(troubled: Troubled) -> None:
    """Several of them need no turn at their tenant, and neither do they take one from others."""
    store = troubled.store
    store.is_open.clear()
    first = troubled.together(create("a"), create("b"))
    await store.begun.wait()
    store.begun.clear()
    second = troubled.together(create("c"))
    await store.begun.wait()
    store.begun.clear()
    single = troubled.submit(create("d"))
    await store.begun.wait()
    store.is_open.set()
    await asyncio.gather(first, second, *single)
    assert sorted(await troubled.names()) == ["a", "b", "c", "d"]


async def test_a_refused_group_is_done_one_by_one(troubled: Troubled) -> None:
    """Only those hear of it whom the database refuses by themselves, and nothing is lost."""
    error = StoreTimeout("slow")
    troubled.store.script.extend([StoreConflict("taken"), None, error, StoreLocked("held")])
    a, b, c, d = await troubled.together(*map(create, "abcd"))
    assert (a.external_id, b, str(c), d.external_id) == ("a", error, "held", "d")
    assert sorted(await troubled.names()) == ["a", "d"]


async def test_a_database_lost_under_a_group_is_told_to_all(troubled: Troubled) -> None:
    """Nothing is tried again where it is unknown what was done."""
    lost = StoreUnavailable("lost")
    troubled.store.script.append(lost)
    assert await troubled.together(create("a"), create("b")) == [lost, lost]
    assert len(troubled.store.tenants) == 1


async def test_a_cancelled_group_leaves_nothing(troubled: Troubled) -> None:
    """Who stops waiting for it before its commit stops it."""
    troubled.store.is_open.clear()
    group = troubled.together(create("a"))
    await troubled.store.begun.wait()
    group.cancel()
    await asyncio.wait((group,), timeout=10)
    assert group.cancelled()
    troubled.store.is_open.set()
    assert await troubled.do(create("b")) != []
    assert await troubled.names() == ["b"]
