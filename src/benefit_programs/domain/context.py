"""What a decision may depend on besides the state."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from benefit_programs.domain.audit_rows import SERVICE, Actor
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.traces import Trace
from benefit_programs.domain.values import Identity, Instant


class Context(msgspec.Struct, frozen=True):
    """What a decision may depend on besides the state: the moment, the caller, the settings.

    ``now`` is one instant for a whole batch; ``new_id`` gives UUIDv7 ids made from it, so that
    rows made later have greater ids. What is due of programs comes first, unless it ``is_late``
    anyhow, because a job is still at it.
    """

    now: Instant
    new_id: Callable[[], str]
    caller: Identity
    settings: TenantSettings
    is_late: bool = False
    ahead: int = 0
    """By how much ``now`` is ahead of real time: the clock of a sandbox."""

    actor: Actor = SERVICE
    """Who acts, for the audit and for events."""

    trace: Trace | None = None
    """The trace that it belongs to, for events."""

    @property
    def real_now(self) -> Instant:
        """For what concerns the world outside and the runners: leases, deliveries, retention."""
        return self.now - self.ahead
