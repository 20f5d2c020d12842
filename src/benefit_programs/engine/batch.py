"""A batch: many commands of one tenant, decided one after the other in one transaction.

``steps_of`` is the batch as the stores run it. It does no I/O: it asks for rows, is given them,
decides, and asks for what has changed to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import MappingProxyType
from typing import Any

import msgspec

from benefit_programs.domain.audit_rows import SERVICE, Actor
from benefit_programs.domain.auditing import entry_of
from benefit_programs.domain.clocks import THE_CLOCK, new_clock
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import (
    is_far,
    is_stored_on_agenda,
    newly_due,
    note_due,
    wanted_to_note,
)
from benefit_programs.domain.ids import IdSource
from benefit_programs.domain.lookups import CLOCK
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import (
    AtHand,
    Changes,
    Guesses,
    Mode,
    Needs,
    NotLoaded,
    State,
    Wanted,
)
from benefit_programs.domain.store import BatchRun, Load, Loaded, Write
from benefit_programs.domain.traces import Trace
from benefit_programs.domain.values import Identity, Instant
from benefit_programs.engine.memory import Memory
from benefit_programs.tracing import Here

ROUNDS_MAX = 8
"""How often a batch may ask for more rows before it decides."""

_NO_GUESSES: Guesses = MappingProxyType({})


class Submission(msgspec.Struct, frozen=True):
    """A command on its way: what to do, for whom, under which settings, and whether it is late.

    ``actor`` says who has it done, for the audit, and ``here`` where in a trace that is.
    """

    command: Command[Any]
    caller: Identity
    settings: TenantSettings
    is_late: bool = False
    actor: Actor = SERVICE
    here: Here | None = None


class Failure(msgspec.Struct, frozen=True):
    """A command that was not done, and why."""

    error: Exception


class Again(msgspec.Struct, frozen=True):
    """A command that needs rows nobody loaded, because another one changed what it looked at.

    Or one behind such a command.
    """


Outcome = Any
"""A command's answer, a Failure, or Again."""


def steps_of(
    submissions: list[Submission],
    *,
    now: Instant,
    ids: IdSource,
    memory: Memory,
    written: set[type[Row]],
    before_load: Callable[[Wanted], None] | None = None,
) -> BatchRun[list[Outcome]]:
    """Load what the commands ask for, decide them in order, and write what they changed.

    Adds the types of the written rows to ``written``. ``before_load`` hears what is asked for, and
    ends the batch if it raises.

    A refusal or an error concerns one command: its outcome is a Failure, and it leaves no trace. If
    a command must come again, all behind it come again too, which keeps their order.

    In a sandbox they are decided at what its clock shows, which nobody sets until the commit.
    """
    state, ahead, asking = State(), 0, submissions
    # Many share their rounds, and some guesses would be wrong.
    guesses = memory.guesses if len(submissions) == 1 else _NO_GUESSES
    if submissions[0].settings.is_sandbox:
        ahead = yield from _look_at_clock(state, now, before_load)
        now += ahead
    for _ in range(ROUNDS_MAX):
        needs, asking = _needs(asking, state, now, memory.at_hand, guesses=guesses, ahead=ahead)
        wanted = needs.wanted
        if not wanted:
            break
        if before_load is not None:
            before_load(wanted)
        for index, rows in (yield Load(wanted)).items():
            memory.keep(index, rows)
            state.load(index, wanted[index], rows)
        if not asking or not needs.leads_on:
            break
    outcomes: list[Outcome] = []
    new_id = ids.at(now)
    for submission in submissions:
        outcome = _decide(submission, state, now, new_id, ahead=ahead)
        outcomes.append(outcome)
        if type(outcome) is Again:
            break
    outcomes += [Again()] * (len(submissions) - len(outcomes))
    if state.has_changed:
        yield from _note_due(state, now, ahead, memory)
        written.update(state.touched)
        memory.keep_reserving(state)
        yield Write(state)
    return outcomes


def _look_at_clock(
    state: State, real: Instant, before_load: Callable[[Wanted], None] | None
) -> Generator[Load, Loaded, int]:
    """Hold the clock of a sandbox, and say by how much it is ahead. The first batch makes it."""
    wanted: Wanted = {CLOCK: {(THE_CLOCK,): Mode.LOCK}}
    if before_load is not None:
        before_load(wanted)
    for index, rows in (yield Load(wanted)).items():
        state.load(index, wanted[index], rows)
    clock = state.one(CLOCK, THE_CLOCK)
    if clock is None:
        clock = new_clock(real)
        changes = Changes(None)
        changes.save(clock)
        state.apply(changes)
    return clock.now(real) - real


def _note_due(
    state: State, now: Instant, ahead: int, memory: Memory
) -> Generator[Load, Loaded, None]:
    """Tell runners of what the batch has left to happen by itself."""
    due = newly_due(state)
    if due is None:
        return
    now, due = now - ahead, due - ahead
    if memory.is_on_agenda and is_far(due, now):
        return
    while wanted := wanted_to_note(state, now, due):
        for index, rows in (yield Load(wanted)).items():
            state.load(index, wanted[index], rows)
    memory.is_on_agenda = is_stored_on_agenda(state)
    note_due(state, now, due)


def first_needs(submission: Submission, *, now: Instant, memory: Memory) -> Wanted:
    """What a command asks for before anything is loaded."""
    wanted = _needs([submission], State(), now, memory.at_hand)[0].wanted
    if submission.settings.is_sandbox:
        wanted[CLOCK] = {(THE_CLOCK,): Mode.LOCK}
    return wanted


def _needs(
    submissions: list[Submission],
    state: State,
    now: Instant,
    at_hand: AtHand,
    *,
    guesses: Guesses = _NO_GUESSES,
    ahead: int = 0,
) -> tuple[Needs, list[Submission]]:
    """What commands ask for, and those that may ask for more once they have it."""
    settings = submissions[0].settings
    needs = Needs(state, now, settings, at_hand, guesses=guesses, ahead=ahead)
    asking = []
    for submission in submissions:
        needs.settings, needs.is_open = submission.settings, False
        submission.command.ask(needs, state)
        if needs.is_open:
            asking.append(submission)
    return needs, asking


def _trace_of(here: Here) -> Trace:
    position = here.position
    return Trace(position.traceparent, position.state or None)


def _decide(
    submission: Submission, state: State, now: Instant, new_id: Callable[[], str], *, ahead: int
) -> Outcome:
    here = submission.here
    context = Context(
        now=now,
        new_id=new_id,
        caller=submission.caller,
        settings=submission.settings,
        is_late=submission.is_late,
        ahead=ahead,
        actor=submission.actor,
        trace=None if here is None else _trace_of(here),
    )
    command = submission.command
    try:
        changes = command.decide(state, context)
        is_told = submission.settings.audit_retention_days > 0
        entry = entry_of(changes, command.about, context) if is_told else None
    except NotLoaded:
        return Again()
    except StopIteration as error:
        # A future can't hold one: asyncio would take it for the end of a coroutine.
        return Failure(RuntimeError(repr(error)))
    except Exception as error:  # noqa: BLE001 - one command's error is that command's outcome
        return Failure(error)
    state.apply(changes)
    if entry is not None:
        state.audit.append(entry)
    return changes.answer
