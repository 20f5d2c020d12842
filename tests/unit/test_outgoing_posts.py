"""What sending a request to a tenant's URL promises, against real servers on this machine."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from benefit_programs.outgoing import posting
from benefit_programs.outgoing.connection import (
    ANSWER_KEPT_BYTES_MAX,
    ANSWER_READ_BYTES_MAX,
    ANSWER_WHOLE_BYTES_MAX,
    Failure,
)
from benefit_programs.outgoing.posting import (
    POSTS_OF_TENANT_AT_ONCE_MAX,
    POSTS_TO_HOST_AT_ONCE_MAX,
    Outcome,
    Outgoing,
)
from benefit_programs.outgoing.retry_after import RETRY_AFTER_LENGTH_MAX, retry_after_seconds
from benefit_programs.outgoing.urls import URL_LENGTH_MAX, url_problem
from tests.support.inprocess import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

# Far more than an answer on this machine takes.
PATIENCE = 30.0
NOW = 1_795_522_800_000  # 2026-11-24T12:20:00Z
FOR_EVER = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def reply(body: bytes = b"", status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


class Receiver:
    """Says the same to every request, and keeps them. ``silent`` ones never end their answer."""

    def __init__(self, answer: bytes = reply(), *, silent: bool = False, host: str = "") -> None:
        self.answer = answer
        self.silent = silent
        self.host = host or "127.0.0.1"
        self.requests: list[tuple[str, bytes]] = []
        self.connections = 0
        self.url = ""
        self.arrived = asyncio.Condition()
        self._closing = asyncio.Event()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not self._closing.is_set():
                await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone: it has seen enough
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        async with self.arrived:
            self.requests.append((head, body))
            self.arrived.notify_all()
        writer.write(self.answer)
        await writer.drain()
        if self.silent:
            await self._closing.wait()

    async def wait_for(self, count: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= count)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        server = await asyncio.start_server(self.meet, self.host, 0, backlog=1_000)
        self.url = f"http://{self.host}:{server.sockets[0].getsockname()[1]}/hooks?of=us"
        try:
            yield self
        finally:
            self._closing.set()
            server.close()
            await server.wait_closed()


@asynccontextmanager
async def sender(allowed: Any = LOOPBACK) -> AsyncIterator[Outgoing]:
    outgoing = Outgoing(allowed=allowed)
    try:
        yield outgoing
    finally:
        await outgoing.close()


async def post(outgoing: Outgoing, url: str, tenant: str = "tenant", **more: Any) -> Outcome:
    given = {"headers": {}, "body": b"{}", "seconds_max": PATIENCE, **more}
    return await outgoing.post(url, tenant=tenant, **given)


def post_to(answer: bytes, *, silent: bool = False, **more: Any) -> tuple[Outcome, Receiver]:
    """What came of one request to a receiver with this answer."""

    async def run() -> tuple[Outcome, Receiver]:
        async with Receiver(answer, silent=silent).running() as receiver, sender() as outgoing:
            return await post(outgoing, receiver.url, **more), receiver

    return asyncio.run(run())


def post_once(url: str, allowed: Any = LOOPBACK, **more: Any) -> Outcome:
    async def run() -> Outcome:
        async with sender(allowed) as outgoing:
            return await post(outgoing, url, **more)

    return asyncio.run(run())


def test_body_and_headers_arrive() -> None:
    """The receiver gets the body as it is, with our headers, and isn't asked to compress."""
    outcome, receiver = post_to(
        reply(b"thanks", "202 Accepted"), headers={"webhook-id": "e1"}, body=b'{"a": 1}'
    )
    ((head, body),) = receiver.requests
    assert (outcome.status, outcome.start, outcome.failure) == (202, b"thanks", None)
    assert outcome.is_success
    assert outcome.milliseconds >= 0
    assert body == b'{"a": 1}'
    assert head.startswith("post /hooks?of=us http/1.1\r\n")
    assert "\r\nwebhook-id: e1\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head


@pytest.mark.parametrize("status", ["400 Bad Request", "410 Gone", "500 Oh", "503 Busy"])
def test_an_error_is_an_answer(status: str) -> None:
    """What the receiver says is told as it is, with its wish to be asked later."""
    outcome, _ = post_to(reply(b"no", status, "retry-after: 120\r\n"))
    assert (outcome.status, outcome.start) == (int(status[:3]), b"no")
    assert (outcome.failure, outcome.retry_after) == (None, "120")
    assert not outcome.is_success


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "304 Not Modified", "307 There"])
def test_redirects_are_failures(status: str) -> None:
    """No redirect is followed; the failure says that it was one, and its status."""
    outcome, receiver = post_to(reply(b"", status, "location: /elsewhere\r\n"))
    assert (outcome.failure, outcome.status) == (Failure.REDIRECT, int(status[:3]))
    assert len(receiver.requests) == 1


def test_first_kilobyte_is_kept() -> None:
    """Of the longest answer that is read the start is kept."""
    body = b"a" * ANSWER_KEPT_BYTES_MAX + b"b" * (ANSWER_READ_BYTES_MAX - ANSWER_KEPT_BYTES_MAX)
    outcome, _ = post_to(reply(body))
    assert (outcome.failure, outcome.start) == (None, b"a" * ANSWER_KEPT_BYTES_MAX)


def test_too_large() -> None:
    """An answer of one byte more is a failure that still tells status and start."""
    outcome, _ = post_to(reply(b"a" * (ANSWER_READ_BYTES_MAX + 1)))
    assert (outcome.failure, outcome.status) == (Failure.TOO_LARGE, 200)
    assert outcome.start == b"a" * ANSWER_KEPT_BYTES_MAX


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * ANSWER_WHOLE_BYTES_MAX,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * ANSWER_WHOLE_BYTES_MAX,
        FOR_EVER + b"1;" + b"a" * ANSWER_WHOLE_BYTES_MAX,
        FOR_EVER + b"0\r\nx: " + b"a" * ANSWER_WHOLE_BYTES_MAX,
    ],
    ids=["a long header", "many headers", "a long mark", "a long trailer"],
)
def test_endless_heads_are_cut_off(answer: bytes) -> None:
    """What comes beside the body is bounded, too."""
    assert post_to(answer, silent=True)[0].failure is Failure.TOO_LARGE


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"taken"),
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + reply(b"taken"),
        FOR_EVER + b"5\r\ntaken\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\ntaken",
    ],
    ids=["100", "103", "chunks", "HTTP/1.0"],
)
def test_every_way_to_answer(answer: bytes) -> None:
    """An answer may be announced, or come in pieces."""
    outcome, _ = post_to(answer)
    assert (outcome.status, outcome.start, outcome.failure) == (200, b"taken", None)


def test_an_answer_may_end_with_its_connection() -> None:
    """An answer that says nothing of its length ends when the receiver hangs up."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\ntaken")
        writer.close()

    async def run() -> list[Outcome]:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with server, sender() as outgoing:
            return [await post(outgoing, url) for _ in range(2)]

    assert [(each.failure, each.start) for each in asyncio.run(run())] == [(None, b"taken")] * 2


@pytest.mark.parametrize("status", ["200 OK", "500 Oh"])
def test_an_answer_that_nobody_asked_for_is_not_believed(status: str) -> None:
    """Who answers twice is heard once: the second answer isn't that of the next request."""

    async def run() -> tuple[list[int | None], int]:
        receiver = Receiver(reply(status="202 First") + reply(status=status))
        async with receiver.running(), sender() as outgoing:
            outcomes = [await post(outgoing, receiver.url) for _ in range(2)]
            return [each.status for each in outcomes], receiver.connections

    assert asyncio.run(run()) == ([202, 202], 2)


def test_protocols_are_not_switched() -> None:
    """A receiver that wants to speak something else hasn't taken anything."""
    answer = b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
    assert post_to(answer)[0].failure is Failure.CONNECTION


def test_endless_answer_is_cut_off() -> None:
    """A receiver whose answer never ends costs no more than the time of a request."""
    outcome, _ = post_to(FOR_EVER + b"2\r\nhi\r\n", silent=True, seconds_max=0.5)
    assert (outcome.failure, outcome.status, outcome.start) == (Failure.TIME_OUT, 200, b"hi")
    assert 400 <= outcome.milliseconds < PATIENCE * 1000


def test_silence_is_cut_off() -> None:
    """A receiver that takes a request and says nothing costs no more, either."""
    outcome, _ = post_to(b"", silent=True, seconds_max=0.2)
    assert (outcome.failure, outcome.status) == (Failure.TIME_OUT, None)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-server\r\n\r\n", b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n"]
)
def test_nonsense(answer: bytes) -> None:
    """What is no HTTP is a failure of the connection."""
    assert post_to(answer)[0].failure is Failure.CONNECTION


def test_answer_that_breaks_off() -> None:
    """An answer whose connection ends before it does isn't taken for a success."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async def run() -> Outcome:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, sender() as outgoing:
            return await post(outgoing, f"http://127.0.0.1:{port}/")

    outcome = asyncio.run(run())
    assert (outcome.failure, outcome.status, outcome.start) == (Failure.CONNECTION, 200, b"half")
    assert not outcome.is_success


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://127.0.0.1:1/", Failure.CONNECTION),
        ("https://name.invalid/", Failure.CONNECTION),
        (f"https://{'a' * 64}.example/", Failure.CONNECTION),
        ("ftp://receiver.example/", Failure.WRONG_URL),
        ("http://receiver.example:port/", Failure.WRONG_URL),
    ],
)
def test_nobody_there(url: str, failure: Failure) -> None:
    """A URL that leads nowhere is a failure, not an error."""
    outcome = post_once(url)
    assert (outcome.failure, outcome.status) == (failure, None)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "169.254.169.254"]
)
def test_refused_addresses(host: str) -> None:
    """Nothing is sent to this machine, its network or its cloud unless the operator allows it."""
    outcome = post_once(f"http://{host}:1/", allowed=())
    assert outcome.failure is Failure.REFUSED_ADDRESS


def test_a_name_of_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once; of its addresses one that may be reached and accepts is taken."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = ("169.254.169.254", "127.0.0.2", "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    async def run() -> tuple[list[bool], int]:
        async with Receiver().running() as receiver, sender() as outgoing:
            monkeypatch.setattr(socket, "getaddrinfo", look_up)
            url = receiver.url.replace("127.0.0.1", "receiver.example")
            taken = [(await post(outgoing, url)).is_success for _ in range(2)]
            return taken, receiver.connections

    assert asyncio.run(run()) == ([True, True], 1)
    assert asked == ["receiver.example"]


def test_connections_are_used_again() -> None:
    """Requests to one host, one after the other, share a connection."""

    async def run() -> int:
        async with Receiver().running() as receiver, sender() as outgoing:
            for _ in range(3):
                await post(outgoing, receiver.url)
            return receiver.connections

    assert asyncio.run(run()) == 1


def make_certificate(folder: Path) -> Path:
    """A certificate of ``localhost`` that nobody vouches for but itself, with its key."""
    key = generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return file


def test_certificates_are_verified(tmp_path: Path) -> None:
    """Over https a receiver proves with a trusted certificate that the URL's host is its own."""
    file = make_certificate(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(file)

    async def run() -> list[Failure | None]:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.meet, "127.0.0.1", 0, ssl=served)
        port = server.sockets[0].getsockname()[1]
        by_name, by_number = f"https://localhost:{port}/", f"https://127.0.0.1:{port}/"
        async with server, sender() as doubting, sender() as trusting:
            trusting._connections._tls.load_verify_locations(file)
            outcomes = [
                await post(doubting, by_name),
                await post(trusting, by_name),
                await post(trusting, by_number),
            ]
        return [each.failure for each in outcomes]

    assert asyncio.run(run()) == [Failure.CONNECTION, None, Failure.CONNECTION]


def test_a_connection_that_was_closed_is_replaced() -> None:
    """A receiver may close a connection that waits: the next request opens another one."""

    async def run() -> tuple[int, set[bool]]:
        connections, closed = 0, asyncio.Queue[None]()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.readuntil(b"\r\n\r\n{}")
            writer.write(reply())
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            closed.put_nowait(None)

        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with server, sender() as outgoing:
            taken = set()
            for _ in range(3):
                taken.add((await post(outgoing, url)).is_success)
                await closed.get()
            return connections, taken

    assert asyncio.run(run()) == (3, {True})


def test_idle_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is one too many is closed, that of the host which was quiet the longest."""
    monkeypatch.setattr(posting, "IDLE_CONNECTIONS_MAX", 1)

    async def run() -> tuple[int, int]:
        async with Receiver().running() as first, Receiver().running() as second:
            async with sender() as outgoing:
                for url in (first.url, second.url, second.url, first.url):
                    await post(outgoing, url)
            return first.connections, second.connections

    assert asyncio.run(run()) == (2, 1)


def test_a_silent_receiver_leaves_room_for_other_tenants() -> None:
    """No tenant has more than its share under way, so others are served meanwhile."""

    async def run() -> int:
        hosts = [Receiver(b"", silent=True) for _ in range(4)]
        async with AsyncExitStack() as stack:
            for each in hosts:
                await stack.enter_async_context(each.running())
            outgoing = await stack.enter_async_context(sender())
            many = [
                asyncio.ensure_future(post(outgoing, hosts[number % len(hosts)].url))
                for number in range(2 * POSTS_OF_TENANT_AT_ONCE_MAX)
            ]
            share = POSTS_OF_TENANT_AT_ONCE_MAX // len(hosts)
            for each in hosts:
                await each.wait_for(share)
            others = asyncio.ensure_future(post(outgoing, hosts[0].url, "other"))
            await hosts[0].wait_for(share + 1)
            for request in (*many, others):
                request.cancel()
            await asyncio.wait([*many, others])
            return sum(len(each.requests) for each in hosts)

    begun = asyncio.run(run())
    assert begun == POSTS_OF_TENANT_AT_ONCE_MAX + 1


def test_a_host_is_not_flooded() -> None:
    """However many tenants send to one host, it has a bounded number of connections."""

    async def run() -> tuple[int, set[bool]]:
        silent = Receiver(b"", silent=True)
        async with silent.running(), sender() as outgoing:
            many = [
                asyncio.ensure_future(post(outgoing, silent.url, f"tenant {each}", seconds_max=1))
                for each in range(POSTS_TO_HOST_AT_ONCE_MAX + 1)
            ]
            await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
            connections = silent.connections
            ended = {(await each).failure is Failure.TIME_OUT for each in many}
            return connections, ended

    assert asyncio.run(run()) == (POSTS_TO_HOST_AT_ONCE_MAX, {True})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("Tue, 24 Nov 2026 12:40:00 GMT", 1_200),
        ("Tue, 24 Nov 2020 12:40:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u0665", None),
        ("", None),
    ],
)
def test_retry_after(text: str | None, seconds: int | None) -> None:
    """Seconds and dates are understood, and whatever else is sent is as good as nothing."""
    assert retry_after_seconds(text, now=NOW) == seconds


def test_long_retry_after() -> None:
    """No more than the start of a wish is kept."""
    outcome, _ = post_to(reply(b"", "503 Busy", f"retry-after: {'9' * 500}\r\n"))
    assert outcome.retry_after == "9" * RETRY_AFTER_LENGTH_MAX


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://receiver.example/hooks?a=b", None),
        ("http://10.0.0.1:8080/", None),
        ("/hooks", "is an absolute http or https one"),
        ("ftp://receiver.example/", "is an absolute http or https one"),
        ("https://", "is an absolute http or https one"),
        ("https://user@receiver.example/", "has no user information"),
        ("https://receiver.example:port/", "can't be read"),
        (f"https://receiver.example/{'a' * URL_LENGTH_MAX}", "has at most 2048 characters"),
    ],
)
def test_urls(url: str, problem: str | None) -> None:
    """A URL that can't be registered is refused with the rule that it breaks."""
    assert url_problem(url) == problem
