"""Exports on both stores, and their way back into an empty database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.transfer.files import FileFormat, open_target
from tests.support.calls import guid
from tests.support.lifecycle import act, set_balance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import Service
    from tests.transfer.conftest import Gym

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite", "postgres"]

MEMBERS = 250
"""More than a page."""


async def join(service: Service, gym: Gym) -> None:
    """Members of every kind: active, paused, of one pool, with credits that they have used."""
    beneficiaries = ("memberId", "wixUserId", "anonymousVisitorId")
    for number in range(MEMBERS):
        single = number % 3 == 0
        answer = await service.provision(
            program_definition=None if single else {"id": gym.program_definition_id},
            pool_definition={"id": gym.single} if single else None,
            beneficiary={beneficiaries[number % 7 % 3]: guid()},
            externalProgramId=f'"{number}", or so',
            programStatus="PAUSED" if number % 5 == 0 else "ACTIVE",
            displayName=f"Nr. {number}\nÄ;=1",
        )
        if number % 10 == 0:
            (pool, *_) = await service.pools_of(answer["program"]["id"])
            await set_balance(service, pool["id"], f"{number}.0001")


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
async def test_export_imports_back(gym: Gym, empty_copy: Gym, tmp_path: Path, suffix: str) -> None:
    """An empty database with the same definitions has the same programs and balances afterwards."""
    await gym.reopen(lambda service: join(service, gym))
    file = tmp_path / f"members.{suffix}"
    exported = gym.run_json("export-programs", file)
    assert exported["totals"]["programs"] == MEMBERS
    assert set(exported["notCarried"].values()) == set(exported["leftOut"].values()) == {0}
    foretold = empty_copy.run_json("import-programs", file, "--dry-run")
    imported = empty_copy.run_json("import-programs", file)
    assert imported["created"] == MEMBERS
    assert imported["totals"] == foretold["totals"] == exported["totals"]
    copied, original = await empty_copy.books(), await gym.books()
    assert copied.programs == original.programs
    again = tmp_path / f"again.{suffix}"
    assert empty_copy.run_json("export-programs", again)["totals"] == exported["totals"]
    assert sorted(again.read_text().split("\n")) == sorted(file.read_text().split("\n"))
    assert gym.run_json("import-programs", file)["unchanged"] == MEMBERS


async def test_what_is_not_carried_over_is_told(gym: Gym, tmp_path: Path) -> None:
    """Ended programs, extended fields, and pools that aren't as their definition are counted."""

    async def live(service: Service) -> None:
        ids: list[str] = []
        for number in range(4):
            answer = await service.provision(
                program_definition={"id": gym.program_definition_id},
                externalProgramId=f"member-{number}",
            )
            ids.append(answer["program"]["id"])
        await act(service, "end", ids[0])
        fields = {"namespaces": {"@gym/club": {"shirt": "M"}}}
        change: dict[str, Any] = {"id": ids[1], "revision": "1", "extendedFields": fields}
        await service.call("updateProgram", {"program": change})
        (pool, *_) = await service.pools_of(ids[2])
        renamed = {"id": pool["id"], "revision": pool["revision"], "displayName": "Mine"}
        await service.call("updatePool", {"pool": renamed})
        await service.create_pool_definition(programDefinitionIds=[gym.program_definition_id])

    await gym.reopen(live)
    file = tmp_path / "members.csv"
    told = gym.run_json("export-programs", file)
    assert told["leftOut"] == {"ENDED": 1, "WITHOUT_POOLS": 0}
    assert told["notCarried"] == {
        "EXTENDED_FIELDS": 1,
        "POOL_DETAILS": 1,
        "OTHER_POOLS": 3,
        "RESERVATIONS": 0,
        "LOTS": 0,
    }
    assert "member-0" not in file.read_text()


async def test_taken_name_is_left(gym: Gym, tmp_path: Path) -> None:
    """An export never writes over a file, and a new one is its owner's alone."""
    file = tmp_path / "members.csv"
    assert gym.run("export-programs", file).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("externalProgramId,namespace,")
    assert gym.run("export-programs", file).returncode == 2
    assert [each.name for each in tmp_path.iterdir()] == ["members.csv"]


def test_who_reads_what_was_left_behind_reads_nothing(tmp_path: Path) -> None:
    """What a killed export left, open for others, is not what the next one writes into."""
    left = tmp_path / "members.csv.partial"
    left.touch(mode=0o644)
    with left.open() as reader:
        with open_target(tmp_path / "members.csv", FileFormat.CSV) as target:
            target.write({"externalProgramId": "member-1", "balances": []})
        assert reader.read() == ""
    assert "member-1" in (tmp_path / "members.csv").read_text()


async def test_useless_folder_is_told(gym: Gym, tmp_path: Path) -> None:
    """A file that can't be made is a wrong argument, and the database isn't blamed."""
    file = tmp_path / "none" / "members.csv"
    done = gym.run("export-programs", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"benefits: {file} can't be written: No such file or directory\n"
