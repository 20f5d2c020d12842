"""The page of a person in a real browser, where the data is in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.directory import Role
from tests.console.clicks import Hand
from tests.console.test_in_a_browser import sign_in
from tests.console.test_tasks import serve
from tests.support.desk import open_desk

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["postgres"]


async def test_the_desk_serves_somebody(service: Service, context: BrowserContext) -> None:
    """All that a front desk does for one person, as on SQLite."""
    desk = await open_desk(service)
    at = Hand(await context.new_page())
    await sign_in(service, at.page, Role.FRONT_DESK)
    await at.begin()
    await serve(at, desk)
