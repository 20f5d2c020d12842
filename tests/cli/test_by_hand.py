"""What a person does by hand: commands show it, do it, and end with the code they promise."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Done, Terminal
from tests.cli.files import APP, GYM
from tests.support.serving import run_benefits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.service import Server

MEMBER = "5e0c9a52-7a80-4d3b-9c6f-0d8f5b1f4a11"
NOBODY = "00000000-0000-4000-8000-00000000ffff"


def provision(terminal: Terminal) -> str:
    """A member's program, and the id of its pool."""
    terminal.apply(GYM)
    options = ("--definition", "gold", "--member", MEMBER)
    terminal.json("programs", "provision", "gym", "membership-17", *options)
    (pool,) = terminal.json("pools", "list", "--member", MEMBER)["pools"]
    return str(pool["id"])


def test_credits_are_spent_and_given_back(terminal: Terminal) -> None:
    """From the definitions to a canceled redemption, each command tells the ids for the next."""
    pool = provision(terminal)
    eligible = ("eligible", "gym", "--item", "towel-1", "--provider-app", APP, "--member", MEMBER)
    (benefit,) = terminal.json(*eligible)["eligibleBenefits"]
    assert (benefit["poolId"], benefit["price"]) == (pool, "2.5")
    redeemed = terminal.json("redeem", pool, "towel", "--item", "towel-1", "--count", "4")
    assert redeemed["available"] == "90.5"
    reason = ("--reason", "the class was canceled")
    canceled = terminal.json("cancel-redemption", redeemed["transactionId"], *reason)
    assert canceled["amount"] == "10"
    shown = terminal.json("balances", "show", pool)
    assert shown["amount"]["available"] == "100.5"
    listed = terminal.json("transactions", "list", "--pool-id", pool)["transactions"]
    assert [each["amount"] for each in listed] == ["10", "10", "100.5"]
    assert terminal.json("transactions", "show", listed[0]["id"]) == listed[0]
    told = terminal.json("audit", "list", "--pool-id", pool)["auditEntries"]
    assert [(each["method"], each.get("reason")) for each in told] == [
        ("cancelRedemption", reason[1]),
        ("redeemBenefit", None),
    ]


def test_credits_are_held_and_captured(terminal: Terminal) -> None:
    """A reservation is made, shown, captured in part and canceled; each tells what is left."""
    pool = provision(terminal)
    options = ("--item", "towel-1", "--count", "4", "--expires-after", "PT2H")
    reserved = terminal.json("reservations", "reserve", pool, "towel", *options)
    held = reserved["reservation"]
    assert (held["status"], held["held"], reserved["available"]) == ("OPEN", "10", "90.5")
    assert terminal.json("reservations", "show", held["id"]) == held
    captured = terminal.json("reservations", "capture", held["id"], "--count", "1", "--keep-rest")
    assert (captured["reservation"]["heldCount"], captured["available"]) == (3, "90.5")
    canceled = terminal.json("reservations", "cancel", held["id"])
    assert (canceled["reservation"]["status"], canceled["available"]) == ("CANCELED", "98")
    listed = terminal.json("reservations", "list", "--pool-id", pool, "--status", "CANCELED")
    assert [each["id"] for each in listed["reservations"]] == [held["id"]]


def test_whichever_pays_moves_and_comes_back(terminal: Terminal) -> None:
    """The first benefit pays, another pool takes over, and the reference takes all back."""
    pool = provision(terminal)
    options = ("--definition", "gold", "--member", MEMBER)
    terminal.json("programs", "provision", "gym", "membership-18", *options)
    pools = terminal.json("pools", "list", "--member", MEMBER)["pools"]
    (other,) = [each["id"] for each in pools if each["id"] != pool]
    words = ("redeem-eligible", "gym", "--item", "towel-1", "--provider-app", APP, "--count", "4")
    assert terminal.run(*words).code == 2
    named = ("--member", MEMBER, "--external-reference", "booking:1")
    (paid,) = terminal.json(*words, *named)["redemptions"]
    assert (paid["poolId"], paid["count"], paid["amount"]) == (pool, 4, "10")
    part = terminal.json("cancel-redemption", paid["transactionId"], "--total", "1")
    assert (part["amount"], part["forfeited"], part["totalCount"]) == ("2.5", "0", 1)
    moved = terminal.json("move-redemption", paid["transactionId"], other)
    assert moved["returned"] == "7.5"
    results = terminal.json("cancel-by-reference", "gym", "booking:1")["results"]
    assert [each["status"] for each in results] == ["ALREADY_CANCELED", "CANCELED"]
    assert results[1]["transactionId"] == moved["transactionId"]
    balances = [terminal.json("balances", "show", each)["amount"] for each in (pool, other)]
    assert [each["available"] for each in balances] == ["100.5", "100.5"]


def test_balance_is_changed_by_hand(terminal: Terminal) -> None:
    """Credits are added, taken with a number below 0, and set; the reason is kept."""
    pool = provision(terminal)
    assert (
        terminal.json("balances", "adjust", pool, "2")["balance"]["amount"]["available"] == "102.5"
    )
    taken = terminal.json("balances", "adjust", pool, "-2.25", "--reason", "Broken towel")
    assert taken["balance"]["amount"]["available"] == "100.25"
    transaction = terminal.json("transactions", "show", taken["transactionId"])
    assert transaction["details"]["reason"] == "Broken towel"
    assert terminal.json("balances", "set", pool, "7")["balance"]["amount"]["available"] == "7"


def test_program_lives_and_ends(terminal: Terminal) -> None:
    """A program is paused, resumed, renewed and ended; each command shows what it is then."""
    provision(terminal)
    named = ("membership-17", "--namespace", "gym")
    seen = [
        terminal.json("programs", *words)["program"]["status"]
        for words in [
            ("pause", *named),
            ("resume", *named),
            ("renew", *named),
            ("end", *named, "--yes"),
        ]
    ]
    assert seen == ["PAUSED", "ACTIVE", "ACTIVE", "ENDED"]
    assert terminal.json("programs", "show", *named)["status"] == "ENDED"
    assert terminal.json("programs", "list", "--status", "ACTIVE")["programs"] == []


def test_definitions_are_made_shown_and_deleted(alone: Terminal) -> None:
    """A program definition is made, found by both of its ids, and deleted."""
    made = alone.json("program-definitions", "create", "gym", "gold", "--display-name", "Gold")
    assert alone.json("program-definitions", "show", made["id"]) == made
    assert alone.json("program-definitions", "show", "gold", "--namespace", "gym") == made
    gone = alone.json("program-definitions", "delete", "gold", "--namespace", "gym", "--yes")
    assert gone == {"deleted": made["id"]}
    assert alone.json("program-definitions", "list")["programDefinitions"] == []


def test_tables_are_for_people(alone: Terminal) -> None:
    """Tables show whole ids and amounts, and say if there is more than they show."""
    pool = provision(alone)
    balance = alone.run("balances", "show", pool).out
    assert (pool in balance, "100.5" in balance, MEMBER in balance) == (True, True, True)
    pool_definition = alone.run("pool-definitions", "list").out
    assert "towel, sauna" in pool_definition
    assert "gold, silver" in pool_definition
    shown = alone.json("pool-definitions", "list")["poolDefinitions"][0]
    assert f"{shown['details']['benefits'][0]['itemSetId']}" in (
        alone.run("pool-definitions", "show", shown["id"]).out
    )
    listed = alone.run("program-definitions", "list", "--limit", "1").out
    assert "Only the first 1 are shown; --limit N shows more." in listed
    assert pool in alone.run("pools", "list").out
    assert "membership-17" in alone.run("programs", "list").out


def test_key_of_ones_own_is_done_once(alone: Terminal) -> None:
    """A redemption that is run again with its key is refused, and names the first one."""
    pool = provision(alone)
    words = ("redeem", pool, "towel", "--item", "towel-1", "--idempotency-key", "order-1")
    first = alone.json(*words)["transactionId"]
    again = alone.run(*words)
    assert (again.code, first in again.err) == (7, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["pools", "show", NOBODY], 5, "POOL_NOT_FOUND"),
        (["pools", "show", "x"], 2, "poolId: must be a valid GUID"),
        (["redeem", "POOL", "swim", "--item", "x"], 2, "its benefits: towel, sauna"),
        (["redeem", "POOL", "towel", "--item", "x"], 5, "BENEFIT_NOT_FOUND"),
        (
            ["redeem", "POOL", "towel", "--item", "towel-1", "--count", "50"],
            7,
            "NOT_ENOUGH_BALANCE",
        ),
        (["redeem", "POOL", "towel", "--item", "towel-1", "--target-date", "now"], 2, "zone"),
        (["balances", "adjust", "POOL", "much"], 2, "must be a valid DECIMAL"),
        (["programs", "provision", "gym", "x", "--definition", "gold"], 2, "for whom?"),
        (["programs", "provision", "gym", "x", "--member", MEMBER], 2, "use one of"),
        (["pools", "list", "--member", MEMBER, "--visitor", MEMBER], 2, "only one of"),
        (["programs", "end", "membership-17", "--namespace", "gym"], 2, "use --yes"),
        (
            ["programs", "resume", "membership-17", "--namespace", "gym"],
            7,
            "TRANSITION_NOT_ALLOWED",
        ),
    ],
)
def test_refusals_end_with_their_code(
    alone: Terminal, words: list[str], code: int, said: str
) -> None:
    """A command that can't be done ends with the code of its kind, and one line says why."""
    pool = provision(alone)
    done = alone.run(*(pool if word == "POOL" else word for word in words))
    assert (done.code, done.err.count("\n"), done.out) == (code, 1, "")
    assert said in done.err


def test_service_must_be_reached(command: Callable[..., Done], tmp_path: Path) -> None:
    """Without an answer, a key or a database, a command says which of them is missing."""
    nowhere = command("pools", "list", "--url", "http://127.0.0.1:1", "--api-key", "k")
    assert (nowhere.code, "nothing was done" in nowhere.err) == (8, True)
    keyless = command("pools", "list", "--url", "http://127.0.0.1:1")
    assert (keyless.code, "BENEFITS_API_KEY" in keyless.err) == (2, True)
    empty = command("pools", "list", "--data-dir", str(tmp_path / "none"))
    assert (empty.code, "benefits migrate" in empty.err) == (3, True)
    assert not (tmp_path / "none").exists()
    both = command("pools", "list", "--url", "http://127.0.0.1:1", "--data-dir", str(tmp_path))
    assert (both.code, "use one" in both.err) == (2, True)


def test_person_is_erased(terminal: Terminal) -> None:
    """A member's program ends and is a pseudonym's, which the command tells."""
    provision(terminal)
    erased = terminal.json("beneficiaries", "erase", "--member", MEMBER, "--yes")
    (program,) = terminal.json("programs", "list")["programs"]
    assert program["beneficiary"]["memberId"] == erased["beneficiary"]["memberId"] != MEMBER
    assert program["status"] == "ENDED"


def test_what_is_kept_is_exported(terminal: Terminal) -> None:
    """The file has one JSON object a line, is never written over, and is its owner's to read."""
    pool = provision(terminal)
    file = terminal.folder / "kept.jsonl"
    answer = terminal.json("beneficiaries", "export", str(file), "--member", MEMBER)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert answer == {"file": str(file), "records": len(lines)}
    assert lines[0]["program"]["externalId"] == "membership-17"
    (balance,) = [each["balance"] for each in lines if "balance" in each]
    assert (balance["id"], balance["amount"]["available"]) == (pool, "100.5")
    assert file.stat().st_mode & 0o077 == 0
    again = terminal.run("beneficiaries", "export", str(file), "--member", MEMBER)
    assert (again.code, "exists already" in again.err) == (2, True)


def test_visitor_becomes_a_member(terminal: Terminal) -> None:
    """What a visitor had is the member's; both must be named."""
    visitor = "9a0c9a52-7a80-4d3b-9c6f-0d8f5b1f4a12"
    terminal.apply(GYM)
    options = ("--definition", "gold", "--visitor", visitor)
    terminal.json("programs", "provision", "gym", "membership-18", *options)
    merged = terminal.json("beneficiaries", "merge", "--visitor", visitor, "--member", MEMBER)
    assert set(merged) == {"jobId"}
    (pool,) = terminal.json("pools", "list", "--member", MEMBER)["pools"]
    assert pool["beneficiary"]["memberId"] == MEMBER
    alone = terminal.run("beneficiaries", "merge", "--visitor", visitor)
    assert (alone.code, "--member" in alone.err) == (2, True)


@pytest.mark.parametrize(
    ("url", "key", "named"),
    [("127.0.0.1:8080", "hush", "base_url"), ("http://127.0.0.1:1", "hush\r", "api_key")],
)
def test_useless_address_or_key_is_told(
    command: Callable[..., Done], url: str, key: str, named: str
) -> None:
    """An address or a key that can't be used is a wrong option; the key isn't repeated."""
    done = command("pools", "list", "--url", url, "--api-key", key)
    assert (done.code, done.err.count("\n"), named in done.err) == (2, 1, True)
    assert "hush" not in done.err


def test_wrong_key_is_told(server: Server, command: Callable[..., Done]) -> None:
    """A key that the service doesn't know ends a command with a code of its own."""
    done = command("pools", "list", "--url", server.url, "--api-key", "unknown")
    assert (done.code, "UNAUTHENTICATED" in done.err) == (9, True)


def test_environment_names_the_service(server: Server) -> None:
    """The address and the key may stand in the environment, and completion can be installed."""
    variables = {"BENEFITS_URL": server.url, "BENEFITS_API_KEY": server.make_key()}
    done = run_benefits("pools", "list", "--json", **variables)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"pools": [], "hasMore": False})
    assert done.stderr == ""
    assert "--install-completion" in run_benefits("--help").stdout


def test_it_is_shown_where_credits_went(terminal: Terminal) -> None:
    """A member's pools, a pool's statement, and that of all pools, also as CSV."""
    pool = provision(terminal)
    terminal.json("redeem", pool, "towel", "--item", "towel-1", "--count", "4")
    overview = terminal.json("members", "show", MEMBER)
    assert overview["programs"][0]["pools"][0]["id"] == pool
    statement = terminal.json("statement", pool, "--from", "2026-01-01T00:00:00Z")
    assert statement["summary"]["figures"]["redeemed"] == "10"
    lines = terminal.run("statement", pool, "--csv").out.splitlines()
    assert [line.split(",")[1] for line in lines] == ["figure", "PROVISIONED", "REDEEMED"]
    since = ("--from", "2026-01-01T00:00:00Z")
    whole = terminal.json("statements", *since, "--namespace", "gym")
    assert whole["periods"][-1]["closing"]["available"] == "90.5"
    table = terminal.run("statements", *since, "--csv").out.splitlines()
    assert table[-1].endswith(",90.5")
