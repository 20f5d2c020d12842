"""Reservations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.keys import first_redemption, keyed
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import document, reads, reads_field, reads_rows
from benefit_programs.client.generated.filters import ReservationFilter, ReservationSort
from benefit_programs.client.types.bulk import BulkResult
from benefit_programs.client.types.common import ItemReference
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.pools import Redemption
from benefit_programs.client.types.reservations import (
    NewReservation,
    Reservation,
    ReservationCancel,
    ReservationCapture,
)

AsyncReservationQuery: TypeAlias = AsyncQuery[Reservation, ReservationFilter, ReservationSort]

_ENTITY = reads_field("reservation", Reservation)
_ROWS = reads_rows("reservations", Reservation)
_BULK = reads(BulkResult[Redemption])
_REDEMPTION = reads(Redemption)


class AsyncReservations(AsyncMethods):
    """Credits that are held for items, to be spent or given back later."""

    async def reserve(  # noqa: PLR0913 - a field each
        self,
        pool_id: str,
        *,
        benefit_key: str,
        item_reference: ItemReference,
        namespace: str,
        count: int | None = None,
        target_date: datetime | None = None,
        expiration_date: datetime | None = None,
        expires_after: str | None = None,
        external_reference: str | None = None,
        beneficiary: Identity | None = None,
        additional_data: Mapping[str, Any] | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Redemption:
        """Hold the price times the count in credits of a pool for an item.

        It lapses at the date, or so long after now (such as PT2H); without either as the tenant's
        settings say. The id of its transaction is the reservation's.

        Raises:
            PoolNotFound: There is no such pool in the namespace, or it has another owner.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            BenefitNotFound: The pool has no such benefit, or the benefit doesn't hold the item.
            PoolNotActive: The pool is paused or has ended.
            PolicyExpressionEvaluatedToFalse: A policy doesn't allow it.
            NotEnoughBalance: The balance can't pay.
            TooManyReservations: The pool has as many open reservations as it may have.
        """
        fields = document(
            pool_id=pool_id,
            benefit_key=benefit_key,
            item_reference=item_reference,
            namespace=namespace,
            count=count,
            target_date=target_date,
            expiration_date=expiration_date,
            expires_after=expires_after,
            external_reference=external_reference,
            beneficiary=beneficiary,
            additional_data=additional_data,
            reason=reason,
        )
        return await self._once("reserveBenefit", fields, idempotency_key)

    async def capture(
        self,
        reservation_id: str,
        *,
        count: int | None = None,
        keep_rest: bool = False,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Redemption:
        """Spend what a reservation holds, or only so many items.

        The rest goes back, unless it is kept for further captures. The answer is a redemption like
        any other: it can be moved, canceled and reverted.

        Raises:
            ReservationNotFound: There is no such reservation.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            ReservationNotOpen: It was captured or canceled, or it has lapsed.
            NotEnoughReserved: It holds fewer items.
        """
        fields = document(
            transaction_id=reservation_id,
            count=count,
            keep_rest=True if keep_rest else None,
            reason=reason,
        )
        return await self._once("captureBenefitReservation", fields, idempotency_key)

    async def cancel(
        self, reservation_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> Redemption:
        """Give back all that a reservation holds.

        Raises:
            ReservationNotFound: There is no such reservation.
            AlreadyExecuted: The caller's key was used before; the error names the transaction.
            ReservationNotOpen: It was captured or canceled, or it has lapsed.
        """
        fields = document(transaction_id=reservation_id, reason=reason)
        return await self._once("cancelBenefitReservation", fields, idempotency_key)

    async def _once(self, name: str, fields: dict[str, Any], key: str | None) -> Redemption:
        call = keyed(name, _REDEMPTION, fields, idempotency_key=key, replay=first_redemption)
        return await self._session.send(call)

    async def bulk_reserve(self, reservations: Sequence[NewReservation]) -> BulkResult[Redemption]:
        """Reserve 1 to 100 times; each succeeds or fails alone."""
        fields = document(reservations=reservations)
        return await self._session.call("bulkReserveBenefits", _BULK, fields)

    async def bulk_capture(
        self, reservations: Sequence[ReservationCapture]
    ) -> BulkResult[Redemption]:
        """Capture 1 to 100 reservations; each succeeds or fails alone."""
        fields = document(reservations=reservations)
        return await self._session.call("bulkCaptureBenefitReservations", _BULK, fields)

    async def bulk_cancel(
        self, reservations: Sequence[ReservationCancel]
    ) -> BulkResult[Redemption]:
        """Cancel 1 to 100 reservations; each succeeds or fails alone."""
        fields = document(reservations=reservations)
        return await self._session.call("bulkCancelBenefitReservations", _BULK, fields)

    async def get(self, reservation_id: str) -> Reservation:
        """Read a reservation.

        Raises:
            ReservationNotFound: There is no such reservation.
        """
        fields = document(reservation_id=reservation_id)
        return await self._session.call("getReservation", _ENTITY, fields)

    def query(
        self,
        filter: ReservationFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[ReservationSort] = (),
    ) -> AsyncReservationQuery:
        """Find reservations, open ones and those that have ended."""
        return begin(self._session, Plan(name="queryReservations", read=_ROWS), filter, sort)
