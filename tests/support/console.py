"""Visitors of the console, with cookies as browsers keep them, and a world to look at."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from benefit_programs.console.routes import PAGES
from benefit_programs.domain.directory import Role
from benefit_programs.storage.console import ConsoleDirectory
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
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
        """Send a form from a page of the console, unless headers say otherwise.

        It has a key, as one has that was just drawn.
        """
        sent = {name.replace("_", "-"): text for name, text in headers.items()} or FROM_HERE
        data = {"key": guid()} | (form or {})
        return await self.client.post(f"/console{path}", data=data, headers=sent)

    async def sign_in(self, role: Role = Role.OPERATOR) -> str:
        """Sign in by a new link; the id of the user."""
        user, secret = await users_of(self.service).invite(
            guid(), tenant_id=self.service.tenant.id, role=role
        )
        answer = await self.post("/sign-in", {"token": secret})
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return user.id


MARKUP = """<b onclick="alert('1')">&amp;</b>"""
"""A text in which a page that forgets to escape shows more than text."""


POLICY = {
    "operatorOrOptions": {
        "expressions": [
            {"policyOptions": {"rateLimitedOptions": {"times": 99, "timePeriod": "DAY"}}},
            {
                "operatorNotOptions": {
                    "expression": {
                        "policyOptions": {
                            "fixedIntervalOptions": {
                                "fromWeekDay": "SUNDAY",
                                "fromHour": 1,
                                "toWeekDay": "SUNDAY",
                                "toHour": 2,
                            }
                        }
                    }
                }
            },
        ]
    }
}
"""Rules of every shape."""


class World:
    """Somebody with a pack that was used, and markup in every text that callers may write."""

    def __init__(
        self,
        wallet: Wallet,
        transaction_id: str,
        program_definition: Document,
        item_id: str,
        *,
        endpoint: Document,
        job: Document,
    ) -> None:
        self.wallet = wallet
        self.member_id: str = wallet.program["beneficiary"]["memberId"]
        self.transaction_id = transaction_id
        person = f"/people/member/{self.member_id}"
        definition_id = wallet.definition["id"]
        self.paths = {
            "/definitions": "/definitions",
            "/definitions/{id}": f"/definitions/{definition_id}",
            "/figures": "/figures",
            "/ledger": f"/ledger?who={self.member_id}",
            "/pools/{id}": f"/pools/{wallet.pool_id}",
            "/program-definitions": "/program-definitions",
            "/program-definitions/{id}": f"/program-definitions/{program_definition['id']}",
            "/programs/{id}": f"/programs/{wallet.program['id']}",
            "/find": f"/find?q={self.member_id}&all=1",
            "/people/{kind}/{id}": person,
            "/people/{kind}/{id}/changes": f"{person}/changes",
            "/people/{kind}/{id}/entries/{transaction}": f"{person}/entries/{transaction_id}",
            "/people/{kind}/{id}/statement": f"{person}/statement",
            "/people/{kind}/{id}/use": f"{person}/use",
            "/bulk": "/bulk",
            "/bulk/grant": f"/bulk/grant?pack={wallet.definition['id']}",
            "/bulk/import/{what}": "/bulk/import/people",
            "/bulk/move": f"/bulk/move?offer={program_definition['id']}",
            "/redeem": f"/redeem?item={item_id}&kind=member&id={self.member_id}",
            "/sell": f"/sell?offer={program_definition['id']}&kind=member&id={self.member_id}",
            "/audit": "/audit",
            "/jobs": "/jobs",
            "/jobs/{id}": f"/jobs/{job['id']}",
            "/webhooks": "/webhooks",
            "/webhooks/{id}": f"/webhooks/{endpoint['id']}",
            "/access": "/access",
            "/access/keys": "/access/keys",
            "/settings": "/settings",
            "/health": "/health",
            "/sign-in": "/sign-in",
            "/today": "/today",
            "/today/{which}": "/today/low?left=5000",
        }
        """Where each page is seen with something on it."""

        ids = [self.member_id, self.member_id[:8]]
        self.data = [MARKUP, MARKUP[:8], "item of towel", "towel", *ids, endpoint["url"], "test"]
        """What pages show that is data, in whatever language; the longer before what is in it."""

    async def walk(self, **headers: str) -> dict[str, str]:
        """The HTML of every page that is read, by the page's path, as an operator gets it."""
        visitor = Browser(self.wallet.caller, **headers)  # type: ignore[arg-type]
        _user, secret = await users_of(visitor.service).invite(
            MARKUP, tenant_id=visitor.service.tenant.id, role=Role.OPERATOR
        )
        await visitor.post("/sign-in", {"token": secret})
        found = {}
        for page in PAGES:
            if page.verb == "GET" and page.template is not None:
                assert page.path in self.paths, f"add {page.path} to World.paths"
                answer = await visitor.get(self.paths[page.path])
                assert answer.status_code == httpx.codes.OK, answer.text
                found[page.path] = answer.text
        return found


async def make_world(service: Service) -> World:
    named = {"displayName": MARKUP, "description": MARKUP}
    program_definition = await service.create_program_definition(
        **named, renewalConfiguration={"every": "P1M"}, endsAfter="P1Y"
    )
    wallet = await open_wallet(
        service,
        benefit("towel", **named, policyExpression=POLICY),
        amount="1244.5",
        definition={**named, "programDefinitionIds": [program_definition["id"]]},
        program={
            "externalProgramId": MARKUP,
            "displayName": MARKUP,
            "renewalConfiguration": {"every": "P1M"},
        },
    )
    await service.call(
        "setPerson",
        {
            "person": {
                "beneficiary": {"memberId": wallet.program["beneficiary"]["memberId"]},
                "displayName": MARKUP,
                "note": MARKUP,
            }
        },
    )
    transaction_id = await wallet.redeem(externalReference=MARKUP)
    await wallet.adjust("0.5")
    new = {"url": "https://shop.example/hooks", "description": MARKUP, "active": False}
    made = await service.call("createWebhookEndpoint", {"webhookEndpoint": new})
    await service.call("createApiKey", {"name": MARKUP, "role": "FRONT_DESK"})
    jobs = await service.call("queryAsyncJobs", {"query": {"cursorPaging": {"limit": 1}}})
    endpoint, job = made["webhookEndpoint"], jobs["jobs"][0]
    items = await service.call("queryItems", {"query": {"filter": {"namespace": NAMESPACE}}})
    return World(
        wallet,
        transaction_id,
        program_definition,
        items["items"][0]["id"],
        endpoint=endpoint,
        job=job,
    )
