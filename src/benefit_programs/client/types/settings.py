"""The settings of a tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benefit_programs.client.generated.enums import (
    ExtendedEntity,
    FirstDayOfWeek,
    IdMode,
    UnknownPolicyApps,
)
from benefit_programs.client.types.base import Part


class PolicyProvider(Part, frozen=True, kw_only=True):
    """The provider that judges the custom policies of an app.

    The secret signs the questions. It is never returned. Without one the provider keeps its own.
    """

    app_id: str
    url: str
    secret: str | None = None


class PeopleProvider(Part, frozen=True, kw_only=True):
    """The provider that knows who the tenant's beneficiaries are.

    The secret signs the questions. It is never returned. Without one the provider keeps its own.
    """

    url: str
    secret: str | None = None


class ExtendedFieldSchema(Part, frozen=True, kw_only=True):
    """The schema of one namespace of an entity's extended fields, and the apps that use it."""

    entity: ExtendedEntity
    namespace: str
    schema: Mapping[str, Any]
    read_app_ids: Sequence[str] | None = None
    write_app_ids: Sequence[str] | None = None


class TenantSettings(Part, frozen=True, kw_only=True):
    """The settings that a tenant can change."""

    time_zone: str = "UTC"
    first_day_of_week: FirstDayOfWeek = FirstDayOfWeek.MONDAY
    id_mode: IdMode = IdMode.DEFAULT
    unknown_policy_apps: UnknownPolicyApps = UnknownPolicyApps.FULFILLED
    policy_providers: tuple[PolicyProvider, ...] = ()
    people_provider: PeopleProvider | None = None
    job_retention_days: int | None = None
    event_retention_days: int | None = None
    audit_retention_days: int | None = None
    delivery_retention_days: int | None = None
    extended_field_schemas: tuple[ExtendedFieldSchema, ...] = ()
    extended_fields_require_schema: bool = False
    reservation_expires_after: str = "PT24H"
    strict_requests: bool = False
