"""Changes of many from the console: seen first, done once, told in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.console import groups
from benefit_programs.domain.directory import Role
from tests.support.calls import NAMESPACE, guid
from tests.support.console import Browser
from tests.support.studio import ADA, ZOE, Studio, open_studio

if TYPE_CHECKING:
    import httpx

    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


@pytest.fixture
async def studio(service: Service) -> Studio:
    return await open_studio(service)


@pytest.fixture
async def manager(service: Service) -> Browser:
    visitor = Browser(service)
    await visitor.sign_in(Role.MANAGER)
    return visitor


def fields_of(html: str) -> dict[str, str]:
    """The hidden fields of the form that a page shows below its menu."""
    form = html[html.rindex('<form method="post"') :]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found}


async def said(visitor: Browser, answer: httpx.Response) -> str:
    """What the page says to which a change leads."""
    assert answer.status_code == 303, answer.text
    page = await visitor.get(answer.headers["location"].removeprefix("/console"))
    (words,) = re.findall(r'id="notice">\s*<p>(.*?)</p>', page.text)
    return unescape(words)


async def dates_of(
    service: Service, rows: str, name: str, filter_: dict[str, Any]
) -> list[datetime]:
    answer = await service.call(f"query{rows.capitalize()}", {"query": {"filter": filter_}})
    return sorted(datetime.fromisoformat(each[name]) for each in answer[rows])


async def test_dates_move_once(
    service: Service, studio: Studio, manager: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shown moves by whole days, part by part; a repeated form moves nothing."""
    monkeypatch.setattr(groups, "PART_MAX", 1)
    monkeypatch.setattr(groups, "LIMIT_MAX", 1)
    for name in (ADA, ZOE):
        await studio.join(name, studio.ten)
    of_ten = {"programDefinitionId": studio.ten["id"]}
    before = await dates_of(service, "lots", "expirationDate", of_ten)
    page = await manager.get(f"/bulk/move?offer={studio.ten['id']}&days=7")
    assert "Move 1 date" in page.text
    first = {**fields_of(page.text), "reason": "Flood"}
    moved = await manager.post("/bulk/move", first)
    assert await said(manager, moved) == "1 date was moved."
    again = await manager.post("/bulk/move", first)
    assert await said(manager, again) == "1 date was moved."
    late = await manager.post("/bulk/move", {**first, "key": guid()})
    assert (await said(manager, late)).startswith("0 dates were moved. Not done: ")
    rest = await manager.get(moved.headers["location"].removeprefix("/console"))
    assert await said(manager, await manager.post("/bulk/move", fields_of(rest.text)))
    after = await dates_of(service, "lots", "expirationDate", of_ten)
    assert after == [each + timedelta(days=7) for each in before]


async def test_ends_of_programs_move_too(
    service: Service, studio: Studio, manager: Browser
) -> None:
    """Programs that end by themselves end later, and what nothing moves is said."""
    await studio.join(ADA, studio.monthly)
    of_it = {"programDefinitionId": studio.monthly["id"]}
    (before,) = await dates_of(service, "programs", "endDate", of_it)
    page = await manager.get(f"/bulk/move?offer={studio.monthly['id']}&days=-2")
    await manager.post("/bulk/move", fields_of(page.text))
    assert await dates_of(service, "programs", "endDate", of_it) == [before - timedelta(days=2)]
    for days in ("0", "400", "soon"):
        answer = await manager.get(f"/bulk/move?offer={studio.monthly['id']}&days={days}")
        assert answer.status_code == 400
    for moves in ("program x", "pool a 1 b"):
        form = {"offer": studio.monthly["id"], "programs": "-", "lots": "-", "moves": moves}
        assert (await manager.post("/bulk/move", form)).status_code == 400


async def test_all_get_credits_once(
    service: Service, studio: Studio, manager: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pack gets a lot through a day, part by part; what is sent twice gives nothing twice."""
    monkeypatch.setattr(groups, "PART_MAX", 1)
    monkeypatch.setattr(groups, "LIMIT_MAX", 1)
    ada, zoe = await studio.join(ADA, studio.ten), await studio.join(ZOE, studio.ten)
    pack = studio.pools[0]["id"]
    form = {"pack": pack, "key": guid(), "amount": "1,5", "name": "Sorry", "expires": "2030-01-01"}
    first = await manager.post("/bulk/grant", form)
    assert await said(manager, first) == "1 pack has them."
    await manager.post("/bulk/grant", form)
    page = await manager.get(first.headers["location"].removeprefix("/console"))
    assert "Go on with the next ones" in page.text
    await manager.post("/bulk/grant", {**fields_of(page.text), "key": guid()})
    assert [await studio.left(ada), await studio.left(zoe)] == ["11.5", "11.5"]
    ends = await dates_of(service, "lots", "expirationDate", {"poolDefinitionId": pack})
    assert ends[-2:] == [datetime(2030, 1, 2, tzinfo=UTC)] * 2
    refused = await manager.post("/bulk/grant", {**form, "key": guid(), "amount": "-1"})
    assert "0 packs have them. Not done: How many" in await said(manager, refused)


PEOPLE = """memberId,displayName,email
{ada},Ada King,ada@example.com
{zoe},{name},zoë@example.com
{new},<b>Søren</b>,soren@example.com
{new},Twice,
x,Nobody,
"""


async def test_people_come_from_a_file(service: Service, studio: Studio, manager: Browser) -> None:
    """A file is judged first; then what was shown is done, and its wrong rows are left out."""
    ada, zoe, new = await studio.join(ADA), await studio.join(ZOE), guid()
    text = PEOPLE.format(ada=ada, zoe=zoe, new=new, name=ZOE)
    page = await manager.post("/bulk/import/people", {"text": text})
    assert "1 new, 1 changed, 1 as before, 2 not usable" in page.text
    assert "line 5" in page.text
    assert "line 6" in page.text
    unchanged = await service.call("searchPeople", {"text": "Lovelace"})
    assert len(unchanged["people"]) == 1
    done = await manager.post("/bulk/import/people", fields_of(page.text))
    assert "1 new, 1 changed, 1 as before, 2 not usable" in done.text
    found = await service.call("lookUpPeople", {"beneficiaries": [{"memberId": new}]})
    assert found["people"][0]["displayName"] == "<b>Søren</b>"
    again = await manager.post("/bulk/import/people", {"text": text})
    assert "0 new, 0 changed, 3 as before, 2 not usable" in again.text
    for wrong in ("", "shoes\n1\n", "memberId\n" + "1\n" * 10_001):
        answer = await manager.post("/bulk/import/people", {"text": wrong})
        assert answer.status_code == 400


async def test_programs_come_from_a_file(
    service: Service, studio: Studio, manager: Browser
) -> None:
    """Rows of orders are sold once; one that is there stays, and an unknown definition is said."""
    ada = await studio.join(ADA)
    rows = (
        f'{{"externalProgramId": "{order}", "namespace": "{NAMESPACE}", "memberId": "{ada}",'
        f' "programDefinitionExternalId": "{definition}"}}'
        for order, definition in (
            *(("order-1", studio.ten["externalId"]), ("order-2", studio.monthly["externalId"])),
            ("order-3", "no-such"),
        )
    )
    page = await manager.post("/bulk/import/programs", {"text": "\n".join(rows)})
    assert "2 new, 0 changed, 0 as before, 1 not usable" in page.text
    query = {"query": {"filter": {"beneficiary.memberId": ada}}}
    assert (await service.call("queryPrograms", query))["programs"] == []
    form = fields_of(page.text)
    for counts in ("2 new, 0 changed, 0 as", "0 new, 0 changed, 2 as"):
        assert counts in (await manager.post("/bulk/import/programs", form)).text
    programs = (await service.call("queryPrograms", query))["programs"]
    assert {each["externalId"] for each in programs} == {"order-1", "order-2"}
