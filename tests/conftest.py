"""Fixtures that every kind of test may ask for."""

from __future__ import annotations

# The first import: what is loaded after it is compiled once, not in each process of the tests.
import tests.support.bytecode  # noqa: F401

# isort: split

import gc
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from hypothesis import settings

from tests.support.audit import chosen, require_sound
from tests.support.citus import CITUS, CitusDatabases
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.lifecycle import open_idle
from tests.support.postgres import PostgresServer, memory_folder, start_postgres
from tests.support.service import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

POSTGRES_TABLES_ONE_IN = 10
"""Of how many cases of a table one runs on PostgreSQL every day; the others do in the long run."""

POSTGRES_CONTRACTS_ONE_IN = 4
"""Of how many other tests one does in the folders that ask a whole service of one process.

Where tests are about the store itself, or are few, their module says ``ON_POSTGRES_EVERY_DAY``.
"""

SAMPLED = {"cli", "client", "contract", "transfer"}
"""Those folders."""

# Loading the certificates of all authorities takes 30 ms, and each client would do it anew.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)

# It is not installed, and httpx would look for it on the disk with each request.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

# A busy machine is no failure: what a test may take is its timeout, not a deadline per example.
settings.register_profile("long", deadline=None, print_blob=True)
settings.register_profile("house", settings.get_profile("long"), max_examples=40)


def pytest_configure(config: pytest.Config) -> None:
    """Try as many examples of properties as a day or a long run has time for."""
    settings.load_profile("house" if config.option.markexpr == "not full" else "long")


# One line for an error: what fails is shown by the test, with the answer that the service gave.
structlog.configure(
    processors=[
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event", "method", "status"]),
    ]
)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module on its ``ENGINES`` alone, if it names some.

    One engine shows what is decided before any store is asked. What copies a database, or breaks
    rows by hand, leaves out the cluster.
    """
    engines = getattr(metafunc.module, "ENGINES", None)
    if engines and "databases" in metafunc.fixturenames:
        only = pytest.mark.parametrize("databases", engines, indirect=True)
        metafunc.definition.add_marker(only)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what isn't in the sample of PostgreSQL to the long run; all runs on SQLite."""
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        is_sampled = given.get("databases") in {"postgres", "citus"}
        if is_sampled and not chosen(item.nodeid, _one_in(item, given)):
            item.add_marker(pytest.mark.full)


def _one_in(item: pytest.Item, given: dict[str, object]) -> int:
    """Of how many tests like this one runs on PostgreSQL every day."""
    if given.keys() - {"databases", "anyio_backend"}:
        return POSTGRES_TABLES_ONE_IN
    module = item.getparent(pytest.Module)
    if item.path.parent.name not in SAMPLED or hasattr(module.obj, "ON_POSTGRES_EVERY_DAY"):  # type: ignore[union-attr]
        return 1
    return POSTGRES_CONTRACTS_ONE_IN


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end: the modules and the tests."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session", params=["sqlite", "postgres", *CITUS])
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Databases of each kind: what asks for them runs on SQLite and on PostgreSQL."""
    if request.param == "postgres":
        yield PostgresDatabases(request.getfixturevalue("postgres_server"))
        return
    if request.param == "citus":
        yield CitusDatabases()
        return
    with TemporaryDirectory(prefix="sqlite-", dir=memory_folder()) as folder:
        yield SqliteDatabases(Path(folder))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Name a database of the test's own, with the newest schema."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
async def shared_application(databases: Databases) -> AsyncIterator[Any]:
    """A service in this process that many tests share, each as a tenant of its own."""
    url = databases.create()
    async with open_application(url) as application:
        yield application
    databases.drop(url)


@pytest.fixture
async def service(
    request: pytest.FixtureRequest, shared_application: Any
) -> AsyncIterator[Service]:
    """A new tenant of a running service and its administrator; its books are verified after."""
    service = await new_tenant(*shared_application)
    yield service
    # Hundreds of tests are about refusals: there is nothing to verify where nothing was stored.
    if await service.has_rows():
        # The audit reads table by table: a job that goes on meanwhile would look like a fault.
        await service.running.runner.settle()
        await require_sound(request, service)


@pytest.fixture
async def own_service(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    """The same with a service and a database of the test's own, for tests that break things."""
    async with open_application(database_url) as application:
        service = await new_tenant(*application)
        yield service
        await require_sound(request, service)


@pytest.fixture
async def idle_service(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Service]:
    """A service of the test's own whose jobs wait until the test lets them run."""
    async with open_idle(database_url) as service:
        yield service
        await require_sound(request, service)


@pytest.fixture(scope="session")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server process; tests that share it make tenants of their own with ``make_key``."""
    url = databases.create()
    server = Server(url, tmp_path_factory.mktemp("server") / "log")
    yield server
    server.stop()
    databases.drop(url)
