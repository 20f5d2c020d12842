"""Custom policy providers: what an app is asked before one of its benefits is redeemed.

A tenant registers a URL and a signing secret per app id. Each custom policy of that app is asked
with one POST. Its body is a JSON object; what is unknown is left out:

    {
        "tenantId": "...", "appId": "...", "namespace": "...",
        "policyId": "...",                 # CustomPolicy.id
        "policyAdditionalData": {...},     # CustomPolicy.additionalData
        "poolId": "...", "benefitKey": "...",
        "itemReference": {"externalId": "...", "category": "...", "providerAppId": "..."},
        "count": 1,
        "targetDate": "2026-11-23T12:00:00.000Z",   # now, if the caller named none
        "beneficiary": {"identityType": "MEMBER", "memberId": "..."},
        "additionalData": {...}            # that of the redemption
    }

It is signed (``signed``). The provider answers 200 with a JSON object, whose ``details`` and their
fields may be left out:

    {"fulfilled": false, "details": {"code": "...", "message": "...", "data": {...}}}

Anything else (another status, a redirect, no JSON, too long, too late, no connection) is no
answer, and what hangs on it is refused. A question may come more than once for one redemption,
and doesn't mean that the redemption will happen.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from benefit_programs.domain.details import CustomPolicy
from benefit_programs.domain.policies import (
    CustomPolicyKey,
    custom_policies,
    custom_policy_key,
)
from benefit_programs.domain.values import Identity, Instant, ItemReference
from benefit_programs.outgoing.urls import url_problem
from benefit_programs.providers.identities import identity_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benefit_programs.domain.details import PolicyExpression


class PolicyProvider(msgspec.Struct, frozen=True):
    """Where an app's custom policies are asked, and what the questions are signed with.

    Raises ValueError unless the URL is an absolute http or https one without user information
    and the secret holds something. Its text form doesn't show the secret.
    """

    app_id: str
    url: str
    secret: str

    def __post_init__(self) -> None:
        if problem := url_problem(self.url):
            raise ValueError(f"the URL of a policy provider {problem}")
        if not self.secret:
            raise ValueError("the secret of a policy provider is not empty")

    def __repr__(self) -> str:
        return f"PolicyProvider(app_id={self.app_id!r}, url={self.url!r})"


class RedemptionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The redemption that providers are asked about; ``target_date`` is never missing."""

    tenant_id: str
    namespace: str
    pool_id: str
    benefit_key: str
    item_reference: ItemReference
    count: int
    target_date: Instant
    beneficiary: Identity | None = None
    additional_data: dict[str, Any] | None = None


class Question(msgspec.Struct, frozen=True):
    """One custom policy, asked of its provider about one redemption."""

    provider: PolicyProvider
    policy: CustomPolicy
    facts: RedemptionFacts

    @property
    def key(self) -> CustomPolicyKey:
        return custom_policy_key(self.policy)


def questions_about(
    expression: PolicyExpression | None,
    providers: Mapping[str, PolicyProvider],
    facts: RedemptionFacts,
) -> tuple[Question, ...]:
    """The questions to ask before an expression is judged; none for apps without a provider."""
    return tuple(
        Question(providers[policy.app_id], policy, facts)
        for policy in custom_policies(expression)
        if policy.app_id is not None and policy.app_id in providers
    )


def encode(question: Question) -> bytes:
    """The body of the request. Raises ValueError, OverflowError or RecursionError."""
    policy, facts = question.policy, question.facts
    item = facts.item_reference
    content = {
        "tenantId": facts.tenant_id,
        "appId": question.provider.app_id,
        "namespace": facts.namespace,
        "policyId": policy.id,
        "policyAdditionalData": policy.additional_data,
        "poolId": facts.pool_id,
        "benefitKey": facts.benefit_key,
        "itemReference": _without_none(
            externalId=item.external_id,
            category=item.category or None,
            providerAppId=item.provider_app_id,
        ),
        "count": facts.count,
        "targetDate": _format_instant(facts.target_date),
        "beneficiary": identity_document(facts.beneficiary),
        "additionalData": facts.additional_data,
    }
    return json.dumps(_without_none(**content), separators=(",", ":")).encode()


def _format_instant(at: Instant) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
