"""The server for agents is an extra: who has none pays nothing, and is told what is missing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from benefit_programs.config import Agents, WrongSetting
from tests.cli.conftest import run
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.serving import own_environment

if TYPE_CHECKING:
    from tests.support.databases import Databases

ENGINES = ["sqlite"]

LOADED = "import sys, benefit_programs.cli.serve; print(*{'mcp', 'pydantic'} & set(sys.modules))"


@pytest.mark.anyio
async def test_there_are_no_agents_unless_they_are_switched_on(service: Service) -> None:
    """Without the setting, /mcp is no address of the service, whoever asks."""
    answer = await service.request("POST", "/mcp", json={})
    assert answer.status_code == httpx.codes.NOT_FOUND


@pytest.mark.anyio
async def test_requests_of_agents_are_counted(databases: Databases) -> None:
    """The limit of a key holds for agents too, also for requests that call no method."""
    url = databases.create()
    settings = {"agents": Agents.READ, "requests_per_second": 1}
    async with open_application(url, **settings) as application:
        service = await new_tenant(*application)
        ping = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        headers = {"authorization": str(service.key), "accept": "application/json"}
        answers = [await service.client.post("/mcp", json=ping, headers=headers) for _ in range(3)]
    assert answers[0].status_code == httpx.codes.OK
    assert httpx.codes.TOO_MANY_REQUESTS in {each.status_code for each in answers}
    databases.drop(url)


def test_a_server_loads_nothing_for_agents() -> None:
    """The libraries of the extra aren't loaded by what serves, so they needn't be there."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=own_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == ""


@pytest.fixture
def _without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the library missing, as after an installation without the extra."""
    for name in {"mcp", *(each for each in sys.modules if each.startswith("mcp."))}:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("mounted", "remote", "server"):
        monkeypatch.delitem(sys.modules, f"benefit_programs.agents.{name}", raising=False)


@pytest.mark.anyio
@pytest.mark.usefixtures("_without_the_extra")
async def test_a_server_says_what_is_missing(databases: Databases) -> None:
    """A server that should have agents doesn't start without the extra, and names it."""
    url = databases.create()
    with pytest.raises(WrongSetting, match=r"benefit-programs\[agents\]"):
        async with open_application(url, agents=Agents.READ):
            pass
    databases.drop(url)


@pytest.mark.usefixtures("_without_the_extra")
def test_the_command_says_what_is_missing() -> None:
    """So does the command."""
    done = run("agents", "serve", "--url", "http://127.0.0.1:1", "--api-key", "a-key")
    assert done.code == 2
    assert "pip install 'benefit-programs[agents]'" in done.err


def test_the_command_needs_a_service_and_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command names what it must be told, and what can't be called."""
    for name in ("BENEFITS_URL", "BENEFITS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert "BENEFITS_URL" in run("agents", "serve").err
    assert "BENEFITS_API_KEY" in run("agents", "serve", "--url", "http://127.0.0.1:1").err
    wrong = run("agents", "serve", "--url", "nowhere", "--api-key", "a-key")
    assert (wrong.code, "can't be called" in wrong.err) == (2, True)
