"""Questions to the database that many ask."""

from __future__ import annotations

import asyncio

import pytest

from benefit_programs.api.probing import KEPT_SECONDS_MAX, Probe
from benefit_programs.domain.store import StoreUnavailable

pytestmark = pytest.mark.anyio


class Database:
    """Counts questions; ``away`` makes it refuse them."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.now = 100.0

    async def ask(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("away")
        return self.asked


async def test_many_askers_are_one_question() -> None:
    """Whoever asks within a second gets one answer, and the next second another one."""
    database = Database()
    probe = Probe(database.ask, elapsed=lambda: database.now)
    assert await asyncio.gather(*(probe.answer() for _ in range(20))) == [1] * 20
    database.now += KEPT_SECONDS_MAX - 0.001
    assert await probe.answer() == 1
    database.now += 0.001
    assert await probe.answer() == 2


async def test_refusal_is_kept_and_forgotten_like_an_answer() -> None:
    """A database that is away is asked once a second, too, and is found when it is back."""
    database = Database()
    database.away = True
    probe = Probe(database.ask, elapsed=lambda: database.now)
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="away"):
            await probe.answer()
    assert database.asked == 1
    database.away = False
    database.now += KEPT_SECONDS_MAX
    assert await probe.answer() == 2
