"""Figures are summed up as the tables say: medians, and ratios round by round."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.disk import measure_flush_ms
from bench.document import fill_in
from bench.legs import Leg, Round, choose_legs, find_limit
from bench.limits import parse_rate
from bench.measurement import Measurement, Recorder
from bench.names import LIMIT_POSTGRES, LIMIT_SQLITE, OURS_POSTGRES, OURS_SQLITE
from bench.report import Rounds, Spread, format_environment, from_json, rate_of, to_json
from bench.targets import Target

OURS = Leg("redeem", OURS_POSTGRES, 64)
LIMIT = Leg("redeem", LIMIT_POSTGRES, 16)


def round_of(number: int, leg: Leg, answers: int) -> Round:
    measurement = Measurement.of([0.001] * answers, seconds=1, errors=Counter())
    return Round(number=number, leg=leg, measurement=measurement)


def test_ratios_compare_round_with_round() -> None:
    """A slow round of both leaves the ratio as it is."""
    rates = {1: (200, 100), 2: (20, 10), 3: (330, 110)}
    rounds = [
        round_of(number, leg, answers)
        for number, pair in rates.items()
        for leg, answers in zip((OURS, LIMIT), pair, strict=True)
    ]
    assert Rounds(rounds).ratio(OURS, LIMIT, rate_of) == Spread(2, 2, 3)


def test_rounds_survive_the_file() -> None:
    """What is read from the file is what was measured."""
    rounds = [round_of(1, OURS, 3)]
    assert from_json(to_json(rounds)) == rounds


@pytest.mark.parametrize(
    ("leg", "limit"),
    [
        (OURS, LIMIT),
        (Leg("redeem", OURS_POSTGRES, 256), LIMIT),
        (Leg("redeem", OURS_POSTGRES, 1), Leg("redeem", LIMIT_POSTGRES, 1)),
        (Leg("redeem", OURS_SQLITE, 64), Leg("redeem", LIMIT_SQLITE, 1)),
    ],
)
def test_each_leg_is_held_against_its_limit(leg: Leg, limit: Leg) -> None:
    """The limit is bare SQL on the same engine, and it is measured in the same session."""
    assert find_limit(leg) == limit
    assert limit in {each for group in choose_legs(scenarios=["redeem"]) for each in group}


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [
        ({"least": 2}, "met"),
        ({"least": 2.1}, "**not met**"),
        ({"most": 2}, "met"),
        ({"most": 1.9}, "**not met**"),
    ],
)
def test_targets_are_judged_by_the_median(bound: dict[str, float], verdict: str) -> None:
    """A bound is kept or not by the median, and its edge keeps it."""
    assert Target(what="", seen=Spread(2, 1, 9), **bound).format()[-1] == verdict


def test_what_was_not_measured_is_not_judged() -> None:
    """A target without figures is neither met nor missed."""
    assert Target(what="", seen=None, least=1).format()[-1] == "not measured"


def test_a_run_of_pgbench_with_failures_is_no_rate() -> None:
    """A rate of which some transactions failed is refused."""
    clean = (
        "number of failed transactions: 0 (0.000%)\ntps = 12.5 (without initial connection time)"
    )
    assert parse_rate(clean) == 12.5
    with pytest.raises(RuntimeError):
        parse_rate(clean.replace(": 0", ": 1"))


def test_a_report_replaces_its_own_part_alone() -> None:
    """What is written by hand stays as it is."""
    page = "before <!-- speed -->\n\nold\n\n<!-- end of speed --> after"
    filled = fill_in(page, "speed", "new")
    assert filled == "before <!-- speed -->\n\nnew\n\n<!-- end of speed --> after"


def test_a_run_says_how_long_a_flush_took(tmp_path: Path) -> None:
    """Results name the milliseconds that the disk took; earlier versions' show none."""
    flush_ms = measure_flush_ms(tmp_path)
    known = {"cpu": "", "cores": 2, "system": "", "load_average": 0.0, "python": "", "postgres": ""}
    environment = {**known, "versions": {}, "flush_ms": flush_ms}
    assert f"\nflush:    {flush_ms:.2f} ms\n" in format_environment(environment, {})
    del environment["flush_ms"]
    assert "flush" not in format_environment(environment, {})


@pytest.mark.parametrize("warmup_seconds", [-2, 1_000], ids=["after the end", "warming up"])
def test_answers_outside_of_the_time_count_for_what_the_server_computed(
    warmup_seconds: int,
) -> None:
    """They are no part of the rate, but the server was busy with them as with any other."""
    recorder = Recorder(warmup_seconds=warmup_seconds, measured_seconds=1)
    recorder.take(200, b"{}", sent_at=0)
    recorder.take(503, b"{}", sent_at=0)
    measurement = recorder.measurement()
    assert (measurement.answers, measurement.answers_in_all) == (0, 1)
    assert sum(measurement.errors.values()) == 1
