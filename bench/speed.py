"""Speed: all contenders in one session, held against bare SQL, the baseline and the targets."""

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from bench.environment import describe_environment
from bench.legs import Times, choose_legs
from bench.report import (
    Rounds,
    align,
    format_environment,
    format_legs,
    from_json,
    to_json,
    write_results,
)
from bench.session import measure_starts, open_place, run_session
from bench.targets import HEADING, STORES, judge_session


def run_speed(chosen: Namespace) -> bool:
    """Measure what was chosen, print it, write the file; False if any answer was not 200."""
    groups = choose_legs(
        scenarios=chosen.scenarios, connections=chosen.connections, only=chosen.only
    )
    names = tuple(dict.fromkeys(leg.contender for legs in groups for leg in legs))
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    environment = describe_environment()
    with open_place(names) as place:
        own = [name for name in STORES if name in names]
        starts = measure_starts(own, place, rounds=chosen.rounds)
        measured = run_session(groups, times, place=place, rounds=chosen.rounds)
    settings = {"rounds": chosen.rounds, **asdict(times)}
    content = {"environment": environment, "settings": settings, "starts": starts}
    write_results("speed", {**content, "rounds": to_json(measured)})
    print(f"\n{format_environment(environment, settings)}")
    for title, rows in format_speed({**content, "rounds": to_json(measured)}):
        print(f"\n{title}\n{align(rows)}")
    return Rounds(measured).error_count == 0


def format_speed(content: dict[str, Any]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Turn a run into titled tables: the targets, then each scenario."""
    rounds = Rounds(from_json(content["rounds"]))
    targets = [target.format() for target in judge_session(rounds, content["starts"])]
    scenarios = dict.fromkeys(leg.scenario for leg in rounds.legs)
    tables = [(scenario, format_legs(rounds, scenario)) for scenario in scenarios]
    return [("targets", [HEADING, *targets]), *tables]
