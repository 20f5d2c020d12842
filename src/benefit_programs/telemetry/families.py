"""The metrics of the page as OTLP tells them: the same numbers, measured once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as OtlpMetric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric

_CUMULATIVE = AggregationTemporality.CUMULATIVE
_BOUND = "le"


def metrics_of(
    families: Iterable[Metric],
    *,
    resource: Resource,
    scope: InstrumentationScope,
    started: int,
    now: int,
) -> MetricsData:
    """All families at ``now``, counted since ``started``, both in nanoseconds."""
    metrics = [
        OtlpMetric(each.name, each.documentation, "", _data(each, started, now))
        for each in families
        if each.samples
    ]
    scopes = [ScopeMetrics(scope, metrics, "")]
    return MetricsData([ResourceMetrics(resource, scopes, "")])


def _data(family: Metric, started: int, now: int) -> Sum | Gauge | Histogram:
    if family.type == "histogram":
        return Histogram(_histograms(family, started, now), _CUMULATIVE)
    points = [NumberDataPoint(each.labels, started, now, each.value) for each in family.samples]
    return (
        Sum(points, _CUMULATIVE, is_monotonic=True) if family.type == "counter" else Gauge(points)
    )


def _histograms(family: Metric, started: int, now: int) -> list[HistogramDataPoint]:
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for each in family.samples:
        labels = tuple((name, value) for name, value in each.labels.items() if name != _BOUND)
        if each.name.endswith("_bucket"):
            buckets[labels].append((float(each.labels[_BOUND]), each.value))
        elif each.name.endswith("_sum"):
            sums[labels] = each.value
    return [
        _histogram(labels, buckets[labels], total, started, now) for labels, total in sums.items()
    ]


def _histogram(
    labels: tuple[tuple[str, str], ...],
    buckets: list[tuple[float, float]],
    total: float,
    started: int,
    now: int,
) -> HistogramDataPoint:
    """One of the page has how many were at most so large, one of OTLP how many since the last."""
    upto = [0, *(round(count) for _, count in buckets)]
    return HistogramDataPoint(
        dict(labels),
        started,
        now,
        count=upto[-1],
        sum=total,
        bucket_counts=[later - earlier for earlier, later in pairwise(upto)],
        explicit_bounds=[bound for bound, _ in buckets[:-1]],
        # They aren't kept, and OTLP may leave them out.
        min=None,  # type: ignore[arg-type]
        max=None,  # type: ignore[arg-type]
    )
