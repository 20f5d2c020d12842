"""The address of a method, and whether a second attempt is safe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

_PARAMETER = re.compile(r"\{([^}]+)\}")


class Safety(Enum):
    """What a second call without a key does, after the answer to the first was lost."""

    READ = "nothing: it only reads"
    GONE = "nothing: what was deleted is not found, which is as good"
    ONCE = "it might be done twice, or refused for what the first attempt did"


READ: Final = Safety.READ
GONE: Final = Safety.GONE
ONCE: Final = Safety.ONCE


@dataclass(frozen=True)
class Route:
    verb: str
    path: str
    safety: Safety

    @property
    def parameters(self) -> tuple[str, ...]:
        """The fields that the path holds, dotted."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def has_body(self) -> bool:
        """Whether the request's fields travel in a body, not in the address."""
        return self.verb in ("POST", "PATCH")
