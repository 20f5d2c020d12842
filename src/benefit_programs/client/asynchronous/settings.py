"""The settings of the caller's tenant."""

from __future__ import annotations

from collections.abc import Sequence

from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.wire import changes, document, reads_field
from benefit_programs.client.generated.enums import IdMode, UnknownPolicyApps
from benefit_programs.client.types.common import UNSET, Unset
from benefit_programs.client.types.settings import (
    ExtendedFieldSchema,
    PeopleProvider,
    PolicyProvider,
    TenantSettings,
)

_SETTINGS = reads_field("settings", TenantSettings)


class AsyncSettings(AsyncMethods):
    """The settings of the caller's tenant."""

    async def get(self) -> TenantSettings:
        """Read the settings."""
        return await self._session.call("getSettings", _SETTINGS, {})

    async def update(  # noqa: PLR0913 - a setting each
        self,
        *,
        time_zone: str | Unset | None = UNSET,
        id_mode: IdMode | Unset | None = UNSET,
        unknown_policy_apps: UnknownPolicyApps | Unset | None = UNSET,
        policy_providers: Sequence[PolicyProvider] | Unset | None = UNSET,
        people_provider: PeopleProvider | Unset | None = UNSET,
        job_retention_days: int | Unset | None = UNSET,
        event_retention_days: int | Unset | None = UNSET,
        audit_retention_days: int | Unset | None = UNSET,
        delivery_retention_days: int | Unset | None = UNSET,
        extended_field_schemas: Sequence[ExtendedFieldSchema] | Unset | None = UNSET,
        extended_fields_require_schema: bool | Unset | None = UNSET,
        reservation_expires_after: str | Unset | None = UNSET,
        strict_requests: bool | Unset | None = UNSET,
        reason: str | None = None,
    ) -> TenantSettings:
        """Change the given settings. None restores the default. Lists are replaced as a whole.

        Raises:
            ValidationError: A setting has a wrong value.
        """
        changed = changes(
            time_zone=time_zone,
            id_mode=id_mode,
            unknown_policy_apps=unknown_policy_apps,
            policy_providers=policy_providers,
            people_provider=people_provider,
            job_retention_days=job_retention_days,
            event_retention_days=event_retention_days,
            audit_retention_days=audit_retention_days,
            delivery_retention_days=delivery_retention_days,
            extended_field_schemas=extended_field_schemas,
            extended_fields_require_schema=extended_fields_require_schema,
            reservation_expires_after=reservation_expires_after,
            strict_requests=strict_requests,
        )
        fields = {"settings": changed, **document(reason=reason)}
        return await self._session.call("updateSettings", _SETTINGS, fields)
