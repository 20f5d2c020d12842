"""``benefits console``: who has access, beside a server that goes on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benefit_programs.cli.addresses import reachable, url_of
from benefit_programs.cli.welcome import start_text
from benefit_programs.config import Settings
from tests.cli.conftest import run
from tests.support.console import FROM_HERE
from tests.support.service import FIRST_KEY
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.service import Server


def document(server: Server, *arguments: str) -> Any:
    done = run("console", *arguments, "--database-url", server.database_url, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_invited_people_get_in_until_they_are_revoked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link works in a browser at once, once, and no longer than the access."""
    monkeypatch.setenv("BENEFITS_URL", server.url)
    made = document(server, "invite", "Ada of the desk", "--role", "front-desk")
    assert made["link"].startswith(f"{server.url}/console/sign-in?token=")
    token = made["link"].partition("token=")[2]
    with httpx.Client(base_url=f"{server.url}/console", trust_env=False) as browser:
        sent = browser.post("/sign-in", data={"token": token}, headers=FROM_HERE)
        assert sent.headers["location"] == "/console/find"
        assert "Front desk" in browser.get("/find").text
        revoked = document(server, "revoke", "Ada of the desk")
        assert (revoked["id"], bool(revoked["revokedDate"])) == (made["user"]["id"], True)
        assert browser.get("/find").status_code == httpx.codes.SEE_OTHER
    assert made["user"]["id"] in {each["id"] for each in document(server, "list")["users"]}


def test_the_same_name_is_the_same_user(server: Server) -> None:
    """Who is invited again gets a new link; another role or address isn't slipped in."""
    first = document(server, "invite", "Grace", "--role", "manager", "--email", "G@gym.example")
    again = document(server, "invite", "Grace", "--role", "manager")
    assert first["user"] == again["user"]
    assert first["user"]["email"] == "g@gym.example"
    assert first["link"] != again["link"]
    where = ("--database-url", server.database_url)
    for other in (
        ("invite", "Grace", "--role", "reader"),
        ("invite", "Grace", "--role", "manager", "--email", "grace@gym.example"),
        ("invite", "Eve", "--role", "manager", "--email", "g@gym.example"),
    ):
        assert run("console", *other, *where).code == 2, other


def test_access_is_given_over_http(server: Server) -> None:
    """The same commands work at a service with a key; the link begins with its address."""
    made = document(server, "invite", "Ida", "--role", "manager")
    where = ("--url", server.url, "--api-key", FIRST_KEY, "--json")
    again = json.loads(run("console", "invite", "Ida", "--role", "manager", *where).out)
    assert again["link"].startswith(f"{server.url}/console/sign-in?token=")
    assert again["user"]["id"] == made["user"]["id"]
    assert run("console", "invite", "Ida", "--role", "manager", "--tenant", "1", *where).code == 2
    revoked = json.loads(run("console", "revoke", "Ida", *where).out)
    listed = json.loads(run("console", "list", *where).out)["users"]
    assert revoked["revokedDate"]
    assert revoked in listed
    assert run("console", "revoke", "nobody", *where).code == 5


def test_what_is_not_there_is_told(server: Server) -> None:
    """Unknown roles, tenants and users end with their codes, and say what is wrong."""
    where = ("--database-url", server.database_url)
    done = run("console", "invite", "Eve", "--role", "owner", *where)
    assert (done.code, "reader, front-desk, manager, operator" in done.err) == (2, True)
    done = run("console", "invite", "Eve", "--role", "reader", "--tenant", "999", *where)
    assert (done.code, "no tenant 999" in done.err) == (5, True)
    done = run("console", "revoke", "nobody", *where)
    assert (done.code, "no user 'nobody'" in done.err) == (5, True)


def test_a_first_start_prints_a_link() -> None:
    """The link stands alone on its line, to be clicked; later starts name the page."""
    url = "http://127.0.0.1:8080"
    first = start_text(url, Settings(), "bp_secret", "token-1").splitlines()
    assert f"    {url}/console/sign-in?token=token-1" in first
    later = start_text(url, Settings(), None)
    assert f"The console: {url}/console\n" in later


def test_links_of_a_server_that_listens_everywhere_open_on_this_machine(tmp_path: Path) -> None:
    """No browser opens 0.0.0.0: what is to be opened or called names the machine's own address."""
    everywhere = start_text("http://0.0.0.0:8080", Settings(), "bp_secret", "token-1")
    assert "Serving on http://0.0.0.0:8080\n" in everywhere
    assert "    http://127.0.0.1:8080/console/sign-in?token=token-1\n" in everywhere
    assert "=http://127.0.0.1:8080" in everywhere
    assert everywhere.count("0.0.0.0") == 1
    assert reachable(url_of("::", 8080)) == "http://[::1]:8080"
    where = ("--data-dir", str(tmp_path))
    assert run("migrate", *where).code == 0
    invite = ("console", "invite", "Ada", "--role", "reader", "--json")
    done = run_benefits(*invite, *where, BENEFITS_HOST="::")
    assert json.loads(done.stdout)["link"].startswith("http://[::1]:8080/console/sign-in?")
