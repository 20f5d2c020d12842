"""How much of a redemption comes back, by the time that is left."""

from __future__ import annotations

import pytest

from benefit_programs.domain.cancellation import percent_back
from benefit_programs.domain.details import CancellationTerm
from benefit_programs.domain.values import CREDIT

HOUR = 3_600_000
TARGET = 1_000 * HOUR
TERMS = (
    CancellationTerm(before="PT0S", percent=50 * CREDIT),
    CancellationTerm(before="PT24H", percent=100 * CREDIT),
)


@pytest.mark.parametrize(
    ("now", "percent"),
    [
        (TARGET - 24 * HOUR, 100),
        (TARGET - 24 * HOUR + 1, 50),
        (TARGET, 50),
        (TARGET + 1, 0),
    ],
)
def test_a_term_holds_up_to_its_last_instant(now: int, percent: int) -> None:
    """Of the terms that hold the one counts that ends first, in whatever order they are given."""
    for terms in (TERMS, TERMS[::-1]):
        assert percent_back(terms, TARGET, now, "UTC") == percent * CREDIT


def test_nothing_comes_back_where_no_term_holds() -> None:
    """A definition with one term keeps everything after it."""
    assert percent_back(TERMS[1:], TARGET, TARGET, "UTC") == 0
