"""Balances: the credits of pools, and how they are changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec

from benefit_programs.domain.constraints import (
    Addition,
    Immutable,
    Judged,
    OneOf,
    ReadOnly,
    Size,
    Undocumented,
)
from benefit_programs.domain.entities import BalanceType, LimitRule, PoolStatus
from benefit_programs.domain.errors import FieldViolation, ViolatedRule
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.wire.types.common import (
    Amount,
    AuditReason,
    BulkSize,
    CursorPaging,
    CursorPagingMetadata,
    EntityId,
    ExtendedFields,
    ExternalId,
    ExternalReference,
    IdentificationData,
    Namespace,
    QueryRequest,
    Revision,
    SignedAmount,
    Timestamp,
    TransactionKey,
)
from benefit_programs.wire.types.transactions import NewTransactionDetails

BALANCES_MAX = BulkSize.maximum


class ChangeBalanceRequestType(StrEnum):
    """The kind of a change of a balance."""

    UNKNOWN_OPERATION = "UNKNOWN_OPERATION"
    ADJUST = "ADJUST"
    SET = "SET"
    SET_INITIAL = "SET_INITIAL"


class RolloverConfigurationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The unused credits that stay at a renewal."""

    enabled: Annotated[bool, ReadOnly()] | None = None
    balance_cap: Annotated[Amount, ReadOnly()] | None = None


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The pool of a balance."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    program_id: Annotated[EntityId, ReadOnly()] | None = None
    credit_amount: Annotated[Amount, ReadOnly()] | None = None
    namespace: Annotated[Namespace, ReadOnly()] | None = None
    external_program_definition_id: Annotated[ExternalId, ReadOnly()] | None = None
    external_program_id: Annotated[ExternalId, ReadOnly()] | None = None
    credit_rollover_configuration: Annotated[RolloverConfigurationInfo, ReadOnly()] | None = None
    status: Annotated[PoolStatus, ReadOnly()] | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """A balance as it is answered; its id is the pool's."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, Immutable(), ReadOnly()] | None = None
    amount: Annotated[BalanceAmount, ReadOnly()] | None = None
    pool_info: Annotated[PoolInfo, ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    last_transaction_id: Annotated[EntityId, ReadOnly()] | None = None


class GetBalanceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read the balance of a pool."""

    pool_id: EntityId


class GetBalanceResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The balance."""

    balance: Balance | None = None


class ListBalancesRequest(msgspec.Struct, frozen=True, kw_only=True):
    """List balances, of some pools or of all."""

    pool_ids: Annotated[tuple[EntityId, ...], Size(maximum=BALANCES_MAX)] | None = None
    cursor_paging: CursorPaging | None = None


class ListBalancesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of balances."""

    balances: Annotated[tuple[Balance, ...], Size(maximum=BALANCES_MAX)] | None = None
    metadata: CursorPagingMetadata | None = None


class QueryBalancesRequest(QueryRequest, frozen=True, kw_only=True):
    """Find balances."""


class QueryBalancesResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of balances."""

    balances: tuple[Balance, ...] | None = None
    metadata: CursorPagingMetadata | None = None


def _not_allowed(description: str, is_wrong: Callable[[Any], bool] = bool) -> Judged:
    """A rule against values that only reservations have a use for."""
    violation = FieldViolation("", description, ViolatedRule.FIELD_NOT_ALLOWED)
    return Judged(lambda value: [violation] if is_wrong(value) else [])


NotReserved = Annotated[
    BalanceType,
    Undocumented(),
    _not_allowed("only reservations reserve credits", lambda each: each is BalanceType.RESERVED),
]
OnlyAvailable = Annotated[
    BalanceType,
    Undocumented(),
    _not_allowed("only AVAILABLE can be set", lambda each: each is not BalanceType.AVAILABLE),
]
LowerLimit = Annotated[
    SignedAmount,
    Undocumented(),
    _not_allowed("must not be below 0", lambda amount: amount < 0),
]
Superseded = Annotated[EntityId, Undocumented(), _not_allowed("only holds can be superseded")]


class SetInitialOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Set a balance that has no transactions yet."""

    value: Amount
    beneficiary: IdentificationData | None = None


class SetOptions(SetInitialOptions, frozen=True, kw_only=True):
    """Set a balance."""

    target_balance_type: OnlyAvailable | None = None


class AdjustOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Add to a balance, or subtract with a negative value."""

    value: SignedAmount
    beneficiary: IdentificationData | None = None
    lower_limit: LowerLimit | None = None
    upper_limit: Annotated[SignedAmount, Undocumented()] | None = None
    limit_rule: Annotated[LimitRule, Undocumented()] | None = None
    source_balance_type: NotReserved | None = None
    target_balance_type: NotReserved | None = None
    superseded_transaction_id: Superseded | None = None


class ChangeBalanceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change a balance in exactly one of three ways."""

    one_of: ClassVar[OneOf] = OneOf(
        ("adjust_options", "set_options", "set_initial_options"),
        tag="type",
        tags=("ADJUST", "SET", "SET_INITIAL"),
    )

    pool_id: EntityId
    idempotency_key: TransactionKey
    adjust_options: AdjustOptions | None = None
    set_options: SetOptions | None = None
    set_initial_options: Annotated[SetInitialOptions, Undocumented()] | None = None
    instructing_party: IdentificationData | None = None
    type: ChangeBalanceRequestType | None = None
    transaction_details: NewTransactionDetails | None = None
    external_reference: Annotated[ExternalReference, Addition()] | None = None


class ChangeBalanceResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The changed balance, and the transaction of the change."""

    balance: Balance | None = None
    transaction_id: EntityId | None = None


class RevertBalanceChangeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Revert a transaction with an opposite one. Deprecated. The idempotency key is not used."""

    transaction_id: EntityId
    idempotency_key: TransactionKey | None = None
    instructing_party: IdentificationData | None = None
    reason: Annotated[AuditReason, Addition()] | None = None


class RevertBalanceChangeResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The new transaction."""

    transaction_id: EntityId | None = None
