"""Reservations as the wire shows them."""

from __future__ import annotations

from benefit_programs.domain.entities import Pool, Reservation, ReservationStatus, Transaction
from benefit_programs.domain.lots import clock_at
from benefit_programs.domain.values import Instant
from benefit_programs.wire.types import reservations
from benefit_programs.wire.types.common import IdentificationData, ItemReferenceData


def reservation(
    row: Reservation, pool: Pool, transaction: Transaction, now: Instant
) -> reservations.Reservation:
    """A reservation as it is now; its transaction says what it is for."""
    details, item = transaction.details, transaction.details.item
    status = row.status_at(clock_at(pool, now))
    held = row.held if status is ReservationStatus.OPEN else 0
    return reservations.Reservation(
        id=row.id,
        created_date=row.created,
        updated_date=row.updated,
        status=status,
        pool_id=pool.id,
        program_id=pool.program_id,
        program_definition_id=pool.program_definition_id,
        pool_definition_id=pool.pool_definition_id,
        namespace=pool.namespace,
        beneficiary=IdentificationData.of(pool.beneficiary),
        benefit_key=details.benefit_key,
        item_reference=(
            ItemReferenceData(
                external_id=item.external_id,
                category=item.category or None,
                provider_app_id=item.provider_app_id,
            )
            if item
            else None
        ),
        count=row.count,
        captured_count=row.captured,
        held_count=held,
        held=held * row.price,
        price=row.price,
        target_date=details.effective_date,
        expiration_date=row.expiration_date,
        external_reference=row.external_reference,
    )
