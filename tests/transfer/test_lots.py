"""Lots in imports and exports: they come back as they were, and what can't be one is refused."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Lot, LotOrigin, LotStatus, Pool, Transaction
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage.verification import verify_store
from tests.support.calls import details, guid
from tests.support.clock import HOUR
from tests.support.commands import submit
from tests.support.lots import Hold, granted, put
from tests.support.wallet import Wallet, add_item
from tests.transfer.conftest import write_csv, write_json_lines

if TYPE_CHECKING:
    from pathlib import Path

    from benefit_programs.domain.values import Instant
    from tests.support.databases import CopiedDatabases
    from tests.support.inprocess import Service
    from tests.transfer.conftest import Gym

pytestmark = pytest.mark.anyio

ENGINES = ["sqlite", "postgres"]

LASTING = {"amount": "8", "expiresAfter": "P30D"}
MEMBER = "5b1c0ef0-8d0a-4f0e-9d0c-2f6a3c1d7e01"


def text_of(instant: Instant) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat().replace("+00:00", "Z")


def terms_of(lot: Lot) -> tuple[Any, ...]:
    """All that a file says of a lot."""
    return (
        *(lot.origin, lot.effective_date, lot.expiration_date, lot.priority),
        *(lot.kept_at_renewal, lot.display_name, lot.external_reference),
        json.dumps(lot.additional_data),
    )


async def read_lots(service: Service) -> dict[str, Counter[Any]]:
    """What can be spent or will come, by program: of each lot, and in all."""
    found: dict[str, Counter[Any]] = {}
    pools = {pool.id: pool for pool in await service.rows(Pool)}
    for pool in pools.values():
        found.setdefault(pool.program_external_id, Counter())["in all"] += pool.available
    for lot in await service.rows(Lot):
        amount = lot.granted if lot.status is LotStatus.FUTURE else lot.available
        if amount:
            name = pools[lot.pool_id].program_external_id
            found[name][lot.status, amount, *terms_of(lot)] += 1
    assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []
    return found


@pytest.fixture
async def lasting(gym: Gym) -> Gym:
    """The gym, whose single pool opens with a lot of its own."""

    async def define(service: Service) -> str:
        made = await service.create_pool_definition(details=details(creditConfiguration=LASTING))
        await add_item(service, made["details"]["benefits"][0], "item of towel")
        return made["id"]  # type: ignore[no-any-return]

    return replace(gym, single=await gym.reopen(define))


async def join(service: Service, gym: Gym, number: int) -> Wallet:
    """A member with a pool that opens with a lot."""
    answer = await service.provision(
        pool_definition={"id": gym.single},
        beneficiary={"memberId": guid()},
        externalProgramId=f"member-{number}",
    )
    definition = await service.call("getPoolDefinition", {"poolDefinitionId": gym.single})
    (pool,) = await service.pools_of(answer["program"]["id"])
    return Wallet(service, definition["poolDefinition"], answer["program"], pool["id"])


async def live(service: Service, gym: Gym) -> None:
    """Members with packs of today and of tomorrow, used and unused, and one without any."""
    now = read_clock()
    first, second, third = [await join(service, gym, number) for number in range(3)]
    words = {"display_name": 'A, "pack"; =1', "external_reference": "order:7"}
    await put(service, first.pool_id, 20, granted(now + 90 * HOUR, **words))
    await put(service, first.pool_id, 20, granted(now + 90 * HOUR, additional_data={"a": [1]}))
    await put(service, first.pool_id, 3, granted(None, priority=7))
    await put(service, second.pool_id, 5, granted(now + 90 * HOUR, effective_date=now + HOUR))
    await first.redeem()
    await third.set_balance("0")
    await third.set_balance("1")
    assert {lot.origin for lot in await service.rows(Lot)} == {
        LotOrigin.PROVISION,
        LotOrigin.GRANT,
        LotOrigin.ADJUSTMENT,
    }


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
async def test_lots_come_back_as_they_were(
    lasting: Gym, databases: CopiedDatabases, tmp_path: Path, suffix: str
) -> None:
    """Amounts, dates, priorities and words of all lots are those of before; a second time too."""
    copy = replace(lasting, url=databases.copy(lasting.url))
    await lasting.reopen(lambda service: live(service, lasting))
    file, again = tmp_path / f"members.{suffix}", tmp_path / f"again.{suffix}"
    exported = lasting.run_json("export-programs", file)
    assert set(exported["notCarried"].values()) == {0}
    foretold = copy.run_json("import-programs", file, "--dry-run")
    imported = copy.run_json("import-programs", file)
    assert imported["created"] == 3
    assert imported["totals"] == foretold["totals"] == exported["totals"]
    assert await copy.reopen(read_lots) == await lasting.reopen(read_lots)
    assert copy.run_json("export-programs", again)["totals"] == exported["totals"]
    assert again.read_text() == file.read_text()
    assert copy.run_json("import-programs", file)["unchanged"] == 3
    assert lasting.run_json("import-programs", file)["unchanged"] == 3
    databases.drop(copy.url)


async def test_what_is_reserved_counts_as_released(lasting: Gym, tmp_path: Path) -> None:
    """An export states credits that reservations hold with their lots, and says how often."""

    async def reserve(service: Service) -> None:
        wallet = await join(service, lasting, 1)
        await put(service, wallet.pool_id, 40, granted(read_clock() + HOUR))
        like = await wallet.redeem()
        later = read_clock() + 99 * HOUR
        await submit(service, Hold(like=like, count=3, expiration_date=later))
        (pool,) = await service.rows(Pool)
        assert (pool.available, pool.reserved) == (80_000, 300_000)

    await lasting.reopen(reserve)
    file = tmp_path / "members.jsonl"
    told = lasting.run_json("export-programs", file)
    assert (told["notCarried"]["RESERVATIONS"], told["totals"]["credits"]) == (1, "38")
    (row,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert row["balances"] == [{"poolDefinitionId": lasting.single, "amount": "38"}]
    assert [(lot["origin"], lot["amount"]) for lot in row["lots"]] == [
        ("GRANT", "30"),
        ("PROVISION", "8"),
    ]
    assert lasting.run_json("import-programs", file)["unchanged"] == 1


async def test_a_tenant_without_lots_has_no_column(gym: Gym, tmp_path: Path) -> None:
    """Who doesn't use lots gets the files of before."""
    await gym.reopen(lambda service: service.provision(pool_definition={"id": gym.single}))
    for suffix in ("csv", "jsonl"):
        file = tmp_path / f"members.{suffix}"
        gym.run_json("export-programs", file)
        assert "lots" not in file.read_text()


def row_of(gym: Gym, *lots: dict[str, Any], balance: str | None = "10") -> dict[str, Any]:
    balances = [{"poolDefinitionId": gym.single, "amount": balance}] if balance else []
    return {
        "externalProgramId": "member-1",
        "namespace": "gym",
        "poolDefinitionId": gym.single,
        "memberId": MEMBER,
        "balances": balances,
        "lots": [{"poolDefinitionId": gym.single, **lot} for lot in lots],
    }


async def test_stated_lots_are_all_there_is(lasting: Gym, tmp_path: Path) -> None:
    """What a row states in lots is in them, and the rest in none, whatever pools open with."""
    soon, later = text_of(read_clock() + HOUR), text_of(read_clock() + 2 * HOUR)
    row = row_of(
        lasting,
        {"amount": "4.5", "expirationDate": soon},
        {"amount": "2", "expirationDate": later, "origin": "PROVISION", "priority": 3},
        {"amount": "7", "effectiveDate": soon, "expirationDate": later},
    )
    file = write_json_lines(tmp_path / "members.jsonl", [row])
    assert lasting.run_json("import-programs", file)["totals"]["credits"] == "10"

    async def look(service: Service) -> None:
        (pool,) = await service.rows(Pool)
        assert (pool.available, pool.in_lots) == (100_000, 65_000)
        lots = [lot for lot in await service.rows(Lot) if lot.status is not LotStatus.SPENT]
        assert sorted((lot.origin, lot.granted, lot.kept_at_renewal) for lot in lots) == [
            ("GRANT", 45_000, True),
            ("GRANT", 70_000, True),
            ("PROVISION", 20_000, False),
        ]
        booked = [(row.details.reason, row.amount) for row in await service.rows(Transaction)]
        assert booked == [("Provisioning", 80_000), ("Import", 80_000), ("Import", 100_000)]
        assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []

    await lasting.reopen(look)


async def test_a_row_without_lots_leaves_what_a_pool_opens_with(
    lasting: Gym, tmp_path: Path
) -> None:
    """A balance alone is set as by hand: less is taken out of the lot, more has a life as long."""
    rows = [
        {**row_of(lasting, balance=amount), "externalProgramId": amount} for amount in ("5", "11")
    ]
    for row in rows:
        del row["lots"]
    file = write_json_lines(tmp_path / "members.jsonl", rows)
    assert lasting.run_json("import-programs", file)["created"] == 2

    async def look(service: Service) -> list[int]:
        assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []
        assert all(lot.expiration_date for lot in await service.rows(Lot))
        return sorted(lot.available for lot in await service.rows(Lot))

    assert await lasting.reopen(look) == [30_000, 50_000, 80_000]


@pytest.mark.parametrize(
    ("lot", "field", "rule"),
    [
        ({"expirationDate": "2020-01-01T00:00:00Z"}, "lots[0].expirationDate", "in_the_future"),
        (
            {"effectiveDate": "2100-01-02T00:00:00Z", "expirationDate": "2100-01-02T00:00:00Z"},
            "lots[0].expirationDate",
            "expires_after_it_begins",
        ),
        (
            {"effectiveDate": "2100-01-02T00:00:00Z", "origin": "RENEWAL"},
            "lots[0].origin",
            "granted_if_to_come",
        ),
        ({"amount": "10.0001"}, "lots[0].amount", "within_balance"),
        ({"amount": "0"}, "lots[0].amount", "more_than_0"),
        ({"poolDefinitionId": guid()}, "lots[0].poolDefinitionId", "balance_stated"),
        ({"priority": 1001}, "lots[0].priority", "MAX"),
        ({"origin": "LOTTERY"}, "lots[0].origin", "INVALID_ENUM_VALUE"),
        ({"expirationDate": "soon"}, "lots[0].expirationDate", "FORMAT"),
        ({"displayName": "x" * 129}, "lots[0].displayName", "MAX_LENGTH"),
    ],
)
async def test_what_can_be_no_lot_is_refused(
    lasting: Gym, tmp_path: Path, lot: dict[str, Any], field: str, rule: str
) -> None:
    """A lot that breaks a rule is named with field and rule, in a dry run as well."""
    row = row_of(lasting, {"amount": "1", **lot})
    file = write_json_lines(tmp_path / "members.jsonl", [row])
    for more in (["--dry-run"], []):
        told = lasting.run_json("import-programs", file, *more, code=1)
        assert told["invalid"] == 1
        assert [(each["field"], each["rule"]) for each in told["findings"]] == [(field, rule)]


async def test_a_balance_must_be_stated(lasting: Gym, tmp_path: Path) -> None:
    """Lots are parts of a balance, so a row that has some must say how much there is in all."""
    file = write_json_lines(
        tmp_path / "members.jsonl", [row_of(lasting, {"amount": "1"}, balance=None)]
    )
    (finding,) = lasting.run_json("import-programs", file, code=1)["findings"]
    assert finding["rule"] == "balance_stated"


async def test_a_cell_must_be_a_list(lasting: Gym, tmp_path: Path) -> None:
    """In CSV the lots are a JSON list; anything else is a wrong cell, not a wrong file."""
    row = row_of(lasting)
    for lots, rule in (("[{", "FORMAT"), ("7", "EXPECTED_LIST")):
        cells = row | {"lots": lots, "balances": f"{lasting.single}=10"}
        file = write_csv(tmp_path / f"{rule}.csv", [cells])
        (finding,) = lasting.run_json("import-programs", file, code=1)["findings"]
        assert finding["field"] == "lots", finding


async def test_other_lots_are_told(lasting: Gym, tmp_path: Path) -> None:
    """A row whose balance is right and whose lots aren't is different; used ones are not."""
    soon = text_of(read_clock() + HOUR)
    lots = [{"amount": "4", "expirationDate": soon}, {"amount": "5"}]
    file = write_json_lines(tmp_path / "members.jsonl", [row_of(lasting, *lots)])
    assert lasting.run_json("import-programs", file)["created"] == 1
    other = [{"amount": "4", "expirationDate": soon, "priority": 9}, {"amount": "5"}]
    wrong = write_json_lines(tmp_path / "other.jsonl", [row_of(lasting, *other)])
    (finding,) = lasting.run_json("import-programs", wrong, code=1)["findings"]
    assert finding["field"] == f"lots.{lasting.single}"
    assert (finding["stored"], finding["given"]) == ("2 lots", "2 lots, 1 of them alike")

    async def use(service: Service) -> None:
        (pool,) = await service.rows(Pool)
        change = {"poolId": pool.id, "idempotencyKey": guid(), "adjustOptions": {"value": "-6"}}
        await service.call("changeBalance", change)

    await lasting.reopen(use)
    assert lasting.run_json("import-programs", file)["unchanged"] == 1
