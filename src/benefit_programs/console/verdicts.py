"""Why somebody can or can't use something, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benefit_programs.console.formats import credits_text
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.words import state_words

ELIGIBLE = "ELIGIBLE_BENEFIT"

_OPTIONS = {
    ELIGIBLE: "eligibleBenefitOptions",
    "NOT_ENOUGH_BALANCE": "notEnoughBalanceOptions",
    "POLICY_EXPRESSION_EVALUATED_TO_FALSE": "policyExpressionEvaluatedToFalseOptions",
    "POOL_NOT_ACTIVE": "poolNotActiveOptions",
    "BENEFIT_NOT_FOUND": "benefitNotFoundOptions",
    "POOL_NOT_FOUND": "poolNotFoundOptions",
}

_PERIODS = {
    "DAY": later("%(used)s of %(times)s a day are used already"),
    "WEEK": later("%(used)s of %(times)s a week are used already"),
    "MONTH": later("%(used)s of %(times)s a month are used already"),
    "YEAR": later("%(used)s of %(times)s a year are used already"),
    "CYCLE": later("%(used)s of %(times)s until the renewal are used already"),
    "LIFETIME": later("%(used)s of %(times)s in all are used already"),
    "ROLLING": later("%(used)s of %(times)s within %(duration)s are used already"),
}


def options_of(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a result of the API says beside its type."""
    options: Mapping[str, Any] = result.get(_OPTIONS.get(result["type"], "")) or {}
    return options


def verdict_words(result: Mapping[str, Any], count: int) -> str:
    """A result of the API as a clause: what each of some places costs, or why it can't be used."""
    options = options_of(result)
    match result["type"]:
        case "ELIGIBLE_BENEFIT":
            price = options.get("price") or "0"
            if price == "0":
                return _("free of charge")
            said = _("costs %(price)s") if count == 1 else _("costs %(price)s each")
            return said % {"price": credits_text(price)}
        case "NOT_ENOUGH_BALANCE":
            return _(
                "%(left)s left, %(needed)s needed",
                left=credits_text(options.get("availableBalance")),
                needed=credits_text(options.get("requestedBalance")),
            )
        case "POLICY_EXPRESSION_EVALUATED_TO_FALSE":
            failures = [_failure_words(each) for each in options.get("failureDetails", ())]
            return " · ".join(failures) or _("the rules don't allow it")
        case "POOL_NOT_ACTIVE":
            return state_words(options.get("poolStatus") or "")
    return _("doesn't include it")


def _failure_words(failure: Mapping[str, Any]) -> str:
    """One rule that stands in the way."""
    data = failure.get("errorData") or {}
    match failure.get("code"):
        case "FIXED_INTERVAL_NOT_FULFILLED":
            return _("only %(interval)s", interval=data.get("interval"))
        case "FIXED_INTERVAL_EXCLUDED":
            return _("not %(interval)s", interval=data.get("interval"))
        case "RATE_LIMIT_EXCEEDED" if data.get("timePeriod") in _PERIODS:
            return _(
                _PERIODS[data["timePeriod"]],
                used=data.get("used"),
                times=data.get("times"),
                duration=data.get("rollingDuration"),
            )
    return failure.get("message") or _("the rules don't allow it")
