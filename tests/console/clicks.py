"""Counts what somebody at the desk clicks; typing and Enter aren't counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page


class Clicks:
    """A page whose clicks are counted, task by task."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    async def on(self, target: Locator) -> None:
        await target.click()
        self.count += 1

    async def said(self, text: str, *, most: int) -> None:
        """The page says what was done, by no more clicks than that. The next task begins."""
        await expect(self.page.locator("#notice p")).to_have_text(text)
        assert self.count <= most, f"{text} took {self.count} clicks"
        self.count = 0

    async def button(self, name: str) -> None:
        await self.on(self.page.get_by_role("button", name=name, exact=True))

    async def link(self, name: str) -> None:
        await self.on(self.page.get_by_role("link", name=name, exact=True))
