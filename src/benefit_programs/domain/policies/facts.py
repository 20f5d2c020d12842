"""What a judgement rests on and speaks in: the facts, the verdicts and the failure details."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from benefit_programs.domain.details import TimePeriod
from benefit_programs.domain.policies.calendar import LIFETIME_DATE, period_dates
from benefit_programs.domain.policies.windows import Window, fullest_window, window_length
from benefit_programs.domain.settings import FirstDayOfWeek

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from benefit_programs.domain.details import RateLimitedPolicy
    from benefit_programs.domain.entities import QuotaShare
    from benefit_programs.domain.policies.expressions import CustomPolicyKey
    from benefit_programs.domain.values import Instant, LocalDate

CODE_LENGTH_MAX = 64
MESSAGE_LENGTH_MAX = 256


class FailureCode(StrEnum):
    """Why a policy stood in the way. A provider's refusal may carry a code of its own instead.

    The EXCLUDED ones tell of policies under a NOT: they were fulfilled and should not have been.
    """

    FIXED_INTERVAL_NOT_FULFILLED = "FIXED_INTERVAL_NOT_FULFILLED"
    FIXED_INTERVAL_EXCLUDED = "FIXED_INTERVAL_EXCLUDED"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    RATE_LIMIT_NOT_REACHED = "RATE_LIMIT_NOT_REACHED"
    CUSTOM_POLICY_NOT_FULFILLED = "CUSTOM_POLICY_NOT_FULFILLED"
    CUSTOM_POLICY_EXCLUDED = "CUSTOM_POLICY_EXCLUDED"
    POLICY_APP_UNKNOWN = "POLICY_APP_UNKNOWN"
    PROVIDER_NOT_ASKED = "PROVIDER_NOT_ASKED"
    PROVIDER_TIMEOUT = "PROVIDER_TIMEOUT"
    PROVIDER_FAILED = "PROVIDER_FAILED"
    POLICY_EXPRESSION_INVALID = "POLICY_EXPRESSION_INVALID"
    MORE_POLICIES_FAILED = "MORE_POLICIES_FAILED"


class FailureDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason of a refusal; its code and message are cut to what the contract allows."""

    code: str
    message: str | None = None
    policy_id: str | None = None
    app_id: str | None = None
    error_data: dict[str, Any] | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What a provider says of a custom policy; ``fulfilled`` is None if it said nothing usable."""

    fulfilled: bool | None
    failure: FailureDetail | None = None


class PolicyApps(msgspec.Struct, frozen=True):
    """Which apps have a provider, and whether custom policies of all others are refused.

    A policy of a registered app whose verdict is missing (its provider wasn't asked, since the
    expression changed meanwhile) is undecided, never taken as fulfilled.
    """

    registered: Collection[str] = frozenset()
    unknown_refused: bool = False


NO_APPS = PolicyApps()


class Counts(NamedTuple):
    """What a pool has counted: under a date, and one by one after an instant for what rolls."""

    on: Callable[[str, LocalDate], int]
    after: Callable[[str, Instant], Mapping[Instant, int]]


class Cycle(NamedTuple):
    """A cycle of a program: the instant that its uses are counted at, and its first, if any."""

    key: Instant
    start: Instant | None


ALL_TIME = Cycle(LIFETIME_DATE, None)
"""The only cycle of a program without a timetable."""


class Facts(NamedTuple):
    """What is known when a redemption of ``item_count`` items is judged.

    ``counts`` tell what the pool has counted so far; ``freed`` are shares in it that the same
    command gives back (a reallocation takes its new share in the same step), and below 0 those that
    it has taken; ``verdicts`` are the providers' answers by ``custom_policy_key``.
    """

    at: Instant
    time_zone: ZoneInfo
    item_count: int
    counts: Counts
    first_day: FirstDayOfWeek = FirstDayOfWeek.MONDAY
    verdicts: Mapping[CustomPolicyKey, Verdict] = MappingProxyType({})
    freed: tuple[QuotaShare, ...] = ()
    apps: PolicyApps = NO_APPS
    cycle: Cycle = ALL_TIME
    """The cycle of the program; asked for if a limit counts in it."""

    def used(self, limit: RateLimitedPolicy) -> int:
        """What counts on a limit already, without what is given back; 0 without a quota."""
        if limit.time_period is TimePeriod.ROLLING:
            return self.window(limit).used
        if limit.quota_id is None:
            return 0
        dates = self._dates(limit)
        used = sum(self.counts.on(limit.quota_id, each) for each in dates)
        freed = sum(share.count for share in self._freed(limit) if share.period_start in dates)
        return max(used - freed, 0)

    def _dates(self, limit: RateLimitedPolicy) -> range:
        """What the uses of a limit are counted under that doesn't roll."""
        if limit.time_period is TimePeriod.CYCLE:
            return range(self.cycle.key, self.cycle.key + 1)
        return period_dates(limit, self.at, self.time_zone, self.first_day)

    def window(self, limit: RateLimitedPolicy) -> Window:
        """The window of a limit that rolls in which most is used."""
        length, uses = window_length(limit), {}
        if limit.quota_id is not None:
            uses = dict(self.counts.after(limit.quota_id, self.at - length))
        for share in self._freed(limit):
            if share.period_start in uses or share.count < 0:
                uses[share.period_start] = uses.get(share.period_start, 0) - share.count
        return fullest_window(self.at, length, uses)

    def _freed(self, limit: RateLimitedPolicy) -> list[QuotaShare]:
        return [share for share in self.freed if share.quota_id == limit.quota_id]
