# Made by tools/generate_client.py (`make docs`): change what it reads.
"""The refusals of the contract, and their facts."""

from __future__ import annotations

from benefit_programs.client.core.facts import Fact, flag, instant, item, number, text, texts
from benefit_programs.client.errors import BadRequest, NotFound, Conflict, FailedPrecondition
from benefit_programs.client.generated.enums import PoolStatus, ProgramStatus, ReservationStatus

class InvalidItemReference(BadRequest, code="INVALID_ITEM_REFERENCE"):
    """No benefit of the namespace has items of this provider app."""
    item_reference = item()

class ProgramDefinitionNotFound(NotFound, code="PROGRAM_DEFINITION_NOT_FOUND"):
    """The program definition doesn't exist."""
    exists_in_namespace = text()
    program_definition_id = text()
    external_id = text()
    namespace = text()

class PoolDefinitionNotFound(NotFound, code="POOL_DEFINITION_NOT_FOUND"):
    """The pool definition doesn't exist."""
    pool_definition_id = text()

class PoolDefinitionBenefitNotFound(NotFound, code="POOL_DEFINITION_BENEFIT_NOT_FOUND"):
    """The pool definition has no such benefit."""
    pool_definition_id = text()
    benefit_key = text()

class ItemSetNotFound(NotFound, code="ITEM_SET_NOT_FOUND"):
    """No benefit has this item set."""
    item_set_id = text()

class ItemNotFound(NotFound, code="ITEM_NOT_FOUND"):
    """The item doesn't exist."""
    item_id = text()

class ProgramNotFound(NotFound, code="PROGRAM_NOT_FOUND"):
    """The program doesn't exist."""
    exists_in_namespace = text()
    program_id = text()
    external_id = text()
    namespace = text()

class PoolNotFound(NotFound, code="POOL_NOT_FOUND"):
    """The pool doesn't exist."""
    exists_in_namespace = text()
    pool_id = text()

class BenefitNotFound(NotFound, code="BENEFIT_NOT_FOUND"):
    """The pool has no such benefit, or the benefit doesn't hold the item."""
    pool_id = text()
    benefit_key = text()

class BalanceNotFound(NotFound, code="BALANCE_NOT_FOUND"):
    """The balance doesn't exist."""
    pool_id = text()

class TransactionNotFound(NotFound, code="TRANSACTION_NOT_FOUND"):
    """The transaction doesn't exist."""
    transaction_id = text()

class JobNotFound(NotFound, code="JOB_NOT_FOUND"):
    """The job doesn't exist, or ended so long ago that it was removed."""
    job_id = text()

class ProgramDefinitionAlreadyExists(Conflict, code="PROGRAM_DEFINITION_ALREADY_EXISTS"):
    """The namespace has a program definition with this external id."""
    external_id = text()
    namespace = text()
    program_definition_id = text()

class ItemAlreadyExists(Conflict, code="ITEM_ALREADY_EXISTS"):
    """The item set has an item with this reference."""
    item_set_id = text()
    external_id = text()
    provider_app_id = text()
    category = text()
    item_id = text()

class ProgramAlreadyExists(Conflict, code="PROGRAM_ALREADY_EXISTS"):
    """The namespace has a program with this external id and pools."""
    external_program_id = text()
    namespace = text()
    program_id = text()

class InProgress(Conflict, code="IN_PROGRESS"):
    """Another action on the program, or on the beneficiary, is still running."""

class AlreadyExecuted(Conflict, code="ALREADY_EXECUTED"):
    """The idempotency key was used for this action before."""
    idempotency_key = text()
    transaction_id = text()
    job_id = text()
    lot_id = text()
    same_request = flag()

class BenefitAlreadyRedeemed(Conflict, code="BENEFIT_ALREADY_REDEEMED"):
    """The idempotency key was used for a redemption of this pool before."""
    pool_id = text()
    idempotency_key = text()
    transaction_id = text()
    same_request = flag()

class BalanceAlreadyInitialized(Conflict, code="BALANCE_ALREADY_INITIALIZED"):
    """The balance has transactions, so it can't be set initially."""

class ChainOperationInProgress(Conflict, code="CHAIN_OPERATION_IN_PROGRESS"):
    """Another operation on the redemption is still running."""
    pending_transaction_id = text()

class ProgramStatusTransitionNotAllowed(FailedPrecondition, code="PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"):
    """The program's status doesn't allow the action."""
    current_status = Fact(ProgramStatus)
    requested_status = Fact(ProgramStatus)

class PoolNotActive(FailedPrecondition, code="POOL_NOT_ACTIVE"):
    """The pool is not active."""
    pool_id = text()
    pool_status = Fact(PoolStatus)

class NotLatestTransaction(FailedPrecondition, code="NOT_LATEST_TRANSACTION"):
    """A later transaction took the place of this one."""
    latest_transaction_id = text()

class RedemptionAlreadyCanceled(FailedPrecondition, code="REDEMPTION_ALREADY_CANCELED"):
    """The redemption was canceled or reverted before."""
    cancellation_transaction_id = text()

class TransactionNotReallocatable(FailedPrecondition, code="TRANSACTION_NOT_REALLOCATABLE"):
    """The transaction is no redemption that can be moved to another date."""

class TransactionNotCancelable(FailedPrecondition, code="TRANSACTION_NOT_CANCELABLE"):
    """The transaction is no redemption that can be canceled."""

class TransactionNotMovable(FailedPrecondition, code="TRANSACTION_NOT_MOVABLE"):
    """The transaction is no redemption that another pool can pay."""

class TooManyReferenced(FailedPrecondition, code="TOO_MANY_REFERENCED"):
    """More transactions have the external reference than are canceled at once: name each."""
    maximum = number()

class TransactionNotSupersedable(FailedPrecondition, code="TRANSACTION_NOT_SUPERSEDABLE"):
    """The transaction can't be superseded."""
    transaction_id = text()

class TransactionAlreadySuperseded(FailedPrecondition, code="TRANSACTION_ALREADY_SUPERSEDED"):
    """Another transaction superseded this one before."""
    superseded_transaction_id = text()

class ChangeAlreadyReverted(FailedPrecondition, code="CHANGE_ALREADY_REVERTED"):
    """The transaction was reverted or canceled before."""
    original_transaction_id = text()
    reverted_transaction_id = text()

class JobNotRetryable(FailedPrecondition, code="JOB_NOT_RETRYABLE"):
    """Only a job that has failed, and wasn't canceled, can be tried again."""
    job_id = text()

class JobNotCancelable(FailedPrecondition, code="JOB_NOT_CANCELABLE"):
    """Only a cascade that hasn't ended can be canceled."""
    job_id = text()

class TooManyToCount(FailedPrecondition, code="TOO_MANY_TO_COUNT"):
    """More items fit the filter than are counted."""

class EventsRemoved(FailedPrecondition, code="EVENTS_REMOVED"):
    """The events right after the cursor were removed: begin without one, with the oldest left."""
    cursor = text()
    oldest_cursor = text()

class LotNotFound(NotFound, code="LOT_NOT_FOUND"):
    """The tenant has no lot with this id."""
    lot_id = text()

class LotIsStandard(FailedPrecondition, code="LOT_IS_STANDARD"):
    """It is the standard lot of a pool: it has no terms, and never expires."""
    lot_id = text()

class LotExpired(FailedPrecondition, code="LOT_EXPIRED"):
    """The lot has expired, or was ended before."""
    lot_id = text()

class TooManyLots(FailedPrecondition, code="TOO_MANY_LOTS"):
    """The pool has as many lots that are live or still to come as it may have."""
    maximum = number()

class WebhookEndpointNotFound(NotFound, code="WEBHOOK_ENDPOINT_NOT_FOUND"):
    """The tenant has no webhook endpoint with this id."""
    webhook_endpoint_id = text()

class WebhookDeliveryNotFound(NotFound, code="WEBHOOK_DELIVERY_NOT_FOUND"):
    """The log has no delivery with this id."""
    webhook_delivery_id = text()

class TooManyWebhookEndpoints(FailedPrecondition, code="TOO_MANY_WEBHOOK_ENDPOINTS"):
    """The tenant has as many webhook endpoints as it may have."""
    maximum = number()

class TooManyToReplay(FailedPrecondition, code="TOO_MANY_TO_REPLAY"):
    """An entity has more events since then than are delivered again at once; begin later."""
    maximum = number()

class SecretKeyMissing(FailedPrecondition, code="SECRET_KEY_MISSING"):
    """The service has no key to keep secrets with: its operator must set BENEFITS_SECRET_KEY."""

class ReservationNotFound(NotFound, code="RESERVATION_NOT_FOUND"):
    """The reservation doesn't exist."""
    reservation_id = text()

class ReservationNotOpen(FailedPrecondition, code="RESERVATION_NOT_OPEN"):
    """The reservation holds nothing any more: it was captured or canceled, or it has lapsed."""
    reservation_id = text()
    reservation_status = Fact(ReservationStatus)

class NotEnoughReserved(FailedPrecondition, code="NOT_ENOUGH_RESERVED"):
    """The reservation holds fewer items than are to be captured."""
    reservation_id = text()
    held_count = number()
    requested_count = number()

class TooManyReservations(FailedPrecondition, code="TOO_MANY_RESERVATIONS"):
    """The pool has as many open reservations as it may have."""
    pool_id = text()
    maximum = number()

class EndDatePassed(FailedPrecondition, code="END_DATE_PASSED"):
    """The end of the program definition's programs has passed: give the program another endDate."""
    program_definition_id = text()
    end_date = instant()

class ProgramDatesFixed(FailedPrecondition, code="PROGRAM_DATES_FIXED"):
    """These dates can't be changed now: the program has ended, or is paused."""
    fields = texts()
    current_status = Fact(ProgramStatus)

class ScheduledChangeNotFound(NotFound, code="SCHEDULED_CHANGE_NOT_FOUND"):
    """No change with a date has this id."""
    scheduled_change_id = text()

class ScheduledChangeOver(FailedPrecondition, code="SCHEDULED_CHANGE_OVER"):
    """The change no longer waits: it was done, refused or withdrawn."""
    scheduled_change_id = text()
    change_status = text()

class TooManyScheduledChanges(FailedPrecondition, code="TOO_MANY_SCHEDULED_CHANGES"):
    """As many changes wait for their dates as may."""
    maximum = number()

class PausedDaysUsedUp(FailedPrecondition, code="PAUSED_DAYS_USED_UP"):
    """The program was paused for as many days of this year as its terms allow."""
    program_id = text()
    paused_days_max = number()

class NotASandbox(FailedPrecondition, code="NOT_A_SANDBOX"):
    """Only a tenant that was made as a sandbox has a clock of its own."""

class ClockIsMoving(FailedPrecondition, code="CLOCK_IS_MOVING"):
    """The clock is being set forward already."""

class ApiKeyNotFound(NotFound, code="API_KEY_NOT_FOUND"):
    """The tenant has no such key. A key of several tenants is no tenant's."""
    api_key_id = text()

class ConsoleUserNotFound(NotFound, code="CONSOLE_USER_NOT_FOUND"):
    """The console of the tenant has no such user."""
    console_user_id = text()

class TenantNotFound(NotFound, code="TENANT_NOT_FOUND"):
    """No tenant has this site id."""
    site_id = text()

class TenantAlreadyExists(Conflict, code="TENANT_ALREADY_EXISTS"):
    """Another tenant has this site id."""
    site_id = text()

class PersonNotFound(NotFound, code="PERSON_NOT_FOUND"):
    """No person has this id."""
    person_id = text()
