"""Reserve, capture, cancel: checks, replays, and what becomes of credits and rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain import reservations
from benefit_programs.domain.entities import Reservation
from benefit_programs.wire.codec import instant_text
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.holds import (
    amounts,
    cancel,
    cancel_refused,
    capture,
    capture_refused,
    end,
    found,
    read,
    reserve,
    reserve_refused,
)
from tests.support.lifecycle import act
from tests.support.provider import PolicyServer
from tests.support.wallet import open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LATER = "2030-05-01T10:00:00.000Z"
MUCH_LATER = "2030-06-01T10:00:00.000Z"

TWICE_A_DAY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 2, "timePeriod": "DAY"},
    },
}


# Reserve


async def test_a_reservation_sets_price_times_count_aside(service: Service) -> None:
    """Reserving makes one transaction from AVAILABLE to RESERVED; its id is the reservation's."""
    wallet = await open_wallet(service, benefit("towel", price="2.5"))
    reservation_id = await reserve(
        wallet, count=3, targetDate=LATER, externalReference="booking:1", expiresAfter="PT2H"
    )
    assert await amounts(wallet) == ("92.5", "7.5")
    transaction = await wallet.transaction(reservation_id)
    told = {name: transaction[name] for name in ("amount", "source", "target", "correlationId")}
    assert told == {
        "amount": "7.5",
        "source": "AVAILABLE",
        "target": "RESERVED",
        "correlationId": reservation_id,
    }
    assert transaction["details"]["reason"] == "Reservation"
    shown = await read(wallet, reservation_id)
    created = transaction["createdDate"]
    (row,) = await service.rows(Reservation)
    assert row.expiration_date - row.created == 2 * 3_600_000
    assert shown == {
        "id": reservation_id,
        "createdDate": created,
        "updatedDate": created,
        "status": "OPEN",
        "poolId": wallet.pool_id,
        "programId": wallet.program["id"],
        "poolDefinitionId": wallet.definition["id"],
        "namespace": NAMESPACE,
        "beneficiary": wallet.program["beneficiary"],
        "benefitKey": "towel",
        "itemReference": wallet.reference(),
        "count": 3,
        "capturedCount": 0,
        "heldCount": 3,
        "held": "7.5",
        "price": "2.5",
        "targetDate": LATER,
        "expirationDate": instant_text(row.expiration_date),
        "externalReference": "booking:1",
    }
    assert await service.slugs_of(wallet.pool_id) == ["created+provisioned", "benefit_reserved"]


async def test_reserved_credits_can_not_be_spent(service: Service) -> None:
    """Redemptions, reservations, adjustments and questions count what is reserved as gone."""
    wallet = await open_wallet(service, amount="25")
    await reserve(wallet, count=2)
    for refused in (await wallet.redeem_refused(), await reserve_refused(wallet)):
        assert (refused.status, refused.code) == (428, "NOT_ENOUGH_BALANCE")
        assert refused.data["poolInfo"]["balance"] == {"available": "5", "reserved": "20"}
    assert (await wallet.adjust_refused("-6")).code == "BALANCE_EXCEEDED_LIMITS"
    assert [each["type"] for each in await wallet.eligibility()] == ["NOT_ENOUGH_BALANCE"]


async def test_checks_are_those_of_a_redemption(service: Service) -> None:
    """Unknown pools, benefits and items, paused pools and policies refuse as for a redemption."""
    never = {
        "type": "POLICY",
        "policyOptions": {
            "type": "FIXED_INTERVAL",
            "fixedIntervalOptions": {"fromHour": 0, "toHour": 0, "fromMinute": 0, "toMinute": 1},
        },
    }
    wallet = await open_wallet(service, benefit("towel"), benefit("gym", policyExpression=never))
    wrong = {"externalId": "strange", "providerAppId": guid()}
    noon: dict[str, Any] = {"targetDate": "2030-05-01T12:00:00Z"}
    expected = (
        ({"poolId": guid()}, 404, "POOL_NOT_FOUND"),
        ({"namespace": "other"}, 404, "POOL_NOT_FOUND"),
        ({"beneficiary": {"memberId": guid()}}, 404, "POOL_NOT_FOUND"),
        ({"benefitKey": "none"}, 404, "BENEFIT_NOT_FOUND"),
        ({"itemReference": wrong}, 404, "BENEFIT_NOT_FOUND"),
        ({"count": 11}, 428, "NOT_ENOUGH_BALANCE"),
    )
    for fields, status, code in expected:
        refused = await reserve_refused(wallet, **fields)
        assert (refused.status, refused.code) == (status, code)
    refused = await reserve_refused(wallet, "gym", **noon)
    assert refused.code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    await act(service, "pause", wallet.program["id"])
    assert (await reserve_refused(wallet)).code == "POOL_NOT_ACTIVE"
    assert await service.rows(Reservation) == []


async def test_a_key_reserves_once(service: Service) -> None:
    """A used key names the first transaction, before all later checks, also those of dates."""
    wallet = await open_wallet(service)
    key = guid()
    first = await reserve(wallet, idempotencyKey=key)
    same = await reserve_refused(wallet, idempotencyKey=key)
    assert (same.status, same.code) == (409, "ALREADY_EXECUTED")
    assert same.data == {"idempotencyKey": key, "transactionId": first, "sameRequest": True}
    past = "2020-01-01T00:00:00Z"
    other = await reserve_refused(wallet, idempotencyKey=key, count=500, expirationDate=past)
    assert other.data == {"idempotencyKey": key, "transactionId": first, "sameRequest": False}
    await wallet.redeem(idempotencyKey=key)
    assert await amounts(wallet) == ("80", "10")


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ({"expirationDate": "2020-01-01T00:00:00Z"}, {"expirationDate": "OTHER"}),
        ({"expirationDate": "2100-01-01T00:00:00Z"}, {"expirationDate": "OTHER"}),
        ({"expiresAfter": "P91D"}, {"expiresAfter": "MAX"}),
        ({"expiresAfter": "PT2160H0.001S"}, {"expiresAfter": "MAX"}),
        ({"expiresAfter": "P3M"}, {"expiresAfter": "MAX"}),
        ({"expiresAfter": "PT0S"}, {"expiresAfter": "MIN"}),
        ({"expiresAfter": "soon"}, {"expiresAfter": "FORMAT"}),
        ({"externalReference": "x" * 129}, {"externalReference": "MAX_LENGTH"}),
        ({"count": 0}, {"count": "MIN"}),
    ],
)
async def test_wrong_fields_are_named(
    service: Service, fields: Document, broken: dict[str, str]
) -> None:
    """A date or duration that can't be is refused with its field."""
    wallet = await open_wallet(service)
    refused = await reserve_refused(wallet, **fields)
    assert (refused.status, refused.fields) == (400, broken)


async def test_a_reservation_has_one_end(service: Service) -> None:
    """A date and a duration together are refused."""
    wallet = await open_wallet(service)
    refused = await reserve_refused(wallet, expiresAfter="PT1H", expirationDate=LATER)
    assert refused.status == 400


async def test_a_reservation_lasts_90_days_at_most(service: Service) -> None:
    """90 days are taken, and a tenant says how long those last that say nothing."""
    wallet = await open_wallet(service)
    await reserve(wallet, expiresAfter="P90D")
    await reserve(wallet)
    changed = {"settings": {"reservationExpiresAfter": "pt15m"}}
    answer = await service.call("updateSettings", changed)
    assert answer["settings"]["reservationExpiresAfter"] == "PT15M"
    await reserve(wallet)
    rows = await service.rows(Reservation)
    minutes = [(row.expiration_date - row.created) // 60_000 for row in rows]
    assert minutes == [90 * 24 * 60, 24 * 60, 15]
    too_long = {"settings": {"reservationExpiresAfter": "P91D"}}
    refused = await service.refusal("updateSettings", too_long)
    assert refused.fields == {"settings.reservationExpiresAfter": "MAX"}


@pytest.mark.parametrize("price", ["10", "0"])
async def test_a_pool_has_a_limit_of_open_reservations(
    service: Service, monkeypatch: pytest.MonkeyPatch, price: str
) -> None:
    """One more is refused, also of what costs nothing; an ended one makes room."""
    monkeypatch.setattr(reservations, "RESERVATIONS_MAX", 2)
    wallet = await open_wallet(service, benefit("towel", price=price))
    first = await reserve(wallet)
    await reserve(wallet)
    refused = await reserve_refused(wallet)
    assert (refused.status, refused.code) == (428, "TOO_MANY_RESERVATIONS")
    assert refused.data == {"poolId": wallet.pool_id, "maximum": 2}
    await cancel(wallet, first)
    await reserve(wallet)


async def test_a_provider_decides_on_reservations_too(service: Service) -> None:
    """A custom policy is asked as for a redemption, also in bulk."""
    app = guid()
    custom = {
        "type": "POLICY",
        "policyOptions": {"type": "CUSTOM", "customOptions": {"id": guid(), "appId": app}},
    }
    wallet = await open_wallet(service, benefit("towel", policyExpression=custom))
    refusal = {"fulfilled": False, "details": {"code": "NO_VIP", "message": "Not a VIP"}}
    with PolicyServer(lambda _: refusal).running() as server:
        provider = {"appId": app, "url": server.url, "secret": "a secret of some length"}
        await service.call("updateSettings", {"settings": {"policyProviders": [provider]}})
        refused = await reserve_refused(wallet)
        answer = await service.call("bulkReserveBenefits", {"reservations": [wallet.redemption()]})
    assert refused.code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    error = answer["results"][0]["itemMetadata"]["error"]
    assert error["code"] == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    assert error["data"]["failureDetails"] == refused.data["failureDetails"]


# Capture


async def test_a_capture_is_a_redemption(service: Service) -> None:
    """All is spent by a transaction from RESERVED to EXTERNAL, the root of a chain of its own."""
    wallet = await open_wallet(service)
    reservation_id = await reserve(wallet, count=2, targetDate=LATER, externalReference="b:1")
    captured = await capture(wallet, reservation_id)
    assert await amounts(wallet) == ("80", "0")
    transaction = await wallet.transaction(captured)
    told = {name: transaction[name] for name in ("amount", "source", "target", "correlationId")}
    assert told == {
        "amount": "20",
        "source": "RESERVED",
        "target": "EXTERNAL",
        "correlationId": captured,
    }
    assert transaction["externalReference"] == "b:1"
    assert transaction["reservationId"] == reservation_id
    details = transaction["details"]
    assert (details["reason"], details["itemCount"]) == ("Redemption", 2)
    assert (details["benefitKey"], details["effectiveDate"]) == ("towel", LATER)
    shown = await read(wallet, reservation_id)
    counts = {name: shown[name] for name in ("status", "capturedCount", "heldCount", "held")}
    assert counts == {"status": "CAPTURED", "capturedCount": 2, "heldCount": 0, "held": "0"}
    slugs = await service.slugs_of(wallet.pool_id)
    assert slugs[-1] == "benefit_reservation_released"


async def test_what_is_captured_can_be_moved_and_given_back(service: Service) -> None:
    """Reallocating, canceling and reverting work on a capture as on a redemption."""
    wallet = await open_wallet(service)
    captured = await capture(wallet, await reserve(wallet, count=2, targetDate=LATER))
    moved = await wallet.reallocate(captured, MUCH_LATER)
    assert (await wallet.cancel_refused(captured)).code == "NOT_LATEST_TRANSACTION"
    await wallet.cancel(moved)
    assert await amounts(wallet) == ("100", "0")
    again = await capture(wallet, await reserve(wallet))
    await wallet.revert(again)
    assert await amounts(wallet) == ("100", "0")
    assert (await wallet.revert_refused(again)).code == "CHANGE_ALREADY_REVERTED"


async def test_the_rest_goes_back_unless_it_is_kept(service: Service) -> None:
    """A capture of some items gives the others back in the same commit, or keeps them."""
    wallet = await open_wallet(service)
    once = await reserve(wallet, count=3)
    await capture(wallet, once, count=1)
    assert await amounts(wallet) == ("90", "0")
    kinds = [each["details"]["reason"] for each in await wallet.transactions()]
    assert kinds == ["Provisioning", "Reservation", "Redemption", "Release"]
    assert (await capture_refused(wallet, once)).data == {
        "reservationId": once,
        "reservationStatus": "CAPTURED",
    }
    kept = await reserve(wallet, count=3)
    await capture(wallet, kept, count=1, keepRest=True)
    assert await amounts(wallet) == ("60", "20")
    refused = await capture_refused(wallet, kept, count=3)
    assert (refused.status, refused.code) == (428, "NOT_ENOUGH_RESERVED")
    assert refused.data == {"reservationId": kept, "heldCount": 2, "requestedCount": 3}
    shown = await read(wallet, kept)
    counts = [shown[name] for name in ("status", "capturedCount", "heldCount", "held")]
    assert counts == ["OPEN", 1, 2, "20"]
    await capture(wallet, kept, count=1, keepRest=True)
    await capture(wallet, kept, count=1, keepRest=True)
    assert await amounts(wallet) == ("60", "0")
    assert (await read(wallet, kept))["status"] == "CAPTURED"


async def test_what_costs_nothing_can_be_reserved(service: Service) -> None:
    """A price of 0 is held, captured and released with transactions of 0."""
    wallet = await open_wallet(service, benefit("towel", price="0"), amount=None)
    await capture(wallet, await reserve(wallet, count=3), count=2)
    await cancel(wallet, await reserve(wallet))
    assert [each["amount"] for each in await wallet.transactions()] == ["0"] * 5


async def test_a_capture_costs_what_was_reserved(service: Service) -> None:
    """A benefit that costs more by now, or is gone, is captured at the old price."""
    wallet = await open_wallet(service)
    reservation_id = await reserve(wallet, count=2)
    pool = await wallet.pool()
    other = {**wallet.benefit(), "price": "25"}
    update = {"id": pool["id"], "revision": pool["revision"], "details": {"benefits": [other]}}
    await service.call("updatePool", {"pool": update})
    captured = await capture(wallet, reservation_id, count=1, keepRest=True)
    assert (await wallet.transaction(captured))["amount"] == "10"
    update |= {"revision": "2", "details": {"benefits": []}}
    await service.call("updatePool", {"pool": update})
    await capture(wallet, reservation_id)
    await wallet.cancel(captured)
    assert await amounts(wallet) == ("90", "0")


# Cancel


async def test_a_canceled_reservation_gives_all_back(service: Service) -> None:
    """What is still held returns, with a transaction in the chain of the reservation."""
    wallet = await open_wallet(service)
    reservation_id = await reserve(wallet, count=3)
    await capture(wallet, reservation_id, count=1, keepRest=True)
    transaction = await wallet.transaction(await cancel(wallet, reservation_id))
    told = {name: transaction[name] for name in ("amount", "source", "target", "correlationId")}
    assert told == {
        "amount": "20",
        "source": "RESERVED",
        "target": "AVAILABLE",
        "correlationId": reservation_id,
    }
    assert (transaction["details"]["reason"], transaction["details"]["itemCount"]) == ("Release", 2)
    assert await amounts(wallet) == ("90", "0")
    shown = await read(wallet, reservation_id)
    assert (shown["status"], shown["capturedCount"], shown["heldCount"]) == ("CANCELED", 1, 0)


async def test_a_key_captures_and_cancels_once(service: Service) -> None:
    """A retry hears of the first transaction, whatever became of the reservation since."""
    wallet = await open_wallet(service)
    first, second, key = await reserve(wallet, count=2), await reserve(wallet), guid()
    captured = await capture(wallet, first, idempotencyKey=key, count=1)
    for refused, same in (
        (await capture_refused(wallet, first, idempotencyKey=key, count=1), True),
        (await capture_refused(wallet, first, idempotencyKey=key), False),
        (await capture_refused(wallet, second, idempotencyKey=key, count=1), False),
    ):
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data == {
            "idempotencyKey": key,
            "transactionId": captured,
            "sameRequest": same,
        }
    canceled = await cancel(wallet, second, idempotencyKey=key)
    refused = await cancel_refused(wallet, second, idempotencyKey=key)
    assert refused.data["transactionId"] == canceled
    assert refused.data["sameRequest"] is True


async def test_only_open_reservations_end(service: Service) -> None:
    """Other transactions are no reservations, and an ended one says how it ended."""
    wallet = await open_wallet(service)
    for unknown in (guid(), await wallet.redeem()):
        for refused in (
            await capture_refused(wallet, unknown),
            await cancel_refused(wallet, unknown),
        ):
            assert (refused.status, refused.code) == (404, "RESERVATION_NOT_FOUND")
            assert refused.data == {"reservationId": unknown}
    assert (await service.refusal("getReservation", {"reservationId": guid()})).status == 404
    reservation_id = await reserve(wallet)
    stranger = await service.another_tenant()
    refused = await stranger.refusal("captureBenefitReservation", end(reservation_id))
    assert refused.code == "RESERVATION_NOT_FOUND"
    assert (await wallet.cancel_refused(reservation_id)).code == "TRANSACTION_NOT_CANCELABLE"
    assert (await wallet.revert_refused(reservation_id)).status == 400
    await cancel(wallet, reservation_id)
    for refused in (
        await capture_refused(wallet, reservation_id),
        await cancel_refused(wallet, reservation_id),
    ):
        assert (refused.status, refused.code) == (428, "RESERVATION_NOT_OPEN")
        assert refused.data["reservationStatus"] == "CANCELED"


@pytest.mark.parametrize("action", ["pause", "end"])
async def test_reservations_outlive_the_pool_being_active(service: Service, action: str) -> None:
    """In a paused or ended pool reservations are captured and canceled as before."""
    wallet = await open_wallet(service)
    first, second = await reserve(wallet), await reserve(wallet)
    await act(service, action, wallet.program["id"])
    await capture(wallet, first)
    await cancel(wallet, second)
    assert await amounts(wallet) == ("90", "0")


async def test_renewals_leave_reserved_credits_alone(service: Service) -> None:
    """A renewal brings the credits anew; what is reserved stays, and comes back on top."""
    wallet = await open_wallet(service)
    first, second = await reserve(wallet), await reserve(wallet)
    await act(service, "renew", wallet.program["id"])
    assert await amounts(wallet) == ("100", "20")
    await capture(wallet, first)
    await cancel(wallet, second)
    assert await amounts(wallet) == ("110", "0")


# Rate limits


async def test_rate_limits_count_from_the_reservation_on(service: Service) -> None:
    """A share is taken when reserving, moves with the capture, and comes back with the rest."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=TWICE_A_DAY))
    day: dict[str, Any] = {"targetDate": LATER}
    reservation_id = await reserve(wallet, count=2, **day)
    assert (await wallet.redeem_refused(**day)).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    captured = await capture(wallet, reservation_id, count=1)
    await wallet.redeem(**day)
    assert (await reserve_refused(wallet, **day)).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    await wallet.cancel(captured)
    await cancel(wallet, await reserve(wallet, **day))
    await reserve(wallet, **day)
    assert (await reserve_refused(wallet, **day)).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"


# Events


async def test_events_tell_of_what_was_held_spent_and_given_back(service: Service) -> None:
    """Each has the pool; reserving tells the item, the others transaction and reservation."""
    wallet = await open_wallet(service)
    key = guid()
    held = await reserve(
        wallet, count=2, targetDate=LATER, idempotencyKey=key, additionalData={"till": 1}
    )
    captured = await capture(wallet, held, count=1)
    types = [
        f"wix.benefit_programs.v1.pool_benefit_{each}"
        for each in ("reserved", "reservation_released", "reservation_canceled")
    ]
    asked = {"eventTypes": types, "entityId": wallet.pool_id}
    events = (await service.call("listEvents", asked))["events"]
    reserved, released, canceled = (each["actionEvent"]["body"] for each in events)
    assert [each["slug"] for each in events] == [
        "benefit_reserved",
        "benefit_reservation_released",
        "benefit_reservation_canceled",
    ]
    assert reserved["redemptionDetails"] == {
        "transactionId": held,
        "itemReference": wallet.reference(),
        "itemCount": 2,
        "targetDate": LATER,
        "idempotencyKey": key,
        "additionalData": {"till": 1},
        "beneficiary": wallet.program["beneficiary"],
    }
    returned = (await wallet.transactions())[-1]["id"]
    assert released.pop("pool")["id"] == canceled.pop("pool")["id"] == wallet.pool_id
    assert released == {"transactionId": captured, "reservationId": held}
    assert canceled == {"transactionId": returned, "reservationId": held}


# Bulk and queries


async def test_bulk_forms_do_each_by_itself(service: Service) -> None:
    """Each entry succeeds or fails alone, and names its reservation and transaction."""
    wallet = await open_wallet(service, amount="30")
    requests = [wallet.redemption(count=2), wallet.redemption(count=2), wallet.redemption()]
    answer = await service.call("bulkReserveBenefits", {"reservations": requests})
    assert answer["bulkActionMetadata"]["totalSuccesses"] == 2
    results = answer["results"]
    assert [each["itemMetadata"]["success"] for each in results] == [True, False, True]
    assert results[1]["itemMetadata"]["error"]["code"] == "NOT_ENOUGH_BALANCE"
    first, _, third = (each["itemMetadata"].get("id") for each in results)
    assert results[0]["item"] == {"transactionId": first}
    ends = {"reservations": [end(first, count=1), end(guid()), end(first)]}
    captured = await service.call("bulkCaptureBenefitReservations", ends)
    codes = [each["itemMetadata"].get("error", {}).get("code") for each in captured["results"]]
    assert codes == [None, "RESERVATION_NOT_FOUND", "RESERVATION_NOT_OPEN"]
    canceled = await service.call(
        "bulkCancelBenefitReservations", {"reservations": [end(third), end(first)]}
    )
    assert [each["itemMetadata"]["success"] for each in canceled["results"]] == [True, False]
    assert await amounts(wallet) == ("20", "0")


async def test_queries_find_reservations(service: Service) -> None:
    """They find by pool, program, beneficiary, status, date and reference; a member its own."""
    wallet = await open_wallet(service)
    other = await open_another(service, wallet.definition)
    one = await reserve(wallet, externalReference="order:1", expiresAfter="PT1H")
    two = await reserve(wallet, expiresAfter="P3D")
    foreign = await reserve(other)
    await cancel(wallet, two)
    assert await found(wallet) == [one, two, foreign]
    assert await found(wallet, poolId=wallet.pool_id) == [one, two]
    assert await found(wallet, programId=other.program["id"]) == [foreign]
    assert await found(wallet, status="OPEN") == [one, foreign]
    assert await found(wallet, status={"$in": ["CANCELED", "LAPSED"]}) == [two]
    assert await found(wallet, status={"$ne": "OPEN"}) == [two]
    assert await found(wallet, externalReference="order:1") == [one]
    latest = (await read(wallet, foreign))["expirationDate"]
    assert await found(wallet, expirationDate={"$lt": latest}) == [one]
    member = other.program["beneficiary"]["memberId"]
    assert await found(wallet, beneficiary__memberId=member) == [foreign]
    own = await service.as_member(member)
    rows = (await own.call("queryReservations", {}))["reservations"]
    assert [row["id"] for row in rows] == [foreign]
    refused = await service.refusal("queryReservations", {"query": {"filter": {"status": "GONE"}}})
    assert refused.status == 400
