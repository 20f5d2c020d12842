"""The settings of a tenant, as the service's own method shows and takes them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from benefit_programs.domain.constraints import FreeForm, Int32, Size, Text
from benefit_programs.domain.settings import (
    EXTENDED_FIELD_SCHEMAS_MAX,
    POLICY_PROVIDERS_MAX,
    RETENTION_DAYS_MAX,
    SCHEMA_BYTES_MAX,
    ExtendedEntity,
    ExtendedNamespace,
    FirstDayOfWeek,
    IdMode,
    ReservationDuration,
    SchemaApps,
    UnknownPolicyApps,
)
from benefit_programs.wire.types.common import AppId, AuditReason


class PolicyProviderData(msgspec.Struct, frozen=True, kw_only=True):
    """The provider that judges the custom policies of an app.

    The secret is never returned. It may be left out if the app's provider has the same URL already.
    """

    app_id: AppId
    url: Annotated[str, Text(min_length=1, max_length=2048)]
    secret: Annotated[str, Text(min_length=16, max_length=256)] | None = None


class PeopleProviderData(msgspec.Struct, frozen=True, kw_only=True):
    """The provider that knows who the tenant's beneficiaries are.

    The secret is never returned. It may be left out if the provider has the same URL already.
    """

    url: Annotated[str, Text(min_length=1, max_length=2048)]
    secret: Annotated[str, Text(min_length=16, max_length=256)] | None = None


class ExtendedFieldSchemaData(msgspec.Struct, frozen=True, kw_only=True):
    """The schema of one namespace of an entity's extended fields, and the apps that use it.

    The schema is a JSON Schema (draft 2020-12). Apps that may write may also read.
    Administrators may do both. Nobody else sees or changes the namespace.
    """

    entity: ExtendedEntity
    namespace: ExtendedNamespace
    schema: Annotated[dict[str, Any], FreeForm(bytes_max=SCHEMA_BYTES_MAX)]
    read_app_ids: SchemaApps | None = None
    write_app_ids: SchemaApps | None = None


class TenantSettingsData(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a tenant. A change keeps those that it leaves out."""

    time_zone: Annotated[str, Text(min_length=1, max_length=64)] | None = None
    first_day_of_week: FirstDayOfWeek | None = None
    id_mode: IdMode | None = None
    unknown_policy_apps: UnknownPolicyApps | None = None
    policy_providers: (
        Annotated[tuple[PolicyProviderData, ...], Size(maximum=POLICY_PROVIDERS_MAX)] | None
    ) = None
    people_provider: PeopleProviderData | None = None
    job_retention_days: Annotated[int, Int32(minimum=1, maximum=RETENTION_DAYS_MAX)] | None = None
    event_retention_days: Annotated[int, Int32(minimum=0, maximum=RETENTION_DAYS_MAX)] | None = None
    audit_retention_days: Annotated[int, Int32(minimum=0, maximum=RETENTION_DAYS_MAX)] | None = None
    delivery_retention_days: Annotated[int, Int32(minimum=1, maximum=RETENTION_DAYS_MAX)] | None = (
        None
    )
    extended_field_schemas: (
        Annotated[tuple[ExtendedFieldSchemaData, ...], Size(maximum=EXTENDED_FIELD_SCHEMAS_MAX)]
        | None
    ) = None
    extended_fields_require_schema: bool | None = None
    reservation_expires_after: ReservationDuration | None = None
    strict_requests: bool | None = None


class GetSettingsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read the settings."""


class UpdateSettingsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change settings; null means the default."""

    settings: TenantSettingsData
    reason: AuditReason | None = None


class SettingsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The settings."""

    settings: TenantSettingsData | None = None
