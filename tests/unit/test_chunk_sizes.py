"""How a runner chooses the size of its chunks."""

from __future__ import annotations

from benefit_programs.domain.lookups import CHUNK_SIZE, SMALL_CHUNK_SIZE
from benefit_programs.jobs.chunk_sizes import QUIET_SECONDS, ChunkSizes


class Engine:
    """An engine that commands have come to."""

    submitted = 0


class Clock:
    """Seconds that pass when a test lets them."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_chunks_are_large_while_nobody_else_uses_the_engine() -> None:
    """A runner's own commands don't slow it down."""
    engine = Engine()
    sizes = ChunkSizes(engine, Clock())
    engine.submitted = sizes.own = 7
    assert sizes.next() == CHUNK_SIZE


def test_chunks_are_small_until_others_have_been_quiet_for_a_while() -> None:
    """One command of somebody else is enough, and it counts for a time that ends."""
    engine, clock = Engine(), Clock()
    sizes = ChunkSizes(engine, clock)
    engine.submitted = 1
    assert sizes.next() == SMALL_CHUNK_SIZE
    clock.now += QUIET_SECONDS / 2
    assert sizes.next() == SMALL_CHUNK_SIZE
    clock.now += QUIET_SECONDS / 2
    assert sizes.next() == CHUNK_SIZE


def test_each_command_of_others_begins_the_wait_anew() -> None:
    """Steady traffic keeps chunks small, however long it lasts."""
    engine, clock = Engine(), Clock()
    sizes = ChunkSizes(engine, clock)
    for _ in range(5):
        engine.submitted += 1
        assert sizes.next() == SMALL_CHUNK_SIZE
        clock.now += QUIET_SECONDS * 0.9
