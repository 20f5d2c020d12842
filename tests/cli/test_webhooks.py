"""Webhooks and events by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from benefit_programs.client import Webhook
from tests.cli.test_by_hand import provision

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal
    from tests.support.receiver import Receiver

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

REDEEMED = "wix.benefit_programs.v1.pool_benefit_redeemed"
NOBODY = "00000000-0000-4000-8000-00000000ffff"
URL = "https://example.com/hooks"
BENEFITS = (sys.executable, "-m", "benefit_programs")


def test_endpoint_lives(terminal: Terminal) -> None:
    """It is made with its secret, listed, shown, changed, and deleted."""
    created = terminal.json(
        *("webhooks", "create", URL, "--event-type", REDEEMED, "--namespace", "gym", "--inactive")
    )
    endpoint = created["webhookEndpoint"]
    assert created["secret"].startswith("whsec_")
    (listed,) = terminal.json("webhooks", "list", "--status", "INACTIVE")["webhookEndpoints"]
    shown = terminal.json("webhooks", "show", endpoint["id"])
    assert listed == shown["webhookEndpoint"] == endpoint
    assert shown["progress"]["cursor"]
    options = ("--active", "--description", "Items", "--event-type", "", "--format", "JWT")
    changed = terminal.json("webhooks", "update", endpoint["id"], *options)
    assert (changed["status"], changed["description"], changed["format"]) == (
        "ACTIVE",
        "Items",
        "JWT",
    )
    assert (changed["eventTypes"], changed["namespaces"]) == ([], ["gym"])
    assert "ACTIVE" in terminal.run("webhooks", "list").out
    assert terminal.run("webhooks", "delete", endpoint["id"]).code == 2
    assert terminal.run("webhooks", "delete", endpoint["id"], "--yes").code == 0
    assert terminal.run("webhooks", "show", endpoint["id"]).code == 5


def test_secret_is_shown_once(terminal: Terminal) -> None:
    """The terminal gets the secret of a new endpoint and of a rotation, and no list has it."""
    made = terminal.run("webhooks", "create", URL)
    (secret,) = (line for line in made.out.splitlines() if line.startswith("whsec_"))
    listed = terminal.json("webhooks", "list")
    (endpoint,) = listed["webhookEndpoints"]
    assert secret not in json.dumps(listed)
    rotated = terminal.run("webhooks", "rotate-secret", endpoint["id"], "--keep-old-hours", "0")
    assert rotated.out.startswith("whsec_")
    assert secret not in rotated.out


def test_deliveries_are_seen_and_made_again(terminal: Terminal, receiver: Receiver) -> None:
    """A test is sent; the log shows what was delivered, and events are delivered again."""
    provision(terminal)
    created = terminal.json("webhooks", "create", receiver.url)
    endpoint = created["webhookEndpoint"]["id"]
    tested = terminal.json("webhooks", "test", endpoint)
    assert (tested["success"], tested["attempt"]["statusCode"]) == (True, 200)
    (taken,) = (each for each in receiver.taken if each.event["slug"] == "tested")
    assert Webhook.verify(taken.headers, taken.body, created["secret"]).slug == "tested"
    replayed = terminal.json("webhooks", "replay", endpoint, "--since", "2020-01-01T00:00:00Z")
    assert replayed == {"count": 0}
    program = terminal.json("programs", "list")["programs"][0]["id"]
    since = ("--since", "2020-01-01T00:00:00Z", "--entity-id", program)
    assert terminal.json("webhooks", "replay", endpoint, *since) == {"count": 2}
    deliveries = terminal.json("webhooks", "deliveries", "--endpoint", endpoint)
    found = [each for each in deliveries["webhookDeliveries"] if each["origin"] == "REPLAY"]
    assert [each["entityId"] for each in found] == [program] * 2
    assert terminal.run("webhooks", "resend", found[0]["id"]).code == 0
    assert terminal.run("webhooks", "resend", NOBODY).code == 5
    assert found[0]["id"] in terminal.run("webhooks", "deliveries").out


def test_keys_are_shown_and_rotated(terminal: Terminal) -> None:
    """The first endpoint of the format JWT has a key made; a rotation puts another before it."""
    assert terminal.json("webhooks", "keys") == {"webhookKeys": []}
    terminal.json("webhooks", "create", URL, "--format", "JWT")
    (first,) = terminal.json("webhooks", "keys")["webhookKeys"]
    (second,) = terminal.json("webhooks", "rotate-key", "--yes")["webhookKeys"]
    keys = terminal.json("webhooks", "keys")["webhookKeys"]
    assert [each["id"] for each in keys] == [second["id"], first["id"]]
    assert second["publicKey"].strip() in terminal.run("webhooks", "keys").out


def test_wrong_usage_is_told(terminal: Terminal) -> None:
    """What can't be is told in one line, by the name of its field or option."""
    wrong = terminal.run("webhooks", "create", "in-process:mail", "--event-type", "nothing")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "webhookEndpoint.url" in wrong.err
    assert "eventTypes[0]" in wrong.err
    endpoint = terminal.json("webhooks", "create", URL)["webhookEndpoint"]["id"]
    assert terminal.run("webhooks", "update", endpoint).code == 2
    odd = terminal.run("webhooks", "create", URL, "--format", "XML")
    assert (odd.code, "webhookEndpoint.format" in odd.err) == (2, True)
    assert terminal.run("webhooks", "replay", endpoint, "--since", "yesterday").code == 2


def test_events_are_lines(terminal: Terminal) -> None:
    """Each event is a line of JSON as the API has it; the cursor leads on."""
    provision(terminal)
    listed = terminal.run("events", "list")
    events = [json.loads(line) for line in listed.out.splitlines()]
    assert events[0]["entityFqdn"] == "wix.benefit_programs.v1.program_definition"
    assert (events[0]["slug"], events[0]["entityEventSequence"]) == ("created", "1")
    assert events[0]["createdEvent"]["entity"]["externalId"] == "gold"
    cursor = listed.err.split()[-1]
    assert terminal.run("events", "list", "--cursor", cursor).out == ""
    chosen = terminal.run("events", "list", "--event-type", REDEEMED.replace("redeemed", "x"))
    assert chosen.code == 2
    program = next(each["entityId"] for each in events if each["slug"] == "provisioned")
    of_one = terminal.run("events", "list", "--entity-id", program).out.splitlines()
    assert {json.loads(line)["entityId"] for line in of_one} == {program}


def test_events_are_followed(alone: Terminal) -> None:
    """Following prints what there is, and ends at Ctrl+C with the cursor to go on from."""
    alone.json("program-definitions", "create", "gym", "gold")
    follow = subprocess.Popen(
        [*BENEFITS, "events", "follow", "--from-start", *alone.where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        assert follow.stdout is not None
        line = json.loads(follow.stdout.readline())
        assert line["createdEvent"]["entity"]["externalId"] == "gold"
        follow.send_signal(signal.SIGINT)
        _, errors = follow.communicate(timeout=30)
    finally:
        follow.kill()
    assert follow.returncode == 0, errors
    alone.json("program-definitions", "create", "gym", "silver")
    place = errors.strip().removeprefix("Go on with: ")
    options = place.split() if place.startswith("--cursor") else []
    after = alone.run("events", "list", *options).out.splitlines()
    names = [json.loads(each)["createdEvent"]["entity"]["externalId"] for each in after]
    # Ctrl+C may come right after the page was printed: then it comes again.
    assert names == (["silver"] if options else ["gold", "silver"]), errors
