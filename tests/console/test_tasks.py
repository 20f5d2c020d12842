"""Every task of the console in a real browser: with its clicks, and by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.directory import Role
from tests.console import tasks
from tests.console.clicks import Driver, Hand, Keys
from tests.console.conftest import listening
from tests.console.test_in_a_browser import sign_in
from tests.contract.test_operators import cascade, fail
from tests.support.calls import guid
from tests.support.desk import open_desk
from tests.support.studio import ADA, ZOE, open_studio

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite"]

BOTH_WAYS = pytest.mark.parametrize("way", [Hand, Keys])


@BOTH_WAYS
async def test_the_desk_serves_somebody(
    service: Service, context: BrowserContext, way: type[Driver]
) -> None:
    """All that a front desk does for one person."""
    desk = await open_desk(service)
    at = way(await context.new_page())
    await sign_in(service, at.page, Role.FRONT_DESK)
    await at.begin()
    await serve(at, desk)


async def serve(at: Driver, desk: tasks.Desk) -> None:
    """Do all tasks about one person, who has what the desk's world gives her."""
    await tasks.find_her(at)
    await tasks.use_now(at, desk)
    await tasks.use_on_tuesday(at)
    await tasks.use_two_places(at, desk)
    await tasks.say_why_not(at)
    await tasks.move_booking(at)
    await tasks.pay_from_another(at, desk)
    await tasks.extend_pack(at, desk)
    await tasks.pause_membership(at)
    await tasks.add_and_take_off(at, desk)
    await tasks.undo_mistake(at, desk)
    await tasks.end_pack(at)
    await tasks.see_who_changed(at)
    await tasks.print_statement(at)


@BOTH_WAYS
async def test_a_manager_runs_the_studio(
    service: Service, context: BrowserContext, way: type[Driver]
) -> None:
    """What is sold, who is low, and changes of many."""
    studio = await open_studio(service)
    ada = await studio.join(ADA, studio.ten)
    await studio.join(ZOE, studio.ten, studio.monthly)
    await studio.redeem(ada, "yoga", 9)
    at = way(await context.new_page())
    await sign_in(service, at.page, Role.MANAGER)
    await at.begin()
    await tasks.redeem_item(at)
    await tasks.sell_pack(at)
    await tasks.see_who_is_low(at)
    await tasks.move_all_ends(at)
    await tasks.change_price(at)


@BOTH_WAYS
async def test_an_operator_is_called(
    idle_service: Service, browser: Browser, way: type[Driver]
) -> None:
    """What has failed, who may come in, and where a transaction comes from."""
    desk = await open_desk(idle_service)
    used = await desk.pack.redeem(itemReference=desk.reference("yoga"))
    await fail(idle_service, await cascade(idle_service))
    async with listening(idle_service.running.application) as address:
        context = await browser.new_context(base_url=address)
        at = way(await context.new_page())
        await sign_in(idle_service, at.page)
        await at.begin()
        await tasks.go_on_with_cascade(at)
        await tasks.give_and_take_access(at, f"Olga {guid()[:8]}")
        await tasks.trace_transaction(at, used)
        await context.close()
