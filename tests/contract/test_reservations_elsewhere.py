"""Reservations of one process that another one ends: what a process remembers deceives nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import copy
from typing import TYPE_CHECKING

import pytest

from benefit_programs.storage.schema import migrate
from benefit_programs.storage.verification import verify_store
from tests.support.calls import Refused, benefit
from tests.support.holds import amounts, cancel, capture, capture_refused, end, reserve
from tests.support.inprocess import new_tenant, open_application
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document

pytestmark = pytest.mark.anyio

ROUNDS = 5


@pytest.fixture
async def here_and_there(postgres_url: str) -> AsyncIterator[tuple[Wallet, Wallet]]:
    """The same wallet in two processes; the books are sound after the test."""
    await migrate(postgres_url)
    async with (
        open_application(postgres_url, run_jobs=False) as one,
        open_application(postgres_url, run_jobs=False) as other,
    ):
        service = await new_tenant(*one)
        here = await open_wallet(service, benefit("towel", price="1"))
        there = copy(here)
        there.caller = service.elsewhere(*other)
        yield here, there
        assert await verify_store(service.store) == []


async def test_what_another_process_has_captured_is_gone(
    here_and_there: tuple[Wallet, Wallet],
) -> None:
    """Parts that are captured there can't be captured here, and an end there is one here."""
    here, there = here_and_there
    reservation_id = await reserve(here, count=3)
    await capture(there, reservation_id, count=1, keepRest=True)
    refused = await capture_refused(here, reservation_id, count=3)
    assert (refused.code, refused.data["heldCount"]) == ("NOT_ENOUGH_RESERVED", 2)
    await capture(here, reservation_id, count=1, keepRest=True)
    await cancel(there, reservation_id)
    refused = await capture_refused(here, reservation_id)
    assert (refused.code, refused.data["reservationStatus"]) == ("RESERVATION_NOT_OPEN", "CANCELED")
    assert await amounts(here) == ("98", "0")


async def test_of_captures_at_once_one_is_done(here_and_there: tuple[Wallet, Wallet]) -> None:
    """Two processes that capture the same reservation don't spend it twice."""
    here, there = here_and_there
    for number in range(ROUNDS):
        reservation_id = await reserve((here, there)[number % 2])
        codes = await asyncio.gather(
            *[_capture(wallet, end(reservation_id)) for wallet in (here, there) for _ in range(2)]
        )
        assert Counter(codes) == {None: 1, "RESERVATION_NOT_OPEN": 3}
    assert await amounts(here) == (str(100 - ROUNDS), "0")


async def _capture(wallet: Wallet, request: Document) -> str | None:
    """The code of the refusal, or nothing if it is captured."""
    try:
        await wallet.caller.call("captureBenefitReservation", request)
    except Refused as refused:
        return refused.code
    return None
