"""Databases that releases left behind: how one is made, kept and brought back.

    python -m tests.upgrade.releases        write those of the version that is installed

Run it once for a release; what is there is never made anew. Each is a SQLite file, or what pg_dump
says of a PostgreSQL database, with what clients read of it beside. The release's own code is kept,
too: its servers are run beside today's.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

import benefit_programs
from benefit_programs import __version__
from benefit_programs.bootstrap import administrator_grants
from tests.support.calls import benefit, details, guid
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.lifecycle import act, limit_requests
from tests.support.postgres import binary_path, start_postgres
from tests.support.wallet import open_another, open_wallet

FOLDER = Path(__file__).parent / "data"
ENGINES = ("sqlite", "postgresql")
READS = {
    "programDefinitions": "queryProgramDefinitions",
    "poolDefinitions": "queryPoolDefinitions",
    "items": "queryItems",
    "programs": "queryPrograms",
    "pools": "queryPools",
    "balances": "queryBalances",
    "transactions": "queryTransactions",
}
DAILY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 5, "timePeriod": "DAY"},
    },
}


async def fill(service: Service) -> dict[str, Any]:
    """Do what members and managers do, and leave work of every kind to jobs and renewals.

    Returns what a client could ask again: a redemption with its key.
    """
    wallet = await open_wallet(service, benefit("towel", policyExpression=DAILY), benefit("bar"))
    key = guid()
    redeemed = await wallet.redeem(idempotencyKey=key)
    moved = await wallet.reallocate(await wallet.redeem(count=2), "2026-12-01T10:00:00Z")
    await wallet.reallocate(moved, "2026-12-02T10:00:00Z")
    await wallet.cancel(await wallet.redeem("bar"))
    await wallet.revert(await wallet.redeem("bar"))
    await wallet.adjust("12.5")
    await wallet.set_balance("55.0001")
    other = await open_another(service, wallet.definition, beneficiary={"wixUserId": guid()})
    await other.redeem()
    plan = await service.create_program_definition()
    pass_ = await service.create_pool_definition(programDefinitionIds=[plan["id"]])
    programs = [await service.provision(program_definition=plan) for _ in range(3)]
    added = {"namespace": "gym", "details": details(), "programDefinitionIds": [plan["id"]]}
    await service.call("createPoolDefinition", {"poolDefinition": added, "cascade": "NEXT_RENEWAL"})
    await act(service, "renew", programs[2]["program"]["id"])
    await limit_requests(service)
    await act(service, "pause", programs[0]["program"]["id"])
    await act(service, "renew", programs[1]["program"]["id"])
    change = {"id": pass_["id"], "revision": "1", "displayName": "Gold"}
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    await service.provision(program_definition=plan)
    return {
        "poolId": wallet.pool_id,
        "redemption": {"idempotencyKey": key, "transactionId": redeemed},
        "read": await read_all(service),
    }


async def read_all(service: Service) -> dict[str, list[dict[str, Any]]]:
    """All that clients read of a tenant, oldest first."""
    query = {
        "sort": [{"fieldName": "createdDate", "order": "ASC"}],
        "cursorPaging": {"limit": 100},
    }
    return {
        name: (await service.call(method, {"query": query}))[name] for name, method in READS.items()
    }


async def make(url: str) -> dict[str, Any]:
    """Fill a database, and say what is in it."""
    async with open_application(url, run_jobs=False) as application:
        service = await new_tenant(*application)
        return {"tenant": service.tenant.id, **await fill(service)}


async def administrator_of(application: Any, tenant_id: int) -> Service:
    """An administrator of a tenant that was there before, with a new key."""
    running, client = application
    tenants = await running.services.directory.tenants()
    service = Service(running, client, next(each for each in tenants if each.id == tenant_id))
    service.key = (await service.with_grants(administrator_grants())).key
    return service


def kept(version: str, engine: str) -> Path:
    """The file of one database."""
    return FOLDER / f"{version}-{engine}.gz"


def expected(version: str, engine: str) -> dict[str, Any]:
    """What clients read of it when it was made."""
    content: dict[str, Any] = json.loads((FOLDER / f"{version}-{engine}.json").read_text())
    return content


def versions() -> list[str]:
    """The releases whose databases are kept."""
    return sorted({path.name.rpartition("-")[0] for path in FOLDER.glob("*.gz")})


async def bring_back(version: str, engine: str, url: str) -> None:
    """Write a kept database over an empty one."""
    content = gzip.decompress(kept(version, engine).read_bytes())
    if engine == "sqlite":
        Path(url.removeprefix("sqlite:///")).write_bytes(content)
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(content.decode())
    finally:
        await connection.close()


def dump(url: str) -> str:
    """A PostgreSQL database as statements that any connection can run."""
    command = [binary_path("pg_dump"), "--no-owner", "--no-privileges", "--inserts", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = text.splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\", "SET ", "--"))) + "\n"


def write(engine: str, content: bytes, said: dict[str, Any]) -> None:
    """Keep one database."""
    FOLDER.mkdir(exist_ok=True)
    kept(__version__, engine).write_bytes(gzip.compress(content, mtime=0))
    text = json.dumps(said, indent=1, sort_keys=True)
    (FOLDER / f"{__version__}-{engine}.json").write_text(text + "\n")


def kept_code(version: str) -> Path:
    """The file of a release's code."""
    return FOLDER / f"{version}-code.tar.xz"


def keep_code(package: Path, version: str) -> None:
    """Keep the code of a release: the folder of its package, without what Python compiled."""
    FOLDER.mkdir(exist_ok=True)
    with tarfile.open(kept_code(version), "w:xz", preset=9) as archive:
        archive.add(package, package.name, filter=_plain_member)


def _plain_member(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """What is the same whoever makes the archive, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return None if "__pycache__" in member.name else member


def unpack_code(version: str, folder: Path) -> Path:
    """Write the code of a release into a folder, which is where Python finds it then."""
    with tarfile.open(kept_code(version)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def main() -> None:
    """Make and keep the databases and the code of this version."""
    keep_code(Path(benefit_programs.__file__).parent, __version__)
    with tempfile.TemporaryDirectory() as folder:
        url = SqliteDatabases(Path(folder)).create()
        said = asyncio.run(make(url))
        write("sqlite", Path(url.removeprefix("sqlite:///")).read_bytes(), said)
    server = start_postgres(durable=False)
    try:
        url = PostgresDatabases(server).create()
        said = asyncio.run(make(url))
        write("postgresql", dump(url).encode(), said)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
