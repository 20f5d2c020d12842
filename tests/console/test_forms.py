"""A form that is sent twice does once: by a double click, a reload, or by going back."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.console import routes
from benefit_programs.console.page import EVERYBODY, POST, Answer, Done, Undo, page
from benefit_programs.console.routes import PAGES
from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.errors import TooManyLots
from benefit_programs.storage.console_forms import (
    CLAIM_MILLISECONDS_MAX,
    FORM_MILLISECONDS_MAX,
    ConsoleForms,
)
from tests.support.calls import guid
from tests.support.clock import StillClock
from tests.support.console import FROM_HERE, Browser, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benefit_programs.console.visit import Visit
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

OF_TEXT = {"amount": "1", "total": "1", "days": "3", "count": "1", "url": "https://a.example"}
"""What is entered into fields of forms that are drawn empty; a word where it is a text."""


class Counted:
    """A change that can wait, and be refused; how often it was made."""

    def __init__(self) -> None:
        self.count = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.has_begun = asyncio.Event()

    def page(self) -> routes.Page:
        @page(POST, "/test/count", roles=EVERYBODY)
        async def counted(visit: Visit) -> Answer:
            self.has_begun.set()
            await self.may_go_on.wait()
            if visit.form.get("what") == "no":
                raise TooManyLots(maximum=1)
            self.count += 1
            return Done(
                "/find", f"Done: {self.count}.", Undo(path="/test/count", fields={"a": "1"})
            )

        return counted


@pytest.fixture
def counted() -> Iterator[Counted]:
    counted = Counted()
    routes.PAGES.append(own := counted.page())
    yield counted
    routes.PAGES.remove(own)


async def visitor_of(service: Service) -> Browser:
    visitor = Browser(service)
    await visitor.sign_in()
    return visitor


async def test_a_form_is_done_once(service: Service, counted: Counted) -> None:
    """Two that are sent at the same time, and one that comes later, have one answer."""
    visitor, form = await visitor_of(service), {"key": guid(), "what": "it"}
    counted.may_go_on.clear()
    both = [asyncio.create_task(visitor.post("/test/count", form)) for _ in range(2)]
    await counted.has_begun.wait()
    counted.may_go_on.set()
    answers = [*await asyncio.gather(*both), await visitor.post("/test/count", form)]
    assert {(each.status_code, each.headers["location"]) for each in answers} == {
        (303, "/console/find")
    }
    assert counted.count == 1
    html = (await visitor.get("/find")).text
    assert ("Done: 1." in html, 'name="a" value="1"' in html) == (True, True)
    changed = await visitor.post("/test/count", {**form, "what": "more"})
    assert (changed.status_code, "with other entries" in changed.text) == (400, True)
    await (await visitor_of(service)).post("/test/count", form)
    assert counted.count == 2


async def test_a_refused_form_can_be_sent_again(service: Service, counted: Counted) -> None:
    """What was refused did nothing, so the same form may be mended and sent."""
    visitor, form = await visitor_of(service), {"key": guid(), "what": "no"}
    for _ in range(2):
        assert (await visitor.post("/test/count", form)).status_code == 428
    assert (await visitor.post("/test/count", {**form, "what": "it"})).status_code == 303
    assert counted.count == 1


async def test_what_a_dead_server_has_begun_is_done_anew(service: Service) -> None:
    """After a minute, by the same form alone; and a day later nothing is known of it any more."""
    clock = StillClock()
    forms = ConsoleForms(service.store, clock=clock)
    key = guid()
    assert await forms.begin(key, "content") is None
    assert await forms.begin(key, "content") is not None
    clock.now += CLAIM_MILLISECONDS_MAX
    assert await forms.begin(key, "other") is not None
    assert await forms.begin(key, "content") is None
    await forms.finish(key, "{}")
    clock.now += CLAIM_MILLISECONDS_MAX
    found = await forms.begin(key, "content")
    assert found is not None
    assert found.done == "{}"
    clock.now += FORM_MILLISECONDS_MAX
    assert await forms.begin(key, "content") is None
    await forms.give_back(key)


async def test_every_route_wants_a_key(service: Service) -> None:
    """No page that changes something takes a form that could be done twice."""
    visitor = await visitor_of(service)
    for each in PAGES:
        if each.verb == "GET" or each.is_public or each.repeats:
            continue
        path = re.sub(r"\{kind\}", "member", each.path)
        path = re.sub(r"\{\w+\}", lambda _: guid(), path)
        answer = await visitor.client.post(f"/console{path}", data={}, headers=FROM_HERE)
        assert (answer.status_code, "key" in answer.text) == (400, True), each.path


async def test_every_form_does_once(service: Service) -> None:
    """All forms of all pages have a key of their own; each that is sent twice is done once."""
    world = await make_world(service)
    pages, visitor = await world.walk(), await visitor_of(service)
    sent = set()
    for path, html in pages.items():
        found = re.findall(
            r'<form method="post" action="/console([^"]+)".*?>(.*?)</form>', html, re.DOTALL
        )
        keys = [re.findall(r'name="key" value="([0-9a-f-]{36})"', form) for _to, form in found]
        assert [len(each) for each in keys] == [1] * len(found) or path == "/sign-in", path
        assert len({each for some in keys for each in some}) == sum(map(len, keys)), path
        for to, form in found:
            if to in ("/sign-in", "/sign-out"):
                continue
            fields = {
                name: unescape(value) or OF_TEXT.get(name, "")
                for name, value in re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', form)
            } | {
                name: OF_TEXT.get(name, "word")
                for name in re.findall(r'<input[^>]* name="([^"]+)"[^>]* required', form)
            }
            first = await visitor.post(to, fields)
            count = len(await service.rows(AuditEntry))
            second = await visitor.post(to, fields)
            assert len(await service.rows(AuditEntry)) == count, to
            if first.status_code == httpx.codes.SEE_OTHER:
                assert second.headers["location"] == first.headers["location"], to
            sent.add(next(each.path for each in PAGES if each.pattern.fullmatch(to)))
    assert len(sent) >= 20, sent
