"""The client in all its forms: sync and async, over HTTP and in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.client import AsyncBenefitPrograms, BenefitPrograms
from tests.support.blocking import Portal
from tests.support.gym import Gym

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases
    from tests.support.service import Server


@pytest.fixture(scope="session")
def portal() -> Iterator[Portal]:
    """An event loop beside the tests."""
    portal = Portal()
    yield portal
    portal.close()


@pytest.fixture(scope="session")
def http_client(server: Server) -> Iterator[BenefitPrograms]:
    with BenefitPrograms(server.url, server.make_key()) as client:
        yield client


@pytest.fixture(scope="session")
def async_http_client(server: Server, portal: Portal) -> Iterator[Any]:
    client = portal.wrap(AsyncBenefitPrograms(server.url, server.make_key()))
    yield client
    client.aclose()


@pytest.fixture(scope="session")
def in_process_client(databases: Databases) -> Iterator[BenefitPrograms]:
    url = databases.create()
    with BenefitPrograms.open(url) as client:
        yield client
    databases.drop(url)


@pytest.fixture(scope="session")
def async_in_process_client(databases: Databases, portal: Portal) -> Iterator[Any]:
    url = databases.create()
    client = portal.wrap(AsyncBenefitPrograms.open(url))
    yield client
    client.aclose()
    databases.drop(url)


@pytest.fixture(params=["http", "async_http", "in_process", "async_in_process"])
def client(request: pytest.FixtureRequest, databases: Databases) -> BenefitPrograms:
    """A client of a tenant that has all rights, on each kind of database and transport."""
    found: BenefitPrograms = request.getfixturevalue(f"{request.param}_client")
    return found


@pytest.fixture
def gym(client: BenefitPrograms) -> Gym:
    """Definitions and an item of the test's own."""
    return Gym(client)
