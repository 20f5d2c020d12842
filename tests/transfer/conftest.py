"""A gym with definitions and no members, the commands on its database, and a look at its books."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.bootstrap import administrator_grants
from benefit_programs.domain.entities import Pool, Program, Transaction
from benefit_programs.storage.verification import verify_store
from tests.support.audit import audit
from tests.support.calls import details
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.databases import CopiedDatabases

PROGRAM_DEFINITION = "gold"
NAMESPACE = "gym"


@dataclass
class Books:
    """What a tenant has, by external ids and pool definitions: nothing that a copy can't have."""

    programs: dict[tuple[str, str], dict[str, Any]]
    transactions: list[Transaction]


@dataclass
class Gym:
    """A tenant: the program definition "gold" gives two pools, ``single`` stands alone."""

    url: str
    tenant_id: int
    program_definition_id: str
    pool_definition_ids: list[str]
    single: str

    def run(self, command: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
        """Run a command on the database."""
        where = ("--database-url", self.url, "--tenant", str(self.tenant_id))
        return run_benefits(command, *map(str, arguments), *where)

    def run_json(self, command: str, *arguments: Any, code: int = 0) -> dict[str, Any]:
        """Run a command that must end with the code, and give what it tells."""
        done = self.run(command, *arguments, "--json")
        assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def tell(self, *command: str) -> dict[str, Any]:
        """Run a command that is about no tenant in particular, and give what it tells."""
        done = run_benefits(*command, "--database-url", self.url, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    async def reopen(self, work: Callable[[Service], Any]) -> Any:
        """Serve the database in this process for a while."""
        async with open_application(self.url, run_jobs=False) as (running, client):
            tenant = await running.services.directory.tenant(self.tenant_id)
            service = Service(running, client, tenant)
            service.key = (await service.with_grants(administrator_grants())).key
            return await work(service)

    async def books(self) -> Books:
        """What the tenant has; fails unless every invariant holds."""
        return await self.reopen(read_books)  # type: ignore[no-any-return]


async def read_books(service: Service) -> Books:
    """What a tenant has; fails unless every invariant holds."""
    await audit(service)
    assert await verify_store(service.store) == []
    pools: dict[str, dict[str, Any]] = {}
    for pool in await service.rows(Pool):
        held = (str(pool.status), pool.available, pool.snapshot_id)
        assert (
            pools.setdefault(pool.program_id, {}).setdefault(pool.pool_definition_id, held) == held
        )
    programs = await service.rows(Program)
    assert len({(row.namespace, row.external_id) for row in programs}) == len(programs)
    return Books(
        {
            (row.namespace, row.external_id): {
                "status": str(row.status),
                "beneficiary": (str(row.beneficiary.type), row.beneficiary.id),
                "definition": row.program_definition_id,
                "name": row.display_name,
                "pools": pools.get(row.id, {}),
            }
            for row in programs
        },
        await service.rows(Transaction),
    )


@pytest.fixture
async def gym(database_url: str) -> Gym:
    """A gym that has no members yet."""
    async with open_application(database_url, run_jobs=False) as application:
        service = await new_tenant(*application)
        definition = await service.create_program_definition(externalId=PROGRAM_DEFINITION)
        pools = [
            await service.create_pool_definition(
                programDefinitionIds=[definition["id"]], details=details(amount=amount)
            )
            for amount in ("10", "20")
        ]
        single = await service.create_pool_definition(details=details(amount="5"))
        return Gym(
            database_url,
            service.tenant.id,
            definition["id"],
            sorted(pool["id"] for pool in pools),
            single["id"],
        )


@pytest.fixture
def empty_copy(gym: Gym, databases: CopiedDatabases) -> Iterator[Gym]:
    """Another database with the same definitions, made before anybody joined."""
    url = databases.copy(gym.url)
    yield Gym(url, gym.tenant_id, gym.program_definition_id, gym.pool_definition_ids, gym.single)
    databases.drop(url)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file whose columns are all that a row has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """One object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
