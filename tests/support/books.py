"""What a database holds, counted by the database: no answer here grows with its size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benefit_programs.storage.directory import DEFAULT_TENANT_ID
from benefit_programs.storage.postgres import PostgresStore
from benefit_programs.storage.sqlite import SqliteStore
from tests.support.serving import run_benefits

SQLITE = "sqlite:///"


VERIFY_SECONDS_MAX = 600
"""How long a database with hundreds of thousands of transactions may take."""


class Books:
    """The rows of a database's first tenant, beside the servers that may be at work on it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement, however long it takes; ``$1`` is the tenant."""
        store = await self._open()
        try:
            (rows,) = await store.fetch_together([(sql, (DEFAULT_TENANT_ID, *parameters))])
        finally:
            await store.close()
        return rows

    async def ids(self, table: str, where: str = "true", *parameters: Any) -> list[str]:
        """The ids of a table's rows, in their order; ``$2`` is the first parameter."""
        sql = f"select cast(id as text) from {table} where tenant_id = $1 and {where} order by id"
        return [row[0] for row in await self.read(sql, *parameters)]

    async def group(self, table: str, *columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """How many rows there are for each combination of these columns."""
        names = ", ".join(columns)
        sql = f"select {names}, count(*) from {table} where tenant_id = $1 and {where}"
        return await self.read(f"{sql} group by {names} order by {names}")

    def verify(self) -> None:
        """Fail unless ``benefits verify`` finds a sound database."""
        verified = run_benefits(
            "verify", seconds=VERIFY_SECONDS_MAX, BENEFITS_DATABASE_URL=self._url
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr

    async def _open(self) -> SqliteStore | PostgresStore:
        if self._url.startswith(SQLITE):
            return SqliteStore(Path(self._url.removeprefix(SQLITE)), serve=False)
        return await PostgresStore.open(self._url, connections_max=1)
