"""A lone command reads without holding, and writes only if its row is still as it was read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from msgspec.structs import replace

from benefit_programs.domain.lookups import POOL, PROGRAM
from benefit_programs.domain.state import Changes, Mode, State
from benefit_programs.domain.store import Load, StoreConflict, StoreLocked, Write
from benefit_programs.engine.memory import HELD_AFTER_CONFLICT, Memory
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.databases import run_apart
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import Callable

    from benefit_programs.domain.store import BatchRun
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ENGINES = ["postgres"]
ON_POSTGRES_EVERY_DAY = True

ANSWER_SECONDS_MAX = 4


@pytest.fixture
async def wallet(timed: Service) -> Wallet:
    """Of a service of the test's own that does nothing by itself."""
    return await open_wallet(timed)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the driver is asked from now on, by its first word."""
    asked: list[str] = []
    for name in ("fetch", "execute"):
        ask = getattr(asyncpg.Connection, name)

        async def note(self: Any, query: str, *values: Any, _ask: Any = ask, **more: Any) -> Any:
            # Plans are given up once a second.
            if query != "discard plans":
                asked.append(query.split(maxsplit=1)[0])
            return await _ask(self, query, *values, **more)

        monkeypatch.setattr(asyncpg.Connection, name, note)
    return asked


async def test_a_lone_redemption_takes_two_round_trips(wallet: Wallet, asked: list[str]) -> None:
    """The pool with its key and the item, and one statement that writes and commits."""
    await wallet.redeem()
    asked.clear()
    await wallet.redeem()
    assert asked == ["select", "with"]


async def test_an_item_of_another_set_takes_one_more(
    timed: Service, wallet: Wallet, asked: list[str]
) -> None:
    """Where the item was found last in another pool's set, it is looked for again."""
    app_id = wallet.benefit()["providerAppId"]
    other = await open_wallet(timed, benefit("towel", providerAppId=app_id))
    await wallet.redeem()
    for each, trips in ((wallet, 2), (other, 3), (other, 2), (wallet, 3)):
        asked.clear()
        await each.redeem()
        assert asked == ["select"] * (trips - 1) + ["with"]


async def test_a_repeated_key_is_refused_without_writing(wallet: Wallet, asked: list[str]) -> None:
    """The transaction that has the key is read by itself."""
    request = wallet.redemption()
    await wallet.caller.call("redeemBenefit", request)
    asked.clear()
    refused = await wallet.caller.refusal("redeemBenefit", request)
    assert refused.code == "BENEFIT_ALREADY_REDEEMED"
    assert set(asked) == {"select"}


async def test_what_needs_more_rows_is_held(wallet: Wallet, asked: list[str]) -> None:
    """A program and all its pools are locked, as ever."""
    await wallet.caller.call(
        "pauseProgram",
        {"programId": wallet.program["id"], "namespace": NAMESPACE, "idempotencyKey": guid()},
    )
    assert asked[0].startswith("begin")
    assert asked[-1] == "set"


def touching(
    pool_id: str, meanwhile: Callable[[], object] = lambda: None, *, needs_more: bool = False
) -> BatchRun[int]:
    """Set when a pool was changed, after something has happened meanwhile."""
    state, wanted = State(), {POOL: {(pool_id,): Mode.LOCK}}
    loaded = yield Load(wanted)
    meanwhile()
    state.load(POOL, wanted[POOL], loaded[POOL])
    pool = state.one(POOL, pool_id)
    assert pool is not None
    if needs_more:
        found = yield Load({PROGRAM: {(pool.program_id,): Mode.LOCK}})
        assert len(found[PROGRAM]) == 1
    changes = Changes(None)
    changes.save(replace(pool, updated=pool.updated + 1))
    state.apply(changes)
    yield Write(state)
    return pool.updated + 1


async def updated(service: Service, wallet: Wallet) -> int:
    """When the pool was changed, as the database has it."""
    sql = "select updated from pools where tenant_id = $1 and id = $2"
    ((value,),) = await service.store.fetch_quick(sql, (service.tenant.id, wallet.pool_id))
    return int(value)


async def test_a_row_that_stayed_is_written(timed: Service, wallet: Wallet) -> None:
    """Whether or not the batch has to hold it in the end."""
    before = await updated(timed, wallet)
    for count, needs_more in enumerate((False, True), start=1):
        steps = touching(wallet.pool_id, needs_more=needs_more)
        answer = await timed.store.run(timed.tenant.id, steps, unheld=True)
        assert answer == await updated(timed, wallet) == before + count


async def test_a_row_that_moved_is_not_written(
    timed: Service, wallet: Wallet, database_url: str
) -> None:
    """What somebody else has done meanwhile stays, and the batch is refused."""
    before = await updated(timed, wallet)

    def move() -> None:
        run_apart(move_by_ten(database_url, wallet))

    for count, needs_more in enumerate((False, True), start=1):
        steps = touching(wallet.pool_id, move, needs_more=needs_more)
        with pytest.raises(StoreConflict, match="has changed"):
            await timed.store.run(timed.tenant.id, steps, unheld=True)
        assert await updated(timed, wallet) == before + 10 * count


async def move_by_ten(url: str, wallet: Wallet) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"{_MOVE} where id = $1", wallet.pool_id)
    await connection.close()


_MOVE = "update pools set updated = updated + 10"


async def test_a_row_that_somebody_changes_is_not_waited_for_long(
    timed: Service, wallet: Wallet, database_url: str
) -> None:
    """As in a held batch: those who need the row wait apart from the others."""
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute(f"{_MOVE} where id = $1", wallet.pool_id)
        with pytest.raises(StoreLocked):
            await timed.store.run(timed.tenant.id, touching(wallet.pool_id), unheld=True)
    await other.close()


async def test_a_change_that_ends_meanwhile_is_noticed(
    timed: Service, wallet: Wallet, database_url: str
) -> None:
    """Who waits for a row while somebody commits its change sees that it has moved."""
    other = await asyncpg.connect(database_url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(f"{_MOVE} where id = $1", wallet.pool_id)
    running = asyncio.create_task(
        timed.store.run(timed.tenant.id, touching(wallet.pool_id), unheld=True)
    )
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        while not await other.fetchval(_WAITING):
            """The statement shows what is, and it takes its time."""
    await transaction.commit()
    with pytest.raises(StoreConflict, match="has changed"):
        await running
    await other.close()


_WAITING = (
    "select count(*) from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
)


def test_after_a_conflict_batches_hold_what_they_read() -> None:
    """Two processes that change one pool all the time don't refuse each other all the time."""
    memory = Memory()
    assert memory.is_calm()
    memory.note_conflict()
    assert [memory.is_calm() for _ in range(HELD_AFTER_CONFLICT + 1)] == [
        *[False] * HELD_AFTER_CONFLICT,
        True,
    ]
