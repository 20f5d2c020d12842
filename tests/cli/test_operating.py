"""Keys, tenants and jobs by hand: on the database, and at a service with a key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benefit_programs.api.roles import READS
from benefit_programs.bootstrap import owner_grants
from tests.cli.test_by_hand import provision

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Done, Terminal
    from tests.support.service import Server

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

NOBODY = "00000000-0000-4000-8000-00000000ffff"


def test_key_lives(terminal: Terminal) -> None:
    """It is made for a role, listed without its secret, and revoked, wherever the directory is."""
    expires = ("--expires", "2100-01-01T00:00:00Z")
    made = terminal.json("keys", "create", "desk", "--role", "reader", *expires)
    key = made["key"]
    assert (key["permissionIds"], key["expiresDate"]) == (list(READS), "2100-01-01T00:00:00.000Z")
    assert key["identity"]["type"] == "WIX_USER"
    assert "createProgramDefinition" in made["refusedMethods"]
    listed = terminal.json("keys", "list")
    assert key in listed["keys"]
    assert made["secret"] not in json.dumps(listed)
    revoked = terminal.json("keys", "revoke", key["id"])
    assert revoked["revokedDate"]
    assert revoked in terminal.json("keys", "list")["keys"]
    assert terminal.run("keys", "revoke", NOBODY).code == 5


def test_jobs_are_looked_at(terminal: Terminal) -> None:
    """Listed, shown and waited for; what has ended well is neither retried nor canceled."""
    provision(terminal)
    (job,) = [each["id"] for each in terminal.json("jobs", "list")["jobs"]]
    assert terminal.json("jobs", "list", "--unfinished")["jobs"] == []
    shown = json.loads(terminal.run("jobs", "show", job, "--wait").out)
    assert (shown["status"], shown["successCount"]) == ("FINISHED", 1)
    for verb in ("retry", "cancel"):
        refused = terminal.run("jobs", verb, job)
        assert refused.code in {2, 7}
        assert "JOB_NOT_" in refused.err
    assert terminal.run("jobs", "show", NOBODY).code == 5


def test_tenant_is_made_far_from_the_database(server: Server, command: Callable[..., Done]) -> None:
    """A key of the installation makes it, and its first key, which opens it alone."""
    where = ("--url", server.url, "--api-key", server.make_key(owner_grants()), "--json")
    site = json.loads(command("tenants", "create", "Second", *where).out)["siteId"]
    assert site in command("tenants", "list", *where).out
    made = command("keys", "create", "first", "--site-id", site, *where)
    key = json.loads(made.out)["secret"]
    here = ("--url", server.url, "--json")
    listed = json.loads(command("programs", "list", *here, "--api-key", key).out)
    assert listed["programs"] == []
    refused = command("keys", "list", *here, "--api-key", key)
    assert refused.code == 9, "who doesn't say so doesn't operate"


def test_the_place_is_said_once(server: Server, command: Callable[..., Done]) -> None:
    """A service has no numbers of tenants, no folder and no database; nothing is done."""
    key = server.make_key()
    where = ("--url", server.url, "--api-key", key)
    for arguments in (
        ("keys", "create", "k", "--tenant", "1"),
        ("jobs", "list", "--tenant", "1"),
        ("tenants", "list", "--data-dir", "data"),
        ("jobs", "list", "--database-url", "sqlite:///data"),
    ):
        done = command(*arguments, *where)
        assert (done.code, "--site-id" in done.err) == (2, True), arguments
    assert len(json.loads(command("keys", "list", "--json", *where).out)["keys"]) == 1
    assert command("keys", "list", "--url", server.url).code == 2
