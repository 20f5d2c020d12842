"""Figures: what was granted, used and lapsed, when people come, and what is outstanding."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from benefit_programs.console import charts
from benefit_programs.console.formats import month
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.page import BACK_OFFICE, GET, Answer, Menu, page
from benefit_programs.console.policies import WEEK_DAYS, day_words
from benefit_programs.console.queries import query
from benefit_programs.console.visit import Visit
from benefit_programs.storage.tenant_statements import (
    ACTIVITY_POOLS_MAX,
    ACTIVITY_TRANSACTIONS_MAX,
)

MONTHS = (3, 6, 12)
DEFINITIONS = 100
HOURS = range(24)


@page(
    GET,
    "/figures",
    roles=BACK_OFFICE,
    template="figures.html",
    menu=Menu(text=later("Figures"), order=90, key="n"),
)
async def show(visit: Visit) -> Answer:
    months = _months(visit.query.get("months", ""))
    chosen = visit.query.get("pack", "").strip()
    definitions = await _definitions(visit)
    scope = {"poolDefinitionId": chosen} if chosen else {}
    since = _first_of(visit.now, months).isoformat()
    activity = await visit.call("getActivity", {"fromDate": since, "by": "MONTH", **scope})
    is_small = activity["isComplete"] and activity["poolCount"] < ACTIVITY_POOLS_MAX
    whole: dict[str, Any] = {}
    if is_small or "all" in visit.query:
        whole = await visit.call("getStatements", {"fromDate": since, "by": "MONTH", **scope})
    outstanding = whole.get("outstanding")
    months_shown = whole.get("periods") or activity["periods"]
    periods = [_period(each, visit) for each in _from_first(months_shown)]
    names = {each["id"]: each.get("displayName") or _("Pack") for each in definitions}
    return {
        "months": months,
        "choices": MONTHS,
        "chosen": chosen,
        "names": names,
        "activity": activity,
        "periods": periods,
        "periods_chart": charts.columns(
            [charts.Group(each["label"], each["values"]) for each in periods],
            label=_("Credits granted, used and lapsed, by month"),
        ),
        "week": _week(activity["hours"]),
        "is_empty": not any(each["transactionCount"] for each in months_shown),
        "is_partial": not (whole or activity["isComplete"]),
        "outstanding": outstanding,
        "by_expiry": _by_expiry(outstanding) if outstanding else [],
        "by_definition": _by_definition(outstanding, names) if outstanding else [],
        "entries_max": ACTIVITY_TRANSACTIONS_MAX,
    }


def _months(text: str) -> int:
    return next((each for each in MONTHS if str(each) == text), MONTHS[-1])


def _first_of(now: datetime, months: int) -> datetime:
    """The beginning of the first of so many months, this one included."""
    number = now.year * 12 + now.month - months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=now.tzinfo)


async def _definitions(visit: Visit) -> list[dict[str, Any]]:
    found = await query(visit, "queryPoolDefinitions", {}, limit=DEFINITIONS)
    definitions: list[dict[str, Any]] = found["poolDefinitions"]
    return definitions


def _from_first(periods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The periods from the first one on in which something happened, at least the last one."""
    some = (at for at, each in enumerate(periods) if each["transactionCount"])
    return periods[next(some, -1) :]


_GRANTED = ("provisioned", "renewed", "granted")


def _period(period: dict[str, Any], visit: Visit) -> dict[str, Any]:
    figures = {name: Decimal(text) for name, text in period["figures"].items()}
    begin = datetime.fromisoformat(period["fromDate"]).astimezone(visit.zone)
    granted = sum((figures[name] for name in _GRANTED), Decimal(0))
    used = figures["redeemed"] - figures["returned"]
    return {
        "label": month(begin),
        "figures": period["figures"],
        "values": (granted, used, figures["lapsed"]),
        "granted": f"{granted:f}",
        "used": f"{used:f}",
    }


def _week(hours: list[dict[str, Any]]) -> dict[str, Any]:
    """Redemptions by weekday and hour: only the hours between the first and the last with any."""
    counts = {(each["weekDay"], int(each["hour"])): int(each["redemptionCount"]) for each in hours}
    used = [hour for _day, hour in counts] or [0]
    shown = HOURS[min(used) : max(used) + 1]
    most = max(counts.values(), default=0)
    return {
        "hours": shown,
        "total": sum(counts.values()),
        "days": [
            (
                day_words(day),
                [
                    (count, charts.level(count, most))
                    for count in (counts.get((day, hour), 0) for hour in shown)
                ],
            )
            for day in WEEK_DAYS
        ],
    }


def _by_expiry(outstanding: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """What ends when: label, amount and bar."""
    labels = (
        _("ended, not yet booked"),
        _("within 7 days"),
        _("in 8 to 30 days"),
        _("in 31 to 90 days"),
        _("in 91 to 365 days"),
        _("later"),
    )
    parts = [
        (label, part["amount"])
        for label, part in zip(labels, outstanding["byExpiry"], strict=True)
        if part["amount"] != "0" or part is not outstanding["byExpiry"][0]
    ]
    return _with_bars([*parts, (_("never"), outstanding["neverExpires"])])


def _by_definition(
    outstanding: dict[str, Any], names: dict[str, str]
) -> list[tuple[str, str, Any]]:
    return [
        (names.get(each.get("poolDefinitionId", ""), _("Another pack")), amount, drawn)
        for each, (_name, amount, drawn) in zip(
            outstanding["byPoolDefinition"],
            _with_bars(
                [("", part["amount"]["available"]) for part in outstanding["byPoolDefinition"]]
            ),
            strict=True,
        )
    ]


def _with_bars(parts: list[tuple[str, str]]) -> list[tuple[str, str, Any]]:
    largest = max((Decimal(amount) for _label, amount in parts), default=Decimal(0))
    return [(label, amount, charts.bar(Decimal(amount), largest)) for label, amount in parts]
