"""A server process that tests share, with tenants and callers of their own."""

from __future__ import annotations

from base64 import b64encode
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benefit_programs.bootstrap import administrator_grants, open_directory
from benefit_programs.config import LogFormat, Pooler, Settings
from tests.support.calls import Caller
from tests.support.databases import run_apart
from tests.support.inprocess import SECRET_KEY
from tests.support.serving import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benefit_programs.storage.directory import Grants

FIRST_KEY = "a-key-that-the-operator-has-chosen"
CALL_SECONDS_MAX = 60
CONNECTIONS_MAX = 200

RECEIVERS_HERE = {
    "BENEFITS_OUTGOING_NETWORKS": "127.0.0.0/8",
    "BENEFITS_SECRET_KEY": b64encode(SECRET_KEY).decode(),
}
"""Settings with which events go to receivers on this machine."""


class Server(ServerProcess):
    """``benefits serve`` on a database that has its schema; ``key`` is the first tenant's."""

    key = FIRST_KEY

    def __init__(
        self,
        database_url: str,
        log: Path,
        *,
        workers: int = 1,
        postgres_pooler: Pooler = Pooler.NONE,
        **variables: str,
    ) -> None:
        super().__init__(
            ["--log-format", "json", "--workers", str(workers)],
            log,
            BENEFITS_DATABASE_URL=database_url,
            BENEFITS_BOOTSTRAP_API_KEY=FIRST_KEY,
            BENEFITS_POSTGRES_POOLER=postgres_pooler,
            **RECEIVERS_HERE,
            **variables,
        )
        self.database_url = database_url
        self._settings = Settings(
            database_url=database_url,
            postgres_pooler=postgres_pooler,
            log_format=LogFormat.JSON,
        )

    def make_key(self, grants: Grants | None = None, *, site_id: str | None = None) -> str:
        """Make a tenant with a key, an administrator's unless grants are given."""
        return self.make_tenant(grants, site_id=site_id)[1]

    def make_tenant(
        self, grants: Grants | None = None, *, site_id: str | None = None
    ) -> tuple[int, str]:
        """Make the same; the tenant's number and the key."""

        async def make() -> tuple[int, str]:
            async with open_directory(self._settings) as directory:
                tenant = await directory.create_tenant("test", site_id=site_id)
                key = await directory.create_key(
                    "test", tenant_ids=[tenant.id], grants=grants or administrator_grants()
                )
                return tenant.id, key.secret

        return run_apart(make())

    @asynccontextmanager
    async def connect(self, key: str | None = None) -> AsyncIterator[Caller]:
        """Somebody with a key, the first one unless another is given."""
        async with httpx.AsyncClient(
            base_url=self.url,
            timeout=CALL_SECONDS_MAX,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            trust_env=False,
        ) as client:
            yield Caller(client, key or self.key)
