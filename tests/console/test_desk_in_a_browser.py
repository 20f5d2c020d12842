"""The tasks of the desk in a real browser, with the clicks that they may cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from benefit_programs.domain.directory import Role
from tests.console.test_in_a_browser import sign_in
from tests.support.browser import picture
from tests.support.clicks import Clicks
from tests.support.gym import ADA, ZOE, open_gym

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


async def test_the_desk_serves_with_few_clicks(service: Service, context: BrowserContext) -> None:
    """Use a class 3, the same for another day 4, two places 3, sell 3, who is low 1; each undone."""
    gym = await open_gym(service)
    ada, zoe = await gym.join(ADA, gym.ten), await gym.join(ZOE, gym.ten, gym.monthly)
    page = await context.new_page()
    await sign_in(service, page, Role.FRONT_DESK)

    now = Clicks(page)
    await now.link("Redeem")
    await picture(page, "desk-items")
    await now.link("Yoga")
    await now.type("o'br")
    await expect(page.get_by_role("radio")).to_be_checked()
    await picture(page, "desk-redeem")
    await now.button("Redeem")
    await expect(page.locator("#notice p")).to_have_text(f"{ZOE}: Yoga × 1. 9 left.")
    await picture(page, "desk-redeemed")
    assert (await gym.left(zoe), now.count) == ("9", 3)

    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#notice p")).to_have_text("It was given back.")
    assert await gym.left(zoe) == "10"

    two = Clicks(page)
    await two.link("Redeem")
    await two.link("Boxing")
    await two.type("ada")
    await two.click(page.get_by_label("How many"))
    await two.type("2")
    await expect(page.locator("#notice p")).to_have_text(f"{ADA}: Boxing × 2. 8 left.")
    assert (await gym.left(ada), two.count) == ("8", 3)

    another_day = Clicks(page)
    await another_day.link("Redeem")
    await another_day.link("Yoga")
    await another_day.type("ada")
    await another_day.click(page.get_by_label("For when"))
    await page.get_by_label("For when").fill("2030-01-01T10:00")
    await another_day.button("Redeem")
    await expect(page.locator("#notice p")).to_have_text(f"{ADA}: Yoga × 1. 7 left.")
    assert another_day.count == 4

    await page.get_by_role("link", name="Redeem").click()
    await page.get_by_role("link", name="Yoga").click()
    await two.type("ada")
    await page.get_by_label("How many").fill("8")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("There are not enough credits left.")
    await picture(page, "desk-refused")
    assert await gym.left(ada) == "7"

    sale = Clicks(page)
    await sale.link("Sell")
    await picture(page, "desk-offers")
    await sale.link("Ten classes")
    await sale.type("nobody")
    await expect(page.get_by_text("Nobody was found")).to_be_visible()
    await picture(page, "desk-nobody")
    await page.locator("#who").focus()
    await sale.type("lovelace")
    await expect(page.get_by_label("Number of the order")).to_be_visible()
    await picture(page, "desk-sell")
    await sale.button("Sell")
    await page.wait_for_url(f"**/people/member/{ada}")
    await expect(page.locator("#notice p")).to_have_text("Ten classes was sold.")
    assert sale.count == 3
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#notice p")).to_have_text("The sale was taken back.")

    await gym.redeem(ada, "yoga", 6)
    low = Clicks(page)
    await page.get_by_role("link", name="Today").click()
    await picture(page, "desk-today")
    await low.link("All: Little left")
    await expect(page.get_by_role("link", name=ADA)).to_be_visible()
    await picture(page, "desk-low")
    assert low.count == 1
    await page.set_viewport_size({"width": 390, "height": 860})
    for path in ("/today", f"/sell?offer={gym.ten['id']}", "/redeem", "/sell"):
        await page.goto(f"/console{path}")
        await picture(page, f"desk-narrow{path.partition('?')[0].replace('/', '-')}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
