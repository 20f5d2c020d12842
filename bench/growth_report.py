"""The table of growth: what each figure is at each size, and how much slower than the smallest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.report import Spread
from bench.targets import HEADING as TARGETS_HEADING
from bench.targets import Target

REDEEM = "redeem"
REDEEM_SLOWDOWN_MAX = 1.25
QUESTION_SLOWDOWN_MAX = 1.5


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of one store in one round.

    It is redemptions a second, or milliseconds of a page of a query.
    """

    store: str
    what: str
    page: int | None
    pools: int
    number: int
    figure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was measured on one engine, at all sizes."""

    store: str
    what: str
    page: int | None
    figures: dict[int, dict[int, float]]
    """By size, then by round."""

    def slowdown(self, pools: int) -> Spread | None:
        """How much slower than on the smallest store, round by round."""
        smallest, own = self.figures[min(self.figures)], self.figures[pools]
        ratios = [own[number] / smallest[number] for number in own.keys() & smallest.keys()]
        return Spread.of([1 / ratio for ratio in ratios] if self.what == REDEEM else ratios)

    def format(self, sizes: Sequence[int]) -> tuple[str, ...]:
        """Write the medians, then the slowdowns."""
        decimals = 0 if self.what == REDEEM else 2
        medians = [f"{median(self.figures[pools].values()):,.{decimals}f}" for pools in sizes]
        slowdowns = [self.slowdown(pools) for pools in sizes[1:]]
        shown = [spread.format() if spread else "" for spread in slowdowns]
        return (self.what, "" if self.page is None else f"{self.page:,}", *medians, *shown)


def read_lines(samples: Sequence[Sample]) -> list[Line]:
    """Bring the samples into the order of the first round."""
    lines: dict[tuple[str, str, int | None], Line] = {}
    for each in samples:
        key = each.store, each.what, each.page
        line = lines.setdefault(
            key, Line(store=each.store, what=each.what, page=each.page, figures={})
        )
        line.figures.setdefault(each.pools, {})[each.number] = each.figure
    return list(lines.values())


def format_growth(content: dict[str, Any]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Turn a run into titled tables: the targets, then each engine."""
    lines = read_lines([Sample(**each) for each in content["samples"]])
    sizes = content["settings"]["pools"]
    heading = ["what", "page", *(f"{size:,}" for size in sizes)]
    heading += [f"slower at {size:,}" for size in sizes[1:]]
    judged = [target for size in sizes[1:] for target in judge_growth(lines, size)]
    targets = [target.format() for target in judged]
    tables = [("targets", [TARGETS_HEADING, *targets])]
    for store in dict.fromkeys(line.store for line in lines):
        rows = [line.format(sizes) for line in lines if line.store == store]
        tables.append(
            (f"{store}: redemptions a second, p50 of queries in ms", [tuple(heading), *rows])
        )
    return tables


def judge_growth(lines: Sequence[Line], pools: int) -> Iterator[Target]:
    """Hold redemptions, and the query that slowed down most, against their targets."""
    for store in dict.fromkeys(line.store for line in lines):
        own = [line for line in lines if line.store == store]
        for line in own:
            if line.what == REDEEM:
                what = f"{store}: redemptions, times slower with {pools:,} pools"
                yield Target(what=what, most=REDEEM_SLOWDOWN_MAX, seen=line.slowdown(pools))
        questions = [(line, line.slowdown(pools)) for line in own if line.what != REDEEM]
        known = [(line, spread) for line, spread in questions if spread is not None]
        worst, spread = max(known, key=lambda each: each[1].median)
        query = f"{worst.what}, page {worst.page}"
        what = f"{store}: the query that slowed down most with {pools:,} pools, {query}"
        yield Target(what=what, most=QUESTION_SLOWDOWN_MAX, seen=spread)
