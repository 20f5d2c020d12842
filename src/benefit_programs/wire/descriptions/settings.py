"""What each field of a tenant's settings holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.wire.types import settings

OF_SETTINGS: dict[type[Any], dict[str, str]] = {
    settings.PolicyProviderData: {
        "app_id": "The app whose custom policies it judges. An app has at most one provider.",
        "secret": "The secret that signs questions. Never returned. Default: the one before.",
        "url": "The provider's address: an absolute http or https URL.",
    },
    settings.PeopleProviderData: {
        "secret": "The secret that signs questions. Never returned. Default: the one before.",
        "url": "The provider's address: an absolute http or https URL.",
    },
    settings.ExtendedFieldSchemaData: {
        "entity": "The kind of entity whose fields these are.",
        "namespace": "The namespace within the extended fields.",
        "read_app_ids": "The apps that may read the fields, besides those that may write them.",
        "schema": "The JSON Schema of the fields (draft 2020-12).",
        "write_app_ids": "The apps that may read and change the fields.",
    },
    settings.TenantSettingsData: {
        "extended_field_schemas": "The schemas of extended fields, one per entity and namespace.",
        "extended_fields_require_schema": (
            "Whether extended fields need a schema for their namespace. Default: false."
        ),
        "first_day_of_week": ("The day that the weeks of rate limits begin with. Default: MONDAY."),
        "id_mode": "Which ids must be GUIDs. Default: DEFAULT.",
        "audit_retention_days": (
            "For how many days audit entries are kept; 0 writes none. Default: 365."
        ),
        "delivery_retention_days": (
            "For how many days the log of webhooks keeps deliveries. Default: 14."
        ),
        "event_retention_days": (
            "For how many days events are kept; 0 keeps them for ever. Default: 30."
        ),
        "job_retention_days": "For how many days a job is kept after its end. Default: 30.",
        "people_provider": "Who is asked for names that the directory lacks. Default: nobody.",
        "policy_providers": "The providers that judge custom policies, one per app.",
        "reservation_expires_after": (
            "How long a reservation lasts that says nothing else, at most 90 days. Default: PT24H."
        ),
        "strict_requests": (
            "Whether requests with fields that would be ignored are refused. Default: false."
        ),
        "time_zone": "The IANA name of the time zone that policies are judged in. Default: UTC.",
        "unknown_policy_apps": (
            "How a custom policy counts if its app has no provider. Default: FULFILLED."
        ),
    },
}
