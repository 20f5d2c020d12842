"""The model multiplies what was measured, and fills machines with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.legs import Leg
from bench.model import (
    LOAD_MAX,
    LOG_BYTES_A_SECOND_MAX,
    RATES,
    Machines,
    format_model,
    plan_service,
)
from bench.names import OURS_POSTGRES
from bench.sizing import Cost, Look, cost_of

COST = Cost(
    endpoint="redeem",
    callers=64,
    answers=1,
    server_us=200,
    database_us=100,
    log_bytes=1_000,
    disk_bytes=1_000,
    connections=5,
    peak_mebibytes=100,
)
MACHINES = Machines(cores=10)


def test_a_small_service_is_one_process_and_one_shard() -> None:
    """Nothing is less than one."""
    service = plan_service(COST, MACHINES, 1)
    assert (service.processes, service.server_machines, service.shards) == (1, 1, 1)


def test_processors_are_filled_to_their_share() -> None:
    """A shard takes what its processors do while they are as busy as is wanted, and no more."""
    full = int(MACHINES.cores * LOAD_MAX * 1e6 / COST.database_us)
    assert plan_service(COST, MACHINES, full).shards == 1
    assert plan_service(COST, MACHINES, full + 1).shards == 2


def test_the_log_binds_where_it_is_more() -> None:
    """Shards are as many as the scarcer of processors and log needs."""
    cost = replace(COST, log_bytes=LOG_BYTES_A_SECOND_MAX / 1_000)
    service = plan_service(cost, MACHINES, 10_000)
    assert (service.shards, service.bound_by) == (10, "log")
    assert service.per_shard == 1_000


def test_ten_times_the_rate_takes_ten_times_as_much() -> None:
    """What grows with the rate grows in proportion."""
    small, large = (plan_service(COST, MACHINES, rate) for rate in (100_000, 1_000_000))
    assert large.server_cores == pytest.approx(10 * small.server_cores)
    assert large.log_megabytes == pytest.approx(10 * small.log_megabytes)
    assert large.disk_gigabytes_a_day == pytest.approx(10 * small.disk_gigabytes_a_day)


def test_what_was_used_is_shared_out_among_the_answers() -> None:
    """A cost is what the counters have grown by, divided by the answers."""
    before = Look(server_seconds=1, database_seconds=2, log_bytes=3, disk_bytes=4, connections=1)
    after = Look(server_seconds=3, database_seconds=3, log_bytes=43, disk_bytes=84, connections=5)
    cost = cost_of(Leg("redeem", OURS_POSTGRES, 64), 10, before, after, peak=7)
    seen = (cost.server_us, cost.database_us, cost.log_bytes, cost.disk_bytes, cost.connections)
    assert seen == (pytest.approx(200_000), pytest.approx(100_000), 4, 8, 5)


def test_the_table_has_a_row_for_each_rate() -> None:
    """The rates are those that the page speaks of, up to a million a second."""
    costs = [{name: getattr(COST, name) for name in Cost.__dataclass_fields__}]
    ((_, rows),) = format_model({"costs": costs})
    assert [row[0] for row in rows[1:]] == [f"{rate:,}" for rate in RATES]
