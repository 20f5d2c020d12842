"""Lots: credits of a pool that came together and share one fate."""

from __future__ import annotations

from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import Immutable, Int32, ReadOnly, Text
from benefit_programs.domain.entities import LotOrigin, LotStatus
from benefit_programs.domain.lots import NAME_LENGTH_MAX, PRIORITY_MAX
from benefit_programs.wire.types.common import (
    AdditionalData,
    Amount,
    EntityId,
    ExternalReference,
    IdentificationData,
    Namespace,
    Revision,
    Timestamp,
)

Priority = Annotated[int, Int32(minimum=0, maximum=PRIORITY_MAX)]
LotName = Annotated[str, Text(max_length=NAME_LENGTH_MAX)]


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot as it is answered. The standard lot of a pool has the pool's id."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    pool_id: Annotated[EntityId, ReadOnly()] | None = None
    program_id: Annotated[EntityId, ReadOnly()] | None = None
    namespace: Annotated[Namespace, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, ReadOnly()] | None = None
    is_standard: Annotated[bool, ReadOnly()] | None = None
    origin: Annotated[LotOrigin, ReadOnly()] | None = None
    status: Annotated[LotStatus, ReadOnly()] | None = None
    granted: Annotated[Amount, ReadOnly()] | None = None
    available: Annotated[Amount, ReadOnly()] | None = None
    reserved: Annotated[Amount, ReadOnly()] | None = None
    priority: Priority | None = None
    effective_date: Annotated[Timestamp, ReadOnly()] | None = None
    expiration_date: Timestamp | None = None
    kept_at_renewal: bool | None = None
    display_name: LotName | None = None
    external_reference: ExternalReference | None = None
    additional_data: AdditionalData | None = None


class DrawnLot(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a transaction's amount one lot gave or took."""

    lot_id: EntityId | None = None
    amount: Amount | None = None
    into_lot_id: EntityId | None = None
