"""What a tenant may set for itself (contract: Settings of a tenant)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from benefit_programs.domain.constraints import (
    Duration,
    FreeForm,
    Guid,
    Int32,
    Required,
    Size,
    Text,
)

RETENTION_DAYS_MAX = 3650

RESERVATION_DAYS_MAX = 90
"""For how many days credits may be reserved."""

IN_REQUEST_MAX = 100
"""How many programs or pools a tenant may let one request change; more are a job's work."""


ReservationDuration = Annotated[str, Duration(days_max=RESERVATION_DAYS_MAX)]
"""How long credits may be reserved."""


class IdMode(StrEnum):
    """Which ids must be GUIDs: all except external ones, all, or only the service's own."""

    DEFAULT = "DEFAULT"
    STRICT = "STRICT"
    OPEN = "OPEN"


class FirstDayOfWeek(StrEnum):
    """The day that the weeks of rate limits begin with."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class UnknownPolicyApps(StrEnum):
    """How a custom policy counts whose app has no provider."""

    FULFILLED = "FULFILLED"
    REFUSED = "REFUSED"


POLICY_PROVIDERS_MAX = 50


class PolicyProviderSetting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The provider that judges the custom policies of an app.

    The secret signs the questions; it is stored, and never shown again.
    """

    app_id: Annotated[str, Guid("app"), Required()]
    url: Annotated[str, Text(min_length=1, max_length=2048), Required()]
    secret: Annotated[str, Text(min_length=16, max_length=256), Required()]


class PeopleProviderSetting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The provider that knows who the tenant's beneficiaries are.

    The secret signs the questions; it is stored, and never shown again.
    """

    url: Annotated[str, Text(min_length=1, max_length=2048), Required()]
    secret: Annotated[str, Text(min_length=16, max_length=256), Required()]


class ExtendedEntity(StrEnum):
    """The kinds of entity whose extended fields callers may set."""

    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    POOL_DEFINITION = "POOL_DEFINITION"
    PROGRAM = "PROGRAM"
    POOL = "POOL"
    ITEM = "ITEM"


EXTENDED_FIELD_SCHEMAS_MAX = 50
SCHEMA_BYTES_MAX = 10_240
SCHEMA_APPS_MAX = 100
EXTENDED_NAMESPACE_LENGTH_MAX = 128

ExtendedNamespace = Annotated[str, Text(min_length=1, max_length=EXTENDED_NAMESPACE_LENGTH_MAX)]
SchemaApps = Annotated[tuple[Annotated[str, Guid("app")], ...], Size(maximum=SCHEMA_APPS_MAX)]


class ExtendedFieldSchema(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the values of one namespace of an entity must look like, and whose they are.

    Administrators see and write every namespace. An app that may write one may read it too.
    """

    entity: Annotated[ExtendedEntity, Required()]
    namespace: Annotated[ExtendedNamespace, Required()]
    schema: Annotated[dict[str, Any], FreeForm(bytes_max=SCHEMA_BYTES_MAX), Required()]
    read_app_ids: SchemaApps = ()
    write_app_ids: SchemaApps = ()


class TenantSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of one tenant, with their defaults."""

    time_zone: Annotated[str, Text(min_length=1, max_length=64)] = "UTC"
    """IANA name of the time zone that policies are judged in."""

    first_day_of_week: FirstDayOfWeek = FirstDayOfWeek.MONDAY
    """The day that the weeks of rate limits begin with."""

    id_mode: IdMode = IdMode.DEFAULT
    """Which ids must be GUIDs."""

    unknown_policy_apps: UnknownPolicyApps = UnknownPolicyApps.FULFILLED
    """How a custom policy counts whose app has no provider."""

    policy_providers: Annotated[
        tuple[PolicyProviderSetting, ...], Size(maximum=POLICY_PROVIDERS_MAX)
    ] = ()
    """The providers of custom policies, one per app."""

    people_provider: PeopleProviderSetting | None = None
    """Who is asked for people that the directory doesn't have, if anybody is."""

    job_retention_days: Annotated[int, Int32(minimum=1, maximum=RETENTION_DAYS_MAX)] = 30
    """For how long a finished job can be read."""

    event_retention_days: Annotated[int, Int32(minimum=0, maximum=RETENTION_DAYS_MAX)] = 30
    """For how long events are kept; 0: for ever."""

    audit_retention_days: Annotated[int, Int32(minimum=0, maximum=RETENTION_DAYS_MAX)] = 365
    """For how long audit entries are kept; 0: none is written."""

    delivery_retention_days: Annotated[int, Int32(minimum=1, maximum=RETENTION_DAYS_MAX)] = 14
    """For how long the log of webhooks keeps deliveries."""

    in_request_max: Annotated[int, Int32(minimum=0, maximum=IN_REQUEST_MAX)] = IN_REQUEST_MAX
    """How many programs or pools one request changes at the most; more are a job's work.

    A program gets up to twice as many pools within the request that provisions it.
    """

    extended_field_schemas: Annotated[
        tuple[ExtendedFieldSchema, ...], Size(maximum=EXTENDED_FIELD_SCHEMAS_MAX)
    ] = ()
    """The schemas of extended fields, one per entity and namespace."""

    extended_fields_require_schema: bool = False
    """Whether extended fields may only be set in namespaces that have a schema."""

    reservation_expires_after: ReservationDuration = "PT24H"
    """How long a reservation lasts that says nothing else."""

    strict_requests: bool = False
    """Whether fields that would be ignored are refused; a request's header overrides it."""

    is_sandbox: bool = False
    """Whether the tenant has a clock of its own. It was made so, and never changes."""
