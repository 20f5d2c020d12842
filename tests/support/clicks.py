"""Tasks of the console as people do them: by clicks, which are counted, and by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page


class Clicks:
    """The clicks of one task on a page. Typing and Enter aren't counted, a confirmation is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    async def click(self, what: Locator) -> None:
        self.count += 1
        await what.click()

    async def link(self, name: str) -> None:
        await self.click(self.page.get_by_role("link", name=name).first)

    async def button(self, name: str) -> None:
        await self.click(self.page.locator("main").get_by_role("button", name=name, exact=True))

    async def type(self, text: str, into: Locator) -> None:
        """Type over what is in the field that has the focus, and press Enter."""
        await expect(into).to_be_focused()
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")
