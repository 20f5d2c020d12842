"""When a receiver wants to be asked again."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from benefit_programs.domain.values import Instant

RETRY_AFTER_LENGTH_MAX = 64
"""How many characters of a ``retry-after`` are kept."""


def retry_after_seconds(text: str | None, *, now: Instant) -> int | None:
    """The seconds that a ``retry-after`` asks to wait, 0 for a moment that has passed.

    It holds seconds or a date. None if there is none, or if it can't be read. It may be long: how
    long one waits is the caller's decision.
    """
    if text is None:
        return None
    if text.isascii() and text.isdecimal():
        return int(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, round(at.timestamp()) - now // 1000)
