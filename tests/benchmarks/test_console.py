"""The bench of the console asks for each page of a studio in which there is something to see."""

from __future__ import annotations

import asyncio
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from bench.console import SECRET_KEY, Visitor
from bench.console_pages import make_questions
from bench.console_stores import make_studio
from bench.servers import HOST, Place, prepare_server
from benefit_programs.console.routes import PAGES
from tests.benchmarks.test_growth import verify
from tests.support.service import RECEIVERS_HERE

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scenarios import State

POOLS = 400
PEOPLE = 250
DELIVERIES = 60
ABOUT_EVENTS = {"I10", "I11"}
WITHOUT_ROWS = ("nobody", "nothing", "no ", "none ")
"""What says that it looks in vain; any other page that is empty would be quick for nothing."""


@pytest.fixture
def studio(database_url: str, monkeypatch: pytest.MonkeyPatch) -> State:
    monkeypatch.setenv(SECRET_KEY, RECEIVERS_HERE[SECRET_KEY])
    return make_studio(database_url, pools=POOLS, people=PEOPLE, deliveries=DELIVERIES)


def test_each_page_of_a_studio_shows_something(
    studio: State, database_url: str, tmp_path: Path
) -> None:
    """The studio is sound but for the events, which no page reads, and all pages are asked for."""
    assert {each.invariant for each in asyncio.run(verify(database_url))} <= ABOUT_EVENTS
    questions = make_questions(studio)
    drawn = {page.path for page in PAGES if page.verb == "GET" and page.template}
    assert drawn - {each.page for each in questions} == set()
    place = Place(folder=tmp_path, postgres=None)
    launch = prepare_server("ours-sqlite", place, database_url=database_url)
    with launch.start() as server, closing(HTTPConnection(HOST, server.port)) as connection:
        visitor = Visitor(connection, server.api_key)
        empty = [each.name for each in questions if b'class="empty"' in visitor.get(each.at)]
    assert [each for each in empty if not any(part in each for part in WITHOUT_ROWS)] == []
