"""What becomes of what is personal: pseudonyms, and rows without the person that they tell of.

Names, free text, extended fields and additional data go; the identity becomes a pseudonym. What the
books need stays: amounts, instants, benefits, items, and idempotency keys. See
docs/how-to/personal-data.md.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    BENEFICIARY_COLUMNS,
    Job,
    JobKind,
    Lot,
    Pool,
    Program,
    Reservation,
    Transaction,
    beneficiary_columns,
)
from benefit_programs.domain.errors import InProgress
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.jobs import agenda_of, ask_for_agenda, done_job, new_job, start_job
from benefit_programs.domain.lookups import ENTRIES_OF_SUBJECT
from benefit_programs.domain.merges import ask_for_merges, merges_of
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.people.commands import ask_to_forget, forget
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, IdentityType

PROGRAM_ENTITY = "program"
"""What the items of an erasure name as their entity."""

LOT_ENTITY = "lot"

CLOCKS_APART_MILLISECONDS_MAX = 3_600_000
"""How far the clocks of servers may differ without an erasure or export overlooking a row."""

ANONYMIZED = {"triggered_by_anonymize_request": True}
"""What stands in the body of an event that an erasure has made."""


def pseudonym_of(identity: Identity, secret: bytes) -> Identity:
    """Who a person becomes: always the same for the same secret, and of the same kind."""
    text = f"{identity.type}:{identity.id}".encode()
    digest = hmac.digest(secret, text, hashlib.sha256)
    return Identity(identity.type, str(UUID(bytes=digest[:16], version=4)))


def made_since(first_program_id: str) -> str:
    """An id before all that tells of a person: ids grow with time, as far as clocks agree."""
    made = int(first_program_id.replace("-", "")[:12], 16)
    digits = f"{max(made - CLOCKS_APART_MILLISECONDS_MAX, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """Who is erased, who they become, and the first of their programs as the erasure began."""

    type: IdentityType
    id: str
    pseudonym: str
    first_program_id: str

    @property
    def identity(self) -> Identity:
        return Identity(self.type, self.id)

    @property
    def erased(self) -> Identity:
        return Identity(self.type, self.pseudonym)

    @property
    def start(self) -> str:
        return made_since(self.first_program_id)


def erasure_of(payload: dict[str, Any] | None) -> Erasure:
    return msgspec.convert(payload, Erasure)


class StartErasure(Command[str], frozen=True, kw_only=True):
    """Start a job that erases a person, and answer with its id.

    What the directory of people says goes at once, and reasons that name no program. Without a
    program there is nothing else of the person, and the job is done. Refused while a merge moves
    programs from or to this person.
    """

    about = Job

    identity: Identity
    pseudonym: Identity
    first_program_id: str | None

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_agenda(needs)
        ask_for_merges(needs)
        ask_to_forget(needs, state, self.identity)
        needs.lock(ENTRIES_OF_SUBJECT, self.pseudonym.id)

    def decide(self, state: State, context: Context) -> Changes[str]:
        if merges_of(state, self.identity):
            raise InProgress
        job_id, kind = context.new_id(), JobKind.ERASE_BENEFICIARY
        changes = Changes(job_id)
        forget(changes, state, self.identity)
        entries = state.many(ENTRIES_OF_SUBJECT, self.pseudonym.id)
        changes.save(*(without_reason(each) for each in entries if each.reason is not None))
        if self.first_program_id is None:
            changes.save(done_job(job_id, kind, self.pseudonym.id, (), context))
            return changes
        erasure = Erasure(
            type=self.identity.type,
            id=self.identity.id,
            pseudonym=self.pseudonym.id,
            first_program_id=self.first_program_id,
        )
        job = new_job(job_id, kind, self.pseudonym.id, context)
        job = replace(job, payload=msgspec.to_builtins(erasure))
        start_job(changes, context, agenda_of(state), job)
        return changes


def external_id_of(program_id: str) -> str:
    """The external id of an erased program; its old one may have named the person."""
    return f"erased-{program_id}"


def erased_program(program: Program, erasure: Erasure) -> Program:
    return replace(
        program,
        **beneficiary_columns(erasure.erased),
        external_id=external_id_of(program.id),
        display_name=None,
        extended_fields=None,
    )


def erased_pool(pool: Pool, erasure: Erasure) -> Pool:
    return replace(
        pool,
        **beneficiary_columns(erasure.erased),
        program_external_id=external_id_of(pool.program_id),
        extended_fields=None,
    )


def has_free_text(transaction: Transaction) -> bool:
    """Whether a transaction says something in the words of a caller."""
    details = transaction.details
    return (
        details.origin is not None
        or details.reason != RULES[transaction.operation].reason
        or transaction.external_reference is not None
    )


def without_free_text(transaction: Transaction) -> Transaction:
    reason = RULES[transaction.operation].reason
    details = replace(transaction.details, reason=reason, origin=None)
    return replace(transaction, details=details, external_reference=None)


def without_reason(entry: AuditEntry) -> AuditEntry:
    return replace(entry, reason=None)


PERSONAL_OF_LOT = ("display_name", "external_reference", "additional_data")
"""What a caller says about a lot in words of its own."""


def is_named(row: Lot | Reservation) -> bool:
    """Whether a lot or reservation says something in the words of a caller."""
    return any(getattr(row, name, None) is not None for name in PERSONAL_OF_LOT)


def without_name(row: Lot | Reservation) -> Lot | Reservation:
    if isinstance(row, Reservation):
        return replace(row, external_reference=None)
    return replace(row, **dict.fromkeys(PERSONAL_OF_LOT))


def without_party(row: Transaction, erasure: Erasure) -> Transaction:
    """The transaction, by the pseudonym if the person had given the instruction."""
    if (row.party_type, row.party_id) != (erasure.type, erasure.id):
        return row
    return replace(row, party_id=erasure.pseudonym)


_PERSONAL_OF_PROGRAM = ("display_name", "extended_fields", *BENEFICIARY_COLUMNS)


def is_personal(event: Event) -> bool:
    """Whether an event holds something that may be personal."""
    if event.entity == "program":
        return True
    if event.entity == LOT_ENTITY:
        return any(event.body["entity"].get(name) is not None for name in PERSONAL_OF_LOT)
    body = event.body
    pool = body.get("pool") or {}
    return event.entity == "pool" and ("additional_data" in body or "extended_fields" in pool)


def erased_event(event: Event, erasure: Erasure) -> Event:
    """An event of the person's program, pool or lot, without the person."""
    body = {name: value for name, value in event.body.items() if name != "additional_data"}
    if event.entity == "pool":
        pool = body.get("pool") or {}
        body["pool"] = {name: pool[name] for name in pool if name != "extended_fields"}
        return replace(event, body=body)
    if event.entity == LOT_ENTITY:
        lot = body["entity"]
        body["entity"] = {name: lot[name] for name in lot if name not in PERSONAL_OF_LOT}
        return replace(event, body=body)
    entity = {
        name: value for name, value in body["entity"].items() if name not in _PERSONAL_OF_PROGRAM
    }
    columns = beneficiary_columns(erasure.erased)
    entity |= {name: value for name, value in columns.items() if value is not None}
    body["entity"] = entity | {"external_id": external_id_of(event.entity_id)}
    return replace(event, body=body)
