"""A job whose rows are too many to be counted in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import Caller
from tests.support.crowd import gather_crowd
from tests.support.databases import SqliteDatabases
from tests.support.inprocess import open_application
from tests.support.service import FIRST_KEY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

PROGRAMS = 10_000


async def test_a_job_that_cannot_be_counted_is_done_all_the_same(tmp_path: Path) -> None:
    """How much is ahead is for people to see: a job goes on where the count takes too long."""
    crowd = await gather_crowd(SqliteDatabases(tmp_path).create(), programs=PROGRAMS)
    async with open_application(crowd.url, run_jobs=False) as (running, client):
        store: Any = running.services.engine._store
        store._statement_seconds = 0.0
        caller = Caller(client, FIRST_KEY)
        change = {"id": crowd.definitions[0]["id"], "revision": "1", "displayName": "Gold"}
        request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
        await caller.call("updatePoolDefinition", request)
        running.runner.start()
        await running.runner.settle()
        sql = "select status, success_count, total, reason from jobs where kind = 'UPDATE_POOLS'"
        assert await store.execute(sql, ()) == [("FINISHED", PROGRAMS, PROGRAMS, None)]
