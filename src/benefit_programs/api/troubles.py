"""Errors of the engine and the store, as the refusals that callers read."""

from __future__ import annotations

from benefit_programs.api.errors import (
    StatementTimeout,
    TooManyRequests,
    Unavailable,
    Unexpected,
)
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from benefit_programs.engine.engine import QueueFull

RETRY_SECONDS = 1


def refusal_of(error: Exception) -> Refusal:
    """What to tell the caller; what isn't known is ours."""
    match error:
        case Refusal():
            return error
        case QueueFull():
            return TooManyRequests(retry_after=RETRY_SECONDS)
        case StoreTimeout():
            return StatementTimeout()
        case StoreConflict() | StoreUnavailable():
            return Unavailable(retry_after=RETRY_SECONDS)
    return Unexpected()
