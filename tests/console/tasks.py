"""What people do with the console, each task with the clicks that it may cost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.support.studio import ADA, ZOE

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

    from tests.console.clicks import Driver
    from tests.support.desk import Desk

TUESDAY = "2026-12-01T18:00"
THURSDAY = "2026-12-03T18:00"


def card(page: Page, name: str) -> Locator:
    return page.locator(".card", has=page.get_by_role("heading", name=name, exact=True))


def line(page: Page, text: str) -> Locator:
    return page.locator(".ledger tr").filter(has_text=text).first


# At the desk, about one person.


async def find_her(at: Driver) -> None:
    """Find Ada and see what is left, and why: 1 click, 0 more."""
    await at.find("lov ad")
    await expect(at.page.locator("h1")).to_have_text(ADA)
    await expect(at.page.locator(".balance strong")).to_have_text(["10", "4"])
    await expect(at.page.locator(".ledger")).to_contain_text("Given at the start")
    await at.seen("Find Ada", most=1)


async def use_now(at: Driver, desk: Desk) -> None:
    """Use one class now: 3. Give it back: 1 more."""
    await at.link("Use or book")
    await at.button("Use Pilates at noon")
    await at.said("Redeemed; “10 classes” pays.", most=3)
    assert await desk.left() == ("9", "4")
    await at.button("Give back Redeemed Pilates at noon")
    await at.said("Gave back Pilates at noon.", most=1)
    assert await desk.left() == ("10", "4")
    await at.undo()
    await expect(at.page.locator("#notice p")).to_have_text("Redeemed; “10 classes” pays.")
    assert await desk.left() == ("9", "4")


async def use_on_tuesday(at: Driver) -> None:
    """The same for Tuesday: 4."""
    await at.link("Use or book")
    await at.date(at.page.get_by_label("When"), TUESDAY)
    await at.button("Use Yoga with Kim")
    await at.said("Redeemed; “10 classes” pays.", most=4)
    yoga = line(at.page, "Yoga with Kim")
    await expect(yoga).to_contain_text("for 1 Dec 2026, 18:00")


async def use_two_places(at: Driver, desk: Desk) -> None:
    """Two places of one pack: 3."""
    await at.link("Use or book")
    await at.type(at.page.get_by_label("Places"), "2")
    await at.button("Use Pilates at noon")
    await at.said("Redeemed; “10 classes” pays.", most=3)
    assert await desk.left() == ("6", "4")


async def say_why_not(at: Driver) -> None:
    """Say why she can't book the workshop, or so many places: 2."""
    await at.link("Use or book")
    workshop = at.page.locator(".items li", has_text="Workshop: handstand")
    await expect(workshop).to_contain_text("No pack includes it.")
    await at.type(at.page.get_by_label("Places"), "5")
    await at.enter()
    yoga = at.page.locator(".items li", has_text="Yoga with Kim")
    await expect(yoga).to_contain_text("Membership: 4 left, 5 needed")
    await expect(yoga).to_contain_text("10 classes: costs 1 each")
    await at.seen("Say why not", most=2)
    await at.link(ADA)
    at.count = 0


async def move_booking(at: Driver) -> None:
    """Move a booking to another date: 3."""
    await at.on(line(at.page, "Yoga with Kim").get_by_role("link", name="Redeemed"))
    await at.swapped()
    await at.date(at.page.get_by_label("Date and time"), THURSDAY)
    await at.button("Move")
    await at.said("Moved Yoga with Kim to 3 Dec 2026.", most=3)


async def pay_from_another(at: Driver, desk: Desk) -> None:
    """Pay a booking from another pack: 3."""
    await at.on(line(at.page, "Yoga with Kim").get_by_role("link"))
    await at.swapped()
    await at.button("Membership · 4")
    await at.said("Another pack pays for Yoga with Kim now.", most=3)
    assert await desk.left() == ("7", "3")
    await at.undo()
    await expect(at.page.locator(".balance strong")).to_have_text(["6", "4"])


async def extend_pack(at: Driver, desk: Desk) -> None:
    """Extend her pack by a week: 2. The focus stays where it was, so Enter gives another week."""
    (before,) = await desk.lots()
    await at.button("+1 week", card(at.page, "10 classes"))
    await at.swapped()
    await expect(at.page.locator("#notice p")).to_contain_text("Usable until")
    await at.seen("Extend her pack", most=2)
    again = card(at.page, "10 classes").get_by_role("button", name="+1 week")
    await expect(again).to_be_focused()
    (after,) = await desk.lots()
    assert after["expirationDate"] > before["expirationDate"]
    await at.undo()
    assert (await desk.lots())[0]["expirationDate"] == before["expirationDate"]


async def pause_membership(at: Driver) -> None:
    """Pause her membership from Monday: 2. Resume: 2."""
    membership = card(at.page, "Membership")
    await at.open("Pause", membership)
    await at.date(membership.get_by_label("From"), "2099-12-07")
    await at.button("Pause", membership)
    await at.said("Will be paused from 7 Dec 2099.", most=2)
    await expect(membership).to_contain_text("pauses 7 Dec 2099")
    await at.open("Pause", membership)
    await at.button("Pause", membership)
    await at.said("Paused.", most=2)
    await at.button("Resume", membership)
    await at.said("Resumed.", most=2)


async def add_and_take_off(at: Driver, desk: Desk) -> None:
    """Two classes as goodwill with a reason: 3. Take off one that was paid otherwise: 3."""
    pack = card(at.page, "10 classes")
    for amount, reason, button, said in (
        ("2", "goodwill", "Add", "Added 2."),
        ("1", "paid in cash", "Take off", "Took off 1."),
    ):
        await at.open("Add or take off", pack)
        await at.type(pack.get_by_label("How many"), amount)
        await at.type(pack.get_by_role("textbox", name="Reason"), reason)
        await at.button(button, pack)
        await at.said(said, most=3)
        await expect(line(at.page, reason)).to_be_visible()
    assert await desk.left() == ("7", "4")


async def undo_mistake(at: Driver, desk: Desk) -> None:
    """Undo a colleague's mistake: 2."""
    await desk.membership.adjust("7", beneficiary=None)
    await at.find(desk.member_id)
    await expect(line(at.page, "+7")).to_be_visible()
    await at.on(line(at.page, "+7").get_by_role("button", name="Undo"))
    await at.said("Undone.", most=2)
    assert (await desk.left())[1] == "4"


async def end_pack(at: Driver) -> None:
    """End a pack that was sold by mistake: 3."""
    membership = card(at.page, "Membership")
    await at.open("End", membership)
    await at.button("End it now", membership)
    await at.said("Ended.", most=3)
    await expect(membership).to_have_count(0)
    ended = at.page.locator("details", has_text="What has ended")
    await expect(ended).to_contain_text("Membership")


async def see_who_changed(at: Driver) -> None:
    """Who changed this, when and why: 1."""
    await at.link("Who changed what")
    await expect(at.page.get_by_role("row").nth(1)).to_contain_text("Ended")
    await expect(at.page.get_by_text("goodwill")).to_be_visible()
    await at.seen("Who changed this", most=1)
    await at.link(ADA)
    at.count = 0


async def print_statement(at: Driver) -> None:
    """Print her statement: 2."""
    await at.page.evaluate("window.print = () => { window.isPrinted = true; }")
    await at.link("Statement")
    await at.button("Print")
    assert await at.page.evaluate("window.isPrinted")
    await at.seen("Print her statement", most=2)


# Of a studio.


async def sell_pack(at: Driver) -> None:
    """Sell a pack of ten: 3."""
    await at.menu("Sell")
    await at.tile("Ten classes")
    await at.type(at.page.locator("#who"), "lovelace")
    await at.enter()
    await expect(at.page.get_by_label("Number of the order")).to_be_visible()
    await at.button("Sell")
    await at.said("Ten classes was sold.", most=3)
    await at.undo()
    await expect(at.page.locator("#notice p")).to_have_text("The sale was taken back.")


async def redeem_item(at: Driver) -> None:
    """Use one class now, at the door of the class: 3."""
    await at.menu("Redeem")
    await at.tile("Yoga")
    await at.type(at.page.locator("#who"), "o'br")
    await at.enter()
    await expect(at.page.get_by_role("radio")).to_be_checked()
    await at.button("Redeem")
    await at.said(f"{ZOE}: Yoga. 9 left.", most=3)


async def see_who_is_low(at: Driver) -> None:
    """All with one class or less left: 1."""
    await at.menu("Today")
    low = at.page.get_by_role("region", name="Little left")
    await expect(low.get_by_role("link", name=ADA)).to_be_visible()
    await at.seen("Who is low", most=1)


async def move_all_ends(at: Driver) -> None:
    """All packs end a week later, with a preview: 4."""
    await at.menu("Many at once")
    await at.tile("Move dates")
    await at.tile("Ten classes")
    await expect(at.page.get_by_text("2 lots of credits")).to_be_visible()
    await at.button("Move 2 dates")
    await at.said("2 dates were moved.", most=4)


async def change_price(at: Driver) -> None:
    """A price for future packs only: 4."""
    await at.menu("Definitions")
    await at.tile("Ten classes")
    await at.type(at.page.get_by_label("Price of Classes"), "2")
    await at.button("Save")
    await at.said("Changed for packs to come.", most=4)


# Of the service.


async def go_on_with_cascade(at: Driver) -> None:
    """Why did last night's cascade fail, go on with it: 2."""
    await at.menu("Jobs")
    failed = at.page.get_by_role("region", name="What has failed")
    await expect(failed).to_contain_text("it broke")
    await at.button("Go on", failed)
    await at.said("The job goes on where it stopped.", most=2)


async def give_and_take_access(at: Driver, name: str) -> None:
    """Give the new colleague access: 3. Take it from the one who left: 2."""
    await at.menu("Access")
    await at.type(at.page.get_by_label("Name", exact=True), name)
    await at.choose(at.page.get_by_label("Role", exact=True), "Reader")
    await at.button("Make a link")
    await at.swapped()
    link = at.page.get_by_label(f"Link for {name}").get_by_role("textbox")
    await expect(link).to_have_value(re.compile(r"/console/sign-in\?token="))
    await at.seen("Give access", most=3)
    await at.menu("Access")
    await at.button(f"Take away {name}")
    await at.said(f"{name} has no access any more.", most=2)


async def trace_transaction(at: Driver, transaction_id: str) -> None:
    """From a transaction id to person and request: 1."""
    await at.menu("Audit")
    await at.type(at.page.get_by_label("Id of anything"), transaction_id)
    await at.enter()
    row = at.page.get_by_role("row").nth(1)
    await expect(row).to_contain_text("Redeemed")
    await expect(row.get_by_role("link", name=ADA)).to_be_visible()
    await expect(row.get_by_role("link", name="Request")).to_be_visible()
    await at.seen("From a transaction to person and request", most=1)
