"""Take the pictures of the documentation: docs/pictures.

    python -m tools.pictures

It makes a sample studio in a SQLite file of its own, serves it, and looks at it with the browser
of the tests, as those who work there. Look at the pictures before you commit them.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from benefit_programs.cli.studio import DESK, MANAGER, OPERATOR, STAFF
from tests.support.browser import open_browser
from tests.support.serving import ServerProcess, run_benefits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WHO = "Ada Yilmaz"
CLASS = "Yoga basics"
PACK = "10 classes"

WIDTH = 1200
SHARPNESS = 1.5
QUALITIES = (80, 70, 60, 50, 40)
BYTES_MAX = 60_000
DEMO_SECONDS_MAX = 300


class Picture(NamedTuple):
    """What is seen, by whom, how high, and the way there from the first page."""

    name: str
    viewer: str
    height: int
    go: Callable[[Page], Awaitable[object]]


async def to_person(page: Page) -> None:
    await page.locator("#q").fill(WHO)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name=WHO).wait_for()


async def to_redeem(page: Page) -> None:
    await page.get_by_role("link", name="Redeem", exact=True).click()
    await page.locator(".tiles a").filter(has_text=CLASS).first.click()
    await page.locator("#who").fill(WHO)
    await page.keyboard.press("Enter")
    await page.get_by_label("How many").wait_for()


async def to_today(page: Page) -> None:
    await page.get_by_role("link", name="Today", exact=True).click()
    await page.get_by_role("link", name="Day before").click()
    await page.locator("#after").wait_for()
    await page.get_by_text("Who it was").click()


async def to_definition(page: Page) -> None:
    await page.get_by_role("link", name="Definitions", exact=True).click()
    await page.get_by_role("link", name=PACK).first.click()
    await page.get_by_role("heading", name=PACK).wait_for()


async def to_figures(page: Page) -> None:
    await page.get_by_role("link", name="Figures", exact=True).click()
    await page.get_by_role("heading", name="Figures", level=1).wait_for()


async def to_audit(page: Page) -> None:
    await to_person(page)
    member_id = await page.locator(".facts code").inner_text()
    await page.get_by_role("link", name="Audit", exact=True).click()
    await page.get_by_label("Member").fill(member_id)
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name=WHO).first.wait_for()


ALL = (
    Picture("person", DESK, 860, to_person),
    Picture("redeem", DESK, 610, to_redeem),
    Picture("today", DESK, 660, to_today),
    Picture("definition", MANAGER, 760, to_definition),
    Picture("figures", MANAGER, 820, to_figures),
    Picture("audit", OPERATOR, 640, to_audit),
)


def main() -> None:
    with TemporaryDirectory() as folder:
        tenant_id = make_studio(folder)
        server = ServerProcess([], Path(folder) / "log.txt", BENEFITS_DATA_DIR=folder)
        try:
            asyncio.run(take_all(server.url, folder, tenant_id))
        finally:
            server.stop()


def make_studio(folder: str) -> int:
    """A sample studio in a SQLite file of the folder; its tenant."""
    made = run_benefits("demo", "--json", seconds=DEMO_SECONDS_MAX, BENEFITS_DATA_DIR=folder)
    return int(json.loads(made.stdout)["tenantId"])


async def take_all(url: str, folder: str, tenant_id: int) -> None:
    PICTURES.mkdir(exist_ok=True)
    async with open_browser() as browser:
        for each in ALL:
            token = invite(each.viewer, folder, tenant_id)
            async with signed_in(browser, url, token) as page:
                await page.set_viewport_size({"width": WIDTH, "height": each.height})
                await each.go(page)
                await take(page, each.name)


def invite(name: str, folder: str, tenant_id: int) -> str:
    """A link's secret for one of those who work in the studio."""
    role = STAFF[name].value.lower().replace("_", "-")
    made = run_benefits(
        *("console", "invite", name, "--role", role, "--tenant", str(tenant_id), "--json"),
        BENEFITS_DATA_DIR=folder,
    )
    return str(json.loads(made.stdout)["link"]).partition("token=")[2]


@asynccontextmanager
async def signed_in(browser: Browser, url: str, token: str) -> AsyncIterator[Page]:
    context = await browser.new_context(
        base_url=url, color_scheme="light", locale="en-GB", device_scale_factor=SHARPNESS
    )
    page = await context.new_page()
    await page.goto(f"/console/sign-in?token={token}")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/console/find")
    yield page
    await context.close()


async def take(page: Page, name: str) -> None:
    """Keep what the window shows as WebP, as good as its size may be."""
    browser = await page.context.new_cdp_session(page)  # Playwright's own method makes no WebP
    for quality in QUALITIES:
        options = {"format": "webp", "quality": quality}
        answer = await browser.send("Page.captureScreenshot", options)
        picture = b64decode(answer["data"])
        if len(picture) <= BYTES_MAX:
            (PICTURES / f"{name}.webp").write_bytes(picture)
            return
    message = f"{name}.webp has more than {BYTES_MAX} bytes: make the window smaller"
    raise AssertionError(message)


if __name__ == "__main__":
    main()
