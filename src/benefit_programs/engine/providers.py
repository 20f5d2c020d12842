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

The header ``x-benefits-signature: t=<unix seconds>,v1=<hex>`` proves who asks: ``v1`` is the
HMAC-SHA256, keyed with the secret, of the seconds as decimal text, a full stop, and the body's
bytes. A provider compares it in constant time and refuses a ``t`` that is minutes away.

It answers 200 with a JSON object, whose ``details`` and their fields may be left out:

    {"fulfilled": false, "details": {"code": "...", "message": "...", "data": {...}}}

Anything else (another status, a redirect, no JSON, too long, too late, no connection) is no
answer, and what hangs on it is refused. A question may come more than once for one redemption,
and doesn't mean that the redemption will happen.

Only operators register URLs: the service calls whatever they name, inside their network too, so
that the setting must never be open to a tenant's own users. Answers and secrets are never logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import structlog

from benefit_programs.domain.details import CustomPolicy
from benefit_programs.domain.policies import (
    CustomPolicyKey,
    FailureCode,
    FailureDetail,
    Verdict,
    custom_policies,
    custom_policy_key,
)
from benefit_programs.domain.values import Identity, IdentityType, Instant, ItemReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benefit_programs.domain.details import PolicyExpression

PROVIDER_SECONDS_FOR_ALL = 2.0
"""How long all the providers of a request may take together."""

PROVIDER_ANSWER_BYTES_MAX = 16_384
"""The longest answer that is read."""

PROVIDER_ANSWER_DEPTH_MAX = 32
"""How deep the data of an answer may nest: it is passed on to the caller of the API."""

PROVIDER_CONNECTIONS_MAX = 100
"""How many connections to providers a client of ``open_provider_client`` holds at once."""

SIGNATURE_HEADER = "x-benefits-signature"
URL_LENGTH_MAX = 2_048

_IDENTITY_KEYS = {
    IdentityType.ANONYMOUS_VISITOR: "anonymousVisitorId",
    IdentityType.MEMBER: "memberId",
    IdentityType.WIX_USER: "wixUserId",
    IdentityType.APP: "appId",
}

log = structlog.get_logger(__name__)


class PolicyProvider(msgspec.Struct, frozen=True):
    """Where an app's custom policies are asked, and what the questions are signed with.

    Raises ValueError unless the URL is an absolute http or https one without user information
    and the secret holds something. Its text form doesn't show the secret.
    """

    app_id: str
    url: str
    secret: str

    def __post_init__(self) -> None:
        """Refuse what could never be asked."""
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            raise ValueError("the URL of a policy provider can't be read") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("the URL of a policy provider is an absolute http or https one")
        if url.userinfo or len(self.url) > URL_LENGTH_MAX:
            raise ValueError(
                f"the URL of a policy provider has no user information and at most "
                f"{URL_LENGTH_MAX} characters"
            )
        if not self.secret:
            raise ValueError("the secret of a policy provider is not empty")

    def __repr__(self) -> str:
        """Show everything but the secret."""
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
        """The key under which ``judge`` looks for the verdict."""
        return custom_policy_key(self.policy)


class AnswerDetails(msgspec.Struct, frozen=True):
    """Why a provider refuses, in its own words."""

    code: str | None = None
    message: str | None = None
    data: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    """What a provider answers."""

    fulfilled: bool
    details: AnswerDetails | None = None


def open_provider_client() -> httpx.AsyncClient:
    """A client for ``ask``, which the caller closes.

    It obeys no proxy settings and reads no stored passwords of the machine, keeps no cookies and
    follows no redirects.
    """
    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=PROVIDER_CONNECTIONS_MAX),
        timeout=None,  # noqa: S113 - ``ask`` keeps the time, for all of its questions together
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


class ProviderDesk:
    """Asks providers through one client, which is opened by the first question."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def ask(self, questions: Sequence[Question], *, now: Instant) -> tuple[Verdict, ...]:
        """Ask side by side, and answer in the order of the questions."""
        if self._client is None:
            self._client = open_provider_client()
        return await ask(self._client, questions, now=now)

    async def close(self) -> None:
        """Close the connections to the providers."""
        if self._client is not None:
            await self._client.aclose()


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


def verdicts_by_key(
    questions: Iterable[Question], verdicts: Iterable[Verdict]
) -> dict[CustomPolicyKey, Verdict]:
    """Verdicts on the questions of one redemption, in the form that ``judge`` takes."""
    return {question.key: verdict for question, verdict in zip(questions, verdicts, strict=True)}


async def ask(
    client: httpx.AsyncClient,
    questions: Sequence[Question],
    *,
    now: Instant,
    seconds_for_all: float = PROVIDER_SECONDS_FOR_ALL,
) -> tuple[Verdict, ...]:
    """Ask side by side, and answer in the order of the questions within ``seconds_for_all``.

    A provider that fails gives an undecided verdict with PROVIDER_TIMEOUT or PROVIDER_FAILED, and
    leaves the others alone; nothing is raised but a cancellation of the caller. Never call it in a
    transaction.
    """
    if not questions:
        return ()
    deadline = asyncio.get_running_loop().time() + seconds_for_all
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_ask_one(client, question, now=now, deadline=deadline))
            for question in questions
        ]
    return tuple(task.result() for task in tasks)


def sign(secret: str, seconds: int, body: bytes) -> str:
    """The value of the signature header for a body sent at a time in unix seconds."""
    text = f"{seconds}.".encode() + body
    return f"t={seconds},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


async def _ask_one(
    client: httpx.AsyncClient, question: Question, *, now: Instant, deadline: float
) -> Verdict:
    try:
        async with asyncio.timeout_at(deadline):
            answer = await _exchange(client, question, now)
    except (TimeoutError, httpx.TimeoutException):
        return _fail(question, FailureCode.PROVIDER_TIMEOUT, "the policy provider took too long")
    except _NoAnswerError as error:
        return _fail(question, FailureCode.PROVIDER_FAILED, str(error))
    except _EXCHANGE_ERRORS as error:
        reason = f"the policy provider could not be asked ({type(error).__name__})"
        return _fail(question, FailureCode.PROVIDER_FAILED, reason)
    return _verdict_of(answer)


class _NoAnswerError(Exception):
    """A provider replied, but not with an answer."""


# What a peer, the network, or free-form data that can't be encoded may cause.
_EXCHANGE_ERRORS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    OSError,
    ValueError,
    OverflowError,
    RecursionError,
)


async def _exchange(client: httpx.AsyncClient, question: Question, now: Instant) -> Answer:
    body, seconds = _encode(question), now // 1000
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        # Nothing compressed: a short reply must not unfold into a long one.
        "accept-encoding": "identity",
        SIGNATURE_HEADER: sign(question.provider.secret, seconds, body),
    }
    async with client.stream(
        "POST", question.provider.url, content=body, headers=headers, follow_redirects=False
    ) as response:
        if response.status_code != httpx.codes.OK:
            raise _NoAnswerError(f"the policy provider answered with {response.status_code}")
        return _decode(await _read(response))


async def _read(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _NoAnswerError("the policy provider's answer is compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > PROVIDER_ANSWER_BYTES_MAX:
            raise _NoAnswerError(
                f"the policy provider's answer is longer than {PROVIDER_ANSWER_BYTES_MAX} bytes"
            )
    return bytes(body)


def _decode(body: bytes) -> Answer:
    try:
        answer = msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The decoder's own words may quote the body.
        raise _NoAnswerError("the policy provider's answer can't be read") from None
    if answer.details and _nests_deeper(answer.details.data, PROVIDER_ANSWER_DEPTH_MAX):
        raise _NoAnswerError("the policy provider's answer nests too deep")
    return answer


def _nests_deeper(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [part for whole in layer for part in _parts(whole)]
    return any(_parts(whole) for whole in layer)


def _parts(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _encode(question: Question) -> bytes:
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
        "beneficiary": _identity(facts.beneficiary),
        "additionalData": facts.additional_data,
    }
    return json.dumps(_without_none(**content), separators=(",", ":")).encode()


def _identity(identity: Identity | None) -> dict[str, str] | None:
    if identity is None or identity.type not in _IDENTITY_KEYS:
        return None
    return {"identityType": identity.type.value, _IDENTITY_KEYS[identity.type]: identity.id}


def _format_instant(at: Instant) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _verdict_of(answer: Answer) -> Verdict:
    if answer.fulfilled:
        return Verdict(fulfilled=True)
    details = answer.details or AnswerDetails()
    failure = FailureDetail(
        code=details.code or FailureCode.CUSTOM_POLICY_NOT_FULFILLED,
        message=details.message or "the custom policy is not fulfilled",
        error_data=details.data,
    )
    return Verdict(fulfilled=False, failure=failure)


def _fail(question: Question, code: FailureCode, reason: str) -> Verdict:
    log.warning(
        "policy_provider_failed",
        tenant=question.facts.tenant_id,
        app_id=question.provider.app_id,
        code=code.value,
        reason=reason,
    )
    return Verdict(fulfilled=None, failure=FailureDetail(code=code, message=reason))
