"""The site of the documentation is whole, and needs no other host."""

from __future__ import annotations

import re
import tomllib
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote

import pytest
from playwright.async_api import expect

from benefit_programs.api.methods import METHODS
from tests.support.browser import open_browser, violations
from tests.support.looking import LOOK_PAUSE_SECONDS
from tools.site import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_HOST = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}
IN_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")]+)")
PHONE = {"width": 390, "height": 844}


class Reference(NamedTuple):
    """What an element of a page leads to, or loads."""

    element: str
    attribute: str
    target: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether another host has it."""
        return bool(OTHER_HOST.match(self.target))


class Page(HTMLParser):
    """The references and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.references: list[Reference] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag refers to, and its anchor."""
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.references.append(Reference(tag, name, value))
            if name == "id" or (tag, name) == ("a", "name"):
                self.anchors.add(value or "")


class Site(NamedTuple):
    """A built site: its folder, its pages, and the names that its navigation lists."""

    folder: Path
    pages: dict[Path, Page]
    listed: set[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of this checkout, built into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    build(folder / "html", stage_in=folder / "stage")
    pages = {path: Page(path) for path in (folder / "html").rglob("*.html")}
    configuration = tomllib.loads((folder / "stage" / "zensical.toml").read_text("utf-8"))
    return Site(folder / "html", pages, set(_listed(configuration["project"]["nav"])))


def _listed(entry: object) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        yield from _listed(list(entry.values()))
    elif isinstance(entry, list):
        for each in entry:
            yield from _listed(each)


def test_references_lead_somewhere(site: Site) -> None:
    """All that pages link or load within the site is there, with the anchors that they name."""
    lost = []
    for path, page in site.pages.items():
        if path.name == "404.html":
            continue  # it is served at any address, and names all by the site's root
        for each in page.references:
            if OTHER_HOST.match(each.target) or re.match(r"(data|mailto|javascript):", each.target):
                continue
            name, _, anchor = unquote(each.target).partition("#")
            target = (path.parent / name).resolve() if name else path
            target = target / "index.html" if target.is_dir() else target
            known = target.is_file() and (
                not anchor or target not in site.pages or anchor in site.pages[target].anchors
            )
            if not known:
                lost.append(f"{path.relative_to(site.folder)}: {each.target}")
    assert lost == []


def test_no_page_loads_from_another_host(site: Site) -> None:
    """No script, style, font or picture comes from another host."""
    assert site.pages
    loaded = [
        (path.name, each)
        for path, page in site.pages.items()
        for each in page.references
        if (each.element, each.attribute) in LOADED and each.is_elsewhere
    ]
    assert loaded == []
    styles = [*site.folder.rglob("*.css"), *site.pages]
    assert [found for each in styles for found in IN_STYLE.findall(each.read_text("utf-8"))] == []


def test_navigation_has_every_page(site: Site) -> None:
    """The navigation lists each page, and each page that it lists is there."""
    built = {path.relative_to(site.folder).with_suffix(".md").as_posix() for path in site.pages}
    assert built - {"404.md"} == site.listed


def test_examples_stand_beside_methods(site: Site) -> None:
    """Each method has an example of its own, with a request in several languages."""
    pages = (site.folder / "reference" / "methods").glob("*.html")
    text = "".join(page.read_text("utf-8") for page in pages)
    assert [len(METHODS)] * 2 == [
        text.count(f'<div class="{each}') for each in ("example", "tabbed-set")
    ]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    """The address of a plain web server that has the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site.folder)))
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.anyio
async def test_search_finds_a_page_without_other_hosts(address: str) -> None:
    """On a phone pages fit, the search finds one, and only the site's host is asked."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for name in ("methods", "types", "methods/pools"):
            await page.goto(f"{address}/reference/{name}.html")
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        # The first time may be before the page listens.
        while await page.evaluate("document.activeElement === document.body"):
            await page.keyboard.press("Control+k")
            await page.wait_for_timeout(LOOK_PAUSE_SECONDS * 1000)
        # At once: Enter could take what the first letters have found.
        await page.keyboard.insert_text("pgbouncer")
        # The results are in a closed shadow root: Enter takes the first, as soon as there is one.
        while "pgbouncer" not in page.url:
            await page.keyboard.press("Enter")
            await page.wait_for_timeout(LOOK_PAUSE_SECONDS * 1000)
        await expect(page.locator("h1")).to_contain_text("Put pgbouncer before PostgreSQL")
        assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
        await page.close()


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_has_contrast(address: str, scheme: Literal["light", "dark"]) -> None:
    """In the light and in the dark, all text of a page stands out from its ground."""
    async with open_browser() as browser:
        page = await browser.new_page(color_scheme=scheme)
        await page.goto(f"{address}/reference/methods/clock.html")
        found = await violations(page)
        assert [each for each in found if each.startswith("color-contrast")] == []
        await page.close()
