"""Requests and answers as they travel, with the contract's limits."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

AMOUNT_MAX = Decimal("922337203685477.5807")

IDENTITY_FIELDS = {
    "ANONYMOUS_VISITOR": "anonymous_visitor_id",
    "MEMBER": "member_id",
    "WIX_USER": "wix_user_id",
}


def write_credits(amount: Decimal) -> str:
    """Write an amount without trailing zeros and without an exponent."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_instant(instant: datetime) -> str:
    """Write an instant in UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Namespace = Annotated[str, StringConstraints(min_length=1, max_length=20)]
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[ -~]+$")]
DisplayName = Annotated[str, StringConstraints(max_length=64)]
Description = Annotated[str, StringConstraints(max_length=450)]
BenefitKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Category = Annotated[str, StringConstraints(max_length=20)]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Credits = Annotated[
    Decimal,
    Field(ge=0, le=AMOUNT_MAX, decimal_places=4),
    PlainSerializer(write_credits, return_type=str),
]
Instant = Annotated[datetime, PlainSerializer(write_instant, return_type=str)]
Revision = Annotated[int, PlainSerializer(str, return_type=str)]


class WireModel(BaseModel):
    """lowerCamelCase in answers, and that or snake_case in requests."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    def to_wire(self) -> dict[str, Any]:
        """Return plain JSON values without those that are absent."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Identity(WireModel):
    """Exactly one of the ids, and an identity type that agrees with it."""

    identity_type: Literal["ANONYMOUS_VISITOR", "MEMBER", "WIX_USER"] | None = None
    anonymous_visitor_id: uuid.UUID | None = None
    member_id: uuid.UUID | None = None
    wix_user_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def _name_one_identity(self) -> Self:
        given = [kind for kind, field in IDENTITY_FIELDS.items() if getattr(self, field)]
        if len(given) != 1:
            message = "exactly one of anonymousVisitorId, memberId and wixUserId must be given"
            raise ValueError(message)
        if self.identity_type not in {None, given[0]}:
            message = f"identityType must be {given[0]}"
            raise ValueError(message)
        self.identity_type = given[0]  # type: ignore[assignment]
        return self

    @property
    def identity_id(self) -> uuid.UUID:
        """The one id that is there."""
        found: uuid.UUID = getattr(self, IDENTITY_FIELDS[str(self.identity_type)])
        return found

    @classmethod
    def of(cls, identity_type: str, identity_id: uuid.UUID) -> Self:
        """Build the identity that was stored."""
        return cls.model_validate({IDENTITY_FIELDS[identity_type]: identity_id})


class ProgramDefinitionFields(WireModel):
    """What a caller says of a program definition."""

    external_id: ExternalId
    namespace: Namespace
    display_name: DisplayName | None = None
    description: Description | None = None


class ProgramDefinitionView(ProgramDefinitionFields):
    """A program definition as it is answered."""

    id: uuid.UUID
    revision: Revision
    created_date: Instant
    updated_date: Instant


class CreateProgramDefinitionRequest(WireModel):
    """Contract: CreateProgramDefinition."""

    program_definition: ProgramDefinitionFields


class ProgramDefinitionResponse(WireModel):
    """One program definition."""

    program_definition: ProgramDefinitionView


class RolloverConfiguration(WireModel):
    """What survives a renewal."""

    enabled: bool = False
    balance_cap: Credits | None = None


class CreditConfiguration(WireModel):
    """How many credits a pool starts with."""

    amount: Credits = Decimal(0)
    rollover_configuration: RolloverConfiguration | None = None
    unit_display_name: Annotated[str, StringConstraints(max_length=32)] | None = None
    unit_type: Annotated[str, StringConstraints(max_length=16)] | None = None


class Benefit(WireModel):
    """An item set and its price in credits."""

    benefit_key: BenefitKey
    item_set_id: uuid.UUID | None = None
    price: Credits | None = None
    provider_app_id: uuid.UUID
    display_name: Annotated[str, StringConstraints(max_length=40)] | None = None
    description: Annotated[str, StringConstraints(max_length=255)] | None = None
    additional_data: dict[str, Any] | None = None


class Details(WireModel):
    """Benefits and credits of a pool definition or of a pool."""

    benefits: Annotated[list[Benefit], Field(max_length=10)]
    credit_configuration: CreditConfiguration | None = None
    additional_data: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _check_benefits(self) -> Self:
        keys = [benefit.benefit_key for benefit in self.benefits]
        if len(set(keys)) != len(keys):
            message = "benefitKey must be unique"
            raise ValueError(message)
        if self.credit_configuration is None and any(each.price for each in self.benefits):
            message = "without creditConfiguration only price 0 is allowed"
            raise ValueError(message)
        return self

    def find_benefit(self, benefit_key: str) -> Benefit | None:
        """Return the benefit with that key."""
        return next((each for each in self.benefits if each.benefit_key == benefit_key), None)


class PoolDefinitionFields(WireModel):
    """What a caller says of a pool definition."""

    namespace: Namespace
    details: Details
    display_name: Annotated[str, StringConstraints(max_length=128)] | None = None
    description: Description | None = None
    program_definition_ids: Annotated[list[uuid.UUID], Field(max_length=20)] = []


class PoolDefinitionView(PoolDefinitionFields):
    """A pool definition as it is answered."""

    id: uuid.UUID
    revision: Revision
    created_date: Instant
    updated_date: Instant


class CreatePoolDefinitionRequest(WireModel):
    """Contract: CreatePoolDefinition. Only FUTURE_PROVISIONS is built here."""

    pool_definition: PoolDefinitionFields
    cascade: Literal["FUTURE_PROVISIONS"] | None = None

    @model_validator(mode="after")
    def _require_cascade(self) -> Self:
        if self.pool_definition.program_definition_ids and self.cascade is None:
            message = "cascade is required"
            raise ValueError(message)
        return self


class PoolDefinitionResponse(WireModel):
    """One pool definition."""

    pool_definition: PoolDefinitionView


class ItemFields(WireModel):
    """What a caller says of an item."""

    external_id: ExternalId
    category: Category = ""
    item_set_id: uuid.UUID
    provider_app_id: uuid.UUID
    namespace: Namespace
    display_name: Annotated[str, StringConstraints(max_length=400)] | None = None


class ItemView(ItemFields):
    """An item as it is answered."""

    id: uuid.UUID
    revision: Revision
    created_date: Instant
    updated_date: Instant


class BulkCreateItemsRequest(WireModel):
    """Contract: BulkCreateItems."""

    items: Annotated[list[ItemFields], Field(min_length=1, max_length=100)]
    return_entity: bool = False


class EntryError(WireModel):
    """Why one entry of a bulk request failed."""

    code: str
    description: str


class ItemMetadata(WireModel):
    """What became of one entry of a bulk request."""

    id: uuid.UUID | None = None
    original_index: int
    success: bool
    error: EntryError | None = None


class BulkItemResult(WireModel):
    """One entry of a bulk answer."""

    item_metadata: ItemMetadata
    item: ItemView | None = None


class BulkActionMetadata(WireModel):
    """The sums of a bulk answer."""

    total_successes: int
    total_failures: int
    undetailed_failures: int = 0


class BulkCreateItemsResponse(WireModel):
    """Contract: BulkCreateItems."""

    results: list[BulkItemResult]
    bulk_action_metadata: BulkActionMetadata


class PoolDefinitionLookup(WireModel):
    """Exactly one of the two ids."""

    program_definition_id: uuid.UUID | None = None
    pool_definition_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def _name_one_definition(self) -> Self:
        if (self.program_definition_id is None) == (self.pool_definition_id is None):
            message = "exactly one of programDefinitionId and poolDefinitionId must be given"
            raise ValueError(message)
        return self


class ProvisionProgramRequest(WireModel):
    """Contract: ProvisionProgram."""

    pool_definition_lookup_id: Annotated[
        PoolDefinitionLookup,
        Field(
            validation_alias=AliasChoices(
                "poolDefinitionLookupId",
                "poolDefinitionReference",
                "pool_definition_lookup_id",
                "pool_definition_reference",
            )
        ),
    ]
    beneficiary: Identity
    external_program_id: ExternalId
    namespace: Namespace
    display_name: DisplayName | None = None
    program_status: Literal["ACTIVE", "PAUSED"] = "ACTIVE"


class DefinitionReference(WireModel):
    """A program definition by its ids."""

    id: uuid.UUID
    external_id: str


class ProgramView(WireModel):
    """A program as it is answered."""

    id: uuid.UUID
    revision: Revision
    created_date: Instant
    updated_date: Instant
    program_definition_id: uuid.UUID | None
    status: str
    beneficiary: Identity
    display_name: str | None
    namespace: str
    external_id: str
    program_definition: DefinitionReference | None


class ProvisionProgramResponse(WireModel):
    """Contract: ProvisionProgram."""

    job_id: uuid.UUID
    program: ProgramView


class PoolView(WireModel):
    """A pool as events tell of it."""

    id: uuid.UUID
    revision: Revision
    created_date: Instant
    updated_date: Instant
    pool_definition_id: uuid.UUID
    pool_definition_revision: Revision
    program_definition_id: uuid.UUID | None
    program_id: uuid.UUID
    status: str
    origin: str
    renewal_count: int
    beneficiary: Identity
    details: dict[str, Any]
    display_name: str | None
    description: str | None
    namespace: str


class PoolFilter(WireModel):
    """The one filter that the benchmark's setup needs."""

    program_id: uuid.UUID


class PoolQuery(WireModel):
    """A query that fits one page."""

    filter: PoolFilter


class QueryPoolsRequest(WireModel):
    """Contract: QueryPools, for the pools of one program."""

    query: PoolQuery


class QueryPoolsResponse(WireModel):
    """Contract: QueryPools."""

    pools: list[PoolView]


class BalanceAmount(WireModel):
    """The two figures of a balance."""

    available: Credits
    reserved: Credits


class BalancePoolInfo(WireModel):
    """Where a balance belongs."""

    id: uuid.UUID
    pool_definition_id: uuid.UUID
    program_definition_id: uuid.UUID | None
    external_program_definition_id: str | None
    program_id: uuid.UUID
    external_program_id: str
    credit_amount: str | None
    credit_rollover_configuration: dict[str, Any] | None
    namespace: str
    status: str


class BalanceView(WireModel):
    """A balance as it is answered."""

    id: uuid.UUID
    revision: Revision
    created_date: Instant
    updated_date: Instant
    beneficiary: Identity
    amount: BalanceAmount
    pool_info: BalancePoolInfo
    last_transaction_id: uuid.UUID | None


class BalanceResponse(WireModel):
    """Contract: GetBalance."""

    balance: BalanceView


class ItemReference(WireModel):
    """An item by what its provider calls it."""

    external_id: ExternalId
    category: Category = ""
    provider_app_id: uuid.UUID


class RedeemBenefitRequest(WireModel):
    """Contract: RedeemBenefit."""

    pool_id: uuid.UUID
    item_reference: ItemReference
    benefit_key: BenefitKey
    count: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    target_date: Instant | None = None
    idempotency_key: IdempotencyKey
    additional_data: dict[str, Any] | None = None
    beneficiary: Identity | None = None
    namespace: Namespace


class RedeemBenefitResponse(WireModel):
    """Contract: RedeemBenefit."""

    transaction_id: uuid.UUID


class CheckBenefitEligibilityRequest(WireModel):
    """Contract: CheckBenefitEligibility."""

    pool_id: uuid.UUID
    benefit_key: BenefitKey | None = None
    item_reference: ItemReference
    count: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    target_date: Instant | None = None
    beneficiary: Identity | None = None
    namespace: Namespace
    intent: Literal["REDEMPTION", "REALLOCATION"] = "REDEMPTION"


class EligibleBenefit(WireModel):
    """A benefit that can be redeemed now."""

    pool_id: uuid.UUID
    benefit_key: str
    item_reference: ItemReference
    price: Credits


class BenefitResult(WireModel):
    """Why one benefit can or can't be redeemed."""

    type: Literal["ELIGIBLE_BENEFIT", "NOT_ENOUGH_BALANCE", "POOL_NOT_ACTIVE", "BENEFIT_NOT_FOUND"]
    eligible_benefit_options: EligibleBenefit | None = None
    not_enough_balance_options: dict[str, Any] | None = None
    pool_not_active_options: dict[str, Any] | None = None
    benefit_not_found_options: dict[str, Any] | None = None


class EligibilityCheckResult(WireModel):
    """One result for each benefit that holds the item."""

    benefit_results: list[BenefitResult]


class CheckBenefitEligibilityResponse(WireModel):
    """Contract: CheckBenefitEligibility."""

    result: EligibilityCheckResult
