"""What more than one family of entities uses."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec

from benefit_programs.domain.audit_rows import AUDIT_REASON_LENGTH_MAX
from benefit_programs.domain.constraints import (
    FILTER_BYTES_MAX,
    Addition,
    Alias,
    DecimalText,
    Entries,
    FreeForm,
    Guid,
    InstantText,
    Int32,
    Int64Text,
    MaskText,
    OneOf,
    ReadOnly,
    Required,
    Size,
    Stray,
    Text,
    Undocumented,
)
from benefit_programs.domain.details import ALERT_KEY_LENGTH_MAX
from benefit_programs.domain.values import (
    EXTERNAL_REFERENCE_LENGTH_MAX,
    Identity,
    IdentityType,
    ItemReference,
)

EntityId = Annotated[str, Guid()]
ExternalId = Annotated[str, Guid("external")]
IdentityId = Annotated[str, Guid("identity")]
AppId = Annotated[str, Guid("app")]
Namespace = Annotated[str, Text(min_length=1, max_length=20)]
Category = Annotated[str, Text(max_length=20)]
AlertKey = Annotated[str, Text(min_length=1, max_length=ALERT_KEY_LENGTH_MAX)]
BenefitKey = Annotated[str, Text(min_length=1, max_length=64)]
ActionKey = Annotated[str, Text(min_length=1, max_length=64)]
TransactionKey = Annotated[str, Text(min_length=1, max_length=200)]
ProgramName = Annotated[str, Text(max_length=64)]
PoolName = Annotated[str, Text(max_length=128)]
ItemName = Annotated[str, Text(max_length=400)]
Description = Annotated[str, Text(max_length=450)]
Amount = Annotated[int, DecimalText()]
SignedAmount = Annotated[int, DecimalText(at_least=None)]
Timestamp = Annotated[int, InstantText()]
Revision = Annotated[int, Int64Text()]
Count = Annotated[int, Int32(minimum=1)]
Number = Annotated[int, Int32()]
Cursor = Annotated[str, Text(max_length=16_000)]
LongCursor = Annotated[str, Text(max_length=64_000)]
AdditionalData = Annotated[dict[str, Any], FreeForm()]
Filter = Annotated[dict[str, Any], FreeForm(bytes_max=FILTER_BYTES_MAX)]
FieldMask = Annotated[tuple[str, ...], MaskText()]


ExternalReference = Annotated[str, Text(min_length=1, max_length=EXTERNAL_REFERENCE_LENGTH_MAX)]

BULK_MAX = 100
"""How many entries a bulk request may have."""

BulkSize = Size(minimum=1, maximum=BULK_MAX)
BulkIds = Annotated[tuple[EntityId, ...], BulkSize, Entries()]


class IdentificationData(msgspec.Struct, frozen=True, kw_only=True):
    """An identity, by exactly one id. Answers always name the type, and for an app its id."""

    one_of: ClassVar[OneOf] = OneOf(
        ("anonymous_visitor_id", "member_id", "wix_user_id"),
        tag="identity_type",
        tags=("ANONYMOUS_VISITOR", "MEMBER", "WIX_USER"),
        answered=("app_id",),
    )

    anonymous_visitor_id: IdentityId | None = None
    member_id: IdentityId | None = None
    wix_user_id: IdentityId | None = None
    app_id: Annotated[AppId, ReadOnly()] | None = None
    identity_type: Annotated[IdentityType, Undocumented()] | None = None

    def identity(self) -> Identity:
        """Who it is; the codec has seen to it that exactly one id is there."""
        for attribute, kind in _IDENTITY_TYPES.items():
            named = getattr(self, attribute)
            if named is not None:
                return Identity(kind, named)
        raise AssertionError("an identity without an id")

    @classmethod
    def of(cls, identity: Identity) -> IdentificationData:
        """The wire form of an identity."""
        attribute = _IDENTITY_ATTRIBUTES[identity.type]
        return cls(identity_type=identity.type, **{attribute: identity.id})


_IDENTITY_TYPES = {
    "member_id": IdentityType.MEMBER,
    "wix_user_id": IdentityType.WIX_USER,
    "anonymous_visitor_id": IdentityType.ANONYMOUS_VISITOR,
    "app_id": IdentityType.APP,
}
_IDENTITY_ATTRIBUTES = {kind: attribute for attribute, kind in _IDENTITY_TYPES.items()}


class ItemReferenceData(msgspec.Struct, frozen=True, kw_only=True):
    """A provider app's reference to an item that it sells (contract: ItemReference)."""

    external_id: ExternalId
    category: Category | None = None
    provider_app_id: AppId

    def reference(self) -> ItemReference:
        """The domain's form, where a missing category is ""."""
        return ItemReference(self.external_id, self.provider_app_id, self.category or "")

    @classmethod
    def of(cls, reference: ItemReference) -> ItemReferenceData:
        """The wire form, where an empty category is missing."""
        return cls(
            external_id=reference.external_id,
            category=reference.category or None,
            provider_app_id=reference.provider_app_id,
        )


class ExtendedFields(msgspec.Struct, frozen=True, kw_only=True):
    """Values of apps, by namespace; a namespace that is null in a change is removed."""

    namespaces: Annotated[dict[str, Any], FreeForm()] | None = None


class CreditConfigurationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The credits that the pool of an item opens with (contract: CreditConfiguration)."""

    amount: Amount | None = None
    unit_display_name: Annotated[str, Text(max_length=32)] | None = None
    unit_type: Annotated[str, Text(max_length=16)] | None = None


class ItemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The item behind a pool item or pool definition item."""

    display_name: ItemName | None = None


AuditReason = Annotated[str, Text(max_length=AUDIT_REASON_LENGTH_MAX)]


class SortOrder(StrEnum):
    """The direction of a sort."""

    ASC = "ASC"
    DESC = "DESC"


class Sorting(msgspec.Struct, frozen=True, kw_only=True):
    """One field to sort by; ascending if the order is missing."""

    field_name: Annotated[str, Text(max_length=512), Required()] | None = None
    order: SortOrder | None = None


class CursorPaging(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a page, and where it begins."""

    stray: ClassVar[Stray] = Stray(
        "pages go by cursor: take the next one from the answer", ("offset",), unless=(None, 0, "0")
    )

    limit: Annotated[int, Int32(minimum=1, maximum=100)] | None = None
    cursor: Cursor | None = None


class LargeCursorPaging(CursorPaging, frozen=True, kw_only=True):
    """Paging of pool items and pool definition items, whose pages may be larger."""

    limit: Annotated[int, Int32(minimum=1, maximum=1000)] | None = None


class ItemCursorPaging(LargeCursorPaging, frozen=True, kw_only=True):
    """Paging of items, whose cursors may be longer too."""

    cursor: LongCursor | None = None


SCAN_LIMIT_MAX = 100_000
"""How many rows a query may say that it looks at."""


class CursorQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A filter, an order and a page (contract: query language)."""

    cursor_paging: Annotated[CursorPaging, Alias("paging")] | None = None
    filter: Filter | None = None
    sort: Annotated[tuple[Sorting, ...], Size(maximum=5)] | None = None
    scan_limit: Annotated[int, Int32(minimum=1, maximum=SCAN_LIMIT_MAX), Addition()] | None = None


class LargeCursorQuery(CursorQuery, frozen=True, kw_only=True):
    """A query of pool items or pool definition items."""

    cursor_paging: Annotated[LargeCursorPaging, Alias("paging")] | None = None


class ItemCursorQuery(LargeCursorQuery, frozen=True, kw_only=True):
    """A query of items."""

    cursor_paging: Annotated[ItemCursorPaging, Alias("paging")] | None = None


class Cursors(msgspec.Struct, frozen=True, kw_only=True):
    """The cursors of the next and the previous page; missing if there is none."""

    next: LongCursor | None = None
    prev: LongCursor | None = None


class CursorPagingMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The number of rows of a page, as ``count``, and its cursors."""

    count: Number | None = None
    cursors: Cursors | None = None
    has_next: bool | None = None


class ApplicationError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an entry of a bulk request, or of a job, failed."""

    code: str | None = None
    description: str | None = None
    data: Annotated[dict[str, Any], FreeForm()] | None = None


class ItemMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry of a bulk request."""

    id: EntityId | None = None
    original_index: Number | None = None
    success: bool | None = None
    error: ApplicationError | None = None


class BulkActionMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries of a bulk request succeeded and failed."""

    total_successes: Number | None = None
    total_failures: Number | None = None
    undetailed_failures: Number | None = None


class QueryRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What every query of up to 100 rows a page asks."""

    query: CursorQuery | None = None
