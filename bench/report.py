"""From rounds to medians, spreads and ratios, and from these to rows of text and to a file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.legs import Leg, Round, find_baseline, find_limit
from bench.measurement import Measurement

RESULTS_FOLDER = Path(__file__).resolve().parent / "results"
Figure = Callable[[Measurement], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Sum up the values; None of none."""
        return cls(median(values), min(values), max(values)) if values else None

    def format(self, decimals: int = 2) -> str:
        """Write the median, then the bounds if they differ from it."""
        if self.low == self.high:
            return f"{self.median:,.{decimals}f}"
        return f"{self.median:,.{decimals}f} ({self.low:,.{decimals}f}-{self.high:,.{decimals}f})"


class Rounds:
    """The measurements of a session, by leg and round."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self.legs = list(dict.fromkeys(each.leg for each in rounds))
        self._measured = {(each.leg, each.number): each.measurement for each in rounds}
        self._numbers = sorted({each.number for each in rounds})

    def of(self, leg: Leg) -> list[Measurement]:
        """All measurements of a leg, in the order of the rounds."""
        return [self._measured[leg, n] for n in self._numbers if (leg, n) in self._measured]

    def spread(self, leg: Leg, figure: Figure) -> Spread | None:
        """Sum up a figure of a leg."""
        return Spread.of([figure(each) for each in self.of(leg)])

    def ratio(self, leg: Leg, rival: Leg, figure: Figure) -> Spread | None:
        """Compare round 1 with round 1, and so on, so that a slow minute weighs on both."""
        pairs = [
            (figure(self._measured[leg, n]), figure(self._measured[rival, n]))
            for n in self._numbers
            if (leg, n) in self._measured and (rival, n) in self._measured
        ]
        return Spread.of([own / other for own, other in pairs if other > 0])

    @property
    def error_count(self) -> int:
        """How many answers were not what they should be."""
        return sum(sum(each.errors.values()) for each in self._measured.values())


def rate_of(measurement: Measurement) -> float:
    """What was done a second."""
    return measurement.per_second


def p50_of(measurement: Measurement) -> float:
    """Milliseconds that half of all took at most."""
    return measurement.p50_ms


def server_us_of(measurement: Measurement) -> float:
    """Microseconds that the server computed for an answer; 0 where there is none."""
    return measurement.server_us or 0.0


HEADING = (
    "callers",
    "contender",
    "a second",
    "p50 ms",
    "p99 ms",
    "x limit",
    "x baseline",
    "load CPU",
    "peak MiB",
    "errors",
)


def format_legs(rounds: Rounds, scenario: str) -> list[tuple[str, ...]]:
    """Write the legs of a scenario, the heading first."""
    legs = [leg for leg in rounds.legs if leg.scenario == scenario]
    return [HEADING, *(_format_leg(rounds, leg) for leg in sorted(legs, key=_callers_of))]


def _callers_of(leg: Leg) -> int:
    return leg.connections


def _format_leg(rounds: Rounds, leg: Leg) -> tuple[str, ...]:
    seen = rounds.of(leg)
    shares = [each.load_cpu_share for each in seen if each.load_cpu_share is not None]
    peaks = [each.peak_mebibytes for each in seen if each.peak_mebibytes is not None]
    return (
        str(leg.connections),
        leg.contender,
        _format_spread(rounds.spread(leg, rate_of), decimals=0),
        f"{median(each.p50_ms for each in seen):.2f}",
        f"{median(each.p99_ms for each in seen):.2f}",
        _format_spread(rounds.ratio(leg, find_limit(leg), rate_of)),
        _format_spread(rounds.ratio(leg, find_baseline(leg), rate_of)),
        f"{median(shares):.0%}" if shares else "",
        f"{max(peaks):.0f}" if peaks else "",
        str(sum(sum(each.errors.values()) for each in seen)),
    )


def _format_spread(spread: Spread | None, decimals: int = 2) -> str:
    return "" if spread is None else spread.format(decimals)


def align(rows: Sequence[Sequence[str]]) -> str:
    """Pad every column to its longest cell; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def write_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Write a table of a document; the first row is the heading."""
    heading, *others = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([heading, f"| {' | '.join('---' for _ in rows[0])} |", *others])


def format_environment(environment: dict[str, Any], settings: dict[str, Any]) -> str:
    """Write the machine, the versions and the settings in lines.

    Results of earlier versions don't know how long a flush took.
    """
    versions = ", ".join(f"{name} {value}" for name, value in environment["versions"].items())
    chosen = ", ".join(f"{name} {value}" for name, value in settings.items())
    machine = (
        f"{environment['cpu']}, {environment['cores']} cores, {environment['system']}, "
        f"load average {environment['load_average']:.2f}"
    )
    software = f"Python {environment['python']}, PostgreSQL {environment['postgres']}, {versions}"
    flush = f"\nflush:    {environment['flush_ms']:.2f} ms" if "flush_ms" in environment else ""
    return f"machine:  {machine}{flush}\nversions: {software}\nsettings: {chosen}"


def write_results(name: str, content: dict[str, Any]) -> None:
    """Write one run as JSON under bench/results, and say where it is."""
    RESULTS_FOLDER.mkdir(exist_ok=True)
    path = RESULTS_FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(f"\nwritten to {path.relative_to(RESULTS_FOLDER.parent.parent)}", flush=True)


def read_results(name: str) -> dict[str, Any] | None:
    """Read the newest run of this name, if there is one."""
    paths = sorted(RESULTS_FOLDER.glob(f"*Z-{name}.json"))
    content: dict[str, Any] | None = json.loads(paths[-1].read_text()) if paths else None
    return content


def to_json(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Turn rounds into plain values."""
    return [asdict(each) for each in rounds]


def from_json(rounds: Sequence[dict[str, Any]]) -> list[Round]:
    """Turn plain values into rounds."""
    return [
        Round(
            number=each["number"],
            leg=Leg(**each["leg"]),
            measurement=Measurement(**each["measurement"]),
        )
        for each in rounds
    ]
