"""A collector of telemetry: a real server that takes OTLP over HTTP, in threads of its own."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT_SECONDS_MAX = 30
EXPORT_MILLISECONDS = "100"

ERROR = 2
"""The status of a span that failed, by OTLP's number."""


class Told(NamedTuple):
    """A span as a collector is told of it; ids in hexadecimal digits."""

    name: str
    trace_id: str
    id: str
    parent_id: str
    kind: int
    attributes: dict[str, Any]
    links: list[str]
    has_failed: bool
    process: int
    state: str
    text: str
    """All of it, to search for what must not be there."""


class Collector:
    """Takes spans and metrics; ``stop_answering`` has it leave requests without an answer."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self.metrics: dict[str, Any] = {}
        """The metrics that came last, by name."""

        self.resources: list[dict[str, Any]] = []
        self._changed = Condition()
        self._may_answer = Event()
        self._may_answer.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def variables(self) -> dict[str, str]:
        """What a process must be told to export to here, all and soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": EXPORT_MILLISECONDS,
            "OTEL_METRIC_EXPORT_INTERVAL": EXPORT_MILLISECONDS,
        }

    @contextmanager
    def running(self) -> Iterator[Collector]:
        thread = Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._may_answer.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def stop_answering(self) -> None:
        self._may_answer.clear()

    def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds of what has come."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(holds()), WAIT_SECONDS_MAX), self.spans

    def trace(self, trace_id: str, *names: str) -> list[Told]:
        """The spans of a trace, once there are these, in the order of their names."""

        def found() -> list[Told]:
            return sorted(each for each in self.spans if each.trace_id == trace_id)

        self.until(lambda: {each.name for each in found()} >= {*names})
        return found()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector._may_answer.wait()
                collector._take(self.path, body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    def _take(self, path: str, body: bytes) -> None:
        with self._changed:
            if path == "/v1/traces":
                request = ExportTraceServiceRequest.FromString(body)
                for group in request.resource_spans:
                    resource = _attributes(group.resource.attributes)
                    self.resources.append(resource)
                    for scope in group.scope_spans:
                        self.spans += [_told(each, resource) for each in scope.spans]
            else:
                for found in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    for inner in found.scope_metrics:
                        self.metrics = {each.name: each for each in inner.metrics}
            self._changed.notify_all()


def _told(span: Any, resource: dict[str, Any]) -> Told:
    return Told(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        _attributes(span.attributes),
        [each.span_id.hex() for each in span.links],
        span.status.code == ERROR,
        resource["process.pid"],
        span.trace_state,
        str(span),
    )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in pairs}
