"""What can go wrong, as classes.

    BenefitProgramsError
    ├── ConnectionFailed              no whole answer came
    │   └── TimedOut
    ├── UnreadableAnswer              what came is no answer of the service
    ├── JobFailed, JobStillRunning    raised by wait_for_job
    ├── NotOneRow                     raised by one
    ├── ServerNotInstalled            raised by open
    ├── DatabaseNotUsable             raised by a client that open made
    └── ApiError                      the service refused; has code, status and data
        ├── BadRequest                400
        │   ├── ValidationError           with all violations
        │   └── InvalidItemReference
        ├── Unauthenticated           401
        ├── PermissionDenied          403
        ├── NotFound                  404, and below it ProgramNotFound, PoolNotFound, ...
        ├── Conflict                  409
        │   ├── ProgramAlreadyExists, ProgramDefinitionAlreadyExists, ItemAlreadyExists
        │   ├── BenefitAlreadyRedeemed, AlreadyExecuted, BalanceAlreadyInitialized
        │   ├── InProgress, ChainOperationInProgress
        │   └── InvalidRevision
        ├── FailedPrecondition        428
        │   ├── NotEnoughBalance, BalanceExceededLimits
        │   ├── PolicyExpressionEvaluatedToFalse, PoolNotActive
        │   ├── ProgramStatusTransitionNotAllowed
        │   ├── NotLatestTransaction, RedemptionAlreadyCanceled, ChangeAlreadyReverted
        │   ├── TransactionNotReallocatable, TransactionNotCancelable
        │   ├── TransactionNotSupersedable, TransactionAlreadySuperseded
        │   ├── JobNotRetryable, JobNotCancelable
        │   └── TooManyToCount
        ├── Throttled                 429
        └── ServerError               5xx

A code that this version doesn't know raises the class of its status.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

import msgspec

from benefit_programs.client.types.common import ItemReference, Part
from benefit_programs.client.types.enums import PoolStatus, ProgramStatus
from benefit_programs.client.types.jobs import Job
from benefit_programs.client.types.pools import PolicyFailure

T = TypeVar("T")


class BenefitProgramsError(Exception):
    """Anything that the client raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with all that is known."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[BenefitProgramsError], args: Any, known: Any) -> BenefitProgramsError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(known)
    return error


class ConnectionFailed(BenefitProgramsError):
    """The service couldn't be reached, or the connection broke before a whole answer came.

    ``may_have_happened`` tells whether the service may have done what was asked. ``request_id`` is
    what the service logged the request under, if it got it. Calling again with ``idempotency_key``,
    where the method takes one, does what was asked once, whatever has happened.
    """

    idempotency_key: str | None = None

    def __init__(
        self, message: str, *, may_have_happened: bool = True, request_id: str | None = None
    ) -> None:
        """Tell what failed."""
        super().__init__(message)
        self.may_have_happened = may_have_happened
        self.request_id = request_id


class TimedOut(ConnectionFailed):
    """The service took longer than the client's timeout."""


class UnreadableAnswer(BenefitProgramsError):
    """What came back is no answer of the service: mostly a wrong address, or a proxy between."""

    def __init__(self, message: str, *, status: int, body: bytes) -> None:
        """Tell what came."""
        super().__init__(message)
        self.status = status
        self.body = body


class JobFailed(BenefitProgramsError):
    """The job ended as FAILED; ``job`` tells its counts and the codes of its errors."""

    def __init__(self, job: Job) -> None:
        """Tell which job failed."""
        super().__init__(f"job {job.id} failed: {job.counts.error_by_code_count}")
        self.job = job


class JobStillRunning(BenefitProgramsError):
    """The job didn't end in the time that it was waited for; it goes on."""

    def __init__(self, job: Job, seconds: float) -> None:
        """Tell which job is still running."""
        super().__init__(f"job {job.id} is {job.status} after {seconds:g} seconds")
        self.job = job


class NotOneRow(BenefitProgramsError):
    """A query that must find exactly one row has found none, or several."""

    def __init__(self, name: str, *, is_empty: bool) -> None:
        """Tell what was asked, and how it failed."""
        super().__init__(f"{name} found {'no row' if is_empty else 'several rows'}")
        self.is_empty = is_empty


class ServerNotInstalled(BenefitProgramsError):
    """The service itself isn't installed here, so it can't run in this process."""


class DatabaseNotUsable(BenefitProgramsError):
    """The database can't be opened: another process has it, it isn't prepared, or isn't there."""


class FieldViolation(Part, frozen=True, kw_only=True):
    """One field that breaks a rule. ``field`` is its JSON path in the request, with indexes."""

    field: str = ""
    description: str = ""
    violated_rule: str = ""
    rule_name: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class _Fact(Generic[T]):
    """A typed value in the data of an error; None where it is absent or of another kind."""

    def __init__(self, path: str, read: Callable[[Any], T]) -> None:
        self._path = path.split(".")
        self._read = read

    @overload
    def __get__(self, error: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, error: ApiError, owner: type[object]) -> T | None: ...
    def __get__(self, error: ApiError | None, owner: type[object]) -> Self | T | None:
        if error is None:
            return self
        value: Any = error.data
        for name in self._path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return None
        try:
            return self._read(value)
        except (ValueError, TypeError, InvalidOperation, msgspec.ValidationError):
            return None


def _text(path: str) -> _Fact[str]:
    return _Fact(path, str)


def _amount(path: str) -> _Fact[Decimal]:
    return _Fact(path, Decimal)


def _item_reference(value: Any) -> ItemReference:
    return msgspec.convert(value, ItemReference)


class ApiError(BenefitProgramsError):
    """The service refused, and says why.

    ``code`` is the contract's code (or the status as text, where an answer has none), ``data`` its
    facts as they came. ``request_id`` finds the request in the log of the service.
    """

    codes: ClassVar[tuple[str, ...]] = ()
    """The codes of the contract that raise this class."""

    def __init__(
        self,
        description: str = "",
        *,
        status: int,
        code: str = "",
        data: dict[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        """Tell what the service said."""
        super().__init__(f"{status} {code}: {description}" if code else f"{status} {description}")
        self.description = description
        self.status = status
        self.code = code or str(status)
        self.data: dict[str, Any] = data or {}
        self.request_id = request_id


class BadRequest(ApiError):
    """The request is wrong in itself."""


class ValidationError(BadRequest):
    """The request breaks rules; ``violations`` has all of them."""

    codes = ("VALIDATION_ERROR",)

    @property
    def violations(self) -> tuple[FieldViolation, ...]:
        """Each field that breaks a rule."""
        found = self.data.get("fieldViolations", ())
        return msgspec.convert(found, tuple[FieldViolation, ...])


class InvalidItemReference(BadRequest):
    """No benefit of the namespace has items of this provider app."""

    codes = ("INVALID_ITEM_REFERENCE",)
    item_reference = _Fact("itemReference", _item_reference)


class Unauthenticated(ApiError):
    """The credentials are missing or unknown."""

    codes = ("UNAUTHENTICATED",)


class PermissionDenied(ApiError):
    """The credentials are known, but don't allow this."""

    codes = ("PERMISSION_DENIED",)


class NotFound(ApiError):
    """What was named doesn't exist."""

    codes = ("NOT_FOUND",)


class ProgramDefinitionNotFound(NotFound):
    """The program definition doesn't exist."""

    codes = ("PROGRAM_DEFINITION_NOT_FOUND",)
    program_definition_id = _text("programDefinitionId")


class PoolDefinitionNotFound(NotFound):
    """The pool definition doesn't exist."""

    codes = ("POOL_DEFINITION_NOT_FOUND",)
    pool_definition_id = _text("poolDefinitionId")


class PoolDefinitionBenefitNotFound(NotFound):
    """The pool definition has no such benefit."""

    codes = ("POOL_DEFINITION_BENEFIT_NOT_FOUND",)
    pool_definition_id = _text("poolDefinitionId")
    benefit_key = _text("benefitKey")


class ItemSetNotFound(NotFound):
    """No benefit has this item set."""

    codes = ("ITEM_SET_NOT_FOUND",)
    item_set_id = _text("itemSetId")


class ItemNotFound(NotFound):
    """The item doesn't exist."""

    codes = ("ITEM_NOT_FOUND",)
    item_id = _text("itemId")


class ProgramNotFound(NotFound):
    """The program doesn't exist."""

    codes = ("PROGRAM_NOT_FOUND",)
    program_id = _text("programId")


class PoolNotFound(NotFound):
    """The pool doesn't exist."""

    codes = ("POOL_NOT_FOUND",)
    pool_id = _text("poolId")


class BenefitNotFound(NotFound):
    """The pool has no such benefit, or the benefit doesn't hold the item."""

    codes = ("BENEFIT_NOT_FOUND",)
    pool_id = _text("poolId")
    benefit_key = _text("benefitKey")


class BalanceNotFound(NotFound):
    """The balance doesn't exist."""

    codes = ("BALANCE_NOT_FOUND",)
    pool_id = _text("poolId")


class TransactionNotFound(NotFound):
    """The transaction doesn't exist."""

    codes = ("TRANSACTION_NOT_FOUND",)
    transaction_id = _text("transactionId")


class JobNotFound(NotFound):
    """The job doesn't exist, or ended so long ago that it was removed."""

    codes = ("JOB_NOT_FOUND",)
    job_id = _text("jobId")


class Conflict(ApiError):
    """It was made, done or changed before, or is being done."""


class ProgramDefinitionAlreadyExists(Conflict):
    """The namespace has a program definition with this external id."""

    codes = ("PROGRAM_DEFINITION_ALREADY_EXISTS",)
    program_definition_id = _text("programDefinitionId")
    external_id = _text("externalId")
    namespace = _text("namespace")


class ItemAlreadyExists(Conflict):
    """The item set has an item with this reference."""

    codes = ("ITEM_ALREADY_EXISTS",)
    item_id = _text("itemId")
    item_set_id = _text("itemSetId")


class ProgramAlreadyExists(Conflict):
    """The namespace has a program with this external id."""

    codes = ("PROGRAM_ALREADY_EXISTS",)
    external_program_id = _text("externalProgramId")
    namespace = _text("namespace")


class InProgress(Conflict):
    """Another action on the program is still running."""

    codes = ("IN_PROGRESS",)


class AlreadyExecuted(Conflict):
    """The idempotency key was used for this action before; the ids are the first execution's."""

    codes = ("ALREADY_EXECUTED",)
    idempotency_key = _text("idempotencyKey")
    transaction_id = _text("transactionId")
    job_id = _text("jobId")


class BenefitAlreadyRedeemed(Conflict):
    """The idempotency key was used for a redemption of this pool before."""

    codes = ("BENEFIT_ALREADY_REDEEMED",)
    pool_id = _text("poolId")
    idempotency_key = _text("idempotencyKey")
    transaction_id = _text("transactionId")


class BalanceAlreadyInitialized(Conflict):
    """The balance has transactions, so it can't be set initially."""

    codes = ("BALANCE_ALREADY_INITIALIZED",)


class ChainOperationInProgress(Conflict):
    """Another operation on the redemption is still running."""

    codes = ("CHAIN_OPERATION_IN_PROGRESS",)
    pending_transaction_id = _text("pendingTransactionId")


class InvalidRevision(Conflict):
    """The entity was changed meanwhile: read it again."""

    codes = ("INVALID_REVISION",)
    entity_id = _text("revisionViolation.entityId")


class FailedPrecondition(ApiError):
    """The state doesn't allow it."""


class ProgramStatusTransitionNotAllowed(FailedPrecondition):
    """The program's status doesn't allow the action."""

    codes = ("PROGRAM_STATUS_TRANSITION_NOT_ALLOWED",)
    current_status = _Fact("currentStatus", ProgramStatus)
    requested_status = _Fact("requestedStatus", ProgramStatus)


class NotEnoughBalance(FailedPrecondition):
    """The pool's balance can't pay, or can't give back what a transaction brought."""

    codes = ("NOT_ENOUGH_BALANCE",)
    pool_id = _text("poolId")
    item_reference = _Fact("itemReference", _item_reference)
    _available_to_spend = _amount("availableBalance")
    _available_to_revert = _amount("balance.available")
    _requested_to_spend = _amount("requestedBalance")
    _requested_to_revert = _amount("requested")

    @property
    def available(self) -> Decimal | None:
        """What the balance has."""
        spend = self._available_to_spend
        return self._available_to_revert if spend is None else spend

    @property
    def requested(self) -> Decimal | None:
        """What it would have to have."""
        spend = self._requested_to_spend
        return self._requested_to_revert if spend is None else spend


class PolicyExpressionEvaluatedToFalse(FailedPrecondition):
    """The policy of the benefit doesn't allow it."""

    codes = ("POLICY_EXPRESSION_EVALUATED_TO_FALSE",)
    pool_id = _text("poolId")
    item_reference = _Fact("itemReference", _item_reference)

    @property
    def failures(self) -> tuple[PolicyFailure, ...]:
        """Why the policies said no; at most 10."""
        return msgspec.convert(self.data.get("failureDetails", ()), tuple[PolicyFailure, ...])


class PoolNotActive(FailedPrecondition):
    """The pool is not active."""

    codes = ("POOL_NOT_ACTIVE",)
    pool_id = _text("poolId")
    pool_status = _Fact("poolStatus", PoolStatus)


class NotLatestTransaction(FailedPrecondition):
    """A later transaction took the place of this one."""

    codes = ("NOT_LATEST_TRANSACTION",)
    latest_transaction_id = _text("latestTransactionId")


class RedemptionAlreadyCanceled(FailedPrecondition):
    """The redemption was canceled or reverted before."""

    codes = ("REDEMPTION_ALREADY_CANCELED",)
    cancellation_transaction_id = _text("cancellationTransactionId")


class TransactionNotReallocatable(FailedPrecondition):
    """The transaction is no redemption that can be moved to another date."""

    codes = ("TRANSACTION_NOT_REALLOCATABLE",)


class TransactionNotCancelable(FailedPrecondition):
    """The transaction is no redemption that can be canceled."""

    codes = ("TRANSACTION_NOT_CANCELABLE",)


class BalanceExceededLimits(FailedPrecondition):
    """The change would take the balance past a limit."""

    codes = ("BALANCE_EXCEEDED_LIMITS",)
    available = _amount("balance.available")
    requested = _amount("requested")
    lower_limit = _amount("lowerLimit")
    upper_limit = _amount("upperLimit")


class TransactionNotSupersedable(FailedPrecondition):
    """The transaction can't be superseded."""

    codes = ("TRANSACTION_NOT_SUPERSEDABLE",)
    transaction_id = _text("transactionId")


class TransactionAlreadySuperseded(FailedPrecondition):
    """Another transaction superseded this one before."""

    codes = ("TRANSACTION_ALREADY_SUPERSEDED",)
    superseded_transaction_id = _text("supersededTransactionId")


class ChangeAlreadyReverted(FailedPrecondition):
    """The transaction was reverted or canceled before."""

    codes = ("CHANGE_ALREADY_REVERTED",)
    original_transaction_id = _text("originalTransactionId")
    reverted_transaction_id = _text("revertedTransactionId")


class JobNotRetryable(FailedPrecondition):
    """Only a job that has failed, and wasn't canceled, can be tried again."""

    codes = ("JOB_NOT_RETRYABLE",)
    job_id = _text("jobId")


class JobNotCancelable(FailedPrecondition):
    """Only a cascade that hasn't ended can be canceled."""

    codes = ("JOB_NOT_CANCELABLE",)
    job_id = _text("jobId")


class TooManyToCount(FailedPrecondition):
    """More items fit the filter than are counted."""

    codes = ("TOO_MANY_TO_COUNT",)


class Throttled(ApiError):
    """The service has more to do than it can take on, also after the client's retries.

    ``retry_after`` is the number of seconds that the service asked to wait.
    """

    retry_after: float | None = None


class ServerError(ApiError):
    """The service, or something in front of it, failed; also after the client's retries.

    What was asked may have happened. Calling again with ``idempotency_key``, where the method takes
    one, does it once.
    """

    retry_after: float | None = None
    idempotency_key: str | None = None
