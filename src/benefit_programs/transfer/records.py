"""One row of a file: a program, whom it belongs to, what it is made from, and what it holds.

The fields carry the same marks as those of the API. What reads and writes them is handed in, so
that a value that the API refuses is refused here in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

import msgspec

from benefit_programs.domain.constraints import (
    DecimalText,
    FreeForm,
    Guid,
    InstantText,
    Int32,
    OneOf,
    Size,
    Text,
)
from benefit_programs.domain.entities import LotOrigin, ProgramStatus
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.lots import (
    NAME_LENGTH_MAX,
    OPEN_LOTS_MAX,
    PRIORITY,
    PRIORITY_MAX,
    Fate,
)
from benefit_programs.domain.required import require_ahead
from benefit_programs.domain.values import (
    EXTERNAL_REFERENCE_LENGTH_MAX,
    Credits,
    Identity,
    IdentityType,
    Instant,
)
from benefit_programs.transfer.dates import StatedDates

T = TypeVar("T")

BALANCES_MAX = 200
"""How many pools a row may state a balance for: as many as a program gets at once."""

LOTS_MAX = OPEN_LOTS_MAX
"""How many lots a row may state: as many as one pool may have open."""

EXPORTED_COLUMNS = (
    "externalProgramId",
    "namespace",
    "programDefinitionId",
    "poolDefinitionId",
    "memberId",
    "wixUserId",
    "anonymousVisitorId",
    "programStatus",
    "displayName",
    "balances",
)
"""The columns of an export, in their order."""

LOTS_COLUMN = "lots"
"""A column of an export of a tenant that has lots."""

DATES_COLUMN = "dates"
"""A column of an export of a tenant whose programs have dates."""

JSON_COLUMNS = (LOTS_COLUMN, DATES_COLUMN)
"""The columns that hold JSON, in CSV as well."""

COLUMNS = (
    *EXPORTED_COLUMNS,
    LOTS_COLUMN,
    DATES_COLUMN,
    "nextRenewalDate",
    "programDefinitionExternalId",
    "programDefinitionNamespace",
    "balance",
)
"""All columns that an import knows."""

_KNOWN = frozenset(COLUMNS)

REQUIRED_COLUMNS = ("externalProgramId", "namespace")


class StartStatus(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class StatedBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool of one definition holds."""

    pool_definition_id: Annotated[str, Guid()]
    amount: Annotated[Credits, DecimalText()]


class StatedLot(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool of one definition holds in a lot of its own."""

    pool_definition_id: Annotated[str, Guid()]
    amount: Annotated[Credits, DecimalText()]
    origin: LotOrigin = LotOrigin.GRANT
    effective_date: Annotated[int, InstantText()] | None = None
    expiration_date: Annotated[int, InstantText()] | None = None
    priority: Annotated[int, Int32(minimum=0, maximum=PRIORITY_MAX)] = PRIORITY
    kept_at_renewal: bool | None = None
    display_name: Annotated[str, Text(max_length=NAME_LENGTH_MAX)] | None = None
    external_reference: (
        Annotated[str, Text(min_length=1, max_length=EXTERNAL_REFERENCE_LENGTH_MAX)] | None
    ) = None
    additional_data: Annotated[dict[str, Any], FreeForm()] | None = None

    @property
    def fate(self) -> Fate:
        kept = self.origin is LotOrigin.GRANT
        return Fate(
            origin=self.origin,
            expiration_date=self.expiration_date,
            effective_date=self.effective_date,
            priority=self.priority,
            kept_at_renewal=kept if self.kept_at_renewal is None else self.kept_at_renewal,
            display_name=self.display_name,
            external_reference=self.external_reference,
            additional_data=self.additional_data,
        )

    def is_to_come(self, now: Instant) -> bool:
        """Whether it counts only later, and so isn't part of the balance."""
        return self.effective_date is not None and self.effective_date > now


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The program's own fields, and its balances."""

    one_of: ClassVar[OneOf] = OneOf(("balance", "balances"), required=False)

    external_program_id: Annotated[str, Guid("external")]
    namespace: Annotated[str, Text(min_length=1, max_length=20)]
    program_status: StartStatus | None = None
    display_name: Annotated[str, Text(max_length=64)] | None = None
    balance: Annotated[Credits, DecimalText()] | None = None
    balances: Annotated[tuple[StatedBalance, ...], Size(maximum=BALANCES_MAX)] | None = None
    lots: Annotated[tuple[StatedLot, ...], Size(maximum=LOTS_MAX)] | None = None
    dates: StatedDates | None = None
    next_renewal_date: Annotated[Instant, InstantText()] | None = None

    def as_of(self, now: Instant) -> Instant:
        """The instant at which the row is true: now, unless the program was late or is stopped."""
        return now if self.dates is None else self.dates.as_of(now)

    @property
    def status(self) -> ProgramStatus:
        return ProgramStatus(self.program_status or StartStatus.ACTIVE)


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What the program is made from."""

    one_of: ClassVar[OneOf] = OneOf(
        ("program_definition_id", "program_definition_external_id", "pool_definition_id")
    )

    program_definition_id: Annotated[str, Guid()] | None = None
    program_definition_external_id: Annotated[str, Guid("external")] | None = None
    program_definition_namespace: Annotated[str, Text(min_length=1, max_length=20)] | None = None
    pool_definition_id: Annotated[str, Guid()] | None = None


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the program belongs to."""

    one_of: ClassVar[OneOf] = OneOf(("member_id", "wix_user_id", "anonymous_visitor_id"))

    member_id: Annotated[str, Guid("identity")] | None = None
    wix_user_id: Annotated[str, Guid("identity")] | None = None
    anonymous_visitor_id: Annotated[str, Guid("identity")] | None = None

    def identity(self) -> Identity:
        if self.member_id is not None:
            return Identity(IdentityType.MEMBER, self.member_id)
        if self.wix_user_id is not None:
            return Identity(IdentityType.WIX_USER, self.wix_user_id)
        assert self.anonymous_visitor_id is not None, "the decoder lets nobody through"
        return Identity(IdentityType.ANONYMOUS_VISITOR, self.anonymous_visitor_id)


class Record(msgspec.Struct, frozen=True):
    """A row that is well formed."""

    named: Named
    origin: Origin
    beneficiary: Identity

    @property
    def key(self) -> tuple[str, str]:
        """What tells the program from all others: its namespace and its external id."""
        return self.named.namespace, self.named.external_program_id


class Decode(Protocol):
    def __call__(self, type_: type[T], document: Mapping[str, Any], /) -> T: ...


def read_record(document: Mapping[str, Any], decode: Decode) -> Record:
    """The record that a row stands for. Raises Invalid with all violations of the row."""
    found = [
        FieldViolation(name, "is no column of an import", ViolatedRule.FIELD_NOT_ALLOWED)
        for name in document
        if name not in _KNOWN
    ]
    named = _part(Named, document, decode, found)
    origin = _part(Origin, document, decode, found)
    owner = _part(Owner, document, decode, found)
    if found or named is None or origin is None or owner is None:
        raise Invalid(tuple(found))
    return Record(named, origin, owner.identity())


def _part(
    type_: type[T], document: Mapping[str, Any], decode: Decode, found: list[FieldViolation]
) -> T | None:
    try:
        return decode(type_, document)
    except Invalid as refusal:
        found.extend(refusal.violations)
        return None


def settle_amounts(named: Named, pool_definition_ids: Sequence[str]) -> dict[str, Credits]:
    """What the row says about the pools that the program gets, by their definitions.

    Raises Invalid for a balance that belongs to none of them, or to more than one.
    """
    if named.balance is not None:
        if len(pool_definition_ids) == 1:
            return {pool_definition_ids[0]: named.balance}
        raise Invalid.because(
            "balance",
            f"the program has {len(pool_definition_ids)} pools: state their balances by definition",
            rule_name="only_pool",
        )
    amounts: dict[str, Credits] = {}
    for index, stated in enumerate(named.balances or ()):
        path = f"balances[{index}].poolDefinitionId"
        if stated.pool_definition_id in amounts:
            raise Invalid.because(path, "is stated twice", rule_name="stated_once")
        if stated.pool_definition_id not in pool_definition_ids:
            raise Invalid.because(
                path, "the program has no pool of this definition", rule_name="pool_of_program"
            )
        amounts[stated.pool_definition_id] = stated.amount
    return amounts


def settle_lots(
    named: Named, amounts: Mapping[str, Credits], now: Instant
) -> dict[str, list[StatedLot]] | None:
    """The lots that the row states, by the definitions of their pools; None if it says nothing.

    Raises Invalid for one of nothing, one of a pool without a stated balance, one whose life is
    over or never begins, one to come that nobody granted, and one that is more than what is left of
    the balance.
    """
    if named.lots is None:
        return None
    lots: dict[str, list[StatedLot]] = {}
    left = dict(amounts)
    for index, lot in enumerate(named.lots):
        path, pool = f"lots[{index}]", lot.pool_definition_id
        if pool not in amounts:
            raise Invalid.because(
                f"{path}.poolDefinitionId",
                "the row states no balance of a pool of this definition",
                rule_name="balance_stated",
            )
        _require_sense(lot, path, now)
        if not lot.is_to_come(now):
            left[pool] -= lot.amount
            if left[pool] < 0:
                raise Invalid.because(
                    f"{path}.amount",
                    "the lots of this pool have more than its balance",
                    rule_name="within_balance",
                )
        lots.setdefault(pool, []).append(lot)
    return lots


def _require_sense(lot: StatedLot, path: str, now: Instant) -> None:
    if not lot.amount:
        raise Invalid.because(f"{path}.amount", "must be more than 0", rule_name="more_than_0")
    end = lot.expiration_date
    if end is not None:
        require_ahead(end, now, f"{path}.expirationDate")
    if end is not None and lot.effective_date is not None and end <= lot.effective_date:
        raise Invalid.because(
            f"{path}.expirationDate",
            "must be later than its effectiveDate",
            rule_name="expires_after_it_begins",
        )
    if lot.is_to_come(now) and lot.origin is not LotOrigin.GRANT:
        raise Invalid.because(
            f"{path}.origin", "only a GRANT may begin later", rule_name="granted_if_to_come"
        )
