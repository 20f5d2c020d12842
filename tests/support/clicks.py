"""Tasks of the console as people do them: by clicks, which are counted, and by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    async def type(self, text: str) -> None:
        """Type over what has the focus, and press Enter."""
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")
