"""The operations of the ledger: what each does to a balance. Rules and ``verify`` read this table.

Invariants I6, I7, I8, I9 and I11 (docs/invariants.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benefit_programs.domain.entities import BalanceType, Operation


class Rule(NamedTuple):
    """What an operation does. Without ``source`` and ``target`` it goes either way.

    ``reason`` is what it is called in the ledger (None: as the caller says), ``event`` the event of
    the pool that it makes (None: it is only the balance's, or part of another change of the pool).
    """

    source: BalanceType | None = None
    target: BalanceType | None = None
    reason: str | None = None
    event: str | None = None
    may_be_zero: bool = False
    is_zero: bool = False
    """It moves no credits, but says something of its chain."""

    opens: bool = False
    """It is the balance's first transaction, and has the revision that the balance opens with."""

    is_priced: bool = False
    """Its amount is the count times the price of its benefit."""

    counts_quotas: bool = False
    """It takes shares of rate limits, which stand until it is superseded or given back."""

    gives_back: tuple[Operation, ...] = ()
    """It is the opposite of one transaction of these operations, and ends its chain."""

    follows: tuple[Operation, ...] = ()
    """It goes on in the chain of one transaction of these operations, and doesn't end it."""

    comes_due: bool = False
    """It may happen by itself, and then it may be booked later than that."""

    supersedes: tuple[Operation, ...] = ()
    """It takes the place of one transaction of these operations in its chain."""

    def allows(self, source: BalanceType, target: BalanceType, amount: int) -> bool:
        return (
            (self.source is source or self.source is None)
            and (self.target is target or self.target is None)
            and (amount == 0 if self.is_zero else self.may_be_zero or amount > 0)
        )

    @property
    def continues(self) -> bool:
        """Whether it belongs to the chain of an earlier transaction rather than begin one."""
        return bool(self.gives_back or self.supersedes or self.follows)


_IN = (BalanceType.EXTERNAL, BalanceType.AVAILABLE)
_OUT = (BalanceType.AVAILABLE, BalanceType.EXTERNAL)
_REDEMPTIONS = (Operation.REDEEM, Operation.CAPTURE)

RULES: dict[Operation, Rule] = {
    Operation.PROVISION: Rule(*_IN, reason="Provisioning", opens=True, comes_due=True),
    Operation.RENEWAL: Rule(*_IN, reason="Renewal", comes_due=True),
    Operation.EXPIRY: Rule(*_OUT, reason="Expiry", comes_due=True),
    Operation.CHANGE: Rule(),
    Operation.REDEEM: Rule(
        *_OUT,
        may_be_zero=True,
        reason="Redemption",
        event="benefit_redeemed",
        is_priced=True,
        counts_quotas=True,
    ),
    Operation.REALLOCATE: Rule(
        *_OUT,
        is_zero=True,
        reason="Reallocation",
        event="benefit_reallocated",
        counts_quotas=True,
        supersedes=(*_REDEMPTIONS, Operation.REALLOCATE),
    ),
    Operation.CANCEL: Rule(
        *_IN,
        may_be_zero=True,
        reason="Cancellation",
        event="redemption_canceled",
        gives_back=_REDEMPTIONS,
    ),
    Operation.CANCEL_PART: Rule(
        *_IN,
        may_be_zero=True,
        reason="Cancellation",
        event="redemption_canceled",
        follows=_REDEMPTIONS,
    ),
    Operation.REVERT: Rule(
        may_be_zero=True, reason="Revert", gives_back=(*_REDEMPTIONS, Operation.CHANGE)
    ),
    Operation.GRANT: Rule(*_IN, reason="Grant", comes_due=True),
    Operation.RESERVE: Rule(
        BalanceType.AVAILABLE,
        BalanceType.RESERVED,
        may_be_zero=True,
        reason="Reservation",
        event="benefit_reserved",
        is_priced=True,
    ),
    Operation.CAPTURE: Rule(
        BalanceType.RESERVED,
        BalanceType.EXTERNAL,
        may_be_zero=True,
        reason="Redemption",
        event="benefit_reservation_released",
        is_priced=True,
        counts_quotas=True,
    ),
    Operation.RELEASE: Rule(
        BalanceType.RESERVED,
        BalanceType.AVAILABLE,
        may_be_zero=True,
        reason="Release",
        event="benefit_reservation_canceled",
        follows=(Operation.RESERVE,),
        comes_due=True,
    ),
}


def operations(which: Callable[[Rule], object]) -> tuple[Operation, ...]:
    return tuple(operation for operation, rule in RULES.items() if which(rule))


COMING_DUE = operations(lambda rule: rule.comes_due)
GIVING_BACK = operations(lambda rule: rule.gives_back)
REDEMPTIONS = _REDEMPTIONS
"""What begins the chain of a redemption."""

REDEEMING = operations(lambda rule: rule.counts_quotas)
