"""``benefits clock``, and the sandboxes that ``benefits tenants create`` makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import run

if TYPE_CHECKING:
    from tests.support.service import Server


def document(*arguments: str) -> Any:
    done = run(*arguments)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_clock_of_a_sandbox_is_set(server: Server) -> None:
    """With a key of the sandbox; with another one nothing is."""
    database = ("--database-url", server.database_url, "--json")
    made = document("tenants", "create", "rehearsal", "--sandbox", *database)
    assert made["sandbox"] is True
    listed = document("tenants", "list", *database)["tenants"]
    assert {each["id"] for each in listed if each["sandbox"]} == {made["id"]}
    key = document("keys", "create", "tests", "--tenant", str(made["id"]), *database)["secret"]
    sandbox = ("--url", server.url, "--api-key", key)
    assert document("clock", "set", "2040-01-31T09:00:00Z", *sandbox)["date"][:4] == "2040"
    assert document("clock", "advance", "P1Y", *sandbox)["date"][:4] == "2041"
    assert document("clock", "show", *sandbox)["date"][:4] == "2041"
    done = run("clock", "show", "--url", server.url, "--api-key", server.key)
    assert (done.code, "NOT_A_SANDBOX" in done.err) == (7, True)


def test_dates_need_a_zone(server: Server) -> None:
    """A date that could be meant in any zone is refused before anything is asked."""
    done = run("clock", "set", "2040-01-31", "--url", server.url, "--api-key", server.key)
    assert (done.code, "2026-12-01T10:00:00Z" in done.err) == (2, True)


def test_settings_make_no_sandbox(server: Server) -> None:
    """A tenant is a sandbox from its beginning, or never."""
    done = run("settings", "set", "isSandbox=true", "--database-url", server.database_url)
    assert (done.code, "isSandbox" in done.err) == (2, True)
