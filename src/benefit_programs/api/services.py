"""What the API works with; the bootstrap makes it, once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benefit_programs.api.probing import Probe
from benefit_programs.api.throttling import TenantThrottle, Throttle
from benefit_programs.delivery.sending import Sender
from benefit_programs.encryption import SecretKeys
from benefit_programs.engine.engine import Engine
from benefit_programs.providers.asking import PolicyProviders
from benefit_programs.providers.people import PeopleProviders
from benefit_programs.storage.console import ConsoleDirectory
from benefit_programs.storage.directory import Directory
from benefit_programs.storage.reader import Reader
from benefit_programs.storage.replicas import Replicas
from benefit_programs.tracing import Tracer

if TYPE_CHECKING:
    from benefit_programs.api.authentication import Authenticator
    from benefit_programs.api.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts of a running service that its routes use."""

    engine: Engine
    reader: Reader
    directory: Directory
    console_users: ConsoleDirectory
    authenticator: Authenticator
    providers: PolicyProviders
    people_providers: PeopleProviders
    sender: Sender
    secret_keys: SecretKeys
    metrics: Metrics
    readiness: Probe[None]
    """Whether the database takes writes."""
    body_bytes_max: int
    throttle: Throttle[str] | None
    """How much a key may ask of this process, if that is limited."""
    tenant_throttle: TenantThrottle | None
    """How much a tenant may ask of all processes, if that is limited."""
    cors_origins: tuple[str, ...]
    replicas: Replicas | None = None
    """What answers reads beside the primary, if there is anything."""
    tracer: Tracer | None = None
    """What traces requests, if anybody does."""
    alone: bool
    """Whether no other process serves the same database."""
