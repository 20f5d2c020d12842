"""Balances and transactions: the credits of pools, and the record of each change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from benefit_programs.client.generated.enums import (
    BalanceType,
    LimitRule,
    PoolStatus,
    TransactionStatus,
)
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.common import Amount, BalanceAmount, ExtendedFields
from benefit_programs.client.types.identities import Identity


class RolloverInfo(Part, frozen=True, kw_only=True):
    """The unused credits that stay at a renewal."""

    enabled: bool | None = None
    balance_cap: Decimal | None = None


class BalancePoolInfo(Part, frozen=True, kw_only=True):
    """The pool of a balance."""

    id: str | None = None
    pool_definition_id: str | None = None
    program_definition_id: str | None = None
    program_id: str | None = None
    credit_amount: Decimal | None = None
    namespace: str | None = None
    external_program_definition_id: str | None = None
    external_program_id: str | None = None
    credit_rollover_configuration: RolloverInfo | None = None
    status: PoolStatus | None = None


class Balance(Part, frozen=True, kw_only=True):
    """The credits of a pool; its id is the pool's."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    beneficiary: Identity
    amount: BalanceAmount = BalanceAmount()
    pool_info: BalancePoolInfo = BalancePoolInfo()
    extended_fields: ExtendedFields | None = None
    last_transaction_id: str | None = None

    @property
    def available(self) -> Decimal:
        """The credits that can be spent."""
        return self.amount.available


class ChangedBalance(Part, frozen=True, kw_only=True):
    """A balance after a change, and the transaction of the change.

    A change that changes nothing makes no transaction.
    """

    balance: Balance
    transaction_id: str | None = None


class AdjustBalance(Part, frozen=True, kw_only=True):
    """Add to a balance, or subtract with a negative value."""

    value: Amount
    lower_limit: Amount | None = None
    upper_limit: Amount | None = None
    limit_rule: LimitRule | None = None
    beneficiary: Identity | None = None


class SetBalance(Part, frozen=True, kw_only=True):
    """Set a balance to a value of 0 or more."""

    value: Amount
    beneficiary: Identity | None = None


class SetInitialBalance(Part, frozen=True, kw_only=True):
    """Set a balance that has no transactions yet."""

    value: Amount
    beneficiary: Identity | None = None


class ChangeDetails(Part, frozen=True, kw_only=True):
    """The caller's reason for a change of a balance."""

    reason: str | None = None
    origin: str | None = None
    benefit_key: str | None = None
    item_count: int | None = None
    effective_date: datetime | None = None


class TransactionItem(Part, frozen=True, kw_only=True):
    """The item of a transaction, as it was then."""

    id: str | None = None
    external_id: str | None = None
    category: str | None = None
    item_set_id: str | None = None
    display_name: str | None = None
    provider_app_id: str | None = None


class TransactionDetails(Part, frozen=True, kw_only=True):
    """The reason, item and benefit of a transaction."""

    item: TransactionItem | None = None
    item_count: int | None = None
    effective_date: datetime | None = None
    reason: str | None = None
    origin: str | None = None
    benefit_key: str | None = None


class TransactionPoolInfo(Part, frozen=True, kw_only=True):
    """The pool of a transaction, as it was then."""

    id: str | None = None
    pool_definition_id: str | None = None
    program_definition_id: str | None = None
    external_program_definition_id: str | None = None
    program_id: str | None = None
    external_program_id: str | None = None
    credit_amount: Decimal | None = None
    namespace: str | None = None
    display_name: str | None = None
    benefit_display_name: str | None = None


class RequestedValues(Part, frozen=True, kw_only=True):
    """The requested values, if limits changed them."""

    amount: Decimal | None = None
    source: BalanceType | None = None
    target: BalanceType | None = None


class DrawnLot(Part, frozen=True, kw_only=True):
    """How much of a transaction's amount one lot gave or took."""

    lot_id: str
    amount: Decimal
    into_lot_id: str | None = None


class FailedTransactionDetails(Part, frozen=True, kw_only=True):
    """Why a transaction failed."""

    response_status: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class Transaction(Part, frozen=True, kw_only=True):
    """The record of one change of a balance. Never changed, never deleted."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    beneficiary: Identity
    amount: Decimal = Decimal(0)
    source: BalanceType | None = None
    target: BalanceType | None = None
    status: TransactionStatus | None = None
    pool: TransactionPoolInfo = TransactionPoolInfo()
    details: TransactionDetails = TransactionDetails()
    idempotency_key: str | None = None
    related_transaction_id: str | None = None
    correlation_id: str | None = None
    superseded_transaction_id: str | None = None
    instructing_party: Identity | None = None
    requested_values: RequestedValues | None = None
    failed_options: FailedTransactionDetails | None = None
    external_reference: str | None = None
    lots: Sequence[DrawnLot] | None = None
    due_date: datetime | None = None
    external_id: str | None = None
    extended_fields: ExtendedFields | None = None
