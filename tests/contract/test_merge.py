"""What becomes of an anonymous visitor who turns out to be a member: all is the member's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import (
    Job,
    Pool,
    Program,
    Quota,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.lookups import WALK_PROGRAMS_OF_VISITOR
from benefit_programs.domain.orders import merging
from benefit_programs.domain.orders.carrier import shortened
from tests.support.calls import benefit, guid
from tests.support.lifecycle import act, limit_requests
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ONCE_A_DAY = {
    "type": "POLICY",
    "policyOptions": {"rateLimitedOptions": {"times": 1, "timePeriod": "DAY"}},
}


def people() -> tuple[Document, Document]:
    """A visitor and a member whom nobody knows yet."""
    return {"anonymousVisitorId": guid()}, {"memberId": guid()}


async def merge(service: Service, visitor: Document, beneficiary: Document) -> Document:
    """Merge a visitor into somebody, and give the job at its end."""
    request = {"visitor": visitor, "beneficiary": beneficiary}
    answer = await service.call("mergeBeneficiary", request)
    await service.running.runner.settle()
    job: Document = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert job["status"] == "FINISHED"
    assert job["counts"].get("failCount", 0) == 0
    return job


async def open_for(service: Service, beneficiary: Document, **more: Any) -> Wallet:
    return await open_wallet(
        service, benefit("towel", price="1"), program={"beneficiary": beneficiary}, **more
    )


async def owners(service: Service) -> Counter[tuple[str | None, str | None]]:
    """How many programs and pools each visitor and member has."""
    rows: list[Any] = [*await service.rows(Program), *await service.rows(Pool)]
    return Counter((row.anonymous_visitor_id, row.member_id) for row in rows)


async def test_everything_becomes_the_members(service: Service) -> None:
    """Programs, pools, balances and transactions are the member's; a bystander keeps his."""
    visitor, member = people()
    wallet = await open_for(service, visitor)
    await wallet.redeem(beneficiary=visitor)
    other, _ = people()
    bystander = await open_another(service, wallet.definition, beneficiary=other)
    available, before = await wallet.available(), await wallet.transactions()
    job = await merge(service, visitor, member)
    assert job["counts"]["successCount"] == 1
    assert await owners(service) == {
        (None, member["memberId"]): 2,
        (other["anonymousVisitorId"], None): 2,
    }
    assert await wallet.available() == available
    after = await wallet.transactions()
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert {each["beneficiary"]["memberId"] for each in after} == {member["memberId"]}
    assert (await bystander.pool())["revision"] == "1"


async def test_the_visitor_spends_no_more_and_the_member_does(service: Service) -> None:
    """For the visitor a moved pool is not found; the member redeems and is eligible of both."""
    visitor, member = people()
    wallet = await open_for(service, visitor)
    own = await open_another(service, wallet.definition, beneficiary=member)
    spent = await wallet.redeem(beneficiary=visitor)
    await merge(service, visitor, member)
    refused = await wallet.redeem_refused(beneficiary=visitor)
    assert (refused.status, refused.code) == (404, "POOL_NOT_FOUND")
    await wallet.redeem(beneficiary=member)
    await wallet.cancel(spent)
    assert await wallet.available() == "99"
    request = {
        "itemReference": wallet.reference(),
        "namespace": wallet.program["namespace"],
        "beneficiary": member,
    }
    found = (await service.call("getEligibleBenefits", request))["eligibleBenefits"]
    assert {each["poolId"] for each in found} == {wallet.pool_id, own.pool_id}


async def test_a_lost_answer_is_asked_for_as_the_member(service: Service) -> None:
    """A key that the visitor used tells the member what it did, and does nothing again."""
    visitor, member = people()
    wallet, key = await open_for(service, visitor), guid()
    first = await wallet.redeem(beneficiary=visitor, idempotencyKey=key)
    await merge(service, visitor, member)
    again = await wallet.redeem_refused(beneficiary=member, idempotencyKey=key)
    assert (again.status, again.code) == (409, "BENEFIT_ALREADY_REDEEMED")
    assert again.data["transactionId"] == first
    assert await wallet.available() == "99"


async def test_used_rate_limits_stay_used(service: Service) -> None:
    """What the visitor has used of a pool's limit is used for the member, of that pool alone."""
    visitor, member = people()
    wallet = await open_for(service, visitor, policyExpression=ONCE_A_DAY)
    own = await open_another(service, wallet.definition, beneficiary=member)
    await wallet.redeem(beneficiary=visitor)
    quotas = await service.rows(Quota)
    assert quotas
    await merge(service, visitor, member)
    assert await service.rows(Quota) == quotas
    refused = await wallet.redeem_refused(beneficiary=member)
    assert refused.code == "POLICY_EXPRESSION_EVALUATED_TO_FALSE"
    await own.redeem(beneficiary=member)


@pytest.mark.parametrize("in_background", [False, True])
async def test_each_entity_tells_once(service: Service, *, in_background: bool) -> None:
    """Program and pool have one updated event each, at their next revision; the ledger has none."""
    visitor, member = people()
    wallet = await open_for(service, visitor)
    transactions = await service.rows(Transaction)
    before = {each.id for each in await service.rows(Event)}
    if in_background:
        await limit_requests(service, 0)
    await merge(service, visitor, member)
    new = [each for each in await service.rows(Event) if each.id not in before]
    assert [(each.entity, each.slug) for each in sorted(new, key=lambda row: row.id)] == [
        ("program", "updated"),
        ("pool", "updated"),
    ]
    assert new[0].body["entity"]["member_id"] == member["memberId"]
    assert (await wallet.pool())["revision"] == "2"
    assert await service.rows(Transaction) == transactions


@pytest.mark.parametrize("in_background", [False, True])
async def test_merged_again(service: Service, *, in_background: bool) -> None:
    """A second merge finds nothing to do; what the visitor got since comes along with a third."""
    visitor, member = people()
    wallet = await open_for(service, visitor)
    await limit_requests(service, 0 if in_background else 100)
    await merge(service, visitor, member)
    rows = await service.rows(Program), await service.rows(Pool), await service.rows(Event)
    again = await merge(service, visitor, member)
    assert again["counts"]["total"] == 0
    assert (
        await service.rows(Program),
        await service.rows(Pool),
        await service.rows(Event),
    ) == rows
    await limit_requests(service, 100)
    await open_another(service, wallet.definition, beneficiary=visitor)
    await limit_requests(service, 0 if in_background else 100)
    await merge(service, visitor, member)
    assert await owners(service) == {(None, member["memberId"]): 4}


async def test_a_running_merge_answers_with_its_job(idle_service: Service) -> None:
    """Asked again before the job has run, the same merge is one; another owner has to wait."""
    service = idle_service
    visitor, member = people()
    await open_for(service, visitor)
    await limit_requests(service, 0)
    request = {"visitor": visitor, "beneficiary": member}
    first = await service.call("mergeBeneficiary", request)
    assert await service.call("mergeBeneficiary", request) == first
    refused = await service.refusal("mergeBeneficiary", {**request, "beneficiary": people()[1]})
    assert (refused.status, refused.code) == (409, "IN_PROGRESS")
    for person in (visitor, member):
        refused = await service.refusal("eraseBeneficiary", {"beneficiary": person})
        assert (refused.status, refused.code) == (409, "IN_PROGRESS")
    service.running.runner.start()
    await service.running.runner.settle()
    assert await owners(service) == {(None, member["memberId"]): 2}
    await service.call("eraseBeneficiary", {"beneficiary": member})
    await service.running.runner.settle()


@pytest.mark.parametrize("erased", [0, 1])
async def test_nobody_is_merged_while_one_is_erased(idle_service: Service, erased: int) -> None:
    """While a job erases one of the two, a merge is refused and changes nothing."""
    service = idle_service
    both = people()
    for person in both:
        await open_for(service, person)
    await service.call("eraseBeneficiary", {"beneficiary": both[erased]})
    before = await owners(service)
    request = {"visitor": both[0], "beneficiary": both[1]}
    refused = await service.refusal("mergeBeneficiary", request)
    assert (refused.status, refused.code) == (409, "IN_PROGRESS")
    assert await owners(service) == before
    service.running.runner.start()
    await service.running.runner.settle()
    await merge(service, *both)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"beneficiary": {"memberId": guid()}}, "visitor"),
        ({"visitor": {"anonymousVisitorId": guid()}}, "beneficiary"),
        ({"visitor": {"memberId": guid()}, "beneficiary": {"memberId": guid()}}, "visitor"),
        (
            {
                "visitor": {"anonymousVisitorId": guid()},
                "beneficiary": {"anonymousVisitorId": guid()},
            },
            "beneficiary",
        ),
    ],
)
async def test_wrong_identities_are_refused(
    service: Service, request_: Document, field: str
) -> None:
    """Both must be named, the visitor as one, and the other one as somebody who is known."""
    refused = await service.refusal("mergeBeneficiary", request_)
    assert refused.status == 400
    assert [each["field"].split(".")[0] for each in refused.violations] == [field]


async def test_a_visitor_becomes_a_wix_user(service: Service) -> None:
    """A Wix user is somebody who is known, too."""
    visitor, _ = people()
    wallet, user = await open_for(service, visitor), {"wixUserId": guid()}
    await merge(service, visitor, user)
    assert (await wallet.pool())["beneficiary"]["wixUserId"] == user["wixUserId"]


async def test_ended_programs_come_along(service: Service) -> None:
    """A program that has ended, or has no pools, is the member's as well."""
    visitor, member = people()
    wallet = await open_for(service, visitor)
    await act(service, "end", wallet.program["id"])
    definition = await service.create_program_definition()
    await service.provision(program_definition=definition, beneficiary=visitor)
    await merge(service, visitor, member)
    assert await owners(service) == {(None, member["memberId"]): 3}
    assert (await wallet.pool())["status"] == "ENDED"


async def test_other_tenant_keeps_its_visitor(service: Service) -> None:
    """The same id in another tenant is another person, and stays."""
    (visitor, member), other = people(), await service.another_tenant()
    await open_for(service, visitor)
    kept = await open_for(other, visitor)
    await merge(service, visitor, member)
    assert (await kept.pool())["beneficiary"]["anonymousVisitorId"] == visitor["anonymousVisitorId"]


async def test_many_programs_in_chunks(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """More programs than a chunk has are all moved, each once."""
    steps = shortened(WALK_PROGRAMS_OF_VISITOR, 5)
    monkeypatch.setattr(merging, "WALK_PROGRAMS_OF_VISITOR", steps)
    visitor, member = people()
    wallet = await open_for(service, visitor)
    for _ in range(11):
        await open_another(service, wallet.definition, beneficiary=visitor)
    await limit_requests(service, 10)
    job = await merge(service, visitor, member)
    assert job["counts"]["successCount"] == 12
    assert await owners(service) == {(None, member["memberId"]): 24}
    assert {each.revision for each in await service.rows(Pool)} == {2}
    (row,) = [each for each in await service.rows(Job) if each.id == job["id"]]
    assert row.payload is None


async def test_changes_ahead_of_a_pool_come_first(idle_service: Service) -> None:
    """A change that had been answered before is played on the pool before it moves."""
    service = idle_service
    visitor, member = people()
    wallet = await open_for(service, visitor)
    await limit_requests(service, 0)
    definition = wallet.definition
    change = {"id": definition["id"], "revision": definition["revision"], "displayName": "Gold"}
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    await limit_requests(service, 100)
    request = {"visitor": visitor, "beneficiary": member}
    await service.call("mergeBeneficiary", request)
    pool = await wallet.pool()
    assert (pool["displayName"], pool["beneficiary"]["memberId"]) == ("Gold", member["memberId"])
    service.running.runner.start()
    await service.running.runner.settle()
    assert (await wallet.pool())["revision"] == pool["revision"]


async def test_erasing_the_member_erases_the_visitor(service: Service) -> None:
    """What was the visitor's goes with the member, also out of events from before the merge."""
    visitor, member = people()
    await open_for(service, visitor)
    await merge(service, visitor, member)
    await service.call("eraseBeneficiary", {"beneficiary": member})
    await service.running.runner.settle()
    told = str([each.body for each in await service.rows(Event)])
    assert visitor["anonymousVisitorId"] not in told
    assert member["memberId"] not in told
