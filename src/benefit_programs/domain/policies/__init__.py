"""Policies: whether a redemption may happen now, and what it takes from rate limits.

``calendar`` knows local time, ``windows`` what rolls, ``intervals`` the FIXED_INTERVAL policies,
``expressions`` walks the trees, ``quotas`` keeps the ids of rate limits, ``judgement`` puts it all
together, and ``failures`` says what stood in the way.
"""

from benefit_programs.domain.entities import QuotaShare
from benefit_programs.domain.policies.calendar import period_dates, period_start
from benefit_programs.domain.policies.expressions import (
    EXPRESSION_DEPTH_MAX,
    CustomPolicyKey,
    counts_cycles,
    custom_policies,
    custom_policy_key,
    policy_of,
    rate_limits,
)
from benefit_programs.domain.policies.facts import (
    ALL_TIME,
    Counts,
    Cycle,
    Facts,
    FailureCode,
    FailureDetail,
    PolicyApps,
    Verdict,
)
from benefit_programs.domain.policies.intervals import contains
from benefit_programs.domain.policies.judgement import Judgement, judge
from benefit_programs.domain.policies.quotas import (
    assign_quota_ids,
    quota_shares,
)
from benefit_programs.domain.policies.windows import window_length

__all__ = [
    "ALL_TIME",
    "EXPRESSION_DEPTH_MAX",
    "Counts",
    "CustomPolicyKey",
    "Cycle",
    "Facts",
    "FailureCode",
    "FailureDetail",
    "Judgement",
    "PolicyApps",
    "QuotaShare",
    "Verdict",
    "assign_quota_ids",
    "contains",
    "counts_cycles",
    "custom_policies",
    "custom_policy_key",
    "judge",
    "period_dates",
    "period_start",
    "policy_of",
    "quota_shares",
    "rate_limits",
    "window_length",
]
