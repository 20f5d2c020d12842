"""Refusals and states in words, for people who don't read codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.visit import VISIT
from benefit_programs.domain.entities import Operation
from benefit_programs.domain.errors import Invalid, Refusal
from benefit_programs.domain.operations import RULES

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
    "NO_ELIGIBLE_BENEFIT": later("No pack pays for that. Press Check to see why."),
    "POOL_NOT_ACTIVE": later("This pack is not active."),
    "POLICY_EXPRESSION_EVALUATED_TO_FALSE": later("The rules of this pack don't allow it."),
    "BENEFIT_ALREADY_REDEEMED": later("This was redeemed already."),
    "REDEMPTION_ALREADY_CANCELED": later("This was given back already."),
    "TRANSACTION_NOT_FOUND": later("There is no such entry in the ledger."),
    "POOL_NOT_FOUND": later("There is no such pack."),
    "ITEM_NOT_FOUND": later("There is no such item."),
    "PROGRAM_ALREADY_EXISTS": later("This order was sold already."),
    "PROGRAM_NOT_FOUND": later("There is no such program."),
    "INVALID_REVISION": later("Somebody has changed it meanwhile. Load the page again."),
    "ITEM_ALREADY_EXISTS": later("This is there already."),
    "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED": later("It isn't in a state that allows this."),
    "ALREADY_EXECUTED": later("It was done already."),
    "IN_PROGRESS": later("It is being changed right now. Try again in a moment."),
}
"""What a refusal means at the desk, by its code; others are said in the API's words."""

STATES = {
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
    "INITIALIZED": later("waiting"),
    "PROCESSING": later("running"),
    "FINISHED": later("done"),
    "FAILED": later("failed"),
    "INACTIVE": later("switched off"),
    "DELIVERED": later("delivered"),
    "PARKED": later("given up"),
    "CAPTURED": later("redeemed"),
    "CANCELED": later("canceled"),
    "LAPSED": later("lapsed"),
}

_THROUGH = {
    "API_KEY": later("API key"),
    "AGENT": later("Agent"),
    "CONSOLE_USER": later("Console"),
    "COMMAND_LINE": later("Command line"),
    "IN_PROCESS": later("In the program itself"),
    "JOB": later("Job"),
    "CALENDAR": later("By date"),
    "SERVICE": later("The service"),
}

_ENTITIES = {
    "PROGRAM_DEFINITION": later("Program definition"),
    "POOL_DEFINITION": later("Pack definition"),
    "ITEM": later("Item"),
    "PROGRAM": later("Program"),
    "POOL": later("Pack"),
    "TRANSACTION": later("Ledger entry"),
    "LOT": later("Lot"),
    "SCHEDULED_CHANGE": later("Planned change"),
    "JOB": later("Job"),
    "WEBHOOK_ENDPOINT": later("Webhook"),
    "WEBHOOK_KEY": later("Signing key"),
    "CLOCK": later("Clock"),
    "TENANT": later("Tenant"),
    "API_KEY": later("API key"),
    "CONSOLE_USER": later("User of the console"),
    "PERSON": later("Person"),
}

_JOBS = {
    "PROVISION_PROGRAM": later("Set up a program"),
    "PAUSE_PROGRAM": later("Pause a program"),
    "RESUME_PROGRAM": later("Resume a program"),
    "END_PROGRAM": later("End a program"),
    "RENEW_PROGRAM": later("Renew a program"),
    "UPDATE_POOLS": later("Change the packs of a definition"),
    "END_POOLS": later("End the packs of a definition"),
    "ADD_POOLS": later("Add a pack to programs"),
    "KEEP_POOLS": later("Add a pack with the next renewal"),
    "END_PROGRAMS": later("End the programs of a definition"),
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

_REASONS = {
    Operation.PROVISION: later("Given at the start"),
    Operation.RENEWAL: later("Renewed"),
    Operation.EXPIRY: later("Lapsed"),
    Operation.REDEEM: later("Redeemed"),
    Operation.REALLOCATE: later("Moved to another date"),
    Operation.CANCEL: later("Given back"),
    Operation.REVERT: later("Undone"),
    Operation.GRANT: later("Granted"),
    Operation.RESERVE: later("Reserved"),
    Operation.RELEASE: later("Released what was reserved"),
}
"""What transactions are whose reason is the service's own."""

_ENTRIES = {RULES[operation].reason: words for operation, words in _REASONS.items()}

_METHODS = {
    "provisionProgram": later("Sold"),
    "updateProgram": later("Changed the program"),
    "renewProgram": later("Renewed"),
    "pauseProgram": later("Paused"),
    "resumeProgram": later("Resumed"),
    "endProgram": later("Ended"),
    "scheduleProgramChange": later("Planned a change"),
    "withdrawScheduledChange": later("Withdrew a planned change"),
    "redeemBenefit": later("Redeemed"),
    "redeemEligible": later("Redeemed"),
    "cancelRedemption": later("Given back"),
    "cancelByReference": later("Canceled a booking"),
    "reallocateBenefit": later("Moved to another date"),
    "moveRedemption": later("Paid by another pack"),
    "reserveBenefit": later("Reserved"),
    "captureBenefitReservation": later("Redeemed what was reserved"),
    "cancelBenefitReservation": later("Released what was reserved"),
    "changeBalance": later("Adjusted by hand"),
    "revertBalanceChange": later("Undone"),
    "grantCredits": later("Granted"),
    "updateLot": later("Changed how long credits last"),
    "expireLot": later("Ended credits"),
    "setPerson": later("Said who it is"),
    "updatePerson": later("Changed who it is"),
    "deletePerson": later("Forgot who it was"),
    "updatePool": later("Pack changed"),
    "bulkUpdatePools": later("Packs changed"),
    "createProgramDefinition": later("Definition made"),
    "updateProgramDefinition": later("Definition changed"),
    "deleteProgramDefinition": later("Definition deleted"),
    "createPoolDefinition": later("Definition made"),
    "updatePoolDefinition": later("Definition changed"),
    "deletePoolDefinition": later("Definition deleted"),
    "updateSettings": later("Settings changed"),
    "createApiKey": later("Key made"),
    "createKey": later("Key made"),
    "revokeApiKey": later("Key revoked"),
    "revokeKey": later("Key revoked"),
    "inviteConsoleUser": later("Access given"),
    "revokeConsoleUser": later("Access taken away"),
    "createTenant": later("Tenant made"),
    "addPoolDefinitionToProgramDefinition": later("Pack added to a program definition"),
    "removePoolDefinitionFromProgramDefinition": later("Pack taken from a program definition"),
    "bulkCreatePoolDefinitions": later("Definitions made"),
    "bulkUpdatePoolDefinitions": later("Definitions changed"),
    "bulkDeletePoolDefinitions": later("Definitions deleted"),
    "createItem": later("Items added"),
    "bulkCreateItems": later("Items added"),
    "addItemsToBenefit": later("Items added"),
    "updateItem": later("Items changed"),
    "bulkUpdateItems": later("Items changed"),
    "deleteItem": later("Items removed"),
    "bulkDeleteItems": later("Items removed"),
    "bulkDeleteItemsByFilter": later("Items removed"),
    "removeItemsFromBenefit": later("Items removed"),
    "bulkRedeemBenefits": later("Redeemed"),
    "bulkReserveBenefits": later("Reserved"),
    "bulkCaptureBenefitReservations": later("Reservation redeemed"),
    "bulkCancelBenefitReservations": later("Reservation canceled"),
    "bulkSetPeople": later("Names or contacts changed"),
    "eraseBeneficiary": later("Person erased"),
    "mergeBeneficiary": later("Person merged"),
    "setClock": later("Clock set forward"),
    "rotateWebhookSecret": later("Webhook's secret changed"),
    "rotateWebhookKey": later("Signing key changed"),
    "replayWebhookEndpoint": later("Events sent again"),
    "createWebhookEndpoint": later("Webhook added"),
    "updateWebhookEndpoint": later("Webhook changed"),
    "deleteWebhookEndpoint": later("Webhook deleted"),
    "resendWebhookDelivery": later("Event sent again"),
    "retryAsyncJob": later("Job continued"),
    "cancelAsyncJob": later("Job given up"),
}

_PRINCIPALS = {
    "API_KEY": later("an API key"),
    "AGENT": later("an agent"),
    "CONSOLE_USER": later("a colleague"),
    "COMMAND_LINE": later("the command line"),
    "IN_PROCESS": later("a program"),
    "JOB": later("a job"),
    "CALENDAR": later("by its date"),
    "SERVICE": later("the service"),
}


def entry_words(transaction: Mapping[str, Any]) -> str:
    """What a transaction is."""
    details = transaction.get("details") or {}
    if details.get("movedToTransactionId"):
        return _("Paid by another pack")
    return _(_ENTRIES.get(details.get("reason")) or _FIGURES["ADJUSTED"])


def said_reason(transaction: Mapping[str, Any]) -> str:
    """Why it was made, if somebody has said it in the ledger."""
    reason: str = (transaction.get("details") or {}).get("reason") or ""
    return "" if reason in _ENTRIES else reason


def method_words(method: str) -> str:
    """What a method of the API does, as something that was done."""
    known = _METHODS.get(method)
    return _(known) if known else method


def principal_words(entry: Mapping[str, Any]) -> str:
    """Who made a change: the name, if it is known, else what kind of visitor it was."""
    principal = entry.get("principal") or {}
    visitor = VISIT.get().visitor
    if visitor and principal.get("id") and visitor.principal.key_id.endswith(principal["id"]):
        return visitor.name
    known = _PRINCIPALS.get(principal.get("kind", ""))
    return principal.get("name") or (_(known) if known else "")


_FIELDS = {
    "amount": later("How many"),
    "count": later("Places"),
    "totalCount": later("Places"),
    "reason": later("Reason"),
    "displayName": later("Name"),
    "email": later("E-mail"),
    "phone": later("Telephone"),
    "note": later("Note for colleagues"),
    "expirationDate": later("Date"),
    "targetDate": later("Date"),
    "untilDate": later("Date"),
    "date": later("Date"),
    "on": later("Date"),
    "form": later("The form"),
}
"""What forms call the fields of requests."""


def refusal_words(refusal: Refusal) -> str:
    """A refusal as a sentence; what was wrong about fields, by their names."""
    if isinstance(refusal, Invalid):
        wrong = [f"{_field_words(each.field)}: {each.description}" for each in refusal.violations]
        return " · ".join(wrong) or _("What was entered can't be used.")
    known = _REFUSALS.get(refusal.code)
    return _(known) if known else refusal.description


def _field_words(field: str) -> str:
    """A field as its form calls it, or as the API does."""
    known = _FIELDS.get(field.rpartition(".")[2])
    return _(known) if known else field


def state_words(state: str) -> str:
    known = STATES.get(state)
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


def through_words(kind: str) -> str:
    """Through what somebody acted."""
    return _(_THROUGH[kind]) if kind in _THROUGH else kind.lower().replace("_", " ")


def entity_words(kind: str) -> str:
    return _(_ENTITIES[kind]) if kind in _ENTITIES else kind.lower().replace("_", " ")


def job_words(kind: str) -> str:
    """What a job does."""
    return _(_JOBS[kind]) if kind in _JOBS else kind.capitalize().replace("_", " ")


def status_of(refusal: Refusal) -> int:
    return STATUS_BY_ERROR.get(type(refusal), 500)
