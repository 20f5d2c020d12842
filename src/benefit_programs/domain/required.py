"""Rows that must be there, or their refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from benefit_programs.domain.entities import Pool, PoolDefinition, Snapshot
from benefit_programs.domain.errors import (
    Invalid,
    ItemNotFound,
    JobNotFound,
    PoolDefinitionNotFound,
    PoolNotFound,
    ProgramDefinitionNotFound,
    ProgramNotFound,
    Refusal,
    ReservationNotFound,
    TransactionNotFound,
    WebhookDeliveryNotFound,
    WebhookEndpointNotFound,
)
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import (
    ITEM,
    JOB,
    POOL,
    POOL_DEFINITION,
    PROGRAM,
    PROGRAM_DEFINITION,
    RESERVATION,
    RESERVING_TRANSACTION,
    SNAPSHOT,
    TRANSACTION,
    WEBHOOK_DELIVERY,
    WEBHOOK_ENDPOINT,
)
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import State
from benefit_programs.domain.values import Instant

R = TypeVar("R", bound=Row)

_REFUSALS: dict[Index[Any], Callable[[str], Refusal]] = {
    ITEM: lambda given: ItemNotFound(item_id=given),
    JOB: lambda given: JobNotFound(job_id=given),
    POOL: lambda given: PoolNotFound(pool_id=given),
    POOL_DEFINITION: lambda given: PoolDefinitionNotFound(pool_definition_id=given),
    PROGRAM: lambda given: ProgramNotFound(program_id=given),
    PROGRAM_DEFINITION: lambda given: ProgramDefinitionNotFound(program_definition_id=given),
    RESERVATION: lambda given: ReservationNotFound(reservation_id=given),
    RESERVING_TRANSACTION: lambda given: TransactionNotFound(transaction_id=given),
    TRANSACTION: lambda given: TransactionNotFound(transaction_id=given),
    WEBHOOK_DELIVERY: lambda given: WebhookDeliveryNotFound(webhook_delivery_id=given),
    WEBHOOK_ENDPOINT: lambda given: WebhookEndpointNotFound(webhook_endpoint_id=given),
}


def require(state: State, index: Index[R], row_id: str) -> R:
    """The row with this id, or the refusal that names the id."""
    row = state.one(index, row_id)
    if row is None:
        raise _REFUSALS[index](row_id)
    return row


def require_ahead(date: Instant, now: Instant, path: str) -> None:
    """Refuse a date that isn't later than now."""
    if date <= now:
        raise Invalid.because(path, "must be later than now", rule_name="in_the_future")


def snapshot_of(state: State, row: Pool | PoolDefinition) -> Snapshot:
    """What a pool or its definition gives at the moment, with its names."""
    snapshot = state.one(SNAPSHOT, row.snapshot_id)
    assert snapshot is not None
    return snapshot
