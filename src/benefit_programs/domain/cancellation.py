"""Cancellation terms: what share of its credits a redemption gets back, and until when."""

from __future__ import annotations

from collections.abc import Iterable

from benefit_programs.domain.details import CancellationTerm
from benefit_programs.domain.durations import earlier
from benefit_programs.domain.values import Credits, Instant


def percent_back(
    terms: Iterable[CancellationTerm], target_date: Instant, now: Instant, time_zone: str
) -> Credits:
    """How many percent come back, in the unit of amounts; 0 after the last term.

    A term holds up to so long before the target date. Of those that hold, the one counts that ends
    first.
    """
    standing = [
        (end, term)
        for term in terms
        if now <= (end := earlier(target_date, term.before, time_zone))
    ]
    if not standing:
        return 0
    _, first = min(standing, key=lambda each: each[0])
    return first.percent
