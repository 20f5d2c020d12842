"""The service of this checkout beside that of another one, in one run.

The time on processors says the same on a busy machine as on an idle one, but for caches.
"""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from bench.environment import describe_environment
from bench.legs import Leg, Times
from bench.names import OTHER_POSTGRES, OTHER_SQLITE, OURS_POSTGRES, OURS_SQLITE, is_wanted
from bench.report import (
    Rounds,
    Spread,
    align,
    format_environment,
    p50_of,
    rate_of,
    server_us_of,
    to_json,
    write_results,
)
from bench.scenarios import SCENARIOS
from bench.session import open_place, run_session

PAIRS = ((OURS_SQLITE, OTHER_SQLITE), (OURS_POSTGRES, OTHER_POSTGRES))
CONNECTIONS = (64, 1)
HEADING = (
    "scenario",
    "callers",
    "engine",
    "x rate of the other",
    "x p50 of the other",
    "x processor of the other",
    "errors",
)


def run_against(chosen: Namespace) -> bool:
    """Measure both checkouts in turn and print the ratios; False if any answer was not 200."""
    groups = [
        [Leg(scenario, pair[0], callers), Leg(_held_against(scenario), pair[1], callers)]
        for scenario in chosen.scenarios
        for callers in chosen.connections or CONNECTIONS
        for pair in PAIRS
        if is_wanted(pair[0], chosen.only)
    ]
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    environment = describe_environment()
    other = Path(chosen.against).resolve()
    with open_place([leg.contender for legs in groups for leg in legs], other=other) as place:
        measured = run_session(groups, times, place=place, rounds=chosen.rounds)
    settings = {"rounds": chosen.rounds, **asdict(times)}
    content = {"environment": environment, "settings": settings, "rounds": to_json(measured)}
    write_results("against", content)
    rounds = Rounds(measured)
    rows = [_format(rounds, *legs) for legs in groups]
    print(f"\n{format_environment(environment, settings)}\n\n{align([HEADING, *rows])}")
    return rounds.error_count == 0


def _held_against(scenario: str) -> str:
    return SCENARIOS[scenario].held_against or scenario


def _format(rounds: Rounds, own: Leg, other: Leg) -> tuple[str, ...]:
    errors = sum(sum(seen.errors.values()) for leg in (own, other) for seen in rounds.of(leg))
    ratios = (rounds.ratio(own, other, figure) for figure in (rate_of, p50_of, server_us_of))
    return (
        own.scenario,
        str(own.connections),
        own.contender.removeprefix("ours-"),
        *(ratio.format() if isinstance(ratio, Spread) else "" for ratio in ratios),
        str(errors),
    )
