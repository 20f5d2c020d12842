"""What the API works with; the bootstrap makes it, once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benefit_programs.api.throttling import Throttle
from benefit_programs.engine.engine import Engine
from benefit_programs.engine.providers import ProviderDesk
from benefit_programs.storage.directory import Directory
from benefit_programs.storage.reader import Reader

if TYPE_CHECKING:
    from benefit_programs.api.authentication import Authenticator

BODY_BYTES_MAX = 1_048_576
"""How large a request's body may be, unless a setting says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts of a running service that its routes use."""

    engine: Engine
    reader: Reader
    directory: Directory
    authenticator: Authenticator
    providers: ProviderDesk
    body_bytes_max: int = BODY_BYTES_MAX
    throttle: Throttle | None = None
    cors_origins: tuple[str, ...] = ()
