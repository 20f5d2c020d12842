"""Tenants never meet: what one has doesn't exist for another, whichever method it asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.methods import METHODS
from benefit_programs.bootstrap import administrator_grants
from benefit_programs.storage.rows import CODECS
from tests.conformance.world import REQUESTS, World, ghosts, settle
from tests.support.calls import page_of
from tests.support.inprocess import new_tenant

if TYPE_CHECKING:
    import httpx

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

MADE = re.compile(
    r"bp_[\w-]{43}|token=[\w-]{43}|whsec_[A-Za-z0-9+/=]+"
    r"|-----BEGIN PUBLIC KEY-----.*-----END PUBLIC KEY-----"
)
"""Secrets and keys that are made for an answer."""

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+Z")


@pytest.fixture(scope="session")
async def settled(shared_application: Any) -> tuple[Service, World]:
    """A tenant with something of each kind, for tests that change nothing of it."""
    service = await new_tenant(*shared_application)
    return service, (await settle(service))._replace(site=service.tenant.site_id)


async def everything_of(service: Service) -> dict[str, Any]:
    """All that a tenant has, row by row."""
    tables: dict[str, Any] = {entity.__name__: await service.rows(entity) for entity in CODECS}
    directory = service.running.services.directory
    return tables | {"settings": await directory.settings(service.tenant.id)}


def shape_of(response: httpx.Response, world: World) -> tuple[int, str]:
    """An answer without the ids and the times that differ from one call to the next."""
    text = response.text
    for name, value in zip(world._fields, world, strict=True):
        text = text.replace(value, f"<{name}>")
    return response.status_code, MADE.sub(
        "<made>", INSTANT.sub("<instant>", GUID.sub("<id>", text))
    )


def test_every_method_has_a_request() -> None:
    """No method is left out."""
    assert METHODS.keys() - REQUESTS.keys() == set()


@pytest.mark.parametrize("method", sorted(REQUESTS.keys() & METHODS.keys()))
async def test_requests_are_answered_by_their_own_tenant(service: Service, method: str) -> None:
    """Each request names what exists: the tenant itself is not told that it doesn't."""
    world = (await settle(service))._replace(site=service.tenant.site_id)
    response = await service.send(method, REQUESTS[method](world))
    assert response.status_code in {200, 409, 428}, response.text
    assert "NOT_FOUND" not in response.text


@pytest.mark.parametrize("method", sorted(REQUESTS.keys() & METHODS.keys()))
async def test_other_tenants_ids_are_like_ids_of_nothing(
    settled: tuple[Service, World], method: str
) -> None:
    """With ids of another tenant a method answers as with made-up ones, and changes nothing."""
    (service, theirs), nothing = settled, ghosts()
    before = await everything_of(service)
    # A key of the installation would act for the other tenant; all others ignore the header.
    other = await (await service.another_tenant()).with_grants(administrator_grants())
    headers = {"wix_site_id": service.tenant.site_id}
    with_theirs = await other.send(method, REQUESTS[method](theirs), **headers)
    third = await (await service.another_tenant()).with_grants(administrator_grants())
    with_none = await third.send(method, REQUESTS[method](nothing), **headers)
    assert shape_of(with_theirs, theirs) == shape_of(with_none, nothing)
    assert await everything_of(service) == before


@pytest.mark.parametrize("method", sorted(name for name in METHODS if name.startswith("query")))
async def test_cursors_of_other_tenants(service: Service, method: str) -> None:
    """A cursor is worth nothing to another tenant, nor to another method."""
    for _ in range(2):
        await settle(service)
    await service.call("inviteConsoleUser", {"name": "Zoe", "role": "READER"})
    answer = await service.call(method, {"query": {"cursorPaging": {"limit": 1}}})
    rows, metadata = page_of(answer)
    assert len(rows) == 1
    request = {"query": {"cursorPaging": {"cursor": metadata["cursors"]["next"]}}}
    others = [name for name in METHODS if name.startswith("query") and name != method]
    stranger = await service.another_tenant()
    refusals = [
        await stranger.refusal(method, request),
        *[await service.refusal(name, request) for name in others],
    ]
    for refusal in refusals:
        assert (refusal.status, refusal.fields.keys()) == (400, {"query.cursorPaging.cursor"})
