"""A model: from what one answer takes to a service of any rate over shards of PostgreSQL.

It multiplies and divides, and no more: processors, log, disk and connections grow with the rate,
and a machine is filled to ``LOAD_MAX``. docs/scaling.md says what it leaves out.
"""

import math
from argparse import Namespace
from dataclasses import dataclass
from typing import Any

from bench.report import align, read_results
from bench.sizing import Cost

LOAD_MAX = 0.6
"""How busy a machine is at most: the rest is for peaks, vacuum, copies and a lost machine."""

SECONDS_OF_DAY = 86_400
LOG_BYTES_A_SECOND_MAX = 200e6
"""What a disk takes of log all day long, and a standby with it."""

RATES = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What is there to be filled."""

    cores: int
    """Of a machine, be it for servers or for a shard."""

    days_of_events: int = 30
    events_share: float = 0.3
    """Of what a redemption leaves on the disk; events are removed after their days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a rate needs."""

    rate: int
    server_cores: float
    server_machines: int
    processes: int
    database_cores: float
    shards: int
    bound_by: str
    log_megabytes: float
    """A second, of all shards."""

    disk_gigabytes_a_day: float
    """What stays: transactions."""

    disk_gigabytes_of_events: float
    """What is there of events at any time."""

    connections_of_shard: float
    """If each process is connected to each shard."""

    per_shard: float
    """Redemptions a second of one shard; no tenant may have more."""


def plan_service(cost: Cost, machines: Machines, rate: int) -> Service:
    """Multiply what a redemption takes, and fill machines with it."""
    usable = machines.cores * LOAD_MAX
    server_cores = rate * cost.server_us / 1e6
    database_cores = rate * cost.database_us / 1e6
    log = rate * cost.log_bytes
    needs = {
        "processors": database_cores / usable,
        "log": log / LOG_BYTES_A_SECOND_MAX,
    }
    bound_by = max(needs, key=needs.__getitem__)
    shards = max(1, math.ceil(needs[bound_by]))
    processes = max(1, math.ceil(server_cores / LOAD_MAX))
    a_day = rate * cost.disk_bytes * SECONDS_OF_DAY / 1e9
    return Service(
        rate=rate,
        server_cores=server_cores,
        server_machines=max(1, math.ceil(server_cores / usable)),
        processes=processes,
        database_cores=database_cores,
        shards=shards,
        bound_by=bound_by,
        log_megabytes=log / 1e6,
        disk_gigabytes_a_day=a_day * (1 - machines.events_share),
        disk_gigabytes_of_events=a_day * machines.events_share * machines.days_of_events,
        connections_of_shard=processes * cost.connections / shards,
        per_shard=rate / shards,
    )


def run_model(chosen: Namespace) -> bool:
    """Print what rates need, from the newest figures of ``python -m bench sizing``."""
    content = read_results("sizing")
    if content is None:
        print("no figures: run `python -m bench sizing` first")
        return False
    for _, rows in format_model({**content, "cores": chosen.cores}):
        print(align(rows))
    return True


def format_model(content: dict[str, Any]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """A row for each rate of redemptions."""
    costs = [Cost(**each) for each in content["costs"]]
    redeem = next(each for each in costs if each.endpoint == "redeem")
    machines = Machines(cores=content.get("cores", 16))
    heading = (
        "redemptions/s",
        "processes",
        "server machines",
        "database cores",
        "shards",
        "bound by",
        "log MB/s",
        "transactions GB/day",
        "events GB",
        "connections of a shard",
        "redemptions/s of a shard",
    )
    rows: list[tuple[str, ...]] = [heading]
    for rate in RATES:
        service = plan_service(redeem, machines, rate)
        rows.append(
            (
                f"{rate:,}",
                f"{service.processes:,}",
                f"{service.server_machines:,}",
                f"{service.database_cores:,.1f}",
                f"{service.shards:,}",
                service.bound_by,
                f"{service.log_megabytes:,.0f}",
                f"{service.disk_gigabytes_a_day:,.0f}",
                f"{service.disk_gigabytes_of_events:,.0f}",
                f"{service.connections_of_shard:,.0f}",
                f"{service.per_shard:,.0f}",
            )
        )
    return [(f"machines of {machines.cores} cores, filled to {LOAD_MAX:.0%}", rows)]
