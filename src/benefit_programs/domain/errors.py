"""Why a command is refused: one class per error code of the contract, with the facts as fields.

    Refusal
    ├── Invalid                          what was asked for breaks rules; carries all violations
    ├── *NotFound                        something named isn't there
    ├── *AlreadyExists, AlreadyExecuted  it was done or made before
    └── everything else                  the state doesn't allow it

The docstring of a class is the description that callers read. Which status an answer gets is the
API's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from benefit_programs.domain import violations
from benefit_programs.domain.constraints import DecimalText
from benefit_programs.domain.entities import BalanceType, JobStatus, PoolStatus, ProgramStatus
from benefit_programs.domain.explanations import BalanceAmount, FailureDetails, PoolContext
from benefit_programs.domain.values import ItemReference
from benefit_programs.domain.violations import VIOLATIONS_MAX

# Who refuses a request finds what it says of a field beside the refusals.
FieldViolation = violations.FieldViolation
ViolatedRule = violations.ViolatedRule
Violations = violations.Violations
none_hidden = violations.none_hidden

SignedAmount = Annotated[int, DecimalText(at_least=None)]


@dataclass(kw_only=True, eq=False)
class Refusal(Exception):
    """The request was refused."""

    code: ClassVar[str] = "REFUSED"

    @property
    def description(self) -> str:
        """What happened, for people: the first paragraph of the docstring."""
        paragraph = (type(self).__doc__ or "").split("\n\n")[0]
        return " ".join(paragraph.split())

    def __str__(self) -> str:
        """The code and the description, for logs."""
        return f"{self.code}: {self.description}"


@dataclass(eq=False)
class Invalid(Refusal):
    """The request is not valid."""

    code: ClassVar[str] = "VALIDATION_ERROR"

    violations: tuple[FieldViolation, ...]
    more: int = 0
    """How many violations there are beside these; past the limit none is kept."""

    def __post_init__(self) -> None:
        named = self.violations[:VIOLATIONS_MAX]
        self.more += len(self.violations) - len(named)
        self.violations = tuple(each.shortened for each in named)

    @classmethod
    def because(
        cls,
        path: str,
        description: str,
        rule: ViolatedRule = ViolatedRule.VALIDATION,
        *,
        rule_name: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> Invalid:
        """The refusal for a single field. A rule name makes the rule OTHER."""
        rule = ViolatedRule.OTHER if rule_name else rule
        return cls((FieldViolation(path, description, rule, rule_name, data),))

    @classmethod
    def of(cls, found: Violations) -> Invalid:
        """The refusal for what was found."""
        return cls(tuple(found.named), found.more)

    def beside(self, *others: Invalid) -> Invalid:
        """One refusal with what these break too."""
        refusals = (self, *others)
        found = Violations()
        for each in none_hidden([each.violations for each in refusals]):
            found.add(*each)
        found.more += sum(each.more for each in refusals)
        return Invalid.of(found)

    def naming(self, count: int) -> Invalid:
        """The same, with no more violations than so many."""
        return Invalid(self.violations[:count], self.more + len(self.violations[count:]))

    @property
    def description(self) -> str:
        """What happened, and how many violations are not named, if any."""
        unnamed = f" {self.more} more violations are not named." if self.more else ""
        return f"{super().description}{unnamed}"

    def __str__(self) -> str:
        """Each field with what is wrong about it."""
        facts = [f"{each.field or 'request'}: {each.description}" for each in self.violations]
        if self.more:
            facts.append(f"and {self.more} more")
        return f"{self.code}: {'; '.join(facts)}"


# What was named isn't there.


@dataclass(kw_only=True, eq=False)
class NotFound(Refusal):
    """What was asked for doesn't exist."""

    code: ClassVar[str] = "NOT_FOUND"


@dataclass(kw_only=True, eq=False)
class NotFoundInNamespace(NotFound):
    """What was asked for doesn't exist in the namespace.

    ``exists_in_namespace`` is another one that has it, for callers who may know.
    """

    exists_in_namespace: str | None = None

    @property
    def description(self) -> str:
        """What happened, and where it would have been found."""
        said = super().description
        other = self.exists_in_namespace
        return said if other is None else f"{said} It does in namespace {other}."


@dataclass(kw_only=True, eq=False)
class ProgramDefinitionNotFound(NotFoundInNamespace):
    """The program definition doesn't exist."""

    code: ClassVar[str] = "PROGRAM_DEFINITION_NOT_FOUND"

    program_definition_id: str | None = None
    external_id: str | None = None
    namespace: str | None = None


@dataclass(kw_only=True, eq=False)
class PoolDefinitionNotFound(NotFound):
    """The pool definition doesn't exist."""

    code: ClassVar[str] = "POOL_DEFINITION_NOT_FOUND"

    pool_definition_id: str


@dataclass(kw_only=True, eq=False)
class PoolDefinitionBenefitNotFound(NotFound):
    """The pool definition has no such benefit."""

    code: ClassVar[str] = "POOL_DEFINITION_BENEFIT_NOT_FOUND"

    pool_definition_id: str
    benefit_key: str


@dataclass(kw_only=True, eq=False)
class ItemSetNotFound(NotFound):
    """No benefit has this item set."""

    code: ClassVar[str] = "ITEM_SET_NOT_FOUND"

    item_set_id: str


@dataclass(kw_only=True, eq=False)
class ItemNotFound(NotFound):
    """The item doesn't exist."""

    code: ClassVar[str] = "ITEM_NOT_FOUND"

    item_id: str


@dataclass(kw_only=True, eq=False)
class ReferenceNotFound(NotFound):
    """The benefit has no such item."""

    external_id: str
    category: str | None = None


@dataclass(kw_only=True, eq=False)
class ProgramNotFound(NotFoundInNamespace):
    """The program doesn't exist."""

    code: ClassVar[str] = "PROGRAM_NOT_FOUND"

    program_id: str | None = None
    external_id: str | None = None
    namespace: str | None = None


@dataclass(kw_only=True, eq=False)
class PoolNotFound(NotFoundInNamespace):
    """The pool doesn't exist."""

    code: ClassVar[str] = "POOL_NOT_FOUND"

    pool_id: str


@dataclass(kw_only=True, eq=False)
class BenefitNotFound(NotFound):
    """The pool has no such benefit, or the benefit doesn't hold the item."""

    code: ClassVar[str] = "BENEFIT_NOT_FOUND"

    pool_id: str
    benefit_key: str | None = None
    context: PoolContext | None = None


@dataclass(kw_only=True, eq=False)
class BalanceNotFound(NotFound):
    """The balance doesn't exist."""

    code: ClassVar[str] = "BALANCE_NOT_FOUND"

    pool_id: str


@dataclass(kw_only=True, eq=False)
class TransactionNotFound(NotFound):
    """The transaction doesn't exist."""

    code: ClassVar[str] = "TRANSACTION_NOT_FOUND"

    transaction_id: str


@dataclass(kw_only=True, eq=False)
class JobNotFound(NotFound):
    """The job doesn't exist, or ended so long ago that it was removed."""

    code: ClassVar[str] = "JOB_NOT_FOUND"

    job_id: str


@dataclass(kw_only=True, eq=False)
class EventsRemoved(Refusal):
    """The events right after the cursor were removed: begin without one, with the oldest left."""

    code: ClassVar[str] = "EVENTS_REMOVED"

    cursor: str
    oldest_cursor: str


# It was made or done before, or is being done.


@dataclass(kw_only=True, eq=False)
class ProgramDefinitionAlreadyExists(Refusal):
    """The namespace has a program definition with this external id."""

    code: ClassVar[str] = "PROGRAM_DEFINITION_ALREADY_EXISTS"

    external_id: str
    namespace: str
    program_definition_id: str | None = None


@dataclass(kw_only=True, eq=False)
class ItemAlreadyExists(Refusal):
    """The item set has an item with this reference."""

    code: ClassVar[str] = "ITEM_ALREADY_EXISTS"

    item_set_id: str
    external_id: str
    provider_app_id: str
    category: str | None = None
    item_id: str | None = None


@dataclass(kw_only=True, eq=False)
class ProgramAlreadyExists(Refusal):
    """The namespace has a program with this external id and pools."""

    code: ClassVar[str] = "PROGRAM_ALREADY_EXISTS"

    external_program_id: str
    namespace: str
    program_id: str | None = None


@dataclass(kw_only=True, eq=False)
class InProgress(Refusal):
    """Another action on the program, or on the beneficiary, is still running."""

    code: ClassVar[str] = "IN_PROGRESS"


@dataclass(kw_only=True, eq=False)
class AlreadyExecuted(Refusal):
    """The idempotency key was used for this action before.

    ``transaction_id`` or ``job_id`` is what the first execution answered. ``same_request`` says
    whether that was the same request; it isn't known of executions before 0.3.0.
    """

    code: ClassVar[str] = "ALREADY_EXECUTED"

    idempotency_key: str
    transaction_id: str | None = None
    job_id: str | None = None
    same_request: bool | None = None


@dataclass(kw_only=True, eq=False)
class BenefitAlreadyRedeemed(Refusal):
    """The idempotency key was used for a redemption of this pool before.

    ``same_request`` says whether that was the same request; it isn't known of redemptions before
    0.3.0.
    """

    code: ClassVar[str] = "BENEFIT_ALREADY_REDEEMED"

    pool_id: str
    idempotency_key: str
    transaction_id: str | None = None
    same_request: bool | None = None
    context: PoolContext | None = None


@dataclass(kw_only=True, eq=False)
class BalanceAlreadyInitialized(Refusal):
    """The balance has transactions, so it can't be set initially."""

    code: ClassVar[str] = "BALANCE_ALREADY_INITIALIZED"


@dataclass(kw_only=True, eq=False)
class ChainOperationInProgress(Refusal):
    """Another operation on the redemption is still running."""

    code: ClassVar[str] = "CHAIN_OPERATION_IN_PROGRESS"

    pending_transaction_id: str


@dataclass(kw_only=True, eq=False)
class InvalidRevision(Refusal):
    """The entity was changed meanwhile: read it again."""

    code: ClassVar[str] = "INVALID_REVISION"

    entity_id: str


# The state doesn't allow it.


@dataclass(kw_only=True, eq=False)
class ProgramStatusTransitionNotAllowed(Refusal):
    """The program's status doesn't allow the action."""

    code: ClassVar[str] = "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"

    current_status: ProgramStatus
    requested_status: ProgramStatus


@dataclass(kw_only=True, eq=False)
class NotEnoughBalance(Refusal):
    """The pool's balance can't pay for the items."""

    code: ClassVar[str] = "NOT_ENOUGH_BALANCE"

    pool_id: str
    item_reference: ItemReference
    available_balance: SignedAmount
    requested_balance: SignedAmount
    context: PoolContext | None = None


@dataclass(kw_only=True, eq=False)
class NotEnoughBalanceToRevert(Refusal):
    """The balance can't give back what the transaction brought."""

    code: ClassVar[str] = "NOT_ENOUGH_BALANCE"

    balance: BalanceAmount
    requested: SignedAmount


@dataclass(kw_only=True, eq=False)
class PolicyExpressionEvaluatedToFalse(Refusal):
    """The policy of the benefit doesn't allow it."""

    code: ClassVar[str] = "POLICY_EXPRESSION_EVALUATED_TO_FALSE"

    pool_id: str
    item_reference: ItemReference
    failure_details: tuple[FailureDetails, ...]
    context: PoolContext | None = None


@dataclass(kw_only=True, eq=False)
class PoolNotActive(Refusal):
    """The pool is not active."""

    code: ClassVar[str] = "POOL_NOT_ACTIVE"

    pool_id: str
    pool_status: PoolStatus
    context: PoolContext | None = None


@dataclass(kw_only=True, eq=False)
class NotLatestTransaction(Refusal):
    """A later transaction took the place of this one."""

    code: ClassVar[str] = "NOT_LATEST_TRANSACTION"

    latest_transaction_id: str


@dataclass(kw_only=True, eq=False)
class RedemptionAlreadyCanceled(Refusal):
    """The redemption was canceled or reverted before."""

    code: ClassVar[str] = "REDEMPTION_ALREADY_CANCELED"

    cancellation_transaction_id: str


@dataclass(kw_only=True, eq=False)
class TransactionNotReallocatable(Refusal):
    """The transaction is no redemption that can be moved to another date."""

    code: ClassVar[str] = "TRANSACTION_NOT_REALLOCATABLE"


@dataclass(kw_only=True, eq=False)
class TransactionNotCancelable(Refusal):
    """The transaction is no redemption that can be canceled."""

    code: ClassVar[str] = "TRANSACTION_NOT_CANCELABLE"


@dataclass(kw_only=True, eq=False)
class BalanceExceededLimits(Refusal):
    """The change would take the balance past a limit."""

    code: ClassVar[str] = "BALANCE_EXCEEDED_LIMITS"

    balance: BalanceAmount
    requested: SignedAmount
    lower_limit: SignedAmount | None = None
    upper_limit: SignedAmount | None = None
    source_balance_type: BalanceType | None = None
    target_balance_type: BalanceType | None = None


@dataclass(kw_only=True, eq=False)
class TransactionNotSupersedable(Refusal):
    """The transaction can't be superseded."""

    code: ClassVar[str] = "TRANSACTION_NOT_SUPERSEDABLE"

    transaction_id: str


@dataclass(kw_only=True, eq=False)
class TransactionAlreadySuperseded(Refusal):
    """Another transaction superseded this one before."""

    code: ClassVar[str] = "TRANSACTION_ALREADY_SUPERSEDED"

    superseded_transaction_id: str


@dataclass(kw_only=True, eq=False)
class ChangeAlreadyReverted(Refusal):
    """The transaction was reverted or canceled before."""

    code: ClassVar[str] = "CHANGE_ALREADY_REVERTED"

    original_transaction_id: str
    reverted_transaction_id: str


@dataclass(kw_only=True, eq=False)
class JobNotRetryable(Refusal):
    """Only a job that has failed, and wasn't canceled, can be tried again."""

    code: ClassVar[str] = "JOB_NOT_RETRYABLE"

    job_id: str
    status: JobStatus


@dataclass(kw_only=True, eq=False)
class JobNotCancelable(Refusal):
    """Only a cascade that hasn't ended can be canceled."""

    code: ClassVar[str] = "JOB_NOT_CANCELABLE"

    job_id: str
    status: JobStatus


@dataclass(kw_only=True, eq=False)
class TooManyToCount(Refusal):
    """More items fit the filter than are counted."""

    code: ClassVar[str] = "TOO_MANY_TO_COUNT"


@dataclass(kw_only=True, eq=False)
class WebhookEndpointNotFound(NotFound):
    """The tenant has no webhook endpoint with this id."""

    code: ClassVar[str] = "WEBHOOK_ENDPOINT_NOT_FOUND"

    webhook_endpoint_id: str


@dataclass(kw_only=True, eq=False)
class WebhookDeliveryNotFound(NotFound):
    """The log has no delivery with this id."""

    code: ClassVar[str] = "WEBHOOK_DELIVERY_NOT_FOUND"

    webhook_delivery_id: str


@dataclass(kw_only=True, eq=False)
class TooManyWebhookEndpoints(Refusal):
    """The tenant has as many webhook endpoints as it may have."""

    code: ClassVar[str] = "TOO_MANY_WEBHOOK_ENDPOINTS"

    maximum: int


@dataclass(kw_only=True, eq=False)
class TooManyToReplay(Refusal):
    """An entity has more events since then than are delivered again at once; begin later."""

    code: ClassVar[str] = "TOO_MANY_TO_REPLAY"

    maximum: int


@dataclass(kw_only=True, eq=False)
class SecretKeyMissing(Refusal):
    """The service has no key to keep secrets with: its operator must set BENEFITS_SECRET_KEY."""

    code: ClassVar[str] = "SECRET_KEY_MISSING"


@dataclass(kw_only=True, eq=False)
class InvalidItemReference(Refusal):
    """No benefit of the namespace has items of this provider app."""

    code: ClassVar[str] = "INVALID_ITEM_REFERENCE"

    item_reference: ItemReference
