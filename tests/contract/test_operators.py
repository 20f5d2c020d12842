"""Operators over HTTP: keys, tenants, jobs, and how the service is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.app import Application
from benefit_programs.api.authentication import Principal, principal_with
from benefit_programs.api.method import Scope
from benefit_programs.api.roles import ROLES
from benefit_programs.api.turns import TURNS_MAX
from benefit_programs.bootstrap import administrator_grants, owner_grants
from benefit_programs.domain.audit_rows import PrincipalKind, Who
from benefit_programs.domain.directory import Role
from benefit_programs.domain.entities import Job
from benefit_programs.domain.job_commands import ATTEMPTS_MAX, WAIT_MILLISECONDS_MAX, FailJob
from benefit_programs.domain.values import SYSTEM, Identity, IdentityType
from benefit_programs.engine.engine import Engine, read_clock
from benefit_programs.storage.directory import Grants
from tests.support.calls import Caller, guid
from tests.support.lifecycle import claim_job, limit_requests, run_jobs

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


async def operator_of(service: Service, *scopes: Scope, ids: tuple[str, ...] = ()) -> Caller:
    """An administrator with these scopes, or the usual ones of operators."""
    grants = administrator_grants()
    if scopes:
        names = tuple(map(str, scopes))
        grants = Grants(identity=grants.identity, scopes=names, permission_ids=ids)
    return await service.with_grants(grants)


async def key_for(operator: Caller, **fields: Any) -> tuple[str, Caller]:
    """The id of a new key, and who has it."""
    made = await operator.call("createApiKey", {"name": "new", **fields})
    return made["apiKey"]["id"], Caller(operator.client, made["secret"])


# Keys.


async def test_a_key_lives_from_its_making_to_its_revocation(service: Service) -> None:
    """Its secret is shown once and opens the tenant; revoked, it opens nothing, and is listed."""
    operator = await operator_of(service)
    identity = {"type": "APP", "id": guid()}
    ends = datetime.now(UTC) + timedelta(days=1)
    expires = ends.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    new = {"name": "shop", "identity": identity, "expirationDate": expires}
    made = await operator.call("createApiKey", new)
    key, shop = made["apiKey"], Caller(service.client, made["secret"])
    assert (key["identity"], key["expirationDate"]) == (identity, expires)
    assert key["scopes"] == ["SCOPE.BENEFIT_PROGRAMS.MANAGE"]
    await shop.create_program_definition()
    asked = {"apiKeyId": key["id"]}
    assert (await operator.call("getApiKey", asked)) == {"apiKey": key}
    revoked = (await operator.call("revokeApiKey", asked))["apiKey"]
    assert (await operator.call("revokeApiKey", asked))["apiKey"] == revoked
    assert (await shop.refusal("queryPrograms")).status == 401
    found = await operator.call("queryApiKeys", {"query": {"filter": {"name": "shop"}}})
    assert found["apiKeys"] == [revoked]
    assert made["secret"] not in str(found)


async def test_keys_are_found_by_what_they_are(service: Service) -> None:
    """Newest first, page by page, and by whether they are revoked."""
    operator = await operator_of(service)
    ids = [(await key_for(operator))[0] for _ in range(3)]
    await operator.call("revokeApiKey", {"apiKeyId": ids[1]})
    gone = {"filter": {"name": "new", "revokedDate": {"$exists": True}}}
    assert [each["id"] for (each,) in await operator.pages("queryApiKeys", gone)] == [ids[1]]
    there = {"filter": {"name": "new", "revokedDate": None}, "cursorPaging": {"limit": 1}}
    pages = await operator.pages("queryApiKeys", there)
    assert {each["id"] for (each,) in pages} == {ids[0], ids[2]}
    dates = [each["createdDate"] for (each,) in pages]
    assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("role", list(Role))
async def test_a_key_of_a_role(service: Service, role: Role) -> None:
    """It has the scopes and the permission ids of the role."""
    made = await (await operator_of(service)).call(
        "createApiKey", {"name": "colleague", "role": role}
    )
    key = made["apiKey"]
    assert (tuple(key["scopes"]), tuple(key["permissionIds"])) == ROLES[role]
    assert key["identity"]["type"] == "WIX_USER"


async def test_a_member_reads_unless_more_is_said(service: Service) -> None:
    """A member's key without scopes has that of reading."""
    member = {"type": "MEMBER", "id": guid()}
    made = await (await operator_of(service)).call(
        "createApiKey", {"name": "ada", "identity": member}
    )
    assert made["apiKey"]["scopes"] == ["SCOPE.BENEFIT_PROGRAMS.READ_LIMITED"]


@pytest.mark.parametrize(
    ("fields", "violated"),
    [
        ({"name": " "}, {"name"}),
        ({"name": "n" * 129}, {"name"}),
        ({"scopes": ["SCOPE.OTHERS"]}, {"scopes[0]"}),
        ({"permissionIds": ["A", "BENEFIT_PROGRAMS.POOL_READ", "B"]}, {"permissionIds[0]"}),
        ({"role": "CLEANER"}, {"role"}),
        ({"role": "READER", "scopes": ["SCOPE.BENEFIT_PROGRAMS.READ"]}, {"role"}),
        ({"expirationDate": "2020-01-01T00:00:00Z"}, {"expirationDate"}),
        ({"identity": {"type": "ANONYMOUS_VISITOR", "id": guid()}}, {"identity.type"}),
        (
            {"identity": {"type": "APP", "id": guid()}, "scopes": [str(Scope.OPERATE)]},
            {"scopes[0]"},
        ),
        ({"scopes": [str(Scope.INSTALLATION)]}, {"scopes[0]"}),
    ],
)
async def test_what_no_key_can_be(
    service: Service, fields: dict[str, Any], violated: set[str]
) -> None:
    """What is wrong with a new key is named by its field, and no key is made."""
    operator = await operator_of(service)
    refusal = await operator.refusal("createApiKey", {"name": "new", **fields})
    assert violated <= set(refusal.fields)
    assert (await operator.call("queryApiKeys", {"query": {"filter": {"name": "new"}}}))[
        "apiKeys"
    ] == []


async def test_nobody_hands_on_more_than_they_have(service: Service) -> None:
    """An operator without the right to read makes no reader, not by detours either."""
    operator = await operator_of(service, Scope.OPERATE)
    for fields in ({"role": "READER"}, {"role": "OPERATOR"}, {"scopes": []}):
        refusal = await operator.refusal("createApiKey", {"name": "new", **fields})
        assert "scopes[0]" in refusal.fields
    _, second = await key_for(operator, scopes=[str(Scope.OPERATE)])
    assert "scopes[0]" in (await second.refusal("createApiKey", {"name": "new"})).fields
    narrowed = await operator_of(
        service, Scope.MANAGE, Scope.OPERATE, ids=("BENEFIT_PROGRAMS.API_KEY_MANAGE",)
    )
    refusal = await narrowed.refusal("createApiKey", {"name": "new"})
    assert refusal.fields.keys() == {"permissionIds"}


async def test_operating_must_be_said(service: Service) -> None:
    """No key without the scope operates, MANAGE's neither, nor one of somebody else."""
    manager = await operator_of(service, Scope.MANAGE)
    app = await service.as_app(scopes=(Scope.MANAGE, Scope.OPERATE))
    member = await service.with_grants(
        Grants(
            identity=Identity(IdentityType.MEMBER, guid()),
            scopes=(str(Scope.OPERATE), str(Scope.INSTALLATION)),
        )
    )
    narrowed = await operator_of(service, Scope.OPERATE, ids=("BENEFIT_PROGRAMS.POOL_READ",))
    ask = {"apiKeyId": guid(), "jobId": guid(), "siteId": service.tenant.site_id, "name": "new"}
    for caller in (manager, app, member, narrowed):
        for method, names in OPERATING.items():
            refusal = await caller.refusal(method, {each: ask[each] for each in names})
            assert (refusal.status, refusal.code) == (403, "PERMISSION_DENIED"), method


OPERATING = {
    "createApiKey": ("name",),
    "queryApiKeys": (),
    "getApiKey": ("apiKeyId",),
    "revokeApiKey": ("apiKeyId",),
    "retryAsyncJob": ("jobId",),
    "cancelAsyncJob": ("jobId",),
    "createTenant": ("name",),
    "getTenant": ("siteId",),
    "listTenants": (),
    "getHealth": (),
}
"""What each method needs to be asked."""


async def test_keys_of_others_are_not_there(service: Service) -> None:
    """Neither another tenant's key nor one of several tenants is seen, found or revoked."""
    operator, other = await operator_of(service), await service.another_tenant()
    theirs, _ = await key_for(await operator_of(other))
    await service.with_grants(administrator_grants(), service.tenant, other.tenant)
    keys = await service.running.services.directory.keys()
    (shared,) = [
        each.id for each in keys if each.tenant_ids == (service.tenant.id, other.tenant.id)
    ]
    for key_id in (theirs, shared, guid()):
        for method in ("getApiKey", "revokeApiKey"):
            refusal = await operator.refusal(method, {"apiKeyId": key_id})
            assert (refusal.status, refusal.code) == (404, "API_KEY_NOT_FOUND")
        found = await operator.call("queryApiKeys", {"query": {"filter": {"id": key_id}}})
        assert found["apiKeys"] == []
    assert (await service.running.services.directory.key(theirs)).revoked is None


async def test_a_tenant_closes_no_key_of_the_installation(service: Service) -> None:
    """Its operator sees the key, for it opens the tenant, and can't take it from the others."""
    operator, owner = await operator_of(service), await service.with_grants(owner_grants())
    keys = await service.running.services.directory.keys()
    (key_id,) = [
        each.id
        for each in keys
        if each.tenant_ids == (service.tenant.id,) and Scope.INSTALLATION in each.grants.scopes
    ][-1:]
    asked = {"apiKeyId": key_id}
    assert (await operator.call("getApiKey", asked))["apiKey"]["id"] == key_id
    assert (await operator.refusal("revokeApiKey", asked)).status == 403
    assert (await owner.call("revokeApiKey", asked))["apiKey"]["revokedDate"]


# People with access to the console.


async def test_access_is_given_and_taken(service: Service) -> None:
    """The path signs in once; an invitation and its end are in the audit, with who asked."""
    operator = await operator_of(service)
    made = await operator.call("inviteConsoleUser", {"name": "Ada", "role": "FRONT_DESK"})
    user, token = made["consoleUser"], made["signInPath"].partition("?token=")[2]
    assert made["signInPath"] == f"/console/sign-in?token={token}"
    users = service.running.services.console_users
    assert [bool(await users.accept(token)) for _ in range(2)] == [True, False]
    again = await operator.call("inviteConsoleUser", {"name": "Ada", "role": "FRONT_DESK"})
    assert (again["consoleUser"], again["signInPath"] != made["signInPath"]) == (user, True)
    revoked = await operator.call("revokeConsoleUser", {"consoleUserId": user["id"]})
    assert revoked == await operator.call("revokeConsoleUser", {"consoleUserId": user["id"]})
    found = await operator.call("queryConsoleUsers", {"query": {"filter": {"name": "Ada"}}})
    assert found["consoleUsers"] == [revoked["consoleUser"]]
    told = await service.call("queryAuditEntries", {"query": {"filter": {"entityId": user["id"]}}})
    assert [(each["method"], each["principal"]["kind"]) for each in told["auditEntries"]] == [
        ("revokeConsoleUser", "API_KEY"),
        ("inviteConsoleUser", "API_KEY"),
        ("inviteConsoleUser", "API_KEY"),
    ]


async def test_nobody_gives_more_access_than_they_have(service: Service) -> None:
    """A key that only operates, or that ends, makes no users who could more."""
    narrow = await operator_of(service, Scope.OPERATE)
    refused = await narrow.refusal("inviteConsoleUser", {"name": "Eve", "role": "READER"})
    assert refused.status == 400
    ends = datetime.now(UTC) + timedelta(days=1)
    expires = ends.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    operator = await operator_of(service)
    _id, brief = await key_for(operator, role="OPERATOR", expirationDate=expires)
    refused = await brief.refusal("inviteConsoleUser", {"name": "Eve", "role": "READER"})
    assert refused.status == 400
    _id, manager = await key_for(operator, role="MANAGER")
    refused = await manager.refusal("inviteConsoleUser", {"name": "Eve", "role": "READER"})
    assert refused.status == 403


async def test_users_of_others_are_not_there(service: Service) -> None:
    """Another tenant's user can't be seen or revoked, nor one that there isn't."""
    theirs = await operator_of(await service.another_tenant())
    made = await theirs.call("inviteConsoleUser", {"name": "Eve", "role": "READER"})
    user = made["consoleUser"]
    operator = await operator_of(service)
    for each in (user["id"], guid()):
        refused = await operator.refusal("revokeConsoleUser", {"consoleUserId": each})
        assert (refused.status, refused.code) == (404, "CONSOLE_USER_NOT_FOUND")
    found = await operator.call("queryConsoleUsers", {"query": {"filter": {"id": user["id"]}}})
    assert found["consoleUsers"] == []


async def test_users_of_others_that_are_called_by_an_id(service: Service) -> None:
    """A user whose name is the id of another tenant's stays when that one is revoked, and again."""
    operator = await operator_of(service)
    made = await operator.call("inviteConsoleUser", {"name": "Ada", "role": "READER"})
    user_id = made["consoleUser"]["id"]
    theirs = await operator_of(await service.another_tenant())
    await theirs.call("inviteConsoleUser", {"name": user_id, "role": "READER"})
    for _ in range(2):
        revoked = await operator.call("revokeConsoleUser", {"consoleUserId": user_id})
        assert revoked["consoleUser"]["name"] == "Ada"
    (eve,) = (await theirs.call("queryConsoleUsers"))["consoleUsers"]
    assert "revokedDate" not in eve


async def test_an_address_is_a_tenant_s_own(service: Service) -> None:
    """It belongs to one user of a tenant; what other tenants have isn't told."""
    operator = await operator_of(service)
    theirs = await operator_of(await service.another_tenant())
    ada = {"name": "Ada", "role": "READER", "email": "ada@gym.example"}
    for each in (theirs, operator):
        assert (await each.call("inviteConsoleUser", ada))["consoleUser"]["email"] == ada["email"]
    refused = await operator.refusal("inviteConsoleUser", {**ada, "name": "Eve"})
    assert (refused.status, "email" in refused.fields) == (400, True)


async def test_revocations_that_wait_hold_up_nobody(service: Service) -> None:
    """While other processes may still take a key, requests of its tenant go on."""
    application = Application(replace(service.running.services, alone=False))
    other = await service.another_tenant()
    operator, neighbor = [
        principal_with(each.tenant, "", administrator_grants(), Who(PrincipalKind.API_KEY))
        for each in (service, other)
    ]
    ids = [(await key_for(service, role="READER"))[0] for _ in range(TURNS_MAX // 2)]
    ended: list[str] = []

    async def ask(who: Principal, method: str, request: Any) -> None:
        await application.call(who, method, request, request_id="1")
        ended.append(method)

    await ask(neighbor, "getSettings", {})
    revocations = [ask(operator, "revokeApiKey", {"apiKeyId": each}) for each in ids]
    await asyncio.gather(*revocations, ask(operator, "getSettings", {}))
    assert ended[:2] == ["getSettings", "getSettings"]


# Tenants.


async def test_a_tenant_is_made_and_opened_over_http(service: Service) -> None:
    """A key of the installation makes it, acts for it by its site id, and hands a key on."""
    owner = await service.with_grants(owner_grants())
    site = guid()
    new = {"name": "Second", "siteId": site.upper(), "sandbox": True}
    tenant = (await owner.call("createTenant", new))["tenant"]
    assert (tenant["siteId"], tenant["name"], tenant["sandbox"]) == (site, "Second", True)
    assert (await owner.call("getTenant", {"siteId": site})) == {"tenant": tenant}
    key = (await owner.call("createApiKey", {"name": "first"}, wix_site_id=site))["secret"]
    second = Caller(service.client, key)
    definition = await second.create_program_definition()
    asked = {"programDefinitionId": definition["id"]}
    await owner.call("getProgramDefinition", asked, wix_site_id=site)
    assert (await owner.refusal("getProgramDefinition", asked)).status == 404
    assert (await owner.refusal("getProgramDefinition", asked, wix_site_id=guid())).status == 403
    told = await owner.call("queryAuditEntries", wix_site_id=site)
    # All may be of one millisecond, in which what others have done comes in any order.
    assert sorted(each["method"] for each in told["auditEntries"]) == [
        "createApiKey",
        "createProgramDefinition",
        "createTenant",
    ]


async def test_tenants_are_listed_page_by_page(service: Service) -> None:
    """Each one once, the oldest first, forwards and backwards."""
    for _ in range(2):
        await service.another_tenant()
    owner = await service.with_grants(owner_grants())
    found, paging, metadata = [], {"limit": "2"}, {"hasNext": True}
    while metadata["hasNext"]:
        page = await owner.call("listTenants", {"paging": paging})
        found += page["tenants"]
        metadata = page["metadata"]
        paging = {"limit": "2", "cursor": metadata["cursors"].get("next", "")}
    ids = [int(each["id"]) for each in found]
    assert ids == [each.id for each in await service.running.services.directory.tenants()]
    before = {"limit": "2", "cursor": metadata["cursors"]["prev"]}
    page = await owner.call("listTenants", {"paging": before})
    assert page["tenants"][-1] in found


@pytest.mark.parametrize(
    ("fields", "violated"),
    [({"name": ""}, "name"), ({"name": "a\nb"}, "name"), ({"siteId": "here"}, "siteId")],
)
async def test_what_no_tenant_can_be(
    service: Service, fields: dict[str, Any], violated: str
) -> None:
    """What is wrong is named by its field."""
    refusal = await service.refusal("createTenant", {"name": "new", **fields})
    assert violated in refusal.fields


async def test_tenants_that_are_there_and_that_are_not(service: Service) -> None:
    """A site has one tenant; one without a tenant isn't found."""
    site = service.tenant.site_id
    refusal = await service.refusal("createTenant", {"name": "new", "siteId": site})
    assert (refusal.status, refusal.code) == (409, "TENANT_ALREADY_EXISTS")
    refusal = await service.refusal("getTenant", {"siteId": guid()})
    assert (refusal.status, refusal.code) == (404, "TENANT_NOT_FOUND")


# Jobs and health.


async def cascade(service: Service) -> str:
    """A job for an update of a definition that has two pools, which nobody does yet."""
    await limit_requests(service, 1)
    definition = await service.create_pool_definition()
    for _ in range(2):
        await service.provision(pool_definition=definition)
    read = await service.call("getPoolDefinition", {"poolDefinitionId": definition["id"]})
    change = {
        "id": definition["id"],
        "revision": read["poolDefinition"]["revision"],
        "displayName": "Gold",
    }
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    await service.call("updatePoolDefinition", request)
    return max(row.id for row in await service.rows(Job) if row.subject_id == definition["id"])


async def fail(service: Service, job_id: str) -> None:
    """Let a job fail for good, attempt by attempt, by a clock that is ahead of the pauses."""
    tenant, later = service.tenant, 0
    engine = Engine(service.store, clock=lambda: read_clock() + later)
    for _ in range(ATTEMPTS_MAX):
        later += WAIT_MILLISECONDS_MAX
        await claim_job(service, "one", engine=engine, alone=True)
        command = FailJob(job_id=job_id, owner="one", reason="it broke")
        await engine.execute(command, tenant_id=tenant.id, caller=SYSTEM, settings=tenant.settings)


async def test_a_failed_job_is_found_and_goes_on(idle_service: Service) -> None:
    """By its status and kind; a retry does the rest."""
    service = idle_service
    job_id = await cascade(service)
    await fail(service, job_id)
    health = (await service.call("getHealth"))["jobs"]
    assert (health["failedRecently"], health["waiting"]) == (1, 0)
    kind = (await service.call("getAsyncJob", {"jobId": job_id}))["job"]["metadata"]["kind"]
    query = {"filter": {"status": "FAILED", "kind": kind}, "cursorPaging": {"limit": 1}}
    (page,) = await service.pages("queryAsyncJobs", query)
    assert [(each["id"], each["metadata"]["reason"]) for each in page] == [(job_id, "it broke")]
    asked = {"jobId": job_id}
    assert (await service.call("retryAsyncJob", asked))["job"]["status"] == "INITIALIZED"
    assert (await service.call("getHealth"))["jobs"]["waiting"] == 1
    await run_jobs(service)
    assert (await service.call("getAsyncJob", asked))["job"]["counts"]["successCount"] == 2
    refusal = await service.refusal("retryAsyncJob", asked)
    assert (refusal.status, refusal.code) == (428, "JOB_NOT_RETRYABLE")
    refusal = await service.refusal("cancelAsyncJob", asked)
    assert (refusal.status, refusal.code) == (428, "JOB_NOT_CANCELABLE")


async def test_a_cascade_is_canceled(idle_service: Service) -> None:
    """It says so, can't be retried, and isn't counted as a failure."""
    service = idle_service
    asked = {"jobId": await cascade(service)}
    job = (await service.call("cancelAsyncJob", asked))["job"]
    assert (job["status"], job["metadata"]["reason"]) == ("FAILED", "canceled")
    assert (await service.refusal("retryAsyncJob", asked)).code == "JOB_NOT_RETRYABLE"
    assert (await service.call("getHealth"))["jobs"]["failedRecently"] == 0
    query = {"filter": {"entityType": "JOB", "entityId": asked["jobId"]}}
    (told,) = (await service.call("queryAuditEntries", {"query": query}))["auditEntries"]
    assert (told["method"], told["principal"]["kind"]) == ("cancelAsyncJob", "API_KEY")


async def test_jobs_of_others_are_not_there(idle_service: Service) -> None:
    """Another tenant's operator neither finds, nor retries, nor cancels a job."""
    other, job_id = await idle_service.another_tenant(), await cascade(idle_service)
    for method in ("retryAsyncJob", "cancelAsyncJob"):
        refusal = await other.refusal(method, {"jobId": job_id})
        assert (refusal.status, refusal.code) == (404, "JOB_NOT_FOUND")
    assert (await other.call("queryAsyncJobs"))["jobs"] == []
    assert (await other.call("getHealth"))["jobs"]["waiting"] == 0


async def test_health_says_what_waits(service: Service) -> None:
    """The process, its schema and store, and the tenant's endpoints by their status."""
    for active in (True, True, False):
        endpoint = {"url": "https://receiver.test/hooks", "active": active}
        await service.call("createWebhookEndpoint", {"webhookEndpoint": endpoint})
    health = await service.call("getHealth")
    assert health["webhooks"] == {
        "active": 2,
        "inactive": 1,
        "paused": 0,
        "deliveriesWaiting": 0,
    }
    process = health["process"]
    assert process["engine"] in {"SQLITE", "POSTGRESQL"}
    assert process["startedDate"] <= process["date"]
    assert process["schemaRevision"]
    assert (await (await service.another_tenant()).call("getHealth"))["webhooks"]["active"] == 0
