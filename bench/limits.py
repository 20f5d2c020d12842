"""The limit of bare SQL: no HTTP, no Python in the loop of PostgreSQL, the same rows written."""

import json
import re
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.environment import describe_environment
from bench.report import align, format_environment, write_results
from bench.servers import ROOT
from tests.support.postgres import binary_path, pgbench_path, start_postgres

SCRIPTS_FOLDER = Path(__file__).resolve().parent / "pgbench"
SCRIPTS = {
    "PostgreSQL, redemption, separate statements": "redeem_statements.sql",
    "PostgreSQL, redemption, one statement": "redeem_cte.sql",
    "PostgreSQL, provisioning, separate statements": "provision_statements.sql",
}
CLIENTS = 16
POOLS = 10_000
TENANT = "tenant"
COST = 10_000

SQLITE_SCHEMA = """
create table pools (tenant_id text, id text, status text, details text,
    primary key (tenant_id, id)) without rowid;
create table items (tenant_id text, item_set_id text, provider_app_id text, category text,
    external_id text, id text,
    primary key (tenant_id, item_set_id, provider_app_id, category, external_id)) without rowid;
create table balances (tenant_id text, pool_id text, available integer check (available >= 0),
    revision integer, updated_date integer, primary key (tenant_id, pool_id)) without rowid;
create table transactions (tenant_id text, id text, pool_id text, amount integer,
    source text, target text, idempotency_key text, details text, created_date integer,
    primary key (tenant_id, id), unique (tenant_id, pool_id, idempotency_key)) without rowid;
create table events (tenant_id text, id text, entity_id text, slug text, sequence integer,
    body text, event_time integer, primary key (tenant_id, id),
    unique (tenant_id, entity_id, slug, sequence)) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many transactions a second one way of writing them reached."""

    way: str
    callers: int
    per_second: float


def print_limits(*, seconds: float) -> None:
    """Measure all ways, print the table and write the file."""
    environment = describe_environment()
    limits = [*measure_postgres(seconds=seconds), measure_sqlite(seconds=seconds)]
    settings = {"measured_seconds": seconds, "pools": POOLS, "protocol": "prepared"}
    print(f"\nlimits of bare SQL\n{format_environment(environment, settings)}\n")
    print(align([("way", "callers", "per second"), *map(_format_row, limits)]))
    content = {"environment": environment, "settings": settings}
    path = write_results("limits", {**content, "limits": [asdict(limit) for limit in limits]})
    print(f"\nwritten to {path.relative_to(ROOT)}")


def _format_row(limit: Limit) -> tuple[str, ...]:
    return limit.way, str(limit.callers), f"{limit.per_second:,.0f}"


def measure_postgres(*, seconds: float) -> list[Limit]:
    """Run every pgbench script against a durable server, each with a database of its own."""
    server = start_postgres(durable=True)
    try:
        return [
            _run_script(server.create_database(), way, script, seconds=seconds)
            for way, script in SCRIPTS.items()
        ]
    finally:
        server.stop()


def _run_script(url: str, way: str, script: str, *, seconds: float) -> Limit:
    pools = f"pools={POOLS}"
    schema = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--set={pools}", "--dbname", url]
    _run([binary_path("psql"), *schema, f"--file={SCRIPTS_FOLDER / 'schema.sql'}"])
    options = ["--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", "--jobs=2"]
    options += [f"--time={max(1, round(seconds))}", f"--define={pools}"]
    report = _run([pgbench_path(), *options, f"--file={SCRIPTS_FOLDER / script}", url])
    return Limit(way=way, callers=CLIENTS, per_second=parse_rate(report))


def parse_rate(report: str) -> float:
    """Find the transactions per second in what pgbench printed."""
    found = re.search(r"^tps = ([0-9.]+)", report, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: ([0-9]+)", report, re.MULTILINE)
    if found is None or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench reports no clean rate:\n{report}")
    return float(found[1])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stderr}")
    return done.stdout


def measure_sqlite(*, seconds: float) -> Limit:
    """Redeem in a loop with one durable commit each: WAL, synchronous=FULL, one connection."""
    with tempfile.TemporaryDirectory(prefix="benefits-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "limits.db", isolation_level=None)
        try:
            _fill(connection)
            return Limit(
                way="SQLite, redemption, one commit each",
                callers=1,
                per_second=_count_redemptions(connection, seconds) / seconds,
            )
        finally:
            connection.close()


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.executescript(SQLITE_SCHEMA)
    connection.execute("begin")
    details = json.dumps(_details())
    ids = [(TENANT, f"pool{number}") for number in range(POOLS)]
    connection.executemany(
        "insert into pools values (?, ?, 'ACTIVE', ?)", [(*key, details) for key in ids]
    )
    connection.executemany("insert into balances values (?, ?, 10000000000000, 1, 0)", ids)
    connection.execute("insert into items values (?, 'set1', 'app', '', 'item1', 'id')", (TENANT,))
    connection.execute("commit")


def _details() -> dict[str, Any]:
    benefits = [
        {
            "benefitKey": f"benefit-{price}",
            "itemSetId": str(uuid4()),
            "providerAppId": str(uuid4()),
            "price": str(price),
            "displayName": f"Costs {price} credits",
        }
        for price in (1, 2, 3)
    ]
    return {"benefits": benefits, "creditConfiguration": {"amount": "1000000000"}}


def _count_redemptions(connection: sqlite3.Connection, seconds: float) -> int:
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        _redeem(connection, f"pool{count * 7919 % POOLS}", str(uuid4()))
        count += 1
    return count


def _redeem(connection: sqlite3.Connection, pool_id: str, idempotency_key: str) -> None:
    now, key = time.time_ns() // 1_000_000, (TENANT, pool_id)
    execute = connection.execute
    execute("begin immediate")
    _, details = execute(
        "select status, details from pools where tenant_id = ? and id = ?", key
    ).fetchone()
    available, revision = execute(
        "select available, revision from balances where tenant_id = ? and pool_id = ?", key
    ).fetchone()
    execute(
        "select id from transactions where tenant_id = ? and pool_id = ? and idempotency_key = ?",
        (*key, idempotency_key),
    ).fetchone()
    execute(
        "select id from items where tenant_id = ? and item_set_id = 'set1'"
        " and provider_app_id = 'app' and category = '' and external_id = 'item1'",
        (TENANT,),
    ).fetchone()
    item = {"externalId": "item1", "providerAppId": "app", "itemSetId": "set1"}
    transaction = {"reason": "Redemption", "itemCount": 1, "item": item}
    execute(
        "insert into transactions values (?, ?, ?, ?, 'AVAILABLE', 'EXTERNAL', ?, ?, ?)",
        (TENANT, str(uuid4()), pool_id, COST, idempotency_key, json.dumps(transaction), now),
    )
    execute(
        "update balances set available = ?, revision = ?, updated_date = ?"
        " where tenant_id = ? and pool_id = ?",
        (available - COST, revision + 1, now, *key),
    )
    body = {**transaction, "idempotencyKey": idempotency_key, "details": json.loads(details)}
    execute(
        "insert into events values (?, ?, ?, 'benefit_redeemed', ?, ?, ?)",
        (TENANT, str(uuid4()), pool_id, revision + 1, json.dumps(body), now),
    )
    execute("commit")
