"""The service's own methods, beside those of the contract and under the same conventions."""

from __future__ import annotations

from benefit_programs.api.methods import GET, MANAGE, PATCH, Method
from benefit_programs.api.types import settings

SETTINGS_PATH = "/benefit-programs/v1/settings"

ADDITIONS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "getSettings",
            GET,
            SETTINGS_PATH,
            settings.GetSettingsRequest,
            settings.SettingsResponse,
            MANAGE,
            ("BENEFIT_PROGRAMS.SETTINGS_READ",),
        ),
        Method(
            "updateSettings",
            PATCH,
            SETTINGS_PATH,
            settings.UpdateSettingsRequest,
            settings.SettingsResponse,
            MANAGE,
            ("BENEFIT_PROGRAMS.SETTINGS_UPDATE",),
        ),
    )
}
"""Methods that the contract doesn't have, by name."""
