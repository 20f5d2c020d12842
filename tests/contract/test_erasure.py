"""What becomes of a person who is erased: nothing personal is left, and the books are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benefit_programs.domain.entities import (
    Lot,
    Pool,
    Program,
    Reservation,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.orders import erasing
from benefit_programs.domain.redemptions import RedeemBenefit
from benefit_programs.domain.values import ItemReference
from benefit_programs.engine.engine import read_clock
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.verification import verify_store
from tests.support.calls import NAMESPACE, benefit, guid
from tests.support.clock import HOUR
from tests.support.commands import submit
from tests.support.lifecycle import act
from tests.support.lots import Hold, granted, put
from tests.support.wallet import Wallet, open_another, open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

NAME = "Ada Lovelace"
FIELDS = {"namespaces": {"@gym/app": {"email": "ada@example.org"}}}


async def erase(service: Service, member: str) -> Document:
    """Erase a member, and wait for the end of the job."""
    answer = await service.call("eraseBeneficiary", {"beneficiary": {"memberId": member}})
    await service.running.runner.settle()
    job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert job["status"] == "FINISHED"
    assert job["counts"].get("failCount", 0) == 0
    return answer


async def test_lots_and_reservations_lose_their_words(service: Service) -> None:
    """Names, references and additional data of lots and reservations go everywhere, too."""
    member, other = guid(), guid()
    wallet, bystander = await open_for(service, member), await open_for(service, other)
    for each in (wallet, bystander):
        await name_lots(service, each)
    await erase(service, member)
    for entity in (Lot, Reservation, Transaction):
        named = [row for row in await service.rows(entity) if NAME in str(row)]
        assert {row.pool_id for row in named} == {bystander.pool_id}
    told = [each for each in await service.rows(Event) if each.entity == "lot"]
    assert len(told) == 4
    for event in told:
        is_other = event.body["entity"]["pool_id"] == bystander.pool_id
        assert (NAME in str(event.body)) is is_other
    sound = await service.rows(Lot)
    assert [(each.granted, each.available) for each in sound if each.pool_id == wallet.pool_id] == [
        (50_000, 30_000),
        (60_000, 0),
    ]
    assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []


async def name_lots(service: Service, wallet: Wallet) -> None:
    """A lot of today, one of tomorrow and a reservation, all in the words of a caller."""
    now, words = read_clock(), {"external_reference": NAME, "additional_data": {"note": NAME}}
    tomorrow, later = now + 24 * HOUR, now + 48 * HOUR
    await put(service, wallet.pool_id, 5, granted(tomorrow, display_name=NAME, **words))
    await put(service, wallet.pool_id, 6, granted(later, effective_date=tomorrow, **words))
    like = await submit(
        service,
        RedeemBenefit(
            pool_id=wallet.pool_id,
            namespace=NAMESPACE,
            benefit_key="towel",
            item=item_of(wallet),
            idempotency_key=guid(),
            external_reference=NAME,
        ),
    )
    hold = Hold(like=like.transaction.id, count=1, expiration_date=later, external_reference=NAME)
    await submit(service, hold)


def item_of(wallet: Wallet) -> ItemReference:
    reference = wallet.reference()
    return ItemReference(reference["externalId"], reference["providerAppId"], "")


async def open_for(service: Service, member: str) -> Wallet:
    return await open_wallet(
        service, benefit("towel", price="1"), program={"beneficiary": {"memberId": member}}
    )


async def live(service: Service, member: str) -> Wallet:
    """A member's life: personal data wherever callers can put some."""
    wallet = await open_for(service, member)
    program = wallet.program
    named = {"id": program["id"], "revision": program["revision"], "displayName": NAME}
    await service.call("updateProgram", {"program": {**named, "extendedFields": FIELDS}})
    pool = await wallet.pool()
    changed = {"id": pool["id"], "revision": pool["revision"], "extendedFields": FIELDS}
    await service.call("updatePool", {"pool": changed})
    await wallet.redeem(additionalData={"note": NAME})
    await service.call(
        "changeBalance",
        wallet.change(
            adjustOptions={"value": "5"},
            transactionDetails={"reason": f"Goodwill for {NAME}", "origin": NAME},
            instructingParty={"memberId": member},
        ),
    )
    return wallet


async def everything(service: Service) -> str:
    """All rows of the tenant, as text."""
    rows: list[Any] = []
    for entity in CODECS:
        rows += await service.rows(entity)
    return msgspec.json.encode(rows).decode()


async def test_nothing_personal_is_left(service: Service) -> None:
    """No row of any table has the person's id, name, words or fields; another's are as before."""
    member, other = guid(), guid()
    wallet, bystander = await live(service, member), await live(service, other)
    before = await everything(service)
    assert member in before
    assert before.count(NAME) > 0
    await erase(service, member)
    after = await everything(service)
    assert member not in after
    mine = [bystander.program["id"], bystander.pool_id]
    for event in await service.rows(Event):
        if event.entity_id not in mine:
            assert NAME not in str(event.body)
            assert "ada@example.org" not in str(event.body)
    for row in await service.rows(Transaction):
        if row.pool_id == wallet.pool_id:
            assert NAME not in str(row.details)
    reasons = [each["details"]["reason"] for each in await bystander.transactions()]
    assert f"Goodwill for {NAME}" in reasons
    program = (await service.call("getProgram", {"programId": bystander.program["id"]}))["program"]
    assert (program["displayName"], program["status"]) == (NAME, "ACTIVE")
    assert program["extendedFields"] == FIELDS
    assert program["beneficiary"]["memberId"] == other


async def test_books_stay(service: Service) -> None:
    """Balance and amounts are as before; the rows belong to the pseudonym, the programs ended."""
    member = guid()
    wallet = await live(service, member)
    before = [(each["id"], each["amount"]) for each in await wallet.transactions()]
    available = await wallet.available()
    pseudonym = (await erase(service, member))["beneficiary"]
    assert pseudonym["identityType"] == "MEMBER"
    assert [(each["id"], each["amount"]) for each in await wallet.transactions()] == before
    assert await wallet.available() == available
    (program,), (pool,) = await service.rows(Program), await service.rows(Pool)
    assert (program.status, pool.status) == ("ENDED", "ENDED")
    assert program.member_id == pool.member_id == pseudonym["memberId"]
    assert program.external_id == pool.program_external_id == f"erased-{program.id}"
    refused = await wallet.redeem_refused()
    assert (refused.status, refused.code) == (428, "POOL_NOT_ACTIVE")
    refused = await wallet.redeem_refused(beneficiary={"memberId": member})
    assert refused.code == "POOL_NOT_FOUND"


async def test_events_say_why(service: Service) -> None:
    """The erasure is an event of the program and of the pool, marked as one."""
    member = guid()
    wallet = await live(service, member)
    await erase(service, member)
    marked = {
        (each.entity_id, each.slug)
        for each in await service.rows(Event)
        if each.body.get("triggered_by_anonymize_request")
    }
    assert marked == {(wallet.program["id"], "updated"), (wallet.pool_id, "updated")}


async def test_erased_again(service: Service) -> None:
    """To erase again changes nothing; what the person got since gets the same pseudonym."""
    member = guid()
    wallet = await live(service, member)
    first = await erase(service, member)
    rows = await service.rows(Program), await service.rows(Event)
    again = await erase(service, member)
    assert again["beneficiary"] == first["beneficiary"]
    assert (await service.rows(Program), await service.rows(Event)) == rows
    await open_another(service, wallet.definition, beneficiary={"memberId": member})
    third = await erase(service, member)
    assert third["beneficiary"] == first["beneficiary"]
    pseudonym = first["beneficiary"]["memberId"]
    assert {each.member_id for each in await service.rows(Program)} == {pseudonym}


async def test_unknown_person(service: Service) -> None:
    """Of somebody without programs there is nothing to erase: the job is done at once."""
    answer = await service.call("eraseBeneficiary", {"beneficiary": {"memberId": guid()}})
    job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert (job["status"], job["counts"]["total"]) == ("FINISHED", 0)


async def test_pseudonyms_differ(service: Service) -> None:
    """A person has another pseudonym in another tenant, and as another kind of identity."""
    person, other = guid(), await service.another_tenant()
    requests = [
        (service, {"memberId": person}),
        (other, {"memberId": person}),
        (service, {"wixUserId": person}),
        (service, {"memberId": guid()}),
    ]
    answers = [
        (await tenant.call("eraseBeneficiary", {"beneficiary": who}))["beneficiary"]
        for tenant, who in requests
    ]
    named = [each.get("memberId") or each["wixUserId"] for each in answers]
    assert len({person, *named}) == 1 + len(requests)


async def test_other_tenant_keeps_its_person(service: Service) -> None:
    """The same id in another tenant is another person, and stays."""
    member, other = guid(), await service.another_tenant()
    await live(service, member)
    kept = await live(other, member)
    await erase(service, member)
    assert (await kept.pool())["status"] == "ACTIVE"
    assert (await kept.pool())["beneficiary"]["memberId"] == member


async def test_instructions_to_others_lose_the_person(service: Service) -> None:
    """A change of somebody else's balance that the person had instructed names the pseudonym."""
    member, other = guid(), guid()
    await live(service, member)
    wallet = await open_for(service, other)
    request = wallet.change(adjustOptions={"value": "1"}, instructingParty={"memberId": member})
    await service.call("changeBalance", request)
    pseudonym = (await erase(service, member))["beneficiary"]["memberId"]
    parties = {each.party_id for each in await service.rows(Transaction)}
    assert member not in parties
    assert pseudonym in parties


async def test_program_without_pools(service: Service) -> None:
    """A program that has no pools is found, too."""
    member = guid()
    definition = await service.create_program_definition()
    await service.provision(
        program_definition=definition, beneficiary={"memberId": member}, displayName=NAME
    )
    await erase(service, member)
    (program,) = await service.rows(Program)
    assert (program.display_name, program.status) == (None, "ENDED")
    assert member not in await everything(service)


async def test_many_programs_in_chunks(
    idle_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More programs, transactions and events than a chunk has are all erased, whoever goes on."""
    service = idle_service
    monkeypatch.setattr(erasing, "ROWS_OF_ONE", 1)
    member = guid()
    wallet = await live(service, member)
    for _ in range(12):
        another = await open_another(service, wallet.definition, beneficiary={"memberId": member})
        await another.redeem(additionalData={"note": NAME})
    await act(service, "pause", wallet.program["id"])
    service.running.runner.start()
    await erase(service, member)
    after = await everything(service)
    assert member not in after
    assert NAME not in after
    assert {each.status for each in await service.rows(Pool)} == {"ENDED"}


async def test_members_and_apps_erase_nobody(service: Service) -> None:
    """Only an administrator's key erases; not even one's own."""
    member = guid()
    await live(service, member)
    request = {"beneficiary": {"memberId": member}}
    for caller in (await service.as_app(), await service.as_member(member)):
        assert (await caller.refusal("eraseBeneficiary", request)).status == 403
    assert (await service.rows(Program))[0].member_id == member
