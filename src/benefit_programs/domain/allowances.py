"""What a tenant may make, over all processes of a database: requests (ADR 41), agents' changes."""

from __future__ import annotations

from typing import ClassVar

from benefit_programs.domain.rows import Row

REQUESTS = "requests"
"""The kind of the allowance of requests."""


class Allowance(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A bucket of requests, as the one moment at which it will be full again.

    ``full_at`` is in nanoseconds since 1970, by the clock of the database. A change of an agent is
    a bucket of one; its kind names the key, its moment is by the clock of a server.
    """

    key: ClassVar[tuple[str, ...]] = ("kind",)

    kind: str
    full_at: int
