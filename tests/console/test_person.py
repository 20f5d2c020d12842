"""The desk's tasks about one person, in a real browser, with the clicks that they may cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from benefit_programs.domain.directory import Role
from tests.console.clicks import Clicks
from tests.console.test_in_a_browser import sign_in
from tests.support.desk import open_desk
from tests.support.pdf import pages_of, text_of

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Locator, Page

    from tests.support.desk import Desk
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


@pytest.fixture
async def desk(service: Service) -> Desk:
    return await open_desk(service)


@pytest.fixture
async def page(service: Service, context: BrowserContext) -> Page:
    """The page of somebody of the front desk, who has signed in."""
    page = await context.new_page()
    await sign_in(service, page, Role.FRONT_DESK)
    return page


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name)


async def test_ada_is_found_and_served(desk: Desk, page: Page) -> None:
    """Find, use now and for Tuesday, two places, say why not, give back, with their clicks."""
    clicks, ledger = Clicks(page), page.locator(".ledger")
    await page.locator("#q").fill("lov ad")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Ada Lovelace")
    await expect(page.locator(".balance strong")).to_have_text(["10", "4"])

    await clicks.on(page.get_by_role("link", name="Use or book"))
    await clicks.on(button(page, "Use Pilates at noon"))
    await clicks.said("Redeemed; “10 classes” pays.", most=3)
    await clicks.on(page.get_by_role("link", name="Use or book"))
    await page.get_by_label("When").fill("2026-12-01T18:00")
    await clicks.on(button(page, "Use Yoga with Kim"))
    await clicks.said("Redeemed; “10 classes” pays.", most=4)
    await expect(ledger).to_contain_text("Yoga with Kim for 1 Dec 2026, 18:00")
    await clicks.on(page.get_by_role("link", name="Use or book"))
    await page.get_by_label("Places").fill("2")
    await clicks.on(button(page, "Use Pilates at noon"))
    await clicks.said("Redeemed; “10 classes” pays.", most=3)
    assert await desk.left() == ("6", "4")

    await clicks.on(page.get_by_role("link", name="Use or book"))
    workshop = page.locator(".items li", has_text="Workshop: handstand")
    await expect(workshop).to_contain_text("No pack includes it.")
    assert clicks.count <= 2
    await expect(page.locator("#q")).to_be_focused()
    await page.get_by_label("Places").fill("5")
    await page.keyboard.press("Enter")
    yoga = page.locator(".items li", has_text="Yoga with Kim")
    await expect(yoga).to_contain_text("Membership: 4 left, 5 needed")
    await expect(yoga).to_contain_text("10 classes: costs 1 each")

    await page.goto(desk.path)
    clicks.count = 0
    await clicks.on(button(ledger, "Give back Redeemed Yoga with Kim"))
    await clicks.said("Gave back Yoga with Kim.", most=1)
    assert await desk.left() == ("7", "4")
    await button(page, "Undo").first.click()
    await clicks.said("Redeemed; “10 classes” pays.", most=1)
    assert await desk.left() == ("6", "4")
    await expect(ledger).to_contain_text("Yoga with Kim for 1 Dec 2026, 18:00")


async def test_a_booking_is_moved(desk: Desk, page: Page) -> None:
    """To another date, to another pack, and back; what was done is said with who and why."""
    at = {"itemReference": desk.reference("yoga"), "targetDate": "2026-12-01T18:00:00.000Z"}
    await desk.pack.redeem(**at, externalReference="booking:7", reason="by telephone")
    await page.locator("#q").fill("booking:7")
    await page.keyboard.press("Enter")
    clicks = Clicks(page)
    await clicks.on(page.get_by_role("link", name="Redeemed"))
    await expect(page.locator(".pairs")).to_contain_text("by telephone")
    await page.get_by_label("Date and time").fill("2026-12-03T18:00")
    await clicks.on(button(page, "Move"))
    await clicks.said("Moved Yoga with Kim to 3 Dec 2026.", most=3)
    await button(page.locator("#notice"), "Undo").click()
    await expect(page.locator("#notice p")).to_have_text("Moved Yoga with Kim to 1 Dec 2026.")
    await clicks.on(page.get_by_role("link", name="Moved to another date").first)
    await clicks.on(button(page, "Membership · 4"))
    await clicks.said("Another pack pays for Yoga with Kim now.", most=3)
    assert await desk.left() == ("10", "3")
    await button(page.locator("#notice"), "Undo").click()
    await expect(page.locator(".balance strong")).to_have_text(["9", "4"])
    assert await desk.left() == ("9", "4")


async def test_packs_are_changed(desk: Desk, page: Page) -> None:
    """Extend, pause, resume, add, take off, undo a colleague's mistake, end."""
    await desk.membership.adjust("7", beneficiary=None)
    await page.goto(desk.path)
    clicks = Clicks(page)
    pack = page.locator(".card", has=page.get_by_role("heading", name="10 classes"))
    membership = page.locator(".card", has=page.get_by_role("heading", name="Membership"))
    (lot,) = await desk.lots()
    await clicks.on(button(pack, "+1 week"))
    await expect(page.locator("#notice p")).to_contain_text("Usable until")
    assert clicks.count <= 2
    (longer,) = await desk.lots()
    assert longer["expirationDate"] > lot["expirationDate"]
    await button(page.locator("#notice"), "Undo").click()
    await expect(page.locator("#notice p")).to_contain_text("Usable until")
    assert (await desk.lots())[0]["expirationDate"] == lot["expirationDate"]

    clicks.count = 0
    await clicks.on(membership.locator("summary", has_text="Pause"))
    await membership.get_by_label("From").fill("2099-12-07")
    await clicks.on(button(membership, "Pause"))
    await clicks.said("Will be paused from 7 Dec 2099.", most=2)
    await expect(membership).to_contain_text("pauses 7 Dec 2099")
    await membership.locator("summary", has_text="Pause").click()
    await button(membership, "Pause").click()
    await expect(page.locator("#notice p")).to_have_text("Paused.")
    clicks.count = 0
    await clicks.on(button(membership, "Resume"))
    await clicks.said("Resumed.", most=2)

    await clicks.on(pack.locator("summary", has_text="Add or take off"))
    await expect(pack.get_by_label("How many")).to_be_focused()
    await page.keyboard.type("2")
    await pack.get_by_label("Reason").first.fill("goodwill")
    await clicks.on(button(pack, "Add"))
    await clicks.said("Added 2.", most=3)
    await clicks.on(pack.locator("summary", has_text="Add or take off"))
    await pack.get_by_label("How many").fill("1")
    await pack.get_by_label("Reason").first.fill("paid in cash")
    await clicks.on(button(pack, "Take off"))
    await clicks.said("Took off 1.", most=3)
    await expect(page.locator(".ledger")).to_contain_text("paid in cash")
    assert await desk.left() == ("11", "11")
    mistake = page.locator(".ledger tr", has_text="+7")
    await clicks.on(button(mistake, "Undo"))
    await clicks.said("Undone.", most=2)
    assert await desk.left() == ("11", "4")

    await clicks.on(membership.locator("summary", has_text="End"))
    await clicks.on(button(membership, "End it now"))
    await clicks.said("Ended.", most=3)
    await expect(membership).to_have_count(0)
    await expect(page.locator("details", has_text="What has ended")).to_contain_text("Membership")


async def test_a_statement_is_printed(desk: Desk, page: Page) -> None:
    """On one sheet of A4: who, from when to when, each line with what was left, and no buttons."""
    await desk.pack.redeem(itemReference=desk.reference("yoga"))
    await page.goto(desk.path)
    await page.get_by_role("link", name="Statement").click()
    await expect(button(page, "Print")).to_be_visible()
    pdf = await page.pdf(format="A4", prefer_css_page_size=True)
    text = re.sub(r"\s+", " ", text_of(pdf))
    assert pages_of(pdf) == 1
    assert "Statement Ada Lovelace" in text
    for said in (
        "Given at the start +10 10",
        "Redeemed Yoga with Kim \N{MINUS SIGN}1 9",
        "Left now 9",
    ):
        assert said in text
    assert not re.search("Print|Find|From|Show", text)
