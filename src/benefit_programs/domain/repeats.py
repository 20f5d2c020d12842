"""Whether a request with a used idempotency key is the one that used it.

What a request means is kept as a number: all that its caller chose, without what the subject of
the key settles anyway (a pool, its namespace and beneficiary). Parts are given as plain values in a
fixed order, for the number must be the same in every version.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid5

import msgspec

from benefit_programs.domain.entities import IdempotencyKey, Transaction

_SUBJECTS = UUID("7f0c9d1e-52a4-5c3b-9a55-0d6a2a3f8e41")

_encode = msgspec.json.Encoder(order="deterministic").encode


def request_hash(*parts: Any) -> int:
    """64 bits that tell requests of one key apart."""
    return int.from_bytes(blake2b(_encode(parts), digest_size=8).digest(), "big", signed=True)


def subject_of(*parts: str) -> str:
    """The id of what keys are for that has no row of its own, such as a beneficiary."""
    return str(uuid5(_SUBJECTS, _encode(parts).decode()))


def is_same_request(first: Transaction | IdempotencyKey, now: int) -> bool | None:
    """Whether both are one request; None for a first one of before hashes were kept."""
    return None if first.request_hash is None else first.request_hash == now
