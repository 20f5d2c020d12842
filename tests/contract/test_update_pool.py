"""Updates of single pools. Contract: Revisions and PATCH, Prices and item sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import ItemSet, Snapshot
from tests.support.calls import benefit, guid
from tests.support.wallet import Wallet, add_item, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document, Refused
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

DAILY = {
    "type": "POLICY",
    "policyOptions": {
        "type": "RATE_LIMITED",
        "rateLimitedOptions": {"times": 1, "timePeriod": "DAY"},
    },
}


async def update(wallet: Wallet, change: Document, **more: Any) -> Document:
    """Update the pool at its present revision; the answer."""
    before = await wallet.pool()
    request = {"pool": {"id": wallet.pool_id, "revision": before["revision"], **change}, **more}
    return (await wallet.caller.call("updatePool", request))["pool"]  # type: ignore[no-any-return]


async def update_refused(wallet: Wallet, change: Document, **more: Any) -> Refused:
    before = await wallet.pool()
    request = {"pool": {"id": wallet.pool_id, "revision": before["revision"], **change}, **more}
    return await wallet.caller.refusal("updatePool", request)


async def test_only_what_is_sent_changes(service: Service) -> None:
    """Names change one by one; the revision grows by one and the answer reads back."""
    wallet = await open_wallet(service, definition={"displayName": "Old", "description": "Kept"})
    before = await wallet.pool()
    after = await update(wallet, {"displayName": "New"})
    assert after["displayName"] == "New"
    assert (before["revision"], after["revision"]) == ("1", "2")
    same = {k: v for k, v in before.items() if k not in {"displayName", "revision", "updatedDate"}}
    assert same.items() <= after.items()
    assert await wallet.pool() == after
    assert (await update(wallet, {"description": None})).get("description") is None
    assert await service.slugs_of(wallet.pool_id) == ["created+provisioned", "updated", "updated"]


async def test_a_price_counts_from_the_update_on(service: Service) -> None:
    """A pool's own price is paid by its next redemption, and only by this pool's."""
    wallet = await open_wallet(service)
    other = await open_another(service, wallet.definition)
    first = await wallet.redeem()
    await update(wallet, {"details": {"benefits": [{**wallet.benefit(), "price": "0.5"}]}})
    await wallet.redeem()
    await other.redeem()
    assert (await wallet.available(), await other.available()) == ("89.5", "90")
    await wallet.cancel(first)
    assert await wallet.available() == "99.5"


async def test_the_balance_stays(service: Service) -> None:
    """Another credit configuration changes no balance, now or in its revision."""
    wallet = await open_wallet(service)
    before = await wallet.balance()
    pool = await update(wallet, {"details": {"creditConfiguration": {"amount": "7"}}})
    assert pool["details"]["creditConfiguration"] == {"amount": "7"}
    assert pool["details"]["benefits"] == wallet.definition["details"]["benefits"]
    after = await wallet.balance()
    assert (after["amount"], after["revision"]) == (before["amount"], before["revision"])


async def test_benefits_keep_their_item_sets(service: Service) -> None:
    """The same key keeps its item set and app; a new one gets its own, empty one."""
    wallet = await open_wallet(service)
    old = wallet.benefit()
    sent = [{**old, "providerAppId": guid(), "itemSetId": guid()}, benefit("bar", price="1")]
    kept, new = (await update(wallet, {"details": {"benefits": sent}}))["details"]["benefits"]
    assert (kept["itemSetId"], kept["providerAppId"]) == (old["itemSetId"], old["providerAppId"])
    assert new["itemSetId"] not in {old["itemSetId"], None}
    assert {row.id for row in await service.rows(ItemSet)} == {old["itemSetId"], new["itemSetId"]}
    reference = {"externalId": "beer", "providerAppId": new["providerAppId"]}
    refused = await wallet.redeem_refused(benefitKey="bar", itemReference=reference)
    assert refused.code == "BENEFIT_NOT_FOUND"
    await add_item(service, new, "beer")
    await wallet.redeem(benefitKey="bar", itemReference=reference)
    assert await wallet.available() == "99"


async def test_items_of_a_new_benefit_have_the_namespace_of_the_definition(
    service: Service,
) -> None:
    """A benefit of a pool alone takes items as its others do, whatever the program's namespace."""
    wallet = await open_wallet(service, program={"namespace": "club"})
    sent = [wallet.benefit(), benefit("bar", price="1")]
    _, new = (await update(wallet, {"details": {"benefits": sent}}))["details"]["benefits"]
    await add_item(service, new, "beer")
    reference = {"externalId": "beer", "providerAppId": new["providerAppId"]}
    await wallet.redeem(benefitKey="bar", itemReference=reference, namespace="club")
    assert await wallet.available() == "99"


async def test_a_limit_keeps_its_count_while_its_period_stays(service: Service) -> None:
    """The quota of a limit goes on, also with other times; one of another period counts anew."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=DAILY))
    await wallet.redeem()
    same = {**wallet.benefit(), "price": "1"}
    await update(wallet, {"details": {"benefits": [same]}})
    assert (await wallet.redeem_refused()).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    twice = {"times": 2, "timePeriod": "DAY"}
    policy = {
        "type": "POLICY",
        "policyOptions": {"type": "RATE_LIMITED", "rateLimitedOptions": twice},
    }
    await update(wallet, {"details": {"benefits": [{**same, "policyExpression": policy}]}})
    await wallet.redeem()
    assert (await wallet.redeem_refused()).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    twice["timePeriod"] = "MONTH"
    await update(wallet, {"details": {"benefits": [{**same, "policyExpression": policy}]}})
    await wallet.redeem(count=2)
    assert (await wallet.redeem_refused()).code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"


async def test_parts_of_details_are_cleared_by_null(service: Service) -> None:
    """Null clears a part, what isn't sent stays."""
    wallet = await open_wallet(service, policyExpression=DAILY, additionalData={"a": 1})
    pool = await update(wallet, {"details": {"policyExpression": None}})
    assert "policyExpression" not in pool["details"]
    assert pool["details"]["additionalData"] == {"a": 1}
    assert pool["details"]["benefits"]


async def test_a_mask_clears_what_it_names_and_is_missing(service: Service) -> None:
    """A masked field that isn't sent is cleared, one that isn't masked stays."""
    wallet = await open_wallet(service, definition={"displayName": "Old", "description": "Kept"})
    pool = await update(wallet, {"description": "ignored"}, fieldMask="displayName")
    assert "displayName" not in pool
    assert pool["description"] == "Kept"


async def test_extended_fields_merge_by_namespace(service: Service) -> None:
    """A namespace is replaced whole, null removes it, others stay."""
    wallet = await open_wallet(service)
    await update(wallet, {"extendedFields": {"namespaces": {"@a/b": {"x": 1}, "@c/d": {"y": 2}}}})
    pool = await update(
        wallet, {"extendedFields": {"namespaces": {"@a/b": {"z": 3}, "@c/d": None}}}
    )
    assert pool["extendedFields"] == {"namespaces": {"@a/b": {"z": 3}}}


async def test_extended_fields_are_limited_together(service: Service) -> None:
    """What is sent and what is there must fit together, and the refusal names the field."""
    wallet = await open_wallet(service)
    half = {"x": "y" * 6_000}
    await update(wallet, {"extendedFields": {"namespaces": {"@a/b": half}}})
    refused = await update_refused(wallet, {"extendedFields": {"namespaces": {"@c/d": half}}})
    assert refused.status == 400
    assert refused.fields == {"pool.extendedFields.namespaces": "MAX_LENGTH"}


async def test_an_old_revision_is_refused(service: Service) -> None:
    """Another revision is 409, a missing one 400; a redemption doesn't make one old."""
    wallet = await open_wallet(service)
    await wallet.redeem()
    await update(wallet, {"displayName": "New"})
    for revision in ("1", "3"):
        request = {"pool": {"id": wallet.pool_id, "revision": revision, "displayName": "x"}}
        refused = await service.refusal("updatePool", request)
        assert (refused.status, refused.code) == (409, "INVALID_REVISION")
        assert refused.data == {"revisionViolation": {"entityId": wallet.pool_id}}
    refused = await service.refusal("updatePool", {"pool": {"id": wallet.pool_id}})
    assert (refused.status, refused.fields) == (400, {"pool.revision": "REQUIRED_FIELD"})


async def test_what_no_pool_could_live_by_is_refused(service: Service) -> None:
    """Two benefits with one key, and a price without credits, are 400 at their places."""
    wallet = await open_wallet(service)
    twice = [wallet.benefit(), wallet.benefit()]
    refused = await update_refused(wallet, {"details": {"benefits": twice}})
    assert refused.fields == {"pool.details.benefits[1].benefitKey": "OTHER"}
    refused = await update_refused(wallet, {"details": {"creditConfiguration": None}})
    assert refused.fields == {"pool.details.benefits[0].price": "OTHER"}
    refused = await update_refused(wallet, {"displayName": "n" * 65})
    assert refused.fields == {"pool.displayName": "MAX_LENGTH"}


async def test_unknown_pools_are_not_found(service: Service) -> None:
    """A pool that isn't there or is another tenant's is not found."""
    wallet = await open_wallet(service)
    other = await service.another_tenant()
    for caller, pool_id in ((service, guid()), (other, wallet.pool_id)):
        request = {"pool": {"id": pool_id, "revision": "1", "displayName": "x"}}
        refused = await caller.refusal("updatePool", request)
        assert (refused.status, refused.code) == (404, "POOL_NOT_FOUND")
        assert refused.data == {"poolId": pool_id}


async def test_an_update_that_says_the_same_keeps_the_snapshot(service: Service) -> None:
    """Writing back what was read makes a revision, but no new copy of the details."""
    wallet = await open_wallet(service, benefit("towel", policyExpression=DAILY))
    before = await wallet.pool()
    snapshots = len(await service.rows(Snapshot))
    after = await update(wallet, before)
    assert after["details"] == before["details"]
    assert after["revision"] == "2"
    assert len(await service.rows(Snapshot)) == snapshots


async def test_many_pools_are_updated_one_by_one(service: Service) -> None:
    """A bulk update does each entry by itself; the same pool twice sees its first change."""
    wallet = await open_wallet(service)
    other = await open_another(service, wallet.definition)
    unknown = guid()
    entries = [
        {"pool": {"id": wallet.pool_id, "revision": "1", "displayName": "One"}},
        {"pool": {"id": unknown, "revision": "1", "displayName": "Two"}},
        {"pool": {"id": other.pool_id, "revision": "7", "displayName": "Three"}},
        {"pool": {"id": wallet.pool_id, "revision": "2", "displayName": "Four"}},
        {"pool": {"id": wallet.pool_id, "revision": "2", "displayName": "Five"}},
        {"pool": {"id": other.pool_id, "displayName": "Six"}},
    ]
    answer = await service.call("bulkUpdatePools", {"pools": entries, "returnEntity": True})
    told = [
        (each["itemMetadata"]["success"], each["itemMetadata"].get("error", {}).get("code"))
        for each in answer["results"]
    ]
    assert told == [
        (True, None),
        (False, "POOL_NOT_FOUND"),
        (False, "INVALID_REVISION"),
        (True, None),
        (False, "INVALID_REVISION"),
        (False, "VALIDATION_ERROR"),
    ]
    assert [each["itemMetadata"]["originalIndex"] for each in answer["results"]] == list(range(6))
    assert answer["results"][3]["item"]["displayName"] == "Four"
    assert answer["bulkActionMetadata"] == {
        "totalSuccesses": 2,
        "totalFailures": 4,
        "undetailedFailures": 0,
    }
    assert (await wallet.pool())["displayName"] == "Four"
