"""Imports on both stores, through the command as its users run it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.bootstrap import open_database
from benefit_programs.config import Settings
from benefit_programs.domain.entities import Operation
from benefit_programs.domain.values import CREDIT
from benefit_programs.transfer.files import LINE_BYTES_MAX
from tests.support.calls import guid
from tests.support.engines import ON_POSTGRES_IN_FULL
from tests.support.serving import start_benefits
from tests.transfer.conftest import (
    NAMESPACE,
    PROGRAM_DEFINITION,
    read_books,
    write_csv,
    write_json_lines,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import Service
    from tests.support.serving import Command
    from tests.transfer.conftest import Gym

pytestmark = pytest.mark.anyio

MANY = 2_400
WAIT_SECONDS_MAX = 60


def member(number: int, **more: Any) -> dict[str, Any]:
    """A member with a program of the definition "gold"."""
    return {
        "externalProgramId": f"member-{number}",
        "namespace": NAMESPACE,
        "programDefinitionExternalId": PROGRAM_DEFINITION,
        "memberId": f"00000000-0000-4000-8000-{number:012d}",
        **more,
    }


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def stated(gym: Gym, *amounts: str) -> str:
    """The balances of both pools, as a cell holds them."""
    pairs = zip(gym.pool_definition_ids, amounts, strict=True)
    return " ".join(f"{name}={amount}" for name, amount in pairs)


async def test_csv_becomes_programs_with_balances(gym: Gym, tmp_path: Path) -> None:
    """Every kind of definition, beneficiary, status and balance of a file is there afterwards."""
    single = {"poolDefinitionId": gym.single, "wixUserId": guid(), "balance": "7.25"}
    visitor = {"anonymousVisitorId": guid(), "programDefinitionId": gym.program_definition_id}
    rows = [
        member(1, displayName="Gold, for Änne", balances=stated(gym, "3", "0.5")),
        member(2, programStatus="PAUSED"),
        without(member(3), "memberId", "programDefinitionExternalId") | single,
        without(member(4), "memberId", "programDefinitionExternalId") | visitor,
    ]
    told = gym.run_json("import-programs", write_csv(tmp_path / "members.csv", rows))
    assert (told["rows"], told["created"], told["invalid"]) == (4, 4, 0)
    books = await gym.books()
    first = books.programs[NAMESPACE, "member-1"]
    assert first["name"] == "Gold, for Änne"
    assert [first["pools"][each][1] for each in gym.pool_definition_ids] == [30_000, 5_000]
    second = books.programs[NAMESPACE, "member-2"]
    assert (second["status"], {held[0] for held in second["pools"].values()}) == (
        "PAUSED",
        {"PAUSED"},
    )
    assert sum(held[1] for held in second["pools"].values()) == 30 * CREDIT
    third = books.programs[NAMESPACE, "member-3"]
    assert third["beneficiary"] == ("WIX_USER", single["wixUserId"])
    assert third["pools"][gym.single][1] == 72_500
    fourth = books.programs[NAMESPACE, "member-4"]
    assert fourth["beneficiary"] == ("ANONYMOUS_VISITOR", visitor["anonymousVisitorId"])
    changes = [row for row in books.transactions if row.operation is Operation.CHANGE]
    assert {row.details.reason for row in changes} == {"Import"}
    assert {row.idempotency_key for row in changes} == {
        "import:gym:member-1",
        "import:gym:member-3",
    }


async def test_control_totals_are_the_database_s(gym: Gym, tmp_path: Path) -> None:
    """The totals per pool definition are what the pools hold together."""
    rows = [member(number, balances=stated(gym, "1.5", str(number))) for number in range(300)]
    totals = gym.run_json("import-programs", write_csv(tmp_path / "all.csv", rows))["totals"]
    assert (totals["programs"], totals["pools"]) == (300, 600)
    books = await gym.books()
    for each in totals["byPoolDefinition"]:
        held = [row["pools"][each["poolDefinitionId"]][1] for row in books.programs.values()]
        assert (each["pools"], float(each["credits"])) == (300, sum(held) / CREDIT)


async def test_second_run_changes_nothing(gym: Gym, tmp_path: Path) -> None:
    """A file that was imported before is skipped, also where members have used credits since."""
    rows = [member(1, balances=stated(gym, "3", "20")), member(2)]
    file = write_csv(tmp_path / "members.csv", rows)
    gym.run_json("import-programs", file)

    async def use(service: Service) -> None:
        for pool in (await service.call("queryPools", {}))["pools"]:
            change = {"type": "ADJUST", "adjustOptions": {"value": "-1"}}
            request = {"poolId": pool["id"], "idempotencyKey": guid(), **change}
            if pool["program"]["externalId"] == "member-1":
                await service.call("changeBalance", request)

    await gym.reopen(use)
    before = await gym.books()
    told = gym.run_json("import-programs", file)
    assert (told["created"], told["unchanged"], told["different"]) == (0, 2, 0)
    assert told["totals"]["credits"] == "53"
    assert await gym.books() == before


async def test_second_run_knows_programs_without_pools(gym: Gym, tmp_path: Path) -> None:
    """A program whose definition has no pools is there already, too, and is told as it is."""

    async def define(service: Service) -> None:
        await service.create_program_definition(externalId="bare")

    await gym.reopen(define)
    row = member(1, programDefinitionExternalId="bare", displayName="Bare")
    file = write_csv(tmp_path / "bare.csv", [row])
    assert gym.run_json("import-programs", file)["created"] == 1
    told = gym.run_json("import-programs", file)
    assert (told["created"], told["unchanged"], told["different"]) == (0, 1, 0)
    other = write_csv(tmp_path / "other.csv", [row | {"displayName": "Other"}])
    assert gym.run_json("import-programs", other, "--dry-run", code=1)["different"] == 1


async def test_what_differs_is_told_and_left(gym: Gym, tmp_path: Path) -> None:
    """A program that is there and differs is reported field by field, and nothing is changed."""
    gym.run_json("import-programs", write_csv(tmp_path / "first.csv", [member(1), member(2)]))
    before = await gym.books()
    changed = member(1, displayName="New", programStatus="PAUSED", balances=stated(gym, "10", "21"))
    file = write_csv(tmp_path / "second.csv", [changed, member(2)])
    for mode in ([], ["--dry-run"]):
        told = gym.run_json("import-programs", file, *mode, code=1)
        assert (told["different"], told["unchanged"]) == (1, 1)
        found = {each["field"]: (each["stored"], each["given"]) for each in told["findings"]}
        assert found == {
            "displayName": (None, "New"),
            "programStatus": ("ACTIVE", "PAUSED"),
            f"balances.{gym.pool_definition_ids[1]}": ("20", "21"),
        }
        assert await gym.books() == before
    assert "line 2 (member-1): displayName" in gym.run("import-programs", file).stdout


async def test_dry_run_foretells_and_changes_nothing(gym: Gym, tmp_path: Path) -> None:
    """A dry run counts, sums and refuses what the import then does, and leaves no trace."""
    rows = [
        member(1, balances=stated(gym, "1", "2")),
        member(2),
        member(2, displayName="again"),
        member(3, balance="4"),
        member(4, programDefinitionExternalId="none"),
    ]
    file = write_json_lines(
        tmp_path / "members.jsonl",
        [
            without(row, "balances")
            | ({"balances": as_list(row["balances"])} if row.get("balances") else {})
            for row in rows
        ],
    )
    foretold = gym.run_json("import-programs", file, "--dry-run", code=1)
    assert (await gym.books()).programs == {}
    told = gym.run_json("import-programs", file, code=1)
    assert (told["created"], told["invalid"]) == (2, 3)
    assert foretold == told | {"dryRun": True}
    assert [(each["line"], each["field"], each["rule"]) for each in told["findings"]] == [
        (3, "externalProgramId", "once_per_file"),
        (4, "balance", "only_pool"),
        (5, "programDefinitionId", "PROGRAM_DEFINITION_NOT_FOUND"),
    ]
    assert len((await gym.books()).programs) == 2


def as_list(cell: str) -> list[dict[str, str]]:
    pairs = [pair.split("=") for pair in cell.split()]
    return [{"poolDefinitionId": name, "amount": amount} for name, amount in pairs]


async def test_bad_rows_are_told_with_line_field_and_rule(gym: Gym, tmp_path: Path) -> None:
    """Each bad row is named by its line, its fields and the rules; the good ones are imported."""
    lines = [
        "externalProgramId,namespace,poolDefinitionId,memberId,balance,displayName,programStatus",
        f"good-1,gym,{gym.single},{guid()},5,,",
        f"bad,gym,{gym.single},no-guid,1.23456,{'x' * 65},ENDED",
        f",gym,{gym.single},{guid()},,,",
        "short,gym",
        f'two-lines,gym,{gym.single},{guid()},-1,"a\nb",',
        f"no-definition,gym,,{guid()},,,",
        f"unknown,gym,{guid()},{guid()},,,",
        "",
        f"good-2,gym,{gym.single},{guid()},,,",
    ]
    file = tmp_path / "members.csv"
    file.write_bytes("\r\n".join(lines).encode("utf-8-sig") + b"\r\nb\xffd,gym,,,,,\r\n")
    told = gym.run_json("import-programs", file, code=1)
    assert (told["rows"], told["created"], told["invalid"]) == (9, 2, 7)
    assert [(each["line"], each["field"], each["rule"]) for each in told["findings"]] == [
        (3, "balance", "DECIMAL_MAX_SCALE"),
        (3, "displayName", "MAX_LENGTH"),
        (3, "programStatus", "INVALID_ENUM_VALUE"),
        (3, "memberId", "FORMAT"),
        (4, "externalProgramId", "REQUIRED_FIELD"),
        (5, "", "FORMAT"),
        (6, "balance", "DECIMAL_GTE"),
        (8, "", "ONE_OF_ALIGNMENT"),
        (9, "poolDefinitionId", "POOL_DEFINITION_NOT_FOUND"),
        (12, "", "FORMAT"),
    ]
    assert set(await imported_ids(gym)) == {"good-1", "good-2"}


async def imported_ids(gym: Gym) -> list[str]:
    return [external_id for _, external_id in (await gym.books()).programs]


async def test_bad_json_lines_are_told(gym: Gym, tmp_path: Path) -> None:
    """What is no object, too long, misspelt or stated twice is told; the lines after it count."""
    balances = as_list(stated(gym, "1", "2"))
    good = write_json_lines(
        tmp_path / "good.jsonl", [member(1), member(2, balances=balances[:1] * 2)]
    )
    file = tmp_path / "members.ndjson"
    long = b'"' + b"x" * (2 * LINE_BYTES_MAX + 1) + b'"\n'
    file.write_bytes(b'{"a": 1\n[]\n' + long + b'{"color": "red"}\n\n' + good.read_bytes())
    told = gym.run_json("import-programs", file, code=1)
    assert [(each["line"], each["rule"]) for each in told["findings"]] == [
        (1, "FORMAT"),
        (2, "FORMAT"),
        (3, "MAX_LENGTH"),
        (4, "FIELD_NOT_ALLOWED"),
        (4, "REQUIRED_FIELD"),
        (4, "REQUIRED_FIELD"),
        (4, "ONE_OF_ALIGNMENT"),
        (4, "ONE_OF_ALIGNMENT"),
        (7, "stated_once"),
    ]
    assert await imported_ids(gym) == ["member-1"]


async def test_shown_errors_are_limited_and_all_counted(gym: Gym, tmp_path: Path) -> None:
    """No more errors are shown than asked for, and the others are counted."""
    rows = [member(number, memberId="nobody") for number in range(400)]
    file = write_csv(tmp_path / "members.csv", rows)
    told = gym.run_json("import-programs", file, "--errors-max", 3, code=1)
    assert (told["invalid"], len(told["findings"]), told["findingsLeftOff"]) == (400, 3, 397)
    assert "... and 350 more" in gym.run("import-programs", file).stdout


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("members.txt", "externalProgramId,namespace\n", 2),
        ("members.csv", "", 2),
        ("members.csv", "namespace\n", 2),
        ("members.csv", "externalProgramId,namespace,namespace\n", 2),
        ("members.csv", "externalProgramId,namespace,colour\n", 2),
        ("members.csv", "externalProgramId,namespace\n", 0),
        ("members.jsonl", "", 0),
    ],
)
async def test_files_that_cannot_be_used(
    gym: Gym, tmp_path: Path, name: str, content: str, code: int
) -> None:
    """A file of no known format, or with a wrong header, is refused as a whole."""
    file = tmp_path / name
    file.write_text(content)
    assert gym.run("import-programs", file).returncode == code
    assert (await gym.books()).programs == {}


async def test_unknown_tenant(gym: Gym, tmp_path: Path) -> None:
    """A tenant that isn't there is told with its code."""
    file = write_csv(tmp_path / "members.csv", [member(1)])
    gym.tenant_id = 99
    assert gym.run("import-programs", file).returncode == 5
    assert gym.run("export-programs", tmp_path / "out.csv").returncode == 5
    assert not list(tmp_path.glob("out*"))


@ON_POSTGRES_IN_FULL
async def test_killed_import_goes_on(gym: Gym, tmp_path: Path) -> None:
    """Killed at any moment, an import that is started again makes each program once, in full."""
    rows = [member(number, balances=stated(gym, "1", f"{number}.5")) for number in range(MANY)]
    file = write_csv(tmp_path / "members.csv", rows)
    command = ("import-programs", str(file), "--database-url", gym.url)
    killed: list[int] = []
    for target in (1, MANY // 2):
        with (tmp_path / "out").open("w") as out:
            process = start_benefits(
                *(*command, "--tenant", str(gym.tenant_id)),
                stdout=out.fileno(),
                stderr=out.fileno(),
            )
        await wait_for_programs(gym, target, process)
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT_SECONDS_MAX)
        books = await gym.books()
        assert all(in_full(gym, *entry) for entry in books.programs.items())
        killed.append(len(books.programs))
    assert 0 < killed[0] <= killed[1] < MANY
    told = gym.run_json("import-programs", file)
    assert (told["created"], told["unchanged"]) == (MANY - killed[1], killed[1])
    assert told["totals"]["credits"] == str(MANY + MANY * (MANY - 1) // 2 + MANY // 2)
    books = await gym.books()
    assert len(books.programs) == MANY
    assert all(in_full(gym, *entry) for entry in books.programs.items())


def in_full(gym: Gym, key: tuple[str, str], program: dict[str, Any]) -> bool:
    """Whether a program has the balances that its row states."""
    number = int(key[1].removeprefix("member-"))
    held = [program["pools"][each][1] for each in gym.pool_definition_ids]
    return held == [CREDIT, number * CREDIT + CREDIT // 2]


async def wait_for_programs(gym: Gym, count: int, process: Command) -> None:
    """Wait until an import has made so many programs, as other connections see them."""
    sql = "select count(*) from programs where tenant_id = $1"
    async with open_database(Settings(database_url=gym.url)) as store:
        while process.poll() is None:
            ((found,),) = await store.fetch(sql, (gym.tenant_id,))
            if found >= count:
                return
    raise AssertionError("the import ended before it was killed")


async def test_served_file_is_not_imported_into(gym: Gym, tmp_path: Path) -> None:
    """Beside a server, an import works on PostgreSQL; a SQLite file is only read, for a dry run."""
    file = write_csv(tmp_path / "members.csv", [member(1)])

    async def beside(service: Service) -> None:
        assert gym.run("import-programs", file, "--dry-run").returncode == 0
        is_sqlite = gym.url.startswith("sqlite")
        assert gym.run("import-programs", file).returncode == (3 if is_sqlite else 0)
        assert len((await read_books(service)).programs) == (0 if is_sqlite else 1)

    await gym.reopen(beside)
