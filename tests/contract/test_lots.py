"""Lots: granted, spent in their order, changed, ended, and ending by themselves.

docs/concepts/lots.md says the same to users.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Lot, LotStatus
from benefit_programs.domain.lots import OPEN_LOTS_MAX
from tests.support.calls import benefit, guid
from tests.support.clock import DAY, HOUR, StillClock
from tests.support.commands import submit
from tests.support.engines import ON_POSTGRES_IN_FULL
from tests.support.lifecycle import act
from tests.support.lots import Hold, granted, put
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LARGEST = "922337203685477.5807"


def text(instant: int) -> str:
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def grant(wallet: Wallet, amount: str, **fields: Any) -> Document:
    request = {"poolId": wallet.pool_id, "idempotencyKey": guid(), "amount": amount, **fields}
    return await wallet.caller.call("grantCredits", request)


async def grant_refused(wallet: Wallet, amount: Any, **fields: Any) -> Any:
    request = {"poolId": wallet.pool_id, "idempotencyKey": guid(), "amount": amount, **fields}
    return await wallet.caller.refusal("grantCredits", request)


async def lots_of(wallet: Wallet) -> list[Document]:
    answer = await wallet.caller.call("listLots", {"poolId": wallet.pool_id})
    return answer["lots"]  # type: ignore[no-any-return]


async def figures(wallet: Wallet) -> list[tuple[str, str]]:
    """What is left where, in the order of spending; the standard lot is called so."""
    return [
        (each.get("displayName", "standard"), each["available"]) for each in await lots_of(wallet)
    ]


async def lot(wallet: Wallet, lot_id: str) -> Document:
    return (await wallet.caller.call("getLot", {"lotId": lot_id}))["lot"]  # type: ignore[no-any-return]


async def found(caller: Any, **conditions: Any) -> list[Document]:
    query = {"filter": {name.replace("__", "."): each for name, each in conditions.items()}}
    return [row for page in await caller.pages("queryLots", query) for row in page]


# Grants


async def test_granted_credits_are_a_lot_of_their_own(service: Service) -> None:
    """The answer has the lot and the balance; the transaction names the lot."""
    wallet = await open_wallet(service)
    answer = await grant(
        wallet,
        "50",
        expiresAfter="P30D",
        displayName="Pack of 5",
        externalReference="order:7",
        additionalData={"price": "99"},
    )
    made = answer["lot"]
    assert answer["balance"]["amount"] == {"available": "150", "reserved": "0"}
    assert {name: made[name] for name in ("origin", "status", "granted", "available")} == {
        "origin": "GRANT",
        "status": "LIVE",
        "granted": "50",
        "available": "50",
    }
    assert (made["priority"], made["keptAtRenewal"], made["isStandard"]) == (100, True, False)
    assert (made["displayName"], made["externalReference"]) == ("Pack of 5", "order:7")
    assert made["additionalData"] == {"price": "99"}
    assert made["beneficiary"] == wallet.program["beneficiary"]
    assert await lot(wallet, made["id"]) == made
    row = await wallet.transaction(answer["transactionId"])
    assert row["lots"] == [{"lotId": made["id"], "amount": "50"}]
    assert (row["details"]["reason"], row["externalReference"]) == ("Grant", "order:7")
    assert (row["source"], row["target"], row["amount"]) == ("EXTERNAL", "AVAILABLE", "50")
    assert await service.slugs_of(made["id"]) == ["created"]


async def test_a_pool_without_lots_shows_nothing_of_them(service: Service) -> None:
    """Who doesn't use lots reads the contract's fields alone."""
    wallet = await open_wallet(service)
    row = await wallet.transaction(await wallet.redeem())
    assert row.keys() & {"lots", "externalReference", "dueDate"} == set()
    (standard,) = await lots_of(wallet)
    assert (standard["id"], standard["available"]) == (wallet.pool_id, "90")
    assert standard["isStandard"]
    assert "granted" not in standard
    assert await lot(wallet, wallet.pool_id) == standard


async def test_a_grant_happens_once_per_key(service: Service) -> None:
    """A repeat hears of the lot and the transaction, and whether it asks for the same."""
    wallet = await open_wallet(service)
    first = await grant(wallet, "5", idempotencyKey="once")
    for amount, same in (("5", True), ("6", False)):
        refused = await grant_refused(wallet, amount, idempotencyKey="once")
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data["lotId"] == first["lot"]["id"]
        assert refused.data["transactionId"] == first["transactionId"]
        assert refused.data["sameRequest"] is same
    assert await wallet.available() == "105"


async def test_a_grant_for_later_begins_by_itself(timed: Service, clock: StillClock) -> None:
    """Until then it is shown and can't be spent; from its instant on it can, booked or not."""
    wallet = await open_wallet(timed, amount="10")
    begin = clock.now + DAY
    fields = {"effectiveDate": text(begin), "expiresAfter": "PT12H", "idempotencyKey": "later"}
    answer = await grant(wallet, "20", displayName="gift", **fields)
    assert "transactionId" not in answer
    assert answer["balance"]["amount"]["available"] == "10"
    future = answer["lot"]
    assert (future["status"], future["granted"], future["available"]) == ("FUTURE", "20", "0")
    assert future["expirationDate"] == text(begin + 12 * HOUR)
    refused = await grant_refused(wallet, "20", displayName="gift", **fields)
    assert (refused.code, refused.data["lotId"]) == ("ALREADY_EXECUTED", future["id"])
    assert refused.data["sameRequest"] is True
    clock.now = begin - 1
    assert (await wallet.redeem_refused(count=2)).code == "NOT_ENOUGH_BALANCE"
    assert (await lot(wallet, future["id"]))["status"] == "FUTURE"
    clock.now = begin
    assert (await lot(wallet, future["id"]))["status"] == "LIVE"
    assert [each["id"] for each in await found(timed, status="LIVE")] == [future["id"]]
    assert await found(timed, status="FUTURE") == []
    assert await figures(wallet) == [("gift", "20"), ("standard", "10")]
    await wallet.redeem(count=3)
    rows = await wallet.transactions()
    assert [each["details"]["reason"] for each in rows] == ["Provisioning", "Grant", "Redemption"]
    assert rows[1].keys() & {"dueDate", "instructingParty"} == set()
    assert rows[2]["lots"] == [
        {"lotId": future["id"], "amount": "20"},
        {"lotId": wallet.pool_id, "amount": "10"},
    ]


REFUSED_GRANTS: list[tuple[Any, Document, str]] = [
    ("0", {}, "amount"),
    ("-1", {}, "amount"),
    ("922337203685477.5808", {}, "amount"),
    ("1", {"priority": -1}, "priority"),
    ("1", {"priority": 1001}, "priority"),
    ("1", {"expiresAfter": "P0D"}, "expiresAfter"),
    ("1", {"expiresAfter": "P101Y"}, "expiresAfter"),
    ("1", {"expirationDate": "2020-01-01T00:00:00Z"}, "expirationDate"),
    ("1", {"expirationDate": "10000-01-01T00:00:00Z"}, "expirationDate"),
    (
        "1",
        {"effectiveDate": "2100-01-02T00:00:00Z", "expirationDate": "2100-01-01T00:00:00Z"},
        "expirationDate",
    ),
    (
        "1",
        {"effectiveDate": "2100-01-02T00:00:00Z", "expirationDate": "2100-01-02T00:00:00Z"},
        "expirationDate",
    ),
    (
        "1",
        {"effectiveDate": "9999-06-01T00:00:00Z", "expiresAfter": "P1Y"},
        "expiresAfter",
    ),
    (
        "1",
        {"effectiveDate": "2020-01-01T00:00:00Z", "expiresAfter": "P1Y"},
        "expiresAfter",
    ),
    ("1", {"externalReference": ""}, "externalReference"),
    ("1", {"externalReference": "x" * 129}, "externalReference"),
    ("1", {"displayName": "x" * 129}, "displayName"),
]


@pytest.mark.parametrize(("amount", "fields", "field"), REFUSED_GRANTS)
async def test_what_makes_no_sense_is_refused_by_name(
    service: Service, amount: Any, fields: Document, field: str
) -> None:
    """Each value outside of its limits is refused with the field, and nothing is granted."""
    wallet = await open_wallet(service)
    refused = await grant_refused(wallet, amount, **fields)
    assert refused.status == 400
    assert field in refused.fields
    assert await figures(wallet) == [("standard", "100")]


async def test_a_lot_ends_in_one_way_alone(service: Service) -> None:
    """A date and a duration together are refused."""
    wallet = await open_wallet(service)
    both = {"expiresAfter": "P1D", "expirationDate": "2100-01-01T00:00:00Z"}
    assert (await grant_refused(wallet, "1", **both)).status == 400


async def test_a_grant_past_the_largest_balance_is_refused(service: Service) -> None:
    """A balance never leaves its limits; up to the last unit there is room."""
    wallet = await open_wallet(service, amount="1")
    assert (await grant_refused(wallet, LARGEST)).code == "BALANCE_EXCEEDED_LIMITS"
    answer = await grant(wallet, "922337203685476.5807")
    assert answer["balance"]["amount"]["available"] == LARGEST


@ON_POSTGRES_IN_FULL
async def test_a_pool_has_at_most_so_many_open_lots(own_service: Service) -> None:
    """One more is refused by name; when one has ended there is room again."""
    wallet = await open_wallet(own_service)
    first = await grant(wallet, "1", displayName="first")
    await _crowd(own_service, wallet, OPEN_LOTS_MAX - 1)
    refused = await grant_refused(wallet, "1")
    assert (refused.status, refused.code) == (428, "TOO_MANY_LOTS")
    assert refused.data == {"maximum": OPEN_LOTS_MAX}
    await own_service.call("expireLot", {"lotId": first["lot"]["id"], "idempotencyKey": guid()})
    await grant(wallet, "1")
    pages = await _list_pages(wallet, 100)
    assert sum(map(len, pages)) == OPEN_LOTS_MAX + 1
    assert len({each["id"] for page in pages for each in page}) == OPEN_LOTS_MAX + 1


async def _crowd(service: Service, wallet: Wallet, count: int) -> None:
    for _ in range(count):
        await put(service, wallet.pool_id, 1, granted())


async def _list_pages(wallet: Wallet, limit: int) -> list[list[Document]]:
    pages: list[list[Document]] = []
    paging: Document = {"limit": limit}
    while True:
        request = {"poolId": wallet.pool_id, "cursorPaging": paging}
        answer = await wallet.caller.call("listLots", request)
        pages.append(answer["lots"])
        cursors = answer["metadata"]["cursors"]
        if "next" not in cursors:
            return pages
        paging = {"limit": limit, "cursor": cursors["next"]}


# The order of spending


async def test_credits_are_spent_in_the_burn_order(service: Service) -> None:
    """The smaller priority first, then what ends sooner; what never ends comes last."""
    wallet = await open_wallet(service, benefit("towel", price="1"), amount="10")
    await grant(wallet, "3", displayName="month", expiresAfter="P30D")
    await grant(wallet, "3", displayName="week", expiresAfter="P7D")
    await grant(wallet, "3", displayName="gift", priority=0)
    await grant(wallet, "3", displayName="last", priority=900, expiresAfter="P1D")
    order = ["gift", "week", "month", "standard", "last"]
    assert [name for name, _ in await figures(wallet)] == order
    await wallet.redeem(count=4)
    assert await figures(wallet) == [
        *(("week", "2"), ("month", "3"), ("standard", "10"), ("last", "3")),
    ]
    await wallet.adjust("-6")
    assert await figures(wallet) == [("standard", "9"), ("last", "3")]
    await wallet.redeem(count=12)
    assert await figures(wallet) == [("standard", "0")]


async def test_pages_of_lots_hang_together(service: Service) -> None:
    """What is spent between two pages neither repeats nor hides another lot."""
    wallet = await open_wallet(service, benefit("towel", price="1"), amount="10")
    for days in range(1, 8):
        await grant(wallet, "1", displayName=f"{days}", expiresAfter=f"P{days}D")
    request = {"poolId": wallet.pool_id, "cursorPaging": {"limit": 3}}
    first = await service.call("listLots", request)
    await wallet.redeem(count=2)
    next_ = {"limit": 3, "cursor": first["metadata"]["cursors"]["next"]}
    second = await service.call("listLots", {**request, "cursorPaging": next_})
    assert [each["displayName"] for each in first["lots"]] == ["1", "2", "3"]
    assert [each["displayName"] for each in second["lots"]] == ["4", "5", "6"]
    back = {"limit": 3, "cursor": second["metadata"]["cursors"]["prev"]}
    again = await service.call("listLots", {**request, "cursorPaging": back})
    assert [each["displayName"] for each in again["lots"]] == ["3"]
    refused = await service.refusal(
        "listLots", {"poolId": wallet.pool_id, "cursorPaging": {"cursor": "made-up"}}
    )
    assert refused.status == 400


# Terms


async def update(wallet: Wallet, made: Document, **fields: Any) -> Document:
    change = {"id": made["id"], "revision": made["revision"], **fields}
    return (await wallet.caller.call("updateLot", {"lot": change}))["lot"]  # type: ignore[no-any-return]


async def test_terms_are_changed_on_the_revision_that_was_read(service: Service) -> None:
    """What is sent changes, null is the default, and a change that is late is refused."""
    wallet = await open_wallet(service)
    made = (await grant(wallet, "5", displayName="pack", expiresAfter="P1D", priority=7))["lot"]
    changed = await update(wallet, made, expirationDate=None, priority=None, displayName="gift")
    assert (changed["revision"], changed["priority"]) == ("2", 100)
    assert "expirationDate" not in changed
    assert changed["displayName"] == "gift"
    assert changed["keptAtRenewal"]
    assert await lot(wallet, made["id"]) == changed
    assert await service.slugs_of(made["id"]) == ["created", "updated"]
    change = {"id": made["id"], "revision": "1", "displayName": "late"}
    refused = await service.refusal("updateLot", {"lot": change})
    assert (refused.status, refused.code) == (409, "INVALID_REVISION")


async def test_a_change_of_terms_changes_the_order(service: Service) -> None:
    """The next redemption is paid in the new order."""
    wallet = await open_wallet(service)
    made = (await grant(wallet, "5", displayName="pack", priority=900))["lot"]
    assert [name for name, _ in await figures(wallet)] == ["standard", "pack"]
    await update(wallet, made, priority=1)
    await wallet.redeem()
    assert await figures(wallet) == [("standard", "95")]


async def test_a_lot_cant_be_shortened_below_now(timed: Service, clock: StillClock) -> None:
    """Who wants that ends it, and what is reserved of it stays honoured."""
    wallet = await open_wallet(timed, amount="10")
    made = (await grant(wallet, "50", expiresAfter="P1D"))["lot"]
    like = await wallet.redeem()
    await submit(timed, Hold(like=like, count=2, expiration_date=clock.now + DAY))
    for end in (clock.now, clock.now - 1):
        change = {"id": made["id"], "revision": "1", "expirationDate": text(end)}
        refused = await timed.refusal("updateLot", {"lot": change})
        assert refused.status == 400
        assert "lot.expirationDate" in refused.fields
    ended = await timed.call("expireLot", {"lotId": made["id"], "idempotencyKey": guid()})
    assert {name: ended["lot"][name] for name in ("status", "available", "reserved")} == {
        "status": "EXPIRED",
        "available": "0",
        "reserved": "20",
    }
    assert ended["balance"]["amount"] == {"available": "10", "reserved": "20"}


async def test_a_lot_is_ended_once_per_key(service: Service) -> None:
    """What is available lapses with a transaction; a second end is refused."""
    wallet = await open_wallet(service)
    made = (await grant(wallet, "50", expiresAfter="P1D"))["lot"]
    await wallet.redeem(count=2)
    request = {"lotId": made["id"], "idempotencyKey": "end"}
    ended = await service.call("expireLot", request)
    assert (ended["lot"]["status"], ended["lot"]["revision"]) == ("EXPIRED", "2")
    assert ended["balance"]["amount"]["available"] == "100"
    row = await wallet.transaction(ended["transactionId"])
    assert (row["amount"], row["details"]["reason"]) == ("30", "Expiry")
    assert row["lots"] == [{"lotId": made["id"], "amount": "30"}]
    again = await service.refusal("expireLot", request)
    assert (again.code, again.data["lotId"]) == ("ALREADY_EXECUTED", made["id"])
    assert again.data["transactionId"] == ended["transactionId"]
    late = await service.refusal("expireLot", {**request, "idempotencyKey": "other"})
    assert (late.status, late.code) == (428, "LOT_EXPIRED")
    change = {"id": made["id"], "revision": "2", "priority": 1}
    assert (await service.refusal("updateLot", {"lot": change})).code == "LOT_EXPIRED"


async def test_a_lot_that_has_not_begun_ends_without_a_transaction(
    timed: Service, clock: StillClock
) -> None:
    """Nothing came, so nothing lapses, and it never begins."""
    wallet = await open_wallet(timed)
    begin = text(clock.now + DAY)
    made = (await grant(wallet, "50", effectiveDate=begin, displayName="gift"))["lot"]
    request = {"lotId": made["id"], "idempotencyKey": "end"}
    ended = await timed.call("expireLot", request)
    assert "transactionId" not in ended
    assert ended["lot"]["status"] == "EXPIRED"
    assert (await timed.refusal("expireLot", request)).code == "ALREADY_EXECUTED"
    clock.now += 2 * DAY
    await wallet.redeem()
    assert await figures(wallet) == [("standard", "90")]


async def test_the_standard_lot_has_no_terms(service: Service) -> None:
    """It can be read, and neither changed nor ended."""
    wallet = await open_wallet(service)
    change = {"id": wallet.pool_id, "revision": "1", "priority": 1}
    refused = await service.refusal("updateLot", {"lot": change})
    assert (refused.status, refused.code) == (428, "LOT_IS_STANDARD")
    request = {"lotId": wallet.pool_id, "idempotencyKey": guid()}
    assert (await service.refusal("expireLot", request)).code == "LOT_IS_STANDARD"


# What happens by itself


async def test_a_lot_expires_to_the_instant(timed: Service, clock: StillClock) -> None:
    """A millisecond before its end it pays, at its end no longer, whether or not it is booked."""
    wallet = await open_wallet(timed, amount="10")
    made = (await grant(wallet, "30", expiresAfter="P1D"))["lot"]
    end = clock.now + DAY
    assert made["expirationDate"] == text(end)
    clock.now = end - 1
    await wallet.redeem(count=2)
    assert [each["id"] for each in await found(timed, status="LIVE")] == [made["id"]]
    clock.now = end
    shown = await lot(wallet, made["id"])
    assert (shown["status"], shown["available"]) == ("EXPIRED", "0")
    assert await found(timed, status="LIVE") == []
    assert [each["status"] for each in await found(timed, status="EXPIRED")] == ["EXPIRED"]
    assert await figures(wallet) == [("standard", "10")]
    (stored,) = await timed.rows(Lot)
    assert stored.status is LotStatus.LIVE, "it isn't booked yet"
    clock.now += HOUR
    refused = await wallet.redeem_refused(count=2)
    assert refused.code == "NOT_ENOUGH_BALANCE"
    await wallet.redeem()
    expiry = (await wallet.transactions())[-2]
    assert (expiry["details"]["reason"], expiry["amount"]) == ("Expiry", "10")
    assert (expiry["dueDate"], expiry["details"]["effectiveDate"]) == (text(end), text(end))
    assert expiry["lots"] == [{"lotId": made["id"], "amount": "10"}]


async def test_what_comes_in_expires_as_the_definition_says(
    timed: Service, clock: StillClock
) -> None:
    """Provisioned, renewed and added credits live equally long, in months of the calendar."""
    clock.now = int(datetime(2027, 1, 31, 10, tzinfo=UTC).timestamp() * 1000)
    configuration = {"amount": "10", "expiresAfter": "P1M"}
    wallet = await open_wallet(timed, creditConfiguration=configuration)
    (first, _) = await lots_of(wallet)
    assert (first["origin"], first["available"]) == ("PROVISION", "10")
    assert first["expirationDate"] == "2027-02-28T10:00:00.000Z"
    await wallet.adjust("5")
    await act(timed, "renew", wallet.program["id"])
    origins = [(each["origin"], each["available"]) for each in await lots_of(wallet)]
    assert origins == [("RENEWAL", "10"), ("PROVISION", "0")], "without rollover the rest lapsed"
    await wallet.adjust("5")
    origins = [(each["origin"], each["available"]) for each in await lots_of(wallet)][:2]
    assert origins == [("RENEWAL", "10"), ("ADJUSTMENT", "5")]


async def test_rollover_by_percent_and_with_an_end(timed: Service, clock: StillClock) -> None:
    """Of 33.3333 left half rolls over, cut to four digits, and lives for a week at most."""
    rollover = {"enabled": True, "percent": "50", "expiresAfter": "P7D"}
    wallet = await open_wallet(
        timed, creditConfiguration={"amount": "100", "rolloverConfiguration": rollover}
    )
    pack = (await grant(wallet, "7", displayName="pack"))["lot"]
    await wallet.set_balance("40.3333")
    await update(wallet, await lot(wallet, pack["id"]), priority=900)
    before = await figures(wallet)
    assert sum(float(each) for _, each in before) == pytest.approx(40.3333)
    await act(timed, "renew", wallet.program["id"])
    rows = await lots_of(wallet)
    rolled = next(each for each in rows if each["origin"] == "PROVISION" and not each["isStandard"])
    assert rolled["expirationDate"] == text(clock.now + 7 * DAY)
    standard = next(each for each in rows if each["isStandard"])
    assert standard["available"] == "100"
    kept = next((each for each in rows if each["id"] == pack["id"]), {"available": "0"})
    left = 403333 - int(float(kept["available"]) * 10_000)
    assert rolled["available"] == f"{left // 2 / 10_000:.4f}".rstrip("0").rstrip(".")


async def test_credits_roll_over_into_terms_that_let_them_expire(service: Service) -> None:
    """A pool that had no lots gets one for what rolled over, and one for what comes."""
    wallet = await open_wallet(service)
    definition = wallet.definition
    credit = {
        "amount": "10",
        "expiresAfter": "P30D",
        "rolloverConfiguration": {"enabled": True, "expiresAfter": "P7D"},
    }
    details = {"benefits": definition["details"]["benefits"], "creditConfiguration": credit}
    change = {"id": definition["id"], "revision": definition["revision"], "details": details}
    await service.call(
        "updatePoolDefinition", {"poolDefinition": change, "cascade": "NEXT_RENEWAL"}
    )
    await act(service, "renew", wallet.program["id"])
    lots = [(each["origin"], each["available"]) for each in await lots_of(wallet)]
    assert lots == [("PROVISION", "100"), ("RENEWAL", "10"), ("PROVISION", "0")]


async def test_a_renewal_leaves_packs_alone(service: Service) -> None:
    """Only what isn't kept at renewals lapses."""
    wallet = await open_wallet(service)
    await grant(wallet, "50", displayName="pack", expiresAfter="P1Y")
    await grant(wallet, "20", displayName="bonus", expiresAfter="P1Y", keptAtRenewal=False)
    await wallet.redeem(count=1)
    await act(service, "renew", wallet.program["id"])
    assert await figures(wallet) == [("pack", "40"), ("standard", "100")]


async def test_an_end_and_a_renewal_at_the_same_instant(timed: Service, clock: StillClock) -> None:
    """The lot lapses first, at its instant; then what is left of the others is judged."""
    rollover = {"enabled": True}
    wallet = await open_wallet(
        timed, creditConfiguration={"amount": "10", "rolloverConfiguration": rollover}
    )
    await grant(wallet, "5", expiresAfter="P1D", keptAtRenewal=False)
    clock.now += DAY
    await act(timed, "renew", wallet.program["id"])
    rows = [(each["details"]["reason"], each["amount"]) for each in await wallet.transactions()]
    assert rows[2:] == [("Expiry", "5"), ("Renewal", "10")]
    assert await figures(wallet) == [("standard", "20")]


async def test_a_pass_pays_for_days_in_its_life_alone(timed: Service, clock: StillClock) -> None:
    """With TARGET_DATE nobody books past the end of a pass, nor before it begins."""
    configuration = {"amount": "0", "validOn": "TARGET_DATE"}
    wallet = await open_wallet(timed, creditConfiguration=configuration)
    made = (await grant(wallet, "30", expiresAfter="P10D"))["lot"]
    end = clock.now + 10 * DAY
    assert (await wallet.redeem_refused(targetDate=text(end))).code == "NOT_ENOUGH_BALANCE"
    await wallet.redeem(targetDate=text(end - 1))
    assert (await lot(wallet, made["id"]))["available"] == "20"


async def test_what_comes_back_late_lapses_visibly(timed: Service, clock: StillClock) -> None:
    """Credits of a lot that has expired meanwhile lapse in the same commit."""
    wallet = await open_wallet(timed, amount="0")
    made = (await grant(wallet, "10", expiresAfter="P1D"))["lot"]
    spent = await wallet.redeem()
    clock.now += 2 * DAY
    await wallet.cancel(spent)
    rows = [(each["details"]["reason"], each["amount"]) for each in await wallet.transactions()]
    assert rows[-2:] == [("Cancellation", "10"), ("Expiry", "10")]
    assert await wallet.available() == "0"
    assert (await lot(wallet, made["id"]))["status"] == "EXPIRED"


async def test_what_comes_back_may_live_on(timed: Service, clock: StillClock) -> None:
    """Where returned credits have a life of their own they become a lot of returns."""
    configuration = {"amount": "0", "returnsLive": "P3D"}
    wallet = await open_wallet(timed, creditConfiguration=configuration)
    await grant(wallet, "10", expiresAfter="P1D")
    spent = await wallet.redeem()
    clock.now += 2 * DAY
    await wallet.cancel(spent)
    (returned, _) = await lots_of(wallet)
    assert (returned["origin"], returned["available"]) == ("RETURN", "10")
    assert returned["expirationDate"] == text(clock.now + 3 * DAY)


async def test_what_comes_back_goes_where_it_came_from(service: Service) -> None:
    """A canceled redemption of two lots fills both again."""
    wallet = await open_wallet(service, benefit("towel", price="8"), amount="10")
    await grant(wallet, "5", displayName="pack", expiresAfter="P1D")
    before = await figures(wallet)
    await wallet.cancel(await wallet.redeem())
    assert await figures(wallet) == before


@pytest.mark.parametrize(("configuration", "left"), [({}, "15"), ({"lapseAtEnd": True}, "0")])
async def test_at_the_end_credits_stay_or_lapse(
    service: Service, configuration: Document, left: str
) -> None:
    """They stay, as in the contract, unless the definition says that they lapse."""
    wallet = await open_wallet(service, creditConfiguration={"amount": "10", **configuration})
    await grant(wallet, "5", expiresAfter="P1D")
    await service.call("endProgram", {"programId": wallet.program["id"]})
    await service.running.runner.settle()
    assert await wallet.available() == left


async def test_nothing_comes_back_to_credits_that_ended(service: Service) -> None:
    """What is canceled or released after the end lapses in the same commit."""
    wallet = await open_wallet(service, creditConfiguration={"amount": "30", "lapseAtEnd": True})
    redeemed = await wallet.redeem()
    held = await service.call("reserveBenefit", wallet.redemption())
    await service.call("endProgram", {"programId": wallet.program["id"]})
    await service.running.runner.settle()
    await wallet.cancel(redeemed)
    assert await wallet.available() == "0"
    ended = {"transactionId": held["transactionId"], "idempotencyKey": guid()}
    await service.call("cancelBenefitReservation", ended)
    balance = await wallet.balance()
    assert balance["amount"] == {"available": "0", "reserved": "0"}


# Finding lots


async def test_lots_are_found_by_each_of_their_fields(timed: Service, clock: StillClock) -> None:
    """What expires this week is one request, of one member or of all."""
    wallet, other = await open_wallet(timed), await open_wallet(timed)
    soon = (await grant(wallet, "5", expiresAfter="P3D", externalReference="order:1"))["lot"]
    late = (await grant(other, "5", expiresAfter="P30D"))["lot"]
    future = (await grant(other, "5", effectiveDate=text(clock.now + DAY)))["lot"]
    week = {"$gte": text(clock.now), "$lt": text(clock.now + 7 * DAY)}
    member = wallet.program["beneficiary"]["memberId"]
    cases: list[tuple[Document, list[str]]] = [
        ({"status": "LIVE", "expirationDate": week}, [soon["id"]]),
        ({"status": {"$in": ["LIVE", "FUTURE"]}}, [future["id"], late["id"], soon["id"]]),
        ({"status": {"$ne": "LIVE"}}, [future["id"]]),
        ({"status": {"$startsWith": "fut"}}, [future["id"]]),
        ({"status": {"$nin": ["LIVE", "FUTURE"]}}, []),
        ({"externalReference": "order:1"}, [soon["id"]]),
        ({"poolId": wallet.pool_id}, [soon["id"]]),
        ({"programId": other.program["id"], "status": "LIVE"}, [late["id"]]),
        ({"poolDefinitionId": wallet.definition["id"]}, [soon["id"]]),
        ({"beneficiary.memberId": member}, [soon["id"]]),
        ({"origin": "RETURN"}, []),
        ({"namespace": "gym", "id": late["id"]}, [late["id"]]),
        ({"effectiveDate": {"$gt": text(clock.now)}}, [future["id"]]),
        ({"expirationDate": None}, [future["id"]]),
    ]
    for conditions, expected in cases:
        rows = await timed.call("queryLots", {"query": {"filter": conditions}})
        assert [each["id"] for each in rows["lots"]] == expected, conditions
    query = {"filter": {"status": "LIVE"}, "sort": [{"fieldName": "expirationDate"}]}
    rows = await timed.call("queryLots", {"query": query})
    assert [each["id"] for each in rows["lots"]] == [soon["id"], late["id"]]


async def test_a_member_finds_its_own_lots_alone(service: Service) -> None:
    """A member's key sees no other member's credits."""
    wallet, other = await open_wallet(service), await open_wallet(service)
    own = (await grant(wallet, "5"))["lot"]
    await grant(other, "5")
    member = await service.as_member(wallet.program["beneficiary"]["memberId"])
    assert [each["id"] for each in await found(member)] == [own["id"]]


async def test_transactions_are_found_by_reference_and_key(service: Service) -> None:
    """What a caller called a change finds it again."""
    wallet = await open_wallet(service)
    made = await grant(wallet, "5", externalReference="order:9", idempotencyKey="key 9")
    for conditions in ({"externalReference": "order:9"}, {"idempotencyKey": "key 9"}):
        rows = await service.call("queryTransactions", {"query": {"filter": conditions}})
        assert [each["id"] for each in rows["transactions"]] == [made["transactionId"]]
