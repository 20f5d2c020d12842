"""How many clients are connected."""

from __future__ import annotations

from typing import ClassVar


class OpenConnections:
    """The connections of this process: a process listens once, so it counts once."""

    count: ClassVar[int] = 0
