"""Alerts: what a definition wants to be told of its pools. See docs/how-to/alerts.md.

They are part of the details. ``watching`` judges them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import DecimalText, Duration, OneOf, Required, Text
from benefit_programs.domain.values import PERCENT_MAX, Credits, Instant
from benefit_programs.domain.violations import FieldViolation, ViolatedRule

if TYPE_CHECKING:
    from benefit_programs.domain.details import Details

ALERTS_MAX = 10
"""How many alerts a pool definition may have."""

ALERT_KEY_LENGTH_MAX = 64
"""How many characters the key of an alert may have."""


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


class Raised(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert that began to hold of a pool, and what it tells, as its event keeps it.

    ``available`` is what could be spent then. ``date`` is the instant that it tells of, and
    ``amount`` what the lot or the reservation holds.
    """

    alert_key: str
    type: AlertType
    crossed: Instant
    available: Credits = 0
    date: Instant | None = None
    amount: Credits | None = None
    lot_id: str | None = None
    reservation_id: str | None = None


def alert_illegalities(details: Details) -> Iterator[FieldViolation]:
    """The shares of nothing among the alerts of details."""
    for position, alert in enumerate(details.alerts or ()):
        options = alert.balance_below_options
        if options is not None and options.percent is not None and not details.credit_amount:
            yield FieldViolation(
                field=f"alerts[{position}].balanceBelowOptions.percent",
                description="is a share of the amount of the credit configuration, which has none",
                violated_rule=ViolatedRule.OTHER,
                rule_name="percent_needs_amount",
            )


def repeated_alerts(details: Details) -> Iterator[FieldViolation]:
    """The alerts whose key an earlier alert has."""
    keys: set[str] = set()
    for position, alert in enumerate(details.alerts or ()):
        if alert.alert_key in keys:
            yield FieldViolation(
                field=f"alerts[{position}].alertKey",
                description="another alert of the pool definition has this key",
                violated_rule=ViolatedRule.OTHER,
                rule_name="alert_key_is_unique",
            )
        keys.add(alert.alert_key)
