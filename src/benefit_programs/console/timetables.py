"""Timetables in words: what happens by itself, and why."""

from __future__ import annotations

from typing import Any

from benefit_programs.console.formats import credits_text
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later

_KINDS = {
    "RESUME": later("Goes on"),
    "PAUSE": later("Is paused"),
    "END": later("Ends"),
    "RENEWAL": later("Renews"),
    "MISSED_RENEWAL": later("A cycle begins without a renewal, since it is paused"),
}

_REASONS = {
    "the pause was to last until then": later("the pause was to last until then"),
    "the end date of the program": later("its end date"),
    "the program definition is deleted: its programs end in place of a renewal": later(
        "its definition was deleted"
    ),
}


def dates_in_words(timetable: dict[str, Any], names: dict[str, str]) -> list[dict[str, Any]]:
    """The instants of a timetable; ``names`` are those of the packs, by their ids."""
    return [
        {
            **each,
            "what": _(_KINDS[each["kind"]]),
            "why": _why(each),
            "credits": [_credits(part, names) for part in each.get("credits", ())],
        }
        for each in timetable.get("dates", ())
    ]


def _why(date: dict[str, Any]) -> str:
    if date.get("scheduledChangeId"):
        return _("somebody has planned it")
    known = _REASONS.get(date.get("reason", ""))
    if known:
        return _(known)
    if date["kind"] in ("RENEWAL", "MISSED_RENEWAL"):
        return _("by its timetable, cycle %(number)s", number=date.get("cycleNumber") or 1)
    if date["kind"] == "RESUME":
        return _("the paused days of the year are used up")
    return _("its last cycle is over")


def _credits(part: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """What a renewal does to the credits of one pack."""
    if part.get("endsPool"):
        said = _("the pack ends")
    elif part.get("rollsOver"):
        said = _("%(amount)s added to what is left", amount=credits_text(part.get("amount")))
    else:
        said = _("%(amount)s in place of what is left", amount=credits_text(part.get("amount")))
    return {"name": names.get(part["poolId"], ""), "said": said}
