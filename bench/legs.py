"""What is measured: who does what with how many callers, and what each figure is held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench import names
from bench.measurement import Measurement
from bench.names import (
    BASELINE_POSTGRES,
    BASELINE_POSTGRES_TWO,
    INPROCESS_POSTGRES,
    INPROCESS_SQLITE,
    LIMIT_POSTGRES,
    LIMIT_POSTGRES_ONE_STATEMENT,
    LIMIT_SQLITE,
    OURS_POSTGRES,
    OURS_POSTGRES_TWO,
    OURS_SQLITE,
)

PGBENCH_CLIENTS = 16

HTTP = (OURS_SQLITE, OURS_POSTGRES, BASELINE_POSTGRES)
CONTENDERS_OF = {
    ("redeem", 1): (*HTTP, LIMIT_POSTGRES),
    ("redeem", 16): HTTP,
    ("redeem", 64): (
        *HTTP,
        OURS_POSTGRES_TWO,
        BASELINE_POSTGRES_TWO,
        INPROCESS_SQLITE,
        INPROCESS_POSTGRES,
        LIMIT_SQLITE,
        LIMIT_POSTGRES,
        LIMIT_POSTGRES_ONE_STATEMENT,
    ),
    ("redeem", 256): (OURS_SQLITE, OURS_POSTGRES, OURS_POSTGRES_TWO),
    ("redeem-hot", 64): (OURS_SQLITE, OURS_POSTGRES),
    ("redeem-3-lots", 1): (OURS_SQLITE, OURS_POSTGRES),
    ("redeem-3-lots", 64): (OURS_SQLITE, OURS_POSTGRES),
    ("redeem-300-lots", 64): (OURS_SQLITE, OURS_POSTGRES),
    ("reserve-capture", 64): (OURS_SQLITE, OURS_POSTGRES),
    ("provision", 64): (*HTTP, LIMIT_POSTGRES),
    ("check-eligibility", 64): HTTP,
    ("get-balance", 64): HTTP,
    ("statement", 1): (OURS_SQLITE, OURS_POSTGRES),
    ("statement-by-lot", 1): (OURS_SQLITE, OURS_POSTGRES),
}
"""Who is measured in each scenario at each number of connections."""


@dataclass(frozen=True, slots=True, order=True)
class Leg:
    """One thing to measure in every round."""

    scenario: str
    contender: str
    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long one measurement takes."""

    warmup_seconds: float
    measured_seconds: float


class Contender(Protocol):
    """Who can be measured, for as long as its `open_...` holds it open."""

    name: str

    def measure(self, leg: Leg, times: Times) -> Measurement:
        """Do what the leg says for as long as the times say."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One measurement of one leg."""

    number: int
    leg: Leg
    measurement: Measurement


def choose_legs(
    *,
    scenarios: Sequence[str],
    connections: Sequence[int] | None = None,
    only: Sequence[str] | None = None,
) -> list[list[Leg]]:
    """Group the wanted legs by scenario and number of connections."""
    groups = [
        [
            Leg(scenario, contender, find_callers(contender, callers))
            for contender in contenders
            if names.is_wanted(contender, only)
        ]
        for (scenario, callers), contenders in CONTENDERS_OF.items()
        if scenario in scenarios and (connections is None or callers in connections)
    ]
    return [group for group in groups if group]


def find_callers(contender: str, connections: int) -> int:
    """Give bare SQL the number of callers that suits it best, unless there is to be only one."""
    if contender not in names.LIMITS:
        return connections
    return 1 if contender == LIMIT_SQLITE else min(connections, PGBENCH_CLIENTS)


def find_limit(leg: Leg) -> Leg:
    """Name the bare SQL that does the same on the same engine."""
    limit = LIMIT_SQLITE if leg.contender.endswith("sqlite") else LIMIT_POSTGRES
    return Leg(leg.scenario, limit, find_callers(limit, leg.connections))


def find_baseline(leg: Leg) -> Leg:
    """Name the everyday implementation that does the same with as many connections."""
    return Leg(leg.scenario, BASELINE_POSTGRES, leg.connections)
