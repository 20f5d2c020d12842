"""Servers of the release before and of this version serve one PostgreSQL while it is upgraded."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from benefit_programs.domain.entities import Job, Quota
from benefit_programs.domain.store import StoreLocked
from benefit_programs.storage import schema
from benefit_programs.storage.leftovers import LAST_DATE, settle_leftovers
from benefit_programs.storage.schema import migrate, newest_revision, pending_revisions
from benefit_programs.storage.verification import verify_store
from tests.support.calls import NAMESPACE, Caller, benefit, guid
from tests.support.databases import ask
from tests.support.inprocess import Service, open_application
from tests.support.lifecycle import limit_requests, run_jobs
from tests.support.looking import LOOK_PAUSE_SECONDS, LOOK_SECONDS_MAX
from tests.support.service import FIRST_KEY
from tests.support.serving import ServerProcess, run_benefits
from tests.support.wallet import Wallet, open_wallet
from tests.upgrade import releases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from subprocess import CompletedProcess

pytestmark = pytest.mark.anyio

VERSION = "0.2.0"
DAILY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 50, "timePeriod": "DAY"},
    },
}


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Python finds the code of the release before."""
    return releases.unpack_code(VERSION, tmp_path_factory.mktemp("old"))


@asynccontextmanager
async def served_by_old(url: str, code: Path, log: Path) -> AsyncIterator[Caller]:
    """A server of the release before on a database, and who has a key of its first tenant."""
    server = ServerProcess(
        (),
        log,
        PYTHONPATH=str(code),
        BENEFITS_DATABASE_URL=url,
        BENEFITS_BOOTSTRAP_API_KEY=FIRST_KEY,
    )
    try:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
            yield Caller(client, FIRST_KEY)
    finally:
        server.stop()
        assert "Traceback" not in server.log


@asynccontextmanager
async def served_by_new(url: str, **settings: Any) -> AsyncIterator[Service]:
    """This version on the same database, and who has the same key."""
    async with open_application(url, **settings) as (running, client):
        tenants = await running.services.directory.tenants()
        service = Service(running, client, tenants[0])
        service.key = FIRST_KEY
        yield service


@asynccontextmanager
async def redeeming(wallet: Wallet, benefit_key: str) -> AsyncIterator[list[str]]:
    """Somebody who redeems all the while, each time with success."""
    done: list[str] = []

    async def go_on() -> None:
        while True:
            done.append(await wallet.redeem(benefit_key))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(go_on())
        try:
            yield done
        finally:
            task.cancel()


def at(caller: Caller, wallet: Wallet) -> Wallet:
    """The same wallet, used at another server."""
    return Wallet(caller, wallet.definition, wallet.program, wallet.pool_id)


async def redeem_twice(wallets: list[Wallet]) -> None:
    """One redeems, and each of the others learns from the same key that it is done."""
    request = wallets[0].redemption("daily")
    first = await wallets[0].caller.call("redeemBenefit", request)
    for other in wallets[1:]:
        refused = await other.caller.refusal("redeemBenefit", request)
        assert refused.code == "BENEFIT_ALREADY_REDEEMED"
        assert refused.data["transactionId"] == first["transactionId"]


async def add_pools(caller: Caller, plan: dict[str, Any]) -> None:
    """Have a job give the programs of a definition one more pool."""
    added = {
        "namespace": NAMESPACE,
        "details": {"benefits": [benefit(guid())], "creditConfiguration": {"amount": "1"}},
        "programDefinitionIds": [plan["id"]],
    }
    await caller.call("createPoolDefinition", {"poolDefinition": added, "cascade": "IMMEDIATELY"})


async def test_servers_of_both_versions_serve_while_the_database_migrates(
    postgres_url: str, old_code: Path, tmp_path: Path
) -> None:
    """No request fails, each sees what the others did, jobs are done, and no invariant is broken.

    An old server that starts after the migration says that a newer version is needed.
    """
    await releases.bring_back(VERSION, "postgresql", postgres_url)
    async with served_by_old(postgres_url, old_code, tmp_path / "log") as old:
        wallet = await open_wallet(
            old,
            benefit("bar", price="0.01"),
            benefit("daily", policyExpression=DAILY),
            amount="900",
        )
        plan = await old.create_program_definition()
        for _ in range(3):
            await old.provision(program_definition=plan)
        async with redeeming(wallet, "bar") as done:
            assert (await migrate(postgres_url))[-1] == newest_revision()
            migrated = len(done)
            async with served_by_new(postgres_url) as new:
                await limit_requests(new)
                both = [wallet, at(new, wallet)]
                await redeem_twice(both)
                await redeem_twice(both[::-1])
                await new.call("cancelRedemption", cancel(wallet, await wallet.redeem("daily")))
                await old.call("cancelRedemption", cancel(wallet, await both[1].redeem("daily")))
                await add_pools(new, plan)
                await add_pools(old, plan)
                await run_jobs(new)
                assert {str(job.status) for job in await new.rows(Job)} == {"FINISHED"}
                assert await verify_store(new.store) == []
        assert len(done) > migrated > 0
    late = run_benefits(
        "serve", "--port", "0", PYTHONPATH=str(old_code), BENEFITS_DATABASE_URL=postgres_url
    )
    assert late.returncode == 3
    assert "install the newer version" in late.stderr


def cancel(wallet: Wallet, transaction_id: str) -> dict[str, Any]:
    return {
        "transactionId": transaction_id,
        "beneficiary": wallet.program["beneficiary"],
        "namespace": NAMESPACE,
        "idempotencyKey": guid(),
    }


async def test_counts_of_old_servers_are_finished(
    postgres_url: str, old_code: Path, tmp_path: Path
) -> None:
    """What old servers count by instants after the migration is counted by its dates at the end."""
    await releases.bring_back(VERSION, "postgresql", postgres_url)
    async with served_by_old(postgres_url, old_code, tmp_path / "log") as old:
        await migrate(postgres_url)
        wallet = await open_wallet(old, benefit("daily", policyExpression=DAILY), amount="900")
        for _ in range(3):
            await wallet.redeem()
        async with served_by_new(postgres_url, run_jobs=False) as new:
            await at(new, wallet).redeem()
    assert await settle_leftovers(postgres_url) == 1
    assert await settle_leftovers(postgres_url) == 0
    async with served_by_new(postgres_url, run_jobs=False) as new:
        counts = [each for each in await new.rows(Quota) if each.pool_id == wallet.pool_id]
        assert [each.used for each in counts] == [4]
        assert all(each.period_start <= LAST_DATE for each in counts)
        assert await verify_store(new.store) == []


async def test_an_older_runner_leaves_jobs_of_newer_kinds(postgres_url: str) -> None:
    """A runner passes by kinds and statuses that it doesn't know, and does the others."""
    await migrate(postgres_url)
    async with open_application(
        postgres_url, run_jobs=False, bootstrap_api_key=FIRST_KEY
    ) as application:
        running, client = application
        service = Service(running, client, (await running.services.directory.tenants())[0])
        service.key = FIRST_KEY
        plan = await service.create_program_definition()
        await service.provision(program_definition=plan)
        await limit_requests(service)
        await add_pools(service, plan)
        (job,) = [each for each in await service.rows(Job) if each.status == "INITIALIZED"]
        newer = (("PAINT_POOLS", "INITIALIZED"), (job.kind, "PAUSED"))
        for kind, status in newer:
            await ask(
                postgres_url,
                "insert into jobs select (jsonb_populate_record(j, $2::jsonb)).* from jobs j"
                " where id = $1",
                job.id,
                f'{{"id": "{guid()}", "subject_id": "{guid()}", "kind": "{kind}",'
                f' "status": "{status}"}}',
            )
        running.runner.start()
        await look_until_finished(postgres_url, job.id)
        left = await ask(
            postgres_url, "select status, attempts from jobs where lease_owner is null"
        )
        assert {tuple(row) for row in left} >= {("INITIALIZED", 0), ("PAUSED", 0)}


async def look_until_finished(url: str, job_id: str) -> None:
    """The runner itself is never at rest while there is something for newer ones."""
    is_finished = "select 1 from jobs where id = $1 and status = 'FINISHED'"
    async with asyncio.timeout(LOOK_SECONDS_MAX):
        while not await ask(url, is_finished, job_id):  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(LOOK_PAUSE_SECONDS)


async def test_a_migration_gives_way_to_those_who_use_tables(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a table in short turns; if it never gets it, it says so and changes nothing."""
    await releases.bring_back(VERSION, "postgresql", postgres_url)
    monkeypatch.setattr(schema, "LOCK_ATTEMPTS_MAX", 3)
    monkeypatch.setattr(schema, "LOCK_PAUSE_SECONDS", 0)
    monkeypatch.setattr(schema, "_LIMITS", ("set local lock_timeout = '10ms'",))
    holder = await asyncpg.connect(postgres_url)
    try:
        async with holder.transaction():
            await holder.fetch("select * from pools")
            with pytest.raises(StoreLocked, match="Tables stay in use"):
                await migrate(postgres_url)
            assert await schema.current_revision(postgres_url) == "0001"
    finally:
        await holder.close()
    assert (await migrate(postgres_url))[-1] == newest_revision()


async def test_what_is_to_be_migrated_is_told_first(postgres_url: str) -> None:
    """--check names the revisions and ends with 3, --sql prints what does the same as migrating."""
    await releases.bring_back(VERSION, "postgresql", postgres_url)
    checked = await run("migrate", "--check", "--database-url", postgres_url)
    assert checked.returncode == 3
    assert checked.stdout.startswith("To be applied: 0002, 0003")
    script = await run("migrate", "--sql", "--database-url", postgres_url)
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(script.stdout)
    finally:
        await connection.close()
    after = await run("migrate", "--check", "--json", "--database-url", postgres_url)
    assert after.returncode == 0
    assert json.loads(after.stdout) == {"pending": [], "revision": newest_revision()}
    finished = await run("migrate", "--finish", "--json", "--database-url", postgres_url)
    assert json.loads(finished.stdout)["settled"] == 0


async def run(*arguments: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(run_benefits, *arguments)


async def test_a_file_is_migrated_while_nobody_serves_it(old_code: Path, tmp_path: Path) -> None:
    """A SQLite file that an old server has open is left alone; after its stop it is migrated."""
    url = f"sqlite:///{tmp_path / 'benefits.sqlite3'}"
    await releases.bring_back(VERSION, "sqlite", url)
    async with served_by_old(url, old_code, tmp_path / "log"):
        refused = await run("migrate", "--database-url", url)
        assert refused.returncode == 3
        assert "is served by another process" in refused.stderr
        assert (await pending_revisions(url))[0] == "0002"
    done = await run("migrate", "--database-url", url)
    assert done.stdout.startswith("Applied 0002")
