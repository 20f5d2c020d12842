"""What can go wrong, as classes.

    BenefitProgramsError
    ├── ConnectionFailed              no whole answer came
    │   └── TimedOut
    ├── UnreadableAnswer              what came is no answer of the service
    ├── JobFailed, JobStillRunning    raised by wait_for_job
    ├── WrongArgument                 an argument that can't be sent; also a ValueError
    ├── NotOneRow                     raised by one
    ├── ServerNotInstalled            raised by open
    ├── DatabaseNotUsable             raised by a client that open made
    ├── NotInProcess                  raised by on_events
    ├── WebhookNotVerified            raised by Webhook.verify and verify_jwt
    ├── JwtNotInstalled               raised by Webhook.verify_jwt
    └── ApiError                      the service refused; has code, status and data
        ├── BadRequest                400
        │   └── ValidationError           with all violations
        ├── Unauthenticated           401
        ├── PermissionDenied          403
        ├── NotFound                  404
        ├── Conflict                  409
        │   └── InvalidRevision, EligibleAlreadyRedeemed
        ├── FailedPrecondition        428
        │   ├── NotEnoughBalance, BalanceExceededLimits
        │   └── PolicyExpressionEvaluatedToFalse, NoEligibleBenefit
        ├── Throttled                 429
        └── ServerError               5xx

Each other code of the contract has a class in ``generated.errors``, named for it, below the class
of its status: PROGRAM_NOT_FOUND raises ProgramNotFound, a NotFound. A code that this version
doesn't know raises the class of its status.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from benefit_programs.client.core.facts import amount, flag, item, text
from benefit_programs.client.core.wire import from_wire
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.jobs import Job
from benefit_programs.client.types.pools import BenefitResult, PolicyFailure
from benefit_programs.client.types.returns import PaidRedemption

BY_CODE: dict[str, type[ApiError]] = {}
"""The classes by the codes of the contract."""


class BenefitProgramsError(Exception):
    """The base class of all errors of the client."""

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

    ``may_have_happened`` tells whether the service may have carried out the call. The service has
    logged ``request_id`` with the request, if it arrived. If the method takes an
    ``idempotency_key``, call again with it: the call is carried out once, whatever has happened.
    """

    idempotency_key: str | None = None

    def __init__(
        self, message: str, *, may_have_happened: bool = True, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.may_have_happened = may_have_happened
        self.request_id = request_id


class TimedOut(ConnectionFailed):
    """The service took longer than the client's timeout."""


class UnreadableAnswer(BenefitProgramsError):
    """The answer isn't from the service: mostly a wrong address, or a proxy in between."""

    def __init__(self, message: str, *, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class JobFailed(BenefitProgramsError):
    """The job ended as FAILED; ``job`` has its counts and the codes of its errors."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} failed: {job.counts.error_by_code_count}")
        self.job = job


class JobStillRunning(BenefitProgramsError):
    """The job didn't end within the timeout, and goes on."""

    def __init__(self, job: Job, seconds: float) -> None:
        super().__init__(f"job {job.id} is {job.status} after {seconds:g} seconds")
        self.job = job


class WrongArgument(BenefitProgramsError, ValueError):
    """An argument can't be sent, such as an empty id. Nothing was changed."""


class NotOneRow(BenefitProgramsError):
    """A query that must find exactly one row has found none, or several."""

    def __init__(self, name: str, *, is_empty: bool) -> None:
        super().__init__(f"{name} found {'no row' if is_empty else 'several rows'}")
        self.is_empty = is_empty


class ServerNotInstalled(BenefitProgramsError):
    """The service itself isn't installed here, so it can't run in this process."""


class DatabaseNotUsable(BenefitProgramsError):
    """The database can't be opened: another process has it, it isn't prepared, or isn't there."""


class NotInProcess(BenefitProgramsError):
    """The service runs elsewhere, so it can't call a function of this process."""


class WebhookNotVerified(BenefitProgramsError):
    """What came isn't signed by the service, or not lately: nothing of it can be trusted."""


class JwtNotInstalled(BenefitProgramsError):
    """JWTs can't be verified here: install ``benefit-programs-client[webhooks]``."""


class FieldViolation(Part, frozen=True, kw_only=True):
    """One field that breaks a rule. ``field`` is its JSON path in the request, with indexes."""

    field: str = ""
    description: str = ""
    violated_rule: str = ""
    rule_name: str | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class ApiError(BenefitProgramsError):
    """The service refused the call, with the reason.

    ``code`` is the API's code (or the status as text, if an answer has none), ``data`` its facts.
    Find the request in the log of the service by ``request_id``.
    """

    codes: ClassVar[tuple[str, ...]] = ()
    """The codes of the contract that raise this class."""

    def __init_subclass__(cls, *, code: str | None = None) -> None:
        super().__init_subclass__()
        if code:
            cls.codes = (code,)
            BY_CODE[code] = cls

    def __init__(
        self,
        description: str = "",
        *,
        status: int,
        code: str = "",
        data: dict[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {description}" if code else f"{status} {description}")
        self.description = description
        self.status = status
        self.code = code or str(status)
        self.data: dict[str, Any] = data or {}
        self.request_id = request_id


class BadRequest(ApiError):
    """The request is wrong in itself."""


class ValidationError(BadRequest, code="VALIDATION_ERROR"):
    """The request breaks rules; ``violations`` has all of them."""

    @property
    def violations(self) -> tuple[FieldViolation, ...]:
        """Each field that breaks a rule."""
        found = self.data.get("fieldViolations", ())
        return msgspec.convert(found, tuple[FieldViolation, ...])


class Unauthenticated(ApiError, code="UNAUTHENTICATED"):
    """The credentials are missing or unknown."""


class PermissionDenied(ApiError, code="PERMISSION_DENIED"):
    """The credentials are known, but don't allow this."""


class NotFound(ApiError, code="NOT_FOUND"):
    """The named entity doesn't exist."""


class Conflict(ApiError):
    """It already exists, was done or changed before, or is still running."""


class InvalidRevision(Conflict, code="INVALID_REVISION"):
    """The entity was changed meanwhile: read it again."""

    entity_id = text("revisionViolation.entityId")


class EligibleAlreadyRedeemed(Conflict, code="ELIGIBLE_ALREADY_REDEEMED"):
    """The idempotency key was used for the beneficiary before, by whichever pools paid."""

    idempotency_key = text()
    same_request = flag()

    @property
    def redemptions(self) -> tuple[PaidRedemption, ...]:
        """The redemptions of the first execution."""
        found = self.data.get("redemptions", ())
        return from_wire(tuple[PaidRedemption, ...], found)


class FailedPrecondition(ApiError):
    """The state doesn't allow it."""


class NotEnoughBalance(FailedPrecondition, code="NOT_ENOUGH_BALANCE"):
    """The pool's balance can't pay, or can't give back what a transaction brought."""

    pool_id = text()
    item_reference = item()
    _available_to_spend = amount("availableBalance")
    _available_to_revert = amount("balance.available")
    _requested_to_spend = amount("requestedBalance")
    _requested_to_revert = amount("requested")

    @property
    def available(self) -> Decimal | None:
        """The credits that the balance has."""
        spend = self._available_to_spend
        return self._available_to_revert if spend is None else spend

    @property
    def requested(self) -> Decimal | None:
        """The credits that it would need."""
        spend = self._requested_to_spend
        return self._requested_to_revert if spend is None else spend


class BalanceExceededLimits(FailedPrecondition, code="BALANCE_EXCEEDED_LIMITS"):
    """The change would take the balance past a limit."""

    available = amount("balance.available")
    requested = amount()
    lower_limit = amount()
    upper_limit = amount()


class PolicyExpressionEvaluatedToFalse(
    FailedPrecondition, code="POLICY_EXPRESSION_EVALUATED_TO_FALSE"
):
    """The policy of the benefit doesn't allow it."""

    pool_id = text()
    item_reference = item()

    @property
    def failures(self) -> tuple[PolicyFailure, ...]:
        """Why the policies refused; at most 10 reasons."""
        return msgspec.convert(self.data.get("failureDetails", ()), tuple[PolicyFailure, ...])


class NoEligibleBenefit(FailedPrecondition, code="NO_ELIGIBLE_BENEFIT"):
    """No benefit of the beneficiary pays for the items."""

    @property
    def benefit_results(self) -> tuple[BenefitResult, ...]:
        """Why each benefit that holds the item doesn't pay."""
        found = self.data.get("benefitResults", ())
        return from_wire(tuple[BenefitResult, ...], found)


class Throttled(ApiError):
    """The service is too busy, also after the client's retries.

    ``retry_after`` is the number of seconds that the service asked to wait.
    """

    retry_after: float | None = None


class ServerError(ApiError):
    """The service, or something in front of it, failed; also after the client's retries.

    The call may have been carried out. If the method takes an ``idempotency_key``, call again with
    it: the call is carried out once.
    """

    retry_after: float | None = None
    idempotency_key: str | None = None
