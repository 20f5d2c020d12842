"""A namespace looks like its file after `benefits apply`, and a file is written back by export."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from benefit_programs.client import Benefit, BenefitPrograms, Details
from tests.cli.conftest import Terminal
from tests.cli.files import APP, GYM

ENGINES = ["sqlite"]
"""What commands say doesn't depend on the store."""

MEMBER = "5e0c9a52-7a80-4d3b-9c6f-0d8f5b1f4a11"
KEYLESS = "An older one"


def steps_of(answer: Any) -> list[str]:
    return [f"{each['verb']} {each['kind']} {each['name']}" for each in answer["steps"]]


def exported(terminal: Terminal) -> str:
    done = terminal.run("export", "gym")
    assert done.code == 0, done.err
    return done.out


def make_keyless(terminal: Terminal) -> str:
    """A pool definition that no file has made."""
    database = terminal.folder / "data" / "benefits.sqlite3"
    with BenefitPrograms.open(database) as client:
        made = client.pool_definitions.create(
            namespace="gym", details=_no_benefits(), display_name=KEYLESS
        )
    return made.id


def _no_benefits() -> Any:
    return Details(benefits=[Benefit(benefit_key="class", provider_app_id=APP)])


def test_second_time_nothing_is_left_to_do(terminal: Terminal) -> None:
    """A file makes what it names; applied again, and applied as it is exported, nothing changes."""
    made = terminal.apply(GYM)
    assert steps_of(made) == [
        "create program definition gold",
        "create program definition silver",
        "create pool definition tokens",
        "create items tokens/towel",
    ]
    nothing = {"applied": True, "steps": [], "left": []}
    assert terminal.apply(GYM, "--prune") == nothing
    assert terminal.apply(exported(terminal), "--prune") == nothing


def test_what_was_made_is_what_the_file_says(terminal: Terminal) -> None:
    """Amounts, words, numbers and references arrive as they are written."""
    terminal.apply(GYM)
    (found,) = terminal.json("pool-definitions", "list")["poolDefinitions"]
    details = found["details"]
    assert details["creditConfiguration"]["amount"] == "100.5"
    assert details["additionalData"] == {"ratio": 0.5, "no": "no"}
    assert [each.get("price") for each in details["benefits"]] == ["2.5", None]
    places = sorted(each["externalId"] for each in found["programDefinitions"])
    assert places == ["gold", "silver"]
    document = terminal.json("export", "gym")
    assert document["poolDefinitions"][0]["benefits"][0]["items"] == [
        {"externalId": "towel-1", "displayName": "Small towel"},
        {"externalId": "towel-1", "category": "large"},
    ]


def test_changes_are_told_field_by_field(terminal: Terminal) -> None:
    """A plan names each field with its old and its new value, before anything is done."""
    terminal.apply(GYM)
    changed = (
        GYM.replace("price: 2.5", "price: 3")
        .replace("    description: What towels cost.\n", "")
        .replace("Small towel", "Towel")
        .replace("level: 2", "level: 3")
    )
    dry = terminal.json("apply", terminal.file(changed), "--dry-run")
    assert [(each["name"], each["cascade"], each["changes"]) for each in dry["steps"]] == [
        ("gold", None, [{"field": "extendedFields.@gym/club.level", "old": 2, "new": 3}]),
        (
            "tokens",
            "IMMEDIATELY",
            [
                {"field": "description", "old": "What towels cost.", "new": None},
                {"field": "benefits.towel.price", "old": "2.5", "new": "3"},
            ],
        ),
        (
            "towel-1 in tokens/towel",
            None,
            [{"field": "displayName", "old": "Small towel", "new": "Towel"}],
        ),
    ]
    assert terminal.apply(GYM)["steps"] == []
    assert terminal.apply(changed)["steps"] == dry["steps"]
    assert terminal.apply(changed)["steps"] == []


def test_without_prune_nothing_is_removed(terminal: Terminal) -> None:
    """What a file doesn't name is told and stays; with --prune it goes, and the plan says so."""
    terminal.apply(GYM)
    before = exported(terminal)
    smaller = GYM.replace("  - externalId: silver\n", "").replace(", silver]", "]")
    smaller = smaller.partition("          - externalId: towel-1\n            category")[0]
    kept = terminal.apply(smaller)
    assert kept["steps"] == []
    assert kept["left"] == [
        "benefit sauna of pool definition tokens",
        "pool definition tokens in program definition silver",
        "1 item of tokens/towel",
        "program definition silver",
    ]
    assert exported(terminal) == before
    removed = terminal.apply(smaller, "--prune")
    assert steps_of(removed) == [
        "change pool definition tokens",
        "remove items tokens/towel",
        "remove program definition silver",
    ]
    assert terminal.apply(smaller, "--prune")["steps"] == []
    emptied = terminal.apply("namespace: gym", "--prune")
    assert steps_of(emptied) == ["remove pool definition tokens", "remove program definition gold"]
    assert exported(terminal) == "namespace: gym\nprogramDefinitions: []\npoolDefinitions: []\n"


def test_prune_keeps_to_its_namespace(alone: Terminal) -> None:
    """Other namespaces are none of a file's business."""
    alone.apply(GYM)
    alone.apply("namespace: spa", "--prune")
    assert alone.apply(GYM, "--prune")["steps"] == []


def test_nothing_is_done_without_consent(alone: Terminal) -> None:
    """Where nobody can be asked, a file is shown and not applied."""
    done = alone.run("apply", alone.file(GYM))
    assert (done.code, done.out) == (2, "")
    assert "  + pool definition tokens (cascade IMMEDIATELY)\n" in done.err
    assert "use --yes" in done.err
    assert alone.json("program-definitions", "list")["programDefinitions"] == []


def test_plan_shows_what_new_things_cost(alone: Terminal) -> None:
    """A plan has the prices, amounts and caps of what it makes, and of what it removes."""
    told = [
        "  {} pool definition tokens (cascade IMMEDIATELY)",
        '      displayName: "Tokens"',
        '      description: "What towels cost."',
        '      programDefinitions.gold: "assigned"',
        '      programDefinitions.silver: "assigned"',
        '      creditConfiguration.amount: "100.5"',
        "      creditConfiguration.rolloverConfiguration.enabled: true",
        '      creditConfiguration.rolloverConfiguration.balanceCap: "20"',
        '      benefits.towel.price: "2.5"',
        "      benefits.towel.policyExpression.policyOptions.rateLimitedOptions.times: 60",
        f'      benefits.sauna.providerAppId: "{APP}"',
    ]
    made = alone.run("apply", alone.file(GYM), "--yes").err.splitlines()
    assert [line for line in told if line.format("+") not in made] == []
    emptied = "namespace: gym\ncascade: IMMEDIATELY"
    gone = alone.run("apply", alone.file(emptied), "--prune", "--dry-run").err.splitlines()
    assert [line for line in told if line.format("-") not in gone] == []


def test_prune_says_what_no_file_has_made(alone: Terminal) -> None:
    """Whoever prunes sees which pool definitions others have made, and nothing goes unasked."""
    made = make_keyless(alone)
    file = alone.file("namespace: gym")
    refused = alone.run("apply", file, "--prune")
    assert (refused.code, "use --yes" in refused.err) == (2, True)
    assert (
        f"  - pool definition {made} (cascade FUTURE_PROVISIONS, not made from a file)\n"
        f'      displayName: "{KEYLESS}"\n'
    ) in refused.err
    assert made in alone.run("pool-definitions", "list").out
    assert alone.run("apply", file, "--prune", "--yes").code == 0
    assert alone.json("pool-definitions", "list")["poolDefinitions"] == []


def test_question_counts_what_will_be_gone(
    alone: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who is asked hears how much goes; a no leaves everything as it is."""
    alone.apply(GYM)
    before = exported(alone)
    monkeypatch.setattr("os.isatty", lambda _: True)
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    refused = alone.run("apply", alone.file("namespace: gym"), "--prune")
    assert refused.code == 1
    question = "Remove 1 pool definition, 2 program definitions, whoever made them, and go on?"
    assert question in refused.err
    assert exported(alone) == before


@pytest.mark.parametrize(("cascade", "price"), [("IMMEDIATELY", "3"), ("FUTURE_PROVISIONS", "2.5")])
def test_cascade_of_a_definition_counts(alone: Terminal, cascade: str, price: str) -> None:
    """The cascade of a pool definition says whether its pools follow, else that of the file."""
    alone.apply(GYM)
    options = ("--definition", "gold", "--member", MEMBER)
    alone.json("programs", "provision", "gym", "membership-17", *options)
    changed = GYM.replace("price: 2.5", "price: 3")
    alone.apply(changed.replace("  - key: tokens", f"  - key: tokens\n    cascade: {cascade}"))
    (pool,) = alone.json("pools", "list")["pools"]
    assert pool["details"]["benefits"][0]["price"] == price


def test_items_and_quotas_survive_a_change(alone: Terminal) -> None:
    """A benefit that changes keeps its item set, its items and the quota of its policy."""
    alone.apply(GYM)
    before = alone.json("pool-definitions", "list")["poolDefinitions"][0]["details"]["benefits"][0]
    alone.apply(GYM.replace("price: 2.5", "price: 3"))
    after = alone.json("pool-definitions", "list")["poolDefinitions"][0]["details"]["benefits"][0]
    assert after == before | {"price": "3"}


def test_pool_definition_without_a_key_is_adopted(alone: Terminal) -> None:
    """Export names one that no file has made by its id; beside it, a key makes it the file's."""
    made = make_keyless(alone)
    text = exported(alone)
    assert f"  - id: {made}\n" in text
    assert alone.apply(text, "--prune")["steps"] == []
    adopted = alone.apply(text.replace(f"id: {made}", f"id: {made}\n    key: old"))
    assert adopted["steps"][0]["changes"] == [{"field": "key", "old": None, "new": "old"}]
    assert alone.apply(text.replace(f"id: {made}", "key: old"), "--prune")["steps"] == []


def test_failed_step_can_be_applied_again(alone: Terminal) -> None:
    """Where the service refuses a step, those before it stand, and the next run does the rest."""
    database = alone.folder / "data" / "benefits.sqlite3"
    with BenefitPrograms.open(database) as client:
        client.settings.update(extended_fields_require_schema=True)
    fields = '    extendedFields: {"@gym/club": {level: 2}}\n'
    refused = alone.run("apply", alone.file(GYM.replace(fields, "")), "--yes")
    assert refused.code == 2
    assert "2 of 4 steps done; stopped at: + pool definition tokens" in refused.err
    with BenefitPrograms.open(database) as client:
        client.settings.update(extended_fields_require_schema=False)
    assert steps_of(alone.apply(GYM.replace(fields, ""))) == [
        "create pool definition tokens",
        "create items tokens/towel",
    ]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "price: 2.5",
            "price: 2.55555",
            (
                "20:9: poolDefinitions[0].benefits[0].price: must have at most 4 fraction "
                "digits (DECIMAL_MAX_SCALE)"
            ),
        ),
        (
            "displayName: Gold",
            "displayNam: Gold",
            (
                "5:5: programDefinitions[0].displayNam: is unknown here; known are externalId, "
                "displayName, description, renewalConfiguration, endDate, endsAfter, whilePaused, "
                "pausedDaysMax, extendedFields (FIELD_NOT_ALLOWED)"
            ),
        ),
        (
            "externalId: silver",
            "externalId: 7",
            (
                "7:5: programDefinitions[1].externalId: must be a valid PRINTABLE_STRING: put "
                "it in quotes (FORMAT)"
            ),
        ),
        (
            "externalId: silver",
            "externalId: gold",
            "7:5: programDefinitions[1].externalId: is there already, further up (UNIQUE)",
        ),
        (
            "gold, silver]",
            "gold, bronze]",
            (
                "12:32: poolDefinitions[0].programDefinitions[1]: is the external id of no "
                "program definition, in the file or in the service (NOT_FOUND)"
            ),
        ),
        (
            "benefitKey: sauna",
            "benefitKey: towel",
            (
                "29:9: poolDefinitions[0].benefits[1].benefitKey: another benefit of the pool "
                "definition has this key (benefit_key_is_unique)"
            ),
        ),
        (
            "  - key: tokens\n    displayName",
            "  - displayName",
            (
                "9:5: poolDefinitions[0]: needs a key, which tells it from others for good "
                "(REQUIRED_FIELD)"
            ),
        ),
        (
            "cascade: IMMEDIATELY",
            "cascade: SOON",
            (
                "2:1: cascade: must be one of IMMEDIATELY, NEXT_RENEWAL, FUTURE_PROVISIONS "
                "(INVALID_ENUM_VALUE)"
            ),
        ),
        (
            "    displayName: Gold\n",
            "    displayName: Gold\n    displayName: Gold\n",
            "6:5: programDefinitions[0].displayName: stands here a second time (YAML)",
        ),
        (
            "            category: large",
            "",
            "27:13: poolDefinitions[0].benefits[0].items[1]: is there already, further up (UNIQUE)",
        ),
        (
            "namespace: gym",
            "namespace: [gym",
            "2:8: while parsing a flow sequence expected ',' or ']', but got ':' (YAML)",
        ),
    ],
)
def test_problems_are_told_with_their_place(
    alone: Terminal, old: str, new: str, problem: str
) -> None:
    """What is misplaced in a file is told with line, column, field and rule; nothing is done."""
    assert old in GYM
    file = alone.file(GYM.replace(old, new))
    done = alone.run("apply", file, "--yes")
    assert (done.code, done.out, done.err) == (2, "", f"{file}:{problem}\n")


def test_all_problems_are_told_at_once(alone: Terminal) -> None:
    """Whoever mends a file sees all that is wrong, in the order of its lines."""
    text = GYM.replace("price: 2.5", "price: a").replace("times: 60", "times: 0")
    done = alone.run("apply", alone.file(text.replace("namespace: gym", "namespace:")), "--yes")
    assert [line.split(": ")[1] for line in done.err.splitlines()] == [
        "namespace",
        "poolDefinitions[0].benefits[0].price",
        "poolDefinitions[0].benefits[0].policyExpression.policyOptions.rateLimitedOptions.times",
    ]


def test_export_writes_a_file(alone: Terminal) -> None:
    """With a name, export writes there, and the terminal stays short."""
    alone.apply(GYM)
    path = alone.folder / "out.yaml"
    done = alone.run("export", "gym", "--output", str(path))
    assert done.out == f"Wrote {path}.\n"
    assert path.read_text("utf-8") == exported(alone)


def test_answer_is_json_alone(alone: Terminal) -> None:
    """With --json standard output is one document; the plan for people goes to standard error."""
    done = alone.run("apply", alone.file(GYM), "--dry-run", "--json")
    assert json.loads(done.out)["applied"] is False
    assert done.err.startswith("Namespace gym:\n")


@pytest.mark.parametrize(
    ("cascade", "status"), [("IMMEDIATELY", "ENDED"), ("FUTURE_PROVISIONS", "ACTIVE")]
)
def test_cascade_of_the_file_counts_for_removals(
    alone: Terminal, cascade: str, status: str
) -> None:
    """Pruned definitions end what was made from them at once, or leave it alone, as is written."""
    alone.apply(GYM)
    options = ("--definition", "gold", "--member", MEMBER)
    alone.json("programs", "provision", "gym", "membership-17", *options)
    alone.apply(f"namespace: gym\ncascade: {cascade}", "--prune")
    (pool,) = alone.json("pools", "list")["pools"]
    assert pool["status"] == status
