"""The client in all its forms: sync and async, over HTTP and in this process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.client import AsyncBenefitPrograms, BenefitPrograms
from tests.support.blocking import Portal
from tests.support.gym import Gym
from tests.support.receiver import Receiver
from tests.support.service import RECEIVERS_HERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases
    from tests.support.service import Server


@contextmanager
def settings(variables: dict[str, str]) -> Iterator[None]:
    """Settings for what is opened meanwhile."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        yield


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
    with settings(RECEIVERS_HERE):
        opened = BenefitPrograms.open(url)
    with opened as client:
        yield client
    databases.drop(url)


@pytest.fixture(scope="session")
def async_in_process_client(databases: Databases, portal: Portal) -> Iterator[Any]:
    url = databases.create()
    with settings(RECEIVERS_HERE):
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
def receiver(portal: Portal) -> Iterator[Receiver]:
    """A receiver of webhooks, which runs beside the test."""
    with portal.open(Receiver().running()) as receiver:
        yield receiver


@pytest.fixture
def gym(client: BenefitPrograms) -> Gym:
    """Definitions and an item of the test's own."""
    return Gym(client)
