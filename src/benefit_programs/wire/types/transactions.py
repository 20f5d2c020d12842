"""Transactions: the record of each change of a balance."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import Addition, Immutable, ReadOnly, Text, Undocumented
from benefit_programs.domain.entities import BalanceType
from benefit_programs.wire.types.common import (
    Amount,
    AppId,
    BenefitKey,
    Category,
    CursorPagingMetadata,
    EntityId,
    ExtendedFields,
    ExternalId,
    ExternalReference,
    IdentificationData,
    ItemName,
    Namespace,
    Number,
    PoolName,
    QueryRequest,
    Revision,
    Timestamp,
    TransactionKey,
)
from benefit_programs.wire.types.lots import DrawnLot

Reason = Annotated[str, Text(max_length=256)]
Origin = Annotated[str, Text(max_length=50)]


class TransactionStatus(StrEnum):
    """The status of a transaction: always COMPLETED, by the commit that writes it."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class TransactionItem(msgspec.Struct, frozen=True, kw_only=True):
    """The item of a transaction, as it was then (contract: Item)."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    external_id: Annotated[ExternalId, ReadOnly()] | None = None
    category: Annotated[Category, ReadOnly()] | None = None
    item_set_id: Annotated[EntityId, ReadOnly()] | None = None
    display_name: Annotated[ItemName, ReadOnly()] | None = None
    provider_app_id: Annotated[AppId, ReadOnly()] | None = None


class TransactionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The reason, item and benefit of a transaction."""

    item: Annotated[TransactionItem, ReadOnly()] | None = None
    item_count: Number | None = None
    effective_date: Annotated[Timestamp, Immutable(), ReadOnly()] | None = None
    reason: Annotated[Reason, Immutable(), ReadOnly()] | None = None
    origin: Annotated[Origin, Immutable(), Undocumented()] | None = None
    benefit_key: Annotated[BenefitKey, Immutable()] | None = None


class NewTransactionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's reason for a change."""

    item_count: Number | None = None
    effective_date: Timestamp | None = None
    reason: Reason | None = None
    origin: Annotated[Origin, Undocumented()] | None = None
    benefit_key: BenefitKey | None = None


class PoolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The pool of a transaction, as it was then."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    pool_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    program_definition_id: Annotated[EntityId, ReadOnly()] | None = None
    external_program_definition_id: Annotated[ExternalId, ReadOnly()] | None = None
    program_id: Annotated[EntityId, ReadOnly()] | None = None
    external_program_id: Annotated[ExternalId, ReadOnly()] | None = None
    credit_amount: Annotated[Amount, ReadOnly()] | None = None
    namespace: Annotated[Namespace, ReadOnly()] | None = None
    display_name: Annotated[PoolName, ReadOnly()] | None = None
    benefit_display_name: Annotated[str, Text(max_length=40), ReadOnly()] | None = None


class RequestedValues(msgspec.Struct, frozen=True, kw_only=True):
    """The requested values, if limits changed them."""

    amount: Amount | None = None
    source: BalanceType | None = None
    target: BalanceType | None = None


class FailedTransactionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Why a transaction failed."""

    response_status: Annotated[str, Text(max_length=32)] | None = None
    error_code: Annotated[str, Text(max_length=32)] | None = None
    error_message: Annotated[str, Text(max_length=256)] | None = None


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    pool: Annotated[PoolInfo, ReadOnly()] | None = None
    amount: Amount | None = None
    source: BalanceType | None = None
    target: BalanceType | None = None
    idempotency_key: Annotated[TransactionKey, Immutable(), ReadOnly()] | None = None
    related_transaction_id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    correlation_id: Annotated[EntityId, Immutable(), ReadOnly(), Undocumented()] | None = None
    superseded_transaction_id: Annotated[EntityId, ReadOnly(), Undocumented()] | None = None
    beneficiary: Annotated[IdentificationData, Immutable(), ReadOnly()] | None = None
    instructing_party: Annotated[IdentificationData, Immutable(), ReadOnly()] | None = None
    status: TransactionStatus | None = None
    details: Annotated[TransactionDetails, ReadOnly()] | None = None
    extended_fields: ExtendedFields | None = None
    requested_values: Annotated[RequestedValues, Immutable(), ReadOnly(), Undocumented()] | None = (
        None
    )
    external_id: Annotated[ExternalId, Immutable(), ReadOnly()] | None = None
    failed_options: Annotated[FailedTransactionDetails, Undocumented()] | None = None
    external_reference: Annotated[ExternalReference, ReadOnly(), Addition()] | None = None
    lots: Annotated[tuple[DrawnLot, ...], ReadOnly(), Addition()] | None = None
    due_date: Annotated[Timestamp, ReadOnly(), Addition()] | None = None


class GetTransactionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a transaction."""

    transaction_id: EntityId


class GetTransactionResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The transaction."""

    transaction: Transaction | None = None


class QueryTransactionsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find transactions."""


class QueryTransactionsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of transactions."""

    transactions: tuple[Transaction, ...] | None = None
    metadata: CursorPagingMetadata | None = None
