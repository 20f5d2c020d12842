"""How many requests a tenant may make, over all processes of a database (ADR 41)."""

from __future__ import annotations

from typing import ClassVar

from benefit_programs.domain.rows import Row

REQUESTS = "requests"
"""The kind of the one allowance that a tenant has."""


class Allowance(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A bucket of requests, as the one moment at which it will be full again.

    ``full_at`` is in nanoseconds since 1970, by the clock of the database.
    """

    key: ClassVar[tuple[str, ...]] = ("kind",)

    kind: str
    full_at: int
