"""Which commands would have to wait for others."""

from __future__ import annotations

import pytest

from benefit_programs.domain.lookups import QUOTA, SNAPSHOT
from benefit_programs.domain.state import Mode
from benefit_programs.engine.ids import new_ids
from benefit_programs.engine.locks import Locks


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        (Mode.READ, Mode.LOCK, False),
        (Mode.SHARE, Mode.READ, False),
        (Mode.SHARE, Mode.SHARE, False),
        (Mode.SHARE, Mode.LOCK, True),
        (Mode.LOCK, Mode.READ, False),
        (Mode.LOCK, Mode.SHARE, True),
        (Mode.LOCK, Mode.LOCK, True),
    ],
)
def test_who_changes_what_others_hold_would_wait(
    held: Mode, wanted: Mode, *, expected: bool
) -> None:
    """One of the two must want to change the row; what is only read waits for nobody."""
    locks = Locks()
    locks.add({SNAPSHOT: {("a",): held}})
    assert locks.meet({QUOTA: {("a",): Mode.LOCK}, SNAPSHOT: {("a",): wanted}}) is expected
    assert not locks.meet({SNAPSHOT: {("b",): wanted}})
    assert bool(locks) is (held is not Mode.READ)


def test_locks_add_up() -> None:
    """The firmest hold counts, and what was taken over is held until it is cleared."""
    locks, others = Locks(), Locks()
    locks.add({SNAPSHOT: {("a",): Mode.LOCK}})
    others.add({SNAPSHOT: {("a",): Mode.SHARE, ("b",): Mode.SHARE}})
    locks.update(others)
    assert locks.meet({SNAPSHOT: {("a",): Mode.SHARE}})
    assert locks.meet({SNAPSHOT: {("b",): Mode.LOCK}})
    locks.clear()
    assert not locks


def test_ids_grow_where_batches_make_them_in_turns() -> None:
    """Batches that began at different instants don't bring the order of an instant's ids back."""
    ids = new_ids()
    instants = [7, 6] * 500
    made = [ids.next(now) for now in instants]
    for instant in (6, 7):
        own = [each for each, now in zip(made, instants, strict=True) if now == instant]
        assert own == sorted(set(own))
