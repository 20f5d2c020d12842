"""What asking custom policy providers promises, against real servers on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from structlog.testing import capture_logs

from benefit_programs.domain.details import (
    CustomPolicy,
    Policy,
    PolicyExpression,
    PolicyExpressionAnd,
    PolicyExpressionNot,
)
from benefit_programs.domain.policies import FailureDetail, Verdict, custom_policy_key
from benefit_programs.domain.values import Identity, IdentityType, ItemReference
from benefit_programs.providers.asking import (
    PROVIDER_QUESTIONS_MAX,
    PROVIDER_SECONDS_FOR_ALL,
    PolicyProviders,
    ask,
)
from benefit_programs.providers.exchange import (
    PROVIDER_ANSWER_BYTES_MAX,
    PROVIDER_ANSWER_DEPTH_MAX,
)
from benefit_programs.providers.questions import (
    PolicyProvider,
    Question,
    RedemptionFacts,
    questions_about,
)
from benefit_programs.providers.room import Room, Turns, open_provider_client
from benefit_programs.providers.signed import sign
from tests.support.inprocess import LOOPBACK
from tests.support.raw_provider import RawServer as Server
from tests.support.raw_provider import reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = 1_795_435_200_123
SECRET = "a secret that nobody may read"
# Far more than an answer on this machine takes.
PATIENCE = 30.0
FACTS = RedemptionFacts(
    tenant_id="tenant",
    namespace="gym",
    pool_id="pool",
    benefit_key="gym10",
    item_reference=ItemReference("item", "seller"),
    count=2,
    target_date=NOW,
)
YES = b'{"fulfilled": true}'


def question(
    url: str, policy: CustomPolicy | None = None, facts: RedemptionFacts = FACTS
) -> Question:
    return Question(PolicyProvider("app", url, SECRET), policy or CustomPolicy("p", "app"), facts)


async def ask_all(
    asked: list[Question],
    *,
    now: int = NOW,
    seconds: float = PROVIDER_SECONDS_FOR_ALL,
    turns: Turns | None = None,
) -> tuple[Verdict, ...]:
    until = asyncio.get_running_loop().time() + seconds
    async with open_provider_client(LOOPBACK) as client:
        return await ask(client, asked, now=now, until=until, turns=turns or Turns())


async def ask_once(server: Server, *, seconds: float = PATIENCE) -> Verdict:
    async with server.running():
        (verdict,) = await ask_all([question(server.url)], seconds=seconds)
        return verdict


def verdict_on(answer: bytes | None, **options: Any) -> Verdict:
    async def run() -> Verdict:
        return await ask_once(Server(answer), **options)

    return asyncio.run(run())


def failed(message: str, code: str = "PROVIDER_FAILED") -> Verdict:
    return Verdict(None, FailureDetail(code, message))


def test_yes() -> None:
    """A provider that says yes fulfils the policy."""
    assert verdict_on(reply(YES)) == Verdict(fulfilled=True)


def test_no_with_details() -> None:
    """A provider's refusal carries its code, message and data."""
    body = {"fulfilled": False, "details": {"code": "FULL", "message": "full", "data": {"n": 3}}}
    expected = Verdict(False, FailureDetail("FULL", "full", error_data={"n": 3}))
    assert verdict_on(reply(json.dumps(body).encode())) == expected


@pytest.mark.parametrize("details", ["", ', "details": {}', ', "details": null, "more": 1'])
def test_no_without_details(details: str) -> None:
    """A refusal without details has a code all the same."""
    failure = verdict_on(reply(f'{{"fulfilled": false{details}}}'.encode())).failure
    assert failure is not None
    assert failure.code == "CUSTOM_POLICY_NOT_FULFILLED"


def test_question_says_all_there_is() -> None:
    """The body holds the tenant, the policy, and the redemption."""
    facts = msgspec.structs.replace(
        FACTS,
        item_reference=ItemReference("item", "seller", "shirts"),
        beneficiary=Identity(IdentityType.MEMBER, "member"),
        additional_data={"table": 4},
    )

    async def run() -> Server:
        server = Server(reply(YES))
        async with server.running():
            policy = CustomPolicy("p", "app", {"limits": [1, None]})
            await ask_all([question(server.url, policy, facts)])
        return server

    server = asyncio.run(run())
    assert json.loads(server.bodies[0]) == {
        "tenantId": "tenant",
        "appId": "app",
        "namespace": "gym",
        "policyId": "p",
        "policyAdditionalData": {"limits": [1, None]},
        "poolId": "pool",
        "benefitKey": "gym10",
        "itemReference": {"externalId": "item", "category": "shirts", "providerAppId": "seller"},
        "count": 2,
        "targetDate": "2026-11-23T12:00:00.123Z",
        "beneficiary": {"identityType": "MEMBER", "memberId": "member"},
        "additionalData": {"table": 4},
    }
    assert server.headers[0]["content-type"] == "application/json"


def test_question_leaves_out_what_is_unknown() -> None:
    """What is not known is left out of the body rather than sent as null."""

    async def run() -> Server:
        server = Server(reply(YES))
        async with server.running():
            await ask_all([question(server.url, CustomPolicy(app_id="app"))])
        return server

    body = json.loads(asyncio.run(run()).bodies[0])
    assert body.keys() & {"policyId", "policyAdditionalData", "beneficiary"} == set()
    assert body["itemReference"] == {"externalId": "item", "providerAppId": "seller"}


def test_signature_proves_body_and_time() -> None:
    """The signature is the HMAC-SHA256 of seconds, full stop and body, keyed with the secret."""

    async def run() -> Server:
        server = Server(reply(YES))
        await ask_once(server)
        return server

    server = asyncio.run(run())
    mac = hmac.new(SECRET.encode(), b"1795435200." + server.bodies[0], hashlib.sha256).hexdigest()
    assert server.headers[0]["x-benefits-signature"] == f"t=1795435200,v1={mac}"
    assert sign("key", 1, b"body") != sign("key", 2, b"body")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (reply(YES, "201 Created"), "the policy provider answered with 201"),
        (reply(b"secret body", "500 Oops"), "the policy provider answered with 500"),
        (reply(b""), "the policy provider's answer can't be read"),
        (reply(b"secret body"), "the policy provider's answer can't be read"),
        (reply(b'{"fulfilled": "secret body"}'), "the policy provider's answer can't be read"),
        (reply(b'{"fulfilled": null}'), "the policy provider's answer can't be read"),
        (reply(b"{}"), "the policy provider's answer can't be read"),
        (reply(b"[" * 9_000), "the policy provider's answer can't be read"),
        (reply(b'{"fulfilled": "\xff"}'), "the policy provider's answer can't be read"),
        (
            reply(YES, headers="content-encoding: gzip\r\n"),
            "the policy provider's answer is compressed",
        ),
        (reply(YES)[:-4], "the policy provider could not be asked (RemoteProtocolError)"),
        (b"", "the policy provider could not be asked (RemoteProtocolError)"),
        (
            b"not http at all\r\n\r\n",
            "the policy provider could not be asked (RemoteProtocolError)",
        ),
    ],
)
def test_no_answer_is_undecided(answer: bytes, message: str) -> None:
    """A reply that is no answer gives an undecided verdict that says so, and never its body."""
    assert verdict_on(answer) == failed(message)


def padded(length: int) -> bytes:
    return YES + b" " * (length - len(YES))


def test_longest_answer() -> None:
    """An answer of the longest length is read, one of a byte more is not."""
    assert verdict_on(reply(padded(PROVIDER_ANSWER_BYTES_MAX))) == Verdict(fulfilled=True)
    assert verdict_on(reply(padded(PROVIDER_ANSWER_BYTES_MAX + 1))) == failed(
        "the policy provider's answer is longer than 16384 bytes"
    )


def test_endless_answer() -> None:
    """An answer that claims to be huge is dropped after the longest length."""
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n" + b" " * 1_000_000
    assert verdict_on(answer) == failed("the policy provider's answer is longer than 16384 bytes")


@pytest.mark.parametrize(("extra", "readable"), [(0, True), (1, False)])
def test_deepest_answer(extra: int, *, readable: bool) -> None:
    """Data of an answer nests as deep as the limit, and no deeper."""
    data: Any = 1
    for _ in range(PROVIDER_ANSWER_DEPTH_MAX - 1 + extra):
        data = [data]
    body = {"fulfilled": False, "details": {"data": {"deep": data}}}
    verdict = verdict_on(reply(json.dumps(body).encode()))
    assert (verdict.fulfilled is False) is readable
    assert readable or verdict == failed("the policy provider's answer nests too deep")


def test_redirects_are_not_followed() -> None:
    """A redirect is no answer, and the place that it names is never asked."""

    async def run() -> tuple[Verdict, Server]:
        target = Server(reply(YES))
        async with target.running():
            server = Server(reply(b"", "307 Elsewhere", f"location: {target.url}\r\n"))
            return await ask_once(server), target

    verdict, target = asyncio.run(run())
    assert verdict == failed("the policy provider answered with 307")
    assert target.bodies == []


def test_nobody_there() -> None:
    """A provider that can't be reached gives an undecided verdict."""

    async def run() -> Verdict:
        async with Server(None).running() as server:
            url = server.url
        (verdict,) = await ask_all([question(url)], seconds=PATIENCE)
        return verdict

    assert asyncio.run(run()) == failed("the policy provider could not be asked (ConnectError)")


def test_silence_is_cut_off() -> None:
    """A provider that never answers gives an undecided verdict when the time is over."""
    assert verdict_on(None, seconds=0.05) == failed(
        "the policy provider took too long", "PROVIDER_TIMEOUT"
    )


def test_slow_body_is_cut_off() -> None:
    """The time also binds the body of an answer that has begun."""
    start = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"

    async def run() -> Verdict:
        return await ask_once(Server(None, start=start), seconds=0.5)

    assert asyncio.run(run()) == failed("the policy provider took too long", "PROVIDER_TIMEOUT")


def test_questions_are_asked_side_by_side() -> None:
    """All providers are asked at once, and the verdicts come in the order of the questions."""

    async def run() -> tuple[Verdict, ...]:
        yes, no = Server(reply(YES)), Server(reply(b'{"fulfilled": false}'))
        # Nobody answers until all four have been asked.
        yes.together = no.together = asyncio.Barrier(4)
        async with yes.running(), no.running():
            asked = [question(server.url) for server in (yes, no, no, yes)]
            return await ask_all(asked, seconds=PATIENCE)

    assert [v.fulfilled for v in asyncio.run(run())] == [True, False, False, True]


def test_one_silent_provider_hurts_no_other() -> None:
    """When the time is over, those that have answered keep their verdicts."""

    async def run() -> tuple[Verdict, ...]:
        silent, yes = Server(None), Server(reply(YES))
        async with silent.running(), yes.running():
            asked = [question(silent.url), question(yes.url), question("http://127.0.0.1:1/")]
            return await ask_all(asked, seconds=2.0)

    assert [verdict.fulfilled for verdict in asyncio.run(run())] == [None, True, None]


def test_no_questions() -> None:
    """Without questions nothing is asked."""
    assert asyncio.run(ask_all([])) == ()


def test_cancellation_is_passed_on() -> None:
    """A caller that is cancelled is not kept waiting for providers."""

    async def run() -> bool:
        server = Server(None)
        server.together = asyncio.Barrier(2)
        async with server.running():
            asking = asyncio.ensure_future(ask_all([question(server.url)], seconds=PATIENCE))
            await server.together.wait()
            asking.cancel()
            await asyncio.wait([asking])
            return asking.cancelled()

    assert asyncio.run(run())


def test_forbidden_addresses_are_not_asked() -> None:
    """A provider on this machine is asked nothing unless the operator allows it."""

    async def run() -> tuple[Verdict, Server]:
        server = Server(reply(YES))
        async with server.running(), open_provider_client() as client:
            until = asyncio.get_running_loop().time() + PATIENCE
            asked = [question(server.url)]
            (verdict,) = await ask(client, asked, now=NOW, until=until, turns=Turns())
        return verdict, server

    verdict, server = asyncio.run(run())
    assert verdict == failed("the policy provider's address is not allowed")
    assert server.bodies == []


def test_cookies_are_not_kept() -> None:
    """What a provider sets as a cookie never comes back to it, nor to any other."""

    async def run() -> Server:
        server = Server(reply(YES, headers="set-cookie: a=b\r\n"))
        async with server.running(), open_provider_client(LOOPBACK) as client:
            for _ in range(2):
                until = asyncio.get_running_loop().time() + PATIENCE
                asked = [question(server.url)]
                await ask(client, asked, now=NOW, until=until, turns=Turns())
        return server

    assert ["cookie" in headers for headers in asyncio.run(run()).headers] == [False, False]


def test_logs_tell_no_secrets() -> None:
    """A failure is logged with tenant and app, without the answer's body or the secret."""
    with capture_logs() as lines:
        verdict_on(reply(b"private answer"))
    assert [(line["event"], line["tenant"], line["app_id"], line["code"]) for line in lines] == [
        ("policy_provider_failed", "tenant", "app", "PROVIDER_FAILED")
    ]
    assert "private" not in str(lines)
    assert SECRET not in str(lines)


def test_unspeakable_data() -> None:
    """Data that can't be written down gives an undecided verdict, not an error."""
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"in": deep}
    policy = CustomPolicy(None, "app", deep)
    assert custom_policy_key(policy).app_id == "app"

    async def run() -> Verdict:
        far = msgspec.structs.replace(FACTS, target_date=10**18)
        asked = [
            question("http://127.0.0.1:1/", policy),
            question("http://127.0.0.1:1/", None, far),
        ]
        verdicts = await ask_all(asked)
        assert verdicts[1] == failed("the policy provider could not be asked (OverflowError)")
        return verdicts[0]

    assert asyncio.run(run()) == failed("the policy provider could not be asked (RecursionError)")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "provider.example/ask",
        "/ask",
        "ftp://provider.example/",
        "file:///etc/passwd",
        "http://",
        "http://user:password@provider.example/",
        "http://provider.example:port/",
        "http://provider.example/\x00",
        "https://provider.example/" + "a" * 2_048,
    ],
)
def test_provider_urls(url: str) -> None:
    """Only absolute http and https URLs without user information can be registered."""
    with pytest.raises(ValueError, match="URL of a policy provider"):
        PolicyProvider("app", url, SECRET)


def test_provider_hides_its_secret() -> None:
    """The text form of a provider doesn't show its secret, and the secret isn't empty."""
    provider = PolicyProvider("app", "https://provider.example/", SECRET)
    assert SECRET not in f"{provider} {provider!r}"
    assert SECRET not in f"{question(provider.url)!r}"
    with pytest.raises(ValueError, match="secret"):
        PolicyProvider("app", "https://provider.example/", "")


def test_questions_about_an_expression() -> None:
    """Each custom policy of an app with a provider is asked once; the others are not."""
    known = PolicyProvider("app", "https://provider.example/", SECRET)

    def custom(policy: CustomPolicy) -> PolicyExpression:
        return PolicyExpression(policy_options=Policy(custom_options=policy))

    first, second = CustomPolicy("1", "app"), CustomPolicy("2", "app", {"a": 1})
    expression = PolicyExpression(
        operator_and_options=PolicyExpressionAnd(
            (
                custom(first),
                custom(CustomPolicy("3", "unknown")),
                custom(CustomPolicy("4")),
                PolicyExpression(operator_not_options=PolicyExpressionNot(custom(second))),
                custom(first),
            )
        )
    )
    asked = questions_about(expression, {"app": known}, FACTS)
    assert asked == (Question(known, first, FACTS), Question(known, second, FACTS))
    assert questions_about(None, {"app": known}, FACTS) == ()


# All questions of a request


def custom(*ids: str) -> PolicyExpression:
    """An expression of custom policies that must all be fulfilled."""
    policies = (CustomPolicy(each, "app") for each in ids)
    return PolicyExpression(
        operator_and_options=PolicyExpressionAnd(
            tuple(PolicyExpression(policy_options=Policy(custom_options=each)) for each in policies)
        )
    )


def ask_about(
    server: Server,
    *subjects: tuple[PolicyExpression | None, RedemptionFacts],
    seconds: float = PATIENCE,
    apart: AbstractAsyncContextManager[None] | None = None,
) -> list[dict[str | None, Verdict]]:
    """The verdicts on redemptions, by the ids of their policies."""

    async def run() -> list[dict[str | None, Verdict]]:
        room = Room(allowed=LOOPBACK)
        providers = PolicyProviders(room, seconds_for_all=seconds)
        async with server.running():
            registered = {"app": PolicyProvider("app", server.url, SECRET)}
            verdicts = await providers.ask(
                subjects, registered, now=NOW, apart=apart or nullcontext()
            )
            await room.aclose()
        return [{key.policy_id: verdict for key, verdict in each.items()} for each in verdicts]

    return asyncio.run(run())


def test_verdicts_come_by_redemption_and_policy() -> None:
    """Each redemption has the verdicts on its own policies, none on those of others."""
    server = Server(reply(YES))
    verdicts = ask_about(server, (custom("1", "2"), FACTS), (custom("3"), FACTS))
    assert verdicts == [{"1": Verdict(True), "2": Verdict(True)}, {"3": Verdict(True)}]


def test_who_asks_nobody_keeps_its_turn() -> None:
    """A turn is given up for questions alone, and taken again after them."""
    server, steps = Server(reply(YES)), []

    @asynccontextmanager
    async def apart() -> AsyncIterator[None]:
        steps.append(len(server.bodies))
        yield
        steps.append(len(server.bodies))

    assert ask_about(server, (None, FACTS), apart=apart()) == [{}]
    assert steps == []
    ask_about(server, (custom("1"), FACTS), apart=apart())
    assert steps == [0, 1]


def test_the_same_is_asked_once() -> None:
    """Equal questions of one request share their verdict; any difference asks anew."""
    other = msgspec.structs.replace(FACTS, additional_data={"table": 4})
    server = Server(reply(YES))
    subjects = [(custom("1"), FACTS), (custom("1", "2"), FACTS), (custom("1"), other)]
    verdicts = ask_about(server, *subjects)
    assert [len(each) for each in verdicts] == [1, 2, 1]
    bodies = [json.loads(each) for each in server.bodies]
    asked = sorted((each["policyId"], "additionalData" in each) for each in bodies)
    assert asked == [("1", False), ("1", True), ("2", False)]


@pytest.mark.parametrize("extra", [0, 1])
def test_a_request_asks_so_many_questions(extra: int) -> None:
    """What is past the limit isn't asked, and says so; equal questions don't count."""
    numbers = [str(each) for each in range(PROVIDER_QUESTIONS_MAX + extra)]
    server = Server(reply(YES))
    first, second = ask_about(server, (custom(*numbers), FACTS), (custom(*numbers), FACTS))
    assert first == second
    assert len(server.bodies) == PROVIDER_QUESTIONS_MAX
    refused = {each: verdict for each, verdict in first.items() if not verdict.fulfilled}
    message = "one request asks policy providers at most 200 different questions"
    assert refused == {each: failed(message) for each in numbers[PROVIDER_QUESTIONS_MAX:]}


def test_silence_costs_the_time_of_one_question() -> None:
    """However many questions wait for a silent provider, all end when the time is over."""
    numbers = [str(each) for each in range(PROVIDER_QUESTIONS_MAX)]
    before = time.monotonic()
    (verdicts,) = ask_about(Server(None), (custom(*numbers), FACTS), seconds=0.5)
    assert time.monotonic() - before < 2.5
    assert set(verdicts.values()) == {
        failed("the policy provider took too long", "PROVIDER_TIMEOUT")
    }


def test_a_silent_tenant_leaves_room_for_others() -> None:
    """No tenant has more than its share under way, so another one is answered meanwhile."""

    async def run() -> tuple[int, tuple[Verdict, ...]]:
        turns, silent, yes = Turns(at_once=4, of_tenant=3), Server(None), Server(reply(YES))
        silent.together = asyncio.Barrier(4)
        async with silent.running(), yes.running():
            many = [question(silent.url) for _ in range(10)]
            waiting = asyncio.ensure_future(ask_all(many, seconds=PATIENCE, turns=turns))
            await silent.together.wait()
            other = msgspec.structs.replace(FACTS, tenant_id="other")
            asked = [question(yes.url, None, other) for _ in range(3)]
            verdicts = await ask_all(asked, seconds=PATIENCE, turns=turns)
            waiting.cancel()
            await asyncio.wait([waiting])
            return len(silent.bodies), verdicts

    assert asyncio.run(run()) == (3, (Verdict(True),) * 3)


def test_logs_count_what_failed_alike() -> None:
    """A request whose questions fail alike leaves one line, with their number."""
    with capture_logs() as lines:
        ask_about(Server(reply(b"")), (custom("1", "2", "3"), FACTS))
    assert [line["questions"] for line in lines] == [3]
