"""Lots: credits of a pool that came together and share one fate."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import (
    DecimalText,
    Duration,
    Immutable,
    Int32,
    OneOf,
    ReadOnly,
    Text,
)
from benefit_programs.domain.entities import LotOrigin, LotStatus
from benefit_programs.domain.lots import NAME_LENGTH_MAX, PRIORITY_MAX
from benefit_programs.wire.types.balances import Balance
from benefit_programs.wire.types.common import (
    AdditionalData,
    Amount,
    AuditReason,
    CursorPaging,
    CursorPagingMetadata,
    EntityId,
    ExternalReference,
    FieldMask,
    IdentificationData,
    Namespace,
    QueryRequest,
    Revision,
    Timestamp,
    TransactionKey,
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


class LotChange(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of a lot."""

    entity: ClassVar[type[msgspec.Struct]] = Lot

    id: EntityId
    revision: Revision
    priority: Priority | None = None
    expiration_date: Timestamp | None = None
    kept_at_renewal: bool | None = None
    display_name: LotName | None = None
    external_reference: ExternalReference | None = None
    additional_data: AdditionalData | None = None


class GrantCreditsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give a pool credits in a lot of their own."""

    one_of: ClassVar[OneOf] = OneOf(("expiration_date", "expires_after"), required=False)

    pool_id: EntityId
    idempotency_key: TransactionKey
    amount: Annotated[int, DecimalText(at_least=1)]
    priority: Priority | None = None
    effective_date: Timestamp | None = None
    expiration_date: Timestamp | None = None
    expires_after: Annotated[str, Duration()] | None = None
    kept_at_renewal: bool | None = None
    display_name: LotName | None = None
    external_reference: ExternalReference | None = None
    additional_data: AdditionalData | None = None
    reason: AuditReason | None = None


class GrantCreditsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The lot and the balance. There is no transaction yet if the credits begin later."""

    lot: Lot | None = None
    balance: Balance | None = None
    transaction_id: EntityId | None = None


class UpdateLotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change the terms of a lot that hasn't expired."""

    lot: LotChange
    field_mask: FieldMask | None = None
    reason: AuditReason | None = None


class UpdateLotResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The lot as it is now."""

    lot: Lot | None = None


class ExpireLotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """End a lot now. What is available lapses; what is reserved of it can still be spent."""

    lot_id: EntityId
    idempotency_key: TransactionKey
    reason: AuditReason | None = None


class ExpireLotResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The lot and the balance. There is no transaction if nothing was available."""

    lot: Lot | None = None
    balance: Balance | None = None
    transaction_id: EntityId | None = None


class GetLotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a lot. The id of a pool stands for its standard lot."""

    lot_id: EntityId


class GetLotResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The lot."""

    lot: Lot | None = None


class ListLotsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """List the lots of a pool that are live or still to come, in the order of their spending."""

    pool_id: EntityId
    cursor_paging: CursorPaging | None = None


class ListLotsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of lots, the standard lot among them."""

    lots: tuple[Lot, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class QueryLotsRequest(QueryRequest, frozen=True, kw_only=True):
    """Find lots of all pools. Standard lots aren't among them."""


class QueryLotsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of lots."""

    lots: tuple[Lot, ...] | None = None
    metadata: CursorPagingMetadata | None = None
