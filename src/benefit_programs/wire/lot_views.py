"""Lots as the wire shows them."""

from __future__ import annotations

from benefit_programs.domain.entities import Lot, Pool
from benefit_programs.domain.lots import is_standard, moved_on
from benefit_programs.wire.types import lots as wire
from benefit_programs.wire.types.common import IdentificationData


def lot(row: Lot, pool: Pool) -> wire.Lot:
    """A lot of a pool. What came into the standard one isn't counted."""
    standard, row = is_standard(row), moved_on(row, pool.shift)
    return wire.Lot(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        pool_id=row.pool_id,
        program_id=pool.program_id,
        namespace=pool.namespace,
        beneficiary=IdentificationData.of(pool.beneficiary),
        is_standard=standard,
        origin=row.origin,
        status=row.status,
        granted=None if standard else row.granted,
        available=row.available,
        reserved=row.reserved,
        priority=row.priority,
        effective_date=row.effective_date,
        expiration_date=row.expiration_date,
        kept_at_renewal=row.kept_at_renewal,
        display_name=row.display_name,
        external_reference=row.external_reference,
        additional_data=row.additional_data,
    )
