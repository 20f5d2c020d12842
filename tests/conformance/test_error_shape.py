"""Whatever goes wrong, wherever: one body, a request id, and nothing of our insides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benefit_programs.api.app import create_app
from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.api.probing import Probe
from benefit_programs.config import BODY_BYTES_DEFAULT
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from benefit_programs.engine.engine import QueueFull
from tests.conformance.world import REQUESTS, ghosts
from tests.support.calls import Caller, guid, require_envelope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]

SERVED = list(METHODS.values())
VERBS = {"GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS"}
PAGES = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs")
SECRET = "a-secret-of-our-insides"

every_method = pytest.mark.parametrize("method", SERVED, ids=lambda each: each.name)


def address_of(method: Method) -> str:
    path = method.path
    for name in method.path_parameters:
        path = path.replace("{" + name + "}", guid())
    return path


async def refused(
    caller: Caller, verb: str, path: str, status: int, code: str | None, **options: Any
) -> httpx.Response:
    """Send a request that must be refused; what belongs to every error is checked."""
    headers = options.pop("headers", {})
    for name in ("x-request-id", "x-wix-request-id"):
        given = f"my-own-{guid()}"
        response = await caller.request(verb, path, headers={**headers, name: given}, **options)
        assert (response.status_code, code_of(response)) == (status, code), response.text
        assert response.headers["x-request-id"] == given
        assert "Traceback" not in response.text
        assert SECRET not in response.text
    return response


def code_of(response: httpx.Response) -> str | None:
    details = response.json()["details"]
    code: str | None = details.get("applicationError", {}).get("code")
    return code


@every_method
async def test_credentials(service: Service, method: Method) -> None:
    """Without a key, or with one that nobody has, every method answers 401."""
    nobody, stranger = service.nobody(), Caller(service.client, "no-such-key")
    for caller in (nobody, stranger):
        await refused(caller, method.verb, address_of(method), 401, "UNAUTHENTICATED")


@every_method
async def test_permissions(service: Service, method: Method) -> None:
    """A key that doesn't allow a method is answered with 403."""
    app = await service.as_app(scopes=("SCOPE.OTHERS",))
    await refused(app, method.verb, address_of(method), 403, "PERMISSION_DENIED")


@every_method
async def test_broken_bodies(service: Service, method: Method) -> None:
    """A body that is no JSON, of another type, or too large is refused by every method."""
    path, as_json = address_of(method), {"content-type": "application/json"}
    if method.request_in == "body":
        for body in (b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}'):
            response = await refused(
                service, method.verb, path, 400, None, content=body, headers=as_json
            )
            assert (
                response.json()["details"]["validationError"]["fieldViolations"][0]["field"] == ""
            )
    as_text = {"content-type": "text/plain"}
    await refused(
        service, method.verb, path, 415, "UNSUPPORTED_MEDIA_TYPE", content=b"{}", headers=as_text
    )
    large = b" " * (BODY_BYTES_DEFAULT + 1)
    for body in (large, parts_of(large)):
        await refused_once(service, method.verb, path, body)


async def parts_of(body: bytes) -> AsyncIterator[bytes]:
    """Send a body without telling its length first."""
    half = len(body) // 2
    yield body[:half]
    yield body[half:]


async def refused_once(service: Service, verb: str, path: str, body: Any) -> None:
    headers = {"content-type": "application/json"}
    response = await service.request(verb, path, content=body, headers=headers)
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", ["[]", '"text"', "1", "true", "null"])
@every_method
async def test_bodies_that_are_no_objects(service: Service, method: Method, body: str) -> None:
    """A body that is JSON but no object is refused with the format that it should have."""
    if method.request_in == "query":
        return
    headers = {"content-type": "application/json"}
    response = await refused(
        service, method.verb, address_of(method), 400, None, content=body, headers=headers
    )
    (violation,) = response.json()["details"]["validationError"]["fieldViolations"]
    assert (violation["violatedRule"], violation["data"]) == ("FORMAT", {"type": "OBJECT"})


@pytest.mark.parametrize("prefix", ["", "/_api"])
@every_method
async def test_other_verbs(service: Service, method: Method, prefix: str) -> None:
    """A verb that an address doesn't take is answered with 405 and the verbs that it takes."""
    path = address_of(method)
    taken = {each.verb for each in SERVED if is_at(each, method)}
    for verb in sorted(VERBS - taken - {"HEAD"}):
        response = await refused(service, verb, prefix + path, 405, "METHOD_NOT_ALLOWED")
        allowed = response.headers["allow"].split(", ")
        assert sorted(allowed) == sorted(taken)
        assert sorted(response.json()["details"]["applicationError"]["data"]["allowed"]) == allowed


def is_at(method: Method, other: Method) -> bool:
    """Whether two methods have one address; names of parameters don't matter."""

    def shape(each: Method) -> list[str]:
        return ["{}" if step.startswith("{") else step for step in each.path.split("/")]

    return shape(method) == shape(other)


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/nothing/at/all", "/favicon.ico", "/docs/", "/healthz/x"),
        *("/benefit-programs", "/benefit-programs/v1", "/benefit-programs/v2/programs/query"),
        *("/benefit-programs/v1/nothing", "/_api/nothing", "/async-jobs/v1/nothing"),
        *("/benefit-programs/v1/items/", "/benefit-programs/v1//items", "/%00", "/%ff"),
        "/_api/_api/benefit-programs/v1/items",
    ],
)
async def test_unknown_addresses(service: Service, path: str) -> None:
    """An address that nothing has is answered with 404, with and without a key."""
    for caller in (service, service.nobody()):
        for verb in ("GET", "POST", "DELETE"):
            await refused(caller, verb, path, 404, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize("path", PAGES)
async def test_pages_take_no_other_verbs(service: Service, path: str) -> None:
    """What stands around the methods can only be read, and names its requests too."""
    await refused(service, "POST", path, 405, "METHOD_NOT_ALLOWED")
    response = await service.client.get(path, headers={"x-request-id": "mine"})
    assert (response.status_code, response.headers["x-request-id"]) == (200, "mine")


@pytest.mark.parametrize(
    "given", ["", "with space", "x" * 129, "ümlaut".encode().decode("latin-1")]
)
async def test_request_ids_that_are_none(service: Service, given: str) -> None:
    """A request id that can't be repeated safely is replaced by a new one."""
    headers = {"x-request-id": given.encode("latin-1")}
    response = await service.client.get("/nothing", headers=headers)
    require_envelope(response)
    assert response.headers["x-request-id"] not in {given, ""}


RETRIED = {"TOO_MANY_REQUESTS", "UNAVAILABLE"}
FAILURES: list[tuple[Callable[[], Exception], int, str]] = [
    (lambda: RuntimeError(SECRET), 500, "INTERNAL"),
    (lambda: KeyError(SECRET), 500, "INTERNAL"),
    (lambda: StoreUnavailable(SECRET), 503, "UNAVAILABLE"),
    (lambda: StoreConflict(SECRET), 503, "UNAVAILABLE"),
    (lambda: StoreTimeout(SECRET), 503, "STATEMENT_TIMEOUT"),
    (lambda: QueueFull(SECRET), 429, "TOO_MANY_REQUESTS"),
]


@pytest.mark.parametrize(("make", "status", "code"), FAILURES)
async def test_our_own_failures(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], Exception],
    status: int,
    code: str,
) -> None:
    """When a handler fails, the answer has the same shape, and tells nothing of the failure."""
    caller, world = failing_service(service, monkeypatch, make), ghosts()
    for method in SERVED:
        response = await caller.send(method.name, REQUESTS[method.name](world))
        assert (response.status_code, code_of(response)) == (status, code), method.name
        assert ("retry-after" in response.headers) == (code in RETRIED)
        assert SECRET not in response.text


def failing_service(
    service: Service, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Exception]
) -> Caller:
    """The same service in an application whose handlers and database all fail."""

    async def fail(*_: object) -> Any:
        raise make()

    for name, method in METHODS.items():
        monkeypatch.setitem(METHODS, name, replace(method, handler=fail))
    services = replace(service.running.services, readiness=Probe(fail))
    transport = httpx.ASGITransport(create_app(services))
    return Caller(
        httpx.AsyncClient(transport=transport, base_url="http://failing.test"), service.key
    )


@pytest.mark.parametrize(("make", "status", "code"), FAILURES)
async def test_readiness_tells_of_failures(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], Exception],
    status: int,
    code: str,
) -> None:
    """While the database can't be asked, the service isn't ready, and says so in the same shape."""
    caller = failing_service(service, monkeypatch, make)
    await refused(caller, "GET", "/readyz", status, code)


def test_every_status_has_a_class() -> None:
    """Errors are answered with the statuses of the contract and no others."""
    assert set(STATUS_BY_ERROR.values()) == {
        400,
        401,
        403,
        404,
        405,
        408,
        409,
        413,
        415,
        428,
        429,
        431,
        500,
        503,
    }
