"""Fixtures of the console: a server in this process, and one browser for all tests."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from playwright.async_api import expect

from benefit_programs.cli.serve import server_config
from benefit_programs.config import LogFormat, Settings
from benefit_programs.console import routes
from benefit_programs.console.page import EVERYBODY, POST, Answer, Done, Undo, page
from benefit_programs.domain.errors import TooManyLots
from tests.support.browser import open_browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Browser, BrowserContext

    from benefit_programs.console.visit import Visit

SETTINGS = Settings(log_format=LogFormat.JSON)
WAIT_MILLISECONDS_MAX = 15_000


@pytest.fixture(scope="session")
async def address(shared_application: Any) -> AsyncIterator[str]:
    """Where the shared service listens for browsers."""
    running, _client = shared_application
    async with listening(running.application) as address:
        yield address


@asynccontextmanager
async def listening(application: Any) -> AsyncIterator[str]:
    """A server of an application in this process; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(SETTINGS, application))
    serving = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=WAIT_MILLISECONDS_MAX)
    async with open_browser() as browser:
        yield browser


@pytest.fixture
async def context(browser: Browser, address: str) -> AsyncIterator[BrowserContext]:
    """A browser's context of the test's own: cookies, and the size of a desk's screen."""
    context = await browser.new_context(
        base_url=address, locale="en-GB", viewport={"width": 1280, "height": 860}
    )
    context.set_default_timeout(WAIT_MILLISECONDS_MAX)
    yield context
    await context.close()


@page(POST, "/test/do", roles=EVERYBODY)
async def do(visit: Visit) -> Answer:
    return Done("/find", f"Did {visit.form['what']}.", Undo(path="/test/undo", fields={"a": "1"}))


@page(POST, "/test/undo", roles=EVERYBODY)
async def undo(_visit: Visit) -> Answer:
    raise TooManyLots(maximum=1)


@pytest.fixture
def own_pages() -> Iterator[None]:
    """Two changes beside those of the pages."""
    routes.PAGES.extend((do, undo))
    yield
    routes.PAGES.remove(do)
    routes.PAGES.remove(undo)
