"""The console in a real browser: by keyboard and by hand, wide and narrow, light and dark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.async_api import expect

from benefit_programs.console.languages import TAGS
from benefit_programs.domain.directory import Role
from tests.support.browser import picture, violations
from tests.support.calls import guid
from tests.support.console import MARKUP, World, make_world, users_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]


WIDTHS = (1280, 820, 390)
"""Those of a desk's screen, a tablet and a phone."""


async def sign_in(service: Service, page: Page, role: Role = Role.OPERATOR) -> None:
    """Open a new link, and press its button."""
    _user, secret = await users_of(service).invite(guid(), tenant_id=service.tenant.id, role=role)
    await page.goto(f"/console/sign-in?token={secret}")
    # A busy machine may draw the page, and focus its button, after it was loaded.
    await expect(page.get_by_role("button", name="Sign in")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/find")
    await expect(page.locator("#q")).to_be_focused()


async def test_somebody_is_found_by_keyboard_alone(
    service: Service, context: BrowserContext
) -> None:
    """From the link to the person without a pointer, and no message of the browser's."""
    world = await make_world(service)
    page, said = await context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    await sign_in(service, page)
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.type(world.member_id)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/people/member/{world.member_id}")
    await expect(page.locator("#main")).to_be_focused()
    await expect(page.get_by_text("1,235").first).to_be_visible()
    assert MARKUP in await page.title()
    await page.keyboard.press("g")
    await page.keyboard.press("f")
    await page.wait_for_url("**/console/find")
    await expect(page.locator("#q")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.locator("#q")).to_be_focused()
    assert said == []


async def test_what_was_opened_gives_the_focus_back(
    service: Service, context: BrowserContext
) -> None:
    """Escape closes a dialog and a form, and the focus is where it was before."""
    world, page = await make_world(service), await context.new_page()
    await sign_in(service, page)
    await page.goto(f"/console/people/member/{world.member_id}")
    who = page.locator(".who summary")
    await who.press("Enter")
    await page.get_by_role("button", name="Keyboard").press("Enter")
    await expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="Keyboard")).to_be_hidden()
    await expect(who).to_be_focused()
    for name in ("Edit", "Add or take off", "Pause", "End"):
        opener = page.locator("summary", has_text=name).first
        await opener.press("Enter")
        await expect(
            page.locator("details.act[open] input:not([type=hidden])").first
        ).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(opener).to_be_focused()
        await expect(page.locator("details.act[open]")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_for_everybody(
    service: Service, browser: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    """Light and dark, on a desk's screen and a phone: axe finds nothing, and nothing sticks out."""
    world = await make_world(service)
    context = await browser.new_context(base_url=address, color_scheme=scheme)
    page = await context.new_page()
    await sign_in(service, page)
    for path, seen_at in world.paths.items():
        name = re.sub(r"\W+", "-", path).strip("-")
        await page.goto(f"/console{seen_at}")
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 860})
            await picture(page, f"{name}-{scheme}-{width}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert await violations(page) == [], path
    await page.set_viewport_size({"width": 1280, "height": 860})
    await look_at_states(page, world)
    await context.close()


async def look_at_states(page: Page, world: World) -> None:
    """What is opened, refused, and shown once is for everybody, too."""
    person = f"/console/people/member/{world.member_id}"
    await page.goto(person)
    for name in ("Edit", "Add or take off", "Pause"):
        await page.locator("summary", has_text=name).first.click()
        assert await violations(page) == [], name
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    assert await violations(page) == []
    await page.goto(f"{person}/use")
    await page.get_by_label("Places").fill("999999")
    await page.get_by_role("button", name="Use item of towel").click()
    await expect(page.get_by_role("alert")).to_have_text(
        "No pack pays for that. Press Check to see why."
    )
    assert await violations(page) == []
    await page.goto("/console/access")
    await page.get_by_label("Name", exact=True).fill("Olga")
    await page.keyboard.press("Enter")
    await expect(page.locator("#link")).to_be_focused()
    assert await violations(page) == []


async def test_the_menu_fits(service: Service, context: BrowserContext) -> None:
    """All pages of operators stand in one line of a desk's screen, on a phone behind a button."""
    page = await context.new_page()
    await sign_in(service, page)
    menu = page.get_by_role("navigation", name="Pages")
    links = menu.get_by_role("link")
    for language in TAGS:
        await context.set_extra_http_headers({"accept-language": language})
        await page.goto("/console/health")
        boxes = [await each.bounding_box() for each in await page.locator("nav a[data-key]").all()]
        assert len({each["y"] for each in boxes if each}) == 1, language
    await context.set_extra_http_headers({"accept-language": "en"})
    await page.goto("/console/find")
    await page.set_viewport_size({"width": 390, "height": 860})
    await expect(menu).to_be_hidden()
    await page.get_by_role("button", name="Menu").click()
    await picture(page, "menu-390")
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await expect(page.get_by_role("button", name="Menu")).to_be_focused()
    await page.keyboard.press("Enter")
    await links.filter(has_text="Health").click()
    await expect(page.get_by_role("heading", name="Health", level=1)).to_be_visible()
    await expect(menu).to_be_hidden()


async def test_a_change_is_shown_said_and_undone(
    service: Service, context: BrowserContext, own_pages: None
) -> None:
    """A form changes the page without loading it anew; what was done is said to who hears it."""
    page = await context.new_page()
    await sign_in(service, page)
    await page.evaluate("window.stays = true")
    await page.evaluate(
        """() => {
            const form = document.querySelector("form.find").cloneNode();
            form.method = "post"; form.action = "/console/test/do"; form.id = "do";
            const field = document.createElement("input");
            field.name = "what"; field.value = "it";
            const key = document.createElement("input");
            key.name = "key"; key.value = crypto.randomUUID();
            const button = document.createElement("button"); button.textContent = "Do";
            form.append(key, field, button); document.querySelector("main").append(form);
            htmx.process(form);
        }"""
    )
    await page.get_by_role("button", name="Do", exact=True).click()
    await expect(page.locator("#notice p")).to_have_text("Did it.")
    await expect(page.locator("#status")).to_have_text("Did it.")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#notice .problem")).to_contain_text("lots")
    assert page.url.endswith("/console/find")
    assert await page.evaluate("window.stays")


async def test_it_works_without_script(service: Service, browser: Browser, address: str) -> None:
    """Forms are forms and links are links where no script runs."""
    world = await make_world(service)
    context = await browser.new_context(base_url=address, java_script_enabled=False)
    page = await context.new_page()
    await sign_in(service, page)
    await page.locator("#q").fill(world.transaction_id)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/people/member/{world.member_id}")
    await page.locator("summary").first.click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/console/sign-in")
    await context.close()
