"""The caps of agents, on a clock of the test's own."""

from __future__ import annotations

from decimal import Decimal

import pytest

from benefit_programs.agents.calling import Refused
from benefit_programs.agents.caps import CALLERS_MAX, HOUR_SECONDS, Caps

ONE = Decimal(1)


class Clock:
    """Seconds that go by when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_changes_come_back_after_an_hour() -> None:
    """Within any hour a caller makes so many changes, and another as many."""
    clock = Clock()
    caps = Caps(credits_max=5, changes_per_hour=2, elapsed=clock)
    caps.admit("a", ONE)
    clock.now = HOUR_SECONDS / 2
    caps.admit("a", Decimal(5))
    caps.admit("b", ONE)
    with pytest.raises(Refused, match="AGENT_CHANGES_EXCEEDED"):
        caps.admit("a", ONE)
    clock.now = HOUR_SECONDS
    caps.admit("a", ONE)
    with pytest.raises(Refused, match="AGENT_CHANGES_EXCEEDED"):
        caps.admit("a", ONE)


def test_too_many_credits_use_up_no_change() -> None:
    """What is refused for its size counts for nothing."""
    caps = Caps(credits_max=5, changes_per_hour=1, elapsed=Clock())
    with pytest.raises(Refused, match="AGENT_CREDITS_EXCEEDED"):
        caps.admit("a", Decimal("5.0001"))
    caps.admit("a", ONE)


def test_no_caller_is_forgotten_within_the_hour() -> None:
    """Where too many callers change something, new ones wait: nobody gets a second share."""
    clock = Clock()
    caps = Caps(credits_max=5, changes_per_hour=1, elapsed=clock)
    for number in range(CALLERS_MAX):
        caps.admit(str(number), ONE)
    with pytest.raises(Refused, match="AGENT_CHANGES_EXCEEDED"):
        caps.admit("one more", ONE)
    with pytest.raises(Refused, match="AGENT_CHANGES_EXCEEDED"):
        caps.admit("0", ONE)
    clock.now = HOUR_SECONDS
    caps.admit("one more", ONE)
