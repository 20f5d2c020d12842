"""Entries of the ledger in words: what each transaction was, and by how much."""

from __future__ import annotations

from typing import Any

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.domain.operations import RULES

_KINDS = {
    "Provisioning": later("Given at the start"),
    "Renewal": later("Renewed"),
    "Expiry": later("Lapsed"),
    "Redemption": later("Redeemed"),
    "Reallocation": later("Moved to another date"),
    "Cancellation": later("Given back"),
    "Revert": later("Reverted"),
    "Grant": later("Granted"),
    "Reservation": later("Reserved"),
    "Release": later("No longer reserved"),
}
"""What the service's own reasons mean. All others are of changes by hand."""

USUAL_REASONS = frozenset(rule.reason for rule in RULES.values() if rule.reason)


def entry_words(transaction: dict[str, Any]) -> str:
    """What an entry is."""
    kind = _KINDS.get((transaction.get("details") or {}).get("reason", ""))
    return _(kind) if kind else _("Adjusted by hand")


def own_reason(transaction: dict[str, Any]) -> str:
    """The reason that somebody gave, if it is none of the service's."""
    reason: str = (transaction.get("details") or {}).get("reason") or ""
    return "" if reason in USUAL_REASONS else reason


def change(transaction: dict[str, Any]) -> str:
    """By how much the credits that can be spent became more or less; 0 for what was reserved."""
    amount: str = transaction.get("amount") or "0"
    if transaction.get("target") == "AVAILABLE":
        return amount
    return f"-{amount}" if transaction.get("source") == "AVAILABLE" and amount != "0" else "0"
