"""Ends are said by their last day, of the tenant's zone; and a sandbox lives in its own day."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from benefit_programs.console.visit import Fields
from benefit_programs.domain.errors import Invalid
from tests.console.test_bulk import said
from tests.support.calls import benefit, details, guid
from tests.support.console import Browser
from tests.support.inprocess import new_tenant
from tests.support.sandboxes import set_clock
from tests.support.wallet import add_item, open_another

if TYPE_CHECKING:
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

ENGINES = ["sqlite"]

BERLIN = ZoneInfo("Europe/Berlin")
NOW = "2040-11-25T09:00:00.000Z"
END = "2040-11-30T23:00:00.000Z"
"""Midnight in Berlin: the first moment of December."""


@pytest.fixture
async def sandbox(service: Service) -> Service:
    """A sandbox in Berlin, in whose year everything ends with November."""
    sandbox = await new_tenant(service.running, service.client, is_sandbox=True)
    await sandbox.call("updateSettings", {"settings": {"timeZone": "Europe/Berlin"}})
    await set_clock(sandbox, NOW)
    return sandbox


async def sold(sandbox: Service) -> Wallet:
    """A pack that ends, with a pause that ends, which are all planned to end then."""
    await sandbox.create_program_definition(displayName="Fall", endDate=END)
    classes = details(benefit("yoga", price="1"), amount="10")
    classes["creditConfiguration"]["expiresAfter"] = "P1Y"
    definition = await sandbox.create_pool_definition(displayName="Ten", details=classes)
    wallet = await open_another(sandbox, definition)
    await add_item(sandbox, wallet.benefit(), "yoga", displayName="Yoga")
    lots = (await sandbox.call("listLots", {"poolId": wallet.pool_id}))["lots"]
    (lot,) = [each for each in lots if "expirationDate" in each]
    change = {"id": lot["id"], "revision": lot["revision"], "expirationDate": END}
    await sandbox.call("updateLot", {"lot": change})
    program = (await sandbox.call("getProgram", {"programId": wallet.program["id"]}))["program"]
    change = {"id": program["id"], "revision": program["revision"], "endDate": END}
    await sandbox.call("updateProgram", {"program": change})
    planned = {"programId": program["id"], "idempotencyKey": guid()}
    pause = {"kind": "PAUSE", "date": "2040-11-27T23:00:00.000Z", "untilDate": END}
    await sandbox.call("scheduleProgramChange", planned | pause)
    return wallet


@pytest.mark.anyio
async def test_ends_are_said_by_their_last_day(sandbox: Service) -> None:
    """No page names the first of December, the moment at which November is over."""
    wallet, visitor = await sold(sandbox), Browser(sandbox)
    await visitor.sign_in()
    person = f"/people/member/{wallet.program['beneficiary']['memberId']}"
    offer, (item,) = wallet.definition["id"], (await sandbox.call("queryItems", {}))["items"]
    for path in (
        person,
        f"/programs/{wallet.program['id']}",
        f"/pools/{wallet.pool_id}",
        "/program-definitions",
        "/today/expiring",
        "/today/ending",
        f"/bulk/move?offer={offer}&days=-2",
        f"/redeem?item={item['id']}&kind=member&id={person.rpartition('/')[2]}",
    ):
        answer = await visitor.get(path)
        # The axes of charts have dates of their own, and what goes on then begins on that day.
        html = re.sub(r"<svg.*?</svg>|<tr>.{,150}>Goes on<", "", answer.text, flags=re.DOTALL)
        assert (answer.status_code, "30 Nov 2040" in html) == (200, True), path
        assert "1 Dec 2040" not in html, path
    page = (await visitor.get(person)).text
    assert "pauses <time" in page
    assert page.count(">through 30 Nov 2040</time>") == 3
    action, form = re.findall(
        r'action="/console(/people/[^"]+/lots/[^"]+/until)">(.*?)</form>', page, re.DOTALL
    )[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    longer = await visitor.post(action, fields)
    assert await said(visitor, longer) == "Usable through 7 Dec 2040."
    until = f"{person}/programs/{wallet.program['id']}"
    paused = await visitor.post(f"{until}/pause", {"key": guid(), "through": "2040-11-26"})
    assert await said(visitor, paused) == "Paused through 26 Nov 2040."


@pytest.mark.anyio
async def test_a_sandbox_has_its_own_today(sandbox: Service) -> None:
    """What is redeemed there was redeemed today, and the bar says which day that is."""
    wallet, visitor = await sold(sandbox), Browser(sandbox)
    await visitor.sign_in()
    reference = {"externalId": "yoga", "providerAppId": wallet.benefit()["providerAppId"]}
    await wallet.redeem(itemReference=reference)
    html = (await visitor.get("/today")).text
    assert '<th scope="row">Yoga</th>' in html
    assert "/today?day=2040-11-24" in html
    assert "Nov 2040" in (await visitor.get("/figures?months=3")).text
    assert re.search(r"Sandbox.{,150}25 Nov 2040", html, re.DOTALL)


def test_a_day_is_over_at_its_end() -> None:
    """What lasts through a day ends with it, or at a time of it."""
    form = Fields(day="2026-12-31", none="", no="soon") | {"day-time": ""}
    assert Fields(form).end("day", BERLIN) == "2026-12-31T23:00:00Z"
    assert Fields(form | {"day-time": "18:30"}).end("day", BERLIN) == "2026-12-31T17:30:00Z"
    assert Fields(form).end("none", BERLIN) is None
    with pytest.raises(Invalid):
        Fields(form).end("no", BERLIN)
    assert datetime.fromisoformat(END).astimezone(BERLIN).day == 1
