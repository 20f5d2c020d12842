"""The details of pools and pool definitions: benefits, credits and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from benefit_programs.client.generated.enums import (
    AlertType,
    PolicyExpressionType,
    PolicyType,
    TimePeriod,
    ValidOn,
    WeekDay,
)
from benefit_programs.client.types.base import Change, Part
from benefit_programs.client.types.common import UNSET, Unset


class FixedIntervalPolicy(Part, frozen=True, kw_only=True):
    """A half-open interval of a day, or of the week if weekdays are given; it may wrap."""

    from_week_day: WeekDay | None = None
    to_week_day: WeekDay | None = None
    from_hour: int | None = None
    to_hour: int | None = None
    from_minute: int | None = None
    to_minute: int | None = None


class RateLimitedPolicy(Part, frozen=True, kw_only=True):
    """At most ``times`` redeemed items per period. The server sets ``quota_id``.

    ``rolling_duration`` is for the period ROLLING: an ISO 8601 text such as P7D or PT12H.
    """

    set_by_service: ClassVar[frozenset[str]] = frozenset({"quota_id"})

    times: int
    time_period: TimePeriod
    quota_id: str | None = None
    rolling_duration: str | None = None


class CustomPolicy(Part, frozen=True, kw_only=True):
    """A policy that is judged by the provider registered for ``app_id``."""

    id: str | None = None
    app_id: str | None = None
    additional_data: Mapping[str, Any] | None = None


class Policy(Part, frozen=True, kw_only=True):
    """One policy: exactly one of its options."""

    type: PolicyType | None = None
    fixed_interval_options: FixedIntervalPolicy | None = None
    rate_limited_options: RateLimitedPolicy | None = None
    custom_options: CustomPolicy | None = None


class PolicyExpressionNot(Part, frozen=True, kw_only=True):
    """Fulfilled if its operand isn't."""

    expression: PolicyExpression


class PolicyExpressionAnd(Part, frozen=True, kw_only=True):
    """Fulfilled if all of its 2 to 10 operands are."""

    expressions: Sequence[PolicyExpression]


class PolicyExpressionOr(Part, frozen=True, kw_only=True):
    """Fulfilled if one of its 2 to 10 operands is."""

    expressions: Sequence[PolicyExpression]


class PolicyExpression(Part, frozen=True, kw_only=True):
    """When a benefit may be redeemed. The functions of ``policies`` are a shorter way."""

    type: PolicyExpressionType | None = None
    operator_not_options: PolicyExpressionNot | None = None
    operator_and_options: PolicyExpressionAnd | None = None
    operator_or_options: PolicyExpressionOr | None = None
    policy_options: Policy | None = None


class CancellationTerm(Part, frozen=True, kw_only=True):
    """What percent of the credits comes back, up to a duration before the target date."""

    before: str
    percent: Decimal


class Benefit(Part, frozen=True, kw_only=True):
    """An item set and its price in credits. The server sets ``item_set_id``.

    Without a price a benefit is free, and its redemptions are recorded all the same.
    """

    set_by_service: ClassVar[frozenset[str]] = frozenset({"item_set_id"})

    benefit_key: str
    provider_app_id: str
    item_set_id: str | None = None
    price: Decimal | None = None
    policy_expression: PolicyExpression | None = None
    additional_data: Mapping[str, Any] | None = None
    display_name: str | None = None
    description: str | None = None
    cancellation_terms: Sequence[CancellationTerm] | None = None


class RolloverConfiguration(Part, frozen=True, kw_only=True):
    """Whether unused credits stay at a renewal, what percent of them, how many, how long."""

    enabled: bool | None = None
    balance_cap: Decimal | None = None
    percent: Decimal | None = None
    expires_after: str | None = None


class CreditConfiguration(Part, frozen=True, kw_only=True):
    """The credits that a pool opens and renews with. Durations are ISO 8601, such as P30D."""

    amount: Decimal | None = None
    rollover_configuration: RolloverConfiguration | None = None
    unit_display_name: str | None = None
    unit_type: str | None = None
    expires_after: str | None = None
    valid_on: ValidOn | None = None
    returns_live: str | None = None
    lapse_at_end: bool | None = None


class BalanceBelow(Part, frozen=True, kw_only=True):
    """Less can be spent than an amount, or than a percentage of what the pool is granted."""

    amount: Decimal | None = None
    percent: Decimal | None = None


class Within(Part, frozen=True, kw_only=True):
    """Something will happen after no more than a duration, such as P7D."""

    within: str


class Alert(Part, frozen=True, kw_only=True):
    """What to tell of by an event, ``pool_alert``: exactly one of its options."""

    alert_key: str
    type: AlertType | None = None
    balance_below_options: BalanceBelow | None = None
    credits_expiring_options: Within | None = None
    renewal_due_options: Within | None = None
    program_ending_options: Within | None = None
    reservation_lapsing_options: Within | None = None


class Details(Part, frozen=True, kw_only=True):
    """The benefits of a pool or pool definition, and how its balance is filled."""

    benefits: Sequence[Benefit] = ()
    credit_configuration: CreditConfiguration | None = None
    policy_expression: PolicyExpression | None = None
    additional_data: Mapping[str, Any] | None = None
    alerts: Sequence[Alert] | None = None

    def benefit(self, benefit_key: str) -> Benefit:
        """The benefit with this key. Raises KeyError if there is none."""
        for benefit in self.benefits:
            if benefit.benefit_key == benefit_key:
                return benefit
        raise KeyError(benefit_key)

    def item_set_id(self, benefit_key: str) -> str:
        """The item set of a benefit. Raises KeyError if there is none, or it isn't saved yet."""
        found = self.benefit(benefit_key).item_set_id
        if found is None:
            raise KeyError(benefit_key)
        return found


class DetailsChange(Change, frozen=True, kw_only=True):
    """The changes of details: each part is replaced, cleared by None, kept if UNSET.

    Benefits are matched by their keys: a key that stays keeps its item set and its items.
    """

    benefits: Sequence[Benefit] | Unset = UNSET
    credit_configuration: CreditConfiguration | Unset | None = UNSET
    policy_expression: PolicyExpression | Unset | None = UNSET
    additional_data: Mapping[str, Any] | Unset | None = UNSET
    alerts: Sequence[Alert] | Unset | None = UNSET
