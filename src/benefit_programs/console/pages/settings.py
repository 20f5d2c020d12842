"""Settings of the tenant, those that are a value each."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import GET, OPERATORS, POST, Answer, Done, Menu, Undo, page
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid

CHOICES = {
    "firstDayOfWeek": {
        "MONDAY": later("Monday"),
        "TUESDAY": later("Tuesday"),
        "WEDNESDAY": later("Wednesday"),
        "THURSDAY": later("Thursday"),
        "FRIDAY": later("Friday"),
        "SATURDAY": later("Saturday"),
        "SUNDAY": later("Sunday"),
    },
    "idMode": {
        "DEFAULT": later("All except external ids"),
        "STRICT": later("All, external ids too"),
        "OPEN": later("Only the service's own"),
    },
    "unknownPolicyApps": {
        "FULFILLED": later("It counts as fulfilled"),
        "REFUSED": later("It refuses"),
    },
}
NUMBERS = (
    "auditRetentionDays",
    "eventRetentionDays",
    "jobRetentionDays",
    "deliveryRetentionDays",
)
FLAGS = ("strictRequests", "extendedFieldsRequireSchema")
TEXTS = ("timeZone", "reservationExpiresAfter")


@page(
    GET,
    "/settings",
    roles=OPERATORS,
    template="settings.html",
    menu=Menu(text=later("Settings"), order=160, key="e"),
)
async def show(visit: Visit) -> Answer:
    found = await visit.call("getSettings")
    zones = sorted(available_timezones())
    return {"settings": found["settings"], "choices": CHOICES, "zones": zones}


@page(POST, "/settings", roles=OPERATORS)
async def save(visit: Visit) -> Answer:
    """The undo brings back what changed, and nothing else."""
    wanted = _read(visit)
    before = (await visit.call("getSettings"))["settings"]
    changed = {name: value for name, value in wanted.items() if value != before.get(name)}
    if not changed:
        return Done("/settings", _("Nothing was changed."))
    reason = visit.form.get("reason", "").strip()
    request: dict[str, Any] = {"settings": changed}
    await visit.call("updateSettings", request | ({"reason": reason} if reason else {}))
    fields = {name: _written(before.get(name)) for name in changed}
    said = _("The settings are saved.")
    return Done("/settings", said, Undo(path="/settings", fields=fields))


def _read(visit: Visit) -> dict[str, Any]:
    """What a form says. A box that isn't ticked sends nothing beside its own hidden field."""
    form = visit.form
    found: dict[str, Any] = {name: form[name] for name in CHOICES if name in form}
    found |= {name: form[name].strip() or None for name in TEXTS if name in form}
    found |= {name: form[name] == "yes" for name in FLAGS if name in form}
    for name in NUMBERS:
        if name in form:
            found[name] = _whole(name, form[name])
    return found


def _whole(name: str, text: str) -> int | None:
    """A whole number; nothing for an empty field, which means the default."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise Invalid.because(name, "must be a whole number of days")
    return int(text)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
