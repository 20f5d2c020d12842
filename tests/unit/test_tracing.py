"""Which traces are recorded, and what is read of the headers that say where work belongs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benefit_programs.telemetry.variables import read_variables
from benefit_programs.tracing import (
    LINKS_MAX,
    TRACESTATE_LENGTH_MAX,
    Sampling,
    Span,
    Tracer,
    current,
    read_position,
    recorded,
    shared,
    statement,
)

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"{GOOD}-more",
        f"{GOOD}\n",
        f" {GOOD}",
        f"01-{TRACE}-{PARENT}-01more",
        f"00-{TRACE}-{PARENT}-0٣",
        "-" * 100_000,
    ],
)
def test_a_hostile_header_is_ignored(header: str) -> None:
    """What isn't a place in a trace is none, and nothing fails."""
    assert read_position(header, None) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """What comes behind a hyphen is left out, and the flags that are not known."""
    position = read_position(f"cc-{TRACE}-{PARENT}-03-more", "vendor=x")
    assert position is not None
    assert position.headers == {"traceparent": GOOD, "tracestate": "vendor=x"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a=1, b@c=2 ,,", "a=1,b@c=2"),
        ("a", ""),
        ("A=1", ""),
        ("a=1\r\nx: y", ""),
        (f"a={'x' * (TRACESTATE_LENGTH_MAX - 2)}", ""),
        (",".join(f"a{number}=1" for number in range(33)), ""),
    ],
)
def test_the_state_is_passed_on_whole_or_not_at_all(given: str, kept: str) -> None:
    """Of what one vendor writes wrongly nobody can tell where the next one begins."""
    position = read_position(GOOD, given)
    assert position is not None
    assert kept == position.state


@pytest.mark.parametrize(
    ("sampling", "flags", "is_recorded"),
    [
        (Sampling(0), "01", True),
        (Sampling(), "00", False),
        (Sampling(0, follows=False), "01", False),
        (Sampling(follows=False), "00", True),
    ],
)
def test_the_caller_decides_where_it_is_followed(
    sampling: Sampling, flags: str, *, is_recorded: bool
) -> None:
    """Its trace goes on in any case, and says whether it was recorded here."""
    told: list[Span] = []
    parent = read_position(f"00-{TRACE}-{PARENT}-{flags}", None)
    with Tracer(sampling, told.append).span("request", parent=parent) as span:
        here = current()
        assert here is not None
        assert is_recorded == here.position.is_sampled
        assert (span is not None) == (recorded() is not None) == is_recorded
    assert current() is None
    assert [TRACE] * is_recorded == [each.position.trace_id for each in told]


def test_what_is_not_recorded_leaves_no_place() -> None:
    """A trace that would begin here isn't there at all, nor are its statements."""
    told: list[Span] = []
    with Tracer(Sampling(0), told.append).span("request") as span, statement("load", "sqlite"):
        assert (span, current()) == (None, None)
    assert told == []


def test_a_batch_is_linked_with_all_that_it_carries() -> None:
    """It is a part of the first one's trace, and names no more of the others than may be."""
    told: list[Span] = []
    tracer = Tracer(Sampling(), told.append)
    spans = []
    for _ in range(LINKS_MAX + 2):
        with tracer.span("request") as span:
            assert span is not None
            spans.append(span)
    with shared("batch", spans, {}) as batch:
        assert batch is not None
    assert spans[0].position[:2] == (batch.position.trace_id, batch.parent_id)
    assert [each.position for each in spans[1 : LINKS_MAX + 1]] == batch.links
    assert [[], [batch.position], [batch.position]] == [spans[at].links for at in (0, 1, -1)]


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector"}


@pytest.mark.parametrize(
    ("variables", "traces", "metrics"),
    [
        ({}, False, False),
        (ENDPOINT, True, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector"}, True, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, False, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False, True),
        ({**ENDPOINT, "OTEL_METRICS_EXPORTER": "console"}, True, False),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False, False),
        (
            {
                **ENDPOINT,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf",
            },
            False,
            True,
        ),
    ],
)
def test_the_standard_variables_say_what_is_exported(
    variables: dict[str, str], *, traces: bool, metrics: bool
) -> None:
    """A signal goes out if it has somewhere to go, and by the protocol that is spoken here."""
    wanted = read_variables(variables)
    assert (traces, metrics) == ((wanted.traces, wanted.metrics) if wanted else (False, False))


@pytest.mark.parametrize(
    ("sampler", "argument", "sampling"),
    [
        ("", "", Sampling(2**64, follows=True)),
        ("parentbased_traceidratio", "0.5", Sampling(2**63, follows=True)),
        ("traceidratio", "nan", Sampling(2**64, follows=False)),
        ("always_off", "", Sampling(0, follows=False)),
        ("parentbased_jaeger_remote", "", Sampling(2**64, follows=True)),
    ],
)
def test_the_standard_variables_say_what_is_recorded(
    sampler: str, argument: str, sampling: Sampling
) -> None:
    """The six samplers of the standard are known; for others the standard's own is taken."""
    wanted = read_variables(
        {**ENDPOINT, "OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    )
    assert wanted is not None
    assert sampling == wanted.sampling


def test_who_exports_nothing_loads_nothing() -> None:
    """A server's modules are there without the extra's: they are loaded where it is wanted."""
    loads = "import benefit_programs.cli.serve, sys; print('opentelemetry' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", loads], capture_output=True, check=True)
    assert found.stdout.strip() == b"False"
