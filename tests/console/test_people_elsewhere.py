"""The console of a tenant whose people are in a system of its own."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pytest

from tests.support.calls import benefit, guid
from tests.support.console import MARKUP, Browser
from tests.support.provider import PolicyServer
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

MISSING = "names may be missing"


@pytest.fixture
async def provider(service: Service) -> AsyncIterator[PolicyServer]:
    """A system that knows nobody yet."""
    with PolicyServer(lambda _: {"people": []}).running() as server:
        setting = {"url": server.url, "secret": "a secret of many characters"}
        await service.call("updateSettings", {"settings": {"peopleProvider": setting}})
        yield server


@pytest.fixture
async def desk(service: Service) -> Browser:
    visitor = Browser(service)
    await visitor.sign_in()
    return visitor


async def test_find_shows_whom_the_system_knows(
    service: Service, desk: Browser, provider: PolicyServer
) -> None:
    """By name, with markup as text; somebody has that name until the desk says another."""
    wallet = await open_wallet(service, benefit("class", price="1"))
    ada = wallet.program["beneficiary"]
    known = [
        {"beneficiary": ada, "displayName": MARKUP, "email": "ada@example.com"},
        {"beneficiary": {"memberId": guid()}, "displayName": "Ada Other"},
    ]
    provider.decide = lambda question: {
        "people": known if "text" in question else known[: len(question["beneficiaries"])]
    }
    page = (await desk.get("/find", params={"q": "ada"})).text
    assert MARKUP not in page
    assert escape(MARKUP, quote=False).split("=")[0] in page
    assert page.index("ada@example.com") < page.index("Ada Other")
    assert MISSING not in page
    person = f"/people/member/{ada['memberId']}"
    shown = (await desk.get(person)).text
    assert "mailto:ada@example.com" in shown
    assert MARKUP not in shown
    asked = len(provider.questions)
    await desk.post(f"{person}/edit", {"displayName": "Ada King", "revision": ""})
    shown = (await desk.get(person)).text
    assert "Ada King" in shown
    assert "ada@example.com" not in shown
    assert len(provider.questions) == asked
    assert provider.url in (await desk.get("/settings")).text


async def test_a_silent_system_costs_its_time_once(
    service: Service, desk: Browser, provider: PolicyServer
) -> None:
    """Pages show ids and say what is missing; only the first of them waits."""
    wallet = await open_wallet(service, benefit("class", price="1"))
    member_id = wallet.program["beneficiary"]["memberId"]
    provider.silent = True
    page = (await desk.get("/find", params={"q": "ada", "all": "1"})).text
    assert page.count(MISSING) == 1
    asked = len(provider.questions)
    for path in (f"/find?q={member_id}&all=1", f"/people/member/{member_id}", "/ledger"):
        page = (await desk.get(path)).text
        assert page.count(MISSING) == 1, path
        assert member_id[:8] in page, path
    assert len(provider.questions) == asked
