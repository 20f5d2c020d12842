"""Where in a trace the work at hand is: one variable, which is empty where nobody traces.

What takes a while is a span. Whether a trace is recorded is decided as it begins, before there is
a span: what isn't recorded makes none. Headers: W3C Trace Context, level 1.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from enum import IntEnum
from random import getrandbits
from typing import Final, NamedTuple

TRACESTATE_LENGTH_MAX = 512
TRACESTATE_MEMBERS_MAX = 32
LINKS_MAX = 128
"""How many links a span has at most: of a large batch those of its first commands."""

_HALF = 2**64
_SAMPLED = 1
_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)
_STATE_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


class Kind(IntEnum):
    """What a span is to its parent, by OTLP's numbers."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Position(NamedTuple):
    """A place in a trace, as services tell it each other: ids as hexadecimal digits."""

    trace_id: str
    span_id: str
    is_sampled: bool
    state: str = ""

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"

    @property
    def headers(self) -> dict[str, str]:
        """The place as headers of a request."""
        headers = {"traceparent": self.traceparent}
        if self.state:
            headers["tracestate"] = self.state
        return headers


def read_position(traceparent: str | None, tracestate: str | None) -> Position | None:
    """The place that headers tell; None if they tell none, or not as they should."""
    if not traceparent:
        return None
    match = _PARENT.match(traceparent)
    if match is None:
        return None
    # A version to come may say more behind a hyphen, the first one says nothing more.
    rest = traceparent[match.end() :]
    if rest and (traceparent.startswith("00") or not rest.startswith("-")):
        return None
    trace_id, span_id, flags = match.groups()
    state = _read_state(tracestate) if tracestate else ""
    return Position(trace_id, span_id, int(flags, 16) & _SAMPLED == _SAMPLED, state)


def _read_state(text: str) -> str:
    """What vendors add; nothing of it if one of them wrote what can't be passed on."""
    if len(text) > TRACESTATE_LENGTH_MAX:
        return ""
    members = [each for part in text.split(",") if (each := part.strip(" \t"))]
    if len(members) > TRACESTATE_MEMBERS_MAX:
        return ""
    return ",".join(members) if all(map(_STATE_MEMBER.fullmatch, members)) else ""


Attributes = dict[str, str | int]


class Passed:
    """Work in a trace of the caller's that isn't recorded; its place is passed on."""

    __slots__ = ("position",)

    def __init__(self, position: Position) -> None:
        self.position: Final = position


class Span:
    """Work that is recorded, and told to ``sink`` when it ends. Instants are nanoseconds.

    Attributes never hold names, texts or bodies of callers, secrets or addresses that tenants
    choose: kinds, ids and counts alone.
    """

    __slots__ = (
        "attributes",
        "ended",
        "error",
        "kind",
        "links",
        "name",
        "parent_id",
        "position",
        "sink",
        "started",
    )

    def __init__(
        self,
        name: str,
        kind: Kind,
        *,
        trace_id: str,
        parent_id: str,
        state: str,
        sink: Callable[[Span], object],
    ) -> None:
        self.name = name
        self.kind = kind
        self.position = Position(trace_id, _new_id(), is_sampled=True, state=state)
        self.parent_id = parent_id
        self.sink = sink
        self.attributes: Attributes = {}
        self.links: list[Position] = []
        self.error: str | None = None
        """The kind of what went wrong, if something did."""
        self.started = time.time_ns()
        self.ended = 0

    def child(self, name: str, kind: Kind = Kind.INTERNAL) -> Span:
        position = self.position
        return Span(
            name,
            kind,
            trace_id=position.trace_id,
            parent_id=position.span_id,
            state=position.state,
            sink=self.sink,
        )

    def link(self, other: Position) -> None:
        """Say that this has to do with something in another trace."""
        if len(self.links) < LINKS_MAX:
            self.links.append(other)

    def end(self) -> None:
        """Tell of it, once."""
        if not self.ended:
            self.ended = time.time_ns()
            self.sink(self)


Here = Span | Passed
_here: ContextVar[Here | None] = ContextVar("benefits_trace", default=None)

current: Callable[[], Here | None] = _here.get
"""Where the work at hand is, if it is in a trace."""


def recorded() -> Span | None:
    """The span of the work at hand, if it is recorded."""
    here = _here.get()
    return here if type(here) is Span else None


class _Nothing:
    """Stands for what isn't recorded."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


NOTHING = _Nothing()


class Within:
    """Makes a span, or a place, that of the work inside, and ends the span behind it."""

    __slots__ = ("_here", "_token")

    def __init__(self, here: Here | None) -> None:
        self._here = here
        self._token: Token[Here | None] | None = None

    def __enter__(self) -> Span | None:
        self._token = _here.set(self._here)
        return self._here if type(self._here) is Span else None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._token is not None, "it was entered"
        _here.reset(self._token)
        _end(self._here, kind)


class _Step:
    """A span in which nothing else is recorded, so it needn't be the current one."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        return self._span

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _end(self._span, kind)


def _end(here: Here | None, kind: type[BaseException] | None) -> None:
    if isinstance(here, Span):
        if kind is not None and here.error is None:
            here.error = kind.__name__
        here.end()


def part(name: str, kind: Kind = Kind.INTERNAL) -> Within | _Nothing:
    """The work inside as a part of the work at hand, if that is recorded."""
    here = _here.get()
    return Within(here.child(name, kind)) if type(here) is Span else NOTHING


def statement(name: str, system: str, tables: str | None = None) -> _Step | _Nothing:
    """A span for statements of the work at hand, if that is recorded. Nothing is recorded inside.

    ``system`` is the kind of database, ``tables`` those that they are about.
    """
    here = _here.get()
    if type(here) is not Span:
        return NOTHING
    span = here.child(name, Kind.CLIENT)
    span.attributes["db.system.name"] = system
    if tables is not None:
        span.attributes["db.collection.name"] = tables
    return _Step(span)


def nowhere() -> Within:
    """Work that belongs to no trace, though what began it may."""
    return Within(None)


def shared(name: str, carried: Sequence[Span], attributes: Attributes) -> Within:
    """A span for work that is done once for all who asked for it, one at least.

    It is a child of the first of them. It and the others are linked, both ways.
    """
    first, *others = carried
    span = first.child(name)
    span.attributes = attributes
    for each in others:
        span.link(each.position)
        each.link(span.position)
    return Within(span)


class Sampling(NamedTuple):
    """Which traces are recorded: of those that begin here, and of callers'.

    ``bound``: of 2^64 possible lower halves of a trace's id, how many are recorded.
    ``follows``: whether the caller decides for its traces.
    """

    bound: int = _HALF
    follows: bool = True

    @classmethod
    def of_ratio(cls, ratio: float, *, follows: bool) -> Sampling:
        """So many of 1."""
        return cls(round(ratio * _HALF), follows)


class Tracer:
    """Begins what is recorded, and decides about that first."""

    def __init__(self, sampling: Sampling, sink: Callable[[Span], object]) -> None:
        self._bound, self._follows = sampling
        self._sink = sink

    def span(
        self, name: str, kind: Kind = Kind.INTERNAL, parent: Position | None = None
    ) -> Within | _Nothing:
        """The work inside: a part of what its parent tells, else of a trace of its own.

        What isn't recorded and has no parent is nothing.
        """
        if parent is None:
            lower = getrandbits(64)
            if lower >= self._bound:
                return NOTHING
            trace_id, parent_id, state = f"{_new_id()}{lower:016x}", "", ""
        else:
            trace_id, parent_id, _, state = parent
            if not self._records(parent):
                passed = parent._replace(is_sampled=False) if parent.is_sampled else parent
                return Within(Passed(passed))
        return Within(
            Span(
                name,
                kind,
                trace_id=trace_id,
                parent_id=parent_id,
                state=state,
                sink=self._sink,
            )
        )

    def linked(
        self, name: str, kind: Kind = Kind.INTERNAL, cause: Position | None = None
    ) -> Within | _Nothing:
        """The work inside as a trace of its own, recorded if its cause is, and linked with that.

        It is for work that may go on for long: in the trace of its cause it would have no end.
        """
        if cause is None:
            return self.span(name, kind)
        if not self._records(cause):
            return NOTHING
        trace_id = _new_id() + _new_id()
        span = Span(name, kind, trace_id=trace_id, parent_id="", state="", sink=self._sink)
        span.link(cause)
        return Within(span)

    def _records(self, position: Position) -> bool:
        """Whether what belongs to a place is recorded here, too."""
        if self._follows:
            return position.is_sampled
        return int(position.trace_id[16:], 16) < self._bound

    def step_or_span(self, name: str) -> Within | _Nothing:
        """The work inside as a part of what is at hand, else as a trace of its own."""
        return self.span(name) if _here.get() is None else part(name)


def span_of(
    tracer: Tracer | None, name: str, kind: Kind = Kind.INTERNAL, parent: Position | None = None
) -> Within | _Nothing:
    """What ``Tracer.span`` gives, if anybody traces."""
    return NOTHING if tracer is None else tracer.span(name, kind, parent)


def _new_id() -> str:
    """An id of a span, or half of a trace's; it needn't be hard to guess."""
    return f"{getrandbits(64) or 1:016x}"
