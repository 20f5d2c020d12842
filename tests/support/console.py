"""Visitors of the console, with cookies as browsers keep them."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from benefit_programs.api.roles import Role
from benefit_programs.storage.console import ConsoleDirectory
from tests.support.calls import guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

HERE = "http://127.0.0.1:8080"
FROM_HERE = {"sec-fetch-site": "same-origin"}

_addresses = count(int(ip_address("10.1.0.0")))


def users_of(service: Service) -> ConsoleDirectory:
    clock = service.running.services.engine.now
    return ConsoleDirectory(service.store, clock=clock)


class Browser:
    """A browser without a screen: cookies, forms, and one address of its own."""

    def __init__(
        self, service: Service, *, url: str = HERE, address: str | None = None, **headers: str
    ) -> None:
        self.service = service
        # One of its own: how often an address may sign in is limited.
        address = address or str(ip_address(next(_addresses)))
        transport = httpx.ASGITransport(service.running.application, client=(address, 1))
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.client = httpx.AsyncClient(transport=transport, base_url=url, headers=named)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(f"/console{path}", **options)

    async def post(
        self, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form from a page of the console, unless headers say otherwise."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()} or FROM_HERE
        return await self.client.post(f"/console{path}", data=form or {}, headers=sent)

    async def sign_in(self, role: Role = Role.OPERATOR) -> str:
        """Sign in by a new link; the id of the user."""
        user, secret = await users_of(self.service).invite(
            guid(), tenant_id=self.service.tenant.id, role=role
        )
        answer = await self.post("/sign-in", {"token": secret})
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return user.id
