"""Counts, durations and states in Prometheus' format.

What a process counts and measures are numbers of its own, which all processes of a server can read
(``values``). What the database knows is asked as a page is made.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Protocol

from prometheus_client import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benefit_programs import __version__
from benefit_programs.api.connections import OpenConnections
from benefit_programs.api.errors import OURS, STATUS_BY_ERROR
from benefit_programs.api.instruments import (
    Counter,
    Gauge,
    GaugeOfProcess,
    Histogram,
    Instrument,
    lay_out,
)
from benefit_programs.api.methods import METHODS
from benefit_programs.api.probing import Probe
from benefit_programs.api.replicas import OUTCOMES, REPLICAS_MAX
from benefit_programs.api.turns import Turns
from benefit_programs.api.values import Numbers, OwnValues, Values
from benefit_programs.domain.store import StoreTimeout, StoreUnavailable
from benefit_programs.domain.webhooks.rows import WebhookStatus
from benefit_programs.engine.engine import Engine
from benefit_programs.storage.agenda import DueCounts, JobCounts, count_due, count_jobs
from benefit_programs.storage.all_tenants import AllTenants, AskedStore
from benefit_programs.storage.backlog import Backlog, read_backlog

UNKNOWN = "unknown"
"""The method of a request to an address that has none."""

REFRESH_SECONDS = 1.0
"""How often a process that shares its values measures its states for the others."""

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
COMMIT_BUCKETS = (0.0001, 0.00025, 0.0005, *REQUEST_BUCKETS)
LAG_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3_600, 86_400)
WAIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

_MEMORY = Path("/proc/self/statm")
"""Where Linux tells the memory of a process; other systems tell nothing that costs as little."""


class WatchedStore(AskedStore, Protocol):
    """A store whose state is measured."""

    on_commit: Callable[[float], object]

    def connections(self) -> Sequence[tuple[str, int, int]]: ...


class Description(NamedTuple):
    """What the reference says of a metric."""

    name: str
    type: str
    labels: Sequence[str]
    text: str


class Asked(NamedTuple):
    """What the database says."""

    jobs: JobCounts
    due: DueCounts
    backlog: Backlog


class _Instruments:
    """All that a process counts and measures, in the order of the page."""

    def __init__(self) -> None:
        self.methods = (*METHODS, UNKNOWN)
        self.statuses = tuple(sorted({HTTPStatus.OK, OURS, *STATUS_BY_ERROR.values()}))
        by_method = [(name,) for name in self.methods]
        self.requests = Counter(
            "benefits_requests",
            "Requests answered, by method of the contract and status.",
            ("method", "status"),
            [(name, f"{status:d}") for name in self.methods for status in self.statuses],
        )
        self.request_seconds = Histogram(
            "benefits_request_seconds",
            "Time from a request's arrival to its answer.",
            REQUEST_BUCKETS,
            ("method",),
            by_method,
        )
        self.batch_commands = Histogram(
            "benefits_batch_commands", "Commands of a batch, which share one commit.", BATCH_BUCKETS
        )
        self.batch_seconds = Histogram(
            "benefits_batch_seconds",
            "Time of a batch: load, decide, write, commit.",
            REQUEST_BUCKETS,
        )
        self.commit_seconds = Histogram(
            "benefits_commit_seconds",
            "Time of a commit alone, until it is durable.",
            COMMIT_BUCKETS,
        )
        self.jobs_ended = Counter(
            "benefits_jobs_ended",
            "Jobs that these processes have ended, by outcome: `done` or `failed`.",
            ("outcome",),
            [("done",), ("failed",)],
        )
        self.deliveries = Counter(
            "benefits_deliveries",
            "Attempts to deliver an event to a webhook endpoint, by outcome: `taken` or `failed`.",
            ("outcome",),
            [("taken",), ("failed",)],
        )
        self.delivery_lag_seconds = Histogram(
            "benefits_delivery_lag_seconds",
            "Time from an event to the answer of the endpoint that has taken it.",
            LAG_BUCKETS,
        )
        self.replica_reads, self.replica_wait_seconds = _of_replicas()
        self.processes = Gauge("benefits_processes", "Processes that are alive.")
        self.queue_length = Gauge(
            "benefits_queue_length",
            "Commands that wait for a batch; past 10,000 in a process the answer is 429.",
        )
        self.requests_waiting = Gauge(
            "benefits_requests_waiting", "Requests that wait for their tenants' turns."
        )
        self.http_connections = Gauge(
            "benefits_http_connections", "Connections of clients that are open."
        )
        self.database_connections = _of_connections()
        self.memory = GaugeOfProcess(
            "benefits_resident_memory_bytes",
            "Memory of each process, by its id; on Linux only.",
            ("process",),
        )

    @property
    def all(self) -> list[Instrument]:
        return [each for each in vars(self).values() if isinstance(each, Instrument)]


def _of_connections() -> Gauge:
    return Gauge(
        "benefits_database_connections",
        "Connections to PostgreSQL, by pool (`keyed`: batches and look-ups; `queries`) and "
        "state (`used`, `idle`).",
        ("pool", "state"),
        [(pool, state) for pool in ("keyed", "queries") for state in ("used", "idle")],
    )


def _of_replicas() -> tuple[Counter, Histogram]:
    """How often replicas were asked, and how long that took."""
    replicas = [f"{number}" for number in range(1, REPLICAS_MAX + 1)]
    return (
        Counter(
            "benefits_replica_reads",
            "Reads that came to a replica, by its place in the setting and by outcome: `answered`, "
            "or the reason why the primary answered: `away`, `behind`, `due` or `failed`.",
            ("replica", "outcome"),
            [(replica, outcome) for replica in replicas for outcome in OUTCOMES],
        ),
        Histogram(
            "benefits_replica_wait_seconds",
            "Time for which reads waited until their replica had come as far as their callers.",
            WAIT_BUCKETS,
            ("replica",),
            [(replica,) for replica in replicas],
        ),
    )


def values_size() -> int:
    """How many numbers a process has."""
    return lay_out(_Instruments().all)


class Metrics:
    """What one process counts and measures, and the page of what all have.

    ``values`` are those of all processes of a server, if there are several.
    """

    def __init__(
        self, engine: Engine, store: WatchedStore, *, values: Values | None = None
    ) -> None:
        self._engine = engine
        self.turns = Turns()
        """What requests wait for here, if this process serves any."""
        self._store = store
        tenants = AllTenants(store)
        self._jobs = Probe(lambda: count_jobs(tenants, now=engine.now()))
        self._due = Probe(lambda: count_due(tenants, now=engine.now()))
        self._backlog = Probe(lambda: read_backlog(tenants, now=engine.now()))
        self._instruments = instruments = _Instruments()
        size = lay_out(instruments.all)
        self._values: Values = values or OwnValues(size)
        self._own = self._values.own
        self._methods = {name: number for number, name in enumerate(instruments.methods)}
        self._statuses = {status: number for number, status in enumerate(instruments.statuses)}
        for each in instruments.all:
            # What the last process of the slot was, this one isn't.
            if isinstance(each, Gauge):
                for place in range(each.start, each.start + each.size):
                    self._own[place] = 0.0
        self._first = [*self._own]
        self.started = engine.now()
        """When this process began to serve."""
        engine.on_batch(self._observe_batch)
        store.on_commit = self._observe_commit

    @property
    def database_connections(self) -> Sequence[tuple[str, int, int]]:
        """The pools of connections: name, in use, at rest."""
        return self._store.connections()

    def observe_request(self, method: str | None, status: int, seconds: float) -> None:
        """Count an answer."""
        requests, durations = self._instruments.requests, self._instruments.request_seconds
        number = self._methods[method or UNKNOWN]
        status_number = self._statuses[status]
        self._own[requests.start + number * len(self._statuses) + status_number] += 1
        durations.observe(self._own, durations.start + number * durations.width, seconds)

    def count_job(self, outcome: str) -> None:
        """Count a job that has ended here."""
        self._own[self._instruments.jobs_ended.place(outcome)] += 1

    def observe_delivery(self, lag_seconds: float | None) -> None:
        """Count an attempt to deliver an event; it has failed if there is no lag."""
        lags, deliveries = self._instruments.delivery_lag_seconds, self._instruments.deliveries
        outcome = "failed" if lag_seconds is None else "taken"
        self._own[deliveries.place(outcome)] += 1
        if lag_seconds is not None:
            lags.observe(self._own, lags.start, lag_seconds)

    def observe_replica(self, number: int, outcome: str, waited: float) -> None:
        """Count a read that came to a replica, and how long it waited there."""
        reads, waits = self._instruments.replica_reads, self._instruments.replica_wait_seconds
        replica = f"{number + 1}"
        self._own[reads.place(replica, outcome)] += 1
        waits.observe(self._own, waits.place(replica), waited)

    def refresh(self) -> None:
        """Measure the states of this process."""
        own, instruments = self._own, self._instruments
        own[instruments.processes.start] = 1
        own[instruments.queue_length.start] = self._engine.queue_length
        own[instruments.requests_waiting.start] = self.turns.waiting
        own[instruments.http_connections.start] = OpenConnections.count
        for pool, used, idle in self._store.connections():
            own[instruments.database_connections.place(pool, "used")] = used
            own[instruments.database_connections.place(pool, "idle")] = idle
        if _MEMORY.exists():
            pages = int(_MEMORY.read_text("ascii").split()[1])
            own[instruments.memory.start] = os.getpid()
            own[instruments.memory.start + 1] = pages * os.sysconf("SC_PAGE_SIZE")

    async def refresh_often(self) -> None:
        """Measure them again and again, for the other processes, which may be asked for them."""
        while True:
            self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    async def page(self) -> bytes:
        """All values; those of the database are left out while it is away."""
        self.refresh()
        asked = await self._ask()
        # It reads the files of all processes, and writes a long page.
        page = _Page(self._instruments, self._values.all, asked)
        return await asyncio.to_thread(generate_latest, page)

    async def own_families(self) -> list[Metric]:
        """What this process has counted itself, its states, and what the database says."""
        self.refresh()
        asked = await self._ask()
        values = [now - first for now, first in zip(self._own, self._first, strict=True)]
        own = [Numbers(values, is_alive=True)]
        return [*_Page(self._instruments, lambda: own, asked).collect()]

    async def _ask(self) -> Asked | None:
        try:
            return Asked(
                jobs=await self._jobs.answer(),
                due=await self._due.answer(),
                backlog=await self._backlog.answer(),
            )
        except (StoreTimeout, StoreUnavailable):
            return None

    def _observe_batch(self, commands: int, seconds: float) -> None:
        sizes, durations = self._instruments.batch_commands, self._instruments.batch_seconds
        sizes.observe(self._own, sizes.start, commands)
        durations.observe(self._own, durations.start, seconds)

    def _observe_commit(self, seconds: float) -> None:
        commits = self._instruments.commit_seconds
        commits.observe(self._own, commits.start, seconds)


class _Page(Collector):
    """All metrics: those of the processes, and what the database says for all of them."""

    def __init__(
        self,
        instruments: _Instruments,
        values: Callable[[], list[Numbers]],
        asked: Asked | None,
    ) -> None:
        self._instruments = instruments
        self._values = values
        self._asked = asked

    def collect(self) -> Iterable[Metric]:
        """Those of the database only if it has answered."""
        numbers = self._values()
        for each in self._instruments.all:
            yield from each.families(numbers)
        yield _build()
        yield from _of_database(self._asked)


_BUILD = "Always 1; the labels tell the version of the service and of Python."
_UP = "Whether the database answers: 1 or 0."
_JOBS = "Jobs of all tenants that have not ended, by state: `waiting` or `running`."
_OLDEST = "Age of the oldest job that has not ended; 0 if there is none."

_DUE = "Pools with something due that isn't booked yet, of all tenants; counted up to 100,000."
_DUE_LATE = "How long ago the first of that happened; 0 if all is booked."
_ENDPOINTS = "Webhook endpoints of all tenants, by status: `active`, `inactive` or `paused`."
_WAITING = "Deliveries that failed, or stand behind one that did, and wait."
_LAG = "Age of the oldest event that an active endpoint hasn't come to; 0 if there is none."


def _build() -> Metric:
    family = GaugeMetricFamily("benefits_build_info", _BUILD, labels=["version", "python"])
    family.add_metric([__version__, platform.python_version()], 1)
    return family


def _of_database(asked: Asked | None) -> Iterator[Metric]:
    yield GaugeMetricFamily("benefits_database_up", _UP, value=float(asked is not None))
    if asked is None:
        return
    jobs, due, backlog = asked
    family = GaugeMetricFamily("benefits_jobs", _JOBS, labels=["state"])
    family.add_metric(["waiting"], jobs.waiting)
    family.add_metric(["running"], jobs.running)
    yield family
    yield GaugeMetricFamily("benefits_jobs_oldest_seconds", _OLDEST, value=jobs.oldest_seconds)
    yield GaugeMetricFamily("benefits_due_pools", _DUE, value=due.pools)
    yield GaugeMetricFamily("benefits_due_late_seconds", _DUE_LATE, value=due.late_seconds)
    family = GaugeMetricFamily("benefits_webhook_endpoints", _ENDPOINTS, labels=["status"])
    for status in WebhookStatus:
        family.add_metric([status.lower()], backlog.endpoints.get(status, 0))
    yield family
    yield GaugeMetricFamily("benefits_deliveries_waiting", _WAITING, value=backlog.waiting)
    yield GaugeMetricFamily("benefits_webhook_lag_seconds", _LAG, value=backlog.lag_seconds)


def describe_metrics() -> list[Description]:
    """All metrics in the order of the page, for the reference."""
    own = [Description(each.name, each.kind, each.labels, each.text) for each in _Instruments().all]
    return [
        *own,
        Description("benefits_build_info", "gauge", ("version", "python"), _BUILD),
        Description("benefits_database_up", "gauge", (), _UP),
        Description("benefits_jobs", "gauge", ("state",), _JOBS),
        Description("benefits_jobs_oldest_seconds", "gauge", (), _OLDEST),
        Description("benefits_due_pools", "gauge", (), _DUE),
        Description("benefits_due_late_seconds", "gauge", (), _DUE_LATE),
        Description("benefits_webhook_endpoints", "gauge", ("status",), _ENDPOINTS),
        Description("benefits_deliveries_waiting", "gauge", (), _WAITING),
        Description("benefits_webhook_lag_seconds", "gauge", (), _LAG),
    ]
