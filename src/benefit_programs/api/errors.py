"""The one table from errors to answers, and the errors that only the edge knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from benefit_programs.domain import calendar_errors, clock_errors, directory_errors, errors
from benefit_programs.domain.errors import FieldViolation, Invalid, InvalidRevision, Refusal
from benefit_programs.domain.people import errors as people_errors
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from benefit_programs.engine.engine import QueueFull
from benefit_programs.wire.codec.encoding import encoder_for
from benefit_programs.wire.types.eligibility import BenefitResult

BAD_REQUEST = 400
UNAUTHENTICATED = 401
FORBIDDEN = 403
NOT_FOUND = 404
NOT_ALLOWED = 405
REQUEST_TIMEOUT = 408
CONFLICT = 409
TOO_LARGE = 413
UNSUPPORTED = 415
FAILED_PRECONDITION = 428
THROTTLED = 429
HEAD_TOO_LARGE = 431
OURS = 500
UNAVAILABLE = 503

RETRY_SECONDS = 1


@dataclass(kw_only=True, eq=False)
class Unauthenticated(Refusal):
    """The credentials are missing or unknown."""

    code: ClassVar[str] = "UNAUTHENTICATED"


@dataclass(kw_only=True, eq=False)
class Forbidden(Refusal):
    """The credentials are known, but don't allow this."""

    code: ClassVar[str] = "PERMISSION_DENIED"


@dataclass(kw_only=True, eq=False)
class NotFoundRoute(Refusal):
    """There is nothing at this address."""

    code: ClassVar[str] = "ROUTE_NOT_FOUND"


@dataclass(kw_only=True, eq=False)
class MethodNotAllowed(Refusal):
    """The address doesn't take this verb."""

    code: ClassVar[str] = "METHOD_NOT_ALLOWED"

    allowed: tuple[str, ...]


@dataclass(kw_only=True, eq=False)
class RequestTimeout(Refusal):
    """The request took too long to arrive."""

    code: ClassVar[str] = "REQUEST_TIMEOUT"

    seconds_max: int


@dataclass(kw_only=True, eq=False)
class TooLarge(Refusal):
    """The body is larger than the service takes."""

    code: ClassVar[str] = "PAYLOAD_TOO_LARGE"

    bytes_max: int


@dataclass(kw_only=True, eq=False)
class HeadTooLarge(Refusal):
    """The address and the headers are larger than the service takes."""

    code: ClassVar[str] = "HEAD_TOO_LARGE"

    bytes_max: int


@dataclass(kw_only=True, eq=False)
class UnsupportedMediaType(Refusal):
    """The body must be JSON, with the content-type application/json."""

    code: ClassVar[str] = "UNSUPPORTED_MEDIA_TYPE"

    content_type: str | None = None
    supported: tuple[str, ...] = ("application/json",)

    @property
    def description(self) -> str:
        """What was sent and what is wanted: cURL, for one, sends a form unless it is told."""
        said = super().description
        if self.content_type is None:
            return said
        return f"{said} Its content-type is {self.content_type}."


@dataclass(kw_only=True, eq=False)
class TooManyRequests(Refusal):
    """The service, or the limit of the key, allows no more requests now: try again later."""

    code: ClassVar[str] = "TOO_MANY_REQUESTS"

    retry_after: int
    """In seconds."""


@dataclass(kw_only=True, eq=False)
class NoEligibleBenefit(Refusal):
    """No benefit of the beneficiary pays for the items: the results say why each doesn't."""

    code: ClassVar[str] = "NO_ELIGIBLE_BENEFIT"

    benefit_results: tuple[BenefitResult, ...]


@dataclass(kw_only=True, eq=False)
class Unavailable(Refusal):
    """The database can't be reached or is too busy: try again later."""

    code: ClassVar[str] = "UNAVAILABLE"

    retry_after: int
    """In seconds."""


@dataclass(kw_only=True, eq=False)
class Unexpected(Refusal):
    """Something went wrong on our side."""

    code: ClassVar[str] = "INTERNAL"


@dataclass(kw_only=True, eq=False)
class StatementTimeout(Refusal):
    """The database took too long: ask for less, or try again later."""

    code: ClassVar[str] = "STATEMENT_TIMEOUT"


STATUS_BY_ERROR: dict[type[Refusal], int] = {
    errors.Invalid: BAD_REQUEST,
    errors.InvalidItemReference: BAD_REQUEST,
    Unauthenticated: UNAUTHENTICATED,
    Forbidden: FORBIDDEN,
    errors.NotFound: NOT_FOUND,
    errors.ProgramDefinitionNotFound: NOT_FOUND,
    errors.PoolDefinitionNotFound: NOT_FOUND,
    errors.PoolDefinitionBenefitNotFound: NOT_FOUND,
    errors.ItemSetNotFound: NOT_FOUND,
    errors.ItemNotFound: NOT_FOUND,
    errors.ReferenceNotFound: NOT_FOUND,
    errors.ProgramNotFound: NOT_FOUND,
    errors.PoolNotFound: NOT_FOUND,
    errors.BenefitNotFound: NOT_FOUND,
    errors.BalanceNotFound: NOT_FOUND,
    errors.TransactionNotFound: NOT_FOUND,
    errors.JobNotFound: NOT_FOUND,
    NotFoundRoute: NOT_FOUND,
    MethodNotAllowed: NOT_ALLOWED,
    RequestTimeout: REQUEST_TIMEOUT,
    errors.ProgramDefinitionAlreadyExists: CONFLICT,
    errors.ItemAlreadyExists: CONFLICT,
    errors.ProgramAlreadyExists: CONFLICT,
    errors.InProgress: CONFLICT,
    errors.AlreadyExecuted: CONFLICT,
    errors.BenefitAlreadyRedeemed: CONFLICT,
    errors.EligibleAlreadyRedeemed: CONFLICT,
    errors.BalanceAlreadyInitialized: CONFLICT,
    errors.ChainOperationInProgress: CONFLICT,
    errors.InvalidRevision: CONFLICT,
    TooLarge: TOO_LARGE,
    UnsupportedMediaType: UNSUPPORTED,
    errors.ProgramStatusTransitionNotAllowed: FAILED_PRECONDITION,
    errors.NotEnoughBalance: FAILED_PRECONDITION,
    errors.NotEnoughBalanceToRevert: FAILED_PRECONDITION,
    errors.PolicyExpressionEvaluatedToFalse: FAILED_PRECONDITION,
    errors.PoolNotActive: FAILED_PRECONDITION,
    NoEligibleBenefit: FAILED_PRECONDITION,
    errors.NotLatestTransaction: FAILED_PRECONDITION,
    errors.RedemptionAlreadyCanceled: FAILED_PRECONDITION,
    errors.TransactionNotReallocatable: FAILED_PRECONDITION,
    errors.TransactionNotCancelable: FAILED_PRECONDITION,
    errors.TransactionNotMovable: FAILED_PRECONDITION,
    errors.TooManyReferenced: FAILED_PRECONDITION,
    errors.BalanceExceededLimits: FAILED_PRECONDITION,
    errors.TransactionNotSupersedable: FAILED_PRECONDITION,
    errors.TransactionAlreadySuperseded: FAILED_PRECONDITION,
    errors.ChangeAlreadyReverted: FAILED_PRECONDITION,
    errors.JobNotRetryable: FAILED_PRECONDITION,
    errors.JobNotCancelable: FAILED_PRECONDITION,
    errors.TooManyToCount: FAILED_PRECONDITION,
    errors.EventsRemoved: FAILED_PRECONDITION,
    errors.LotNotFound: NOT_FOUND,
    errors.LotIsStandard: FAILED_PRECONDITION,
    errors.LotExpired: FAILED_PRECONDITION,
    errors.TooManyLots: FAILED_PRECONDITION,
    errors.WebhookEndpointNotFound: NOT_FOUND,
    errors.WebhookDeliveryNotFound: NOT_FOUND,
    errors.TooManyWebhookEndpoints: FAILED_PRECONDITION,
    errors.TooManyToReplay: FAILED_PRECONDITION,
    errors.SecretKeyMissing: FAILED_PRECONDITION,
    errors.ReservationNotFound: NOT_FOUND,
    errors.ReservationNotOpen: FAILED_PRECONDITION,
    errors.NotEnoughReserved: FAILED_PRECONDITION,
    errors.TooManyReservations: FAILED_PRECONDITION,
    calendar_errors.EndDatePassed: FAILED_PRECONDITION,
    calendar_errors.ProgramDatesFixed: FAILED_PRECONDITION,
    calendar_errors.ScheduledChangeNotFound: NOT_FOUND,
    calendar_errors.ScheduledChangeOver: FAILED_PRECONDITION,
    calendar_errors.TooManyScheduledChanges: FAILED_PRECONDITION,
    calendar_errors.PausedDaysUsedUp: FAILED_PRECONDITION,
    clock_errors.NotASandbox: FAILED_PRECONDITION,
    clock_errors.ClockIsMoving: FAILED_PRECONDITION,
    directory_errors.ApiKeyNotFound: NOT_FOUND,
    directory_errors.ConsoleUserNotFound: NOT_FOUND,
    directory_errors.TenantNotFound: NOT_FOUND,
    directory_errors.TenantAlreadyExists: CONFLICT,
    people_errors.PersonNotFound: NOT_FOUND,
    TooManyRequests: THROTTLED,
    HeadTooLarge: HEAD_TOO_LARGE,
    Unexpected: OURS,
    StatementTimeout: UNAVAILABLE,
    Unavailable: UNAVAILABLE,
}


def refusal_of(error: Exception) -> Refusal:
    """An error of the engine or the store as callers read it; what isn't known is ours."""
    match error:
        case Refusal():
            return error
        case QueueFull():
            return TooManyRequests(retry_after=RETRY_SECONDS)
        case StoreTimeout():
            return StatementTimeout()
        case StoreConflict() | StoreUnavailable():
            return Unavailable(retry_after=RETRY_SECONDS)
    return Unexpected()


def error_body(error: BaseException) -> tuple[int, dict[str, Any]]:
    """The status and the body that answer an error; what isn't known is ours."""
    refusal = error if isinstance(error, Refusal) else Unexpected()
    status = STATUS_BY_ERROR.get(type(refusal), OURS)
    if isinstance(refusal, Invalid):
        details = {"validationError": {"fieldViolations": _violations(refusal)}}
        return status, {"message": str(refusal), "details": details}
    details = {"applicationError": application_error(refusal)}
    return status, {"message": refusal.description, "details": details}


def error_headers(error: BaseException) -> dict[str, str]:
    """The headers that belong to the answer of an error."""
    match error:
        case TooManyRequests() | Unavailable():
            return {"retry-after": str(error.retry_after)}
        case MethodNotAllowed():
            return {"allow": ", ".join(error.allowed)}
    return {}


def application_error(refusal: Refusal) -> dict[str, Any]:
    """A refusal as {code, description, data}: in an answer, or for an entry of a bulk request."""
    return {
        "code": refusal.code,
        "description": refusal.description,
        "data": _data_of(refusal),
    }


def _data_of(refusal: Refusal) -> dict[str, Any]:
    if isinstance(refusal, Invalid):
        return {"fieldViolations": _violations(refusal)}
    data = encoder_for(type(refusal))(refusal)
    if isinstance(refusal, InvalidRevision):
        return {"revisionViolation": data}
    context = data.pop("context", {})
    return {**data, **context}


def _violations(refusal: Invalid) -> list[dict[str, Any]]:
    write = encoder_for(FieldViolation)
    return [write(violation) for violation in refusal.violations]
