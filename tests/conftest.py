"""Fixtures that every kind of test may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.postgres import PostgresServer, start_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is no failure: what a test may take is its timeout, not a deadline per example.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests (marked `anyio`) run on asyncio's own loop, which is the same everywhere."""
    return "asyncio", {"use_uvloop": False}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for functional tests: real, but careless about a loss of power."""
    server = start_postgres(durable=False)
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Name a fresh and empty database, which is dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)
