"""The webhooks of a namespace are in its file, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benefit_programs.client import BenefitPrograms
from tests.cli.test_apply import steps_of

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

REDEEMED = "wix.benefit_programs.v1.pool_benefit_redeemed"
ENDED = "wix.benefit_programs.v1.pool_ended"
URL = "https://example.com/hooks"
OTHER = "https://example.com/other"

FILE = f"""\
namespace: gym
webhooks:
  - url: {URL}
    description: Deliver items
    eventTypes: [{REDEEMED}, {ENDED}]
  - url: {OTHER}
    format: JWT
    namespaces: []
    active: false
"""
ONE = f"namespace: gym\nwebhooks:\n  - url: {URL}\n"
NONE = "namespace: gym\nwebhooks: []\n"
NOTHING = {"applied": True, "steps": [], "left": []}


def endpoints(terminal: Terminal) -> dict[str, Any]:
    found = terminal.json("webhooks", "list")["webhookEndpoints"]
    return {each["url"]: each for each in found}


def test_file_makes_endpoints_once(terminal: Terminal) -> None:
    """Endpoints are made as the file says, their secrets shown once; again, nothing is to do."""
    made = terminal.apply(FILE)
    assert steps_of(made) == [f"create webhook {URL}", f"create webhook {OTHER}"]
    assert set(made["webhookSecrets"]) == {URL, OTHER}
    assert all(each.startswith("whsec_") for each in made["webhookSecrets"].values())
    found = endpoints(terminal)
    assert (found[URL]["description"], found[URL]["namespaces"]) == ("Deliver items", ["gym"])
    assert sorted(found[URL]["eventTypes"]) == sorted([REDEEMED, ENDED])
    assert (found[OTHER]["format"], found[OTHER]["status"]) == ("JWT", "INACTIVE")
    assert found[OTHER]["namespaces"] == []
    assert terminal.apply(FILE) == NOTHING
    shuffled = FILE.replace(f"{REDEEMED}, {ENDED}", f"{ENDED}, {REDEEMED}")
    assert terminal.apply(shuffled, "--prune") == NOTHING


def test_plan_shows_what_changes(terminal: Terminal) -> None:
    """A changed field is told with its old and its new value, and the endpoint stays the same."""
    terminal.apply(FILE)
    before = endpoints(terminal)[URL]
    changed = FILE.replace("    description: Deliver items\n", "    active: false\n")
    (step,) = terminal.apply(changed, "--dry-run")["steps"]
    assert (step["verb"], step["kind"], step["name"]) == ("change", "webhook", URL)
    assert step["changes"] == [
        {"field": "description", "old": "Deliver items", "new": None},
        {"field": "active", "old": True, "new": False},
    ]
    assert endpoints(terminal)[URL] == before
    terminal.apply(changed)
    after = endpoints(terminal)[URL]
    assert (after["id"], after.get("description"), after["active"]) == (before["id"], None, False)


def test_only_own_endpoints_are_pruned(terminal: Terminal) -> None:
    """What is for this namespace alone is removed; what serves others, or code, stays."""
    terminal.apply(FILE)
    assert terminal.apply(NONE)["left"] == [f"webhook {URL}"]
    assert steps_of(terminal.apply(NONE, "--prune")) == [f"remove webhook {URL}"]
    assert list(endpoints(terminal)) == [OTHER]


def test_file_without_webhooks_leaves_them(terminal: Terminal) -> None:
    """Without a list nothing is said of them, and nothing is removed."""
    terminal.apply(FILE)
    assert terminal.apply("namespace: gym\n", "--prune") == NOTHING
    assert len(endpoints(terminal)) == 2


def test_each_namespace_has_its_own(terminal: Terminal) -> None:
    """Files of two namespaces that name the same URL don't take each other's endpoint away."""
    terminal.apply(ONE)
    assert steps_of(terminal.apply(ONE.replace("gym", "spa"))) == [f"create webhook {URL}"]
    assert terminal.apply(ONE, "--prune") == NOTHING
    assert terminal.apply(ONE.replace("gym", "spa"), "--prune") == NOTHING


def test_export_writes_what_apply_reads(terminal: Terminal) -> None:
    """Endpoints for the namespace alone are exported, and applied without a change."""
    terminal.apply(FILE)
    document = terminal.json("export", "gym")
    assert document["webhooks"] == [
        {
            "url": URL,
            "description": "Deliver items",
            "eventTypes": sorted([REDEEMED, ENDED]),
        }
    ]
    assert terminal.apply(terminal.run("export", "gym").out, "--prune") == NOTHING


def test_functions_are_left_alone(alone: Terminal) -> None:
    """An endpoint that stands for a function of a process is none of the file's."""
    with BenefitPrograms.open(alone.folder / "data" / "benefits.sqlite3") as client:
        client.on_events("mail", print, namespaces=["gym"])
    assert alone.apply(NONE, "--prune") == NOTHING
    assert "webhooks" not in alone.json("export", "gym")


def test_wrong_webhooks_are_located(alone: Terminal) -> None:
    """Each problem is told with its line, and nothing is done."""
    wrong = f"{ONE}    eventTypes: [nothing]\n  - url: {URL}\n  - url: ftp://x\n    secret: x\n"
    done = alone.run("apply", alone.file(wrong), "--yes")
    assert done.code == 2
    for said in (":4:", ":5:", ":6:", ":7:", "webhooks[0].eventTypes[0]", "webhooks[2].secret"):
        assert said in done.err
    assert endpoints(alone) == {}


def test_terminal_shows_secrets(alone: Terminal) -> None:
    """People see the secret too, with the word that it isn't shown again."""
    done = alone.run("apply", alone.file(ONE), "--yes")
    assert f"Secret of {URL}: whsec_" in done.out
    assert done.out.endswith("Done: 1 created.\n")
