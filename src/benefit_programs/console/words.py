"""Refusals and states in words, for people who don't read codes."""

from __future__ import annotations

from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.domain.errors import Invalid, Refusal

_REFUSALS = {
    "ROUTE_NOT_FOUND": later("There is no such page."),
    "METHOD_NOT_ALLOWED": later("This page can't be used like that."),
    "UNAUTHENTICATED": later("Your session is over. Sign in again."),
    "PERMISSION_DENIED": later("Your role doesn't allow this."),
    "TOO_MANY_REQUESTS": later("That was too often. Wait a moment and try again."),
    "UNAVAILABLE": later("The database can't be reached. Try again in a moment."),
    "STATEMENT_TIMEOUT": later("The database took too long. Try again in a moment."),
    "INTERNAL": later("Something went wrong on our side."),
    "NOT_ENOUGH_BALANCE": later("There are not enough credits left."),
    "POOL_NOT_ACTIVE": later("This pack is not active."),
    "POLICY_EXPRESSION_EVALUATED_TO_FALSE": later("The rules of this pack don't allow it."),
    "BENEFIT_ALREADY_REDEEMED": later("This was redeemed already."),
    "REDEMPTION_ALREADY_CANCELED": later("This was given back already."),
    "TRANSACTION_NOT_FOUND": later("There is no such entry in the ledger."),
    "POOL_NOT_FOUND": later("There is no such pack."),
    "ITEM_NOT_FOUND": later("There is no such item."),
    "PROGRAM_ALREADY_EXISTS": later("This order was sold already."),
    "PROGRAM_DEFINITION_NOT_FOUND": later("There is no such offer."),
    "POOL_DEFINITION_NOT_FOUND": later("There is no such offer."),
    "PROGRAM_NOT_FOUND": later("There is no such program."),
}
"""What a refusal means at the desk, by its code; others are said in the API's words."""

_STATES = {
    "ACTIVE": later("active"),
    "PAUSED": later("paused"),
    "ENDED": later("ended"),
    "PENDING": later("pending"),
    "PROVISIONING": later("being set up"),
    "PAUSING": later("being paused"),
    "RESUMING": later("being resumed"),
    "ENDING": later("being ended"),
    "RENEWING": later("being renewed"),
    "FUTURE": later("begins later"),
    "LIVE": later("usable"),
    "SPENT": later("spent"),
    "EXPIRED": later("expired"),
    "OPEN": later("open"),
    "CAPTURED": later("redeemed"),
    "CANCELED": later("canceled"),
    "LAPSED": later("lapsed"),
}

_FIGURES = {
    "PROVISIONED": later("Given at the start"),
    "RENEWED": later("Renewed"),
    "GRANTED": later("Granted"),
    "ADJUSTED": later("Adjusted by hand"),
    "RETURNED": later("Given back"),
    "REDEEMED": later("Redeemed"),
    "RESERVED": later("Reserved"),
    "LAPSED": later("Lapsed"),
}


def refusal_words(refusal: Refusal) -> str:
    """A refusal as a sentence; what was wrong about fields, by their names."""
    if isinstance(refusal, Invalid):
        wrong = [f"{each.field}: {each.description}" for each in refusal.violations]
        return " · ".join(wrong) or _("What was entered can't be used.")
    return code_words(refusal.code) or refusal.description


def code_words(code: str) -> str:
    """A refusal as a sentence, by its code; nothing for one that isn't said in other words."""
    known = _REFUSALS.get(code)
    return _(known) if known else ""


def state_words(state: str) -> str:
    known = _STATES.get(state)
    return _(known) if known else state.lower().replace("_", " ")


_DID = {
    "redeemed": later("redeemed"),
    "returned": later("given back"),
    "missed": later("didn't come"),
}


def did_words(kind: str) -> str:
    """What somebody did with an item."""
    return _(_DID[kind])


def figure_words(figure: str) -> str:
    """What a line of the ledger is."""
    known = _FIGURES.get(figure)
    return _(known) if known else figure.lower().replace("_", " ")


def status_of(refusal: Refusal) -> int:
    return STATUS_BY_ERROR.get(type(refusal), 500)
