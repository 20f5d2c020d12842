# Made by tools/generate_client.py (`make docs`): change what it reads.
"""What queries can filter and sort by, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, TypedDict

from benefit_programs.client.generated.enums import (
    AuditEntity, ChangeKind, ChangeStatus, DeliveryOrigin, DeliveryStatus, JobStatus, LotOrigin,
    LotStatus, PoolStatus, PrincipalKind, ProgramStatus, ReservationStatus, TransactionStatus,
    WebhookFormat, WebhookStatus,
)
from benefit_programs.client.types.conditions import InstantCondition, TextCondition
from benefit_programs.client.types.identities import Identity

ApiKeyFilter = TypedDict("ApiKeyFilter", {
    "created_date": InstantCondition, "expiration_date": InstantCondition, "id": TextCondition,
    "name": TextCondition, "revoked_date": InstantCondition, "$and": "Sequence[ApiKeyFilter]",
    "$or": "Sequence[ApiKeyFilter]", "$not": "ApiKeyFilter",
}, total=False)
"""Which api keys to find."""
ApiKeySort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "name", "-name", "expiration_date",
    "-expiration_date", "revoked_date", "-revoked_date",
]
"""What to sort api keys by."""

JobFilter = TypedDict("JobFilter", {
    "created_date": InstantCondition, "id": TextCondition, "kind": TextCondition,
    "status": JobStatus | TextCondition, "subject_id": TextCondition, "$and": "Sequence[JobFilter]",
    "$or": "Sequence[JobFilter]", "$not": "JobFilter",
}, total=False)
"""Which jobs to find."""
JobSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "kind", "-kind", "status", "-status",
    "subject_id", "-subject_id",
]
"""What to sort jobs by."""

AuditEntryFilter = TypedDict("AuditEntryFilter", {
    "beneficiary.anonymous_visitor_id": TextCondition, "beneficiary.member_id": TextCondition,
    "beneficiary.wix_user_id": TextCondition, "created_date": InstantCondition,
    "entity_id": TextCondition, "entity_type": AuditEntity | TextCondition, "id": TextCondition,
    "method": TextCondition, "pool_id": TextCondition, "principal.id": TextCondition,
    "principal.kind": PrincipalKind | TextCondition, "program_id": TextCondition,
    "request_id": TextCondition, "$and": "Sequence[AuditEntryFilter]",
    "$or": "Sequence[AuditEntryFilter]", "$not": "AuditEntryFilter",
}, total=False)
"""Which audit entries to find."""
AuditEntrySort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "principal.kind", "-principal.kind",
    "principal.id", "-principal.id", "method", "-method", "entity_type", "-entity_type",
    "request_id", "-request_id",
]
"""What to sort audit entries by."""

BalanceFilter = TypedDict("BalanceFilter", {
    "amount.available": TextCondition, "beneficiary.member_id": TextCondition,
    "beneficiary.wix_user_id": TextCondition, "created_date": InstantCondition, "id": TextCondition,
    "pool_info.pool_definition_id": TextCondition, "pool_info.status": PoolStatus | TextCondition,
    "$and": "Sequence[BalanceFilter]", "$or": "Sequence[BalanceFilter]", "$not": "BalanceFilter",
}, total=False)
"""Which balances to find."""
BalanceSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary.member_id", "-beneficiary.member_id",
    "beneficiary.wix_user_id", "-beneficiary.wix_user_id", "amount.available", "-amount.available",
    "pool_info.pool_definition_id", "-pool_info.pool_definition_id", "pool_info.status",
    "-pool_info.status",
]
"""What to sort balances by."""

ConsoleUserFilter = TypedDict("ConsoleUserFilter", {
    "created_date": InstantCondition, "email": TextCondition, "id": TextCondition,
    "name": TextCondition, "revoked_date": InstantCondition, "role": TextCondition,
    "$and": "Sequence[ConsoleUserFilter]", "$or": "Sequence[ConsoleUserFilter]",
    "$not": "ConsoleUserFilter",
}, total=False)
"""Which console users to find."""
ConsoleUserSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "name", "-name", "role", "-role", "email",
    "-email", "revoked_date", "-revoked_date",
]
"""What to sort console users by."""

ItemFilter = TypedDict("ItemFilter", {
    "category": TextCondition, "created_date": InstantCondition, "external_id": TextCondition,
    "id": TextCondition, "item_set_id": TextCondition, "namespace": TextCondition,
    "provider_app_id": TextCondition, "$and": "Sequence[ItemFilter]", "$or": "Sequence[ItemFilter]",
    "$not": "ItemFilter",
}, total=False)
"""Which items to find."""
ItemSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "namespace", "-namespace", "category",
    "-category", "external_id", "-external_id", "item_set_id", "-item_set_id", "provider_app_id",
    "-provider_app_id",
]
"""What to sort items by."""

LotFilter = TypedDict("LotFilter", {
    "beneficiary.member_id": TextCondition, "beneficiary.wix_user_id": TextCondition,
    "created_date": InstantCondition, "effective_date": InstantCondition,
    "expiration_date": InstantCondition, "external_reference": TextCondition, "id": TextCondition,
    "namespace": TextCondition, "origin": LotOrigin | TextCondition,
    "pool_definition_id": TextCondition, "pool_id": TextCondition,
    "program_definition_id": TextCondition, "program_id": TextCondition,
    "status": LotStatus | TextCondition, "$and": "Sequence[LotFilter]",
    "$or": "Sequence[LotFilter]", "$not": "LotFilter",
}, total=False)
"""Which lots to find."""
LotSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary.member_id", "-beneficiary.member_id",
    "beneficiary.wix_user_id", "-beneficiary.wix_user_id", "effective_date", "-effective_date",
    "expiration_date", "-expiration_date", "external_reference", "-external_reference", "origin",
    "-origin", "pool_id", "-pool_id", "namespace", "-namespace", "pool_definition_id",
    "-pool_definition_id", "program_definition_id", "-program_definition_id", "program_id",
    "-program_id",
]
"""What to sort lots by."""

PersonFilter = TypedDict("PersonFilter", {
    "beneficiary": Identity | None, "beneficiary.member_id": TextCondition,
    "beneficiary.wix_user_id": TextCondition, "created_date": InstantCondition, "id": TextCondition,
    "updated_date": InstantCondition, "$and": "Sequence[PersonFilter]",
    "$or": "Sequence[PersonFilter]", "$not": "PersonFilter",
}, total=False)
"""Which persons to find."""
PersonSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary", "-beneficiary",
    "beneficiary.member_id", "-beneficiary.member_id", "beneficiary.wix_user_id",
    "-beneficiary.wix_user_id", "updated_date", "-updated_date",
]
"""What to sort persons by."""

PoolDefinitionItemFilter = TypedDict("PoolDefinitionItemFilter", {
    "benefit_key": TextCondition, "category": TextCondition, "created_date": InstantCondition,
    "external_id": TextCondition, "id": TextCondition, "item_search_key": TextCondition,
    "item_set_id": TextCondition, "namespace": TextCondition, "pool_definition_id": TextCondition,
    "program_definitions.external_id": TextCondition, "program_definitions.id": TextCondition,
    "provider_app_id": TextCondition, "$and": "Sequence[PoolDefinitionItemFilter]",
    "$or": "Sequence[PoolDefinitionItemFilter]", "$not": "PoolDefinitionItemFilter",
}, total=False)
"""Which pool definition items to find."""
PoolDefinitionItemSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "namespace", "-namespace", "pool_definition_id",
    "-pool_definition_id", "program_definitions.id", "-program_definitions.id",
    "program_definitions.external_id", "-program_definitions.external_id", "category", "-category",
    "external_id", "-external_id", "item_set_id", "-item_set_id", "provider_app_id",
    "-provider_app_id", "benefit_key", "-benefit_key", "item_search_key", "-item_search_key",
]
"""What to sort pool definition items by."""

PoolDefinitionFilter = TypedDict("PoolDefinitionFilter", {
    "created_date": InstantCondition, "details.benefits.item_set_id": TextCondition,
    "details.benefits.provider_app_id": TextCondition, "id": TextCondition,
    "namespace": TextCondition, "program_definition_ids": TextCondition,
    "$and": "Sequence[PoolDefinitionFilter]", "$or": "Sequence[PoolDefinitionFilter]",
    "$not": "PoolDefinitionFilter",
}, total=False)
"""Which pool definitions to find."""
PoolDefinitionSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "namespace", "-namespace",
    "details.benefits.item_set_id", "-details.benefits.item_set_id",
    "details.benefits.provider_app_id", "-details.benefits.provider_app_id",
    "program_definition_ids", "-program_definition_ids",
]
"""What to sort pool definitions by."""

PoolItemFilter = TypedDict("PoolItemFilter", {
    "beneficiary.member_id": TextCondition, "benefit_key": TextCondition, "category": TextCondition,
    "created_date": InstantCondition, "external_id": TextCondition,
    "external_program_definition_id": TextCondition, "external_program_id": TextCondition,
    "id": TextCondition, "item_search_key": TextCondition, "item_set_id": TextCondition,
    "namespace": TextCondition, "pool_definition_id": TextCondition, "pool_id": TextCondition,
    "program.id": TextCondition, "program_definition.id": TextCondition,
    "program_definition_id": TextCondition, "program_id": TextCondition,
    "provider_app_id": TextCondition, "$and": "Sequence[PoolItemFilter]",
    "$or": "Sequence[PoolItemFilter]", "$not": "PoolItemFilter",
}, total=False)
"""Which pool items to find."""
PoolItemSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary.member_id", "-beneficiary.member_id",
    "namespace", "-namespace", "pool_id", "-pool_id", "pool_definition_id", "-pool_definition_id",
    "program_id", "-program_id", "external_program_id", "-external_program_id",
    "program_definition_id", "-program_definition_id", "external_program_definition_id",
    "-external_program_definition_id", "category", "-category", "external_id", "-external_id",
    "item_set_id", "-item_set_id", "provider_app_id", "-provider_app_id", "benefit_key",
    "-benefit_key", "item_search_key", "-item_search_key", "program.id", "-program.id",
    "program_definition.id", "-program_definition.id",
]
"""What to sort pool items by."""

PoolFilter = TypedDict("PoolFilter", {
    "beneficiary": Identity | None, "beneficiary.member_id": TextCondition,
    "beneficiary.wix_user_id": TextCondition, "created_date": InstantCondition,
    "details.benefits.item_set_id": TextCondition,
    "details.benefits.provider_app_id": TextCondition, "id": TextCondition,
    "namespace": TextCondition, "pool_definition_id": TextCondition, "program.id": TextCondition,
    "program_definition.id": TextCondition, "program_definition_id": TextCondition,
    "program_id": TextCondition, "status": PoolStatus | TextCondition,
    "$and": "Sequence[PoolFilter]", "$or": "Sequence[PoolFilter]", "$not": "PoolFilter",
}, total=False)
"""Which pools to find."""
PoolSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary", "-beneficiary",
    "beneficiary.member_id", "-beneficiary.member_id", "beneficiary.wix_user_id",
    "-beneficiary.wix_user_id", "namespace", "-namespace", "pool_definition_id",
    "-pool_definition_id", "program_definition_id", "-program_definition_id", "program_id",
    "-program_id", "status", "-status", "details.benefits.item_set_id",
    "-details.benefits.item_set_id", "details.benefits.provider_app_id",
    "-details.benefits.provider_app_id", "program.id", "-program.id", "program_definition.id",
    "-program_definition.id",
]
"""What to sort pools by."""

ProgramDefinitionFilter = TypedDict("ProgramDefinitionFilter", {
    "created_date": InstantCondition, "external_id": TextCondition, "id": TextCondition,
    "namespace": TextCondition, "$and": "Sequence[ProgramDefinitionFilter]",
    "$or": "Sequence[ProgramDefinitionFilter]", "$not": "ProgramDefinitionFilter",
}, total=False)
"""Which program definitions to find."""
ProgramDefinitionSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "external_id", "-external_id", "namespace",
    "-namespace",
]
"""What to sort program definitions by."""

ProgramFilter = TypedDict("ProgramFilter", {
    "beneficiary": Identity | None, "beneficiary.member_id": TextCondition,
    "beneficiary.wix_user_id": TextCondition, "created_date": InstantCondition,
    "end_date": InstantCondition, "external_id": TextCondition, "id": TextCondition,
    "namespace": TextCondition, "next_renewal_date": InstantCondition,
    "program_definition.id": TextCondition, "program_definition_id": TextCondition,
    "status": ProgramStatus | TextCondition, "$and": "Sequence[ProgramFilter]",
    "$or": "Sequence[ProgramFilter]", "$not": "ProgramFilter",
}, total=False)
"""Which programs to find."""
ProgramSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary", "-beneficiary",
    "beneficiary.member_id", "-beneficiary.member_id", "beneficiary.wix_user_id",
    "-beneficiary.wix_user_id", "external_id", "-external_id", "namespace", "-namespace",
    "program_definition_id", "-program_definition_id", "status", "-status", "end_date", "-end_date",
    "next_renewal_date", "-next_renewal_date", "program_definition.id", "-program_definition.id",
]
"""What to sort programs by."""

ReservationFilter = TypedDict("ReservationFilter", {
    "beneficiary.member_id": TextCondition, "beneficiary.wix_user_id": TextCondition,
    "created_date": InstantCondition, "expiration_date": InstantCondition,
    "external_reference": TextCondition, "id": TextCondition, "namespace": TextCondition,
    "pool_definition_id": TextCondition, "pool_id": TextCondition,
    "program_definition_id": TextCondition, "program_id": TextCondition,
    "status": ReservationStatus | TextCondition, "$and": "Sequence[ReservationFilter]",
    "$or": "Sequence[ReservationFilter]", "$not": "ReservationFilter",
}, total=False)
"""Which reservations to find."""
ReservationSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary.member_id", "-beneficiary.member_id",
    "beneficiary.wix_user_id", "-beneficiary.wix_user_id", "namespace", "-namespace", "pool_id",
    "-pool_id", "program_id", "-program_id", "program_definition_id", "-program_definition_id",
    "pool_definition_id", "-pool_definition_id", "expiration_date", "-expiration_date",
    "external_reference", "-external_reference",
]
"""What to sort reservations by."""

ScheduledChangeFilter = TypedDict("ScheduledChangeFilter", {
    "created_date": InstantCondition, "date": InstantCondition, "id": TextCondition,
    "kind": ChangeKind | TextCondition, "pool_definition_id": TextCondition,
    "program_definition_id": TextCondition, "program_id": TextCondition,
    "status": ChangeStatus | TextCondition, "$and": "Sequence[ScheduledChangeFilter]",
    "$or": "Sequence[ScheduledChangeFilter]", "$not": "ScheduledChangeFilter",
}, total=False)
"""Which scheduled changes to find."""
ScheduledChangeSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "program_id", "-program_id", "pool_definition_id",
    "-pool_definition_id", "program_definition_id", "-program_definition_id", "kind", "-kind",
    "status", "-status", "date", "-date",
]
"""What to sort scheduled changes by."""

TransactionFilter = TypedDict("TransactionFilter", {
    "beneficiary.member_id": TextCondition, "beneficiary.wix_user_id": TextCondition,
    "correlation_id": TextCondition, "created_date": InstantCondition,
    "details.item.id": TextCondition, "external_reference": TextCondition, "id": TextCondition,
    "idempotency_key": TextCondition, "pool.id": TextCondition,
    "related_transaction_id": TextCondition, "status": TransactionStatus | TextCondition,
    "$and": "Sequence[TransactionFilter]", "$or": "Sequence[TransactionFilter]",
    "$not": "TransactionFilter",
}, total=False)
"""Which transactions to find."""
TransactionSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "beneficiary.member_id", "-beneficiary.member_id",
    "beneficiary.wix_user_id", "-beneficiary.wix_user_id", "correlation_id", "-correlation_id",
    "external_reference", "-external_reference", "idempotency_key", "-idempotency_key",
    "details.item.id", "-details.item.id", "pool.id", "-pool.id", "related_transaction_id",
    "-related_transaction_id",
]
"""What to sort transactions by."""

WebhookDeliveryFilter = TypedDict("WebhookDeliveryFilter", {
    "created_date": InstantCondition, "entity_id": TextCondition, "event_id": TextCondition,
    "event_type": TextCondition, "id": TextCondition, "origin": DeliveryOrigin | TextCondition,
    "status": DeliveryStatus | TextCondition, "webhook_endpoint_id": TextCondition,
    "$and": "Sequence[WebhookDeliveryFilter]", "$or": "Sequence[WebhookDeliveryFilter]",
    "$not": "WebhookDeliveryFilter",
}, total=False)
"""Which webhook deliveries to find."""
WebhookDeliverySort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "webhook_endpoint_id", "-webhook_endpoint_id",
    "status", "-status", "origin", "-origin", "event_type", "-event_type", "event_id", "-event_id",
    "entity_id", "-entity_id",
]
"""What to sort webhook deliveries by."""

WebhookEndpointFilter = TypedDict("WebhookEndpointFilter", {
    "created_date": InstantCondition, "format": WebhookFormat | TextCondition, "id": TextCondition,
    "status": WebhookStatus | TextCondition, "url": TextCondition,
    "$and": "Sequence[WebhookEndpointFilter]", "$or": "Sequence[WebhookEndpointFilter]",
    "$not": "WebhookEndpointFilter",
}, total=False)
"""Which webhook endpoints to find."""
WebhookEndpointSort: TypeAlias = Literal[
    "id", "-id", "created_date", "-created_date", "status", "-status", "format", "-format", "url",
    "-url",
]
"""What to sort webhook endpoints by."""
