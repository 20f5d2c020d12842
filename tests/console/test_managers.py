"""What managers do: definitions, programs and packs, the ledger, figures."""

from __future__ import annotations

import asyncio
import csv
import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import expect

from benefit_programs.cli.apply.file import canonical, read_file
from benefit_programs.cli.apply.tenant import file_document
from benefit_programs.cli.apply.yaml_text import read_text, write_text
from benefit_programs.client import BenefitPrograms
from benefit_programs.domain.directory import Role
from benefit_programs.domain.settings import IdMode
from tests.console.clicks import Hand
from tests.console.test_in_a_browser import sign_in
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.console import MARKUP, POLICY, Browser, make_world
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


async def manager_of(service: Service, role: Role = Role.MANAGER) -> Browser:
    visitor = Browser(service)
    await visitor.sign_in(role)
    return visitor


def form_at(html: str, path: str) -> dict[str, str]:
    """The hidden fields of a form, by where it is sent."""
    form = re.search(
        rf'<form method="post" action="/console{re.escape(path)}".*?</form>', html, re.DOTALL
    )
    assert form is not None, path
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))


async def follow(visitor: Browser, answer: httpx.Response) -> str:
    """The page on which a change ends."""
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    return (await visitor.client.get(answer.headers["location"])).text


async def prices(wallet: Wallet) -> tuple[str, str]:
    """The price in the definition, and in the pack."""
    asked = {"poolDefinitionId": wallet.definition["id"]}
    definition = (await wallet.caller.call("getPoolDefinition", asked))["poolDefinition"]
    both = (definition, await wallet.pool())
    of_definition, of_pack = (each["details"]["benefits"][0]["price"] for each in both)
    return of_definition, of_pack


@pytest.mark.parametrize(
    ("cascade", "of_pack"), [("FUTURE_PROVISIONS", "10"), ("IMMEDIATELY", "1.5")]
)
async def test_a_price_reaches_whom_it_should(service: Service, cascade: str, of_pack: str) -> None:
    """It changes for packs to come, or for those that there are too, and can be undone."""
    wallet = await open_wallet(service)
    visitor, path = await manager_of(service), f"/definitions/{wallet.definition['id']}"
    form = form_at((await visitor.get(path)).text, path)
    sent = {**form, "price-towel": "1,5", "amount": "100", "cascade": cascade}
    html = await follow(visitor, await visitor.post(path, sent))
    assert await prices(wallet) == ("1.5", of_pack)
    await follow(visitor, await visitor.post(path, form_at(html, path)))
    assert await prices(wallet) == ("10", "10")


async def test_nobody_writes_over_what_another_has_changed(service: Service) -> None:
    """A form that was drawn before somebody else's change is refused, in words."""
    wallet = await open_wallet(service)
    visitor, path = await manager_of(service), f"/definitions/{wallet.definition['id']}"
    form = form_at((await visitor.get(path)).text, path) | {"cascade": "FUTURE_PROVISIONS"}
    await follow(visitor, await visitor.post(path, {**form, "price-towel": "7"}))
    late = await visitor.post(path, {**form, "key": guid(), "price-towel": "8"})
    assert (late.status_code, "Somebody has changed it" in late.text) == (409, True)
    assert (await prices(wallet))[0] == "7"
    for wrong, status in (({"price-towel": "much"}, 400), ({"cascade": "SOMETIMES"}, 400)):
        answer = await visitor.post(path, {**form, "key": guid(), "price-towel": "9", **wrong})
        assert answer.status_code == status


async def test_items_are_added_and_removed(service: Service) -> None:
    """Both can be undone, and an undone removal has its name again."""
    wallet = await open_wallet(service)
    visitor, path = await manager_of(service), f"/definitions/{wallet.definition['id']}"
    new = {"benefit": "towel", "item": "bathrobe", "displayName": MARKUP}
    html = await follow(visitor, await visitor.post(f"{path}/items", new))
    assert "&lt;b onclick" in html
    html = await follow(
        visitor, await visitor.post(f"{path}/items/remove", form_at(html, f"{path}/items/remove"))
    )
    assert "Removed bathrobe." in html
    undo = re.findall(r'name="(benefit|item)" value="([^"]*)"', html.split("</form>")[1])
    assert dict(undo)["item"] == "bathrobe"
    again = {"benefit": "towel", "item": "bathrobe", "displayName": "Robe"}
    html = await follow(visitor, await visitor.post(f"{path}/items", again))
    assert "Robe" in html
    twice = await visitor.post(f"{path}/items", again)
    assert (twice.status_code, "This is there already." in twice.text) == (409, True)


async def test_a_file_of_definitions_is_that_of_apply(service: Service, address: str) -> None:
    """The file that a page writes says the same as the one of `benefits export`."""
    world = await make_world(service)
    keyed = {
        "displayName": "Keyed",
        "extendedFields": {"namespaces": {"benefits-file": {"key": "keyed"}, "own": {"a": 1.5}}},
    }
    await service.create_pool_definition(**keyed)
    visitor = await manager_of(service, Role.READER)
    answer = await visitor.get(f"/definitions/export/{NAMESPACE}")
    assert answer.headers["content-disposition"] == 'attachment; filename="gym.json"'

    def exported() -> Any:
        with BenefitPrograms(address, service.key or "") as client:
            return file_document(client, NAMESPACE)

    wanted = write_text(await asyncio.to_thread(exported))
    ours, theirs = (
        canonical(read_file(read_text(text), IdMode.OPEN)) for text in (answer.text, wanted)
    )
    assert ours == theirs
    assert world.wallet.definition["displayName"] in answer.json()["poolDefinitions"][0].values()


async def test_a_program_is_paused_once_and_goes_on(service: Service) -> None:
    """A form that is sent twice pauses once; the undo lets it go on."""
    wallet = await open_wallet(service)
    visitor, path = await manager_of(service, Role.FRONT_DESK), f"/programs/{wallet.program['id']}"
    form = form_at((await visitor.get(path)).text, f"{path}/pause")
    for _ in range(2):
        html = await follow(visitor, await visitor.post(f"{path}/pause", form))
    assert 'badge paused">paused' in html
    undo = form_at(html, f"{path}/resume")
    assert "active" in await follow(visitor, await visitor.post(f"{path}/resume", undo))
    assert (await visitor.post(f"{path}/renew", {"key": guid()})).status_code == 403
    for _ in range(2):
        answer = await visitor.post(f"{path}/end", {"key": guid(), "reason": "sold by mistake"})
        assert "What can be done" not in await follow(visitor, answer)
    late = await visitor.post(f"{path}/pause", {"key": guid()})
    assert (late.status_code, "state that allows this" in late.text) == (428, True)


async def test_a_pause_is_planned_and_withdrawn(service: Service) -> None:
    """It waits for its date of the tenant's zone, and stands in the timetable with its reason."""
    await service.call("updateSettings", {"settings": {"timeZone": "Europe/Berlin"}})
    wallet = await open_wallet(service, program={"renewalConfiguration": {"every": "P1M"}})
    visitor, path = await manager_of(service), f"/programs/{wallet.program['id']}"
    dates = {"date": "2099-07-01T08:00", "through": "2099-07-20"}
    html = await follow(visitor, await visitor.post(f"{path}/pause", {"key": guid(), **dates}))
    assert html.count("1 Jul 2099, 08:00") == 1
    assert '<time datetime="2099-07-01T06:00:00Z"' in html
    html = await follow(
        visitor, await visitor.post(f"{path}/withdraw", form_at(html, f"{path}/withdraw"))
    )
    assert "2099" not in html.split("What happens by itself")[0]


async def test_the_desk_withdraws_what_it_planned(service: Service) -> None:
    """Who may pause may take back a pause that waits, on the program's page and the person's."""
    wallet = await open_wallet(service)
    visitor, path = await manager_of(service, Role.FRONT_DESK), f"/programs/{wallet.program['id']}"
    person = f"/people/member/{wallet.program['beneficiary']['memberId']}"
    for shown in (path, person):
        await visitor.post(f"{path}/pause", {"key": guid(), "date": "2099-07-01T08:00"})
        html = (await visitor.get(shown)).text
        assert "1 Jul 2099" in html
        (withdraw,) = set(re.findall(rf'action="/console({shown}[^"]*/withdraw)"', html))
        await visitor.post(withdraw, form_at(html, withdraw))
        assert "1 Jul 2099" not in (await visitor.get(shown)).text


async def test_a_pack_is_told_from_its_definition(service: Service) -> None:
    """What differs is marked, and what comes with the next renewal is said."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=POLICY))
    definition = wallet.definition
    changed = {**definition["details"]["benefits"][0], "price": "12"}
    await service.call(
        "updatePoolDefinition",
        {
            "poolDefinition": {
                "id": definition["id"],
                "revision": definition["revision"],
                "details": {**definition["details"], "benefits": [changed]},
            },
            "cascade": "NEXT_RENEWAL",
        },
    )
    grant = wallet.change(amount="2", displayName=MARKUP, expiresAfter="P30D")
    await service.call("grantCredits", grant)
    html = (await (await manager_of(service)).get(f"/pools/{wallet.pool_id}")).text
    assert html.count('<tr class="differs">') == 1
    assert "towel: 12" in re.sub(
        r"\s+", " ", html.split("At the next renewal the pack changes:")[1]
    )
    assert html.count('<svg class="chart"') == 2
    assert "&lt;b onclick" in html


async def test_the_ledger_is_filtered_and_written(service: Service) -> None:
    """A booking is found, the file has what the page has, and no formula in it."""
    wallet = await open_wallet(service, definition={"displayName": "=1+1"})
    await wallet.redeem(externalReference="booking:7")
    visitor = await manager_of(service, Role.READER)
    html = (await visitor.get("/ledger?reference=booking:7")).text
    assert html.count("Redeemed") == 1
    answer = await visitor.get(f"/ledger.csv?pool={wallet.pool_id}&until=2999-12-31")
    lines = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [(line["what"], line["credits"]) for line in lines] == [
        ("Redeemed", "-10"),
        ("Given at the start", "100"),
    ]
    assert {line["pack"] for line in lines} == {"'=1+1"}
    assert "no such entries" in (await visitor.get("/ledger?until=2020-01-01")).text
    assert "must be a date" in (await visitor.get("/ledger?since=soon")).text


async def test_figures_are_those_of_statements(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is outstanding is shown at once, and where packs are many when it is asked for."""
    wallet = await open_wallet(service)
    await wallet.redeem()
    visitor = await manager_of(service)
    html = (await visitor.get(f"/figures?pack={wallet.definition['id']}&months=3")).text
    assert re.findall(r'class="number">([\d,.]+)</td>', html)[:4] == ["100", "10", "0", "0"]
    assert "<strong>90</strong>" in html
    assert html.count('class="l4">1</td>') == 1
    for module in ("storage.tenant_statements", "console.pages.figures"):
        monkeypatch.setattr(f"benefit_programs.{module}.ACTIVITY_POOLS_MAX", 1)
    assert "<strong>90</strong>" not in (await visitor.get("/figures")).text
    assert "<strong>90</strong>" in (await visitor.get("/figures?all=1")).text


async def test_the_front_desk_has_no_ledger(service: Service) -> None:
    """Its menu has no pages about all members together, and it can't call them."""
    world, visitor = await make_world(service), await manager_of(service, Role.FRONT_DESK)
    for path in ("/definitions", "/ledger", "/figures"):
        assert (await visitor.get(path)).status_code == 403
    seen = [each for name, each in world.paths.items() if "{id}" in name]
    pages = [await visitor.get(path) for path in ("/find", *seen)]
    links = {link for page in pages for link in re.findall(r'href="(/console/[^"#]+)"', page.text)}
    assert {(await visitor.client.get(each)).status_code for each in links} <= {200, 302, 303}


async def test_a_program_is_planned_and_ended(service: Service, context: BrowserContext) -> None:
    """On its own page: a pause from a date on in 2 clicks, its end with a confirmation in 2."""
    wallet = await open_wallet(
        service, benefit("workshop", displayName="Workshop"), definition={"displayName": "Ten"}
    )
    page = await context.new_page()
    await sign_in(service, page, Role.MANAGER)
    await page.goto(f"/console/programs/{wallet.program['id']}")
    hand = Hand(page)
    await hand.begin()
    await hand.on(page.locator("summary", has_text="Pause"))
    await page.locator("#pause-date").fill("2099-01-05T00:00")
    await hand.button("Pause")
    await expect(page.locator("#notice")).to_contain_text("Planned.")
    assert hand.count == 2
    hand = Hand(page)
    await hand.begin()
    await hand.on(page.locator("summary", has_text="End"))
    await hand.button("End it")
    await expect(page.locator(".badge.ended").first).to_be_visible()
    assert hand.count == 2
