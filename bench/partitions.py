"""Partitions: the two tables that grow for ever, whole and in parts, at a hundred million rows.

Each table is filled by the database itself, with copies of real redemptions that have new ids,
instants, pools and keys. Half of the rows are those of one tenant. Then redemptions, reads, the
removal of a day and a vacuum are timed. ``FORMS`` says in which forms each table is measured.
"""

import asyncio
import random
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.databases import Session, open_session
from bench.environment import describe_environment
from bench.growth_stores import make_store
from bench.legs import Leg, Times
from bench.measurement import find_quantile
from bench.names import INPROCESS_POSTGRES, is_wanted
from bench.partition_rows import (
    DAYS,
    FORMS,
    Filling,
    day_bounds,
    feed_page,
    parted,
    pool_page,
    removal,
)
from bench.report import align, format_environment, write_results
from bench.scenarios import State
from bench.servers import Place
from bench.session import InProcessContender
from tests.support.postgres import PostgresServer, start_own_postgres

CALLERS = 64
POOLS = 50_000
"""So many pools the rows are spread over; those that are redeemed from are spread over them."""

PAGES_ASKED = 200
SHOWN_WITH_DECIMALS_MAX = 10

REMOVED_AT_ONCE = 2_000
"""As many events as the sweeper removes in a commit where nobody else is at work."""

REMOVED_SECONDS_MAX = 300
"""A removal that takes longer is stopped, and told for what it has done."""

QUICK_LOAD = ("wal_level = minimal", "max_wal_senders = 0")
"""A table that is made and filled in one transaction needs no log then."""


@dataclass(slots=True, kw_only=True)
class Form:
    """What was measured of a table in one form; times in milliseconds unless the name says else."""

    table: str
    form: str
    rows: int
    figures: dict[str, float] = field(default_factory=dict)


def run_partitions(chosen: Namespace) -> bool:
    """Fill and measure each table in each form, print it, write the file."""
    environment = describe_environment()
    times = Times(warmup_seconds=chosen.warmup, measured_seconds=chosen.seconds)
    settings = {
        "rounds": chosen.rounds,
        **asdict(times),
        "rows": chosen.rows,
        "lean": chosen.lean,
    }
    done: list[Form] = []
    for table, form in FORMS:
        if is_wanted(f"{table}-{form}", chosen.only):
            filling = Filling(
                table, form, chosen.rows, now=time.time_ns() // 1_000_000, lean=chosen.lean
            )
            done.append(measure_form(filling, times, chosen.rounds))
            content = {"forms": [asdict(each) for each in done]}
            write_results(
                "partitions", {"environment": environment, "settings": settings, **content}
            )
    print(f"\n{format_environment(environment, settings)}")
    print(align(format_forms(done)))
    return True


def format_forms(forms: list[Form]) -> list[tuple[str, ...]]:
    """A row for each figure, a column for each form."""
    names = list(dict.fromkeys(name for form in forms for name in form.figures))
    heading = ("figure", *(f"{each.table}, {each.form}, {each.rows:,}" for each in forms))
    rows = [
        (name, *(_format(form.figures[name]) if name in form.figures else "" for form in forms))
        for name in names
    ]
    return [heading, *rows]


def _format(figure: float) -> str:
    return f"{figure:,.2f}" if figure < SHOWN_WITH_DECIMALS_MAX else f"{figure:,.0f}"


def measure_form(filling: Filling, times: Times, rounds: int) -> Form:
    """Make a server of its own for one table in one form; it is gone afterwards."""
    measured = Form(table=filling.table, form=filling.form, rows=filling.rows)
    with _open_place() as place:
        assert place.postgres is not None
        url = place.create_own_database(INPROCESS_POSTGRES)
        state = make_store(url, pools=POOLS)
        _redeem(measured, "before", url, state, times, rounds)
        _restart(place.postgres, QUICK_LOAD)
        asyncio.run(_fill(url, filling, measured))
        _restart(place.postgres, ())
        asyncio.run(_vacuum(url, filling.table, "vacuum after filling, s", measured))
        _redeem(measured, "after", url, state, times, rounds)
        asyncio.run(_measure(url, filling, state, measured))
        # A server that stops removes its files at once, and would not wait for so many bytes.
        place.postgres.drop_database(url)
    return measured


@contextmanager
def _open_place() -> Iterator[Place]:
    postgres = start_own_postgres(durable=True)
    try:
        with TemporaryDirectory(prefix="benefits-bench-") as folder:
            yield Place(folder=Path(folder), postgres=postgres)
    finally:
        postgres.stop()


def _restart(postgres: PostgresServer, settings: tuple[str, ...]) -> None:
    """Start the server anew with these settings and no others of ours."""

    async def change() -> None:
        async with open_session(postgres.url("postgres")) as session:
            await session.execute("alter system reset all")
            for each in settings:
                await session.execute(f"alter system set {each}")

    asyncio.run(change())
    postgres.halt()
    postgres.resume()


def _redeem(measured: Form, when: str, url: str, state: State, times: Times, rounds: int) -> None:
    """Redeem from pools all over the store. Counts hold however busy the machine is."""
    contender = InProcessContender(INPROCESS_POSTGRES, url, state)
    leg = Leg("redeem", INPROCESS_POSTGRES, CALLERS)
    counted = asyncio.run(_count(url))
    seen = [contender.measure(leg, times) for _ in range(rounds)]
    counts = asyncio.run(_count(url)).since(counted)
    if any(each.errors for each in seen):
        raise RuntimeError(f"redemptions failed: {[each.errors for each in seen]}")
    for name, value in (
        ("a second", median(each.per_second for each in seen)),
        ("p50", median(each.p50_ms for each in seen)),
        ("p99", median(each.p99_ms for each in seen)),
    ):
        _tell(measured, f"redeem {when}, {name}", value)
    made = max(1, counts.transactions)
    _tell(measured, f"redeem {when}, blocks read for each", counts.blocks_read / made)
    _tell(measured, f"redeem {when}, bytes of log for each", counts.log_bytes / made)


class Counts(NamedTuple):
    """What a database has done so far: rows of transactions, blocks it had to ask for, log."""

    transactions: int
    blocks_read: int
    log_bytes: int

    def since(self, earlier: "Counts") -> "Counts":
        """What it has done after an earlier look."""
        return Counts(*(now - before for now, before in zip(self, earlier, strict=True)))


async def _count(url: str) -> Counts:
    """Read what PostgreSQL counts. Who has disconnected is in it."""
    async with open_session(url) as session:
        (row,) = await session.fetch(
            "select (select sum(n_tup_ins)::bigint from pg_stat_user_tables"
            " where relname ~ '^transactions'), blks_read,"
            " (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint"
            " from pg_stat_database where datname = current_database()"
        )
    return Counts(*row)


async def _fill(url: str, filling: Filling, measured: Form) -> None:
    """Put the table into its form and fill it, all in one transaction."""
    async with open_session(url) as session:
        await session.execute("set maintenance_work_mem = '1GB'; set work_mem = '256MB'")
        await session.execute("begin")
        indexes = await filling.read_indexes(session)
        for sql in filling.prepare():
            await session.execute(sql)
        with _timing(measured, "filling, s"):
            for first, last in filling.chunks():
                await session.execute(filling.insert(first, last))
                print(f"{filling.table} {filling.form}: {last:,} rows", flush=True)
        with _timing(measured, "indexing, s"):
            for sql in indexes:
                await session.execute(sql)
        await session.execute("commit")
        await session.execute("checkpoint")
        for name, size in await session.fetch(filling.sizes()):
            _tell(measured, f"GB of {name}", float(size) / 1e9)


async def _vacuum(url: str, table: str, name: str, measured: Form) -> None:
    async with open_session(url) as session:
        with _timing(measured, name):
            await session.execute(f"vacuum analyze {table}")
        await session.execute("checkpoint")


async def _measure(url: str, filling: Filling, state: State, measured: Form) -> None:
    chance = random.Random(1)
    async with open_session(url) as session:
        if filling.table == "transactions":
            pages = [pool_page(chance.choice(state["poolIds"])) for _ in range(PAGES_ASKED)]
            # Twice: on a disk that others use, or once all is in memory.
            await _ask(session, "page of a pool", pages, measured)
            await _ask(session, "page of a pool again", pages, measured)
            return
        pages = [feed_page(chance.randrange(filling.rows)) for _ in range(PAGES_ASKED)]
        await _ask(session, "page of the feed", pages, measured)
        if filling.form == "plain":
            await _remove_day(session, filling, measured)
            await _vacuum(url, "events", "vacuum after the removal, s", measured)
        else:
            with _timing(measured, "drop of a day, s"):
                await session.execute(f"drop table {parted('events', 0)}")


async def _ask(session: Session, name: str, pages: list[str], measured: Form) -> None:
    seconds = []
    for sql in pages:
        started = time.perf_counter()
        await session.fetch(sql)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    _tell(measured, f"{name}, p50", find_quantile(seconds, 0.5) * 1000)
    _tell(measured, f"{name}, p99", find_quantile(seconds, 0.99) * 1000)


async def _remove_day(session: Session, filling: Filling, measured: Form) -> None:
    """Remove the oldest day as the sweeper does: some of a tenant's events in each commit."""
    log = "select pg_current_wal_lsn() - '0/0'::pg_lsn"
    ((log_before,),) = await session.fetch(log)
    started = time.perf_counter()
    removed = 0
    for tenant_id, start, end in day_bounds(filling, REMOVED_AT_ONCE):
        removed += len(await session.fetch(removal(tenant_id, start, end)))
        if time.perf_counter() - started > REMOVED_SECONDS_MAX:
            break
    seconds = time.perf_counter() - started
    ((log_after,),) = await session.fetch(log)
    _tell(measured, "events removed", removed)
    _tell(measured, "removed a second", removed / seconds)
    _tell(measured, "share of a day that was removed", removed * DAYS / filling.rows)
    _tell(measured, "bytes of log for each", float(log_after - log_before) / max(1, removed))


@contextmanager
def _timing(measured: Form, name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    _tell(measured, name, time.perf_counter() - started)


def _tell(measured: Form, name: str, value: Any) -> None:
    measured.figures[name] = float(value)
    print(f"{measured.table} {measured.form}: {name} {value:,.2f}", flush=True)
