"""What tools call: the methods of the API, wherever the service runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

BAD_REQUEST = 400
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409


class Refused(Exception):
    """The service, or the server for agents, refused; ``data`` has the facts."""

    def __init__(
        self, code: str, description: str, *, status: int, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.status = status
        self.data = dict(data or {})


class Methods(Protocol):
    """The methods of the API, as one caller may call them."""

    def may_call(self, name: str) -> bool:
        """Whether the key allows a method, as far as that is known here."""
        ...

    async def call(self, name: str, request: dict[str, Any]) -> Any:
        """The answer of a method, as JSON. Raises Refused."""
        ...

    async def take_change(self, per_hour: int) -> bool:
        """Count a change of the caller; whether it is within the cap. Raises Refused."""
        ...

    def note_refusal(self, tool: str, refused: Refused) -> None:
        """Log that a tool was refused, where there is a log."""
        ...
