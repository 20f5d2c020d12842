"""Counts the clicks that a task takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page


class Clicks:
    """A hand with a mouse; typing and Enter aren't counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    async def on(self, target: Locator) -> None:
        self.count += 1
        await target.click()

    async def button(self, name: str) -> None:
        await self.on(self.page.get_by_role("button", name=name, exact=True))

    async def link(self, name: str) -> None:
        await self.on(self.page.get_by_role("link", name=name, exact=True))
