"""The settings of the caller's tenant."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from benefit_programs.api.authentication import KEPT_SECONDS_MAX
from benefit_programs.api.call import Call
from benefit_programs.api.extended_fields import schema_problems
from benefit_programs.api.method import GET, MANAGE, PATCH, method
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.settings import (
    ExtendedFieldSchema,
    PeopleProviderSetting,
    PolicyProviderSetting,
    TenantSettings,
)
from benefit_programs.domain.time_zones import NO_TIME_ZONE, is_time_zone
from benefit_programs.providers.people import PeopleProvider
from benefit_programs.providers.questions import PolicyProvider
from benefit_programs.wire.codec.choices import is_required
from benefit_programs.wire.types import settings as wire

Providers = tuple[wire.PolicyProviderData, ...]

_DEFAULTS = TenantSettings()


@method(
    "getSettings",
    GET,
    "/benefit-programs/v1/settings",
    MANAGE,
    "BENEFIT_PROGRAMS.SETTINGS_READ",
    is_addition=True,
)
async def get(call: Call, _: wire.GetSettingsRequest) -> wire.SettingsResponse:
    return _shown(await call.services.directory.settings(call.tenant_id))


@method(
    "updateSettings",
    PATCH,
    "/benefit-programs/v1/settings",
    MANAGE,
    "BENEFIT_PROGRAMS.SETTINGS_UPDATE",
    for_administrators=True,
    is_addition=True,
)
async def update(call: Call, _: wire.UpdateSettingsRequest) -> wire.SettingsResponse:
    """The answer comes when no server goes by the old settings any more."""
    updates = call.own_updates("settings")

    def change(current: TenantSettings) -> TenantSettings:
        violations = list(_problems_of_providers(updates.get("policy_providers") or (), current))
        violations += _problems_of_people_provider(updates.get("people_provider"), current)
        changed = replace(current, **_stored(updates, current))
        if "extended_field_schemas" in updates:
            violations += schema_problems(changed, "settings.extendedFieldSchemas")
        if changed.time_zone != current.time_zone and not is_time_zone(changed.time_zone):
            violations.append(_violation("settings.timeZone", NO_TIME_ZONE))
        if violations:
            raise Invalid(tuple(violations))
        return changed

    changed = await call.services.directory.change_settings(
        call.tenant_id, change, actor=call.actor
    )
    if not call.services.alone:
        await sleep(KEPT_SECONDS_MAX)
    return _shown(changed)


def _stored(updates: dict[str, Any], current: TenantSettings) -> dict[str, Any]:
    """The updates as they are stored: null is the default, an unmoved provider keeps its secret."""
    stored = {
        name: getattr(_DEFAULTS, name) if value is None else value
        for name, value in updates.items()
    }
    if updates.get("policy_providers") is not None:
        stored["policy_providers"] = _providers(updates["policy_providers"], current)
    if updates.get("people_provider") is not None:
        stored["people_provider"] = _people_provider(updates["people_provider"], current)
    if updates.get("extended_field_schemas") is not None:
        stored["extended_field_schemas"] = tuple(map(_schema, updates["extended_field_schemas"]))
    return stored


def _schema(sent: wire.ExtendedFieldSchemaData) -> ExtendedFieldSchema:
    return ExtendedFieldSchema(
        entity=sent.entity,
        namespace=sent.namespace,
        schema=sent.schema,
        read_app_ids=sent.read_app_ids or (),
        write_app_ids=sent.write_app_ids or (),
    )


def _providers(sent: Providers, current: TenantSettings) -> tuple[PolicyProviderSetting, ...]:
    known = _secrets(current)
    return tuple(
        PolicyProviderSetting(
            app_id=each.app_id,
            url=each.url,
            secret=each.secret or known.get((each.app_id, each.url), ""),
        )
        for each in sent
    )


def _problems_of_providers(sent: Providers, current: TenantSettings) -> Iterator[FieldViolation]:
    known, named = _secrets(current), set[str]()
    for index, each in enumerate(sent):
        path = f"settings.policyProviders[{index}]"
        secret = each.secret or known.get((each.app_id, each.url))
        if secret is None:
            yield is_required(f"{path}.secret")
        if each.app_id in named:
            yield _violation(f"{path}.appId", "is named twice")
        named.add(each.app_id)
        try:
            PolicyProvider(each.app_id, each.url, secret or "-")
        except ValueError as error:
            yield _violation(f"{path}.url", str(error))


def _people_provider(
    sent: wire.PeopleProviderData, current: TenantSettings
) -> PeopleProviderSetting:
    return PeopleProviderSetting(url=sent.url, secret=_people_secret(sent, current) or "")


def _problems_of_people_provider(
    sent: wire.PeopleProviderData | None, current: TenantSettings
) -> Iterator[FieldViolation]:
    if sent is None:
        return
    secret = _people_secret(sent, current)
    if secret is None:
        yield is_required("settings.peopleProvider.secret")
    try:
        PeopleProvider(sent.url, secret or "-")
    except ValueError as error:
        yield _violation("settings.peopleProvider.url", str(error))


def _people_secret(sent: wire.PeopleProviderData, current: TenantSettings) -> str | None:
    """The one that was sent, or the one before if the provider stays where it is."""
    before = current.people_provider
    kept = before.secret if before is not None and before.url == sent.url else None
    return sent.secret or kept


def _secrets(settings: TenantSettings) -> dict[tuple[str, str], str]:
    """By app and URL: a secret is never used at another address than it was given for."""
    return {(each.app_id, each.url): each.secret for each in settings.policy_providers}


def _violation(path: str, description: str) -> FieldViolation:
    return FieldViolation(path, description, ViolatedRule.VALIDATION)


def _shown(settings: TenantSettings) -> wire.SettingsResponse:
    return wire.SettingsResponse(
        settings=wire.TenantSettingsData(
            time_zone=settings.time_zone,
            first_day_of_week=settings.first_day_of_week,
            id_mode=settings.id_mode,
            unknown_policy_apps=settings.unknown_policy_apps,
            policy_providers=tuple(
                wire.PolicyProviderData(app_id=each.app_id, url=each.url)
                for each in settings.policy_providers
            ),
            people_provider=(
                wire.PeopleProviderData(url=settings.people_provider.url)
                if settings.people_provider
                else None
            ),
            job_retention_days=settings.job_retention_days,
            event_retention_days=settings.event_retention_days,
            audit_retention_days=settings.audit_retention_days,
            delivery_retention_days=settings.delivery_retention_days,
            extended_field_schemas=tuple(
                wire.ExtendedFieldSchemaData(
                    entity=each.entity,
                    namespace=each.namespace,
                    schema=each.schema,
                    read_app_ids=each.read_app_ids,
                    write_app_ids=each.write_app_ids,
                )
                for each in settings.extended_field_schemas
            ),
            extended_fields_require_schema=settings.extended_fields_require_schema,
            reservation_expires_after=settings.reservation_expires_after,
            strict_requests=settings.strict_requests,
        )
    )
