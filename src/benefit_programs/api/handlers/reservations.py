"""Reserve, capture, cancel: one by one and in bulk, and what is reserved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from benefit_programs.api.call import (
    Call,
    EntryResult,
    bulk_answer,
    execute_each,
    metadata_of,
    with_pool,
)
from benefit_programs.api.explanations import explain, explain_each
from benefit_programs.api.method import GET, MANAGE, POST, READ_LIMITED, method
from benefit_programs.api.verdicts import each_with_verdicts, with_verdicts
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import Pool, Reservation
from benefit_programs.domain.errors import (
    AlreadyExecuted,
    BenefitNotFound,
    NotEnoughBalance,
    NotEnoughReserved,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
    PoolNotFound,
    Refusal,
    ReservationNotFound,
    ReservationNotOpen,
    TooManyReservations,
)
from benefit_programs.domain.lookups import RESERVATION, TRANSACTION
from benefit_programs.domain.redemptions import Redeemed
from benefit_programs.domain.reservations import (
    CancelReservation,
    CaptureReservation,
    ReserveBenefit,
)
from benefit_programs.storage import specs
from benefit_programs.wire import reservation_views as views
from benefit_programs.wire.types import reservations as wire
from benefit_programs.wire.types.pools import RedeemBenefitResponse

_RESERVING = (
    PoolNotFound,
    AlreadyExecuted,
    BenefitNotFound,
    NotEnoughBalance,
    PolicyExpressionEvaluatedToFalse,
    PoolNotActive,
    TooManyReservations,
)
_CANCELING = (ReservationNotFound, AlreadyExecuted, ReservationNotOpen)
_CAPTURING = (*_CANCELING, NotEnoughReserved)


@method(
    "reserveBenefit",
    POST,
    "/benefit-programs/v1/benefits/reserve",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_RESERVING,
    is_addition=True,
)
async def reserve(call: Call, request: wire.ReserveBenefitRequest) -> wire.ReserveBenefitResponse:
    reserved = await _reserve(call, _to_reserve(request))
    return wire.ReserveBenefitResponse(transaction_id=reserved.transaction.id)


@method(
    "captureBenefitReservation",
    POST,
    "/benefit-programs/v1/benefits/capture-reservation",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_CAPTURING,
    is_addition=True,
)
async def capture(
    call: Call, request: wire.CaptureBenefitReservationRequest
) -> wire.CaptureBenefitReservationResponse:
    captured = await call.execute(_to_capture(request))
    return wire.CaptureBenefitReservationResponse(transaction_id=captured.transaction.id)


@method(
    "cancelBenefitReservation",
    POST,
    "/benefit-programs/v1/benefits/cancel-reservation",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_CANCELING,
    is_addition=True,
)
async def cancel(
    call: Call, request: wire.CancelBenefitReservationRequest
) -> wire.CancelBenefitReservationResponse:
    canceled = await call.execute(_to_cancel(request))
    return wire.CancelBenefitReservationResponse(transaction_id=canceled.transaction.id)


@method(
    "bulkReserveBenefits",
    POST,
    "/benefit-programs/v1/bulk/benefits/reserve",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_RESERVING,
    is_addition=True,
)
async def bulk_reserve(
    call: Call, _: wire.BulkReserveBenefitsRequest
) -> wire.BulkReservationsResponse:
    results = await execute_each(
        call,
        lambda _, entry: _to_reserve(entry.value),
        lambda _, reserved: reserved and reserved.transaction.id,
        prepare=each_with_verdicts,
        explain=explain_each,
    )
    return _answer(results)


@method(
    "bulkCaptureBenefitReservations",
    POST,
    "/benefit-programs/v1/bulk/benefits/capture-reservation",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_CAPTURING,
    is_addition=True,
)
async def bulk_capture(
    call: Call, _: wire.BulkCaptureBenefitReservationsRequest
) -> wire.BulkReservationsResponse:
    return await _end_each(call, _to_capture)


@method(
    "bulkCancelBenefitReservations",
    POST,
    "/benefit-programs/v1/bulk/benefits/cancel-reservation",
    MANAGE,
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    refuses=_CANCELING,
    is_addition=True,
)
async def bulk_cancel(
    call: Call, _: wire.BulkCancelBenefitReservationsRequest
) -> wire.BulkReservationsResponse:
    return await _end_each(call, _to_cancel)


@method(
    "getReservation",
    GET,
    "/benefit-programs/v1/reservations/{reservationId}",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.TRANSACTION_READ",
    refuses=(ReservationNotFound,),
    is_addition=True,
)
async def get(call: Call, request: wire.GetReservationRequest) -> wire.GetReservationResponse:
    missing = ReservationNotFound(reservation_id=request.reservation_id)
    found = await call.in_pool(RESERVATION, request.reservation_id)
    if found is None:
        raise missing
    (reservation,) = await describe(call, [found])
    return wire.GetReservationResponse(reservation=reservation)


@method(
    "queryReservations",
    POST,
    "/benefit-programs/v1/reservations/query",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.TRANSACTION_READ",
    spec=specs.reservations,
    for_members=True,
    is_addition=True,
)
async def query(
    call: Call, request: wire.QueryReservationsRequest
) -> wire.QueryReservationsResponse:
    found = await call.find(request.query, with_pool(Reservation), dated=itemgetter(1))
    return wire.QueryReservationsResponse(
        reservations=tuple(await describe(call, found.rows)), metadata=metadata_of(found.page)
    )


async def describe(call: Call, rows: list[tuple[Reservation, Pool]]) -> list[wire.Reservation]:
    """Reservations as they are now, with what they are for."""
    transactions = await call.by_id(TRANSACTION, [row.id for row, _ in rows])
    now = call.now
    return [views.reservation(row, pool, transactions[row.id], now) for row, pool in rows]


async def _reserve(call: Call, command: Any) -> Redeemed:
    try:
        return await call.execute(await with_verdicts(call, command))
    except Refusal as refusal:
        raise await explain(call, refusal) from None


async def _end_each(
    call: Call, command_of: Callable[[Any], Command[Redeemed]]
) -> wire.BulkReservationsResponse:
    """Capture or cancel each reservation of a bulk request."""
    results = await execute_each(
        call,
        lambda _, entry: command_of(entry.value),
        lambda entry, _: entry.value.transaction_id,
    )
    return _answer(results)


def _answer(results: Sequence[EntryResult]) -> wire.BulkReservationsResponse:
    return bulk_answer(
        wire.BulkReservationsResponse, wire.BulkReservationResult, results, _transaction
    )


def _to_reserve(request: wire.ReserveBenefitRequest) -> ReserveBenefit:
    return ReserveBenefit(
        pool_id=request.pool_id,
        namespace=request.namespace,
        benefit_key=request.benefit_key,
        item=request.item_reference.reference(),
        idempotency_key=request.idempotency_key,
        count=request.count or 1,
        target_date=request.target_date,
        beneficiary=request.beneficiary.identity() if request.beneficiary else None,
        additional_data=request.additional_data,
        external_reference=request.external_reference,
        expiration_date=request.expiration_date,
        expires_after=request.expires_after,
    )


def _to_capture(request: wire.CaptureBenefitReservationRequest) -> CaptureReservation:
    return CaptureReservation(
        transaction_id=request.transaction_id,
        idempotency_key=request.idempotency_key,
        count=request.count,
        keep_rest=bool(request.keep_rest),
    )


def _to_cancel(request: wire.CancelBenefitReservationRequest) -> CancelReservation:
    return CancelReservation(
        transaction_id=request.transaction_id, idempotency_key=request.idempotency_key
    )


def _transaction(done: Redeemed) -> RedeemBenefitResponse:
    return RedeemBenefitResponse(transaction_id=done.transaction.id)
