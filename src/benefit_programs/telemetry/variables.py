"""What OpenTelemetry's own variables ask for; those of exporters are read by its SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import structlog

from benefit_programs.tracing import Sampling

INTERVAL_MILLISECONDS_DEFAULT = 60_000
INTERVAL_MILLISECONDS_MIN = 100

_PROTOCOL = "http/protobuf"

_log = structlog.get_logger("benefit_programs.telemetry")


class Wanted(NamedTuple):
    """What is to be exported, which traces are recorded, and how often metrics are told."""

    traces: bool
    metrics: bool
    sampling: Sampling
    interval_seconds: float


class _Unusable(NamedTuple):
    """A variable with a value that isn't used, and what is done instead."""

    name: str
    instead: str


def read_variables(environment: Mapping[str, str]) -> Wanted | None:
    """What is wanted, or None. Warns of values that can't be used, never of what they hold."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    unusable: list[_Unusable] = []
    traces = _is_exported(environment, "TRACES", unusable)
    metrics = _is_exported(environment, "METRICS", unusable)
    sampling = _sampling(environment, unusable) if traces else Sampling()
    milliseconds = _interval(environment, unusable) if metrics else INTERVAL_MILLISECONDS_DEFAULT
    for each in unusable:
        _log.warning("a variable isn't used", name=each.name, instead=each.instead)
    return Wanted(traces, metrics, sampling, milliseconds / 1000) if traces or metrics else None


def _values(environment: Mapping[str, str], *names: str) -> Iterator[tuple[str, str]]:
    """Those of the variables that say something."""
    for name in names:
        value = environment.get(name, "").strip()
        if value:
            yield name, value


def _is_exported(environment: Mapping[str, str], signal: str, unusable: list[_Unusable]) -> bool:
    """Whether a signal has somewhere to go, by a protocol that is spoken here."""
    own, common = f"OTEL_EXPORTER_OTLP_{signal}", "OTEL_EXPORTER_OTLP"
    if not any(_values(environment, f"{own}_ENDPOINT", f"{common}_ENDPOINT")):
        return False
    for name, value in _values(environment, f"OTEL_{signal}_EXPORTER"):
        if value != "otlp":
            if value != "none":
                unusable.append(_Unusable(name, f"{signal.lower()} aren't exported"))
            return False
    for name, value in _values(environment, f"{own}_PROTOCOL", f"{common}_PROTOCOL"):
        if value != _PROTOCOL:
            instead = f"{signal.lower()} aren't exported: only {_PROTOCOL} is spoken"
            unusable.append(_Unusable(name, instead))
            return False
        break
    return True


_ALL, _NONE = 1.0, 0.0
_RATIOS: dict[str, float | None] = {"always_on": _ALL, "always_off": _NONE, "traceidratio": None}
"""How much each sampler records; None: as much as its argument says."""

_FOLLOWS = "parentbased_"


def _sampling(environment: Mapping[str, str], unusable: list[_Unusable]) -> Sampling:
    name, argument = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
    sampler = environment.get(name, "").strip().lower() or f"{_FOLLOWS}always_on"
    kind = sampler.removeprefix(_FOLLOWS)
    if kind not in _RATIOS:
        unusable.append(_Unusable(name, f"{_FOLLOWS}always_on"))
        return Sampling()
    ratio = _RATIOS[kind]
    if ratio is None:
        ratio = _ratio(environment.get(argument, "").strip() or "1")
        if ratio is None:
            unusable.append(_Unusable(argument, "1"))
            ratio = _ALL
    return Sampling.of_ratio(ratio, follows=sampler.startswith(_FOLLOWS))


def _ratio(text: str) -> float | None:
    try:
        ratio = float(text)
    except ValueError:
        return None
    return ratio if _NONE <= ratio <= _ALL else None


def _interval(environment: Mapping[str, str], unusable: list[_Unusable]) -> int:
    name = "OTEL_METRIC_EXPORT_INTERVAL"
    text = environment.get(name, "").strip() or str(INTERVAL_MILLISECONDS_DEFAULT)
    if text.isascii() and text.isdecimal() and int(text) >= INTERVAL_MILLISECONDS_MIN:
        return int(text)
    unusable.append(_Unusable(name, str(INTERVAL_MILLISECONDS_DEFAULT)))
    return INTERVAL_MILLISECONDS_DEFAULT
