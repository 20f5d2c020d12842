"""The examples of the reference are what callers send, and what the service answers today."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.client import ApiError, AsyncBenefitPrograms
from benefit_programs.client.core.wire import to_query
from tests.conformance.calls_in_python import CALLS
from tests.conformance.world import REQUESTS, UNLIKE, World, ghosts
from tests.support.node import PACKAGES, ensure_js_packages, node_executable
from tools.record_examples import FILE, camel, record

if TYPE_CHECKING:
    from benefit_programs.api.method import Method

NODE_SECONDS_MAX = 60
OWN_OF_CLIENTS = re.compile(r"(^|\.)(idempotencyKey|fieldMask|query\.cursorPaging\.limit)$")
"""What a client sends without being told, or as it likes."""

DEFAULTS = {
    ("by", "MONTH"),
    ("override", "false"),
    ("returnEntity", "false"),
    ("type", "ADJUST"),
}
"""What a client says, and the request doesn't, for it is meant there anyway."""

Document = dict[str, Any]


class Sent(NamedTuple):
    """A request that a client makes."""

    verb: str
    target: str
    body: str | None

    def fields_for(self, method: Method) -> set[tuple[str, str]]:
        """The fields that it gives to a method, wherever they travel. Fails for another method."""
        parts = urlsplit(self.target)
        pattern = method.path
        for place in method.path_parameters:
            pattern = pattern.replace("{" + place + "}", "([^/]+)")
        found = re.fullmatch(f"(?:/_api)?{pattern}", parts.path)
        assert (method.verb, bool(found)) == (self.verb, True), self
        assert found
        in_path = set(zip(method.path_parameters, found.groups(), strict=True))
        body = json.loads(self.body) if self.body else {}
        return in_path | set(parse_qsl(parts.query)) | _fields(body)


def _fields(document: Document) -> set[tuple[str, str]]:
    """Each value of a request with the names that lead to it."""
    pairs: set[tuple[str, str]] = set()
    for name, value in document.items():
        if isinstance(value, dict):
            pairs |= {(f"{name}.{inner}", each) for inner, each in _fields(value)}
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for place, entry in enumerate(value):
                pairs |= {(f"{name}.{place}.{inner}", each) for inner, each in _fields(entry)}
        else:
            pairs |= set(to_query({name: value}))
    return pairs


def _differences(sent: dict[str, Sent], expected: dict[str, set[tuple[str, str]]]) -> list[str]:
    """What requests have, or lack, that those of the examples don't."""
    return [
        f"{name}: {field}={value}"
        for name, each in sent.items()
        for field, value in each.fields_for(METHODS[name]) ^ expected[name]
        if not OWN_OF_CLIENTS.search(field) and (field, value) not in DEFAULTS
    ]


@pytest.fixture(scope="module")
def world() -> World:
    """Ids, of which each call takes some."""
    return ghosts()


@pytest.fixture(scope="module")
def sent_by_the_sdk(world: World) -> dict[str, Sent]:
    """The request of each call of the official SDK, by the names of methods."""
    ensure_js_packages()
    names = {camel(name): value for name, value in world._asdict().items()}
    done = subprocess.run(
        [node_executable(), "requests_of_calls.mjs"],
        cwd=PACKAGES,
        input=json.dumps(names),
        capture_output=True,
        text=True,
        timeout=NODE_SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: Sent(**each) for name, each in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def expected(world: World) -> dict[str, set[tuple[str, str]]]:
    """The fields of the request of each method that the example shows."""
    return {
        name: _fields(request(world) | UNLIKE.get(name, {})) for name, request in REQUESTS.items()
    }


@pytest.mark.anyio
async def test_calls_in_python_make_the_requests(
    world: World, expected: dict[str, set[tuple[str, str]]]
) -> None:
    """Each method has a call in Python, which sends the request that the example shows."""
    sent: list[Sent] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        sent.append(Sent(request.method, target, request.content.decode() or None))
        return httpx.Response(httpx.codes.NOT_IMPLEMENTED)

    transport = httpx.MockTransport(refuse)
    async with httpx.AsyncClient(transport=transport) as http_client:
        client = AsyncBenefitPrograms(
            "http://service.test", "key", max_retries=0, http_client=http_client
        )
        for call in CALLS.values():
            with contextlib.suppress(ApiError):
                await call(client, world)
    assert set(CALLS) == set(METHODS)
    assert _differences(dict(zip(CALLS, sent, strict=True)), expected) == []


def test_calls_of_the_sdk_make_the_requests(
    sent_by_the_sdk: dict[str, Sent], expected: dict[str, set[tuple[str, str]]]
) -> None:
    """Each method of the contract has a call of the official SDK, which sends that request too."""
    by_sdk = {name for name, each in METHODS.items() if not each.is_addition}
    assert {name for name in by_sdk if "AsyncJob" not in name} == set(sent_by_the_sdk)
    assert _differences(sent_by_the_sdk, expected) == []


@pytest.mark.anyio
async def test_examples_are_what_the_service_answers() -> None:
    """Each example of a method is what is recorded now: `make docs` records them anew."""
    assert json.loads(FILE.read_text("utf-8")) == await record()
