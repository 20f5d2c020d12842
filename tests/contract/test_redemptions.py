"""Redeem, reallocate, cancel: every check in its order, chains and replays. Contract: Redeem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import Transaction
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.wallet import Wallet, add_item, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

LATER = "2030-05-01T10:00:00.000Z"
MUCH_LATER = "2030-06-01T10:00:00.000Z"

NEVER = {
    "type": "POLICY",
    "policyOptions": {
        "type": "FIXED_INTERVAL",
        "fixedIntervalOptions": {"fromHour": 0, "toHour": 0, "fromMinute": 0, "toMinute": 1},
    },
}
NOON = "2030-05-01T12:00:00Z"


async def pause(service: Service, wallet: Wallet) -> None:
    """Pause the wallet's pool, as provisioning does for a program that starts paused."""
    await service.call(
        "pauseProgram", {"programId": wallet.program["id"], "idempotencyKey": guid()}
    )


async def paused_wallet(service: Service, *benefits: dict[str, Any], **more: Any) -> Wallet:
    """A wallet whose pool is paused from the start."""
    return await open_wallet(service, *benefits, program={"programStatus": "PAUSED"}, **more)


# Redeem


async def test_the_bulk_form_redeems_each_by_itself(service: Service) -> None:
    """Each entry is redeemed or refused alone, in order, and names its transaction."""
    wallet = await open_wallet(service, amount="30")
    entries = [wallet.redemption(count=2), wallet.redemption(count=2), wallet.redemption(), {}]
    answer = await service.call("bulkRedeemBenefits", {"redemptions": [*entries, entries[0]]})
    results = answer["results"]
    metadata = [each["itemMetadata"] for each in results]
    codes = [each.get("error", {}).get("code") for each in metadata]
    assert codes == [
        None,
        "NOT_ENOUGH_BALANCE",
        None,
        "VALIDATION_ERROR",
        "BENEFIT_ALREADY_REDEEMED",
    ]
    assert (await wallet.balance())["amount"] == {"available": "0", "reserved": "0"}
    redeemed = [each["id"] for each in await wallet.transactions()][-2:]
    assert [metadata[at]["id"] for at in (0, 2)] == redeemed
    assert results[0]["item"] == {"transactionId": metadata[0]["id"]}


async def test_a_redemption_spends_price_times_count(service: Service) -> None:
    """Redeeming writes one transaction, takes its cost, and names it as the balance's last."""
    wallet = await open_wallet(service, benefit("towel", price="2.5"), amount="100")
    request = wallet.redemption(count=3, targetDate=LATER)
    transaction_id = (await service.call("redeemBenefit", request))["transactionId"]
    balance = await wallet.balance()
    assert balance["amount"] == {"available": "92.5", "reserved": "0"}
    assert balance["lastTransactionId"] == transaction_id
    assert balance["revision"] == "2"
    transaction = await wallet.transaction(transaction_id)
    told = {name: transaction[name] for name in ("amount", "source", "target", "correlationId")}
    assert told == {
        "amount": "7.5",
        "source": "AVAILABLE",
        "target": "EXTERNAL",
        "correlationId": transaction_id,
    }
    assert transaction["idempotencyKey"] == request["idempotencyKey"]
    assert transaction["beneficiary"] == wallet.program["beneficiary"]
    details = transaction["details"]
    assert details["reason"] == "Redemption"
    assert (details["benefitKey"], details["itemCount"]) == ("towel", 3)
    assert details["effectiveDate"] == LATER
    assert details["item"]["externalId"] == "item of towel"


async def test_a_redemption_changes_neither_pool_nor_program(service: Service) -> None:
    """Revisions of pool and program stay; the pool's event tells of the redemption."""
    wallet = await open_wallet(service)
    before = await wallet.pool()
    await wallet.redeem()
    assert await wallet.pool() == before
    answer = await service.call("getProgram", {"programId": wallet.program["id"]})
    assert answer["program"] == wallet.program
    assert await service.slugs_of(wallet.pool_id) == ["created+provisioned", "benefit_redeemed"]


async def test_credits_go_at_once_and_count_from_one(service: Service) -> None:
    """Without a count there is one item, without a date it is now, and the pool's own pays."""
    wallet = await open_wallet(service)
    transaction = await wallet.transaction(await wallet.redeem())
    assert transaction["details"]["itemCount"] == 1
    assert transaction["details"]["effectiveDate"] == transaction["createdDate"]
    assert await wallet.available() == "90"


@pytest.mark.parametrize("price", ["0", None])
async def test_what_costs_nothing_is_recorded(service: Service, price: str | None) -> None:
    """A price of 0, or none, is always affordable, even without credits; it is recorded."""
    free = benefit("towel", price="0")
    if price is None:
        del free["price"]
    wallet = await open_wallet(service, free, amount=None)
    transaction = await wallet.transaction(await wallet.redeem(count=7))
    assert transaction["amount"] == "0"
    assert (transaction["source"], transaction["target"]) == ("AVAILABLE", "EXTERNAL")
    assert await wallet.available() == "0"


async def test_the_last_credit_can_be_spent(service: Service) -> None:
    """A balance that is exactly the price pays; one unit less doesn't."""
    wallet = await open_wallet(service, benefit("towel", price="3.3333"), amount="9.9999")
    for _ in range(3):
        await wallet.redeem()
    assert await wallet.available() == "0"
    await wallet.adjust("3.3332")
    refused = await wallet.redeem_refused()
    assert (refused.status, refused.code) == (428, "NOT_ENOUGH_BALANCE")


async def test_unknown_pools_are_not_found(service: Service) -> None:
    """A pool that isn't there, of another namespace, beneficiary or tenant is not found."""
    wallet = await open_wallet(service)
    strangers = [
        wallet.redemption(poolId=guid()),
        wallet.redemption(namespace="other"),
        wallet.redemption(beneficiary={"memberId": guid()}),
        wallet.redemption(beneficiary={"wixUserId": wallet.program["beneficiary"]["memberId"]}),
    ]
    for request in strangers:
        refused = await service.refusal("redeemBenefit", request)
        assert (refused.status, refused.code) == (404, "POOL_NOT_FOUND")
        elsewhere = {"existsInNamespace": NAMESPACE} if request["namespace"] != NAMESPACE else {}
        assert refused.data == {"poolId": request["poolId"], **elsewhere}
    other = await service.another_tenant()
    refused = await other.refusal("redeemBenefit", wallet.redemption())
    assert refused.code == "POOL_NOT_FOUND"
    own = wallet.redemption(beneficiary=wallet.program["beneficiary"])
    await service.call("redeemBenefit", own)


async def test_a_key_redeems_once(service: Service) -> None:
    """A key that was used names the first transaction, whatever else the request says."""
    wallet = await open_wallet(service, benefit("towel", displayName="Towel"), benefit("bar"))
    key = guid()
    first = await wallet.redeem(idempotencyKey=key)
    for more in ({}, {"count": 500}, {"benefitKey": "bar"}, {"itemReference": strange_item()}):
        refused = await wallet.redeem_refused(**{"idempotencyKey": key, **more})
        assert (refused.status, refused.code) == (409, "BENEFIT_ALREADY_REDEEMED")
        assert refused.data["poolId"] == wallet.pool_id
        assert refused.data["idempotencyKey"] == key
        assert refused.data["transactionId"] == first
        assert refused.data["poolInfo"]["balance"]["available"] == "90"
    assert len(await wallet.transactions()) == 2


def strange_item() -> dict[str, str]:
    return {"externalId": "nothing", "providerAppId": guid()}


async def test_a_refused_call_uses_up_no_key(service: Service) -> None:
    """After a refusal the same key redeems."""
    wallet = await open_wallet(service, amount="5")
    key = guid()
    assert (await wallet.redeem_refused(idempotencyKey=key)).code == "NOT_ENOUGH_BALANCE"
    await wallet.adjust("5")
    await wallet.redeem(idempotencyKey=key)


async def test_keys_belong_to_a_pool_and_an_operation(service: Service) -> None:
    """One key serves two pools, and each operation of one pool."""
    wallet = await open_wallet(service)
    other = await open_another(service, wallet.definition)
    key = guid()
    first = await wallet.redeem(idempotencyKey=key)
    await other.redeem(idempotencyKey=key)
    moved = await wallet.reallocate(first, LATER, idempotencyKey=key)
    await wallet.cancel(moved, key)
    await service.call(
        "changeBalance",
        {"poolId": wallet.pool_id, "idempotencyKey": key, "adjustOptions": {"value": "1"}},
    )
    assert await wallet.available() == "101"


async def test_a_paused_pool_gives_nothing(service: Service) -> None:
    """A pool that isn't active is refused with its status and all that is known of it."""
    wallet = await paused_wallet(service)
    refused = await wallet.redeem_refused()
    assert (refused.status, refused.code) == (428, "POOL_NOT_ACTIVE")
    assert refused.data["poolStatus"] == "PAUSED"
    assert refused.data["poolId"] == wallet.pool_id
    known = {"benefitKey": "towel", "price": "10"}
    assert refused.data["benefitInfo"] == known
    elsewhere = {**wallet.reference(), "externalId": "nowhere"}
    refused = await wallet.redeem_refused(itemReference=elsewhere)
    assert refused.data["benefitInfo"] == known
    (told,) = await wallet.eligibility("towel", itemReference=elsewhere)
    assert told["poolNotActiveOptions"] == refused.data
    assert "benefitInfo" not in (await wallet.redeem_refused(benefitKey="none")).data


async def test_what_the_benefit_does_not_hold_is_not_found(service: Service) -> None:
    """An unknown benefit, and an item that another benefit or nobody holds, are not found."""
    wallet = await open_wallet(service, benefit("towel"), benefit("bar"))
    of_bar = wallet.reference("bar")
    wrong: list[dict[str, Any]] = [
        {"benefitKey": "sauna"},
        {"itemReference": of_bar},
        {"itemReference": {**wallet.reference(), "externalId": "other"}},
        {"itemReference": {**wallet.reference(), "category": "other"}},
    ]
    for more in wrong:
        refused = await wallet.redeem_refused(**more)
        assert (refused.status, refused.code) == (404, "BENEFIT_NOT_FOUND")
        assert refused.data["poolId"] == wallet.pool_id
        assert refused.data["benefitKey"] == more.get("benefitKey", "towel")
    await wallet.redeem(itemReference={**wallet.reference(), "category": ""})


async def test_a_removed_item_is_not_redeemed(service: Service) -> None:
    """Items are added and removed under a live pool."""
    wallet = await open_wallet(service)
    item = await add_item(service, wallet.benefit(), "new")
    reference = {**wallet.reference(), "externalId": "new"}
    transaction_id = await wallet.redeem(itemReference=reference)
    await service.call("deleteItem", {"itemId": item["id"]})
    assert (await wallet.redeem_refused(itemReference=reference)).code == "BENEFIT_NOT_FOUND"
    kept = (await wallet.transaction(transaction_id))["details"]["item"]
    assert (kept["id"], kept["externalId"]) == (item["id"], "new")


async def test_too_little_balance_says_how_much_is_missing(service: Service) -> None:
    """NOT_ENOUGH_BALANCE carries the numbers, the item, and all that is known of the pool."""
    definition = await service.create_program_definition(displayName="Gold", description="All")
    pool_definition = {
        "displayName": "Tokens",
        "description": "A token per visit",
        "programDefinitionIds": [definition["id"]],
    }
    towel = benefit("towel", price="10", displayName="Towel", description="A towel")
    wallet = await open_wallet(service, towel, amount="25", definition=pool_definition)
    program = (await service.provision(program_definition=definition, displayName="Ada"))["program"]
    (pool,) = await service.pools_of(program["id"])
    wallet = Wallet(service, wallet.definition, program, pool["id"])
    refused = await wallet.redeem_refused(count=3)
    assert (refused.status, refused.code) == (428, "NOT_ENOUGH_BALANCE")
    assert refused.data == {
        "poolId": wallet.pool_id,
        "itemReference": wallet.reference(),
        "availableBalance": "25",
        "requestedBalance": "30",
        "poolInfo": {
            "balance": {"available": "25", "reserved": "0"},
            "creditAmount": "25",
            "displayName": "Tokens",
            "description": "A token per visit",
            "poolDefinitionId": wallet.definition["id"],
        },
        "benefitInfo": {
            "displayName": "Towel",
            "description": "A towel",
            "benefitKey": "towel",
            "price": "10",
        },
        "programInfo": {
            "id": program["id"],
            "externalId": program["externalId"],
            "displayName": "Ada",
        },
        "programDefinitionInfo": {
            "id": definition["id"],
            "externalId": definition["externalId"],
            "displayName": "Gold",
            "description": "All",
        },
    }


async def test_the_checks_come_in_the_contracts_order(service: Service) -> None:
    """Pool, key, status, benefit, policy, balance: of two faults the earlier one is told."""
    strict = benefit("towel", price="10", policyExpression=NEVER)
    wallet = await open_wallet(service, strict, amount="0")
    at_noon = {"targetDate": NOON}
    assert (await wallet.redeem_refused(**at_noon)).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    assert (
        await wallet.redeem_refused(**at_noon, benefitKey="none", count=9)
    ).code == "BENEFIT_NOT_FOUND"
    assert (await wallet.redeem_refused(targetDate="2030-05-01T00:00:30Z")).code == (
        "NOT_ENOUGH_BALANCE"
    )
    paused = await paused_wallet(service, strict, amount="0")
    assert (await paused.redeem_refused(benefitKey="none")).code == "POOL_NOT_ACTIVE"
    assert (await paused.redeem_refused(namespace="none")).code == "POOL_NOT_FOUND"


async def test_a_used_key_is_told_before_the_status(service: Service) -> None:
    """Of a paused pool, a key that was used still names its transaction."""
    wallet = await open_wallet(service)
    key = guid()
    first = await wallet.redeem(idempotencyKey=key)
    await pause(service, wallet)
    assert (await wallet.redeem_refused(idempotencyKey=key)).data["transactionId"] == first
    assert (await wallet.redeem_refused()).code == "POOL_NOT_ACTIVE"


WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"count": 0}, {"count": "MIN"}),
    ({"count": -1}, {"count": "MIN"}),
    ({"poolId": "no"}, {"poolId": "FORMAT"}),
    ({"benefitKey": ""}, {"benefitKey": "MIN_LENGTH"}),
    ({"idempotencyKey": ""}, {"idempotencyKey": "MIN_LENGTH"}),
    ({"idempotencyKey": "k" * 201}, {"idempotencyKey": "MAX_LENGTH"}),
    ({"targetDate": "tomorrow"}, {"targetDate": "FORMAT"}),
    ({"itemReference": {"externalId": "a"}}, {"itemReference.providerAppId": "REQUIRED_FIELD"}),
    ({"itemReference": None}, {"itemReference": "REQUIRED_FIELD"}),
    (
        {"namespace": None, "benefitKey": None},
        {
            "namespace": "REQUIRED_FIELD",
            "benefitKey": "REQUIRED_FIELD",
        },
    ),
]


@pytest.mark.parametrize(("fields", "broken"), WRONG)
async def test_wrong_requests_are_refused_whole(
    service: Service, fields: dict[str, Any], broken: dict[str, str]
) -> None:
    """What breaks a rule is 400 with all violations, and nothing happens."""
    wallet = await open_wallet(service)
    refused = await wallet.redeem_refused(**fields)
    assert (refused.status, refused.fields) == (400, broken)
    assert await wallet.available() == "100"


async def test_more_than_anyone_has_is_not_enough(service: Service) -> None:
    """A cost past the largest amount is NOT_ENOUGH_BALANCE, never an overflow."""
    dear = benefit("towel", price="922337203685477.5807")
    wallet = await open_wallet(service, dear, amount="922337203685477.5807")
    assert (await wallet.redeem_refused(count=2_147_483_647)).code == "NOT_ENOUGH_BALANCE"
    await wallet.redeem()
    assert await wallet.available() == "0"


# Reallocate


async def test_a_move_supersedes_and_costs_nothing(service: Service) -> None:
    """A reallocation has the amount 0, names what it supersedes, and changes only the date."""
    wallet = await open_wallet(service)
    first = await wallet.redeem(count=2, targetDate=LATER)
    second = await wallet.reallocate(first, MUCH_LATER)
    third = await wallet.reallocate(second, "2020-01-01T00:00:00Z")
    moved = await wallet.transaction(third)
    assert moved["amount"] == "0"
    assert moved["supersededTransactionId"] == second
    assert moved["correlationId"] == first
    assert moved["details"]["effectiveDate"] == "2020-01-01T00:00:00.000Z"
    before = (await wallet.transaction(first))["details"]
    for same in ("item", "itemCount", "benefitKey"):
        assert moved["details"][same] == before[same]
    balance = await wallet.balance()
    assert (balance["amount"]["available"], balance["revision"]) == ("80", "4")
    assert balance["lastTransactionId"] == third
    assert (await service.slugs_of(wallet.pool_id))[-2:] == ["benefit_reallocated"] * 2


async def test_a_move_needs_no_balance(service: Service) -> None:
    """A redemption can be moved when nothing is left to pay for another."""
    wallet = await open_wallet(service, amount="10")
    await wallet.reallocate(await wallet.redeem(), LATER)
    assert await wallet.available() == "0"


async def test_only_the_newest_is_moved(service: Service) -> None:
    """A transaction that was superseded names the newest of its chain."""
    wallet = await open_wallet(service)
    first = await wallet.redeem()
    second = await wallet.reallocate(first, LATER)
    third = await wallet.reallocate(second, LATER)
    for old in (first, second):
        for refused in (
            await wallet.reallocate_refused(old, LATER),
            await wallet.cancel_refused(old),
        ):
            assert (refused.status, refused.code) == (428, "NOT_LATEST_TRANSACTION")
            assert refused.data == {"latestTransactionId": third}


async def test_a_move_is_done_once_per_key(service: Service) -> None:
    """A used key is ALREADY_EXECUTED with the first transaction, also of another redemption."""
    wallet = await open_wallet(service)
    first, other = await wallet.redeem(), await wallet.redeem()
    key = guid()
    moved = await wallet.reallocate(first, LATER, idempotencyKey=key)
    for transaction_id in (first, moved, other):
        refused = await wallet.reallocate_refused(transaction_id, LATER, idempotencyKey=key)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data == {
            "idempotencyKey": key,
            "transactionId": moved,
            "sameRequest": transaction_id == first,
        }


async def test_only_redemptions_are_moved_and_canceled(service: Service) -> None:
    """Changes by hand, provisioning, cancellations and reverts are none."""
    wallet = await open_wallet(service)
    provisioned = (await wallet.balance())["lastTransactionId"]
    adjusted = (await wallet.adjust("5"))["transactionId"]
    reverted = await wallet.revert(adjusted)
    canceled = await wallet.cancel(await wallet.redeem())
    for each in (provisioned, adjusted, reverted, canceled):
        refused = await wallet.reallocate_refused(each, LATER)
        assert (refused.status, refused.code) == (428, "TRANSACTION_NOT_REALLOCATABLE")
        refused = await wallet.cancel_refused(each)
        assert (refused.status, refused.code) == (428, "TRANSACTION_NOT_CANCELABLE")


async def test_what_was_given_back_stays_given_back(service: Service) -> None:
    """After a cancellation or a revert, moving and canceling name what gave it back."""
    wallet = await open_wallet(service)
    first = await wallet.redeem()
    moved = await wallet.reallocate(first, LATER)
    canceled = await wallet.cancel(moved)
    second = await wallet.redeem()
    reverted = await wallet.revert(second)
    for chain, giving_back in (((first, moved), canceled), ((second,), reverted)):
        for each in chain:
            for refused in (
                await wallet.reallocate_refused(each, LATER),
                await wallet.cancel_refused(each),
            ):
                assert (refused.status, refused.code) == (428, "REDEMPTION_ALREADY_CANCELED")
                assert refused.data == {"cancellationTransactionId": giving_back}
    assert await wallet.available() == "100"


async def test_unknown_transactions_are_not_found(service: Service) -> None:
    """A transaction that isn't there, or is another tenant's, is not found."""
    wallet = await open_wallet(service)
    first = await wallet.redeem()
    stranger = Wallet(
        await service.another_tenant(), wallet.definition, wallet.program, wallet.pool_id
    )
    unknown = guid()
    for asked, each in ((wallet, unknown), (stranger, first)):
        for refused in (
            await asked.reallocate_refused(each, LATER),
            await asked.cancel_refused(each),
            await asked.revert_refused(each),
        ):
            assert (refused.status, refused.code) == (404, "TRANSACTION_NOT_FOUND")
            assert refused.data == {"transactionId": each}


async def test_a_move_must_fit_namespace_and_beneficiary(service: Service) -> None:
    """Another namespace or beneficiary is POOL_NOT_FOUND."""
    wallet = await open_wallet(service)
    first = await wallet.redeem()
    for wrong in ({"namespace": "other"}, {"beneficiary": {"memberId": guid()}}):
        refused = await wallet.reallocate_refused(first, LATER, **wrong)
        assert (refused.status, refused.code) == (404, "POOL_NOT_FOUND")
        elsewhere = {"existsInNamespace": NAMESPACE} if "namespace" in wrong else {}
        assert refused.data == {"poolId": wallet.pool_id, **elsewhere}


async def test_a_benefit_that_is_gone_is_not_moved(service: Service) -> None:
    """A redemption of a benefit that the pool lost can't be moved, but canceled."""
    wallet = await open_wallet(service, benefit("towel"), benefit("bar"))
    first = await wallet.redeem()
    pool = await wallet.pool()
    kept = [each for each in pool["details"]["benefits"] if each["benefitKey"] == "bar"]
    change = {"id": pool["id"], "revision": pool["revision"], "details": {"benefits": kept}}
    await service.call("updatePool", {"pool": change})
    refused = await wallet.reallocate_refused(first, LATER)
    assert (refused.status, refused.code) == (428, "TRANSACTION_NOT_REALLOCATABLE")
    await wallet.cancel(first)


async def test_a_paused_pool_moves_nothing_but_cancels(service: Service) -> None:
    """Reallocation needs an active pool; cancellation and revert don't."""
    wallet = await open_wallet(service)
    first, second = await wallet.redeem(), await wallet.redeem()
    await pause(service, wallet)
    refused = await wallet.reallocate_refused(first, LATER)
    assert (refused.status, refused.code) == (428, "POOL_NOT_ACTIVE")
    assert refused.data["poolStatus"] == "PAUSED"
    await wallet.cancel(first)
    await wallet.revert(second)
    assert await wallet.available() == "100"


async def test_an_ended_pool_still_takes_back(service: Service) -> None:
    """Cancellation and revert are allowed on pools that have ended."""
    wallet = await open_wallet(service)
    first, second = await wallet.redeem(), await wallet.redeem()
    await service.call("endProgram", {"programId": wallet.program["id"]})
    await wallet.cancel(first)
    await wallet.revert(second)
    assert await wallet.available() == "100"


# Cancel


async def test_canceling_gives_back_what_was_paid(service: Service) -> None:
    """A cancellation of a moved redemption returns the first transaction's amount and names it."""
    wallet = await open_wallet(service, benefit("towel", price="2.5"))
    first = await wallet.redeem(count=4)
    canceled = await wallet.cancel(await wallet.reallocate(first, LATER))
    transaction = await wallet.transaction(canceled)
    told = {name: transaction[name] for name in ("amount", "source", "target", "correlationId")}
    assert told == {
        "amount": "10",
        "source": "EXTERNAL",
        "target": "AVAILABLE",
        "correlationId": first,
    }
    assert transaction["relatedTransactionId"] == first
    assert transaction["details"]["reason"] == "Cancellation"
    assert await wallet.available() == "100"
    assert (await service.slugs_of(wallet.pool_id))[-1] == "redemption_canceled"


async def test_canceling_is_done_once_per_key(service: Service) -> None:
    """A used key is ALREADY_EXECUTED before anything else but the transaction is looked at."""
    wallet = await open_wallet(service)
    first, second = await wallet.redeem(), await wallet.redeem()
    key = guid()
    canceled = await wallet.cancel(first, key)
    for each in (first, second, canceled):
        refused = await wallet.cancel_refused(each, key)
        assert (refused.status, refused.code) == (409, "ALREADY_EXECUTED")
        assert refused.data == {
            "idempotencyKey": key,
            "transactionId": canceled,
            "sameRequest": each == first,
        }
    assert (await wallet.cancel_refused(first)).code == "REDEMPTION_ALREADY_CANCELED"


async def test_a_free_redemption_is_canceled_too(service: Service) -> None:
    """What cost nothing is given back as nothing, once."""
    wallet = await open_wallet(service, benefit("towel", price="0"))
    first = await wallet.redeem()
    canceled = await wallet.transaction(await wallet.cancel(first))
    assert (canceled["amount"], canceled["source"]) == ("0", "EXTERNAL")
    assert (await wallet.cancel_refused(first)).code == "REDEMPTION_ALREADY_CANCELED"


async def test_the_chain_can_be_read(service: Service) -> None:
    """Every transaction of a redemption has the redemption's id as its correlation id."""
    wallet = await open_wallet(service)
    first = await wallet.redeem()
    moved = await wallet.reallocate(first, LATER)
    canceled = await wallet.cancel(moved)
    rows = [row for row in await service.rows(Transaction) if row.correlation_id == first]
    assert [row.id for row in rows] == [first, moved, canceled]


async def test_answers_read_back_in_their_order(service: Service) -> None:
    """Transactions of one pool are listed in the order in which they were made."""
    wallet = await open_wallet(service)
    made = [await wallet.redeem() for _ in range(5)]
    listed = await wallet.transactions()
    assert [each["id"] for each in listed][1:] == made
    assert all(each["pool"]["namespace"] == NAMESPACE for each in listed)
