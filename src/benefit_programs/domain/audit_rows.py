"""Audit entries as they are stored, and who acts: below all that writes them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, IdentityType, Instant

AUDIT_REASON_LENGTH_MAX = 256
"""How many characters a reason may have."""


class PrincipalKind(StrEnum):
    """What kind of principal changed something."""

    API_KEY = "API_KEY"
    """A key of the API; its id is the key's."""

    CONSOLE_USER = "CONSOLE_USER"
    """A person who signed in to the console."""

    OPERATOR = "OPERATOR"
    """Whoever has the database itself: a command on its machine, or the library in a process."""

    JOB = "JOB"
    """A job in the background; its id is the job's."""

    CALENDAR = "CALENDAR"
    """What happens by itself at its date."""

    SERVICE = "SERVICE"
    """The service, for reasons of its own."""


class Channel(StrEnum):
    """Through what a change came."""

    API = "API"
    CONSOLE = "CONSOLE"
    CLI = "CLI"
    IN_PROCESS = "IN_PROCESS"
    AGENT = "AGENT"
    BACKGROUND = "BACKGROUND"


class AuditEntity(StrEnum):
    """The kinds of entity that audit entries name."""

    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    POOL_DEFINITION = "POOL_DEFINITION"
    ITEM = "ITEM"
    PROGRAM = "PROGRAM"
    POOL = "POOL"
    TRANSACTION = "TRANSACTION"
    LOT = "LOT"
    SCHEDULED_CHANGE = "SCHEDULED_CHANGE"
    JOB = "JOB"
    WEBHOOK_ENDPOINT = "WEBHOOK_ENDPOINT"
    WEBHOOK_KEY = "WEBHOOK_KEY"
    CLOCK = "CLOCK"
    TENANT = "TENANT"
    API_KEY = "API_KEY"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, through what, by which method, and why, as far as that was said."""

    kind: PrincipalKind
    channel: Channel
    id: str | None = None
    method: str | None = None
    request_id: str | None = None
    reason: str | None = None

    @property
    def named(self) -> dict[str, Any]:
        """The actor as events name it."""
        return {"kind": self.kind} if self.id is None else {"kind": self.kind, "id": self.id}

    @property
    def acts_alone(self) -> bool:
        """Whether nobody asked for what is done just now."""
        return self.channel is _BACKGROUND


_BACKGROUND = Channel.BACKGROUND

SERVICE = Actor(kind=PrincipalKind.SERVICE, channel=Channel.BACKGROUND)
CALENDAR = Actor(kind=PrincipalKind.CALENDAR, channel=Channel.BACKGROUND)


class AuditEntry(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Who changed something, stored in the commit of the change. One for each command.

    The entry of a transaction has the transaction's id, and says nothing else about the entity:
    pool and program follow from it. An entry without ``entity_id`` otherwise concerns several
    entities, or one that has no id. ``party_type`` and ``party_id`` are whom the principal
    stands for. ``changed_count`` is how many entities were changed.
    """

    id: Id
    created: Instant
    principal_kind: PrincipalKind
    channel: Channel
    entity: AuditEntity
    principal_id: str | None = None
    party_type: IdentityType | None = None
    party_id: str | None = None
    method: str | None = None
    entity_id: Id | None = None
    program_id: Id | None = None
    pool_id: Id | None = None
    changed_count: int = 1
    request_id: str | None = None
    reason: str | None = None
