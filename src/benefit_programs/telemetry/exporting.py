"""Spans and metrics, as OpenTelemetry's exporters take them.

The exporters work in threads of their own and keep a bounded number of spans, so a collector that
is slow or away holds nobody up: what doesn't fit is dropped, and the log tells. The end of the
process doesn't wait for those threads.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from uuid import uuid4

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode
from opentelemetry.util.types import AnyValue
from prometheus_client.metrics_core import Metric

from benefit_programs import __version__
from benefit_programs.telemetry.families import metrics_of
from benefit_programs.telemetry.variables import Wanted
from benefit_programs.tracing import Kind, Position, Span, Tracer

FLUSH_SECONDS_MAX = 1.0
"""How long a stop waits for the last metrics, and then until what is left has been exported."""

SERVICE = "benefit-programs"

Collect = Callable[[], Awaitable[Iterable[Metric]]]
"""Gives the metrics as they are."""

_SCOPE = InstrumentationScope(SERVICE, __version__)
_KINDS = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET, _FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)

_log = structlog.get_logger("benefit_programs.telemetry")


def _resource() -> Resource:
    """What all that this process tells is about; the variables have the last word."""
    own: dict[str, AnyValue] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": sdk_version,
        "service.name": SERVICE,
        "service.version": __version__,
        "service.instance.id": str(uuid4()),
        "process.pid": os.getpid(),
    }
    return Resource(own).merge(OTELResourceDetector().detect())


class Exports:
    """What exports the spans and metrics of this process, as far as that is wanted."""

    def __init__(self, wanted: Wanted) -> None:
        self._resource = _resource()
        self._interval_seconds = wanted.interval_seconds
        self.tracer: Tracer | None = None
        self._spans: BatchSpanProcessor | None = None
        self._metrics: _MetricExports | None = None
        if wanted.traces:
            self._spans = BatchSpanProcessor(OTLPSpanExporter())
            self.tracer = Tracer(wanted.sampling, self._take)
        if wanted.metrics:
            self._metrics = _MetricExports(self._resource)

    @asynccontextmanager
    async def following(self, collect: Collect) -> AsyncIterator[None]:
        """Tell what there is to be collected from time to time, if metrics are wanted.

        The last of it is collected at the end: what is asked for it must be open until then. That
        may take a second.
        """
        if self._metrics is None:
            yield
            return
        telling = asyncio.create_task(self._tell_often(self._metrics, collect))
        try:
            yield
        finally:
            telling.cancel()
            _, late = await asyncio.wait((telling,), timeout=FLUSH_SECONDS_MAX)
            if late:
                telling.cancel()

    async def _tell_often(
        self,
        exports: _MetricExports,
        collect: Collect,
    ) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self._interval_seconds)
                exports.put(await collect())
        exports.put(await collect())

    async def close(self) -> None:
        """Export what is left, for a second at most, and stop."""
        loop = asyncio.get_running_loop()
        ended = [loop.create_future()]

        def end() -> None:
            if self._spans is not None:
                self._spans.shutdown()  # type: ignore[no-untyped-call]
            if self._metrics is not None:
                self._metrics.end()
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended[0].set_result, None)

        Thread(target=end, name="telemetry-end", daemon=True).start()
        await asyncio.wait(ended, timeout=FLUSH_SECONDS_MAX)
        if not ended[0].done():
            _log.warning("not all telemetry was exported", seconds=FLUSH_SECONDS_MAX)

    def _take(self, span: Span) -> None:
        assert self._spans is not None, "it makes spans"
        position = span.position
        parent = Position(position.trace_id, span.parent_id, is_sampled=True)
        if span.error is not None:
            span.attributes["error.type"] = span.error
        self._spans.on_end(
            ReadableSpan(
                span.name,
                context=_context(position),
                parent=_context(parent) if span.parent_id else None,
                resource=self._resource,
                attributes=span.attributes,
                links=[Link(_context(each)) for each in span.links],
                kind=_KINDS[span.kind],
                status=_UNSET if span.error is None else _FAILED,
                start_time=span.started,
                end_time=span.ended,
                instrumentation_scope=_SCOPE,
            )
        )


def _context(position: Position) -> SpanContext:
    state = TraceState.from_header([position.state]) if position.state else None
    return SpanContext(
        int(position.trace_id, 16),
        int(position.span_id, 16),
        is_remote=False,
        trace_flags=_SAMPLED,
        trace_state=state,
    )


class _MetricExports:
    """Exports what it is given, one after the other, in a thread of its own."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._exporter = OTLPMetricExporter()
        self._started = time.time_ns()
        self._waiting: SimpleQueue[MetricsData | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="telemetry-metrics", daemon=True)
        self._thread.start()

    def put(self, families: Iterable[Metric]) -> None:
        """Export these soon, unless the last ones are still on their way: they have the sums."""
        if self._waiting.empty():
            self._waiting.put(
                metrics_of(
                    families,
                    resource=self._resource,
                    scope=_SCOPE,
                    started=self._started,
                    now=time.time_ns(),
                )
            )

    def end(self) -> None:
        """Export what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (data := self._waiting.get()) is not None:
            self._exporter.export(data)
