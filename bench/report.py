"""From measurements to medians, spreads, ratios, a table and a file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Measurement
from bench.servers import BASELINE_POSTGRES

RESULTS_FOLDER = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One measurement of one contender."""

    number: int
    contender: str
    connections: int
    measurement: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The rounds of one contender at one number of connections; ratios are to the baseline.

    `ratio` and its bounds come from the rounds in pairs: round 1 beside round 1, and so on, so
    that a slow minute of the machine weighs on both.
    """

    contender: str
    connections: int
    per_second: float
    per_second_low: float
    per_second_high: float
    p50_ms: float
    p99_ms: float
    generator_cpu_share: float
    errors: int
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None


def summarize(rounds: Sequence[Round]) -> list[Summary]:
    """Sum up each contender at each number of connections, in the order of the first round."""
    groups = dict.fromkeys((each.connections, each.contender) for each in rounds)
    ordered = sorted(groups, key=lambda group: group[0])
    return [_summarize_group(rounds, contender, connections) for connections, contender in ordered]


def _summarize_group(rounds: Sequence[Round], contender: str, connections: int) -> Summary:
    own = _select(rounds, contender, connections)
    rates = [each.per_second for each in own.values()]
    ratios = _find_ratios(own, _select(rounds, BASELINE_POSTGRES, connections))
    return Summary(
        contender=contender,
        connections=connections,
        per_second=median(rates),
        per_second_low=min(rates),
        per_second_high=max(rates),
        p50_ms=median(each.p50_ms for each in own.values()),
        p99_ms=median(each.p99_ms for each in own.values()),
        generator_cpu_share=median(each.generator_cpu_share for each in own.values()),
        errors=sum(sum(each.errors.values()) for each in own.values()),
        ratio=median(ratios) if ratios else None,
        ratio_low=min(ratios, default=None),
        ratio_high=max(ratios, default=None),
    )


def _select(rounds: Sequence[Round], contender: str, connections: int) -> dict[int, Measurement]:
    return {
        each.number: each.measurement
        for each in rounds
        if each.contender == contender and each.connections == connections
    }


def _find_ratios(own: dict[int, Measurement], rival: dict[int, Measurement]) -> list[float]:
    return [
        own[number].per_second / rival[number].per_second
        for number in own.keys() & rival.keys()
        if rival[number].per_second > 0
    ]


def format_table(summaries: Sequence[Summary], *, unit: str) -> str:
    """Align the summaries under their headings."""
    heading = ("connections", "contender", unit, "low", "high", "p50 ms", "p99 ms", "errors")
    columns = (*heading, "x baseline", "low", "high", "load CPU")
    return align([columns, *map(_format_row, summaries)])


def align(rows: Sequence[Sequence[str]]) -> str:
    """Pad every column to its longest cell; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _format_row(summary: Summary) -> tuple[str, ...]:
    return (
        str(summary.connections),
        summary.contender,
        f"{summary.per_second:,.0f}",
        f"{summary.per_second_low:,.0f}",
        f"{summary.per_second_high:,.0f}",
        f"{summary.p50_ms:.2f}",
        f"{summary.p99_ms:.2f}",
        str(summary.errors),
        _format_ratio(summary.ratio),
        _format_ratio(summary.ratio_low),
        _format_ratio(summary.ratio_high),
        f"{summary.generator_cpu_share:.0%}",
    )


def _format_ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def format_environment(environment: dict[str, Any], settings: dict[str, Any]) -> str:
    """Write the machine, the versions and the settings in three lines."""
    versions = ", ".join(f"{name} {value}" for name, value in environment["versions"].items())
    chosen = ", ".join(f"{name} {value}" for name, value in settings.items())
    machine = (
        f"{environment['cpu']}, {environment['cores']} cores, {environment['system']}, "
        f"load average {environment['load_average']:.2f}"
    )
    software = f"Python {environment['python']}, PostgreSQL {environment['postgres']}, {versions}"
    return f"machine:  {machine}\nversions: {software}\nsettings: {chosen}"


def write_results(name: str, content: dict[str, Any]) -> Path:
    """Write one run as JSON under bench/results and return the path."""
    RESULTS_FOLDER.mkdir(exist_ok=True)
    path = RESULTS_FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def to_json(rounds: Sequence[Round], summaries: Sequence[Summary]) -> dict[str, Any]:
    """Turn the figures into plain values."""
    return {
        "summaries": [asdict(summary) for summary in summaries],
        "rounds": [asdict(each) for each in rounds],
    }
