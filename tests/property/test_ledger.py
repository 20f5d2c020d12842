"""Whatever callers do, in whatever order: the ledger is the one that a small model works out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.calendar_machine import CalendarMachine
from tests.support.inprocess import open_application
from tests.support.ledger_machine import LedgerMachine
from tests.support.lives_machine import LivesMachine
from tests.support.lots_machine import LotsMachine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases

EXAMPLES = 12
STEPS = 40
EXAMPLES_FULL = 1_000
STEPS_FULL = 100
MACHINES = [
    LedgerMachine,
    LivesMachine,
    # What it does with lots, the last one does beside its calendar.
    pytest.param(LotsMachine, marks=pytest.mark.full),
    CalendarMachine,
]


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest, databases: Databases) -> Iterator[type[LedgerMachine]]:
    """Give callers of one pool after the other, or of programs with all that befalls them."""
    url = databases.create()
    chosen: type[LedgerMachine] = request.param
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        chosen.runner, chosen.clock = runner, chosen.clock_type()
        opening = open_application(url, clock=chosen.clock, run_jobs=False)
        chosen.application = runner.run(stack.enter_async_context(opening))
        yield chosen
        runner.run(stack.aclose())
    databases.drop(url)


def explore(machine: type[LedgerMachine], *, examples: int, steps: int, fixed: bool) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=fixed,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(600)  # a failure is shrunk to the shortest steps first, which takes its time
def test_the_ledger_is_the_models(machine: type[LedgerMachine]) -> None:
    """After any steps, retries of any earlier key too, the service and the model agree."""
    explore(machine, examples=EXAMPLES, steps=STEPS, fixed=True)


@pytest.mark.full
@pytest.mark.timeout(7200)  # on PostgreSQL a hundred thousand steps take most of an hour
def test_the_ledger_is_the_models_for_long(machine: type[LedgerMachine]) -> None:
    """The same with many more steps, other ones each time."""
    explore(machine, examples=EXAMPLES_FULL, steps=STEPS_FULL, fixed=False)
