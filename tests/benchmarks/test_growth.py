"""The stores that growth is measured on hold what the service itself would have written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bench.growth_stores import make_store
from bench.inprocess import inprocess_client
from bench.questions import make_questions
from bench.scenarios import make_redeem_requests
from bench.timetables import make_members
from benefit_programs.storage.verification import verify_store
from tests.support.books import Books
from tests.support.inprocess import open_application

if TYPE_CHECKING:
    from benefit_programs.storage.verification import Violation

POOLS = 200
DATES = "select count(distinct next_renewal) from programs where tenant_id = $1"
REDEMPTIONS = 3


async def verify(url: str) -> list[Violation]:
    async with open_application(url) as (running, _):
        return await verify_store(running.services.engine._store)  # type: ignore[arg-type]


def test_copies_of_a_program_are_sound(database_url: str) -> None:
    """Copies keep every invariant, have as many rows as asked for, and can be redeemed from."""
    state = make_store(database_url, pools=POOLS, redemptions=REDEMPTIONS)
    assert len(set(state["poolIds"])) == POOLS // 2
    next_request = make_redeem_requests(state)
    with inprocess_client(database_url) as client:
        for _ in range(POOLS // 2):
            client.send(next_request())
    assert asyncio.run(verify(database_url)) == []


def test_copies_with_a_timetable_are_sound(database_url: str) -> None:
    """Each renews at an instant of its own, and runners come by before."""
    make_members(database_url, POOLS)
    ((dates,),) = asyncio.run(Books(database_url).read(DATES))
    assert dates == POOLS
    assert asyncio.run(verify(database_url)) == []


def test_every_question_finds_rows(database_url: str) -> None:
    """What growth asks for is there: a question without an answer would be quick for nothing."""
    state = make_store(database_url, pools=POOLS, redemptions=REDEMPTIONS)
    with inprocess_client(database_url) as client:
        for question in make_questions(state):
            rows, metadata = rows_of(client.send(question.ask()))
            assert rows, question.name
            assert bool(metadata["cursors"].get("next")) or not question.goes_far, question.name


def rows_of(answer: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    metadata = answer.pop("metadata")
    (rows,) = answer.values()
    return rows, metadata
