"""Counts and durations in Prometheus' format."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

COUNTERS_MAX = 2_000
"""How many pairs of a method and a status have their counters at hand."""

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "benefits_requests",
            "Requests answered, by method of the contract and status.",
            ("method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "benefits_request_seconds",
            "Time from a request's arrival to its answer.",
            ("method",),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._children = lru_cache(maxsize=COUNTERS_MAX)(self._find_children)

    def observe(self, method: str | None, status: int, seconds: float) -> None:
        requests, durations = self._children(method or "unknown", status)
        requests.inc()
        durations.observe(seconds)

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def _find_children(self, method: str, status: int) -> tuple[Any, Any]:
        return self._requests.labels(method, str(status)), self._seconds.labels(method)
