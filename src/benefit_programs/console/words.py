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

_METHODS = {
    "provisionProgram": later("Program sold"),
    "renewProgram": later("Program renewed"),
    "pauseProgram": later("Program paused"),
    "resumeProgram": later("Program resumed"),
    "endProgram": later("Program ended"),
    "updateProgram": later("Program changed"),
    "updatePool": later("Pack changed"),
    "bulkUpdatePools": later("Packs changed"),
    "redeemBenefit": later("Redeemed"),
    "redeemEligible": later("Redeemed"),
    "reallocateBenefit": later("Paid from another pack"),
    "moveRedemption": later("Paid from another pack"),
    "cancelRedemption": later("Given back"),
    "cancelByReference": later("Given back"),
    "reserveBenefit": later("Reserved"),
    "captureBenefitReservation": later("Reservation redeemed"),
    "cancelBenefitReservation": later("Reservation canceled"),
    "changeBalance": later("Adjusted by hand"),
    "revertBalanceChange": later("Adjustment undone"),
    "grantCredits": later("Credits granted"),
    "updateLot": later("Expiry changed"),
    "expireLot": later("Credits ended"),
    "scheduleProgramChange": later("Change planned"),
    "withdrawScheduledChange": later("Planned change withdrawn"),
    "createProgramDefinition": later("Definition made"),
    "updateProgramDefinition": later("Definition changed"),
    "deleteProgramDefinition": later("Definition deleted"),
    "createPoolDefinition": later("Definition made"),
    "updatePoolDefinition": later("Definition changed"),
    "deletePoolDefinition": later("Definition deleted"),
    "updateSettings": later("Settings changed"),
    "setPerson": later("Name or contact changed"),
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
    "bulkReserveBenefits": later("Reserved"),
    "bulkCaptureBenefitReservations": later("Reservation redeemed"),
    "bulkCancelBenefitReservations": later("Reservation canceled"),
    "bulkSetPeople": later("Names or contacts changed"),
    "deletePerson": later("Name and contact removed"),
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
"""What was done, by the method; others are shown by its name."""

_PRINCIPALS = {
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


def refusal_words(refusal: Refusal) -> str:
    """A refusal as a sentence; what was wrong about fields, by their names."""
    if isinstance(refusal, Invalid):
        wrong = [f"{each.field}: {each.description}" for each in refusal.violations]
        return " · ".join(wrong) or _("What was entered can't be used.")
    known = _REFUSALS.get(refusal.code)
    return _(known) if known else refusal.description


def state_words(state: str) -> str:
    known = _STATES.get(state)
    return _(known) if known else state.lower().replace("_", " ")


def figure_words(figure: str) -> str:
    """What a line of the ledger is."""
    known = _FIGURES.get(figure)
    return _(known) if known else figure.lower().replace("_", " ")


def done_words(method: str | None) -> str:
    """What a method did, as an entry of the audit says it."""
    known = _METHODS.get(method or "")
    return _(known) if known else method or _("By itself")


def principal_words(kind: str) -> str:
    """Through what somebody acted."""
    return _(_PRINCIPALS[kind]) if kind in _PRINCIPALS else kind.lower().replace("_", " ")


def entity_words(kind: str) -> str:
    return _(_ENTITIES[kind]) if kind in _ENTITIES else kind.lower().replace("_", " ")


def job_words(kind: str) -> str:
    """What a job does."""
    return _(_JOBS[kind]) if kind in _JOBS else kind.capitalize().replace("_", " ")


def status_of(refusal: Refusal) -> int:
    return STATUS_BY_ERROR.get(type(refusal), 500)
