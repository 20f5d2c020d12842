"""The audit: who changed what, when, by which request and why, in the commit of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.app import Application
from benefit_programs.api.method import Scope
from benefit_programs.api.roles import principal_of
from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.event_rows import Removal
from benefit_programs.domain.removals import AUDIT
from benefit_programs.storage.verification import verify_store
from tests.support.calls import benefit, guid
from tests.support.clock import DAY
from tests.support.dated import BEGIN
from tests.support.inprocess import new_tenant
from tests.support.lifecycle import act, limit_requests, run_jobs
from tests.support.receiver import Receiver
from tests.support.sandboxes import START, advance, new_membership, set_clock
from tests.support.wallet import Wallet, open_wallet
from tests.support.webhooks import REDEEMED, create_endpoint, delivered_until

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document
    from tests.support.clock import StillClock
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

REASON = "Ada was ill"


async def audit(caller: Caller, filter_: Document | None = None, **query: Any) -> list[Document]:
    """What the audit says, the newest change first."""
    answer = await caller.call("queryAuditEntries", {"query": {"filter": filter_, **query}})
    return answer["auditEntries"]  # type: ignore[no-any-return]


def methods(entries: list[Document]) -> list[str]:
    return [each["method"] for each in entries]


async def set_retention(service: Service, days: int) -> None:
    await service.call("updateSettings", {"settings": {"auditRetentionDays": days}})


async def test_a_change_says_who_and_why(service: Service) -> None:
    """An entry has the key with its name and whom it stands for, the request and the reason."""
    app_id, wallet = guid(), await open_wallet(service, benefit("towel"))
    app = await service.as_app(app_id)
    made = await app.call(
        "redeemBenefit", wallet.redemption(reason=REASON), x_request_id="desk-1.42"
    )
    (entry,) = await audit(service, {"requestId": "desk-1.42"})
    created = entry.pop("createdDate")
    (key,) = [
        row.principal_id for row in await service.rows(AuditEntry) if row.request_id == "desk-1.42"
    ]
    assert entry == {
        "id": made["transactionId"],
        "principal": {
            "kind": "API_KEY",
            "id": key,
            "name": "test",
            "standsFor": {"appId": app_id, "identityType": "APP"},
        },
        "method": "redeemBenefit",
        "entityType": "TRANSACTION",
        "entityId": made["transactionId"],
        "programId": wallet.program["id"],
        "poolId": wallet.pool_id,
        "beneficiary": wallet.program["beneficiary"],
        "changedCount": 1,
        "requestId": "desk-1.42",
        "reason": REASON,
    }
    transaction = await service.call("getTransaction", {"transactionId": made["transactionId"]})
    assert created == transaction["transaction"]["createdDate"]


async def test_a_page_names_all_who_acted(service: Service) -> None:
    """Keys and users of the console have their names, in a page of many and each time."""
    users = service.running.services.console_users
    tenant, wallet = service.tenant, await open_wallet(service, benefit("towel"))
    for name in ("Ada", "Grace"):
        user, _ = await users.invite(name, tenant_id=tenant.id, role="FRONT_DESK")
        ends = {"programId": wallet.program["id"], "idempotencyKey": guid()}
        method = "pauseProgram" if name == "Ada" else "resumeProgram"
        await Application(service.running.services).call(
            principal_of(user, tenant), method, ends, request_id=name
        )
    entries = await audit(service, {"programId": wallet.program["id"]})
    names = [each["principal"].get("name") for each in entries]
    assert names == ["Grace", "Ada", "test"]


async def test_refusals_and_repeats_leave_nothing(service: Service) -> None:
    """What changes nothing isn't told, and a repeated request is told once."""
    wallet = await open_wallet(service, benefit("towel"))
    request = wallet.redemption()
    await service.call("redeemBenefit", request)
    await service.refusal("redeemBenefit", request)
    await wallet.redeem_refused(count=100)
    await wallet.leave(adjustOptions={"value": "0"})
    assert methods(await audit(service, {"poolId": wallet.pool_id})) == ["redeemBenefit"]


async def test_who_asks_by_what_belongs_together(service: Service) -> None:
    """Pool, program and beneficiary find what concerns them, also through transactions."""
    wallet, other = [await open_wallet(service, benefit("towel")) for _ in range(2)]
    for each in (wallet, other):
        await each.redeem()
    pool = await wallet.pool()
    changed = {"id": pool["id"], "revision": pool["revision"], "extendedFields": {"namespaces": {}}}
    await service.call("updatePool", {"pool": changed})
    later = {"amount": "5", "effectiveDate": "2100-01-01T00:00:00.000Z", "expiresAfter": "P1D"}
    await service.call("grantCredits", wallet.change(**later))
    program_id = wallet.program["id"]
    await act(service, "pause", program_id)
    of_pool = ["grantCredits", "updatePool", "redeemBenefit"]
    of_program = ["pauseProgram", *of_pool, "provisionProgram"]
    assert methods(await audit(service, {"poolId": wallet.pool_id})) == of_pool
    assert methods(await audit(service, {"programId": program_id})) == of_program
    (member,) = wallet.program["beneficiary"].keys() - {"identityType"}
    person = {f"beneficiary.{member}": wallet.program["beneficiary"][member]}
    assert methods(await audit(service, person)) == of_program
    both = {"poolId": {"$in": [wallet.pool_id, other.pool_id]}, "method": "redeemBenefit"}
    assert len(await audit(service, both)) == 2
    page = await audit(service, {"programId": program_id}, cursorPaging={"limit": 2})
    assert methods(page) == of_program[:2]
    refusal = await service.refusal(
        "queryAuditEntries", {"query": {"filter": {"poolId": {"$ne": wallet.pool_id}}}}
    )
    assert refusal.fields == {"query.filter.poolId.$ne": "FIELD_NOT_ALLOWED"}


@pytest.mark.parametrize("field", ["entityId", "poolId", "programId", "beneficiary.memberId"])
async def test_what_entries_are_found_by_is_never_null(service: Service, field: str) -> None:
    """A null, alone or among values, is refused by its place."""
    for asked, at in ((None, ""), ({"$in": [guid(), None]}, ".$in[1]")):
        query = {"query": {"filter": {field: asked}}}
        refusal = await service.refusal("queryAuditEntries", query)
        assert list(refusal.fields) == [f"query.filter.{field}{at}"]


async def test_only_who_may_reads_the_audit(service: Service) -> None:
    """It takes a scope that reads and a permission id of its own; no member sees anything."""
    ids = ("BENEFIT_PROGRAMS.AUDIT_READ",)
    for scope in (Scope.READ, Scope.MANAGE):
        permitted = await service.as_app(scopes=(scope,), permission_ids=ids)
        assert methods(await audit(permitted))
    for caller in (
        await service.as_app(permission_ids=("BENEFIT_PROGRAMS.PROGRAM_READ",)),
        await service.as_app(scopes=(Scope.READ_LIMITED,)),
        await service.as_member(guid()),
    ):
        assert (await caller.refusal("queryAuditEntries", {})).status == 403


async def test_entries_of_a_bulk_request_have_their_own_reasons(service: Service) -> None:
    """Each entry is a change of its own, with the reason that it gives."""
    wallet = await open_wallet(service, benefit("towel"))
    reservations = [wallet.redemption(reason=REASON), wallet.redemption()]
    await service.call("bulkReserveBenefits", {"reservations": reservations})
    found = await audit(service, {"method": "bulkReserveBenefits"})
    assert [each.get("reason") for each in found] == [None, REASON]
    too_long = await wallet.redeem_refused(reason="x" * 257)
    assert too_long.fields == {"reason": "MAX_LENGTH"}


async def test_a_reason_of_a_change_counts(service: Service) -> None:
    """A change of a balance has its reason where the contract has it."""
    wallet = await open_wallet(service, benefit("towel"))
    options = {"adjustOptions": {"value": "5"}, "transactionDetails": {"reason": REASON}}
    await service.call("changeBalance", wallet.change(**options))
    assert (await audit(service, {"poolId": wallet.pool_id}))[0]["reason"] == REASON


@pytest.mark.parametrize("options", ["setOptions", "adjustOptions"])
async def test_no_change_is_not_told(service: Service, options: str) -> None:
    """A balance that is brought to what it is leaves no entry, and none when it is asked again."""
    wallet = await open_wallet(service, benefit("towel"), amount="5")
    change = wallet.change(**{options: {"value": "5" if options == "setOptions" else "0"}})
    await service.call("changeBalance", change)
    assert (await service.refusal("changeBalance", change)).status == 409
    assert methods(await audit(service, {"method": "changeBalance"})) == []


async def test_jobs_tell_once_for_each_commit(service: Service) -> None:
    """A job names itself and how many entities it changed; its request is told besides."""
    wallet = await open_wallet(service, benefit("towel"))
    await limit_requests(service)
    job_id = await act(service, "pause", wallet.program["id"])
    await run_jobs(service)
    by_job = await audit(service, {"principal.kind": "JOB"})
    assert [(each["principal"]["id"], each["entityId"]) for each in by_job] == [(job_id, job_id)]
    assert (by_job[0]["method"], by_job[0]["changedCount"]) == ("PAUSE_PROGRAM", 2)
    told = await audit(service, {"programId": wallet.program["id"]})
    assert methods(told) == ["pauseProgram", "provisionProgram"]


async def test_the_calendar_tells_what_it_does(service: Service) -> None:
    """What happens at its date is the calendar's doing."""
    sandbox = await new_tenant(service.running, service.client, is_sandbox=True)
    await set_clock(sandbox, START)
    program = await new_membership(sandbox)
    await advance(sandbox, "P40D")
    entries = await audit(sandbox, {"principal.kind": "CALENDAR"})
    assert {each["entityType"] for each in entries} == {"PROGRAM"}
    assert {each["programId"] for each in entries} == {program["id"]}
    assert methods(await audit(sandbox, {"entityType": "CLOCK"})) == ["setClock"] * 2


async def test_what_the_service_notes_for_itself_is_not_told(service: Service) -> None:
    """Deliveries of events leave no entries, only the request that made their endpoint does."""
    async with Receiver().running() as receiver:
        endpoint = await create_endpoint(service, receiver, eventTypes=[REDEEMED])
        await (await open_wallet(service, benefit("towel"))).redeem()
        await delivered_until(service, endpoint, 1, status="DELIVERED")
    told = await audit(service, {"entityType": "WEBHOOK_ENDPOINT"})
    assert methods(told) == ["createWebhookEndpoint"]


async def test_events_name_who_made_them(service: Service) -> None:
    """An event has the principal of its change; one from before that was stored has none."""
    wallet = await open_wallet(service, benefit("towel"))
    await wallet.redeem()
    events = (await service.call("listEvents", {"entityId": wallet.pool_id}))["events"]
    (entry,) = await audit(service, {"poolId": wallet.pool_id})
    who = {name: entry["principal"][name] for name in ("kind", "id")}
    assert [each["actor"] for each in events] == [who] * len(events)


async def test_the_directory_tells_in_the_same_transaction(service: Service) -> None:
    """Tenants, keys and settings are told where they change, to each tenant that they concern."""
    directory = service.running.services.directory
    other = await service.another_tenant()
    key = (
        await directory.create_key(
            "desk",
            tenant_ids=(service.tenant.id, other.tenant.id),
            grants=(await directory.keys())[0].grants,
        )
    ).key
    await directory.revoke_key(key.id)
    await directory.revoke_key(key.id)
    for each in (service, other):
        told = await audit(each, {"entityId": key.id})
        assert methods(told) == ["revokeKey", "createKey"]
    (made,) = await audit(other, {"entityType": "TENANT"})
    assert (made["method"], made["entityId"]) == ("createTenant", other.tenant.site_id)
    await service.call("updateSettings", {"settings": {"timeZone": "Europe/Berlin"}})
    newest = (await audit(service))[0]
    assert (newest["method"], newest["principal"]["kind"]) == ("updateSettings", "API_KEY")


async def test_no_retention_means_no_audit(service: Service) -> None:
    """With 0 days none is written and none is kept; the last one says who switched it off."""
    wallet = await open_wallet(service, benefit("towel"))
    await set_retention(service, 0)
    await wallet.redeem()
    assert (await audit(service))[0]["method"] == "updateSettings"
    await _sweep(service)
    assert await audit(service) == []
    await set_retention(service, 30)
    await wallet.redeem()
    # Within a millisecond the directory's entries and the engine's come in no order.
    assert sorted(methods(await audit(service))) == ["redeemBenefit", "updateSettings"]


async def test_old_entries_are_removed(dated: tuple[Service, StillClock]) -> None:
    """Entries go when their time is over, and the younger ones stay."""
    service, clock = dated
    wallet = await open_wallet(service, benefit("towel"))
    await set_retention(service, 30)
    clock.now += 20 * DAY
    await wallet.redeem()
    clock.now += 11 * DAY
    await _sweep(service)
    assert methods(await audit(service)) == ["redeemBenefit"]
    clock.now += 20 * DAY
    await _sweep(service)
    assert await audit(service) == []
    (removal,) = [row for row in await service.rows(Removal) if row.kind == AUDIT]
    assert removal.created >= BEGIN
    assert await verify_store(service.store, tenant_ids=[service.tenant.id]) == []


async def _sweep(service: Service) -> None:
    tenant = await service.running.services.directory.tenant(service.tenant.id)
    await service.running.runner.sweep(tenant)


async def test_erasure_takes_the_reasons(service: Service) -> None:
    """Nothing that was said of an erased person stays; who did it when does."""
    wallet, other = await _with_reasons(service), await _with_reasons(service)
    await service.call("eraseBeneficiary", {"beneficiary": {"memberId": _member(wallet)}})
    await service.running.runner.settle()
    assert _reasons(await audit(service, {"programId": wallet.program["id"]})) == {None}
    assert REASON in _reasons(await audit(service, {"programId": other.program["id"]}))
    assert methods(await audit(service, {"poolId": wallet.pool_id})) == [
        "grantCredits",
        "redeemBenefit",
    ]


@pytest.mark.parametrize("programs", [1, 0])
async def test_erasure_takes_the_reasons_of_merges(service: Service, programs: int) -> None:
    """Why a visitor's programs became an erased person's is gone too, if there were any or not."""
    members = [guid(), guid()]
    for member in members:
        visitor = {"anonymousVisitorId": guid()}
        for _ in range(programs):
            await open_wallet(service, benefit("towel"), program={"beneficiary": visitor})
        request = {"visitor": visitor, "beneficiary": {"memberId": member}, "reason": REASON}
        await service.call("mergeBeneficiary", request)
    await service.call("eraseBeneficiary", {"beneficiary": {"memberId": members[0]}})
    await service.running.runner.settle()
    merges = await audit(service, {"method": "mergeBeneficiary"})
    assert [each.get("reason") for each in merges] == [REASON, None]


async def _with_reasons(service: Service) -> Wallet:
    beneficiary = {"beneficiary": {"memberId": guid()}}
    wallet = await open_wallet(service, benefit("towel"), program=beneficiary)
    await wallet.redeem(reason=REASON)
    later = {"amount": "5", "effectiveDate": "2100-01-01T00:00:00.000Z", "expiresAfter": "P1D"}
    await service.call("grantCredits", wallet.change(**later, reason=REASON))
    action = {"programId": wallet.program["id"], "idempotencyKey": guid(), "reason": REASON}
    await service.call("pauseProgram", action)
    return wallet


def _member(wallet: Wallet) -> str:
    member: str = wallet.program["beneficiary"]["memberId"]
    return member


def _reasons(entries: list[Document]) -> set[str | None]:
    return {each.get("reason") for each in entries}
