"""Pools: live copies of pool definitions, and what can be done with their benefits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from benefit_programs.client.generated.enums import (
    BenefitResultType,
    PoolOrigin,
    PoolStatus,
    RenewalActionType,
)
from benefit_programs.client.types.base import Change, Part
from benefit_programs.client.types.common import (
    UNSET,
    BalanceAmount,
    ExtendedFields,
    ItemReference,
    Namespaces,
    ProgramDefinitionInfo,
    ProgramInfo,
    Unset,
)
from benefit_programs.client.types.details import Details, DetailsChange
from benefit_programs.client.types.identities import Identity


class RenewalUpdate(Part, frozen=True, kw_only=True):
    """The new values of a pool at its renewal."""

    details: Details | None = None
    display_name: str | None = None
    description: str | None = None


class RenewalAction(Part, frozen=True, kw_only=True):
    """The pending change for a pool's next renewal."""

    type: RenewalActionType | None = None
    update_options: RenewalUpdate | None = None
    pool_definition_revision: int | None = None


class Pool(Part, frozen=True, kw_only=True):
    """A live copy of a pool definition for one beneficiary, with one balance of credits."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    status: PoolStatus
    namespace: str
    beneficiary: Identity
    pool_definition_id: str
    program_id: str
    details: Details = Details()
    display_name: str | None = None
    description: str | None = None
    pool_definition_revision: int | None = None
    program_definition_id: str | None = None
    program: ProgramInfo | None = None
    program_definition: ProgramDefinitionInfo | None = None
    renewal_count: int = 0
    renewal_action: RenewalAction | None = None
    origin: PoolOrigin | None = None
    previous_status: PoolStatus | None = None
    extended_fields: ExtendedFields | None = None


class PoolChange(Change, frozen=True, kw_only=True):
    """One pool to change, of many. ``field_mask`` names the fields to change."""

    id: str
    revision: int
    display_name: str | Unset | None = UNSET
    description: str | Unset | None = UNSET
    details: Details | DetailsChange | Unset = UNSET
    extended_fields: Namespaces | Unset = UNSET
    field_mask: Collection[str] | None = None


class Redemption(Part, frozen=True, kw_only=True):
    """The transaction that a redemption, a reallocation or a cancellation has made."""

    transaction_id: str


class NewRedemption(Part, frozen=True, kw_only=True):
    """What to redeem, of many. Give each its own key, so that it is redeemed once."""

    pool_id: str
    benefit_key: str
    item_reference: ItemReference
    namespace: str
    idempotency_key: str
    count: int | None = None
    target_date: datetime | None = None
    external_reference: str | None = None
    beneficiary: Identity | None = None
    additional_data: Mapping[str, Any] | None = None
    reason: str | None = None


class BenefitPoolInfo(Part, frozen=True, kw_only=True):
    """The pool of an answer about eligibility."""

    balance: BalanceAmount | None = None
    credit_amount: Decimal | None = None
    credit_unit_type: str | None = None
    display_name: str | None = None
    description: str | None = None
    pool_definition_id: str | None = None


class PoolBenefitInfo(Part, frozen=True, kw_only=True):
    """The benefit of an answer about eligibility."""

    benefit_key: str | None = None
    price: Decimal | None = None
    display_name: str | None = None
    description: str | None = None


class PolicyFailure(Part, frozen=True, kw_only=True):
    """Why one policy refused."""

    code: str | None = None
    message: str | None = None
    policy_id: str | None = None
    app_id: str | None = None
    error_data: dict[str, Any] | None = None


class BenefitExplanation(Part, frozen=True, kw_only=True):
    """The details of a benefit that can or can't be redeemed."""

    pool_id: str | None = None
    benefit_key: str | None = None
    item_reference: ItemReference | None = None
    pool_info: BenefitPoolInfo | None = None
    benefit_info: PoolBenefitInfo | None = None
    program_info: ProgramInfo | None = None
    program_definition_info: ProgramDefinitionInfo | None = None


class EligibleBenefit(BenefitExplanation, frozen=True, kw_only=True):
    """A benefit that can be redeemed for the item, at this price for each."""

    price: Decimal | None = None


class TooLittleBalance(BenefitExplanation, frozen=True, kw_only=True):
    """The balance can't pay."""

    available_balance: Decimal | None = None
    requested_balance: Decimal | None = None


class RefusedByPolicy(BenefitExplanation, frozen=True, kw_only=True):
    """A policy refused."""

    failure_details: tuple[PolicyFailure, ...] = ()


class InactivePool(BenefitExplanation, frozen=True, kw_only=True):
    """The pool is not active."""

    pool_status: PoolStatus | None = None


class MissingBenefit(BenefitExplanation, frozen=True, kw_only=True):
    """The pool has no such benefit, or the benefit no such item."""


class MissingPool(BenefitExplanation, frozen=True, kw_only=True):
    """There is no such pool."""


class BenefitResult(Part, frozen=True, kw_only=True):
    """Whether one benefit can be redeemed, and why not."""

    type: BenefitResultType
    eligible_benefit_options: EligibleBenefit | None = None
    not_enough_balance_options: TooLittleBalance | None = None
    policy_expression_evaluated_to_false_options: RefusedByPolicy | None = None
    pool_not_active_options: InactivePool | None = None
    benefit_not_found_options: MissingBenefit | None = None
    pool_not_found_options: MissingPool | None = None

    @property
    def is_eligible(self) -> bool:
        """Whether it can be redeemed."""
        return self.type == BenefitResultType.ELIGIBLE_BENEFIT

    @property
    def explanation(self) -> BenefitExplanation:
        """The details of the result, whatever its kind."""
        options = (
            self.eligible_benefit_options,
            self.not_enough_balance_options,
            self.policy_expression_evaluated_to_false_options,
            self.pool_not_active_options,
            self.benefit_not_found_options,
            self.pool_not_found_options,
        )
        return next((each for each in options if each is not None), BenefitExplanation())


class Eligibility(Part, frozen=True, kw_only=True):
    """The results for the benefits of one pool."""

    benefit_results: tuple[BenefitResult, ...] = ()

    @property
    def is_eligible(self) -> bool:
        """Whether one of the benefits can be redeemed."""
        return any(each.is_eligible for each in self.benefit_results)


class BenefitSelector(Part, frozen=True, kw_only=True):
    """One of several questions about eligibility."""

    pool_id: str
    item_reference: ItemReference
    benefit_key: str | None = None
    count: int | None = None
    target_date: datetime | None = None
    additional_data: Mapping[str, Any] | None = None


class SelectedEligibility(Part, frozen=True, kw_only=True):
    """A question and its answer."""

    benefit_selector: BenefitSelector
    result: Eligibility = Eligibility()
