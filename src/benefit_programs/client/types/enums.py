"""The enums of the contract. Values of newer servers are kept: ``str(value)`` tells what came."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """An enum whose members may become more. An unknown value equals the text that came."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this version of the client knows the value."""
        return self._name_ in type(self).__members__


class Cascade(OpenEnum):
    """When a change to a definition reaches what was made from it."""

    IMMEDIATELY = "IMMEDIATELY"
    NEXT_RENEWAL = "NEXT_RENEWAL"
    FUTURE_PROVISIONS = "FUTURE_PROVISIONS"


class ProgramStatus(OpenEnum):
    """The life of a program; the -ING ones show while an action runs in the background."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    PROVISIONING = "PROVISIONING"
    PAUSING = "PAUSING"
    RESUMING = "RESUMING"
    ENDING = "ENDING"


class StartStatus(StrEnum):
    """What a program may start as."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class PoolStatus(OpenEnum):
    """The life of a pool."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"
    PROVISIONING = "PROVISIONING"
    RENEWING = "RENEWING"
    PENDING = "PENDING"


class PoolOrigin(OpenEnum):
    """What made a pool."""

    PROVISION = "PROVISION"
    CASCADE = "CASCADE"


class RenewalActionType(OpenEnum):
    """What happens to a pool when it renews, besides its credits."""

    END = "END"
    UPDATE = "UPDATE"


class BalanceType(OpenEnum):
    """Where the credits of a transaction come from or go to."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"
    EXTERNAL = "EXTERNAL"


class TransactionStatus(OpenEnum):
    """The life of a transaction."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class LimitRule(OpenEnum):
    """What an adjustment does at a limit.

    FAIL raises BalanceExceededLimits; SOFT_ENFORCE stops at the limit, and leaves a balance that is
    outside already where it is; HARD_ENFORCE brings it inside.
    """

    FAIL = "FAIL"
    SOFT_ENFORCE = "SOFT_ENFORCE"
    HARD_ENFORCE = "HARD_ENFORCE"


class Intent(OpenEnum):
    """What eligibility is asked for; a reallocation costs nothing."""

    REDEMPTION = "REDEMPTION"
    REALLOCATION = "REALLOCATION"


class BenefitResultType(OpenEnum):
    """Whether a benefit can be redeemed, or why it can't."""

    ELIGIBLE_BENEFIT = "ELIGIBLE_BENEFIT"
    NOT_ENOUGH_BALANCE = "NOT_ENOUGH_BALANCE"
    POLICY_EXPRESSION_EVALUATED_TO_FALSE = "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    POOL_NOT_ACTIVE = "POOL_NOT_ACTIVE"
    BENEFIT_NOT_FOUND = "BENEFIT_NOT_FOUND"
    POOL_NOT_FOUND = "POOL_NOT_FOUND"


class PolicyExpressionType(OpenEnum):
    """The shape of a node of a policy expression."""

    OPERATOR_NOT = "OPERATOR_NOT"
    OPERATOR_AND = "OPERATOR_AND"
    OPERATOR_OR = "OPERATOR_OR"
    POLICY = "POLICY"


class PolicyType(OpenEnum):
    """What a single policy judges by."""

    FIXED_INTERVAL = "FIXED_INTERVAL"
    RATE_LIMITED = "RATE_LIMITED"
    CUSTOM = "CUSTOM"


class WeekDay(OpenEnum):
    """A day of the week; UNKNOWN means none given."""

    UNKNOWN = "UNKNOWN"
    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class TimePeriod(OpenEnum):
    """The calendar period that a rate limit counts in."""

    DAY = "DAY"
    MONTH = "MONTH"


class JobStatus(OpenEnum):
    """The life of an async job."""

    UNKNOWN = "UNKNOWN"
    INITIALIZED = "INITIALIZED"
    PROCESSING = "PROCESSING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class JobItemStatus(OpenEnum):
    """What became of one thing that a job worked on."""

    UNKNOWN = "UNKNOWN"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class IdMode(OpenEnum):
    """Which ids must be GUIDs: all but external ones, all, or only the service's own."""

    DEFAULT = "DEFAULT"
    STRICT = "STRICT"
    OPEN = "OPEN"


class UnknownPolicyApps(OpenEnum):
    """How a custom policy counts whose app has no provider."""

    FULFILLED = "FULFILLED"
    REFUSED = "REFUSED"


class ExtendedEntity(OpenEnum):
    """What has extended fields that callers may set."""

    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    POOL_DEFINITION = "POOL_DEFINITION"
    PROGRAM = "PROGRAM"
    POOL = "POOL"
    ITEM = "ITEM"


class PoolItemField(OpenEnum):
    """What a query of pool items can fill in."""

    POOL = "POOL"
    PROGRAM = "PROGRAM"
    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    ITEM = "ITEM"
    BENEFIT = "BENEFIT"
    BALANCE = "BALANCE"


class PoolDefinitionItemField(OpenEnum):
    """What a query of pool definition items can fill in."""

    POOL_DEFINITION = "POOL_DEFINITION"
    PROGRAM_DEFINITION = "PROGRAM_DEFINITION"
    BENEFIT = "BENEFIT"
    ITEM = "ITEM"
