"""The PostgreSQL of the tests is real, fresh, and gone when its process is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from tests.support.postgres import PostgresError, PostgresServer, pgbench_path, start_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parent.parent.parent

# Whoever runs the tests in the background of a script ignores SIGINT, and hands that down.
STARTER = """
import signal, sys
from tests.support.postgres import start_postgres
signal.signal(signal.SIGINT, signal.default_int_handler)
server = start_postgres(durable=False)
print(server.url("postgres"), flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_database_answers_in_utf8(postgres_url: str) -> None:
    """A fresh database answers, in UTF-8, and orders text by code point."""
    async with connected(postgres_url) as connection:
        assert await connection.fetchval("select 1") == 1
        assert await connection.fetchval("show server_encoding") == "UTF8"
        ordered = await connection.fetchval(
            "select string_agg(letter, '' order by letter) from unnest($1::text[]) as letter",
            ["ä", "a", "Z", "é"],
        )
        assert ordered == "Zaäé"


async def test_databases_are_apart(postgres_server: PostgresServer, postgres_url: str) -> None:
    """Nothing of one database shows in another, unless it is a copy of it."""
    async with connected(postgres_url) as connection:
        await connection.execute("create table seen (number int)")
    other = postgres_server.create_database()
    copy = postgres_server.create_database(template=postgres_url.rpartition("/")[2])
    try:
        async with connected(other) as connection:
            assert await connection.fetchval("select to_regclass('seen')") is None
        async with connected(copy) as connection:
            assert await connection.fetchval("select to_regclass('seen')") is not None
    finally:
        postgres_server.drop_database(other)
        postgres_server.drop_database(copy)


async def test_dropped_database_is_gone(postgres_server: PostgresServer) -> None:
    """Dropping ends the connections of a database and removes it."""
    url = postgres_server.create_database()
    connection = await asyncpg.connect(url)
    postgres_server.drop_database(url)
    with pytest.raises(asyncpg.PostgresConnectionError):
        await connection.fetchval("select 1")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)


async def test_refused_statement_is_told(postgres_server: PostgresServer) -> None:
    """A command that PostgreSQL refuses raises an error with PostgreSQL's own words."""
    with pytest.raises(PostgresError, match='template database "nowhere" does not exist'):
        postgres_server.create_database(template="nowhere")


async def test_durable_server_keeps_the_settings_of_production() -> None:
    """A durable server syncs each commit to the disk, and listens on this machine only."""
    server = start_postgres(durable=True)
    try:
        async with connected(server.url("postgres")) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert await connection.fetchval("select current_setting($1)", setting) == "on"
            assert await connection.fetchval("show listen_addresses") == "127.0.0.1"
    finally:
        server.stop()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
async def test_server_ends_with_its_process(ending: signal.Signals) -> None:
    """However the process that started a server ends, the server and its files end too."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        connection = await asyncpg.connect(url)
        files = Path(await connection.fetchval("show data_directory")).parent
        ended = connection.fetchval("select pg_sleep(60)")
        starter.send_signal(ending)
        with pytest.raises(asyncpg.PostgresConnectionError):
            await ended
        # The guardian shares the process's standard output, which closes when its work is done.
        assert starter.stdout.read() == ""
        assert not files.exists()


def test_pgbench_runs() -> None:
    """PostgreSQL's load generator comes with the server."""
    answer = subprocess.run([pgbench_path(), "--version"], capture_output=True, check=True)
    assert answer.stdout.startswith(b"pgbench (PostgreSQL)")
