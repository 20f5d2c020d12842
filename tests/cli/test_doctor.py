"""``benefits doctor`` finds what is really broken, says what to do, and never breaks itself."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import apsw
import asyncpg
import pytest

from benefit_programs.cli.doctor import of_postgres, of_settings
from benefit_programs.cli.doctor.command import examine
from benefit_programs.cli.doctor.findings import Status, counted, lasting, listed, sized
from benefit_programs.storage import examining
from benefit_programs.storage.directory import DEFAULT_TENANT_ID
from benefit_programs.storage.schema import migrate
from tests.support.calls import benefit
from tests.support.databases import ask
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.lifecycle import limit_requests
from tests.support.pgbouncer import PROGRAM_VARIABLE, pgbouncer, pgbouncer_path
from tests.support.serving import run_benefits
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from subprocess import CompletedProcess

pytestmark = pytest.mark.anyio

Found = dict[str, dict[str, str]]


def doctor(url: str, *arguments: str, **variables: str) -> tuple[Found, CompletedProcess[str]]:
    """What each check of the command found, and how the command ended."""
    done = run_benefits("doctor", "--json", "--database-url", url, *arguments, **variables)
    assert "Traceback" not in done.stderr
    return {each["name"]: each for each in json.loads(done.stdout)["checks"]}, done


async def looked_at(url: str, **settings: Any) -> dict[str, Status]:
    """How each check was, asked from this process."""
    return {
        name: verdict.status for name, verdict in await examine({"database_url": url} | settings)
    }


async def fill(service: Service) -> None:
    """A job that waits, an endpoint, a pool."""
    wallet = await open_wallet(service, benefit("towel"))
    await limit_requests(service)
    change = {"id": wallet.definition["id"], "revision": "1", "displayName": "Gold"}
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    endpoint = {"url": "https://receiver.example/hook", "format": "STANDARD"}
    await service.call("createWebhookEndpoint", {"webhookEndpoint": endpoint})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a job, an endpoint and a pool."""
    file = tmp_path_factory.mktemp("filled") / "benefits.sqlite3"

    async def make() -> None:
        url = f"sqlite:///{file}"
        await migrate(url)
        # Its secrets are sealed with the key in the file beside it.
        async with open_application(url, run_jobs=False, secret_key=()) as application:
            await fill(await new_tenant(*application))

    asyncio.run(make())
    return file


@pytest.fixture
def own(filled: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    for each in filled.parent.iterdir():
        shutil.copy(each, tmp_path)
    return tmp_path / filled.name


def spoil(file: Path, sql: str) -> None:
    """Run statements on a file by hand."""
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute(sql).fetchall()


AGENDA = "insert or replace into agenda (tenant_id, kind, newest_order, since) select tenant_id"
BROKEN = {
    "an index is gone": ("tables", "fail", "drop index ix_pools_due"),
    "a column is gone": (
        "tables",
        "fail",
        "drop index ix_pools_due; alter table pools drop column due",
    ),
    "a column that nobody fills": (
        "tables",
        "fail",
        """create table t (tenant_id integer, kind text, full_at integer, odd text not null);
        drop table allowances; alter table t rename to allowances""",
    ),
    "nobody does jobs": ("queue", "warn", "update jobs set created = 1"),
    "a job that fails": ("stuck jobs", "warn", "update jobs set attempts = 5"),
    "a job of a process that is gone": (
        "stuck jobs",
        "warn",
        "update jobs set lease_owner = 'gone', due = 1",
    ),
    "a job was given up": (
        "failed jobs",
        "warn",
        "update jobs set status = 'FAILED', updated = 9999999999999",
    ),
    "nothing that is due is booked": (
        "due",
        "fail",
        f"update pools set due = 1; {AGENDA}, 'due', 0, 1 from pools limit 1",
    ),
    "a receiver is away": ("webhooks", "warn", "update webhook_endpoints set status = 'PAUSED'"),
    "a receiver is behind": ("webhooks", "warn", "update events set created = 1"),
    "a secret was changed": (
        "secrets",
        "fail",
        "update webhook_secrets set sealed = substr(sealed, 1, 40)",
    ),
    "keys expire soon": (
        "API keys",
        "warn",
        "update api_keys set expires = cast(unixepoch() as integer) * 1000 + 86400000",
    ),
    "no key is left": ("API keys", "warn", "delete from api_keys"),
    "the schema is older": (
        "schema",
        "fail",
        "update alembic_version set version_num = '0009'",
    ),
    "the schema is newer": (
        "schema",
        "fail",
        "update alembic_version set version_num = '9999'",
    ),
    "there is no schema": ("schema", "fail", "drop table alembic_version"),
    "the file has no log": ("file", "fail", "pragma journal_mode = delete"),
}


async def test_a_good_installation_is_well(own: Path) -> None:
    """Nothing is found in a database that was just filled, and nothing in it is changed."""
    before = own.read_bytes()
    found, done = doctor(f"sqlite:///{own}", "--strict")
    assert [each for each in found.values() if each["status"] not in {"ok", "skipped"}] == []
    assert done.returncode == 0
    assert own.read_bytes() == before


@pytest.mark.parametrize(("name", "status", "sql"), BROKEN.values(), ids=BROKEN)
async def test_what_is_broken_is_found(own: Path, name: str, status: str, sql: str) -> None:
    """The check for it finds it and says what to do."""
    spoil(own, sql)
    found, done = doctor(f"sqlite:///{own}")
    assert found[name]["status"] == status
    assert found[name]["remedy"]
    assert done.returncode == (status == "fail")


async def test_strict_makes_warnings_count(own: Path) -> None:
    """A warning ends the command with 0, and with 1 where it is --strict."""
    spoil(own, "delete from api_keys")
    url = f"sqlite:///{own}"
    assert [doctor(url)[1].returncode, doctor(url, "--strict")[1].returncode] == [0, 1]


async def test_words_are_for_people(own: Path) -> None:
    """Each check has a line, what is wrong another with what to do."""
    spoil(own, "delete from api_keys")
    lines = run_benefits("doctor", "--database-url", f"sqlite:///{own}").stdout.splitlines()
    at = lines.index("WARN  API keys: No API key is valid: nobody can call the service.")
    assert lines[at + 1].startswith("      -> `benefits keys create")
    assert lines[-1].endswith("0 fail, 1 skipped.")


async def test_files_are_looked_at(own: Path) -> None:
    """A file that others can read, a file with two names, and a file that isn't one."""
    own.parent.chmod(0o755)
    own.chmod(0o644)
    found, _ = doctor(f"sqlite:///{own}")
    assert found["secret files"]["status"] == "warn"
    (own.parent / "twin").hardlink_to(own)
    assert doctor(f"sqlite:///{own}")[0]["file"]["status"] == "fail"
    own.write_bytes(b"no database" * 1_000)
    found, done = doctor(f"sqlite:///{own}")
    assert found["database"]["status"] == "fail"
    assert done.returncode == 1


SETTINGS = {
    "a name that is none": ("variables", "warn", {"BENEFITS_WORKER": "2"}),
    "a value that is none": ("settings", "fail", {"BENEFITS_PORT": "many"}),
    "too many processes": ("settings", "fail", {"BENEFITS_WORKERS": "2"}),
    "no jobs": ("combinations", "fail", {"BENEFITS_RUN_JOBS": "false"}),
    "without effect": ("combinations", "warn", {"BENEFITS_REQUESTS_AT_ONCE": "5"}),
    "open to all": ("address", "warn", {"BENEFITS_HOST": "0.0.0.0"}),
    "any origin": ("address", "warn", {"BENEFITS_CORS_ORIGINS": "*"}),
    "any proxy": ("console proxies", "fail", {"BENEFITS_CONSOLE_TRUSTED_PROXIES": "0.0.0.0/0"}),
    "no proxy": ("console proxies", "warn", {"BENEFITS_CONSOLE_TRUSTED_PROXIES": "10.1.2.3/32"}),
    "anywhere": ("outgoing networks", "warn", {"BENEFITS_OUTGOING_NETWORKS": "0.0.0.0/0"}),
    "the cloud": ("outgoing networks", "fail", {"BENEFITS_OUTGOING_NETWORKS": "169.254.0.0/16"}),
    "this machine": ("outgoing networks", "warn", {"BENEFITS_OUTGOING_NETWORKS": "127.0.0.0/8"}),
}


@pytest.mark.parametrize(("name", "status", "variables"), SETTINGS.values(), ids=SETTINGS)
async def test_settings_are_judged(
    filled: Path, name: str, status: str, variables: dict[str, str]
) -> None:
    """Names, values and what is dangerous; the database is looked at where settings can be read."""
    found, _ = doctor(f"sqlite:///{filled}", **variables)
    assert found[name]["status"] == status
    assert found[name]["remedy"]
    assert "database" in found


async def test_few_open_files_are_too_few(monkeypatch: pytest.MonkeyPatch, filled: Path) -> None:
    """A process that may open 200 files can't serve, one with 1,000 may come to its end."""
    for limit, status in ((200, Status.FAIL), (1_000, Status.WARN), (4_096, Status.OK)):
        monkeypatch.setattr(of_settings.resource, "getrlimit", lambda _, n=limit: (n, n))
        assert (await looked_at(f"sqlite:///{filled}"))["open files"] is status


async def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The database isn't made, and the line says how it would be."""
    found, done = doctor(f"sqlite:///{tmp_path / 'none'}")
    assert "benefits migrate" in found["database"]["remedy"]
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


# --- PostgreSQL ---


@pytest.fixture
async def postgres(postgres_url: str) -> str:
    """A PostgreSQL database with the newest schema and a key."""
    await migrate(postgres_url)
    async with open_application(postgres_url, run_jobs=False) as application:
        await new_tenant(*application)
    return postgres_url


def as_role(url: str, role: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:sesame@{place}").geturl()


async def test_a_server_of_postgres_is_looked_at(postgres: str) -> None:
    """All checks of it are made, its carelessness is found, and no password is told."""
    password = urlsplit(postgres).password or ""
    found, done = doctor(postgres, BENEFITS_SECRET_KEY="A" * 43)
    assert found["durability"]["status"] == "fail"
    assert found["role"]["status"] == "warn"
    others = {each["status"] for name, each in found.items() if name not in {"durability", "role"}}
    assert others == {"ok", "skipped"}
    assert done.returncode == 1
    assert password not in done.stdout + done.stderr


async def test_a_role_without_rights_is_found(postgres: str) -> None:
    """A role that may only read is told what it lacks; one that owns all is well."""
    role = f"reader_{urlsplit(postgres).path[-6:]}"
    await ask(postgres, f"create role {role} login password 'sesame'")
    try:
        await ask(postgres, f"grant select on all tables in schema public to {role}")
        found, done = doctor(as_role(postgres, role))
        assert found["role"]["status"] == "fail"
        assert f"to {role}" in found["role"]["remedy"]
        assert "sesame" not in done.stdout + done.stderr
    finally:
        await ask(postgres, f"drop owned by {role}")
        await ask(postgres, f"drop role {role}")


async def test_a_database_that_takes_no_writes_is_found(postgres: str) -> None:
    """It fails, and the rest is still looked at."""
    name = urlsplit(postgres).path[1:]
    await ask(postgres, f'alter database "{name}" set default_transaction_read_only = on')
    found, _ = doctor(postgres)
    assert found["server"]["status"] == "fail"
    assert found["queue"]["status"] == "ok"


async def test_what_is_broken_in_postgres_is_found(postgres: str) -> None:
    """An invalid index, counts of old servers, too few connections, a pooler that isn't there."""
    await ask(
        postgres,
        "update pg_index set indisvalid = false where indexrelid = 'ix_pools_due'::regclass",
    )
    await ask(
        postgres,
        "insert into quotas (tenant_id, pool_id, quota_id, period_start, used) values"
        " ($1, gen_random_uuid(), gen_random_uuid(), 1795910400000, 1)",
        DEFAULT_TENANT_ID,
    )
    found, _ = doctor(postgres, BENEFITS_POSTGRES_POOLER="transaction")
    assert found["tables"]["status"] == "fail"
    assert "ix_pools_due" in found["tables"]["remedy"]
    assert [found[name]["status"] for name in ("leftovers", "pooler")] == ["warn", "warn"]
    found, _ = doctor(postgres, BENEFITS_WORKERS="64")
    assert found["connections"]["status"] == "fail"


@pytest.mark.skipif(
    pgbouncer_path() is None,
    reason=f"pgbouncer is not installed, and {PROGRAM_VARIABLE} names none",
)
async def test_a_pooler_without_its_setting_is_found(postgres: str) -> None:
    """Behind pgbouncer the setting is needed; with it all else is looked at through the pooler."""
    with pgbouncer(postgres) as url:
        assert doctor(url)[0]["pooler"]["status"] == "fail"
        found, _ = doctor(url, BENEFITS_POSTGRES_POOLER="transaction")
    assert {found[name]["status"] for name in ("pooler", "clock", "tables", "queue")} == {"ok"}


async def test_replicas_are_looked_at(postgres: str) -> None:
    """One that isn't there and one that is no standby are told, each by its place."""
    urls = f"{postgres},postgresql://user:sesame@127.0.0.1:1/none"
    found, done = doctor(postgres, BENEFITS_REPLICA_URLS=urls)
    assert found["replicas"]["status"] == "warn"
    assert "is no standby; 127.0.0.1:1" in found["replicas"]["finding"]
    assert "sesame" not in done.stdout + done.stderr


async def test_open_transactions_are_found(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is open for longer than a transaction should be is told with its process."""
    monkeypatch.setattr(of_postgres, "TRANSACTION_SECONDS_ADVISED", 0)
    holder = await asyncpg.connect(postgres)
    try:
        async with holder.transaction():
            await holder.fetch("select 1")
            assert (await looked_at(postgres))["transactions"] is Status.WARN
    finally:
        await holder.close()


async def test_clocks_that_differ_are_found(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds are told, half a minute fails."""
    here = of_postgres.time
    for offset, status in ((-2, Status.WARN), (30, Status.FAIL)):
        monkeypatch.setattr(of_postgres, "time", lambda seconds=offset: here() + seconds)
        assert (await looked_at(postgres))["clock"] is status


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that nobody answers costs no more than its time."""
    monkeypatch.setattr(examining, "CONNECT_SECONDS_MAX", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://user:sesame@127.0.0.1:{silent.getsockname()[1]}/none"
        assert (await looked_at(url))["database"] is Status.FAIL


async def test_a_server_that_falls_silent_is_given_up(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that stops to answer isn't asked again: its checks are skipped at once."""
    monkeypatch.setattr(examining, "ANSWER_SECONDS_MAX", 0.1)
    holder = await asyncpg.connect(postgres)
    try:
        async with holder.transaction():
            await holder.execute("lock table alembic_version, jobs in access exclusive mode")
            found = await looked_at(postgres)
    finally:
        await holder.close()
    assert found["database"] is Status.OK
    assert {found[name] for name in ("schema", "queue", "API keys")} == {Status.SKIPPED}


def test_numbers_are_told_in_words() -> None:
    """Durations and sizes have the largest unit that they fill; long lists are cut."""
    assert [lasting(1), lasting(120), lasting(7_200), lasting(90_000)] == [
        "1 second",
        "2 minutes",
        "2 hours",
        "1 day",
    ]
    assert [sized(10), sized(2_048), sized(3 << 30), sized(1 << 41)] == [
        "10 bytes",
        "2 KiB",
        "3 GiB",
        "2.0 TiB",
    ]
    assert counted(1_000, "pool") == "1,000 pools"
    assert listed([*"abcdefg"]) == "a, b, c, d, e and 2 more"
