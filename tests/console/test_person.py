"""The desk's tasks about one person, in a real browser, with the clicks that they may cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from benefit_programs.domain.directory import Role
from tests.console.clicks import Hand
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


async def test_a_booking_is_moved(desk: Desk, page: Page) -> None:
    """To another date, to another pack, and back; what was done is said with who and why."""
    at = {"itemReference": desk.reference("yoga"), "targetDate": "2026-12-01T18:00:00.000Z"}
    await desk.pack.redeem(**at, externalReference="booking:7", reason="by telephone")
    await page.locator("#q").fill("booking:7")
    await page.keyboard.press("Enter")
    clicks = Hand(page)
    await clicks.begin()
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
