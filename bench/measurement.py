"""What one measurement is, and how answers are counted while it runs."""

import time
from array import array
from collections import Counter
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

REASONS_MAX = 20
MORE_REASONS = "for more reasons than are told apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run saw; times are in milliseconds.

    `load_cpu_share` is the share of one core that the load took, where the load is a process of
    its own, and `load_late_p99_ms` how late it was itself after pauses. `peak_mebibytes` is the
    most memory that one process of the contender ever had, `server_us` what its processes computed
    for an answer, in microseconds, where it is a server. `answers_in_all` are also those of the
    warm-up, and of what was under way at the end: the server has computed for them, too.
    """

    answers: int
    errors: dict[str, int]
    per_second: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    load_cpu_share: float | None = None
    load_late_p99_ms: float | None = None
    peak_mebibytes: float | None = None
    server_us: float | None = None
    answers_in_all: int = 0

    @classmethod
    def of(cls, latencies: list[float], *, seconds: float, errors: Counter[str]) -> Self:
        """Sum up the latencies (in seconds) of what was done within so many seconds."""
        ordered = sorted(latencies)
        return cls(
            answers=len(ordered),
            errors=dict(errors),
            per_second=len(ordered) / seconds,
            p50_ms=find_quantile(ordered, 0.50) * 1000,
            p99_ms=find_quantile(ordered, 0.99) * 1000,
            max_ms=find_quantile(ordered, 1.0) * 1000,
        )


def find_quantile(ordered: list[float], share: float) -> float:
    """Return the value that so large a share of the ordered values doesn't exceed; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Recorder:
    """Counts what comes back between a warm-up and an end.

    Every answer counts for the errors, from the first request on; only 200s that came within the
    measured seconds count for the rate and the latencies.
    """

    def __init__(self, *, warmup_seconds: float, measured_seconds: float) -> None:
        self._seconds = measured_seconds
        self._from = time.perf_counter() + warmup_seconds
        self._until = self._from + measured_seconds
        self._latencies = array("d")
        self._errors: Counter[str] = Counter()
        self._answers_in_all = 0
        self.last_body = b""

    def is_over(self) -> bool:
        """Tell whether the measured seconds have passed."""
        return time.perf_counter() >= self._until

    def take(self, status: int, body: bytes, *, sent_at: float) -> None:
        """Count one answer."""
        now = time.perf_counter()
        if status != HTTPStatus.OK:
            self.take_error(f"{status} {body[:200].decode(errors='replace')}")
            return
        self._answers_in_all += 1
        if self._from <= now < self._until:
            self._latencies.append(now - sent_at)
            self.last_body = body

    def take_error(self, reason: str, count: int = 1) -> None:
        """Count what should not have happened."""
        known = reason in self._errors or len(self._errors) < REASONS_MAX
        self._errors[reason if known else MORE_REASONS] += count

    def measurement(self) -> Measurement:
        """Sum up what was taken."""
        measurement = Measurement.of(
            self._latencies.tolist(), seconds=self._seconds, errors=self._errors
        )
        return replace(measurement, answers_in_all=self._answers_in_all)
