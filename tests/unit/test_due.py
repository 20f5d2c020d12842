"""What a batch has to load before it tells runners of what it has left to happen by itself."""

from __future__ import annotations

import pytest

from benefit_programs.domain.due import (
    DUE,
    HORIZON,
    LATEST,
    is_stored_on_agenda,
    note_due,
    wanted_to_note,
)
from benefit_programs.domain.entities import Agenda
from benefit_programs.domain.lookups import AGENDA
from benefit_programs.domain.state import Mode, State

NOW = 10**12
SOON, LATE = NOW + LATEST - 1, NOW + LATEST


def state_with(since: int | None, mode: Mode) -> State:
    state = State()
    rows = [] if since is None else [Agenda(kind=DUE, newest_order=0, since=since)]
    state.load(AGENDA, {(DUE,): mode}, list(rows))
    return state


@pytest.mark.parametrize(
    ("due", "since", "held", "wanted"),
    [
        (SOON, NOW, Mode.READ, Mode.LOCK),
        (SOON, NOW, Mode.LOCK, None),
        (LATE, NOW, Mode.READ, None),
        (LATE, None, Mode.READ, Mode.LOCK),
        (LATE, None, Mode.LOCK, None),
        # A clock that is ahead has put it so far off.
        (LATE, LATE + 1, Mode.READ, Mode.LOCK),
    ],
)
def test_the_agenda_is_locked_if_it_may_have_to_change(
    due: int, since: int | None, held: Mode, wanted: Mode | None
) -> None:
    """What is due soon needs the lock; what is due later only if runners don't come by before."""
    expected = {} if wanted is None else {AGENDA: {(DUE,): wanted}}
    assert wanted_to_note(state_with(since, held), NOW, due) == expected


@pytest.mark.parametrize(
    ("due", "since", "after"),
    [
        (NOW + 5, NOW + 9, NOW + 5),
        (NOW + 9, NOW + 5, NOW + 5),
        (LATE, None, NOW + HORIZON),
    ],
)
def test_an_agenda_is_set_back_and_never_far_ahead(due: int, since: int | None, after: int) -> None:
    """Runners look at each tenant once in a horizon at the least."""
    state = state_with(since, Mode.LOCK)
    note_due(state, NOW, due)
    agenda = state.one(AGENDA, DUE)
    assert agenda is not None
    assert agenda.since == after


def test_runners_know_a_tenant_once_its_agenda_is_stored() -> None:
    """One that the batch itself makes may be lost with its commit."""
    assert is_stored_on_agenda(state_with(NOW, Mode.READ))
    state = state_with(None, Mode.LOCK)
    assert not is_stored_on_agenda(state)
    note_due(state, NOW, LATE)
    assert state.one(AGENDA, DUE) is not None
    assert not is_stored_on_agenda(state)
