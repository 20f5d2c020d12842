"""Audit entries as they are stored, and who acts: below all that writes them."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, Instant

AUDIT_REASON_LENGTH_MAX = 256
"""How many characters a reason may have."""


class PrincipalKind(StrEnum):
    """Who changed something, and through what."""

    API_KEY = "API_KEY"
    """A key of the API; its id is the key's."""

    AGENT = "AGENT"
    """The same, through the server for agents."""

    CONSOLE_USER = "CONSOLE_USER"
    """A person who signed in to the console."""

    COMMAND_LINE = "COMMAND_LINE"
    """A command on the database itself; the id is the name of the machine's user."""

    IN_PROCESS = "IN_PROCESS"
    """A program that has the service in its own process."""

    JOB = "JOB"
    """A job in the background; its id is the job's."""

    CALENDAR = "CALENDAR"
    """What happens by itself at its date."""

    SERVICE = "SERVICE"
    """The service, for reasons of its own."""


class AuditEntity(StrEnum):
    """The kinds of entity that audit entries name."""

    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    POOL_DEFINITION = "POOL_DEFINITION"
    ITEM = "ITEM"
    PERSON = "PERSON"
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
    CONSOLE_USER = "CONSOLE_USER"


class Who(msgspec.Struct, frozen=True, omit_defaults=True):
    """A principal, as events and audit entries name it."""

    kind: PrincipalKind
    id: str | None = None


class Actor(msgspec.Struct, frozen=True):
    """Who has something done, by which method, and why, as far as that was said."""

    who: Who
    method: str | None = None
    request_id: str | None = None
    reason: str | None = None

    @property
    def acts_alone(self) -> bool:
        """Whether nobody asked for what is done just now."""
        return self.who.kind in _ALONE


_ALONE = frozenset({PrincipalKind.JOB, PrincipalKind.CALENDAR, PrincipalKind.SERVICE})

SERVICE = Actor(Who(PrincipalKind.SERVICE))
CALENDAR = Actor(Who(PrincipalKind.CALENDAR))


class AuditEntry(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Who changed something, stored in the commit of the change. One for each command.

    Without an ``entity`` it is the entry of the transaction that has its id; pool and program
    follow from that. Without an ``entity_id`` it concerns several entities, or one that has no id.
    ``subject_id`` is the pseudonym of whom it is about, if it names nothing that is a person's.
    ``changed_count`` is how many were changed, if not one. Whom a key stands for is the key's to
    say.
    """

    seldom: ClassVar[tuple[str, ...]] = (
        "entity",
        "entity_id",
        "program_id",
        "pool_id",
        "subject_id",
        "changed_count",
        "reason",
    )

    id: Id
    created: Instant
    principal_kind: PrincipalKind
    principal_id: str | None = None
    method: str | None = None
    request_id: str | None = None
    entity: AuditEntity | None = None
    entity_id: Id | None = None
    program_id: Id | None = None
    pool_id: Id | None = None
    subject_id: Id | None = None
    changed_count: int | None = None
    reason: str | None = None
