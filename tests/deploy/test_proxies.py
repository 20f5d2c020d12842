"""The proxies of deploy/ before a real service: nothing is lost, held back or believed wrongly."""

from __future__ import annotations

import json
import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import httpx
import pytest

from benefit_programs.client import BenefitPrograms
from benefit_programs.config import (
    BODY_BYTES_DEFAULT,
    BODY_BYTES_MAX,
    BODY_SECONDS_DEFAULT,
    HEAD_SECONDS_DEFAULT,
    IDLE_SECONDS_DEFAULT,
)
from tests.support.answers import require_error
from tests.support.calls import Caller, guid
from tests.support.event_streams import following
from tests.support.postgres import free_port
from tests.support.proxies import CADDY_FILE, NGINX_FILE, Proxy, proxy_path, running_proxy
from tests.support.service import FIRST_KEY
from tests.support.serving import ServerProcess, run_benefits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("nginx", "caddy")
DEFINITIONS = "/benefit-programs/v1/program-definitions"
FROM_HERE = {"sec-fetch-site": "same-origin"}
SECONDS_MAX = 30
GUESSES = 12
CONTINUE = 100
EMAIL = "ada@gym.example"


class Site(NamedTuple):
    """A proxy with the service behind it."""

    name: str
    proxy: Proxy
    server: ServerProcess

    def client(self, *, address: str = "127.0.0.1", **options: Any) -> httpx.Client:
        """A caller at an address of this machine."""
        transport = httpx.HTTPTransport(verify=self.proxy.trust, local_address=address)
        return httpx.Client(
            base_url=self.proxy.url, transport=transport, timeout=SECONDS_MAX, **options
        )

    @contextmanager
    def connect(self) -> Iterator[socket.socket]:
        with (
            socket.create_connection(("127.0.0.1", self.proxy.port), SECONDS_MAX) as connection,
            self.proxy.wrap(connection) as wrapped,
        ):
            yield wrapped


def definition(external_id: str) -> dict[str, Any]:
    return {"programDefinition": {"namespace": "gym", "externalId": external_id}}


def start(folder: Path, port: int = 0) -> ServerProcess:
    return ServerProcess(
        ["--data-dir", str(folder / "data"), "--port", str(port)],
        folder / "log",
        BENEFITS_BOOTSTRAP_API_KEY=FIRST_KEY,
        BENEFITS_CONSOLE_TRUSTED_PROXIES="127.0.0.1/32",
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A service that trusts the proxies of this machine, and has a user whom they may name."""
    folder = tmp_path_factory.mktemp("server")
    server = start(folder)
    options = ("--role", "reader", "--email", EMAIL, "--data-dir", str(folder / "data"))
    assert run_benefits("console", "invite", "Ada", *options).returncode == 0
    yield server
    server.stop()


@pytest.fixture(scope="module", params=NAMES)
def site(request: pytest.FixtureRequest, server: ServerProcess) -> Iterator[Site]:
    require_program(request.param)
    with running_proxy(request.param, server.port) as proxy:
        yield Site(request.param, proxy, server)


def require_program(name: str) -> None:
    if proxy_path(name) is None:
        pytest.skip(f"needs {name}: install it, or name it in BENEFITS_TEST_{name.upper()}")


def test_the_client_calls_through_it(site: Site) -> None:
    """The Python client reads and writes; long answers come compressed, as they were made."""
    with (
        site.client() as http,
        BenefitPrograms(site.proxy.url, FIRST_KEY, http_client=http) as client,
    ):
        namespace = guid()[:8]
        for number in range(20):
            client.program_definitions.create(namespace=namespace, external_id=f"pack-{number}")
        found = client.program_definitions.query(filter={"namespace": namespace})
        assert len(list(found)) == 20
        body = {"query": {"filter": {"namespace": namespace}}}
        answer = http.post(f"{DEFINITIONS}/query", json=body, headers={"authorization": FIRST_KEY})
        assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.anyio
async def test_streams_are_not_held_back(site: Site) -> None:
    """An event comes through while its stream goes on."""
    async with httpx.AsyncClient(
        base_url=site.proxy.url, verify=site.proxy.trust, timeout=SECONDS_MAX
    ) as client:
        caller = Caller(client, FIRST_KEY)
        async with following(caller, start="NEWEST") as stream:
            made = await caller.create_program_definition()
            assert (await stream.next())[1]["entityId"] == made["id"]


def test_slow_bodies_come_whole(site: Site) -> None:
    """A body whose second half comes only when the first has arrived is answered as any other."""
    body = json.dumps(definition(guid())).encode()
    head = (
        f"POST {DEFINITIONS} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: {FIRST_KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        "expect: 100-continue\r\n\r\n"
    )
    with site.connect() as connection, connection.makefile("rb") as received:
        connection.sendall(head.encode())
        assert read_head(received)[0] == CONTINUE
        connection.sendall(body[:20])
        connection.sendall(body[20:])
        answer = read_answer(received)
    assert answer.status_code == httpx.codes.OK, answer.text


def test_large_bodies_are_refused_by_the_service(site: Site) -> None:
    """What is too large for the service is refused in its own words, with its own limit."""
    with site.client(headers={"authorization": FIRST_KEY}) as client:
        answer = client.post(DEFINITIONS, content=b" " * (BODY_BYTES_DEFAULT + 1))
    require_refusal(answer, 413, "PAYLOAD_TOO_LARGE", bytesMax=BODY_BYTES_DEFAULT)


def test_what_no_service_takes_is_refused_at_once(site: Site) -> None:
    """A body beyond the largest limit that the service can have is refused in the same form."""
    if site.name != "nginx":
        return  # It has no limit of its own: the service reads along.
    head = f"POST {DEFINITIONS} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: {FIRST_KEY}\r\n"
    with site.connect() as connection, connection.makefile("rb") as received:
        connection.sendall(f"{head}content-length: {BODY_BYTES_MAX + 1}\r\n\r\n".encode())
        answer = read_answer(received)
    require_refusal(answer, 413, "PAYLOAD_TOO_LARGE", bytesMax=BODY_BYTES_MAX)


def read_answer(received: BinaryIO) -> httpx.Response:
    """An answer whose length is told, after others that say to go on."""
    status, headers = read_head(received)
    while status == CONTINUE:
        status, headers = read_head(received)
    body = received.read(int(headers["content-length"]))
    return httpx.Response(status, headers=headers, content=body)


def read_head(received: BinaryIO) -> tuple[int, dict[str, str]]:
    status = int(received.readline().split()[1])
    headers = {}
    while (line := received.readline()) != b"\r\n":
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return status, headers


def require_refusal(answer: httpx.Response, status: int, code: str, **data: object) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    require_error(answer.json())
    error = answer.json()["details"]["applicationError"]
    assert (error["code"], error["data"]) == (code, data)


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/%6Detrics", "//metrics"])
def test_pages_for_those_inside_stay_inside(site: Site, path: str) -> None:
    """Health and metrics aren't to be had from outside."""
    with site.client() as client:
        require_refusal(client.get(f"{site.proxy.url}{path}"), 404, "ROUTE_NOT_FOUND")


def test_guesses_count_for_the_guesser(site: Site) -> None:
    """Who guesses too often is throttled at the own address, whatever the client says it is."""
    guesser, other = {"nginx": ("127.0.0.2", "127.0.0.3"), "caddy": ("127.0.0.4", "127.0.0.5")}[
        site.name
    ]
    with site.client(address=guesser) as client:
        statuses = []
        for _ in range(GUESSES):
            claimed = {"x-forwarded-for": f"10.0.0.{len(statuses)}"}
            answer = client.post(
                "/console/sign-in", data={"token": guid()}, headers=FROM_HERE | claimed
            )
            statuses.append(answer.status_code)
    assert statuses[-1] == httpx.codes.TOO_MANY_REQUESTS
    with site.client(address=other) as client:
        answer = client.post("/console/sign-in", data={"token": guid()}, headers=FROM_HERE)
        assert answer.status_code == httpx.codes.OK


def test_nobody_signs_in_by_saying_who_it_is(site: Site) -> None:
    """A header that trusted proxies may send is removed from what clients send."""
    claimed = {"x-forwarded-email": EMAIL}
    with httpx.Client(trust_env=False, headers=claimed) as direct:
        assert direct.get(f"{site.server.url}/console/find").status_code == httpx.codes.OK
    with site.client(headers=claimed) as client:
        answer = client.get("/console/find")
        assert answer.headers["location"].startswith("/console/sign-in")


def test_people_sign_in_over_tls(site: Site) -> None:
    """The console knows the address that the browser sees, and the browser keeps its cookie."""
    with site.client(headers={"origin": site.proxy.url}, follow_redirects=True) as browser:
        answer = browser.post("/console/sign-in", data={"api_key": FIRST_KEY})
        assert answer.status_code == httpx.codes.OK, answer.text
        (cookie,) = browser.cookies.jar
        assert (cookie.name, cookie.secure) == ("__Host-benefits-console", True)


def test_a_service_that_comes_back_is_found_at_once(
    server: ServerProcess, tmp_path: Path, site: Site
) -> None:
    """While it is away callers are told to come back; kept connections to it fail nobody after."""
    port = free_port()
    with running_proxy(site.name, port) as proxy:
        away = Site(site.name, proxy, server)
        with away.client(headers={"authorization": FIRST_KEY}) as client:
            answer = client.post(DEFINITIONS, json=definition("early"))
            require_refusal(answer, 503, "UNAVAILABLE", retryAfter=1)
            assert answer.headers["retry-after"] == "1"
            for external_id in ("first", "second"):
                behind = start(tmp_path, port)
                try:
                    answer = client.post(DEFINITIONS, json=definition(external_id))
                    assert answer.status_code == httpx.codes.OK, answer.text
                finally:
                    assert behind.stop() == 0


def test_plain_http_leads_to_tls(site: Site) -> None:
    """A browser that comes without TLS is sent on; nothing is answered there."""
    if site.proxy.plain_port is None:
        return  # Caddy does it by itself, at port 80 alone.
    answer = httpx.get(f"http://127.0.0.1:{site.proxy.plain_port}/docs", trust_env=False)
    assert answer.status_code == httpx.codes.MOVED_PERMANENTLY
    assert answer.headers["location"] == "https://127.0.0.1/docs"


def seconds_in(file: Path, name: str, line: str) -> int:
    """What a file says after a name, on the only line with it that matches."""
    (found,) = re.findall(rf"^\s*{name} (\d+)s;?$", line, re.MULTILINE) or [""]
    assert found, f"{file}: {name}"
    return int(found)


def test_times_fit_those_of_the_service() -> None:
    """A proxy is as patient as the service, and lets kept connections go before it does."""
    nginx = NGINX_FILE.read_text("utf-8")
    upstream, server = re.findall(r"^\s*keepalive_timeout (\d+)s;$", nginx, re.MULTILINE)
    assert int(upstream) < IDLE_SECONDS_DEFAULT == int(server)
    assert seconds_in(NGINX_FILE, "client_header_timeout", nginx) == HEAD_SECONDS_DEFAULT
    assert seconds_in(NGINX_FILE, "client_body_timeout", nginx) == BODY_SECONDS_DEFAULT
    assert f"client_max_body_size {BODY_BYTES_MAX >> 20}m;" in nginx
    assert f'"bytesMax":{BODY_BYTES_MAX}' in nginx
    caddy = CADDY_FILE.read_text("utf-8")
    assert seconds_in(CADDY_FILE, "keepalive", caddy) < IDLE_SECONDS_DEFAULT
    assert seconds_in(CADDY_FILE, "idle", caddy) == IDLE_SECONDS_DEFAULT
    assert seconds_in(CADDY_FILE, "read_header", caddy) == HEAD_SECONDS_DEFAULT
