"""What comes due in programs and is booked late: reads, decisions and statements know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.calendars import ProgramTerms, RenewalConfiguration, WhilePaused
from benefit_programs.domain.entities import JobKind, Program
from benefit_programs.domain.settings import IN_REQUEST_MAX
from benefit_programs.wire.codec import instant_text
from tests.support.calls import NAMESPACE, guid
from tests.support.clock import DAY
from tests.support.dated import (
    MONTHLY,
    act_until,
    be_on_time,
    join,
    make_plan,
    open_still,
    pool_row,
)
from tests.support.lifecycle import limit_requests, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.calls import Document
    from tests.support.clock import StillClock
    from tests.support.inprocess import Service
    from tests.support.wallet import Wallet

pytestmark = pytest.mark.anyio


async def late_by_a_renewal(service: Service, clock: StillClock) -> Wallet:
    """A pool that has spent 30 of 100 credits, and whose renewal to 100 isn't booked yet."""
    wallet = await join(service, await make_plan(service, amount="100"), MONTHLY)
    await wallet.redeem(count=3)
    clock.now += 32 * DAY
    assert (await pool_row(service, wallet)).renewal_count == 0
    return wallet


def ask_pool(wallet: Wallet) -> Document:
    return {"poolId": wallet.pool_id}


def ask_query(wallet: Wallet) -> Document:
    return {"query": {"filter": {"programId": wallet.program["id"]}}}


def ask_member(wallet: Wallet) -> Document:
    member = wallet.program["beneficiary"]["memberId"]
    return {"query": {"filter": {"beneficiary.memberId": member}}}


def ask_items(wallet: Wallet) -> Document:
    return {"query": {"filter": {"poolId": wallet.pool_id}}, "fields": ["BALANCE"]}


def ask_item(wallet: Wallet) -> Document:
    return {
        "itemReference": wallet.reference(),
        "namespace": NAMESPACE,
        "beneficiary": wallet.program["beneficiary"],
        "count": 8,
    }


def ask_for_all(wallet: Wallet) -> Document:
    return {"beneficiary": wallet.program["beneficiary"]}


def ask_transactions(wallet: Wallet) -> Document:
    return {"query": {"filter": {"pool.id": wallet.pool_id}}}


READS: list[tuple[str, Callable[[Wallet], Document], Callable[[Document], Any], Any]] = [
    ("getBalance", ask_pool, lambda found: found["balance"]["amount"]["available"], "100"),
    ("getPool", ask_pool, lambda found: found["pool"]["renewalCount"], 1),
    ("queryPools", ask_query, lambda found: found["pools"][0]["renewalCount"], 1),
    (
        "queryBalances",
        ask_member,
        lambda found: found["balances"][0]["amount"]["available"],
        "100",
    ),
    (
        "queryPoolItems",
        ask_items,
        lambda found: found["poolItems"][0]["balance"]["available"],
        "100",
    ),
    ("getEligibleBenefits", ask_item, lambda found: len(found["eligibleBenefits"]), 1),
    (
        "getOverview",
        ask_for_all,
        lambda found: found["programs"][0]["pools"][0]["amount"]["available"],
        "100",
    ),
    ("listLots", ask_pool, lambda found: found["lots"][0]["available"], "100"),
    (
        "getLot",
        lambda wallet: {"lotId": wallet.pool_id},
        lambda found: found["lot"]["available"],
        "100",
    ),
    ("queryTransactions", ask_transactions, lambda found: len(found["transactions"]), 4),
    ("getStatement", ask_pool, lambda found: found["summary"]["figures"]["renewed"], "100"),
]


@pytest.mark.parametrize(
    ("name", "ask", "found_in", "expected"), [pytest.param(*each, id=each[0]) for each in READS]
)
async def test_a_read_shows_a_renewal_that_nobody_has_booked(
    dated: tuple[Service, StillClock],
    name: str,
    ask: Callable[[Wallet], Document],
    found_in: Callable[[Document], Any],
    expected: Any,
) -> None:
    """Whichever read comes first after the instant of a renewal shows the pool renewed."""
    service, clock = dated
    wallet = await late_by_a_renewal(service, clock)
    assert found_in(await service.call(name, ask(wallet))) == expected


async def test_a_page_of_late_programs_is_read_as_they_are(
    dated: tuple[Service, StillClock],
) -> None:
    """A query that finds ended programs by their old status finds them no more."""
    service, clock = dated
    made = await make_plan(service, amount="100")
    for _ in range(3):
        await join(service, made, ProgramTerms(ends_after="P1D"))
    stays = await join(service, made, MONTHLY)
    clock.now += 2 * DAY
    query = {
        "filter": {"programDefinitionId": made[0]["id"], "status": "ACTIVE"},
        "sort": [{"fieldName": "id", "order": "ASC"}],
    }
    found = await service.call("queryPrograms", {"query": query})
    assert [each["id"] for each in found["programs"]] == [stays.program["id"]]
    assert {row.status.value for row in await service.rows(Program)} == {"ACTIVE", "ENDED"}


async def test_nothing_is_redeemed_after_a_program_has_ended(
    dated: tuple[Service, StillClock],
) -> None:
    """A redemption, a reservation and an update come after the end that isn't booked yet."""
    service, clock = dated
    made = await make_plan(service, amount="100")
    one = await join(service, made, ProgramTerms(ends_after="P1D"))
    clock.now += DAY - 1
    await one.redeem()
    clock.now += 1
    assert (await one.redeem_refused()).code == "POOL_NOT_ACTIVE"
    assert (await one.pool())["status"] == "ENDED"
    two = await join(service, made, ProgramTerms(ends_after="P1D"))
    clock.now += DAY
    refused = await service.refusal("reserveBenefit", two.redemption())
    assert refused.code == "POOL_NOT_ACTIVE"


async def test_a_program_that_resumes_by_itself_can_be_used_at_once(
    dated: tuple[Service, StillClock],
) -> None:
    """Whether the question is what is eligible, or a redemption."""
    service, clock = dated
    wallet = await join(service, await make_plan(service, amount="100"), MONTHLY)
    await act_until(service, wallet, JobKind.PAUSE_PROGRAM, clock.now + DAY)
    clock.now += DAY - 1
    assert (await service.call("getEligibleBenefits", ask_item(wallet)))["eligibleBenefits"] == []
    clock.now += 1
    found = await service.call("getEligibleBenefits", ask_item(wallet))
    assert len(found["eligibleBenefits"]) == 1
    await act_until(service, wallet, JobKind.PAUSE_PROGRAM, clock.now + DAY)
    clock.now += DAY
    await wallet.redeem()


async def test_a_renewal_takes_what_the_pool_gave_at_its_instant(
    dated: tuple[Service, StillClock],
) -> None:
    """Whoever changes a pool or its definition after that books the renewal before."""
    service, clock = dated
    made = await make_plan(service, amount="100")
    by_hand, by_definition = [await join(service, made, MONTHLY) for _ in range(2)]
    stored = await by_hand.pool()
    clock.now += 32 * DAY
    more = {**stored["details"], "creditConfiguration": {"amount": "500"}}
    change = {"id": by_hand.pool_id, "revision": stored["revision"], "details": more}
    refused = await service.refusal("updatePool", {"pool": change})
    assert refused.code == "INVALID_REVISION"
    change["revision"] = (await by_hand.pool())["revision"]
    await service.call("updatePool", {"pool": change})
    assert await by_hand.available() == "100"
    definition = made[1]
    more = {**definition["details"], "creditConfiguration": {"amount": "700"}}
    change = {"id": definition["id"], "revision": definition["revision"], "details": more}
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    assert await by_definition.available() == "100"
    clock.now += 31 * DAY
    assert await by_definition.available() == "700"


async def test_a_cascade_by_a_job_comes_after_renewals_that_were_due_before_it(
    dated: tuple[Service, StillClock],
) -> None:
    """Whether a read books the renewal while the job waits, or the job does."""
    service, clock = dated
    made = await make_plan(service, amount="100")
    read, reached = [await join(service, made, MONTHLY) for _ in range(2)]
    await limit_requests(service, 1)
    clock.now += 32 * DAY
    definition = made[1]
    more = {**definition["details"], "creditConfiguration": {"amount": "700"}}
    change = {"id": definition["id"], "revision": definition["revision"], "details": more}
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    clock.now += 1
    assert await read.available() == "100"
    assert (await read.pool())["poolDefinitionRevision"] == definition["revision"]
    await run_jobs(service)
    for wallet in (read, reached):
        pool = await wallet.pool()
        assert (pool["renewalCount"], pool["details"]["creditConfiguration"]["amount"]) == (
            1,
            "700",
        )
        assert await wallet.available() == "100"


async def test_pools_of_a_large_program_do_not_ask_again_and_again(
    dated: tuple[Service, StillClock],
) -> None:
    """Once a job has renewed them, a read books nothing."""
    service, clock = dated
    wallet = await late_by_a_renewal(service, clock)
    await limit_requests(service, 0)
    await wallet.balance()
    await run_jobs(service)
    assert await wallet.available() == "100"
    before = service.engine.submitted
    await wallet.balance()
    assert service.engine.submitted == before
    await limit_requests(service, IN_REQUEST_MAX)
    clock.now += 31 * DAY
    await run_jobs(service)
    row = await pool_row(service, wallet)
    assert (row.renewal_count, row.program_due) == (2, (await service.rows(Program))[0].due)


async def test_what_is_late_comes_before_a_program_of_the_same_name(
    dated: tuple[Service, StillClock],
) -> None:
    """An end that isn't booked is seen by an action on the program, too."""
    service, clock = dated
    wallet = await join(service, await make_plan(service), ProgramTerms(ends_after="P1D"))
    clock.now += DAY
    request = {"programId": wallet.program["id"], "idempotencyKey": guid()}
    refused = await service.refusal("pauseProgram", request)
    assert refused.code == "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED"
    found = await service.call("getProgram", {"programId": wallet.program["id"]})
    assert found["program"]["status"] == "ENDED"


# A twin that was on time.

TERMS = ProgramTerms(
    renewal_configuration=RenewalConfiguration(every="P10D", cycles=6),
    while_paused=WhilePaused.STOP,
)
CREDIT: dict[str, Any] = {
    "amount": "50",
    "expiresAfter": "P25D",
    "rolloverConfiguration": {"enabled": True, "percent": "50"},
}


def plain(found: Any, twins: dict[str, str]) -> Any:
    """An answer without what tells twins apart: ids, revisions and when something was booked."""
    if isinstance(found, list):
        return [plain(each, twins) for each in found]
    if not isinstance(found, dict):
        return twins.get(found, found) if isinstance(found, str) else found
    hidden = {"transactionId", "bookedDate", "lotId", "id", "draws", "metadata"}
    return {key: plain(each, twins) for key, each in found.items() if key not in hidden}


async def test_a_late_program_comes_out_as_one_that_was_on_time(
    dated: tuple[Service, StillClock],
) -> None:
    """Statements, balances and lots of any time are the same, also between instant and booking."""
    service, clock = dated
    made = await make_plan(service, **CREDIT)
    prompt, late = [await join(service, made, TERMS) for _ in range(2)]
    begin = clock.now
    for wallet in (prompt, late):
        await wallet.redeem(count=2)
    for day in range(1, 61):
        clock.now = begin + day * DAY
        await be_on_time(service, prompt)
        if day in {12, 35}:
            for wallet in (prompt, late):
                await act_until(service, wallet, JobKind.PAUSE_PROGRAM, clock.now + 7 * DAY)
    twins = {late.pool_id: prompt.pool_id}
    for name, fields in (
        ("getStatement", {"byLot": "true"}),
        ("getStatement", {"fromDate": instant_text(begin + 15 * DAY), "byLot": "true"}),
        *(
            ("getBalanceAsOf", {"date": instant_text(begin + day * DAY)})
            for day in (5, 10, 20, 31, 45, 57)
        ),
        ("listLots", {}),
        ("getBalanceAsOf", {"date": instant_text(begin + 60 * DAY)}),
    ):
        answers = [
            plain(await service.call(name, {"poolId": each.pool_id, **fields}), twins)
            for each in (late, prompt)
        ]
        if name == "listLots":
            for lot in (lot for answer in answers for lot in answer["lots"]):
                for key in ("createdDate", "updatedDate", "programId", "beneficiary", "revision"):
                    lot.pop(key, None)
        assert answers[0] == answers[1], (name, fields)


async def test_a_statement_knows_thousands_of_renewals_that_were_booked_late(
    dated: tuple[Service, StillClock],
) -> None:
    """However many there are, the cut at an instant is behind exactly those before it."""
    service, clock = dated
    daily = ProgramTerms(renewal_configuration=RenewalConfiguration(every="P1D"))
    wallet = await join(service, await make_plan(service, amount="1"), daily)
    begin = clock.now
    clock.now += 250 * DAY
    await wallet.balance()
    for day in (1, 120, 249):
        asked = {"poolId": wallet.pool_id, "toDate": instant_text(begin + day * DAY + 1)}
        summary = (await service.call("getStatement", asked))["summary"]
        assert summary["figures"]["renewed"] == str(day)
        assert summary["transactionCount"] == 1 + 2 * day


async def test_a_read_is_answered_where_nothing_can_be_written(database_url: str) -> None:
    """Then it shows what is stored."""
    async with open_still(database_url) as (service, clock):
        wallet = await late_by_a_renewal(service, clock)
        await service.engine.close()
        assert await wallet.available() == "70"
        assert (await wallet.pool()).get("renewalCount", 0) == 0


async def test_the_runner_leaves_nothing_to_reads(dated: tuple[Service, StillClock]) -> None:
    """What it has booked, a read finds booked."""
    service, clock = dated
    wallet = await late_by_a_renewal(service, clock)
    await run_jobs(service)
    before = await pool_row(service, wallet)
    assert before.renewal_count == 1
    assert await wallet.available() == "100"
    assert await pool_row(service, wallet) == before
