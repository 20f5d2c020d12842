"""What a pack gives, in words: of a definition, of a pack, and where the two differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from benefit_programs.console.formats import DASH, credits_text
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.policies import Words, duration_words, policy_words

Details = dict[str, Any]

_FREE = ("additionalData", "extendedFields")
_OF_SERVER = ("itemSetId", "quotaId")


class Compared(NamedTuple):
    """A line that says what a definition says and what the pack's own copy says."""

    label: str
    definition: str
    own: str

    @property
    def differs(self) -> bool:
        return self.definition != self.own


def terms(details: Details) -> Iterator[tuple[str, str]]:
    """What is said about the credits: labels and texts."""
    configuration = details.get("creditConfiguration")
    if configuration is None:
        yield _("Credits"), _("none: all is free of charge")
        return
    yield _("Credits at the start and at each renewal"), credits_text(configuration.get("amount"))
    yield _("Credits last"), duration_words(configuration.get("expiresAfter")) or _("for ever")
    yield _("At a renewal"), _rollover(configuration.get("rolloverConfiguration") or {})


def _rollover(rollover: dict[str, Any]) -> str:
    if not rollover.get("enabled"):
        return _("what is left lapses")
    said = [_("what is left stays")]
    if rollover.get("percent") is not None:
        said.append(_("of it %(percent)s percent", percent=credits_text(rollover["percent"])))
    if rollover.get("balanceCap") is not None:
        said.append(_("at most %(amount)s", amount=credits_text(rollover["balanceCap"])))
    return " · ".join(said)


def name_of(benefit: dict[str, Any]) -> str:
    name: str = benefit.get("displayName") or benefit["benefitKey"]
    return name


def rules_of(holder: dict[str, Any]) -> Words | None:
    """The policies of details or of a benefit in words, if there are any."""
    expression = holder.get("policyExpression")
    return policy_words(expression) if expression else None


def compared(definition: dict[str, Any], pool: dict[str, Any]) -> list[Compared]:
    """The copy of a pack beside its definition, line by line."""
    general, own = definition.get("details") or {}, pool.get("details") or {}
    return [
        Compared(_("Name"), definition.get("displayName") or "", pool.get("displayName") or ""),
        *_side_by_side(dict(terms(general)), dict(terms(own))),
        *_side_by_side(_prices(general), _prices(own)),
        *_side_by_side({_("Rules"): _rules(general)}, {_("Rules"): _rules(own)}),
    ]


def _side_by_side(general: dict[str, str], own: dict[str, str]) -> Iterator[Compared]:
    for label in {**general, **own}:
        yield Compared(label, general.get(label, DASH), own.get(label, DASH))


def _prices(details: Details) -> dict[str, str]:
    return {name_of(each): credits_text(each.get("price")) for each in details.get("benefits", ())}


def _rules(details: Details) -> str:
    words = [rules_of(each) for each in (details, *details.get("benefits", ()))]
    return " · ".join(_flat(each) for each in words if each) or _("none")


def _flat(words: Words) -> str:
    return " ".join((words.text, *map(_flat, words.parts)))


def bare(value: Any) -> Any:
    """Details, or a part of them, as callers send them: without what the service sets."""
    if isinstance(value, dict):
        return {
            name: each if name in _FREE else bare(each)
            for name, each in value.items()
            if name not in _OF_SERVER
        }
    return [bare(each) for each in value] if isinstance(value, list) else value
