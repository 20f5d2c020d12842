"""One row of a file: a program, whom it belongs to, what it is made from, and what it holds.

The fields carry the same marks as those of the API. What reads and writes them is handed in, so
that a value that the API refuses is refused here in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

import msgspec

from benefit_programs.domain.constraints import DecimalText, Guid, OneOf, Size, Text
from benefit_programs.domain.entities import ProgramStatus
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.values import Credits, Identity, IdentityType

T = TypeVar("T")

BALANCES_MAX = 200
"""How many pools a row may state a balance for: as many as a program gets at once."""

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

COLUMNS = (
    *EXPORTED_COLUMNS,
    "programDefinitionExternalId",
    "programDefinitionNamespace",
    "balance",
)
"""All columns that an import knows."""

REQUIRED_COLUMNS = ("externalProgramId", "namespace")


class StartStatus(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class StatedBalance(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool of one definition holds."""

    pool_definition_id: Annotated[str, Guid()]
    amount: Annotated[Credits, DecimalText()]


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The program's own fields, and its balances."""

    one_of: ClassVar[OneOf] = OneOf(("balance", "balances"), required=False)

    external_program_id: Annotated[str, Guid("external")]
    namespace: Annotated[str, Text(min_length=1, max_length=20)]
    program_status: StartStatus | None = None
    display_name: Annotated[str, Text(max_length=64)] | None = None
    balance: Annotated[Credits, DecimalText()] | None = None
    balances: Annotated[tuple[StatedBalance, ...], Size(maximum=BALANCES_MAX)] | None = None

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
        if name not in COLUMNS
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
