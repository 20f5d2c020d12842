"""What a pool gives: benefits with prices, a credit configuration, and policies.

The same types stand in pool definitions, in pools and in the snapshots that both share.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec

from benefit_programs.domain.constraints import (
    Addition,
    DecimalText,
    Duration,
    FreeForm,
    Guid,
    Immutable,
    Int32,
    Judged,
    OneOf,
    ReadOnly,
    Required,
    Size,
    Text,
    Undocumented,
)
from benefit_programs.domain.values import PERCENT_MAX, Credits
from benefit_programs.domain.violations import FieldViolation, ViolatedRule

ROLLING_TIMES_MAX = 1_000
"""The largest ``times`` of a rate limit that rolls: its uses are looked at one by one."""


ALERTS_MAX = 10
"""How many alerts a pool definition may have."""

ALERT_KEY_LENGTH_MAX = 64
"""How many characters the key of an alert may have."""


class PolicyExpressionType(StrEnum):
    """The shape of a node of a policy expression."""

    OPERATOR_NOT = "OPERATOR_NOT"
    OPERATOR_AND = "OPERATOR_AND"
    OPERATOR_OR = "OPERATOR_OR"
    POLICY = "POLICY"


class PolicyType(StrEnum):
    """The kind of a policy."""

    FIXED_INTERVAL = "FIXED_INTERVAL"
    RATE_LIMITED = "RATE_LIMITED"
    CUSTOM = "CUSTOM"


class WeekDay(StrEnum):
    """A day of the week; UNKNOWN means none given."""

    UNKNOWN = "UNKNOWN"
    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class TimePeriod(StrEnum):
    """What a rate limit counts in: a calendar period, all time, a rolling window, or a cycle."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"
    LIFETIME = "LIFETIME"
    ROLLING = "ROLLING"
    CYCLE = "CYCLE"


class FixedIntervalPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """A half-open interval of a day, or of the week if weekdays are given; it may wrap."""

    from_week_day: WeekDay | None = None
    to_week_day: WeekDay | None = None
    from_hour: Annotated[int, Int32(minimum=0, maximum=23)] | None = None
    to_hour: Annotated[int, Int32(minimum=0, maximum=23)] | None = None
    from_minute: Annotated[int, Int32(minimum=0, maximum=59)] | None = None
    to_minute: Annotated[int, Int32(minimum=0, maximum=59)] | None = None


class RateLimitedPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """At most ``times`` redeemed items per period.

    With ROLLING a period is any time that is as long as its duration.
    """

    times: Annotated[int, Int32(minimum=1), Required()]
    time_period: Annotated[TimePeriod, Required()]
    quota_id: Annotated[str, Guid(), ReadOnly(), Immutable()] | None = None
    rolling_duration: Annotated[str, Duration(is_fixed=True)] | None = None


def rolling_illegalities(limit: RateLimitedPolicy) -> Iterator[FieldViolation]:
    """What is illegal about a rate limit that rolls, or that has a duration and doesn't."""
    is_rolling, field = limit.time_period is TimePeriod.ROLLING, "rollingDuration"
    if is_rolling and limit.rolling_duration is None:
        words = "is required with the timePeriod ROLLING"
        yield FieldViolation(field, words, ViolatedRule.REQUIRED_FIELD)
    if limit.rolling_duration is not None and not is_rolling:
        words = "is only for the timePeriod ROLLING"
        yield FieldViolation(field, words, ViolatedRule.FIELD_NOT_ALLOWED)
    if is_rolling and limit.times > ROLLING_TIMES_MAX:
        words = f"must be at most {ROLLING_TIMES_MAX} with the timePeriod ROLLING"
        data = {"threshold": ROLLING_TIMES_MAX}
        yield FieldViolation("times", words, ViolatedRule.MAX, data=data)


class CustomPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """A policy that a provider registered for ``app_id`` judges."""

    id: Annotated[str, Guid("app")] | None = None
    app_id: Annotated[str, Guid("app")] | None = None
    additional_data: Annotated[dict[str, Any], FreeForm()] | None = None


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy: exactly one of its options."""

    one_of: ClassVar[OneOf] = OneOf(
        ("fixed_interval_options", "rate_limited_options", "custom_options"),
        tag="type",
        tags=("FIXED_INTERVAL", "RATE_LIMITED", "CUSTOM"),
    )

    type: PolicyType | None = None
    fixed_interval_options: FixedIntervalPolicy | None = None
    rate_limited_options: Annotated[RateLimitedPolicy, Judged(rolling_illegalities)] | None = None
    custom_options: CustomPolicy | None = None


class PolicyExpressionNot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Fulfilled if its operand isn't."""

    expression: Annotated[PolicyExpression, Required()]


class PolicyExpressionAnd(msgspec.Struct, frozen=True, omit_defaults=True):
    """Fulfilled if all of its operands are."""

    expressions: Annotated[tuple[PolicyExpression, ...], Size(minimum=2, maximum=10), Required()]


class PolicyExpressionOr(msgspec.Struct, frozen=True, omit_defaults=True):
    """Fulfilled if one of its operands is."""

    expressions: Annotated[tuple[PolicyExpression, ...], Size(minimum=2, maximum=10), Required()]


class PolicyExpression(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tree of policies: exactly one of its options, which ``type`` names if it is given."""

    one_of: ClassVar[OneOf] = OneOf(
        ("operator_not_options", "operator_and_options", "operator_or_options", "policy_options"),
        tag="type",
        tags=("OPERATOR_NOT", "OPERATOR_AND", "OPERATOR_OR", "POLICY"),
    )

    type: PolicyExpressionType | None = None
    operator_not_options: PolicyExpressionNot | None = None
    operator_and_options: PolicyExpressionAnd | None = None
    operator_or_options: PolicyExpressionOr | None = None
    policy_options: Policy | None = None


CANCELLATION_TERMS_MAX = 10
"""How many cancellation terms a benefit may have."""


class CancellationTerm(msgspec.Struct, frozen=True, omit_defaults=True):
    """What share of the credits comes back, up to some time before the target date."""

    before: Annotated[str, Duration(zero=True), Required()]
    percent: Annotated[int, DecimalText(at_most=PERCENT_MAX), Required()]


class Benefit(msgspec.Struct, frozen=True, omit_defaults=True):
    """An item set and its price in credits. No price means 0."""

    benefit_key: Annotated[str, Text(min_length=1, max_length=64), Required()]
    provider_app_id: Annotated[str, Guid("app"), Immutable(), Required()]
    item_set_id: Annotated[str, Guid(), ReadOnly(), Immutable()] | None = None
    price: Annotated[int, DecimalText()] | None = None
    policy_expression: Annotated[PolicyExpression, Undocumented()] | None = None
    additional_data: Annotated[dict[str, Any], FreeForm()] | None = None
    display_name: Annotated[str, Text(max_length=40)] | None = None
    description: Annotated[str, Text(max_length=255)] | None = None
    cancellation_terms: (
        Annotated[tuple[CancellationTerm, ...], Size(maximum=CANCELLATION_TERMS_MAX), Addition()]
        | None
    ) = None


class ValidOn(StrEnum):
    """What must be in a lot's life for the lot to pay: the moment of redemption, or its date."""

    REDEMPTION = "REDEMPTION"
    TARGET_DATE = "TARGET_DATE"


class RolloverConfiguration(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether unused credits stay at a renewal, and how many at most."""

    enabled: bool | None = None
    balance_cap: Annotated[int, DecimalText()] | None = None
    percent: Annotated[int, DecimalText(at_most=PERCENT_MAX), Addition()] | None = None
    expires_after: Annotated[str, Duration(), Addition()] | None = None


class CreditConfiguration(msgspec.Struct, frozen=True, omit_defaults=True):
    """The credits that a pool opens and renews with."""

    amount: Annotated[int, DecimalText()] | None = None
    rollover_configuration: RolloverConfiguration | None = None
    unit_display_name: Annotated[str, Text(max_length=32)] | None = None
    unit_type: Annotated[str, Text(max_length=16)] | None = None
    expires_after: Annotated[str, Duration(), Addition()] | None = None
    valid_on: Annotated[ValidOn, Addition()] | None = None
    returns_live: Annotated[str, Duration(), Addition()] | None = None
    lapse_at_end: Annotated[bool, Addition()] | None = None


class AlertType(StrEnum):
    """What an alert tells of."""

    BALANCE_BELOW = "BALANCE_BELOW"
    CREDITS_EXPIRING = "CREDITS_EXPIRING"
    RENEWAL_DUE = "RENEWAL_DUE"
    PROGRAM_ENDING = "PROGRAM_ENDING"
    RESERVATION_LAPSING = "RESERVATION_LAPSING"


class BalanceBelow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Less can be spent than an amount, or than a share of what the pool is granted."""

    one_of: ClassVar[OneOf] = OneOf(("amount", "percent"))

    amount: Annotated[int, DecimalText(at_least=1)] | None = None
    percent: Annotated[int, DecimalText(at_least=1, at_most=PERCENT_MAX)] | None = None

    def holds(self, available: Credits, granted: Credits) -> bool:
        """Whether so little is available, where the definition grants so much."""
        if self.percent is not None:
            return available * PERCENT_MAX < granted * self.percent
        return self.amount is not None and available < self.amount


class Within(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something will happen after no more than a duration."""

    within: Annotated[str, Duration(), Required()]


class Alert(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alert: exactly one of its options, which ``type`` names if it is given."""

    one_of: ClassVar[OneOf] = OneOf(
        (
            "balance_below_options",
            "credits_expiring_options",
            "renewal_due_options",
            "program_ending_options",
            "reservation_lapsing_options",
        ),
        tag="type",
        tags=tuple(AlertType),
    )

    alert_key: Annotated[str, Text(min_length=1, max_length=ALERT_KEY_LENGTH_MAX), Required()]
    type: AlertType | None = None
    balance_below_options: BalanceBelow | None = None
    credits_expiring_options: Within | None = None
    renewal_due_options: Within | None = None
    program_ending_options: Within | None = None
    reservation_lapsing_options: Within | None = None

    @property
    def kind(self) -> AlertType:
        """Its type, whether or not that was named."""
        for name, kind in zip(self.one_of.fields, AlertType, strict=True):
            if getattr(self, name) is not None:
                return kind
        raise AssertionError("an alert has one of its options")

    def within(self, kind: AlertType) -> str | None:
        """How long before it happens it tells of something of this kind; None if it doesn't."""
        options = getattr(self, f"{kind.lower()}_options")
        return options.within if isinstance(options, Within) else None


class Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """The benefits of a pool or pool definition and how its balance is filled."""

    benefits: Annotated[tuple[Benefit, ...], Size(maximum=10)] | None = None
    credit_configuration: CreditConfiguration | None = None
    policy_expression: Annotated[PolicyExpression, Undocumented()] | None = None
    additional_data: Annotated[dict[str, Any], FreeForm()] | None = None
    alerts: Annotated[tuple[Alert, ...], Size(maximum=ALERTS_MAX), Addition()] | None = None

    def benefit(self, benefit_key: str) -> Benefit | None:
        for benefit in self.benefits or ():
            if benefit.benefit_key == benefit_key:
                return benefit
        return None

    @property
    def credit_amount(self) -> int:
        """What the balance is opened with, in 1/10,000 credit; 0 without a configuration."""
        configuration = self.credit_configuration
        return (configuration.amount or 0) if configuration else 0

    @property
    def brings_lots(self) -> bool:
        """Whether the credits that come have lots of their own."""
        configuration = self.credit_configuration
        return configuration is not None and configuration.expires_after is not None
