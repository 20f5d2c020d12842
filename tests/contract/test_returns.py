"""What comes back: parts of redemptions, cancellation terms, outside references."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from benefit_programs.api.method import Scope
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import (
    Operation,
    Reservation,
    ReservationStatus,
    Transaction,
    TransactionDetails,
)
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.required import require
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.settling import ask_for_account, open_account
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import CREDIT, SYSTEM, earliest
from benefit_programs.storage.verification import verify_store
from tests.support.calls import NAMESPACE, Document, benefit, details, guid
from tests.support.clock import HOUR, Clock
from tests.support.inprocess import Service, new_tenant, open_application
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

LATER = "2030-05-01T10:00:00.000Z"
MUCH_LATER = "2030-06-01T10:00:00.000Z"

TERMS = [{"before": "PT24H", "percent": "100"}, {"before": "PT0S", "percent": "50"}]

THREE_A_DAY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 3, "timePeriod": "DAY"},
    },
}


async def cancel(wallet: Wallet, transaction_id: str, **fields: Any) -> Document:
    """Cancel a redemption, or a part of it; the whole answer."""
    request = {"transactionId": transaction_id, "idempotencyKey": guid(), **fields}
    return await wallet.caller.call("cancelRedemption", request)


async def cancel_by_reference(service: Service, reference: str, **fields: Any) -> list[Document]:
    request = {
        "namespace": NAMESPACE,
        "externalReference": reference,
        "idempotencyKey": guid(),
        **fields,
    }
    return (await service.call("cancelByReference", request))["results"]  # type: ignore[no-any-return]


async def sound(service: Service) -> bool:
    return await verify_store(service.store, tenant_ids=[service.tenant.id]) == []


# Parts


async def test_a_part_of_the_items_comes_back(service: Service) -> None:
    """A total names how many are canceled in all: the credits of the difference return."""
    wallet = await open_wallet(service, benefit("towel", price="2.5"))
    redeemed = await wallet.redeem(count=4)
    first = await cancel(wallet, redeemed, totalCount=1)
    assert {**first, "transactionId": ""} == {
        "transactionId": "",
        "totalCount": 1,
        "returned": "2.5",
        "forfeited": "0",
    }
    transaction = await wallet.transaction(first["transactionId"])
    assert (transaction["amount"], transaction["details"]["itemCount"]) == ("2.5", 1)
    assert transaction["correlationId"] == redeemed
    assert "relatedTransactionId" not in transaction
    third = await cancel(wallet, redeemed, totalCount=3)
    assert (third["returned"], await wallet.available()) == ("5", "97.5")
    last = await cancel(wallet, redeemed)
    assert [*last] == ["transactionId"]
    transaction = await wallet.transaction(last["transactionId"])
    assert (transaction["relatedTransactionId"], transaction["amount"]) == (redeemed, "2.5")
    assert await wallet.available() == "100"
    slugs = await service.slugs_of(wallet.pool_id)
    assert slugs[-3:] == ["redemption_canceled"] * 3


async def test_totals_out_of_order_end_the_same(service: Service) -> None:
    """A total that isn't above the one before changes nothing and says so, also after the last."""
    wallet = await open_wallet(service)
    redeemed = await wallet.redeem(count=3)
    await cancel(wallet, redeemed, totalCount=2)
    for total in (0, 1, 2):
        answer = await cancel(wallet, redeemed, totalCount=total)
        assert answer == {"totalCount": 2, "returned": "0", "forfeited": "0"}
    await cancel(wallet, redeemed, totalCount=3)
    for total in (1, 3):
        answer = await cancel(wallet, redeemed, totalCount=total)
        assert answer == {"totalCount": 3, "returned": "0", "forfeited": "0"}
    refused = await wallet.cancel_refused(redeemed)
    assert (refused.status, refused.code) == (428, "REDEMPTION_ALREADY_CANCELED")
    assert await wallet.available() == "100"


@pytest.mark.parametrize("total", [1, 0, 2])
async def test_a_key_cancels_once(service: Service, total: int) -> None:
    """A key that was used is refused, whether something was canceled with it or nothing was."""
    wallet = await open_wallet(service)
    redeemed = await wallet.redeem(count=2)
    key = guid()
    first = await cancel(wallet, redeemed, totalCount=total, idempotencyKey=key)
    for again in (total, 2):
        request = {"transactionId": redeemed, "idempotencyKey": key, "totalCount": again}
        refused = await service.refusal("cancelRedemption", request)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data.get("transactionId") == first.get("transactionId")
        assert refused.data["sameRequest"] is (again == total)


async def test_more_than_there_are_is_refused(service: Service) -> None:
    """A total above the items names the field; one below zero is no count."""
    wallet = await open_wallet(service)
    redeemed = await wallet.redeem(count=2)
    for total, rule in ((3, "OTHER"), (-1, "MIN")):
        request = {"transactionId": redeemed, "idempotencyKey": guid(), "totalCount": total}
        refused = await service.refusal("cancelRedemption", request)
        assert (refused.status, refused.fields) == (400, {"totalCount": rule})
    assert await wallet.available() == "80"


async def test_parts_of_what_was_free_are_recorded(service: Service) -> None:
    """At the price 0 items are counted all the same."""
    wallet = await open_wallet(service, benefit("towel", price="0"), amount=None)
    redeemed = await wallet.redeem(count=3)
    assert (await cancel(wallet, redeemed, totalCount=1))["returned"] == "0"
    assert (await cancel(wallet, redeemed, totalCount=1)).get("transactionId") is None
    assert (await cancel(wallet, redeemed, totalCount=3))["totalCount"] == 3


async def test_the_rest_moves_to_another_date(service: Service) -> None:
    """A reallocation takes along what still stands, and so does its cancellation."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=THREE_A_DAY))
    redeemed = await wallet.redeem(count=3, targetDate=LATER)
    await cancel(wallet, redeemed, totalCount=1)
    moved = await wallet.reallocate(redeemed, MUCH_LATER)
    assert (await wallet.transaction(moved))["details"]["itemCount"] == 2
    # One is free again on the first day after the part, and all three after the move.
    await wallet.redeem(count=3, targetDate=LATER)
    await wallet.redeem(count=1, targetDate=MUCH_LATER)
    refused = await wallet.redeem_refused(count=1, targetDate=MUCH_LATER)
    assert refused.code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    answer = await cancel(wallet, moved, totalCount=2)
    assert (answer["totalCount"], answer["returned"]) == (2, "10")
    await wallet.redeem(count=1, targetDate=MUCH_LATER)
    last = await cancel(wallet, moved, totalCount=3)
    assert last["returned"] == "10"
    await wallet.redeem(count=1, targetDate=MUCH_LATER)
    assert await wallet.available() == "40"


async def test_a_revert_gives_back_the_rest(service: Service) -> None:
    """The items that were canceled before aren't given back twice, nor are their rate limits."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=THREE_A_DAY))
    redeemed = await wallet.redeem(count=3, targetDate=LATER)
    await cancel(wallet, redeemed, totalCount=1)
    reverted = await wallet.revert(redeemed)
    assert (await wallet.transaction(reverted))["amount"] == "20"
    assert await wallet.available() == "100"
    await wallet.redeem(count=3, targetDate=LATER)
    refused = await service.refusal(
        "cancelRedemption",
        {"transactionId": redeemed, "idempotencyKey": guid(), "totalCount": 2},
    )
    assert refused.code == "REDEMPTION_ALREADY_CANCELED"


async def test_a_part_frees_its_share_of_a_rate_limit(service: Service) -> None:
    """So many items may be redeemed again as were canceled, and no more."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=THREE_A_DAY))
    redeemed = await wallet.redeem(count=3, targetDate=LATER)
    await cancel(wallet, redeemed, totalCount=2)
    assert (await wallet.redeem_refused(count=3, targetDate=LATER)).status == 428
    await wallet.redeem(count=2, targetDate=LATER)
    assert (await wallet.redeem_refused(count=1, targetDate=LATER)).status == 428


async def test_a_part_tells_of_its_redemption(service: Service) -> None:
    """The event of a part names the redemption, and how many items were canceled by it."""
    wallet = await open_wallet(service)
    redeemed = await wallet.redeem(count=3)
    part = await cancel(wallet, redeemed, totalCount=2)
    answer = await service.call("listEvents", {"entityId": wallet.pool_id})
    (event,) = [each for each in answer["events"] if each["slug"] == "redemption_canceled"]
    told = event["actionEvent"]["body"]["cancellationDetails"]
    assert told["transactionId"] == part["transactionId"]
    assert (told["previousTransactionId"], told["itemCount"]) == (redeemed, 2)


# Terms


@pytest.fixture
def clock() -> Clock:
    """A clock for the service's time."""
    return Clock()


@pytest.fixture
async def timed(database_url: str, clock: Clock) -> AsyncIterator[Service]:
    """A service that lives by the clock."""
    async with open_application(database_url, clock=clock) as application:
        service = await new_tenant(*application)
        yield service
        assert await sound(service)


def instant(clock: Clock, hours: int) -> str:
    """So many hours from now, as the wire has it."""
    at = datetime.fromtimestamp((clock.now + hours * HOUR) / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def with_terms(service: Service, terms: list[Document] = TERMS, **more: Any) -> Wallet:
    return await open_wallet(service, benefit("class", cancellationTerms=terms, **more))


@pytest.mark.parametrize(
    ("passed", "returned", "forfeited"),
    [(0, "20", "0"), (24, "20", "0"), (26, "10", "10"), (48, "10", "10"), (50, "0", "20")],
)
async def test_what_comes_back_depends_on_the_time_left(
    timed: Service, clock: Clock, passed: int, returned: str, forfeited: str
) -> None:
    """All until a day before, half until the class begins, and nothing of a no-show."""
    wallet = await with_terms(timed)
    redeemed = await wallet.redeem(count=2, targetDate=instant(clock, 49))
    clock.move(passed)
    answer = await cancel(wallet, redeemed, totalCount=2)
    assert (answer["returned"], answer["forfeited"], answer["totalCount"]) == (
        returned,
        forfeited,
        2,
    )
    transaction = await wallet.transaction(answer["transactionId"])
    assert transaction["amount"] == returned
    assert transaction["details"].get("forfeited", "0") == forfeited


async def test_a_plain_cancellation_says_what_is_lost(timed: Service, clock: Clock) -> None:
    """Who doesn't name a total hears of it if not all came back, and nothing new otherwise."""
    wallet = await with_terms(timed)
    early, late = [await wallet.redeem(targetDate=instant(clock, 30)) for _ in range(2)]
    assert [*await cancel(wallet, early)] == ["transactionId"]
    clock.move(10)
    answer = await cancel(wallet, late)
    assert (answer["returned"], answer["forfeited"], answer["totalCount"]) == ("5", "5", 1)
    assert await wallet.available() == "95"


async def test_an_override_gives_all_back(timed: Service, clock: Clock) -> None:
    """Whoever may manage lets grace rule; a key that may only read can't."""
    wallet = await with_terms(timed)
    redeemed = await wallet.redeem(targetDate=instant(clock, 1))
    clock.move(2)
    reader = await timed.as_app(scopes=(Scope.READ_LIMITED,))
    request = {"transactionId": redeemed, "idempotencyKey": guid(), "override": True}
    assert (await reader.refusal("cancelRedemption", request)).status == 403
    answer = await timed.call("cancelRedemption", request)
    assert (answer["returned"], answer["forfeited"]) == ("10", "0")
    assert await wallet.available() == "100"


async def test_terms_hold_for_each_part(timed: Service, clock: Clock) -> None:
    """A part that is canceled in time returns whole; the rest goes by its own time."""
    wallet = await with_terms(timed, price="3.3333")
    redeemed = await wallet.redeem(count=3, targetDate=instant(clock, 30))
    assert (await cancel(wallet, redeemed, totalCount=1))["returned"] == "3.3333"
    clock.move(10)
    answer = await cancel(wallet, redeemed, totalCount=3)
    # Half of 6.6666; what is left is cut to the unit of amounts.
    assert (answer["returned"], answer["forfeited"]) == ("3.3333", "3.3333")


async def test_terms_are_those_of_the_redemption(timed: Service, clock: Clock) -> None:
    """Terms that change later don't change what was promised; the date is the latest one."""
    wallet = await with_terms(timed)
    redeemed = await wallet.redeem(targetDate=instant(clock, 2))
    pool = await wallet.pool()
    changed = pool["details"]
    changed["benefits"][0]["cancellationTerms"] = []
    update = {"id": wallet.pool_id, "revision": pool["revision"], "details": changed}
    await timed.call("updatePool", {"pool": update})
    moved = await wallet.reallocate(redeemed, instant(clock, 12))
    answer = await cancel(wallet, moved)
    assert (answer["returned"], answer["forfeited"]) == ("5", "5")


async def test_odd_terms_are_refused(service: Service) -> None:
    """Durations are told apart, shares are percent, and there are ten terms at most."""
    odd: list[tuple[list[Document], str]] = [
        (
            [{"before": "PT1H", "percent": "100"}, {"before": "PT60M", "percent": "50"}],
            "[1].before",
        ),
        ([{"before": "PT1H", "percent": "100.0001"}], "[0].percent"),
        ([{"before": "PT1H", "percent": "-1"}], "[0].percent"),
        ([{"before": "-PT1H", "percent": "1"}], "[0].before"),
        ([{"before": "PT1H"}], "[0].percent"),
        ([{"before": f"PT{hour}H", "percent": "1"} for hour in range(11)], ""),
    ]
    for terms, where in odd:
        request = {
            "poolDefinition": {
                "namespace": NAMESPACE,
                "details": details(benefit("class", cancellationTerms=terms)),
            },
            "cascade": "IMMEDIATELY",
        }
        refused = await service.refusal("createPoolDefinition", request)
        path = f"poolDefinition.details.benefits[0].cancellationTerms{where}"
        assert (refused.status, [*refused.fields]) == (400, [path])


async def test_terms_are_kept_as_they_were_written(service: Service) -> None:
    """A definition and its pools show the terms; a benefit without any shows none."""
    wallet = await open_wallet(service, benefit("class", cancellationTerms=TERMS), benefit("bar"))
    for shown in (wallet.definition, await wallet.pool()):
        first, second = shown["details"]["benefits"]
        assert first["cancellationTerms"] == TERMS
        assert "cancellationTerms" not in second


# References


async def test_what_it_belongs_to_is_kept(service: Service) -> None:
    """Redemptions and changes name it, and so does the cancellation."""
    wallet = await open_wallet(service)
    redeemed = await wallet.redeem(externalReference="booking:1")
    canceled = await cancel(wallet, redeemed)
    change = wallet.change(adjustOptions={"value": "5"}, externalReference="order:1")
    changed = await service.call("changeBalance", change)
    shown = [
        (await wallet.transaction(each))["externalReference"]
        for each in (redeemed, canceled["transactionId"], changed["transactionId"])
    ]
    assert shown == ["booking:1", "booking:1", "order:1"]
    assert "externalReference" not in await wallet.transaction(await wallet.redeem())
    refused = await wallet.redeem_refused(externalReference="x" * 129)
    assert refused.fields == {"externalReference": "MAX_LENGTH"}


async def test_a_reference_is_part_of_a_request(service: Service) -> None:
    """The same key with another reference isn't the same request."""
    wallet = await open_wallet(service)
    key = guid()
    await wallet.redeem(idempotencyKey=key, externalReference="booking:1")
    same = await wallet.redeem_refused(idempotencyKey=key, externalReference="booking:1")
    other = await wallet.redeem_refused(idempotencyKey=key, externalReference="booking:2")
    assert (same.data["sameRequest"], other.data["sameRequest"]) == (True, False)


async def test_all_of_a_reference_is_canceled(service: Service) -> None:
    """In every pool of the namespace, reallocated or canceled in part; what was, is told."""
    wallet = await open_wallet(service)
    other = await open_another(service, wallet.definition)
    one, two = [await wallet.redeem(count=2, externalReference="booking:1") for _ in range(2)]
    three = await other.redeem(externalReference="booking:1")
    done = await other.redeem(externalReference="booking:1")
    stands = await other.redeem(externalReference="booking:2")
    before = (await cancel(other, done))["transactionId"]
    await cancel(wallet, one, totalCount=1)
    await wallet.reallocate(two, LATER)
    key = guid()
    results = await cancel_by_reference(service, "booking:1", idempotencyKey=key)
    assert [(each["transactionId"], each["status"]) for each in results] == [
        (one, "CANCELED"),
        (two, "CANCELED"),
        (three, "CANCELED"),
        (done, "ALREADY_CANCELED"),
    ]
    assert [each.get("returned") for each in results] == ["10", "20", "10", None]
    assert results[3]["cancellationTransactionId"] == before
    assert (await wallet.available(), await other.available()) == ("100", "90")
    # The same again, also of what was made since.
    since = await other.redeem(externalReference="booking:1")
    assert await cancel_by_reference(service, "booking:1", idempotencyKey=key) == results
    assert await wallet.cancel(stands)
    again = await cancel_by_reference(service, "booking:1")
    assert [each["status"] for each in again] == ["ALREADY_CANCELED"] * 4 + ["CANCELED"]
    assert again[4]["transactionId"] == since
    assert await sound(service)


async def test_a_reference_is_looked_for_in_its_namespace(service: Service) -> None:
    """Another namespace or tenant has nothing of it, and what doesn't exist is nothing."""
    wallet = await open_wallet(service)
    await wallet.redeem(externalReference="booking:1")
    assert await cancel_by_reference(service, "booking:1", namespace="other") == []
    assert await cancel_by_reference(service, "booking:9") == []
    assert await cancel_by_reference(await service.another_tenant(), "booking:1") == []
    assert await wallet.available() == "90"


async def test_a_key_is_for_one_reference(service: Service) -> None:
    """The same key with another reference, or with grace, is refused."""
    key = guid()
    await cancel_by_reference(service, "booking:1", idempotencyKey=key)
    for other in ({"externalReference": "booking:2"}, {"override": True}):
        request = {
            "namespace": NAMESPACE,
            "externalReference": "booking:1",
            "idempotencyKey": key,
            **other,
        }
        refused = await service.refusal("cancelByReference", request)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data["sameRequest"] is False


async def test_terms_hold_for_references(timed: Service, clock: Clock) -> None:
    """What is late forfeits, unless the call overrides the terms."""
    wallet = await with_terms(timed)
    for reference in ("late", "grace"):
        await wallet.redeem(externalReference=reference, targetDate=instant(clock, 2))
    (late,) = await cancel_by_reference(timed, "late")
    (grace,) = await cancel_by_reference(timed, "grace", override=True)
    assert (late["returned"], late["forfeited"]) == ("5", "5")
    assert (grace["returned"], grace["forfeited"]) == ("10", "0")


class Hold(Command[str], frozen=True, kw_only=True):
    """Set aside credits of a pool for the two items of a redemption, until an instant."""

    pool_id: str
    details: TransactionDetails
    until: int

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_account(needs, state, self.pool_id)

    def decide(self, state: State, context: Context) -> Changes[str]:
        account = open_account(state, context, require(state, POOL, self.pool_id))
        held = account.reserve(
            Operation.RESERVE,
            20 * CREDIT,
            details=replace(self.details, reason="Reservation"),
            external_reference="booking:1",
        )
        account.beside.append(
            Reservation(
                id=held.id,
                created=context.now,
                updated=context.now,
                pool_id=self.pool_id,
                status=ReservationStatus.OPEN,
                count=2,
                price=10 * CREDIT,
                expiration_date=self.until,
                draws=(),
                quota_shares=(),
                external_reference="booking:1",
            )
        )
        account.pool = replace(account.pool, due=earliest(account.pool.due, self.until))
        changes = Changes(held.id)
        account.save(changes)
        return changes


async def test_reservations_of_a_reference_are_canceled_too(timed: Service, clock: Clock) -> None:
    """What is held goes back; what has lapsed by then, booked or not, is told as such."""
    wallet = await open_wallet(timed)
    redeemed = await wallet.redeem(count=2, externalReference="booking:1")
    (first,) = [row for row in await timed.rows(Transaction) if row.id == redeemed]
    holds = [
        await timed.engine.execute(
            Hold(pool_id=wallet.pool_id, details=first.details, until=clock.now + hours * HOUR),
            tenant_id=timed.tenant.id,
            caller=SYSTEM,
            settings=TenantSettings(),
        )
        for hours in (24, 1)
    ]
    assert (await wallet.balance())["amount"] == {"available": "40", "reserved": "40"}
    clock.move(2)
    key = guid()
    results = await cancel_by_reference(timed, "booking:1", idempotencyKey=key)
    assert [(each["transactionId"], each["status"]) for each in results] == [
        (redeemed, "CANCELED"),
        (holds[0], "CANCELED"),
        (holds[1], "LAPSED"),
    ]
    assert [each.get("returned") for each in results] == ["20", "20", None]
    assert (await wallet.balance())["amount"] == {"available": "100", "reserved": "0"}
    assert await cancel_by_reference(timed, "booking:1", idempotencyKey=key) == results
    again = await cancel_by_reference(timed, "booking:1")
    assert [each["status"] for each in again] == ["ALREADY_CANCELED", "ALREADY_CANCELED", "LAPSED"]


async def test_what_cant_come_back_is_told(service: Service) -> None:
    """A pool that is full keeps its redemptions, and those of another pool are canceled."""
    wallet = await open_wallet(service)
    other = await open_another(service, wallet.definition)
    full = await wallet.redeem(externalReference="booking:1")
    await other.redeem(externalReference="booking:1")
    await wallet.set_balance("922337203685477.5807")
    failed, done = await cancel_by_reference(service, "booking:1")
    assert (failed["transactionId"], failed["status"]) == (full, "FAILED")
    assert failed["error"]["code"] == "BALANCE_EXCEEDED_LIMITS"
    assert done["status"] == "CANCELED"
    await wallet.set_balance("0")
    again = await cancel_by_reference(service, "booking:1")
    assert [each["status"] for each in again] == ["CANCELED", "ALREADY_CANCELED"]


async def test_a_reference_of_too_much_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are canceled at once are refused as a whole, with the limit."""
    monkeypatch.setattr("benefit_programs.api.handlers.returns.REFERENCED_MAX", 2)
    wallet = await open_wallet(service)
    for _ in range(2):
        await wallet.redeem(externalReference="booking:1")
    assert len(await cancel_by_reference(service, "booking:1")) == 2
    await wallet.redeem(externalReference="booking:1")
    request = {
        "namespace": NAMESPACE,
        "externalReference": "booking:1",
        "idempotencyKey": guid(),
    }
    refused = await service.refusal("cancelByReference", request)
    assert (refused.status, refused.code) == (428, "TOO_MANY_REFERENCED")
    assert refused.data == {"maximum": 2}
    assert await wallet.available() == "90"


async def test_parts_of_one_pool_share_a_rate_limit(service: Service) -> None:
    """What several cancellations of one commit free is free, and no more."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=THREE_A_DAY))
    for _ in range(3):
        await wallet.redeem(externalReference="booking:1", targetDate=LATER)
    await cancel_by_reference(service, "booking:1")
    await wallet.redeem(count=3, targetDate=LATER)
    assert (await wallet.redeem_refused(targetDate=LATER)).status == 428
    assert await wallet.available() == "70"
