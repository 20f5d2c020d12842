"""A used idempotency key tells whether it was used by the same request. Contract: Redeem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.calls import benefit, guid
from tests.support.lifecycle import act
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

ON_POSTGRES_EVERY_DAY = True
pytestmark = pytest.mark.anyio

DAY = "2030-05-02T10:00:00Z"
SAME_DAY = "2030-05-02T12:00:00.000+02:00"
NEXT_DAY = "2030-05-03T10:00:00Z"


async def is_same(service: Service, name: str, first: Document, second: Document) -> object:
    """Send two requests with one key; what the refusal of the second says of the first."""
    answer = await service.call(name, first)
    refused = await service.refusal(name, second)
    assert refused.status == 409
    assert refused.data["idempotencyKey"] == first["idempotencyKey"]
    assert refused.data.get("transactionId") == answer.get("transactionId")
    return refused.data["sameRequest"]


@pytest.fixture
async def wallet(service: Service) -> Wallet:
    return await open_wallet(service, benefit("towel", price="1"), benefit("bar", price="1"))


REDEMPTIONS: list[tuple[Document, Document, bool]] = [
    ({}, {}, True),
    ({"count": 1}, {}, True),
    ({"targetDate": DAY}, {"targetDate": SAME_DAY}, True),
    ({"additionalData": {"a": 1, "b": [2]}}, {"additionalData": {"b": [2], "a": 1}}, True),
    ({"additionalData": {}}, {}, True),
    ({}, {"count": 2}, False),
    ({}, {"targetDate": DAY}, False),
    ({"targetDate": DAY}, {"targetDate": NEXT_DAY}, False),
    ({"additionalData": {"a": 1}}, {"additionalData": {"a": 2}}, False),
    ({"additionalData": {"a": 1}}, {}, False),
    ({}, {"benefitKey": "bar"}, False),
    ({}, {"itemReference": {"externalId": "other", "providerAppId": guid()}}, False),
]


@pytest.mark.parametrize(("first", "second", "same"), REDEMPTIONS)
async def test_redemptions(
    service: Service, wallet: Wallet, first: Document, second: Document, *, same: bool
) -> None:
    """A redemption is another one with another benefit, item, count, date or data."""
    request = wallet.redemption("towel")
    assert await is_same(service, "redeemBenefit", request | first, request | second) is same
    assert await wallet.available() == "99"


async def test_a_beneficiary_that_is_named_changes_nothing(
    service: Service, wallet: Wallet
) -> None:
    """Without a beneficiary the pool's own is meant."""
    request = wallet.redemption("towel")
    named = {**request, "beneficiary": wallet.program["beneficiary"]}
    assert await is_same(service, "redeemBenefit", request, named) is True


async def test_reallocations_and_cancellations(service: Service, wallet: Wallet) -> None:
    """A reallocation is known by its redemption and date, a cancellation by its redemption."""
    first, other = await wallet.redeem("towel"), await wallet.redeem("towel")
    move = wallet.move(first, DAY)
    assert await is_same(service, "reallocateBenefit", move, move | {"targetDate": SAME_DAY})
    for another in ({"targetDate": NEXT_DAY}, {"transactionId": other}):
        refused = await service.refusal("reallocateBenefit", move | another)
        assert refused.data["sameRequest"] is False
    key = guid()
    await wallet.cancel(other, key)
    assert (await wallet.cancel_refused(other, key)).data["sameRequest"] is True
    assert (await wallet.cancel_refused(first, key)).data["sameRequest"] is False


def adjust(value: str, **more: Any) -> Document:
    return {"adjustOptions": {"value": value, **more}}


CHANGES: list[tuple[Document, Document, bool]] = [
    (adjust("1"), adjust("1"), True),
    (adjust("1"), adjust("1.0", lowerLimit="0", limitRule="FAIL"), True),
    (adjust("0"), adjust("0"), True),
    (adjust("0"), adjust("1"), False),
    (adjust("1"), adjust("2"), False),
    (adjust("1"), adjust("-1"), False),
    (adjust("1"), adjust("1", upperLimit="200"), False),
    (adjust("1"), adjust("1", limitRule="SOFT_ENFORCE"), False),
    (adjust("7"), {"setOptions": {"value": "7"}}, False),
    ({"setOptions": {"value": "7"}}, {"setOptions": {"value": "7"}}, True),
    ({"setOptions": {"value": "7"}}, {"setInitialOptions": {"value": "7"}}, False),
    (adjust("1"), {**adjust("1"), "transactionDetails": {"reason": "Visit"}}, False),
    (adjust("1"), {**adjust("1"), "instructingParty": {"memberId": guid()}}, False),
]


@pytest.mark.parametrize(("first", "second", "same"), CHANGES)
async def test_changes_of_balances(
    service: Service, wallet: Wallet, first: Document, second: Document, *, same: bool
) -> None:
    """A change is another one with other options, party or details, one by nothing as well."""
    key = guid()
    requests = [wallet.change(**each) | {"idempotencyKey": key} for each in (first, second)]
    assert await is_same(service, "changeBalance", *requests) is same


@pytest.mark.parametrize("action", ["pause", "resume"])
async def test_actions(service: Service, action: str) -> None:
    """An action on a program says nothing that its key isn't of: it is the same request."""
    program_id = (await open_wallet(service)).program["id"]
    if action == "resume":
        await act(service, "pause", program_id)
    request = {"programId": program_id, "idempotencyKey": guid()}
    await service.call(f"{action}Program", request)
    refused = await service.refusal(f"{action}Program", request)
    assert refused.code == "ALREADY_EXECUTED"
    assert refused.data["sameRequest"] is True


@pytest.mark.parametrize("table", ["transactions", "idempotency_keys"])
async def test_what_was_done_before_hashes_were_kept(
    service: Service, wallet: Wallet, table: str
) -> None:
    """Of an execution that left no hash nothing is said."""
    change = wallet.change(**adjust("1" if table == "transactions" else "0"))
    await service.call("changeBalance", change)
    sql = f"update {table} set request_hash = null where tenant_id = $1"
    await service.store.execute(sql, (service.tenant.id,))
    refused = await service.refusal("changeBalance", change)
    assert refused.code == "ALREADY_EXECUTED"
    assert "sameRequest" not in refused.data
