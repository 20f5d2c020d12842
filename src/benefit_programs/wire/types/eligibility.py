"""Whether and why a benefit can be redeemed. The contract counts these among the pools."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec

from benefit_programs.domain import errors
from benefit_programs.domain.constraints import OneOf, ReadOnly, Size, Undocumented
from benefit_programs.domain.entities import PoolStatus
from benefit_programs.domain.errors import Refusal
from benefit_programs.domain.explanations import (
    BenefitInfo,
    Failures,
    PoolContext,
    PoolInfo,
    ProgramDefinitionInfo,
    ProgramInfo,
)
from benefit_programs.wire.types.common import (
    AdditionalData,
    Amount,
    BenefitKey,
    BulkSize,
    Count,
    EntityId,
    IdentificationData,
    ItemReferenceData,
    Namespace,
    SignedAmount,
    Timestamp,
)


class Intent(StrEnum):
    """The planned change; a reallocation costs nothing."""

    REDEMPTION = "REDEMPTION"
    REALLOCATION = "REALLOCATION"


class BenefitResultType(StrEnum):
    """Whether a benefit can be redeemed, or why it can't."""

    ELIGIBLE_BENEFIT = "ELIGIBLE_BENEFIT"
    NOT_ENOUGH_BALANCE = "NOT_ENOUGH_BALANCE"
    POLICY_EXPRESSION_EVALUATED_TO_FALSE = "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    POOL_NOT_ACTIVE = "POOL_NOT_ACTIVE"
    BENEFIT_NOT_FOUND = "BENEFIT_NOT_FOUND"
    POOL_NOT_FOUND = "POOL_NOT_FOUND"


class PoolNotFound(msgspec.Struct, frozen=True, kw_only=True):
    """There is no such pool."""

    pool_id: EntityId | None = None


class AboutPool(PoolNotFound, frozen=True, kw_only=True):
    """The pool of a result, if it is known."""

    pool_info: Annotated[PoolInfo, Undocumented()] | None = None
    program_definition_info: Annotated[ProgramDefinitionInfo, Undocumented()] | None = None
    program_info: Annotated[ProgramInfo, Undocumented()] | None = None


class AboutBenefit(AboutPool, frozen=True, kw_only=True):
    """The benefit of a result, if it is known."""

    benefit_info: Annotated[BenefitInfo, Undocumented()] | None = None


class NotEnoughBalance(AboutBenefit, frozen=True, kw_only=True):
    """The balance can't pay."""

    item_reference: ItemReferenceData | None = None
    available_balance: SignedAmount | None = None
    requested_balance: SignedAmount | None = None


class PolicyExpressionEvaluatedToFalse(AboutBenefit, frozen=True, kw_only=True):
    """A policy refused."""

    item_reference: ItemReferenceData | None = None
    failure_details: Failures | None = None


class PoolNotActive(AboutBenefit, frozen=True, kw_only=True):
    """The pool is not active."""

    pool_status: PoolStatus | None = None


class BenefitNotFound(AboutPool, frozen=True, kw_only=True):
    """The pool has no such benefit, or the benefit no such item."""

    benefit_key: BenefitKey | None = None


class EligibleBenefit(AboutBenefit, frozen=True, kw_only=True):
    """A benefit that can be redeemed."""

    pool_id: Annotated[EntityId, ReadOnly()] | None = None
    benefit_key: BenefitKey | None = None
    item_reference: ItemReferenceData | None = None
    price: Amount | None = None


class BenefitResult(msgspec.Struct, frozen=True, kw_only=True):
    """Why one benefit can or can't be redeemed."""

    one_of: ClassVar[OneOf] = OneOf(
        (
            "eligible_benefit_options",
            "not_enough_balance_options",
            "policy_expression_evaluated_to_false_options",
            "pool_not_active_options",
            "benefit_not_found_options",
            "pool_not_found_options",
        ),
        tag="type",
        tags=tuple(BenefitResultType),
    )

    type: BenefitResultType | None = None
    eligible_benefit_options: EligibleBenefit | None = None
    not_enough_balance_options: NotEnoughBalance | None = None
    policy_expression_evaluated_to_false_options: PolicyExpressionEvaluatedToFalse | None = None
    pool_not_active_options: PoolNotActive | None = None
    benefit_not_found_options: BenefitNotFound | None = None
    pool_not_found_options: PoolNotFound | None = None

    @classmethod
    def of(cls, answer: Refusal | EligibleBenefit) -> BenefitResult:
        """The result for a benefit that pays, or for the refusal that says why it doesn't.

        Only the refusals that the contract has an option for are results; any other is raised.
        """
        kind, option = _OPTIONS.get(type(answer), (None, ""))
        if kind is None and isinstance(answer, Refusal):
            raise answer
        chosen: dict[str, Any] = {option: _option_of(answer)}
        return cls(type=kind, **chosen)


_OPTIONS: dict[type[Any], tuple[BenefitResultType, str]] = {
    EligibleBenefit: (BenefitResultType.ELIGIBLE_BENEFIT, "eligible_benefit_options"),
    errors.NotEnoughBalance: (BenefitResultType.NOT_ENOUGH_BALANCE, "not_enough_balance_options"),
    errors.PolicyExpressionEvaluatedToFalse: (
        BenefitResultType.POLICY_EXPRESSION_EVALUATED_TO_FALSE,
        "policy_expression_evaluated_to_false_options",
    ),
    errors.PoolNotActive: (BenefitResultType.POOL_NOT_ACTIVE, "pool_not_active_options"),
    errors.BenefitNotFound: (BenefitResultType.BENEFIT_NOT_FOUND, "benefit_not_found_options"),
    errors.PoolNotFound: (BenefitResultType.POOL_NOT_FOUND, "pool_not_found_options"),
}


def _option_of(answer: Refusal | EligibleBenefit) -> AboutBenefit | BenefitNotFound | PoolNotFound:
    match answer:
        case errors.NotEnoughBalance():
            return NotEnoughBalance(
                pool_id=answer.pool_id,
                item_reference=ItemReferenceData.of(answer.item_reference),
                available_balance=answer.available_balance,
                requested_balance=answer.requested_balance,
                **_context_of(answer.context),
            )
        case errors.PolicyExpressionEvaluatedToFalse():
            return PolicyExpressionEvaluatedToFalse(
                pool_id=answer.pool_id,
                item_reference=ItemReferenceData.of(answer.item_reference),
                failure_details=answer.failure_details,
                **_context_of(answer.context),
            )
        case errors.PoolNotActive():
            return PoolNotActive(
                pool_id=answer.pool_id,
                pool_status=answer.pool_status,
                **_context_of(answer.context),
            )
        case errors.BenefitNotFound():
            context = _context_of(answer.context)
            context.pop("benefit_info", None)
            return BenefitNotFound(
                pool_id=answer.pool_id, benefit_key=answer.benefit_key, **context
            )
        case errors.PoolNotFound():
            return PoolNotFound(pool_id=answer.pool_id)
    assert isinstance(answer, EligibleBenefit)
    return answer


def _context_of(context: PoolContext | None) -> dict[str, Any]:
    return msgspec.structs.asdict(context) if context else {}


class EligibilityCheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The results for the benefits of one pool."""

    benefit_results: Annotated[tuple[BenefitResult, ...], Size(maximum=10)] | None = None


class CheckBenefitEligibilityRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Check the benefits of one pool."""

    pool_id: EntityId
    item_reference: ItemReferenceData
    namespace: Namespace
    benefit_key: BenefitKey | None = None
    count: Count | None = None
    target_date: Timestamp | None = None
    additional_data: AdditionalData | None = None
    beneficiary: IdentificationData | None = None
    intent: Annotated[Intent, Undocumented()] | None = None


class CheckBenefitEligibilityResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one pool."""

    result: EligibilityCheckResult | None = None


class BenefitSelector(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a bulk request."""

    pool_id: EntityId
    item_reference: ItemReferenceData
    benefit_key: BenefitKey | None = None
    count: Count | None = None
    target_date: Timestamp | None = None
    additional_data: AdditionalData | None = None


class BulkCheckBenefitEligibilityRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Check the benefits of several pools."""

    benefit_selectors: Annotated[tuple[BenefitSelector, ...], BulkSize]
    namespace: Namespace
    beneficiary: IdentificationData | None = None


class BulkEligibilityCheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its answer."""

    benefit_selector: BenefitSelector | None = None
    result: EligibilityCheckResult | None = None


class BulkCheckBenefitEligibilityResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answers, in the order of the questions."""

    results: Annotated[tuple[BulkEligibilityCheckResult, ...], BulkSize] | None = None


class GetEligibleBenefitsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Find the benefits of a beneficiary that can pay for an item."""

    item_reference: ItemReferenceData
    namespace: Namespace
    count: Count | None = None
    target_date: Timestamp | None = None
    additional_data: AdditionalData | None = None
    beneficiary: IdentificationData | None = None


class GetEligibleBenefitsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The benefits that can pay."""

    eligible_benefits: tuple[EligibleBenefit, ...] | None = None


class PoolSelector(msgspec.Struct, frozen=True, kw_only=True):
    """The pools to check."""

    pool_statuses: Annotated[tuple[PoolStatus, ...], Size(maximum=10)] | None = None


class CheckBenefitEligibilityByFilterRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Check all pools of a beneficiary."""

    namespace: Namespace
    item_reference: ItemReferenceData
    count: Count
    target_date: Timestamp | None = None
    beneficiary: IdentificationData | None = None
    additional_data: AdditionalData | None = None
    pool_selector: PoolSelector | None = None


class CheckBenefitEligibilityByFilterResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answers, one per pool."""

    results: tuple[EligibilityCheckResult, ...] | None = None
