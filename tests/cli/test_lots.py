"""``benefits lots``, and the file of definitions with credits that expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.files import APP

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

CLUB = f"""\
namespace: club
poolDefinitions:
  - key: classes
    creditConfiguration:
      amount: 10
      expiresAfter: P1M
      validOn: TARGET_DATE
      returnsLive: P3D
      lapseAtEnd: true
      rolloverConfiguration: {{enabled: true, percent: 50, expiresAfter: P7D}}
    benefits:
      - benefitKey: class
        providerAppId: {APP}
        price: 1
        cancellationTerms:
          - {{before: PT24H, percent: 100}}
"""


def test_a_file_says_when_credits_expire(terminal: Terminal) -> None:
    """The fields arrive as they are written, and a second time nothing is left to do."""
    terminal.apply(CLUB)
    (found,) = terminal.json("pool-definitions", "list")["poolDefinitions"]
    assert found["details"]["creditConfiguration"] == {
        "amount": "10",
        "expiresAfter": "P1M",
        "validOn": "TARGET_DATE",
        "returnsLive": "P3D",
        "lapseAtEnd": True,
        "rolloverConfiguration": {"enabled": True, "percent": "50", "expiresAfter": "P7D"},
    }
    assert terminal.apply(CLUB, "--prune") == {"applied": True, "steps": [], "left": []}


def test_lots_are_handled_from_the_terminal(terminal: Terminal) -> None:
    """Grant, list, find, change and end a pack."""
    terminal.apply(CLUB)
    (definition,) = terminal.json("pool-definitions", "list")["poolDefinitions"]
    chosen = ("--pool-definition-id", definition["id"])
    terminal.json("programs", "provision", "club", "ada", *chosen, "--member", APP)
    (pool,) = terminal.json("pools", "list")["pools"]
    options = ("--expires-after", "P1Y", "--name", "Pack", "--idempotency-key", "order 1")
    granted = terminal.json("lots", "grant", pool["id"], "5", *options)
    lot_id = granted["lot"]["id"]
    assert granted["balance"]["amount"]["available"] == "15"
    rows = terminal.json("lots", "list", pool["id"])["lots"]
    assert [each.get("displayName") for each in rows] == [None, "Pack", None]
    query = ("--status", "LIVE", "--expires-before", "2100-01-01T00:00:00Z", "--member", APP)
    assert len(terminal.json("lots", "query", *query)["lots"]) == 2
    updated = terminal.json("lots", "update", lot_id, "--priority", "1", "--never-expires")
    assert (updated["priority"], "expirationDate" in updated) == (1, False)
    ended = terminal.json("lots", "expire", lot_id)
    assert ended["lot"]["status"] == "EXPIRED"
    assert terminal.json("lots", "show", lot_id)["available"] == "0"
