"""The limit of bare SQL: no HTTP, no Python in the loop of PostgreSQL, the same rows written."""

import json
import re
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.legs import Leg, Times
from bench.measurement import Measurement, Recorder
from bench.names import LIMIT_POSTGRES, LIMIT_POSTGRES_ONE_STATEMENT, LIMIT_SQLITE
from bench.servers import Place
from tests.support.postgres import binary_path, pgbench_path

SCRIPTS_FOLDER = Path(__file__).resolve().parent / "pgbench"
SCRIPTS = {
    ("redeem", LIMIT_POSTGRES): "redeem_statements.sql",
    ("redeem", LIMIT_POSTGRES_ONE_STATEMENT): "redeem_cte.sql",
    ("provision", LIMIT_POSTGRES): "provision_statements.sql",
}
POOLS = 10_000
TENANT = "tenant"
COST = 10_000
LOGGED_SHARE = 0.2
"""Of so large a share of its transactions pgbench writes down how long they took."""

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


class Pgbench:
    """PostgreSQL's own load generator, with a database of its own."""

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self.name = name
        self._url = url
        self._folder = folder

    def measure(self, leg: Leg, times: Times) -> Measurement:
        """Run the script of this leg for whole seconds; it has no warm-up."""
        options = ["--no-vacuum", "--protocol=prepared", f"--define=pools={POOLS}"]
        options += [f"--client={leg.connections}", f"--jobs={min(2, leg.connections)}"]
        options += [f"--time={max(1, round(times.measured_seconds))}"]
        script = SCRIPTS_FOLDER / SCRIPTS[leg.scenario, self.name]
        with tempfile.TemporaryDirectory(dir=self._folder) as logs:
            options += ["--log", f"--sampling-rate={LOGGED_SHARE}", f"--log-prefix={logs}/log"]
            report = _run([pgbench_path(), *options, f"--file={script}", self._url])
            latencies = [
                int(line.split()[2]) / 1_000_000
                for path in Path(logs).iterdir()
                for line in path.read_text().splitlines()
            ]
        logged = Measurement.of(latencies, seconds=times.measured_seconds, errors=Counter())
        rate = parse_rate(report)
        answers = round(rate * times.measured_seconds)
        return replace(logged, per_second=rate, answers=answers)


@contextmanager
def open_pgbench(name: str, place: Place) -> Iterator[Pgbench]:
    """Make a database with the tables that the scripts know."""
    url = place.create_database()
    schema = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--set=pools={POOLS}"]
    schema += ["--dbname", url, f"--file={SCRIPTS_FOLDER / 'schema.sql'}"]
    _run([binary_path("psql"), *schema])
    yield Pgbench(name, url, place.folder)


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


class SqliteLoop:
    """A loop with one durable commit each: WAL, synchronous=FULL, one connection."""

    name = LIMIT_SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def measure(self, leg: Leg, times: Times) -> Measurement:
        """Redeem until the time is over."""
        assert leg.connections == 1
        recorder = Recorder(
            warmup_seconds=times.warmup_seconds, measured_seconds=times.measured_seconds
        )
        count = 0
        while not recorder.is_over():
            sent_at = time.perf_counter()
            _redeem(self._connection, f"pool{count * 7919 % POOLS}", str(uuid4()))
            recorder.take(200, b"", sent_at=sent_at)
            count += 1
        return recorder.measurement()


@contextmanager
def open_sqlite_loop(place: Place) -> Iterator[SqliteLoop]:
    """Make a file with the tables that the loop knows."""
    file = place.folder / "limit.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        _fill(connection)
        yield SqliteLoop(connection)


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
