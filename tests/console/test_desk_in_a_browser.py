"""The tasks of the desk in a real browser, with the clicks that they may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from benefit_programs.domain.directory import Role
from tests.console.clicks import Hand
from tests.console.test_in_a_browser import sign_in
from tests.support.browser import picture
from tests.support.calls import guid
from tests.support.studio import ADA, ZOE, Studio, open_studio

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Locator, Page

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


@pytest.fixture
async def studio(service: Service) -> Studio:
    return await open_studio(service)


@pytest.fixture
async def desk(service: Service, context: BrowserContext) -> Page:
    """A page of the front desk, which has signed in."""
    page = await context.new_page()
    await sign_in(service, page, Role.FRONT_DESK)
    return page


def said(page: Page) -> Locator:
    return page.locator("#notice p")


def who(page: Page) -> Locator:
    return page.locator("#who")


async def type_into(field: Locator, text: str) -> None:
    """Type over what is in the field that has the focus, and press Enter."""
    await expect(field).to_be_focused()
    await field.page.keyboard.press("ControlOrMeta+a")
    await field.page.keyboard.type(text)
    await field.page.keyboard.press("Enter")


async def test_a_class_is_used_in_three_clicks(studio: Studio, desk: Page) -> None:
    """Now 3 clicks, with an undo; on another day 4, two places 3; a refusal is told in words."""
    ada, zoe = await studio.join(ADA, studio.ten), await studio.join(ZOE, studio.ten)
    now = Hand(desk)
    await now.begin()
    await now.link("Redeem")
    await now.link("Yoga")
    await type_into(who(desk), "o'br")
    await expect(desk.get_by_role("radio")).to_be_checked()
    await picture(desk, "desk-redeem")
    await now.button("Redeem")
    await expect(said(desk)).to_have_text(f"{ZOE}: Yoga. 9 left.")
    assert (await studio.left(zoe), now.count) == ("9", 3)
    await desk.get_by_role("button", name="Undo").click()
    await expect(said(desk)).to_have_text("It was given back.")
    assert await studio.left(zoe) == "10"

    two = Hand(desk)
    await two.begin()
    await two.link("Redeem")
    await two.link("Boxing")
    await type_into(who(desk), "ada")
    await two.on(desk.get_by_label("How many"))
    await type_into(desk.get_by_label("How many"), "2")
    await expect(said(desk)).to_have_text(f"{ADA}: 2 times Boxing. 8 left.")
    assert two.count == 3

    another_day = Hand(desk)
    await another_day.begin()
    await another_day.link("Redeem")
    await another_day.link("Yoga")
    await type_into(who(desk), "ada")
    await another_day.on(desk.get_by_label("For when"))
    await desk.get_by_label("For when").fill("2030-01-01T10:00")
    await another_day.button("Redeem")
    await expect(said(desk)).to_have_text(f"{ADA}: Yoga. 7 left.")
    assert another_day.count == 4

    await type_into(who(desk), "ada")
    await desk.get_by_label("How many").fill("8")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("alert")).to_have_text("There are not enough credits left.")
    await picture(desk, "desk-refused")
    assert await studio.left(ada) == "7"


async def test_many_are_changed_at_once(
    service: Service, studio: Studio, context: BrowserContext
) -> None:
    """All get credits, with one form; what a file of people would do is seen first."""
    await studio.join(ADA, studio.ten)
    await studio.join(ZOE, studio.ten, studio.monthly)
    page = await context.new_page()
    await sign_in(service, page, Role.MANAGER)
    await page.get_by_role("link", name="Many at once").click()
    await page.get_by_role("link", name="Give credits to all").click()
    await page.get_by_role("link", name="Ten classes").click()
    await picture(page, "manager-grant")
    await page.get_by_label("How many credits").fill("2")
    await page.keyboard.press("Enter")
    await expect(said(page)).to_have_text("2 packs have them.")

    await page.get_by_role("link", name="Import people").click()
    file = {"name": "people.csv", "mimeType": "text/csv"}
    rows = f"memberId,displayName\n{guid()},Grace Hopper\nx,Nobody\n"
    await page.get_by_label("File", exact=True).set_input_files({**file, "buffer": rows.encode()})
    await picture(page, "manager-file")
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_role("heading", name="This would happen")).to_be_visible()
    await picture(page, "manager-report")
    await page.get_by_role("button", name="Import 1 row").click()
    await expect(page.get_by_role("heading", name="Done")).to_be_visible()


async def test_what_is_pressed_twice_is_done_once(studio: Studio, desk: Page) -> None:
    """By a double click, and by going back and pressing again; what was changed then is done."""
    zoe = await studio.join(ZOE, studio.ten)
    await desk.get_by_role("link", name="Redeem", exact=True).click()
    await desk.get_by_role("link", name="Yoga").click()
    await type_into(who(desk), "zo")
    redeem = desk.get_by_role("button", name="Redeem", exact=True)
    await redeem.dblclick()
    await expect(said(desk)).to_have_text(f"{ZOE}: Yoga. 9 left.")
    await expect(who(desk)).to_be_focused()
    assert await studio.left(zoe) == "9"
    await desk.get_by_role("link", name="Sell", exact=True).click()
    await desk.get_by_role("link", name="Ten classes").click()
    await type_into(who(desk), "zo")
    sell = desk.get_by_role("button", name="Sell", exact=True)
    order = desk.get_by_label("Number of the order")
    for number, packs in (("", 2), ("", 2), ("order-7", 3)):
        await order.fill(number)
        await sell.click()
        await expect(desk.get_by_role("heading", name=ZOE, level=1)).to_be_visible()
        await expect(desk.locator(".balance")).to_have_count(packs)
        await desk.go_back()
