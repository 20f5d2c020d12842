"""What was committed was done: nothing that happens afterwards changes what callers hear of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.entities import (
    ProgramDefinition,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from tests.support.calls import NAMESPACE
from tests.support.commands import Blind, create, external_ids, submit

if TYPE_CHECKING:
    from benefit_programs.domain.entities import Row
    from tests.support.inprocess import Service

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio


ERRORS = [
    ValueError("a mistake of ours"),
    StoreConflict("what looks as if the commit had failed"),
    StoreTimeout("what looks as if the commit had taken too long"),
    StoreUnavailable("what looks as if the commit was lost"),
    StopIteration(),
    asyncio.CancelledError(),
]


class Raising(Command[None], frozen=True, kw_only=True):
    """A command with a mistake in it that raises what a future can't hold."""

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing."""

    def decide(self, state: State, context: Context) -> Changes[None]:  # noqa: ARG002
        """Ask an empty iterator for more."""
        return next(iter([]))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"]], ids=["alone", "together"])
async def test_a_listener_that_fails_changes_no_answer(
    own_service: Service, error: BaseException, names: list[str]
) -> None:
    """Each command is done and answered once; the log tells, and other listeners are called."""
    heard: list[frozenset[type[Row]]] = []

    def fail(_: object) -> None:
        raise error

    await own_service.running.runner.settle()
    own_service.engine.on_commit(fail)
    own_service.engine.on_commit(heard.append)
    with capture_logs() as lines:
        made = await asyncio.gather(*(submit(own_service, create(name)) for name in names))
    assert [row.external_id for row in made] == names == await external_ids(own_service)
    assert len(await own_service.rows(Event)) == len(names)
    assert heard == [frozenset({ProgramDefinition, Event})]
    assert [(line["log_level"], line["exc_info"]) for line in lines] == [("error", True)]


async def test_a_listener_that_fails_after_a_second_try_changes_no_answer(
    own_service: Service,
) -> None:
    """The same holds where the database refused the batch, and each command was tried alone."""

    def fail(_: object) -> None:
        raise StoreConflict("what looks as if the commit had failed")

    own_service.engine.on_commit(fail)
    blind = Blind(namespace=NAMESPACE, external_id="a")
    futures = [submit(own_service, each) for each in (create("a"), blind, create("b"))]
    a, refused, b = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(refused, StoreConflict)
    assert [a.external_id, b.external_id] == ["a", "b"] == await external_ids(own_service)


async def test_a_listener_hears_before_callers_go_on(own_service: Service) -> None:
    """Who was answered may rely on it that the listeners know of the commit."""
    heard: list[object] = []
    await own_service.running.runner.settle()
    own_service.engine.on_commit(heard.append)
    await submit(own_service, create("a"))
    assert len(heard) == 1


async def test_who_gives_up_meanwhile_changes_nothing_for_others(own_service: Service) -> None:
    """A caller who goes away during the commit finds the change made; the others are answered."""
    gone: list[asyncio.Future[Any]] = []
    own_service.engine.on_commit(lambda _: [each.cancel() for each in gone])
    gone.append(submit(own_service, create("gone")))
    stays = submit(own_service, create("stays"))
    assert (await stays).external_id == "stays"
    assert await external_ids(own_service) == ["gone", "stays"]


async def test_what_a_future_cannot_hold_hurts_one_command(service: Service) -> None:
    """A command that fails so is told of a mistake, and those beside it are answered."""
    futures = [submit(service, each) for each in (create("a"), Raising(), create("b"))]
    a, mistake, b = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(mistake, RuntimeError)
    assert [a.external_id, b.external_id] == ["a", "b"] == await external_ids(service)


async def test_a_cancelled_engine_leaves_nobody_waiting(own_service: Service) -> None:
    """Whoever waits when its task is cancelled hears so at once; what comes later is done."""
    await own_service.running.runner.settle()
    first = submit(own_service, create("a"))
    await asyncio.sleep(0)
    queued = [submit(own_service, create(str(number))) for number in range(3)]
    for task in own_service.engine._tasks:
        task.cancel()
    await asyncio.wait([first, *queued], timeout=10)
    assert first.done()
    assert all(each.cancelled() for each in queued)
    assert (await submit(own_service, create("later"))).external_id == "later"
