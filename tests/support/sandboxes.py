"""What tests of sandboxes do again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benefit_programs.domain.entities import Transaction
from tests.support.calls import details

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document
    from tests.support.inprocess import Service

START = "2040-01-31T10:00:00.000Z"
"""Where tests set a clock to first: so far ahead that nothing of it can be real time."""

MONTHLY = {"every": "P1M", "anchor": START}


async def set_clock(caller: Caller, date: str) -> Document:
    return await _set(caller, {"date": date})


async def advance(caller: Caller, duration: str) -> Document:
    return await _set(caller, {"advance": duration})


async def _set(caller: Caller, request: Document) -> Document:
    answer = await caller.call("setClock", request)
    return answer["clock"]  # type: ignore[no-any-return]


async def read_clock(caller: Caller) -> Document:
    return (await caller.call("getClock"))["clock"]  # type: ignore[no-any-return]


async def new_membership(caller: Caller, *credit: Document, **terms: Any) -> Document:
    """A program with these terms, that renews each month unless they say otherwise."""
    terms = {"renewalConfiguration": MONTHLY} | terms
    definition = await caller.create_program_definition(**terms)
    for each in credit or ({"amount": "10"},):
        await caller.create_pool_definition(
            programDefinitionIds=[definition["id"]], details=details(creditConfiguration=each)
        )
    answer = await caller.provision(program_definition=definition)
    return answer["program"]  # type: ignore[no-any-return]


async def booked(service: Service) -> list[Transaction]:
    """The tenant's transactions in the order in which they were booked."""
    rows = await service.rows(Transaction)
    return sorted(rows, key=lambda row: (row.pool_id, row.balance_revision))
