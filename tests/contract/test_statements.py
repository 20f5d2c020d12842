"""Statements of pools, of a tenant, and what a member has: over HTTP, on both engines."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.durations import zoned
from benefit_programs.domain.entities import LotOrigin
from benefit_programs.domain.lots import Fate
from benefit_programs.wire.codec import instant_text
from tests.support.calls import benefit, guid
from tests.support.clock import DAY, HOUR, Clock
from tests.support.histories import CREDIT, Grant, History, Reserve
from tests.support.inprocess import new_tenant, open_application
from tests.support.lifecycle import do
from tests.support.wallet import open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.databases import Databases
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NEW_YEAR = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
async def opened(databases: Databases) -> AsyncIterator[tuple[Any, Clock]]:
    """A service whose clock the test moves, and whose runner does nothing."""
    url, clock = databases.create(), Clock()
    async with open_application(url, clock=clock, run_jobs=False) as application:
        yield application, clock
    databases.drop(url)


@pytest.fixture
async def timed(opened: tuple[Any, Clock]) -> tuple[Service, Clock]:
    """A new tenant, and the clock of its service."""
    application, clock = opened
    return await new_tenant(*application), clock


def dated(at: int) -> str:
    text = instant_text(at)
    assert text is not None
    return text


async def test_a_statement_adds_up(service: Service) -> None:
    """What came, what was spent, and what is left; each transaction is a row."""
    wallet = await open_wallet(service, benefit("towel", price="10"))
    first = await wallet.redeem(count=3)
    await wallet.cancel(first)
    await wallet.redeem()
    await wallet.adjust("-5")
    found = await service.call("getStatement", {"poolId": wallet.pool_id})
    assert found["summary"] == {
        "opening": {"available": "0", "reserved": "0"},
        "figures": {
            "provisioned": "100",
            "renewed": "0",
            "granted": "0",
            "adjusted": "-5",
            "returned": "30",
            "redeemed": "40",
            "reserved": "0",
            "lapsed": "0",
        },
        "closing": {"available": "85", "reserved": "0"},
        "transactionCount": 5,
    }
    assert [(row["figure"], row["amount"], row["availableAfter"]) for row in found["rows"]] == [
        ("PROVISIONED", "100", "100"),
        ("REDEEMED", "-30", "70"),
        ("RETURNED", "30", "100"),
        ("REDEEMED", "-10", "90"),
        ("ADJUSTED", "-5", "85"),
    ]


async def test_a_period_excludes_its_end(timed: tuple[Service, Clock]) -> None:
    """What happened at its start is in it, what happened at its end is in the next one."""
    service, _ = timed
    wallet = await open_wallet(service)
    redeemed = await wallet.redeem()
    at = (await wallet.transaction(redeemed))["createdDate"]
    before = await service.call("getStatement", {"poolId": wallet.pool_id, "toDate": at})
    after = await service.call("getStatement", {"poolId": wallet.pool_id, "fromDate": at})
    assert [row["figure"] for row in before["rows"]] == ["PROVISIONED"]
    assert [row["transactionId"] for row in after["rows"]] == [redeemed]
    assert before["summary"]["closing"] == after["summary"]["opening"]
    then = await service.call("getBalanceAsOf", {"poolId": wallet.pool_id, "date": at})
    assert then["amount"] == after["summary"]["closing"]


async def test_what_is_due_counts_before_it_is_booked(timed: tuple[Service, Clock]) -> None:
    """Credits that have expired are lapsed at their instant, in a row without a transaction."""
    service, clock = timed
    wallet = await open_wallet(
        service, amount=None, creditConfiguration={"amount": "40", "expiresAfter": "P1D"}
    )
    clock.move(30)
    found = await service.call("getStatement", {"poolId": wallet.pool_id})
    lapsed = found["rows"][-1]
    assert (found["summary"]["figures"]["lapsed"], lapsed["figure"]) == ("40", "LAPSED")
    assert "transactionId" not in lapsed
    assert "bookedDate" not in lapsed
    end = {"poolId": wallet.pool_id, "date": lapsed["date"]}
    assert (await service.call("getBalanceAsOf", end))["amount"]["available"] == "0"
    assert len(await wallet.transactions()) == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"fromDate": "2026-03-01T00:00:00Z", "toDate": NEW_YEAR}, "toDate"),
        ({"cursorPaging": {"cursor": "none of ours"}}, "cursorPaging.cursor"),
        ({"cursorPaging": {"limit": 1001}}, "cursorPaging.limit"),
    ],
)
async def test_wrong_questions_are_refused(service: Service, asked: Document, field: str) -> None:
    """A period that ends before it begins, a cursor of something else, too large a page."""
    wallet = await open_wallet(service)
    refused = await service.refusal("getStatement", {"poolId": wallet.pool_id, **asked})
    assert field in refused.fields


async def test_a_pool_that_is_not_there_has_no_statement(service: Service) -> None:
    """A pool of nobody, or of another tenant, is not found."""
    other = await open_wallet(await service.another_tenant())
    for pool_id in (guid(), other.pool_id):
        for name in ("getStatement", "getBalanceAsOf"):
            refused = await service.refusal(name, {"poolId": pool_id, "date": NEW_YEAR})
            assert (refused.status, refused.code) == (404, "BALANCE_NOT_FOUND")


async def test_the_statement_of_many_pools_is_their_sum(timed: tuple[Service, Clock]) -> None:
    """By days, over pools with lots and reservations: each period adds up to those of the pools."""
    service, clock = timed
    began = clock.now
    histories = [await History.begin(service, clock, seed) for seed in range(3)]
    for _ in range(25):
        for history in histories:
            await history.step()
    for history in histories:
        await history._settle()
    asked = {"fromDate": dated(began), "by": "DAY"}
    whole = await service.call("getStatements", asked)
    assert len(whole["periods"]) > 3
    for period in whole["periods"]:
        dates = {"fromDate": period["fromDate"], "toDate": period["toDate"]}
        single = [
            (await service.call("getStatement", {"poolId": each.wallet.pool_id, **dates}))[
                "summary"
            ]
            for each in histories
        ]
        for part in ("opening", "figures", "closing"):
            sums = {name: Decimal(value) for name, value in period[part].items()}
            assert sums == {
                name: sum(Decimal(each[part][name]) for each in single) for name in sums
            }
        assert period["transactionCount"] == sum(each["transactionCount"] for each in single)
    require_outstanding(whole)


def require_outstanding(whole: Document) -> None:
    """Fail unless what is outstanding is the last closing, shared out by expiry and by age."""
    outstanding = whole["outstanding"]
    assert outstanding["amount"] == whole["periods"][-1]["closing"]
    for parts, rest in (("byExpiry", "neverExpires"), ("byAge", "withoutAge")):
        total = sum(Decimal(each["amount"]) for each in outstanding[parts])
        assert total + Decimal(outstanding[rest]) == Decimal(outstanding["amount"]["available"])


async def test_a_statement_is_narrowed(service: Service) -> None:
    """To a namespace, a program definition or a pool definition."""
    wallet = await open_wallet(service)
    await open_wallet(service, amount="7")
    asked = {"fromDate": NEW_YEAR}
    for narrow, provisioned in (
        ({}, "107"),
        ({"poolDefinitionId": wallet.definition["id"]}, "100"),
        ({"programDefinitionId": guid()}, "0"),
        ({"namespace": "gym"}, "107"),
        ({"namespace": "elsewhere"}, "0"),
    ):
        found = await service.call("getStatements", asked | narrow)
        total = sum(Decimal(each["figures"]["provisioned"]) for each in found["periods"])
        assert (narrow, str(total)) == (narrow, provisioned)


async def test_outstanding_credits_are_shown_by_their_end(timed: tuple[Service, Clock]) -> None:
    """Those that end within a week are told apart from those that end later, or never."""
    service, clock = timed
    wallet = await open_wallet(service)
    for days, amount in ((3, 2), (20, 5)):
        fate = Fate(origin=LotOrigin.GRANT, expiration_date=clock.now + days * DAY)
        await do(service, Grant(pool_id=wallet.pool_id, amount=amount * CREDIT, fate=fate))
    found = (await service.call("getStatements", {"fromDate": NEW_YEAR}))["outstanding"]
    assert [each["amount"] for each in found["byExpiry"]] == ["0", "2", "5", "0", "0", "0"]
    assert found["neverExpires"] == "100"
    assert (found["byAge"][-1]["amount"], found["withoutAge"]) == ("7", "100")


async def test_periods_are_also_a_table(service: Service) -> None:
    """Who asks for CSV gets a line for each period, with the names of the fields above."""
    await open_wallet(service)
    response = await service.client.post(
        "/benefit-programs/v1/statements/query",
        json={"fromDate": NEW_YEAR, "by": "MONTH"},
        headers={"authorization": service.key or "", "accept": "text/csv"},
    )
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(StringIO(response.text)))
    assert sum(Decimal(line["provisioned"]) for line in lines) == 100
    assert lines[-1]["closingAvailable"] == "100"


async def test_outstanding_credits_are_shown_by_definition(service: Service) -> None:
    """Definitions are told apart, the one with the most first, and add up to the whole."""
    small, large = await open_wallet(service, amount="7"), await open_wallet(service, amount="90")
    await open_another(service, large.definition)
    found = (await service.call("getStatements", {"fromDate": NEW_YEAR}))["outstanding"]
    assert found["byPoolDefinition"] == [
        {
            "poolDefinitionId": each.definition["id"],
            "poolCount": count,
            "amount": {"available": amount, "reserved": "0"},
        }
        for each, count, amount in ((large, 2, "180"), (small, 1, "7"))
    ]


async def test_activity_is_what_statements_say(timed: tuple[Service, Clock]) -> None:
    """Periods have the figures of statements, and redemptions their hours of the tenant's week."""
    service, clock = timed
    began = clock.now
    await service.call("updateSettings", {"settings": {"timeZone": "Asia/Kathmandu"}})
    wallet, other = await open_wallet(service), await open_wallet(service)
    for days in (0, 1, 7):
        clock.now = began + days * DAY
        await wallet.redeem(count=2)
    await wallet.cancel(await other.redeem())
    clock.now += HOUR
    asked = {"fromDate": dated(began), "toDate": dated(clock.now), "by": "DAY"}
    clock.now += HOUR
    found, whole = [await service.call(each, asked) for each in ("getActivity", "getStatements")]
    assert found["isComplete"]
    assert found["poolCount"] == 2
    same = ("fromDate", "toDate", "figures", "transactionCount")
    assert found["periods"] == [{name: each[name] for name in same} for each in whole["periods"]]
    local = zoned(began, "Asia/Kathmandu")
    first, second = found["hours"] if local.date().day_of_week().value < 7 else found["hours"][::-1]
    assert (first["hour"], first["redemptionCount"], first["amount"]) == (local.hour, 3, "50")
    assert (second["hour"], second["redemptionCount"], second["amount"]) == (local.hour, 1, "20")
    narrow = await service.call("getActivity", asked | {"poolDefinitionId": other.definition["id"]})
    assert [each["redemptionCount"] for each in narrow["hours"]] == [1]


async def test_activity_reads_the_newest_transactions_only(
    timed: tuple[Service, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of too many the newest are counted, and the answer says from when on that is all."""
    service, clock = timed
    began = clock.now
    wallet = await open_wallet(service)
    for days in (1, 2, 3):
        clock.now = began + days * DAY
        await wallet.redeem()
    monkeypatch.setattr("benefit_programs.storage.tenant_statements.ACTIVITY_TRANSACTIONS_MAX", 2)
    found = await service.call("getActivity", {"fromDate": dated(began), "by": "DAY"})
    assert not found["isComplete"]
    assert sum(each["transactionCount"] for each in found["periods"]) == 2
    assert dated(began + DAY) <= found["fromDate"] < dated(began + 2 * DAY)


async def test_too_many_periods_are_refused(service: Service) -> None:
    """A statement has up to 400 periods."""
    asked = {"fromDate": "2020-01-01T00:00:00Z", "by": "DAY"}
    refused = await service.refusal("getStatements", asked)
    assert refused.violations[0]["ruleName"] == "too_many_periods"


async def test_a_member_sees_all_that_it_has(timed: tuple[Service, Clock]) -> None:
    """Pools with what can be spent now, on what, what ends next, and what is set aside."""
    service, clock = timed
    member = guid()
    wallet = await open_wallet(
        service, benefit("towel", price="40"), program={"beneficiary": {"memberId": member}}
    )
    other = await open_another(service, wallet.definition)
    fate = Fate(origin=LotOrigin.GRANT, expiration_date=clock.now + 2 * DAY)
    await do(service, Grant(pool_id=wallet.pool_id, amount=30 * CREDIT, fate=fate))
    reserve = Reserve(
        pool_id=wallet.pool_id, count=1, price=10 * CREDIT, until=clock.now + 5 * HOUR
    )
    reservation = await do(service, reserve)
    caller = await service.as_member(member)
    asked = {"beneficiary": {"memberId": other.program["beneficiary"]["memberId"]}}
    found = await caller.call("getOverview", asked)
    assert found["beneficiary"]["memberId"] == member
    (pool,) = found["programs"][0]["pools"]
    assert pool["amount"] == {"available": "120", "reserved": "10"}
    (shown,) = pool["benefits"]
    assert (shown["isUsable"], shown["payableCount"]) == (True, 3)
    assert pool["nextExpiry"] == {"date": dated(fate.expiration_date or 0), "amount": "20"}
    assert [each["id"] for each in pool["reservations"]] == [reservation]
    assert [lot["available"] for lot in pool["lots"]] == ["20"]
    clock.move(6)
    (pool,) = (await caller.call("getOverview", asked))["programs"][0]["pools"]
    assert pool["amount"] == {"available": "130", "reserved": "0"}
    assert pool["reservations"] == []


async def test_an_overview_is_of_what_has_not_ended(service: Service) -> None:
    """Ended programs, and those of other namespaces, are left out."""
    member = {"memberId": guid()}
    wallet = await open_wallet(service, program={"beneficiary": member})
    asked = {"beneficiary": member}
    found = await service.call("getOverview", asked)
    assert [each["id"] for each in found["programs"]] == [wallet.program["id"]]
    assert (await service.call("getOverview", {**asked, "namespace": "none"}))["programs"] == []
    end = {"programId": wallet.program["id"], "idempotencyKey": guid()}
    await service.call("endProgram", end)
    assert (await service.call("getOverview", asked))["programs"] == []
