"""What the figures should come to, and what they came to."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.legs import Leg, find_baseline, find_limit
from bench.names import OURS_POSTGRES, OURS_POSTGRES_TWO, OURS_SQLITE
from bench.report import Figure, Rounds, Spread, p50_of, rate_of

PEAK_MEBIBYTES_MAX = 250.0
READY_SECONDS_MAX = 1.0
HEADING = ("target", "bound", "seen", "verdict")
STORES = {OURS_POSTGRES: "PostgreSQL", OURS_SQLITE: "SQLite"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One figure, what it should be at least or at most, and what it was."""

    what: str
    least: float | None = None
    most: float | None = None
    seen: Spread | None

    @property
    def is_met(self) -> bool | None:
        """Whether the median keeps the bound; None if nothing was measured."""
        if self.seen is None:
            return None
        above = self.least is None or self.seen.median >= self.least
        return above and (self.most is None or self.seen.median <= self.most)

    def format(self) -> tuple[str, ...]:
        """Write what, bound, figure and verdict."""
        bound = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        verdict = {True: "met", False: "**not met**", None: "not measured"}[self.is_met]
        return self.what, bound, "" if self.seen is None else self.seen.format(), verdict


def judge_session(rounds: Rounds, starts: dict[str, list[float]]) -> list[Target]:
    """Hold a session against its targets."""
    return [*_judge_rates(rounds), *_judge_footprint(rounds, starts)]


def _judge_rates(rounds: Rounds) -> Iterator[Target]:
    def compare(
        what: str, leg: Leg, rival: Leg, figure: Figure = rate_of, **bound: float
    ) -> Target:
        return Target(what=what, seen=rounds.ratio(leg, rival, figure), **bound)

    redeem = {name: Leg("redeem", name, 64) for name in (*STORES, OURS_POSTGRES_TWO)}
    postgres, sqlite = redeem[OURS_POSTGRES], redeem[OURS_SQLITE]
    yield compare(
        "redeem, PostgreSQL, 64 connections ÷ pgbench", postgres, find_limit(postgres), least=1.3
    )
    yield compare(
        "redeem, PostgreSQL, 64 connections ÷ baseline",
        postgres,
        find_baseline(postgres),
        least=10,
    )
    yield compare(
        "redeem, SQLite, 64 connections ÷ bare loop", sqlite, find_limit(sqlite), least=1.5
    )
    for name, store in STORES.items():
        alone = Leg("redeem", name, 1)
        what = f"redeem, {store}, 1 connection: p50 ÷ that of one bare transaction"
        yield compare(what, alone, find_limit(alone), p50_of, most=2)
    for scenario, least in (("provision", 8), ("check-eligibility", 6), ("get-balance", 3)):
        leg = Leg(scenario, OURS_POSTGRES, 64)
        what = f"{scenario}, PostgreSQL, 64 connections ÷ baseline"
        yield compare(what, leg, find_baseline(leg), least=least)
    for name, store in STORES.items():
        hot = Leg("redeem-hot", name, 64)
        yield compare(f"redeem, {store}: one pool ÷ many pools", hot, redeem[name], least=0.5)
    yield compare(
        "redeem, PostgreSQL: two API processes ÷ one",
        redeem[OURS_POSTGRES_TWO],
        postgres,
        least=1,
    )


def _judge_footprint(rounds: Rounds, starts: dict[str, list[float]]) -> Iterator[Target]:
    for name, store in STORES.items():
        peaks = [
            each.peak_mebibytes
            for leg in rounds.legs
            if leg.contender == name
            for each in rounds.of(leg)
            if each.peak_mebibytes is not None
        ]
        highest = Spread.of([max(peaks)] if peaks else [])
        what = f"API process, {store}: peak memory under all of this load, MiB"
        yield Target(what=what, most=PEAK_MEBIBYTES_MAX, seen=highest)
    for name, store in STORES.items():
        what = f"API process, {store}: seconds from start to ready"
        yield Target(what=what, most=READY_SECONDS_MAX, seen=Spread.of(starts.get(name, [])))
