"""Sizes: the bytes that redemptions leave in the database, table by table."""

import asyncio
from argparse import Namespace
from dataclasses import asdict, dataclass

from bench.databases import Session, open_session
from bench.environment import describe_environment
from bench.inprocess import inprocess_client
from bench.legs import Leg, Times
from bench.names import INPROCESS_POSTGRES, INPROCESS_SQLITE, is_wanted
from bench.report import align, format_environment, write_results
from bench.scenarios import SCENARIOS, set_up
from bench.session import InProcessContender, open_place

STORES = (INPROCESS_SQLITE, INPROCESS_POSTGRES)
SIZED = ("redeem", "redeem-3-lots")
"""Redemptions without lots, and with some in each pool."""

CALLERS = 64
PER = 100_000
"""So many redemptions the sizes are told for."""

OF_POSTGRES = """
select relname, pg_total_relation_size(oid) from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace
"""
OF_SQLITE = """
select s.tbl_name, sum(d.pgsize) from dbstat d join sqlite_schema s on s.name = d.name
where d.aggregate = 1 group by s.tbl_name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """By how many bytes a table grew, with its indexes."""

    store: str
    scenario: str
    table: str
    redemptions: int
    grown: int

    @property
    def megabytes(self) -> float:
        """What as many redemptions as are told for would take."""
        return self.grown * PER / self.redemptions / 1e6


def run_sizes(chosen: Namespace) -> bool:
    """Redeem for some seconds on both engines, print what that took, write the file."""
    environment = describe_environment()
    times = Times(warmup_seconds=0, measured_seconds=chosen.seconds)
    growths = [
        growth
        for store in STORES
        if is_wanted(store, chosen.only)
        for scenario in SIZED
        if scenario in chosen.scenarios
        for growth in measure_store(store, scenario, times)
    ]
    content = {"environment": environment, "settings": asdict(times)}
    write_results("sizes", {**content, "growths": [asdict(each) for each in growths]})
    print(f"\n{format_environment(environment, asdict(times))}\n")
    heading = ("store", "scenario", "table", "redemptions", f"MB for {PER:,}")
    print(align([heading, *map(_format_row, growths)]))
    return True


def measure_store(store: str, scenario: str, times: Times) -> list[Growth]:
    """Redeem on a new database, and compare the tables with what they were; the largest first."""
    with open_place([store]) as place:
        url = place.create_own_database(store)
        make = SCENARIOS[scenario].set_up or set_up
        with inprocess_client(url) as client:
            state = make(client)
        before, done = asyncio.run(_read(url))
        # Lots are there by now: what is measured is redeeming.
        leg = Leg("redeem", store, CALLERS)
        measurement = InProcessContender(store, url, state).measure(leg, times)
        after, all_done = asyncio.run(_read(url))
    if measurement.errors:
        raise RuntimeError(f"redemptions failed: {measurement.errors}")
    grown = {table: size - before.get(table, 0) for table, size in after.items()}
    grown["all tables"] = sum(grown.values())
    return [
        Growth(store=store, scenario=scenario, table=table, redemptions=all_done - done, grown=size)
        for table, size in sorted(grown.items(), key=lambda each: -each[1])
        if size
    ]


async def _read(url: str) -> tuple[dict[str, int], int]:
    """The bytes of each table with its indexes, and how many transactions there are."""
    async with open_session(url) as session:
        await _write_out(session)
        sizes = await session.fetch(OF_POSTGRES if session.is_postgres else OF_SQLITE)
        ((count,),) = await session.fetch("select count(*) from transactions")
    return dict(sizes), count


async def _write_out(session: Session) -> None:
    """Bring what is in a log into the tables."""
    await session.execute("vacuum" if session.is_postgres else "pragma wal_checkpoint(truncate)")


def _format_row(growth: Growth) -> tuple[str, ...]:
    return (
        growth.store,
        growth.scenario,
        growth.table,
        f"{growth.redemptions:,}",
        f"{growth.megabytes:.1f}",
    )
