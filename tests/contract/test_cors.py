"""Calls from pages of other origins, with the requests that browsers really send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.api.strictness import STRICT_HEADER
from tests.support.inprocess import new_tenant, open_application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]

PAGE = "https://shop.example"
SECOND = "http://localhost:5173"
STRANGER = "https://evil.example"
PROGRAMS = "/benefit-programs/v1/programs/query"

# What the official SDK sends from a page, as the browser lists it.
SDK_HEADERS = "authorization,content-type,wix-site-id,x-wix-bi-gateway,x-wix-consistent"


@pytest.fixture
async def open_to_pages(database_url: str) -> AsyncIterator[Service]:
    """A service that pages of two origins may call."""
    async with open_application(database_url, cors_origins=(PAGE, SECOND)) as application:
        yield await new_tenant(*application)


@pytest.fixture
async def open_to_all(database_url: str) -> AsyncIterator[Service]:
    async with open_application(database_url, cors_origins=("*",)) as application:
        yield await new_tenant(*application)


async def preflight(
    service: Service, path: str, *, verb: str, origin: str = PAGE, wanted: str | None = SDK_HEADERS
) -> httpx.Response:
    """Ask as a browser does before the real request."""
    headers = {"origin": origin, "access-control-request-method": verb}
    if wanted is not None:
        headers["access-control-request-headers"] = wanted
    return await service.client.request("OPTIONS", path, headers=headers)


def names_in(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")}


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", PROGRAMS),
        ("POST", f"/_api{PROGRAMS}"),
        ("GET", "/benefit-programs/v1/settings"),
        ("PATCH", "/benefit-programs/v1/pools/0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"),
        ("DELETE", "/benefit-programs/v1/items/0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"),
        ("GET", "/openapi.json"),
    ],
)
async def test_a_preflight_allows_what_the_sdk_sends(
    open_to_pages: Service, verb: str, path: str
) -> None:
    """Every route answers the browser's question without a key, with all that it asked for."""
    answer = await preflight(open_to_pages, path, verb=verb)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert verb.lower() in names_in(answer.headers["access-control-allow-methods"])
    assert names_in(SDK_HEADERS) <= names_in(answer.headers["access-control-allow-headers"])
    assert int(answer.headers["access-control-max-age"]) > 0
    assert "origin" in names_in(answer.headers["vary"])
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.content == b""
    assert answer.headers["x-request-id"] == answer.headers["x-wix-request-id"]


async def test_a_preflight_without_headers_is_answered(open_to_pages: Service) -> None:
    """A question that names no headers is answered without any."""
    answer = await preflight(open_to_pages, PROGRAMS, verb="POST", wanted=None)
    assert answer.status_code == httpx.codes.OK
    assert "access-control-allow-headers" not in answer.headers


async def test_headers_that_nobody_needs_are_not_allowed(open_to_pages: Service) -> None:
    """Only headers that mean something here are allowed; the browser refuses the others."""
    answer = await preflight(
        open_to_pages, PROGRAMS, verb="POST", wanted="X-Request-Id, cookie2, x-evil"
    )
    assert answer.headers["access-control-allow-headers"] == "x-request-id"


async def test_pages_may_ask_for_strict_mode(open_to_pages: Service) -> None:
    """The header of strict mode is one that a page may send."""
    answer = await preflight(open_to_pages, PROGRAMS, verb="POST", wanted="X-Benefits-Strict")
    assert answer.headers["access-control-allow-headers"] == STRICT_HEADER


async def test_the_real_request_can_be_read(open_to_pages: Service) -> None:
    """Answers and refusals name the page's origin, and let it read what clients need."""
    for origin in (PAGE, SECOND):
        for caller, status in ((open_to_pages, 200), (open_to_pages.nobody(), 401)):
            answer = await caller.send("queryPrograms", origin=origin)
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == origin
            exposed = names_in(answer.headers["access-control-expose-headers"])
            assert exposed == {
                "retry-after",
                "x-request-id",
                "x-wix-consistent",
                "x-wix-request-id",
            }
            assert "origin" in names_in(answer.headers["vary"])


async def test_other_origins_get_nothing(open_to_pages: Service) -> None:
    """A page that isn't listed isn't allowed to read anything, and its preflight is a stray."""
    for origin in (STRANGER, "null", f"{PAGE}.evil.example", PAGE.upper()):
        asked = await preflight(open_to_pages, PROGRAMS, verb="POST", origin=origin)
        assert asked.status_code == httpx.codes.METHOD_NOT_ALLOWED
        answer = await open_to_pages.send("queryPrograms", origin=origin)
        for response in (asked, answer):
            assert not [name for name in response.headers if name.startswith("access-control")]
            assert "origin" in names_in(response.headers["vary"])


async def test_servers_call_as_before(open_to_pages: Service) -> None:
    """A request without an origin is served without any mark, but for caches."""
    answer = await open_to_pages.send("queryPrograms")
    assert answer.status_code == httpx.codes.OK
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "origin"


async def test_all_origins_may_be_allowed(open_to_all: Service) -> None:
    """With * every page may call, and caches need not tell them apart."""
    asked = await preflight(open_to_all, PROGRAMS, verb="POST", origin=STRANGER)
    answer = await open_to_all.send("queryPrograms", origin=STRANGER)
    for response in (asked, answer):
        assert response.headers["access-control-allow-origin"] == "*"
        assert "origin" not in names_in(response.headers.get("vary", ""))


async def test_no_page_may_call_by_default(service: Service) -> None:
    """Without the setting no answer says a word about origins."""
    asked = await preflight(service, PROGRAMS, verb="POST")
    assert asked.status_code == httpx.codes.METHOD_NOT_ALLOWED
    answer = await service.send("queryPrograms", origin=PAGE)
    for response in (asked, answer):
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert "vary" not in response.headers
