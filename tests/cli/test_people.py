"""``benefits people``: who beneficiaries are, from files and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benefit_programs.cli.exits import ExitCode
from tests.support.provider import PolicyServer

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

ADA, EVA, GRACE = (str(uuid4()) for _ in range(3))

CSV = f"""\
memberId,anonymousVisitorId,displayName,email,note
{ADA},,Ada Lovelace,ada@example.com,"Comes late,
pays by card"
,{GRACE},Grace Hopper,,
{EVA},,Eva,no address,
{ADA},,Ada again,,
{EVA},{ADA},Two,,
"""
EXCLUDED = "excludes the others of anonymousVisitorId, memberId, wixUserId"


def counts(report: Any) -> list[int]:
    return [report[each] for each in ("created", "changed", "unchanged", "invalid")]


def test_a_file_is_imported_again_and_again(terminal: Terminal) -> None:
    """A dry run changes nothing; wrong rows are named by line; a second run has nothing to do."""
    path = terminal.folder / "people.csv"
    path.write_text(CSV, "utf-8")
    tried = terminal.run("people", "import", str(path), "--dry-run")
    assert tried.code == ExitCode.FAILED
    assert tried.out.splitlines() == [
        "line 5: email must be an e-mail address, such as ada@example.com [FORMAT]",
        "line 6: the beneficiary is in line 2 already [repeated]",
        f"line 7: beneficiary.memberId {EXCLUDED} [ONE_OF_ALIGNMENT]",
        "5 rows: 2 would be created, 0 changed, 0 unchanged, 3 invalid",
    ]
    assert terminal.json("people", "list")["people"] == []
    assert terminal.run("people", "import", str(path)).out.splitlines()[-1] == (
        "5 rows: 2 created, 0 changed, 0 unchanged, 3 invalid"
    )
    assert terminal.json("people", "show", "--member", ADA)["note"] == "Comes late,\npays by card"
    good = terminal.folder / "people.jsonl"
    assert terminal.run("people", "export", str(good)).out == f"{good}: 2 people\n"
    assert counts(terminal.json("people", "import", str(good))) == [0, 0, 2, 0]
    good.write_text(good.read_text("utf-8").replace("Grace", "Rear Admiral Grace"), "utf-8")
    assert counts(terminal.json("people", "import", str(good))) == [0, 1, 1, 0]
    found = terminal.run("people", "search", "grace rear")
    assert [line.split()[0] for line in found.out.splitlines()] == ["BENEFICIARY", GRACE]
    again = terminal.folder / "again.csv"
    terminal.json("people", "export", str(again))
    assert counts(terminal.json("people", "import", str(again))) == [0, 0, 2, 0]


def test_people_are_said_shown_and_forgotten_by_hand(alone: Terminal) -> None:
    """Whom nobody knows can't be shown; what a member has begins with who it is."""
    missing = alone.run("people", "show", "--member", ADA)
    assert (missing.code, missing.err) == (
        ExitCode.NOT_FOUND,
        f"benefits: nobody has said who {ADA} is\n",
    )
    assert alone.run("people", "set").code == ExitCode.WRONG_USAGE
    said = alone.json("people", "set", "--member", ADA, "--name", "Ada", "--phone", "030 12")
    assert alone.json("people", "show", "--member", ADA) == said
    assert alone.run("members", "show", ADA).out.endswith("Ada, 030 12\n")
    assert alone.json("members", "show", ADA)["person"] == said
    alone.json("people", "delete", "--member", ADA, "--yes")
    assert alone.json("people", "list")["people"] == []
    wrong = alone.folder / "wrong.csv"
    wrong.write_text("name\nAda\n", "utf-8")
    assert alone.run("people", "import", str(wrong)).code == ExitCode.WRONG_USAGE


def test_programs_of_a_member_are_listed(alone: Terminal) -> None:
    """Whose programs are shown may be said."""
    club = "namespace: club\nprogramDefinitions: [{externalId: plan}]\n"
    alone.apply(f"{club}poolDefinitions: [{{key: visits, programDefinitions: [plan]}}]\n")
    for name, member in (("ada", ADA), ("eva", EVA)):
        options = ("--definition", "plan", "--member", member)
        alone.json("programs", "provision", "club", name, *options)
    listed = alone.json("programs", "list", "--member", EVA)["programs"]
    assert [each["externalId"] for each in listed] == ["eva"]


def test_names_of_a_system_of_ones_own_are_shown(alone: Terminal) -> None:
    """Searches and members have the names; an import asks nobody; what is wrong is said."""
    known = {"beneficiary": {"memberId": ADA}, "displayName": "Ada Lovelace"}
    with PolicyServer(lambda _: {"people": [known]}).running() as server:
        provider = alone.folder / "provider.json"
        provider.write_text(f'{{"url": "{server.url}", "secret": "a secret of many characters"}}')
        shown = alone.run("settings", "set", f"peopleProvider=@{provider}")
        assert server.url in shown.out
        assert "many characters" not in shown.out
        assert "Ada Lovelace" in alone.run("people", "search", "ada").out
        assert alone.json("people", "search", "ada")["provided"][0]["displayName"] == "Ada Lovelace"
        assert alone.json("people", "show", "--member", ADA)["displayName"] == "Ada Lovelace"
        assert alone.run("members", "show", ADA).out.endswith("Ada Lovelace\n")
        asked, path = len(server.questions), alone.folder / "people.csv"
        path.write_text(f"memberId,note\n{ADA},Late\n", "utf-8")
        assert counts(alone.json("people", "import", str(path))) == [1, 0, 0, 0]
        assert len(server.questions) == asked
        server.status = 500
        failed = alone.run("people", "search", "ada")
        assert failed.out.endswith("the provider of people answered with 500\n")
