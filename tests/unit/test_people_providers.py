"""What asking a tenant's own system for people promises, against real servers on this machine."""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext
from typing import Any

import pytest
from structlog.testing import capture_logs

from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.providers.people import (
    PEOPLE_ANSWER_BYTES_MAX,
    PEOPLE_PROVIDER_PAUSE_SECONDS,
    PEOPLE_QUESTIONS_OF_TENANT_AT_ONCE_MAX,
    PeopleFailed,
    PeopleProvider,
    PeopleProviders,
    PeopleQuestion,
)
from benefit_programs.providers.room import Room
from benefit_programs.providers.signed import sign
from tests.support.inprocess import LOOPBACK
from tests.support.looking import wait_until
from tests.support.raw_provider import RawServer, reply

NOW = 1_795_435_200_123
SECRET = "a secret that nobody may read"
# Far more than an answer on this machine takes.
PATIENCE = 30.0
BY_TEXT = PeopleQuestion(tenant_id="tenant", text="ada lov", limit=20)
NOBODY = reply(b'{"people": []}')


async def ask(
    server: RawServer, providers: PeopleProviders, question: PeopleQuestion = BY_TEXT
) -> list[Any] | PeopleFailed:
    """The people of an answer, or why there is none."""
    provider = PeopleProvider(server.url, SECRET)
    try:
        return await providers.ask(question, provider, now=NOW, apart=nullcontext())
    except PeopleFailed as failed:
        return failed


def asked(
    server: RawServer,
    question: PeopleQuestion = BY_TEXT,
    *,
    seconds: float = PATIENCE,
    networks: Any = LOOPBACK,
) -> list[Any] | PeopleFailed:
    """What one question brings."""

    async def run() -> list[Any] | PeopleFailed:
        room = Room(allowed=networks)
        async with server.running():
            found = await ask(server, PeopleProviders(room, seconds_max=seconds), question)
        await room.aclose()
        return found

    return asyncio.run(run())


def test_questions_are_signed() -> None:
    """A question says the tenant and what is looked for, and its signature proves body and time."""
    server = RawServer(NOBODY)
    assert asked(server) == []
    assert json.loads(server.bodies[0]) == {"tenantId": "tenant", "text": "ada lov", "limit": 20}
    signature = sign(SECRET, NOW // 1000, server.bodies[0])
    assert server.headers[0]["x-benefits-signature"] == signature


def test_questions_name_beneficiaries() -> None:
    """Whoever is looked up by ids is named as the API names beneficiaries."""
    server = RawServer(NOBODY)
    people = (Identity(IdentityType.MEMBER, "1"), Identity(IdentityType.ANONYMOUS_VISITOR, "2"))
    asked(server, PeopleQuestion(tenant_id="tenant", beneficiaries=people))
    assert json.loads(server.bodies[0]) == {
        "tenantId": "tenant",
        "beneficiaries": [
            {"identityType": "MEMBER", "memberId": "1"},
            {"identityType": "ANONYMOUS_VISITOR", "anonymousVisitorId": "2"},
        ],
    }


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (reply(b"secret body", "500 Oops"), "the provider of people answered with 500"),
        (
            reply(b"", "307 Elsewhere", "location: http://127.0.0.1:1/\r\n"),
            "the provider of people answered with 307",
        ),
        *(
            (reply(body), "the answer of the provider of people can't be read")
            for body in (b"", b"secret body", b"[]", b'{"people": {}}', b"{}", b"[" * 9_000)
        ),
        (
            reply(NOBODY, headers="content-encoding: gzip\r\n"),
            "the provider of people's answer is compressed",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n" + b" " * 10_000_000,
            f"the provider of people's answer is longer than {PEOPLE_ANSWER_BYTES_MAX} bytes",
        ),
        (b"", "the provider of people could not be asked (RemoteProtocolError)"),
    ],
)
def test_no_answer_says_why(answer: bytes, message: str) -> None:
    """A reply that is no answer is told of, and logged, without a word of it."""
    with capture_logs() as logs:
        failed = asked(RawServer(answer))
    assert isinstance(failed, PeopleFailed)
    assert (failed.code, failed.message) == ("PROVIDER_FAILED", message)
    (line,) = [each for each in logs if each["event"] == "people_provider_failed"]
    assert (line["tenant"], line["reason"]) == ("tenant", message)
    assert "secret" not in str(logs)


def test_the_longest_answer_is_read() -> None:
    """An answer of the longest length is one."""
    body = b'{"people": []}'
    assert asked(RawServer(reply(body + b" " * (PEOPLE_ANSWER_BYTES_MAX - len(body))))) == []


def test_private_addresses_are_not_asked() -> None:
    """Where the operator allows no network, a provider on this machine hears nothing."""
    server = RawServer(NOBODY)
    failed = asked(server, networks=())
    assert isinstance(failed, PeopleFailed)
    assert failed.message == "the address of the provider of people is not allowed"
    assert server.bodies == []


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"])
def test_the_silent_are_left_in_peace(start: bytes) -> None:
    """Whoever took too long isn't asked again for a while; other tenants are asked all the same."""

    async def run() -> None:
        clock = [100.0]
        room, server = Room(allowed=LOOPBACK), RawServer(None, start=start)
        providers = PeopleProviders(room, seconds_max=0.05, elapsed=lambda: clock[0])
        said, another = [], PeopleQuestion(tenant_id="another", text="a", limit=1)
        async with server.running():
            for seconds, question in (
                *((0, BY_TEXT), (0, BY_TEXT), (0, another)),
                *((PEOPLE_PROVIDER_PAUSE_SECONDS - 1, BY_TEXT), (1, BY_TEXT)),
            ):
                clock[0] += seconds
                failed = await ask(server, providers, question)
                assert isinstance(failed, PeopleFailed)
                assert failed.code == "PROVIDER_TIMEOUT"
                said.append(failed.message.removeprefix("the provider of people took too long"))
        is_left = " a moment ago, and is not asked yet"
        assert said == ["", is_left, "", is_left, ""]
        await room.aclose()

    asyncio.run(run())


def test_names_leave_room_for_policies() -> None:
    """However many names are asked for, a tenant's other questions have most of its share."""

    async def run() -> None:
        room, server = Room(allowed=LOOPBACK), RawServer(None)
        providers = PeopleProviders(room, seconds_max=PATIENCE)
        async with server.running():
            count = PEOPLE_QUESTIONS_OF_TENANT_AT_ONCE_MAX
            waiting = [asyncio.create_task(ask(server, providers)) for _ in range(count * 5)]
            await wait_until(lambda: len(server.bodies) == count)
            async with asyncio.timeout(PATIENCE), room.turns.turn("tenant"):
                assert len(server.bodies) == count
            for each in waiting:
                each.cancel()
            await asyncio.wait(waiting)
        await room.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("url", ["", "ftp://people.example/", "https://me:pw@people.example/"])
def test_providers_have_a_url_that_can_be_asked(url: str) -> None:
    """A provider that could never be asked can't be made, and none shows its secret."""
    with pytest.raises(ValueError, match="the URL of the provider of people"):
        PeopleProvider(url, SECRET)
    assert SECRET not in repr(PeopleProvider("https://people.example/", SECRET))
