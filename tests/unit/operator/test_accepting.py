"""Processes that share a listener: whoever has fewest connections takes the next."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from benefit_programs.api.connections import OpenConnections
from benefit_programs.cli.accepting import Acceptor, Share, Shares

CLIENTS = 20


@pytest.fixture(autouse=True)
def own_counting() -> Iterator[None]:
    """Leave the counting of this process as it was."""
    cell = OpenConnections.cell
    yield
    OpenConnections.cell = cell


def shares_of(shares: Shares, number: int) -> list[Share]:
    """The shares of so many processes that have begun."""
    taken: list[Share] = []
    for _ in range(number):
        taken.append(shares.take([each.place for each in taken]))
        taken[-1].begin()
    return taken


def test_who_has_more_than_another_one_has_the_largest_share() -> None:
    """Who has as many as the others hasn't, nor has anybody beside one that takes none any more."""
    first, second = shares_of(Shares(), 2)
    assert not first.is_largest()
    first.count = 2
    second.count = 1
    assert (first.is_largest(), second.is_largest()) == (True, False)
    second.end()
    assert not first.is_largest()


def test_place_of_one_that_is_gone_is_taken_anew() -> None:
    """A process that was killed had no time to leave; the next one begins without its number."""
    shares = Shares()
    first, second = shares_of(shares, 2)
    first.count, second.count = 5, 7
    replacing = shares.take([second.place])
    assert replacing.place == first.place
    assert not second.is_largest()


def test_connections_of_a_process_are_counted_where_others_see_them() -> None:
    """Those that it has already, too; after the end nobody sees them."""
    before = OpenConnections.count
    first, second = shares_of(Shares(), 2)
    OpenConnections.cell[0] += 3
    assert OpenConnections.count == second.count == before + 3
    assert second.is_largest()
    second.end()
    OpenConnections.cell[0] -= 3
    assert OpenConnections.count == before
    assert not first.is_largest()


class Taking(asyncio.Protocol):
    """Counts a connection for one of several processes, and says which one has it."""

    def __init__(self, share: Share, seen: Counter[Share]) -> None:
        self._share, self._seen = share, seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._share.count += 1
        self._seen[self._share] += 1
        transport.write(b"taken")
        transport.close()


async def connect(listener: socket.socket, clients: ExitStack) -> None:
    """Connect once more, and return when somebody has taken it."""
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    clients.callback(writer.close)
    assert await reader.read(5) == b"taken"


def maker(share: Share, seen: Counter[Share]) -> Callable[[], Taking]:
    return lambda: Taking(share, seen)


@pytest.mark.anyio
async def test_who_has_fewer_takes_the_next() -> None:
    """One that begins beside another with many connections gets what comes."""
    first, second = shares_of(Shares(), 2)
    seen: Counter[Share] = Counter()
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as clients:
        for share in (first, second):
            clients.callback(Acceptor(listener, maker(share, seen), share).close)
        first.count, second.count = 2 * CLIENTS, 0
        for _ in range(CLIENTS):
            await connect(listener, clients)
    assert seen[second] > seen[first]


@pytest.mark.anyio
async def test_nobody_waits_long_for_a_process_that_hangs() -> None:
    """What it could take, and doesn't, the others take after a moment."""
    first, second = shares_of(Shares(), 2)
    seen: Counter[Share] = Counter()
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as clients:
        clients.callback(Acceptor(listener, maker(first, seen), first).close)
        first.count, second.count = 1, 0
        for _ in range(3):
            await connect(listener, clients)
    assert seen == {first: 3}
