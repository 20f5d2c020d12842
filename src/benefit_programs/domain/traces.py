"""To which trace a change belongs, as its events tell it."""

from __future__ import annotations

import msgspec


class Trace(msgspec.Struct, frozen=True, omit_defaults=True):
    """The place of a request in its caller's trace, as W3C's headers write it."""

    traceparent: str
    tracestate: str | None = None
