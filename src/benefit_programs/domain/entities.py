"""The things that are stored, one type a table, with plain values in memory.

The table of a type has a column for each field, made from its annotation (storage/tables.py): an
``Id`` is stored as one, a ``str`` or a member of an enumeration as text, an ``int`` in 64 bits, and
a ``dict``, ``tuple`` or ``Struct`` as a document; ``| None`` lets the column be empty.

A row is never changed in place: a decider makes its successor with ``msgspec.structs.replace``.
Every row belongs to the tenant of the batch that loaded it, which therefore isn't a field.
``sequence`` counts the events of an entity so far (contract: entityEventSequence).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from benefit_programs.domain.calendars import Calendar, ProgramTerms
from benefit_programs.domain.details import Details
from benefit_programs.domain.rows import Row
from benefit_programs.domain.traces import Trace
from benefit_programs.domain.values import (
    Cascade,
    Credits,
    Id,
    Identity,
    IdentityType,
    Instant,
    LocalDate,
)


class ProgramStatus(StrEnum):
    """The status of a program; those in -ING show while an action runs in the background."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    PROVISIONING = "PROVISIONING"
    PAUSING = "PAUSING"
    RESUMING = "RESUMING"
    ENDING = "ENDING"


class PoolStatus(StrEnum):
    """The status of a pool."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    PROVISIONING = "PROVISIONING"
    RENEWING = "RENEWING"
    PENDING = "PENDING"


class PoolOrigin(StrEnum):
    """How a pool was opened."""

    PROVISION = "PROVISION"
    CASCADE = "CASCADE"


class RenewalActionType(StrEnum):
    """What a renewal does to a pool besides its credits."""

    END = "END"
    UPDATE = "UPDATE"


class BalanceType(StrEnum):
    """Where credits of a transaction come from or go to."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"
    EXTERNAL = "EXTERNAL"


class LimitRule(StrEnum):
    """How an adjustment treats a limit: refuse, stop at it, or bring the balance inside."""

    FAIL = "FAIL"
    SOFT_ENFORCE = "SOFT_ENFORCE"
    HARD_ENFORCE = "HARD_ENFORCE"


class Operation(StrEnum):
    """What made a transaction; idempotency keys are scoped by it."""

    PROVISION = "PROVISION"
    REDEEM = "REDEEM"
    REALLOCATE = "REALLOCATE"
    CANCEL = "CANCEL"
    CHANGE = "CHANGE"
    REVERT = "REVERT"
    EXPIRY = "EXPIRY"
    RENEWAL = "RENEWAL"
    GRANT = "GRANT"
    RESERVE = "RESERVE"
    CAPTURE = "CAPTURE"
    """Spend what was reserved: a redemption like any other from then on."""

    RELEASE = "RELEASE"
    """Put back what was reserved."""

    CANCEL_PART = "CANCEL_PART"
    """Give back some items of a redemption; the others stand."""


class LotOrigin(StrEnum):
    """What brought the credits of a lot."""

    PROVISION = "PROVISION"
    RENEWAL = "RENEWAL"
    ADJUSTMENT = "ADJUSTMENT"
    GRANT = "GRANT"
    RETURN = "RETURN"


class LotStatus(StrEnum):
    """The status of a lot. One that is spent lives again when credits come back."""

    FUTURE = "FUTURE"
    LIVE = "LIVE"
    SPENT = "SPENT"
    EXPIRED = "EXPIRED"


class ReservationStatus(StrEnum):
    """The status of a reservation; all but the first are its end."""

    OPEN = "OPEN"
    CAPTURED = "CAPTURED"
    CANCELED = "CANCELED"
    LAPSED = "LAPSED"


class JobStatus(StrEnum):
    """The status of an async job."""

    INITIALIZED = "INITIALIZED"
    PROCESSING = "PROCESSING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class JobKind(StrEnum):
    """What a job does. All but the last four are kinds of orders, too."""

    PROVISION_PROGRAM = "PROVISION_PROGRAM"
    """A program gets a pool."""

    PAUSE_PROGRAM = "PAUSE_PROGRAM"
    RESUME_PROGRAM = "RESUME_PROGRAM"
    END_PROGRAM = "END_PROGRAM"
    RENEW_PROGRAM = "RENEW_PROGRAM"

    UPDATE_POOLS = "UPDATE_POOLS"
    """Pools of a pool definition take its details."""

    END_POOLS = "END_POOLS"
    """Pools of a pool definition end, all or those of one program definition."""

    ADD_POOLS = "ADD_POOLS"
    """Programs of a program definition get a pool."""

    KEEP_POOLS = "KEEP_POOLS"
    """The same with their next renewal; pools that were to end then stay."""

    END_PROGRAMS = "END_PROGRAMS"
    """Programs of a program definition end, with their pools."""

    DELETE_ITEMS = "DELETE_ITEMS"

    ERASE_BENEFICIARY = "ERASE_BENEFICIARY"
    """All that is personal about one beneficiary goes."""

    MERGE_BENEFICIARY = "MERGE_BENEFICIARY"
    """What a visitor has becomes somebody else's."""

    ADVANCE_CLOCK = "ADVANCE_CLOCK"
    """The clock of a sandbox is set forward, and what is due until then happens."""


class OrderPhase(StrEnum):
    """How far an order has come."""

    OPENING = "OPENING"
    """Its job opens pools."""

    REACHING = "REACHING"
    """Its job takes it to pools that there are."""

    REACHED = "REACHED"
    """It has reached all pools that there are."""


class Beneficiary(Row, frozen=True, kw_only=True, omit_defaults=True):
    """The columns that hold a beneficiary: exactly one of the three is set."""

    anonymous_visitor_id: str | None = None
    member_id: str | None = None
    wix_user_id: str | None = None

    @property
    def beneficiary(self) -> Identity:
        if self.member_id is not None:
            return Identity(IdentityType.MEMBER, self.member_id)
        if self.wix_user_id is not None:
            return Identity(IdentityType.WIX_USER, self.wix_user_id)
        assert self.anonymous_visitor_id is not None
        return Identity(IdentityType.ANONYMOUS_VISITOR, self.anonymous_visitor_id)


BENEFICIARY_COLUMNS = ("anonymous_visitor_id", "member_id", "wix_user_id")
_TYPES = {name: IdentityType(name.removesuffix("_id").upper()) for name in BENEFICIARY_COLUMNS}


def beneficiary_columns(identity: Identity) -> dict[str, Any]:
    """The three columns for an identity, as keyword arguments of a row."""
    return {name: identity.id if type_ is identity.type else None for name, type_ in _TYPES.items()}


class ProgramDefinition(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A template that groups pool definitions. Unique by (namespace, external id).

    ``order_number`` is that of the newest order for it.
    """

    id: Id
    revision: int
    created: Instant
    updated: Instant
    namespace: str
    external_id: str
    display_name: str | None = None
    description: str | None = None
    extended_fields: dict[str, Any] | None = None
    sequence: int = 0
    order_number: int = 0
    terms: ProgramTerms | None = None


class PoolDefinition(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A template with benefits and a credit configuration, which its snapshot holds.

    ``order_number`` is that of the newest order for it.
    """

    id: Id
    revision: int
    created: Instant
    updated: Instant
    namespace: str
    snapshot_id: Id
    extended_fields: dict[str, Any] | None = None
    sequence: int = 0
    order_number: int = 0


class Snapshot(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Names and details as they were at one moment. Never changed, so it may be cached.

    A pool definition and all pools made from one revision of it share one snapshot; what a pool
    gives at the moment is what its snapshot says.
    """

    id: Id
    created: Instant
    details: Details
    display_name: str | None = None
    description: str | None = None


class SnapshotBenefit(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A benefit of a snapshot, as a row that queries can join."""

    key: ClassVar[tuple[str, ...]] = ("snapshot_id", "benefit_key")

    snapshot_id: Id
    benefit_key: str
    ordinal: int
    item_set_id: Id
    provider_app_id: str
    price: Credits


class Assignment(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A pool definition's place in a program definition."""

    key: ClassVar[tuple[str, ...]] = ("pool_definition_id", "program_definition_id")

    pool_definition_id: Id
    program_definition_id: Id
    ordinal: int


class ItemSet(Row, frozen=True, kw_only=True, omit_defaults=True):
    """The items of one benefit, for the benefit's whole life."""

    id: Id
    pool_definition_id: Id
    benefit_key: str
    provider_app_id: str
    namespace: str


class Item(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a provider app sells. Unique by (item set, app, category, external id)."""

    id: Id
    revision: int
    created: Instant
    updated: Instant
    item_set_id: Id
    provider_app_id: str
    category: str
    external_id: str
    namespace: str
    display_name: str | None = None
    extended_fields: dict[str, Any] | None = None
    sequence: int = 0


class Program(Beneficiary, frozen=True, kw_only=True, omit_defaults=True):
    """The pools of one beneficiary. Unique by (namespace, external id).

    Orders up to ``order_number`` are older than it: its definitions knew them already. Nothing
    happens to the program by itself before ``due``; without a ``calendar`` nothing ever does.
    """

    id: Id
    revision: int
    created: Instant
    updated: Instant
    status: ProgramStatus
    namespace: str
    external_id: str
    target_status: ProgramStatus | None = None
    program_definition_id: Id | None = None
    program_definition_external_id: str | None = None
    display_name: str | None = None
    extended_fields: dict[str, Any] | None = None
    sequence: int = 0
    order_number: int = 0
    calendar: Calendar | None = None
    next_renewal: Instant | None = None
    end_date: Instant | None = None
    due: Instant | None = None


class Pool(Beneficiary, frozen=True, kw_only=True, omit_defaults=True):
    """A live copy of a pool definition for one beneficiary, with its balance of credits.

    ``revision`` and ``updated`` are the pool's, ``balance_revision`` and ``balance_updated`` its
    balance's: a redemption changes only the latter. It has been through all orders that are for it,
    up to ``order_number``.

    ``in_lots`` is what stored lots hold of ``available``; the rest is the standard lot's. Nothing
    happens to the credits by itself before ``due``, and nothing to the program before
    ``program_due``. A pause has ``stopped`` the clock of its dates at this instant. So far pauses
    have moved them by ``shift`` milliseconds. ``alerts`` says of what each alert stands (see
    ``watching``); None if its details have no alerts.
    """

    id: Id
    revision: int
    created: Instant
    updated: Instant
    program_id: Id
    program_external_id: str
    pool_definition_id: Id
    pool_definition_revision: int
    snapshot_id: Id
    status: PoolStatus
    origin: PoolOrigin
    namespace: str
    available: Credits
    balance_revision: int
    balance_updated: Instant
    reserved: Credits = 0
    last_transaction_id: Id | None = None
    program_definition_id: Id | None = None
    program_definition_external_id: str | None = None
    previous_status: PoolStatus | None = None
    renewal_count: int = 0
    renewal_action: RenewalActionType | None = None
    renewal_snapshot_id: Id | None = None
    renewal_revision: int | None = None
    extended_fields: dict[str, Any] | None = None
    sequence: int = 0
    order_number: int = 0
    in_lots: Credits = 0
    due: Instant | None = None
    program_due: Instant | None = None
    stopped: Instant | None = None
    alerts: dict[str, Any] | None = None
    shift: int = 0


class QuotaShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many items a redemption counts on a quota, under a local date or at an instant.

    The date is that of the tenant's time zone when it was taken, and is given back as it is. What
    rolls is counted at an instant, and a cycle at that which names it.
    """

    quota_id: str
    period_start: LocalDate | Instant
    count: int
    is_rolling: bool = False


class TransactionItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The item of a transaction, as it was then."""

    id: str
    external_id: str
    provider_app_id: str
    item_set_id: str
    category: str = ""
    display_name: str | None = None


class Draw(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much of a transaction's amount one lot gave or took; the standard lot has the pool's id.

    What was reserved of a lot that has expired may go ``into`` another one.
    """

    lot_id: str
    amount: Credits
    into: str | None = None


class TransactionDetails(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a transaction was for, in the words that it keeps for ever.

    ``quota_shares`` are what it counts on rate limits, to be given back as they were taken.
    ``draws`` share out the amount among lots; without them it is the standard lot's alone. ``due``
    is the instant at which it had to happen by itself, if it was booked for that. Where something
    was reserved, ``reserved_after`` says how much is left right after it. A redemption that was
    canceled late has its ``forfeited`` credits in its cancellation. ``moved_from`` and ``moved_to``
    are the two sides of a redemption that another pool pays now.
    """

    reason: str | None = None
    origin: str | None = None
    item: TransactionItem | None = None
    item_count: int | None = None
    benefit_key: str | None = None
    effective_date: Instant | None = None
    quota_shares: tuple[QuotaShare, ...] = ()
    draws: tuple[Draw, ...] = ()
    due: Instant | None = None
    reserved_after: Credits = 0
    reservation_id: str | None = None
    forfeited: Credits = 0
    moved_from: str | None = None
    moved_to: str | None = None


class Transaction(Row, frozen=True, kw_only=True, omit_defaults=True):
    """The record of one change of a balance. Never changed, never deleted.

    ``amount`` is never negative: ``source`` and ``target`` give the direction. ``available_after``
    and ``balance_revision`` are the balance's right after it; ``snapshot_id`` names what the pool
    gave when it was made. ``request_hash`` tells what the request with its key meant.
    """

    id: Id
    pool_id: Id
    created: Instant
    operation: Operation
    amount: Credits
    source: BalanceType
    target: BalanceType
    available_after: Credits
    balance_revision: int
    snapshot_id: Id
    details: TransactionDetails
    correlation_id: Id
    idempotency_key: str | None = None
    related_transaction_id: Id | None = None
    superseded_transaction_id: Id | None = None
    item_id: Id | None = None
    party_type: IdentityType | None = None
    party_id: str | None = None
    requested_amount: Credits | None = None
    request_hash: int | None = None
    external_reference: str | None = None


class Lot(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Credits of one pool that came together and share one fate.

    What has no fate of its own is in the pool's standard lot, which isn't stored. ``granted`` is
    what came, ``available`` what can be spent of it and ``reserved`` what reservations hold;
    a lot that is still to come has nothing available. ``rank`` is its place in the burn order, with
    its id at the end. ``revision`` and ``updated`` are those of its terms: spending changes
    neither. Pauses have moved its dates by ``shift``; what its pool has more, they move once it
    gets credits again.
    """

    over: ClassVar[tuple[str, ...]] = ("SPENT", "EXPIRED")
    distinct: ClassVar[tuple[str, ...]] = ("rank",)

    id: Id
    revision: int
    created: Instant
    updated: Instant
    pool_id: Id
    origin: LotOrigin
    status: LotStatus
    granted: Credits
    available: Credits
    priority: int
    effective_date: Instant
    rank: str
    reserved: Credits = 0
    expiration_date: Instant | None = None
    kept_at_renewal: bool = False
    display_name: str | None = None
    external_reference: str | None = None
    additional_data: dict[str, Any] | None = None
    sequence: int = 0
    shift: int = 0


class Reservation(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Credits that are held for items until somebody captures or cancels, or until a date.

    Its id is that of the transaction that reserved. ``count`` items were reserved at ``price``
    each, ``captured`` of them are redeemed by now. ``draws`` and ``quota_shares`` are those of what
    is still held.
    """

    over: ClassVar[tuple[str, ...]] = ("CAPTURED", "CANCELED", "LAPSED")

    id: Id
    created: Instant
    updated: Instant
    pool_id: Id
    status: ReservationStatus
    count: int
    price: Credits
    expiration_date: Instant
    draws: tuple[Draw, ...]
    quota_shares: tuple[QuotaShare, ...]
    captured: int = 0
    external_reference: str | None = None

    def status_at(self, now: Instant) -> ReservationStatus:
        """Its status at an instant of its pool's clock, booked or not that it has lapsed."""
        if self.status is ReservationStatus.OPEN and self.expiration_date <= now:
            return ReservationStatus.LAPSED
        return self.status

    @property
    def held(self) -> int:
        """How many items it still holds."""
        return self.count - self.captured if self.status is ReservationStatus.OPEN else 0


class Quota(Row, frozen=True, kw_only=True, omit_defaults=True):
    """How often a rate limit of a pool was used, under a local date or at an instant.

    A row of an instant is there as long as a redemption counts on it.
    """

    key: ClassVar[tuple[str, ...]] = ("pool_id", "quota_id", "period_start")

    pool_id: Id
    quota_id: Id
    period_start: int
    used: int
    is_rolling: bool | None = None


class IdempotencyKey(Row, frozen=True, kw_only=True, omit_defaults=True):
    """An operation that was done once on a subject and leaves no transaction to tell so."""

    key: ClassVar[tuple[str, ...]] = ("subject_id", "operation", "idempotency_key")

    subject_id: Id
    operation: str
    idempotency_key: str
    created: Instant
    result_id: Id | None = None
    request_hash: int | None = None


class JobItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a job did with one thing."""

    id: str
    entity: str
    error_code: str | None = None
    error_description: str | None = None


_ABOUT_PEOPLE = (JobKind.ERASE_BENEFICIARY, JobKind.MERGE_BENEFICIARY)


class Job(Row, frozen=True, kw_only=True, omit_defaults=True):
    """Work that was asked for: done within the request, or in chunks afterwards.

    One done within its request holds its ``items``; those of one done in chunks are in its pages.
    ``payload`` is what it must know besides its subject. ``stage`` and ``position`` say how far the
    chunks have come: all rows up to this id are done. ``order_number`` is that of its order.
    From ``due`` on (0: at once) a runner may take it; its ``lease_owner`` has it until then.
    ``trace`` is that of the request that ordered the chunks, until they are done.
    """

    over: ClassVar[tuple[str, ...]] = ("FINISHED", "FAILED")

    id: Id
    created: Instant
    updated: Instant
    kind: str
    status: JobStatus
    subject_id: Id
    created_by_type: IdentityType
    created_by_id: str
    total: int
    success_count: int = 0
    fail_count: int = 0
    errors: dict[str, int] | None = None
    items: tuple[JobItem, ...] | None = None
    stage: int = 0
    position: str | None = None
    order_number: int = 0
    due: Instant = 0
    lease_owner: str | None = None
    attempts: int = 0
    reason: str | None = None
    payload: dict[str, Any] | None = None
    trace: Trace | None = None

    @property
    def person_id(self) -> str | None:
        """The pseudonym of the person whom it is about."""
        return self.subject_id if self.kind in _ABOUT_PEOPLE else None

    @property
    def done_count(self) -> int:
        return self.success_count + self.fail_count


class JobPage(Row, frozen=True, kw_only=True, omit_defaults=True):
    """What a job did, in pages of ``JOB_PAGE_SIZE`` things that are filled one after the other."""

    key: ClassVar[tuple[str, ...]] = ("job_id", "number")

    job_id: Id
    number: int
    items: tuple[JobItem, ...]


class Order(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A change that pools go through, as it was answered: what, for what, when, with which terms.

    ``number`` is its place among all orders of the tenant. ``pool_definition_id``,
    ``program_definition_id`` and ``program_id`` say whose pools it is for. ``cascade`` says when: a
    NEXT_RENEWAL marks pools at once. One that ``stands`` concerns programs, too, when they renew.
    Terms are the ``snapshot_id`` and ``revision`` of the definition, or the ``status`` of the
    program. An order to open a pool of a provisioning names its definition in ``opened_id`` only.
    One that happens by itself has the instant ``at`` which it does. A pause may say that it
    ``stops_clock``, and new details whether there are alerts among them.
    """

    key: ClassVar[tuple[str, ...]] = ("number",)

    number: int
    kind: JobKind
    phase: OrderPhase
    cascade: Cascade = Cascade.IMMEDIATELY
    stands: bool = False
    job_id: Id | None = None
    pool_definition_id: Id | None = None
    program_definition_id: Id | None = None
    program_id: Id | None = None
    opened_id: Id | None = None
    snapshot_id: Id | None = None
    revision: int = 0
    status: ProgramStatus | None = None
    at: Instant | None = None
    stops_clock: bool | None = None
    has_alerts: bool | None = None


class Agenda(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A tenant's newest order, and since when it has jobs: all that is polled across tenants."""

    key: ClassVar[tuple[str, ...]] = ("kind",)

    kind: str
    newest_order: int
    since: Instant | None = None
