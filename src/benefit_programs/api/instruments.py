"""Metrics as places in an array of numbers, and their pages in Prometheus' format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from benefit_programs.api.values import Numbers


class Instrument(ABC):
    """One metric: a number, or several, for each combination of the values of its labels."""

    kind = "gauge"
    width = 1

    def __init__(
        self,
        name: str,
        text: str,
        labels: Sequence[str] = (),
        children: Sequence[tuple[str, ...]] = ((),),
    ) -> None:
        self.name = name
        self.text = text
        self.labels = tuple(labels)
        self.children = tuple(children)
        self.start = 0
        """Where its numbers begin, once all instruments have their places."""

    @property
    def size(self) -> int:
        return len(self.children) * self.width

    def place(self, *labels: str) -> int:
        """Where the numbers of a child are."""
        return self.start + self.children.index(labels) * self.width

    @abstractmethod
    def families(self, numbers: Sequence[Numbers]) -> Iterable[Metric]:
        """The metric with the sums over all processes."""

    def _sums(self, numbers: Sequence[Numbers]) -> Iterator[tuple[tuple[str, ...], list[float]]]:
        """The numbers of each child that has any, added up."""
        for position, child in enumerate(self.children):
            start = self.start + position * self.width
            rows = [each.values[start : start + self.width] for each in numbers]
            sums = [sum(column) for column in zip(*rows, strict=True)]
            if any(sums) or not self.labels:
                yield child, sums


class Counter(Instrument):
    """What only grows."""

    kind = "counter"

    def families(self, numbers: Sequence[Numbers]) -> Iterable[Metric]:
        """Of those who are gone, too."""
        family = CounterMetricFamily(self.name, self.text, labels=self.labels)
        for child, (total,) in self._sums(numbers):
            family.add_metric(child, total)
        yield family


class Gauge(Instrument):
    """What is so at the moment."""

    def families(self, numbers: Sequence[Numbers]) -> Iterable[Metric]:
        """Only of those who are alive."""
        family = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for child, (total,) in self._sums([each for each in numbers if each.is_alive]):
            family.add_metric(child, total)
        yield family


class GaugeOfProcess(Gauge):
    """What is so of each process, which is named by its id: the id, and the value."""

    width = 2

    def families(self, numbers: Sequence[Numbers]) -> Iterable[Metric]:
        """Only of those who are alive and have measured it."""
        family = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for values, is_alive in numbers:
            process, value = values[self.start : self.start + self.width]
            if is_alive and process:
                family.add_metric([f"{process:.0f}"], value)
        yield family


class Histogram(Instrument):
    """How many observations were at most so large: their numbers by bucket, then their sum."""

    kind = "histogram"

    def __init__(
        self,
        name: str,
        text: str,
        buckets: Sequence[float],
        labels: Sequence[str] = (),
        children: Sequence[tuple[str, ...]] = ((),),
    ) -> None:
        super().__init__(name, text, labels, children)
        self.buckets = tuple(buckets)
        self.width = len(self.buckets) + 2

    def observe(self, own: memoryview[float], place: int, value: float) -> None:
        """Count one observation of a child at its place."""
        own[place + bisect_left(self.buckets, value)] += 1
        own[place + self.width - 1] += value

    def families(self, numbers: Sequence[Numbers]) -> Iterable[Metric]:
        """Of those who are gone, too."""
        family = HistogramMetricFamily(self.name, self.text, labels=self.labels)
        bounds = [*(f"{each:g}" for each in self.buckets), "+Inf"]
        for child, (*counts, total) in self._sums(numbers):
            family.add_metric(child, list(zip(bounds, accumulate(counts), strict=True)), total)
        yield family


def lay_out(instruments: Iterable[Instrument]) -> int:
    """Give each instrument its place; how many numbers they have together."""
    size = 0
    for each in instruments:
        each.start = size
        size += each.size
    return size
