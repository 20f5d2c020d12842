"""Two ways to do a task: by clicks, which are counted, and by keys alone.

Typing and Enter in a field aren't counted. A click into a field is, unless it has the focus.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

ROUNDS_MAX = 40
"""How often the way to something is looked for anew: a field of a date has several stops."""

_HAS_FOCUS = "(element) => element === document.activeElement"

_STEPS = """(target) => {
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((each) => each.tabIndex >= 0 && !each.disabled && each.type !== "hidden"
      && each.checkVisibility({ visibilityProperty: true })
      && (each.type !== "radio" || each.checked || each === target));
  const at = document.activeElement;
  if (at === target) return 0;
  const following = Node.DOCUMENT_POSITION_FOLLOWING;
  const after = (one, other) => one.compareDocumentPosition(other) & following;
  return after(at, target) || at.contains(target)
    ? stops.filter((each) => after(at, each) && !after(target, each)).length
    : -stops.filter((each) => after(each, at) && !after(each, target)).length;
}"""
"""How many presses of Tab lead to an element, below 0 backwards; at least so many."""

_COUNT_SWAPS = """() => {
  const root = document.documentElement;
  if (root.dataset.swaps) return;
  root.dataset.swaps = 0;
  document.addEventListener("htmx:after:swap", () => { root.dataset.swaps++; });
}"""
"""From then on the page says how often it was swapped, and the focus put where it belongs."""

_OUTLINE = "(element) => getComputedStyle(element).outlineStyle"


class Driver(ABC):
    """A page, on which one task after the other is done."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0
        self._swaps = "0"

    async def begin(self) -> None:
        """Work on the page that there is, until it is loaded anew."""
        await self.page.evaluate(_COUNT_SWAPS)

    async def on(self, target: Locator) -> None:
        """Press a link, a button, or what opens something."""
        await self._note_swaps()
        await self.press(target)

    @abstractmethod
    async def press(self, target: Locator) -> None: ...

    @abstractmethod
    async def to(self, field: Locator) -> None:
        """Put the focus into a field, for typing."""

    @abstractmethod
    async def menu(self, name: str) -> None:
        """Go to a page of the menu."""

    @abstractmethod
    async def tile(self, name: str) -> None:
        """Choose one of what can be chosen; its link says more than its name."""

    @abstractmethod
    async def choose(self, field: Locator, option: str) -> None:
        """Choose an option of a list."""

    async def button(self, name: str, within: Locator | Page | None = None) -> None:
        await self.on((within or self.page).get_by_role("button", name=name, exact=True))

    async def link(self, name: str) -> None:
        await self.on(self.page.get_by_role("link", name=name, exact=True))
        await self.swapped()

    async def open(self, name: str, within: Locator) -> None:
        """Open what is to be filled in, which gets the focus by itself."""
        named = self.page.locator("summary").filter(has_text=re.compile(rf"^\s*{name}\s*$"))
        details = within.locator("details", has=named)
        await self.on(details.locator("summary"))
        await expect(details.locator("input:not([type=hidden])").first).to_be_focused()

    async def type(self, field: Locator, text: str) -> None:
        """Type over what is in a field."""
        await self.to(field)
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)

    async def date(self, field: Locator, text: str) -> None:
        """Type a date, or date and time: ``2026-12-01T18:00``."""
        await self.to(field)
        for keys in _orders(text):
            for _segment in range(6):
                await self.page.keyboard.press("ArrowLeft")
            for each in keys:
                await (self.page.keyboard.type if len(each) < 5 else self.page.keyboard.press)(each)
            if await field.input_value() == text:
                return
        raise AssertionError(await field.input_value())

    async def enter(self) -> None:
        """Send the form of the field that has the focus."""
        await self._note_swaps()
        await self.page.keyboard.press("Enter")
        await self.swapped()

    async def swapped(self) -> None:
        """What was pressed has led to a page, which has put the focus where it belongs."""
        root = self.page.locator("html")
        await expect(root).not_to_have_attribute("data-swaps", self._swaps)

    async def _note_swaps(self) -> None:
        self._swaps = await self.page.locator("html").get_attribute("data-swaps") or ""

    async def find(self, text: str) -> None:
        """Look somebody or something up, from wherever the page is."""
        await self.page.keyboard.press("/")
        await self.type(self.page.locator("#q"), text)
        await self.enter()

    async def said(self, text: str, *, most: int) -> None:
        """The page says what was done, by no more clicks than that. The next task begins."""
        await self.swapped()
        await expect(self.page.locator("#notice p")).to_have_text(text)
        await self.seen(text, most=most)

    async def seen(self, task: str, *, most: int) -> None:
        """A task that changes nothing is done."""
        assert self.count <= most, f"{task} took {self.count} clicks"
        self.count = 0

    async def undo(self) -> None:
        """Take back what was done, which is no part of the task."""
        await self.button("Undo", self.page.locator("#notice"))
        await self.swapped()
        self.count = 0


class Hand(Driver):
    """Somebody with a pointer."""

    async def press(self, target: Locator) -> None:
        await target.click()
        self.count += 1

    async def to(self, field: Locator) -> None:
        await expect(field).to_be_visible()
        if not await field.evaluate(_HAS_FOCUS):
            await self.press(field)

    async def menu(self, name: str) -> None:
        pages = self.page.get_by_role("navigation", name="Pages")
        await self.on(pages.get_by_role("link", name=name, exact=True))
        await self.swapped()

    async def tile(self, name: str) -> None:
        await self.on(_tile(self.page, name))
        await self.swapped()

    async def choose(self, field: Locator, option: str) -> None:
        self.count += 1
        await field.select_option(label=option)


class Keys(Driver):
    """Somebody without a pointer. Where the focus is, is seen at every stop."""

    async def press(self, target: Locator) -> None:
        await self.to(target)
        await self.page.keyboard.press("Enter")

    async def to(self, field: Locator) -> None:
        await expect(field).to_be_visible()
        for _round in range(ROUNDS_MAX):
            steps = await field.evaluate(_STEPS)
            if steps == 0:
                break
            for _step in range(abs(steps)):
                await self.page.keyboard.press("Tab" if steps > 0 else "Shift+Tab")
        await expect(field).to_be_focused()
        assert await field.evaluate(_OUTLINE) != "none", f"nobody sees that {field} has the focus"

    async def menu(self, name: str) -> None:
        link = self.page.locator("nav a[data-key]").get_by_text(name, exact=True)
        key = await link.get_attribute("data-key")
        assert key, name
        # From then on the page listens to keys.
        await expect(link).to_have_attribute("data-htmx-powered", "true")
        await self._note_swaps()
        await self.page.keyboard.press("Escape")
        await self.page.keyboard.press("g")
        await self.page.keyboard.press(key)
        await self.swapped()
        await expect(link).to_have_attribute("aria-current", "page")

    async def tile(self, name: str) -> None:
        tile = _tile(self.page, name)
        await expect(tile).to_be_visible()
        for _row in range(ROUNDS_MAX):
            if await tile.evaluate(_HAS_FOCUS):
                break
            await self.page.keyboard.press("ArrowDown")
        await self.on(tile)
        await self.swapped()

    async def choose(self, field: Locator, option: str) -> None:
        await self.to(field)
        await self.page.keyboard.type(option)


def _tile(page: Page, name: str) -> Locator:
    return page.locator(".tiles a, [data-rows] a").filter(has_text=name).first


def _orders(text: str) -> list[list[str]]:
    """A date as the segments of a field may want it: as on one side of the ocean, or the other."""
    date, _, time = text.partition("T")
    year, month, day = date.split("-")
    orders = [[month, day, year], [day, month, year]]
    if not time:
        return orders
    hour, minute = map(int, time.split(":"))
    half = f"{(hour - 1) % 12 + 1:02d}", f"{minute:02d}", "PM" if hour >= 12 else "AM"
    whole = f"{hour:02d}", f"{minute:02d}"
    return [[*order, "ArrowRight", *times] for order in orders for times in (half, whole)]
