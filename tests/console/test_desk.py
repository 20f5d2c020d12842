"""What the pages about a person answer, without a browser: edges, repeats, and other identities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from benefit_programs.console.formats import later_by, until
from benefit_programs.console.ledger import LINES_MAX
from benefit_programs.console.verdicts import verdict_words
from benefit_programs.console.visit import VISIT
from benefit_programs.domain.directory import Role
from tests.support.calls import guid
from tests.support.console import MARKUP, Browser
from tests.support.desk import open_desk
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.desk import Desk
    from tests.support.inprocess import Service


@pytest.fixture
async def desk(service: Service) -> Desk:
    return await open_desk(service)


@pytest.fixture
async def visitor(service: Service) -> Browser:
    """Somebody of the front desk."""
    visitor = Browser(service)
    await visitor.sign_in(Role.FRONT_DESK)
    return visitor


async def said(visitor: Browser, desk: Desk) -> str:
    """What the page says of the last change."""
    html = (await visitor.get(desk.path.removeprefix("/console"))).text
    found = re.search(r'id="notice">\s*<p>(.*?)</p>', html)
    return found[1] if found else ""


@pytest.mark.anyio
async def test_a_form_that_is_sent_twice_does_it_once(desk: Desk, visitor: Browser) -> None:
    """A double click redeems, adds, and gives back once, and says so both times."""
    person = desk.path.removeprefix("/console")
    html = (await visitor.get(f"{person}/use")).text
    item = re.findall(r'name="item" value="([^"]+)"', html)[0].replace("&#34;", '"')
    use = {"key": guid(), "item": item, "count": "1"}
    goodwill = {"key": guid(), "amount": "2,5", "reason": "goodwill", "way": "add"}
    for _time in range(2):
        assert (await visitor.post(f"{person}/use", use)).status_code == 303
        assert await said(visitor, desk) == "Redeemed; “10 classes” pays."
        answer = await visitor.post(f"{person}/pools/{desk.pack.pool_id}/adjust", goodwill)
        assert (answer.status_code, await said(visitor, desk)) == (303, "Added 2.5.")
    assert await desk.left() == ("11.5", "4")
    (redeemed,) = [each for each in await desk.pack.transactions() if "item" in each["details"]]
    back = {"key": guid()}
    for _time in range(2):
        answer = await visitor.post(f"{person}/entries/{redeemed['id']}/give-back", back)
        assert answer.status_code == 303
    assert await desk.left() == ("12.5", "4")


@pytest.mark.anyio
async def test_what_is_said_of_somebody_is_edited_and_undone(desk: Desk, visitor: Browser) -> None:
    """Emptied fields are cleared, the undo has what stood there, and a stale form is refused."""
    person = desk.path.removeprefix("/console")
    page = (await visitor.get(person)).text
    revision = re.findall(r'name="revision" value="(\d+)">\s*<label for="p-name"', page)[0]
    form = {"displayName": "Ada King", "email": "", "phone": "", "note": MARKUP}
    answer = await visitor.post(f"{person}/edit", {**form, "revision": revision})
    assert answer.status_code == 303, answer.text
    page = (await visitor.get(person)).text
    assert "Ada King</h1>" in page
    assert "ada@example.com" not in re.sub(r"<input.*?>", "", page)
    undo = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    assert undo["displayName"] == "Ada Lovelace"
    stale = await visitor.post(f"{person}/edit", {**form, "revision": revision})
    assert stale.status_code == 409


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["member", "user", "visitor"])
async def test_people_without_a_row_are_served(service: Service, kind: str) -> None:
    """Whoever isn't in the directory has a page, and can be given a name there."""
    field = {"member": "memberId", "user": "wixUserId", "visitor": "anonymousVisitorId"}[kind]
    wallet = await open_wallet(service, program={"beneficiary": {field: guid()}})
    person = f"/people/{kind}/{wallet.program['beneficiary'][field]}"
    visitor = Browser(service)
    await visitor.sign_in(Role.FRONT_DESK)
    page = (await visitor.get(person)).text
    assert "<strong>100</strong>" in page
    for more in ("/use", "/changes", "/statement"):
        assert (await visitor.get(person + more)).status_code == 200, more
    nobody = {"displayName": "", "email": "", "phone": "", "note": "", "revision": ""}
    assert (await visitor.post(f"{person}/edit", nobody)).status_code == 400
    await visitor.post(f"{person}/edit", nobody | {"displayName": "Grace"})
    assert "Grace</h1>" in (await visitor.get(person)).text
    found = await visitor.get("/find", params={"q": "grace"})
    assert found.headers["location"] == f"/console{person}"


@pytest.mark.anyio
async def test_entries_of_somebody_else_are_not_shown(desk: Desk, visitor: Browser) -> None:
    """A path with another person's entry finds nothing, and changes nothing."""
    theirs = await (await open_desk(desk.service)).pack.adjust("3")
    path = f"{desk.path.removeprefix('/console')}/entries/{theirs['transactionId']}"
    assert (await visitor.get(path)).status_code == 404
    for action in ("give-back", "date", "pay-from"):
        form = {"key": guid(), "pool": desk.pack.pool_id, "on": "2026-12-01T18:00"}
        assert (await visitor.post(f"{path}/{action}", form)).status_code == 404, action


@pytest.mark.anyio
async def test_a_part_is_given_back_and_redeemed_again(desk: Desk, visitor: Browser) -> None:
    """Of two places one is given back; of a return that was a mistake the same is redeemed."""
    person = desk.path.removeprefix("/console")
    use = await desk.pack.redeem(itemReference=desk.reference("yoga"), count=2)
    form = {"key": guid(), "total": "1", "reason": "one was ill"}
    assert (await visitor.post(f"{person}/entries/{use}/give-back", form)).status_code == 303
    assert await desk.left() == ("9", "4")
    page = (await visitor.get(f"{person}/entries/{use}")).text
    assert 'min="2" max="2"' in page
    await visitor.post(f"{person}/entries/{use}/give-back", {"key": guid()})
    assert await desk.left() == ("10", "4")
    (*_rest, returned) = await desk.pack.transactions()
    page = (await visitor.get(f"{person}/entries/{returned['id']}")).text
    assert "Redeem again" in page
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    again["item"] = again["item"].replace("&#34;", '"')
    assert (await visitor.post(f"{person}/use", again)).status_code == 303
    assert await desk.left() == ("9", "4")


@pytest.mark.anyio
async def test_refusals_are_told_in_words(desk: Desk, visitor: Browser) -> None:
    """An amount that is none, a missing reason, a made-up item and a wrong date are refused."""
    person = desk.path.removeprefix("/console")
    adjust = f"{person}/pools/{desk.pack.pool_id}/adjust"
    wrong: list[tuple[str, dict[str, str]]] = [
        (adjust, {"amount": "-2", "reason": "x"}),
        (adjust, {"amount": "0", "reason": "x"}),
        (adjust, {"amount": "2", "reason": " "}),
        (f"{person}/use", {"item": "yoga"}),
        (f"{person}/use", {"item": "{}", "count": "two"}),
        (f"{person}/programs/{desk.pack.program['id']}/pause", {"from": "soon"}),
    ]
    for path, form in wrong:
        answer = await visitor.post(path, {"key": guid(), **form})
        assert answer.status_code == 400, (path, form)
    assert await desk.left() == ("10", "4")
    too_many = {"key": guid(), "amount": "11", "reason": "x", "way": "take"}
    assert (await visitor.post(adjust, too_many)).status_code == 428
    no_address = {"displayName": "Ada", "email": "ada", "revision": "1"}
    answer = await visitor.post(f"{person}/edit", no_address)
    assert "E-mail: must be an e-mail address" in answer.text
    assert (await visitor.get("/people/animal/1")).status_code == 404


@pytest.mark.anyio
async def test_added_credits_may_end_by_themselves(desk: Desk, visitor: Browser) -> None:
    """Credits that last until a day are a lot of their own, which the undo ends."""
    person = desk.path.removeprefix("/console")
    form = {"key": guid(), "amount": "1", "reason": "gift", "way": "add", "through": "2099-12-31"}
    await visitor.post(f"{person}/pools/{desk.membership.pool_id}/adjust", form)
    page = (await visitor.get(person)).text
    assert re.search(r"<time[^>]*>through 31 Dec 2099</time>", page)
    undo = re.findall(r'action="/console([^"]*/expire)"', page)[0]
    await visitor.post(undo, {"key": guid()})
    assert await desk.left() == ("10", "4")


@pytest.mark.anyio
async def test_of_many_entries_the_newest_are_shown(desk: Desk, visitor: Browser) -> None:
    """However many there are: the newest ones stand at the top, and the statement has them all."""
    for _time in range(LINES_MAX + 1):
        await desk.pack.adjust("1")
    person = desk.path.removeprefix("/console")
    lines = '<td data-label="What">'
    page, statement = [(await visitor.get(person + more)).text for more in ("", "/statement")]
    assert "<strong>111</strong></td>" in page.partition("</tr>")[2].partition("</tr>")[0]
    assert LINES_MAX <= page.count(lines) <= LINES_MAX + 2
    assert "the newest entries are shown" in page
    assert statement.count("Adjusted by hand") == LINES_MAX + 1


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("ELIGIBLE_BENEFIT", {"eligibleBenefitOptions": {"price": "1"}}, "costs 1 each"),
        ("ELIGIBLE_BENEFIT", {"eligibleBenefitOptions": {"price": "0"}}, "free of charge"),
        ("POOL_NOT_ACTIVE", {"poolNotActiveOptions": {"poolStatus": "PAUSED"}}, "paused"),
        ("BENEFIT_NOT_FOUND", {}, "doesn't include it"),
        (
            "POLICY_EXPRESSION_EVALUATED_TO_FALSE",
            {
                "policyExpressionEvaluatedToFalseOptions": {
                    "failureDetails": [
                        {
                            "code": "RATE_LIMIT_EXCEEDED",
                            "errorData": {"timePeriod": "WEEK", "used": 2, "times": 2},
                        },
                        {
                            "code": "FIXED_INTERVAL_NOT_FULFILLED",
                            "errorData": {"interval": "Monday 08:00 to Friday 16:00"},
                        },
                        {"code": "OWN", "message": "with a towel"},
                    ]
                }
            },
            "2 of 2 a week are used already · only Monday 08:00 to Friday 16:00 · with a towel",
        ),
    ],
)
def test_verdicts_are_words(kind: str, options: dict[str, Any], words: str) -> None:
    """Each kind of answer to "can she book it" is a clause."""
    assert verdict_words({"type": kind, **options}, 2) == words


class _Berlin:
    zone = ZoneInfo("Europe/Berlin")


def test_ends_are_told_by_their_last_day() -> None:
    """An end at midnight is that of the day before, and a week is seven days of the calendar."""
    token = VISIT.set(_Berlin())  # type: ignore[arg-type]
    midnight, evening = until("2026-12-12T23:00:00.000Z"), until("2026-12-12T17:00:00.000Z")
    longer = later_by("2027-03-24T23:00:00.000Z", 7)
    VISIT.reset(token)
    assert ">12 Dec 2026<" in midnight
    assert ">12 Dec 2026, 18:00<" in evening
    assert longer == "2027-03-31T22:00:00.000Z"
