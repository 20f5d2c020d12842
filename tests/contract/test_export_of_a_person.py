"""What an export of a person has in it: everything of theirs, once, and nothing of others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from benefit_programs.domain.entities import (
    Lot,
    Pool,
    Program,
    Quota,
    Reservation,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage import kept
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.clock import HOUR
from tests.support.commands import submit
from tests.support.lifecycle import limit_requests
from tests.support.lots import Hold, granted, put
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NAME = "Ada Lovelace"
FIELDS = {"namespaces": {"@gym/app": {"email": "ada@example.org"}}}
TWICE_A_DAY = {
    "type": "POLICY",
    "policyOptions": {"rateLimitedOptions": {"times": 2, "timePeriod": "DAY"}},
}
PAGES_MAX = 1_000


async def export(caller: Caller, beneficiary: Document, *, limit: int = 100) -> list[Document]:
    """All records of a beneficiary."""
    records: list[Document] = []
    paging: Document = {"limit": limit}
    for _ in range(PAGES_MAX):
        request = {"beneficiary": beneficiary, "cursorPaging": paging}
        page = await caller.call("exportBeneficiary", request)
        assert len(page["records"]) == page["metadata"]["count"] <= limit
        records += page["records"]
        following = page["metadata"]["cursors"].get("next")
        assert page["metadata"]["hasNext"] == (following is not None)
        if following is None:
            return records
        paging = {"limit": limit, "cursor": following}
    raise AssertionError("the export has no end")


def parts(records: list[Document], name: str) -> list[Document]:
    """The records of one kind."""
    return [each[name] for each in records if name in each]


async def live(service: Service, beneficiary: Document) -> Wallet:
    """Somebody who has something of every kind, in two programs."""
    wallet = await open_wallet(
        service,
        benefit("towel", price="1"),
        policyExpression=TWICE_A_DAY,
        program={"beneficiary": beneficiary, "displayName": NAME},
    )
    pool = await wallet.pool()
    changed = {"id": pool["id"], "revision": pool["revision"], "extendedFields": FIELDS}
    await service.call("updatePool", {"pool": changed})
    await wallet.redeem(additionalData={"note": NAME})
    another = await open_another(service, wallet.definition, beneficiary=beneficiary)
    hold = Hold(like=await another.redeem(), count=1, expiration_date=read_clock() + HOUR)
    await submit(service, hold)
    for each in (wallet, another):
        await put(service, each.pool_id, 5, granted(read_clock() + HOUR, display_name=NAME))
        await put(service, each.pool_id, 5, granted(read_clock() + HOUR))
    return wallet


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_everything_of_one_is_in_it_once(service: Service, limit: int) -> None:
    """Each row of the person is there once, whatever the size of pages, and none of another."""
    beneficiary, other = {"memberId": guid()}, {"memberId": guid()}
    await live(service, other)
    wallet = await live(service, beneficiary)
    await live(service, other)
    records = await export(service, beneficiary, limit=limit)
    own = {row.id for row in await service.rows(Pool) if row.member_id == beneficiary["memberId"]}
    programs = {
        row.id for row in await service.rows(Program) if row.member_id == beneficiary["memberId"]
    }
    assert len(own) == len(programs) == 2
    assert Counter(each["id"] for each in parts(records, "program")) == Counter(programs)
    assert Counter(each["id"] for each in parts(records, "pool")) == Counter(own)
    assert [each["id"] for each in parts(records, "balance")] == [
        each["id"] for each in parts(records, "pool")
    ]
    assert Counter(each["id"] for each in parts(records, "transaction")) == Counter(
        row.id for row in await service.rows(Transaction) if row.pool_id in own
    )
    lots = {row.id for row in await service.rows(Lot) if row.pool_id in own}
    assert len(lots) == 4
    assert Counter(each["id"] for each in parts(records, "lot")) == Counter(lots)
    assert [each.get("displayName") for each in parts(records, "lot")] == [NAME, None] * 2
    assert Counter(each["id"] for each in parts(records, "event")) == Counter(
        row.id for row in await service.rows(Event) if row.entity_id in own | programs | lots
    )
    assert Counter(each["id"] for each in parts(records, "reservation")) == Counter(
        row.id for row in await service.rows(Reservation) if row.pool_id in own
    )
    assert Counter(
        (each["poolId"], each["quotaId"], each["used"]) for each in parts(records, "usedRateLimit")
    ) == Counter(
        (row.pool_id, row.quota_id, row.used)
        for row in await service.rows(Quota)
        if row.pool_id in own
    )
    named = [item["id"] for each in records for item in each.get("jobItems", ())]
    assert Counter(named) == Counter(own)
    assert await wallet.pool() in parts(records, "pool")
    assert await wallet.balance() in parts(records, "balance")
    listed = await wallet.transactions()
    assert [each for each in parts(records, "transaction") if each in listed] == listed
    (noted,) = [each for each in parts(records, "event") if "additional_data" in each["body"]]
    assert noted["body"]["additional_data"] == {"note": NAME}
    assert NAME in {each.get("displayName") for each in parts(records, "program")}


@pytest.mark.parametrize("limit", [1, 100])
async def test_steps_through_a_large_tenant(
    service: Service, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Where a step looks through a part of the events alone, none is left out or doubled."""
    beneficiary = {"memberId": guid()}
    wallet = await live(service, beneficiary)
    whole = await export(service, beneficiary)
    for _ in range(12):
        await open_another(service, wallet.definition)
    monkeypatch.setattr(kept, "EVENTS_LOOKED_THROUGH_MAX", 2)
    monkeypatch.setattr(kept, "KEPT_LIMIT_MAX", 3)
    assert await export(service, beneficiary, limit=limit) == whole


async def test_what_jobs_in_chunks_did_is_in_it(service: Service) -> None:
    """A job that went through pools of many people is there with the person's pools alone."""
    beneficiary = {"memberId": guid()}
    wallet = await live(service, beneficiary)
    for _ in range(3):
        await open_another(service, wallet.definition)
    await limit_requests(service, 1)
    definition = wallet.definition
    change = {"id": definition["id"], "revision": definition["revision"], "displayName": "Gold"}
    await service.call("updatePoolDefinition", {"poolDefinition": change, "cascade": "IMMEDIATELY"})
    await service.running.runner.settle()
    records = await export(service, beneficiary)
    (cascade,) = [
        each
        for each in records
        if each.get("job", {}).get("metadata", {}).get("kind") == "UPDATE_POOLS"
    ]
    own = {each["id"] for each in parts(records, "pool")}
    assert {item["id"] for item in cascade["jobItems"]} == own
    assert cascade["job"]["counts"]["total"] == 5


async def test_nothing_is_kept_of_somebody_unknown(service: Service) -> None:
    """Who has no program has no records, as each kind of identity."""
    person = guid()
    await live(service, {"memberId": person})
    for who in ({"memberId": guid()}, {"wixUserId": person}, {"anonymousVisitorId": person}):
        assert await export(service, who) == []
    other = await service.another_tenant()
    assert await export(other, {"memberId": person}) == []


async def test_after_an_erasure_the_pseudonym_has_it(service: Service) -> None:
    """The person's export is empty then; the pseudonym's has the books and no name."""
    beneficiary = {"memberId": guid()}
    await live(service, beneficiary)
    answer = await service.call("eraseBeneficiary", {"beneficiary": beneficiary})
    await service.running.runner.settle()
    assert await export(service, beneficiary) == []
    records = await export(service, answer["beneficiary"])
    assert len(parts(records, "transaction")) == 9
    assert NAME not in str(records)
    assert beneficiary["memberId"] not in str(records)


async def test_a_cursor_is_of_its_beneficiary(service: Service) -> None:
    """A cursor of somebody else's export is refused."""
    beneficiary = {"memberId": guid()}
    await live(service, beneficiary)
    request = {"beneficiary": beneficiary, "cursorPaging": {"limit": 1}}
    following = (await service.call("exportBeneficiary", request))["metadata"]["cursors"]["next"]
    stolen = {"beneficiary": {"memberId": guid()}, "cursorPaging": {"cursor": following}}
    refused = await service.refusal("exportBeneficiary", stolen)
    assert refused.status == 400
    assert [each["field"] for each in refused.violations] == ["cursorPaging.cursor"]
    assert NAMESPACE not in str(refused.violations)


async def test_members_and_apps_export_nobody(service: Service) -> None:
    """Only an administrator's key exports; not even one's own."""
    member = guid()
    request = {"beneficiary": {"memberId": member}}
    for caller in (await service.as_app(), await service.as_member(member)):
        assert (await caller.refusal("exportBeneficiary", request)).status == 403
