"""What a tenant's provider of people may fail in."""

from __future__ import annotations

from enum import StrEnum


class PeopleProviderFailure(StrEnum):
    """Why names couldn't be had, or not all of them."""

    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    """It took too long; or it did so a moment ago, and isn't asked yet."""

    PROVIDER_FAILED = "PROVIDER_FAILED"
    """It couldn't be reached, or its answer is none."""

    PROVIDER_ANSWER_INVALID = "PROVIDER_ANSWER_INVALID"
    """Some of what it answered can't be used, and is left out."""
