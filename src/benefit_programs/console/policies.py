"""Policies and durations in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from benefit_programs.console.formats import DASH
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later, ngettext

_DAYS = {
    "MONDAY": later("Monday"),
    "TUESDAY": later("Tuesday"),
    "WEDNESDAY": later("Wednesday"),
    "THURSDAY": later("Thursday"),
    "FRIDAY": later("Friday"),
    "SATURDAY": later("Saturday"),
    "SUNDAY": later("Sunday"),
}
WEEK_DAYS = tuple(_DAYS)

_LIMITS = {
    "DAY": later("At most %(times)s times a day"),
    "WEEK": later("At most %(times)s times a week"),
    "MONTH": later("At most %(times)s times a month"),
    "YEAR": later("At most %(times)s times a year"),
    "LIFETIME": later("At most %(times)s times in all"),
    "CYCLE": later("At most %(times)s times from renewal to renewal"),
    "ROLLING": later("At most %(times)s times in any period of this length:"),
}

_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


class Words(NamedTuple):
    """A policy as a text; what joins others has them below it."""

    text: str
    parts: tuple[Words, ...] = ()


def policy_words(expression: dict[str, Any]) -> Words:
    """What a policy expression of the wire demands."""
    for name, text in (
        ("operatorAndOptions", _("All of these:")),
        ("operatorOrOptions", _("One of these:")),
    ):
        if options := expression.get(name):
            return Words(text, tuple(map(policy_words, options.get("expressions", ()))))
    if options := expression.get("operatorNotOptions"):
        return Words(_("Not:"), (policy_words(options.get("expression") or {}),))
    policy = expression.get("policyOptions") or {}
    if options := policy.get("rateLimitedOptions"):
        limit = _(_LIMITS.get(options["timePeriod"], _LIMITS["LIFETIME"]), times=options["times"])
        rolling = options.get("rollingDuration")
        return Words(f"{limit} {duration_words(rolling)}" if rolling else limit)
    if "fixedIntervalOptions" in policy:
        return Words(_interval(policy["fixedIntervalOptions"] or {}))
    return Words(_("If a service of the owner's allows it"))


def _interval(options: dict[str, Any]) -> str:
    since, until = (
        f"{options.get(f'{end}Hour') or 0:02}:{options.get(f'{end}Minute') or 0:02}"
        for end in ("from", "to")
    )
    first, last = (_DAYS.get(options.get(f"{end}WeekDay") or "") for end in ("from", "to"))
    if first is None or last is None:
        return f"{_('Every day')} {since} {DASH} {until}"
    return f"{_(first)} {since} {DASH} {_(last)} {until}"


def day_words(week_day: str) -> str:
    return _(_DAYS[week_day])


def duration_words(text: str | None) -> str:
    """A duration of ISO 8601 in words: ``1 month``."""
    found = _DURATION.fullmatch(text or "")
    return " ".join(_parts(found)) if found else (text or "")


def _parts(found: re.Match[str]) -> Iterator[str]:
    years, months, weeks, days, hours, minutes, seconds = (
        int(each or 0) for each in found.groups()
    )
    if years:
        yield ngettext("%(num)s year", "%(num)s years", years)
    if months:
        yield ngettext("%(num)s month", "%(num)s months", months)
    if weeks:
        yield ngettext("%(num)s week", "%(num)s weeks", weeks)
    if days:
        yield ngettext("%(num)s day", "%(num)s days", days)
    if hours:
        yield ngettext("%(num)s hour", "%(num)s hours", hours)
    if minutes:
        yield ngettext("%(num)s minute", "%(num)s minutes", minutes)
    if seconds:
        yield ngettext("%(num)s second", "%(num)s seconds", seconds)
