"""When failed deliveries are tried again."""

from __future__ import annotations

import pytest

from benefit_programs.delivery.schedule import (
    ASKED_SECONDS_MAX,
    DELIVERY_HOURS_MAX,
    FIRST_WAIT_SECONDS,
    JITTER,
    WAIT_SECONDS_MAX,
    next_attempt,
)

NOW = 1_790_000_000_000
HOUR = 3_600_000


def waits(attempts: int, chance: float = 0.5, **more: int) -> float:
    due = next_attempt(attempts, now=NOW, first=NOW, chance=lambda: chance, **more)
    assert due is not None
    return (due - NOW) / 1000


def test_waits_grow_threefold_up_to_an_hour() -> None:
    """From a second on, so that a hiccup is over soon and an outage costs little."""
    expected = [FIRST_WAIT_SECONDS * 3**number for number in range(8)]
    assert [waits(attempt) for attempt in range(1, 9)] == [*expected]
    assert waits(9) == waits(1_000) == WAIT_SECONDS_MAX


@pytest.mark.parametrize(("chance", "share"), [(0.0, 1 - JITTER), (1.0, 1 + JITTER)])
def test_waits_differ_by_chance(chance: float, share: float) -> None:
    """Deliveries that failed together come back apart."""
    assert waits(3, chance) == pytest.approx(9 * share)


def test_a_receiver_may_ask_for_more_time_but_not_for_less() -> None:
    assert waits(1, asked=600) == 600
    assert waits(9, asked=5) == WAIT_SECONDS_MAX
    assert waits(1, asked=ASKED_SECONDS_MAX + 1) == ASKED_SECONDS_MAX


def test_what_would_be_tried_after_48_hours_is_given_up() -> None:
    """Counted from its first attempt, to the millisecond."""
    end = NOW + DELIVERY_HOURS_MAX * HOUR
    last = end - 1000 * WAIT_SECONDS_MAX
    assert next_attempt(60, now=last, first=NOW, chance=lambda: 0.5) == end
    assert next_attempt(60, now=last + 1, first=NOW, chance=lambda: 0.5) is None
