"""How batches run on the embedded store: at once what is short, in a thread what waits."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from structlog.testing import capture_logs

from benefit_programs.domain.entities import Quota
from benefit_programs.domain.job_commands import SweepJobs
from benefit_programs.domain.lookups import QUOTA
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Mode, State
from benefit_programs.domain.store import (
    BatchRun,
    Load,
    Loaded,
    StoreConflict,
    StoreUnavailable,
    Write,
)
from benefit_programs.domain.values import SYSTEM
from benefit_programs.engine.engine import Engine
from benefit_programs.storage import sqlite
from benefit_programs.storage.schema import migrate
from benefit_programs.storage.sqlite import ROWS_AT_ONCE_MAX, SqliteStore, connect
from tests.support.webhooks import look_until

pytestmark = pytest.mark.anyio

TENANT = 1
PAGE_BYTES = 4096


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty file that is served."""
    path = tmp_path / "batches.db"
    await migrate(f"sqlite:///{path}")
    opened = SqliteStore(path)
    yield opened
    await opened.close()


def insert_quotas(numbers: Iterable[int]) -> BatchRun[None]:
    """Make quotas, without a look whether they are there."""
    state, changes = State(), Changes(None)
    for number in numbers:
        changes.save(Quota(pool_id=f"pool{number}", quota_id="quota", period_start=0, used=1))
    state.apply(changes)
    yield Write(state)


def write_quotas(count: int, told: list[str]) -> BatchRun[int]:
    """Count so many quotas once; ``told`` hears when each step was done."""
    keys = [(f"pool{number}", "quota", 0) for number in range(count)]
    loaded: Loaded = yield Load({QUOTA: dict.fromkeys(keys, Mode.LOCK)})
    told.append("loaded")
    state = State()
    state.load(QUOTA, dict.fromkeys(keys, Mode.LOCK), loaded[QUOTA])
    changes: Changes[None] = Changes(None)
    for pool_id, quota_id, start in keys:
        old = state.one(QUOTA, pool_id, quota_id, start)
        used = old.used + 1 if old else 1
        changes.save(Quota(pool_id=pool_id, quota_id=quota_id, period_start=start, used=used))
    state.apply(changes)
    yield Write(state)
    told.append("written")
    return count


async def counted(store: SqliteStore) -> list[int]:
    """What the quotas stand at."""
    return [used for (used,) in await store.fetch("select used from quotas order by 1", ())]


def test_new_file_is_opened_by_many_at_once(tmp_path: Path) -> None:
    """Whoever comes to a file that is still empty, at the same moment as others, gets in."""
    together = Barrier(4)

    def open_new(path: Path) -> str:
        together.wait()
        with closing(connect(path)) as connection:
            (mode,) = connection.execute("pragma journal_mode").fetchone() or ("",)
        return str(mode)

    with ThreadPoolExecutor(4) as threads:
        for number in range(60):
            paths = [tmp_path / f"{number}.db"] * 4
            assert list(threads.map(open_new, paths)) == ["wal"] * 4


@pytest.mark.parametrize(
    ("rows", "order"),
    [
        (1, ["loaded", "written", "others"]),
        (ROWS_AT_ONCE_MAX, ["loaded", "written", "others"]),
        (ROWS_AT_ONCE_MAX + 1, ["others", "loaded", "written"]),
    ],
)
async def test_large_steps_leave_the_event_loop_to_others(
    store: SqliteStore, rows: int, order: list[str]
) -> None:
    """A batch of few rows is only interrupted by its commit, one of many by each step."""
    told: list[str] = []
    asyncio.get_running_loop().call_soon(told.append, "others")
    assert await store.run(TENANT, write_quotas(rows, told)) == rows
    assert told == order
    assert await counted(store) == [1] * rows


async def test_batches_and_statements_take_turns(store: SqliteStore) -> None:
    """Batches of any size and statements of their own, all at once, each count."""
    sizes = (1, ROWS_AT_ONCE_MAX + 1, 1, 2)
    add = "update quotas set used = used + 100 where pool_id = 'pool0'"
    await store.run(TENANT, write_quotas(1, []))
    await asyncio.gather(
        *(store.run(TENANT, write_quotas(size, [])) for size in sizes), store.execute(add, ())
    )
    assert max(await counted(store)) == 1 + len(sizes) + 100


async def test_the_event_loop_goes_on_once_the_thread_has_begun(store: SqliteStore) -> None:
    """What a thread is to do never waits for what is ready in the event loop."""
    left: list[int] = []

    async def look() -> None:
        left.append(store._writer_thread._work_queue.qsize())

    for _ in range(20):
        await asyncio.gather(store._in_thread(int), look())
    assert left == [0] * 20


async def test_a_commit_that_waits_for_the_disk_is_told_of(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds others back meanwhile hears whose it is, and of its end in any case."""
    monkeypatch.setattr(sqlite, "SHORT_COMMIT_SECONDS_MAX", -1.0)
    heard: list[int | None] = []
    store.on_flush = heard.append
    await store.run(TENANT, write_quotas(1, []))
    monkeypatch.setattr(store, "_write_log", _fail)
    with pytest.raises(ZeroDivisionError):
        await store.run(TENANT, write_quotas(1, []))
    assert heard == [TENANT, None, TENANT, None]
    assert await counted(store) == [1]


def _fail() -> None:
    raise ZeroDivisionError


async def test_a_batch_that_fails_leaves_nothing(store: SqliteStore) -> None:
    """What a batch raises comes out, nothing of it is stored, and the next one is."""

    def fail() -> BatchRun[int]:
        yield from write_quotas(1, [])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.run(TENANT, fail())
    assert await counted(store) == []
    await store.run(TENANT, write_quotas(1, []))
    assert await counted(store) == [1]


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The file, while another process writes to it."""
    other = connect(path)
    other.execute("begin immediate")
    try:
        yield
    finally:
        other.execute("rollback")
        other.close()


async def test_a_batch_waits_for_another_process_without_holding_up_this_one(
    store: SqliteStore, tmp_path: Path
) -> None:
    """While a batch waits for the file, the event loop goes on; then the batch is done."""
    with held(tmp_path / "batches.db"):
        waiting = asyncio.create_task(store.run(TENANT, write_quotas(1, [])))
        assert await store.fetch("select 1", ()) == [(1,)]
        assert not waiting.done()
    assert await waiting == 1


async def test_commands_wait_no_longer_for_the_file_than_one(
    store: SqliteStore, tmp_path: Path
) -> None:
    """A file that another process holds for long is nobody's fault: all that wait hear of it."""
    engine = Engine(store)
    with held(tmp_path / "batches.db"):
        commands = [
            engine.submit(SweepJobs(), tenant_id=TENANT, caller=SYSTEM, settings=TenantSettings())
            for _ in range(3)
        ]
        await asyncio.wait(commands[:1])
        assert all(command.done() for command in commands)
    assert [type(command.exception()) for command in commands] == [StoreUnavailable] * 3
    await engine.close()


@pytest.mark.parametrize("rows", [1, ROWS_AT_ONCE_MAX + 1])
async def test_a_batch_that_is_cancelled_leaves_the_store_in_order(
    store: SqliteStore, rows: int
) -> None:
    """A batch that is cancelled wherever it waits is done or not done, and the next one goes on."""
    for _ in range(5):
        batch: asyncio.Task[Any] = asyncio.create_task(store.run(TENANT, write_quotas(rows, [])))
        await asyncio.sleep(0)
        batch.cancel()
        with suppress(asyncio.CancelledError):
            await batch
        assert len(set(await counted(store))) <= 1
    before = await counted(store)
    await store.run(TENANT, write_quotas(rows, []))
    assert await counted(store) == ([each + 1 for each in before] or [1] * rows)


@pytest.mark.parametrize("taken", [3, 19], ids=["among several", "by itself"])
async def test_a_batch_with_a_row_that_is_there_already_leaves_nothing(
    store: SqliteStore, taken: int
) -> None:
    """Rows are inserted several at once; if one is refused, all are, and the next batch goes on."""
    await store.run(TENANT, insert_quotas([taken]))
    with pytest.raises(StoreConflict):
        await store.run(TENANT, insert_quotas(range(20)))
    assert await counted(store) == [1]
    await store.run(TENANT, insert_quotas(range(20, 40)))
    assert await counted(store) == [1] * 21


async def test_the_log_is_written_back_while_batches_go_on(tmp_path: Path) -> None:
    """However much is written, the log stays about as long as its limit, and nothing is lost."""
    path, pages = tmp_path / "log.db", 50
    log = path.with_name("log.db-wal")
    await migrate(f"sqlite:///{path}")
    store = SqliteStore(path, checkpoint_pages=pages)
    longest = 0
    for _ in range(100):
        await store.run(TENANT, write_quotas(ROWS_AT_ONCE_MAX, []))
        longest = max(longest, log.stat().st_size)
    assert await counted(store) == [100] * ROWS_AT_ONCE_MAX
    await store.close()
    assert pages * PAGE_BYTES < longest < 4 * pages * PAGE_BYTES


async def test_a_reader_of_an_old_state_only_delays_the_writing_back(tmp_path: Path) -> None:
    """While somebody reads on, the log grows; afterwards it begins anew."""
    path, pages = tmp_path / "log.db", 20
    await migrate(f"sqlite:///{path}")
    store = SqliteStore(path, checkpoint_pages=pages)
    await store.run(TENANT, write_quotas(1, []))
    with closing(connect(path, read_only=True)) as reader:
        reader.execute("begin")
        assert reader.execute("select used from quotas").fetchall() == [(1,)]
        for _ in range(50):
            await store.run(TENANT, write_quotas(ROWS_AT_ONCE_MAX, []))
        assert reader.execute("select used from quotas").fetchall() == [(1,)]
        reader.execute("rollback")
    grown = path.with_name("log.db-wal").stat().st_size
    for _ in range(50):
        await store.run(TENANT, write_quotas(ROWS_AT_ONCE_MAX, []))
    assert path.with_name("log.db-wal").stat().st_size <= grown + 4 * pages * PAGE_BYTES
    assert max(await counted(store)) == 101
    await store.close()


async def test_a_log_that_cannot_be_written_back_is_kept(tmp_path: Path) -> None:
    """What fails beside the batches is logged and tried again; nothing is lost or left unheard."""
    path, pages = tmp_path / "log.db", 20
    await migrate(f"sqlite:///{path}")
    store = SqliteStore(path, checkpoint_pages=pages)
    unheard: list[dict[str, Any]] = []

    async def heard() -> list[Any]:
        return list(logs)

    asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with capture_logs() as logs:
            for _ in range(30):
                await store.run(TENANT, write_quotas(ROWS_AT_ONCE_MAX, []))
            await look_until(heard, bool)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    for _ in range(30):
        await store.run(TENANT, write_quotas(ROWS_AT_ONCE_MAX, []))
    assert await counted(store) == [60] * ROWS_AT_ONCE_MAX
    await store.close()
    asyncio.get_running_loop().set_exception_handler(None)
    assert unheard == []
    assert {each["event"] for each in logs} == {"log not written back"}
