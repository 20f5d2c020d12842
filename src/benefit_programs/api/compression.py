"""Answers in gzip for clients that ask for it, where that saves more than it costs.

A small answer fits into one packet as it is; it is never compressed, nor marked as if it could be.
The fastest level is used: it takes most of what can be saved, and a tenth of a millisecond for the
usual page. What is large is compressed beside the loop, so that nobody waits for another's page.
"""

from __future__ import annotations

import asyncio
import gzip

from benefit_programs.api.messages import AsgiScope, header

COMPRESSED_BYTES_MIN = 1_024
COMPRESSED_IN_LOOP_BYTES_MAX = 65_536
GZIP_LEVEL = 1

VARY = "accept-encoding"

_CODINGS = frozenset({"gzip", "x-gzip"})


async def compressed(scope: AsgiScope, body: bytes, headers: dict[str, str]) -> bytes:
    """The body as the client wants it, once it is worth the question; the headers say which."""
    headers["vary"] = VARY
    if not accepts_gzip(header(scope, b"accept-encoding")):
        return body
    headers["content-encoding"] = "gzip"
    if len(body) <= COMPRESSED_IN_LOOP_BYTES_MAX:
        return _compress(body)
    return await asyncio.to_thread(_compress, body)


def accepts_gzip(accepted: str | None) -> bool:
    """Whether an accept-encoding allows gzip: by name, else by *, and not with a weight of 0."""
    if not accepted:
        return False
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, *parameters = (each.strip() for each in part.split(";"))
        weights["gzip" if coding in _CODINGS else coding] = _weight_in(parameters)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight_in(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _compress(body: bytes) -> bytes:
    return gzip.compress(body, GZIP_LEVEL, mtime=0)
