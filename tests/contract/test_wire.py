"""How the wire works, whichever method is called. Contract: section 2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest

from benefit_programs.api.method import OPERATING, Scope
from benefit_programs.api.methods import METHODS
from benefit_programs.bootstrap import administrator_grants
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.directory import Grants
from tests.support.calls import NAMESPACE, Caller, Refused, details, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

PROGRAM_DEFINITIONS = "/benefit-programs/v1/program-definitions"
PROVISION = "/benefit-programs/v1/programs/provision"
JSON = {"content-type": "application/json"}

READS = {
    "getProgramDefinition": "programDefinitionId",
    "getPoolDefinition": "poolDefinitionId",
    "getProgram": "programId",
    "getPool": "poolId",
    "getBalance": "poolId",
    "getTransaction": "transactionId",
}


def refused(response: httpx.Response) -> tuple[int, str | None]:
    error = Refused(response)
    return error.status, error.code


# Routes.


async def test_both_prefixes_reach_every_method(service: Service) -> None:
    """Each route answers under /_api as well."""
    created = await service.create_program_definition()
    for prefix in ("", "/_api"):
        path = f"{prefix}{PROGRAM_DEFINITIONS}/{created['id']}"
        response = await service.request("GET", path)
        assert response.json() == {"programDefinition": created}
        response = await service.request("POST", f"{prefix}{PROGRAM_DEFINITIONS}/query", json={})
        assert response.json()["programDefinitions"] == [created]
    job = f"/_api/async-jobs/v1/async-jobs/{guid()}"
    assert refused(await service.request("GET", job)) == (404, "JOB_NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/benefit-programs/v1/nonsense",
        "/benefit-programs/v2/programs/provision",
        "/_api/nonsense",
        "/async-jobs/v1/async-jobs",
        "/nonsense",
        "/benefit-programs/v1/program-definitions/",
        "/benefit-programs/v1/program-definitions//query",
        "/_api/_api/benefit-programs/v1/program-definitions/query",
    ],
)
async def test_an_unknown_route_is_not_found(service: Service, path: str) -> None:
    """What is no route is 404 in the shape of every error, with or without a key."""
    for caller in (service, service.nobody()):
        for verb in ("GET", "POST"):
            assert refused(await caller.request(verb, path)) == (404, "ROUTE_NOT_FOUND")


async def test_a_route_has_its_verbs(service: Service) -> None:
    """Another verb is 405, with those that the route takes."""
    response = await service.request("PUT", f"{PROGRAM_DEFINITIONS}/{guid()}")
    assert refused(response) == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["allow"].split(", ")) == {"GET", "PATCH", "DELETE"}
    response = await service.request("GET", PROVISION)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_a_path_is_decoded_once(service: Service) -> None:
    """An escaped id is found, and one that was escaped twice is no id."""
    created = await service.create_program_definition()
    escaped = "".join(f"%{ord(letter):x}" for letter in created["id"])
    response = await service.request("GET", f"{PROGRAM_DEFINITIONS}/{escaped}")
    assert response.json() == {"programDefinition": created}
    twice = escaped.replace("%", "%25")
    response = await service.request("GET", f"{PROGRAM_DEFINITIONS}/{twice}")
    assert Refused(response).fields == {"programDefinitionId": "FORMAT"}


async def test_a_fixed_path_wins_over_an_id(service: Service) -> None:
    """The words of a path are never taken for an id."""
    path = f"{PROGRAM_DEFINITIONS}/by-namespace-and-external-id"
    refusal = Refused(await service.request("GET", path))
    assert set(refusal.fields) == {"namespace", "externalId"}


async def test_the_id_in_the_body_agrees_with_the_path(service: Service) -> None:
    """An id may stand in the path alone; beside another one in the body it is 400."""
    created = await service.create_program_definition()
    path = f"{PROGRAM_DEFINITIONS}/{created['id'].upper()}"
    change: dict[str, Any] = {"revision": "1", "displayName": "New"}
    response = await service.request("PATCH", path, json={"programDefinition": change})
    assert response.json()["programDefinition"]["displayName"] == "New"
    change |= {"id": guid(), "revision": "2"}
    response = await service.request("PATCH", path, json={"programDefinition": change})
    assert Refused(response).fields == {"programDefinition.id": "FIELD_NOT_ALLOWED"}


async def test_parameters_are_nested_and_repeated(service: Service) -> None:
    """Parameters of a GET have both styles of names; nested ones are dotted, lists repeat."""
    definition = await service.create_pool_definition()
    ids = []
    for _ in range(3):
        program = (await service.provision(pool_definition=definition))["program"]
        ids += [pool["id"] for pool in await service.pools_of(program["id"])]
    path = "/benefit-programs/v1/balances"
    for names in (("poolIds", "cursorPaging.limit"), ("pool_ids", "cursor_paging.limit")):
        pairs = [(names[0], ids[0]), (names[1], "1"), (names[0], ids[1])]
        response = await service.request("GET", path, params=pairs)
        assert response.json()["metadata"]["count"] == 1
        pairs = [pair for pair in pairs if pair[0] == names[0]]
        response = await service.request("GET", path, params=pairs)
        assert {each["id"] for each in response.json()["balances"]} == set(ids[:2])


async def test_the_path_counts_whatever_the_parameters_say(service: Service) -> None:
    """A parameter that contradicts the id of the path is ignored."""
    gone, stays = [await service.create_program_definition() for _ in range(2)]
    path = f"{PROGRAM_DEFINITIONS}/{gone['id']}"
    different = {"programDefinitionId": stays["id"]}
    assert (await service.request("DELETE", path, params=different)).json() == {}
    assert (await service.call("queryProgramDefinitions"))["programDefinitions"] == [stays]


async def test_a_path_id_may_stand_among_the_parameters_too(service: Service) -> None:
    """GET and DELETE take the path's id as a query parameter beside it."""
    created = await service.create_program_definition()
    path = f"{PROGRAM_DEFINITIONS}/{created['id']}"
    same = {"programDefinitionId": created["id"]}
    assert (await service.request("GET", path, params=same)).status_code == 200
    assert (await service.request("DELETE", path, params=same)).json() == {}


# Headers.


@pytest.mark.parametrize("header", ["x-request-id", "x-wix-request-id"])
@pytest.mark.parametrize("path", [PROGRAM_DEFINITIONS, "/nonsense", "/_api/nonsense"])
async def test_a_request_id_is_echoed(service: Service, header: str, path: str) -> None:
    """An answer carries the caller's own request id in both headers."""
    response = await service.request("GET", path, headers={header: "1700000000.123-abc"})
    assert response.headers["x-request-id"] == "1700000000.123-abc"
    assert response.headers["x-wix-request-id"] == "1700000000.123-abc"


async def test_each_answer_has_a_request_id(service: Service) -> None:
    """Without one of the caller's, or with a senseless one, each answer has a new id."""
    path = f"{PROGRAM_DEFINITIONS}/query"
    responses = [
        await service.request("POST", path, json={}),
        await service.request("POST", path, json={}, headers={"x-request-id": "a b"}),
        await service.request("POST", path, json={}, headers={"x-request-id": "x" * 129}),
        await service.nobody().request("POST", path, json={}),
    ]
    ids = {response.headers["x-request-id"] for response in responses}
    assert len(ids) == 4
    assert ids.isdisjoint({"a b", "x" * 129})


# Bodies.


@pytest.mark.parametrize(
    "body", [b"{", b"[1,]", b'{"a": NaN}', b"\xff\xfe", b'{"a":"\xff"}', b"[" * 100_000]
)
async def test_a_body_that_is_no_json_is_refused(service: Service, body: bytes) -> None:
    """What can't be read as JSON is 400."""
    response = await service.request("POST", PROVISION, content=body, headers=JSON)
    (violation,) = Refused(response).violations
    assert (violation["violatedRule"], violation["data"]["type"]) == ("FORMAT", "JSON")


@pytest.mark.parametrize("body", [b"[]", b"5", b'"text"', b"null", b"true"])
async def test_a_body_is_an_object(service: Service, body: bytes) -> None:
    """JSON that is no object is 400."""
    for path in (PROVISION, "/benefit-programs/v1/bulk/pool-definitions/create"):
        response = await service.request("POST", path, content=body, headers=JSON)
        assert response.status_code == 400


async def test_a_large_body_is_refused(service: Service) -> None:
    """A body above 1 MiB is 413, whether its length is told first or not."""
    body = json.dumps({"displayName": "x" * 2_097_152}).encode()

    async def in_parts() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for content in (body, in_parts()):
        response = await service.request("POST", PROVISION, content=content, headers=JSON)
        assert refused(response) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_is_json_by_its_type(service: Service) -> None:
    """Another content type is 415; JSON with a charset, and no type at all, are fine."""
    path = f"{PROGRAM_DEFINITIONS}/query"
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "image/png"):
        headers = {"content-type": content_type}
        response = await service.request("POST", path, content=b"{}", headers=headers)
        assert refused(response) == (415, "UNSUPPORTED_MEDIA_TYPE")
    for content_type in ("application/json; charset=UTF-8", "APPLICATION/JSON"):
        headers = {"content-type": content_type}
        response = await service.request("POST", path, content=b"{}", headers=headers)
        assert response.status_code == 200
    assert (await service.request("POST", path, content=b"{}")).status_code == 200
    assert (await service.request("POST", path)).status_code == 200


# Names and formats.


async def test_names_may_be_snake_case(service: Service) -> None:
    """Requests may use both styles at every level; free-form objects keep their keys."""
    fields = {"namespaces": {"my_app": {"some_key": {"another_key": 1, "oneMore": 2}}}}
    new = {
        "namespace": NAMESPACE,
        "display_name": "Tokens",
        "details": {
            "benefits": [
                {
                    "benefit_key": "a_b",
                    "provider_app_id": guid(),
                    "price": "1",
                    "additional_data": {"snake_key": 1, "camelKey": {"inner_key": []}},
                }
            ],
            "credit_configuration": {
                "amount": "10",
                "rollover_configuration": {"enabled": True, "balance_cap": "5"},
                "unit_display_name": "tokens",
            },
        },
        "extended_fields": fields,
    }
    response = await service.request(
        "POST",
        "/benefit-programs/v1/pool-definitions",
        json={"pool_definition": new},
    )
    created = response.json()["poolDefinition"]
    assert created["displayName"] == "Tokens"
    (gives,) = created["details"]["benefits"]
    assert gives["additionalData"] == {"snake_key": 1, "camelKey": {"inner_key": []}}
    credit = created["details"]["creditConfiguration"]
    assert credit["rolloverConfiguration"] == {"enabled": True, "balanceCap": "5"}
    assert created["extendedFields"] == fields


async def test_other_names_are_taken(service: Service) -> None:
    """The aliases of the published examples mean the same as the names of the reference."""
    new = {"namespace": NAMESPACE, "externalProgramId": "gold"}
    answer = await service.call("createProgramDefinition", {"programDefinition": new})
    definition = answer["programDefinition"]
    assert definition["externalId"] == "gold"
    request = {
        "poolDefinitionReference": {"programDefinitionId": definition["id"]},
        "beneficiary": {"memberId": guid()},
        "namespace": NAMESPACE,
        "externalProgramId": "mine",
    }
    program = (await service.call("provisionProgram", request))["program"]
    assert program["programDefinitionId"] == definition["id"]
    page = await service.call("queryPrograms", {"query": {"paging": {"limit": 1}}})
    assert page["metadata"]["count"] == 1
    refusal = await service.refusal("queryPrograms", {"query": {"paging": {"limit": 0}}})
    assert refusal.status == 400


async def test_unknown_fields_are_ignored(service: Service) -> None:
    """Fields that nobody declares change nothing, at any level."""
    new = {"namespace": NAMESPACE, "externalId": "gold", "nonsense": {"a": [1]}, "_id": 5}
    request = {"programDefinition": new, "more": None}
    created = (await service.call("createProgramDefinition", request))["programDefinition"]
    assert created.keys() == {
        "id",
        "revision",
        "createdDate",
        "updatedDate",
        "namespace",
        "externalId",
    }


async def test_null_is_as_good_as_absent_on_create(service: Service) -> None:
    """A null field of a new entity is absent, and a null required field is missing."""
    created = await service.create_program_definition(displayName=None, extendedFields=None)
    assert "displayName" not in created
    new = {"namespace": None, "externalId": "gold"}
    refusal = await service.refusal("createProgramDefinition", {"programDefinition": new})
    assert refusal.fields == {"programDefinition.namespace": "REQUIRED_FIELD"}


@pytest.mark.parametrize("length", [1, 64])
async def test_external_ids_are_any_printable_text(service: Service, length: int) -> None:
    """By default an external id has 1 to 64 printable characters, counted as code points."""
    for text in ("x" * length, "\N{GRINNING FACE}" * length):
        created = await service.create_program_definition(externalId=text)
        asked = {"namespace": NAMESPACE, "externalId": text}
        answer = await service.call("getProgramDefinitionByExternalIdAndNamespace", asked)
        assert answer["programDefinition"] == created


@pytest.mark.parametrize(
    ("external_id", "rule"),
    [("", "MIN_LENGTH"), ("x" * 65, "MAX_LENGTH"), ("a\nb", "FORMAT"), ("a\0b", "FORMAT")],
)
async def test_other_external_ids_are_refused(
    service: Service, external_id: str, rule: str
) -> None:
    """Empty, long and unprintable external ids are 400."""
    new = {"namespace": NAMESPACE, "externalId": external_id}
    refusal = await service.refusal("createProgramDefinition", {"programDefinition": new})
    assert refusal.fields == {"programDefinition.externalId": rule}


@pytest.mark.parametrize(
    ("namespace", "rule"), [("", "MIN_LENGTH"), ("n" * 21, "MAX_LENGTH"), (7, "FORMAT")]
)
async def test_a_namespace_has_1_to_20_characters(
    service: Service, namespace: Any, rule: str
) -> None:
    """Another namespace is 400 with the limit."""
    new = {"namespace": namespace, "externalId": "gold"}
    refusal = await service.refusal("createProgramDefinition", {"programDefinition": new})
    assert refusal.fields == {"programDefinition.namespace": rule}
    threshold = {"MIN_LENGTH": {"threshold": 1}, "MAX_LENGTH": {"threshold": 20}}
    assert refusal.violations[0]["data"] == threshold.get(rule, {"type": "STRING"})


async def test_a_tenant_may_ask_for_strict_ids(service: Service) -> None:
    """In the strict mode external ids are GUIDs, answered in lower case."""
    await set_ids(service, IdMode.STRICT)
    new = {"namespace": NAMESPACE, "externalId": "myProgram17"}
    refusal = await service.refusal("createProgramDefinition", {"programDefinition": new})
    assert refusal.fields == {"programDefinition.externalId": "FORMAT"}
    given = guid()
    created = await service.create_program_definition(externalId=given.upper())
    assert created["externalId"] == given


async def test_a_tenant_may_bring_its_own_ids(service: Service) -> None:
    """In the open mode beneficiaries and apps have any ids, and are found by them."""
    await set_ids(service, IdMode.OPEN)
    gives = {"benefitKey": "a", "providerAppId": "my app", "price": "1"}
    definition = await service.create_pool_definition(details=details(gives))
    person = {"memberId": "Ada Lovelace"}
    program = (await service.provision(pool_definition=definition, beneficiary=person))["program"]
    assert program["beneficiary"] == person | {"identityType": "MEMBER"}
    for filter_ in (
        {"beneficiary.memberId": "Ada Lovelace"},
        {"details.benefits.providerAppId": "my app"},
    ):
        answer = await service.call("queryPools", {"query": {"filter": filter_}})
        assert [each["programId"] for each in answer["pools"]] == [program["id"]]
    refusal = await service.refusal("getProgram", {"programId": "Ada Lovelace"})
    assert refusal.fields == {"programId": "FORMAT"}


async def set_ids(service: Service, mode: IdMode) -> None:
    await service.running.services.directory.change_settings(
        service.tenant.id, lambda settings: msgspec.structs.replace(settings, id_mode=mode)
    )


async def test_names_have_their_limits(service: Service) -> None:
    """A displayName of 64 characters and a description of 450 are fine, one more is 400."""
    await service.create_program_definition(displayName="d" * 64, description="x" * 450)
    new = {"namespace": NAMESPACE, "externalId": "gold"}
    new |= {"displayName": "d" * 65, "description": "x" * 451}
    refusal = await service.refusal("createProgramDefinition", {"programDefinition": new})
    assert refusal.fields == {
        "programDefinition.displayName": "MAX_LENGTH",
        "programDefinition.description": "MAX_LENGTH",
    }


async def test_amounts_are_answered_in_one_form(service: Service) -> None:
    """Credits are decimal text without trailing zeros, however they were sent."""
    for sent, expected in (("5.0", "5"), ("0005.1000", "5.1"), (5, "5"), ("0.0001", "0.0001")):
        created = await service.create_pool_definition(details=details(amount=sent))
        assert created["details"]["creditConfiguration"]["amount"] == expected


@pytest.mark.parametrize(
    "amount", ["1e3", "+1", ".5", "5.", " 5", "", "\N{ARABIC-INDIC DIGIT FIVE}", 1.5, True, []]
)
async def test_other_amounts_are_refused(service: Service, amount: Any) -> None:
    """What isn't a plain decimal number is 400."""
    new = {"namespace": NAMESPACE, "details": details(amount=amount)}
    refusal = await service.refusal("createPoolDefinition", {"poolDefinition": new})
    path = "poolDefinition.details.creditConfiguration.amount"
    assert refusal.fields == {path: "FORMAT"}


async def test_a_revision_is_text_or_a_number(service: Service) -> None:
    """An int64 may be sent as text or as a number, and nothing else."""
    created = await service.create_program_definition()
    for number, revision in enumerate((1, "2", 3.0), start=2):
        change = {"id": created["id"], "revision": revision}
        answer = await service.call("updateProgramDefinition", {"programDefinition": change})
        assert answer["programDefinition"]["revision"] == str(number)
    for wrong in ("x", "1.5", 1.5, True, "", "9223372036854775808"):
        change = {"id": created["id"], "revision": wrong}
        refusal = await service.refusal("updateProgramDefinition", {"programDefinition": change})
        assert refusal.fields == {"programDefinition.revision": "FORMAT"}, wrong


# Credentials.


@pytest.mark.parametrize("key", [None, "", "Bearer", "Bearer ", "bp_nonsense", "x" * 5_000])
async def test_without_a_key_nothing_is_answered(service: Service, key: str | None) -> None:
    """A missing, empty or unknown key is 401 on every route."""
    stranger = Caller(service.client, key)
    for method in METHODS.values():
        path = method.path.replace("{", "").replace("}", "")
        response = await stranger.request(method.verb, path)
        assert refused(response) == (401, "UNAUTHENTICATED"), method.name


async def test_a_key_comes_with_or_without_bearer(service: Service) -> None:
    """The header holds the key as it is, or after the word Bearer in any case."""
    created = await service.create_program_definition()
    for prefix in ("Bearer ", "bearer ", "BEARER  "):
        caller = Caller(service.client, f"{prefix}{service.key}")
        assert (await caller.call("queryProgramDefinitions"))["programDefinitions"] == [created]


async def test_a_revoked_key_is_refused_at_once(service: Service) -> None:
    """A key that was revoked opens nothing any more."""
    app = await service.as_app()
    await app.call("queryPrograms")
    directory = service.running.services.directory
    for key in await directory.keys():
        if key.tenant_ids == (service.tenant.id,) and key.grants.identity.type == "APP":
            await directory.revoke_key(key.id)
    assert (await app.refusal("queryPrograms")).status == 401


async def test_a_key_of_one_tenant_acts_for_it(service: Service) -> None:
    """Headers that name another site or account change nothing for a key of one tenant."""
    created = await service.create_program_definition()
    other = await service.another_tenant()
    headers = {"wix_site_id": other.tenant.site_id, "wix_account_id": guid()}
    administrator = await service.with_grants(administrator_grants())
    answer = await administrator.call("queryProgramDefinitions", **headers)
    assert answer["programDefinitions"] == [created]


async def test_a_key_of_several_tenants_names_its_site(service: Service) -> None:
    """Such a key acts for the site that it names; without one it is 400, with another 403."""
    other, third = await service.another_tenant(), await service.another_tenant()
    grants = Grants(identity=Identity(IdentityType.WIX_USER, guid()), scopes=(str(Scope.MANAGE),))
    caller = await service.with_grants(grants, service.tenant, other.tenant)
    for tenant in (service, other):
        created = await tenant.create_program_definition()
        for site_id in (tenant.tenant.site_id, tenant.tenant.site_id.upper()):
            answer = await caller.call("queryProgramDefinitions", wix_site_id=site_id)
            assert answer["programDefinitions"] == [created]
    refusal = await caller.refusal("queryProgramDefinitions")
    assert refusal.fields == {"wix-site-id": "REQUIRED_FIELD"}
    for site_id in (third.tenant.site_id, guid(), "nonsense"):
        refusal = await caller.refusal("queryProgramDefinitions", wix_site_id=site_id)
        assert (refusal.status, refusal.code) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_scope_opens_its_methods(service: Service, scope: Scope) -> None:
    """A key calls the methods of its scope, MANAGE those of others too, an app's no operator's."""
    caller = await service.as_app(scopes=[scope])
    for name, method in METHODS.items():
        path = method.path.replace("{", "").replace("}", "")
        response = await caller.request(method.verb, path)
        is_included = scope is Scope.MANAGE and method.scope not in OPERATING
        allowed = (is_included or scope is method.scope) and not method.for_administrators
        assert (response.status_code != 403) == allowed, name


async def test_a_key_may_be_narrowed(service: Service) -> None:
    """A key with permission ids calls the methods that have ids, and no others than these."""
    method = METHODS["queryPrograms"]
    caller = await service.as_app(permission_ids=method.permission_ids)
    for name, other in METHODS.items():
        path = other.path.replace("{", "").replace("}", "")
        response = await caller.request(other.verb, path)
        allowed = set() < set(other.permission_ids) <= set(method.permission_ids)
        assert (response.status_code != 403) == allowed, name


async def test_a_narrowed_key_reads_jobs_by_their_scope(service: Service) -> None:
    """Jobs had no permission id once: a narrowed key may have their scope by name instead."""
    ids, job = METHODS["queryPrograms"].permission_ids, METHODS["getAsyncJob"]
    path = job.path.replace("{jobId}", guid())
    narrowed = await service.as_app(permission_ids=ids)
    assert (await narrowed.request(job.verb, path)).status_code == 403
    scopes = [Scope.MANAGE, job.scope]
    reader = await service.as_app(scopes=scopes, permission_ids=ids)
    assert (await reader.request(job.verb, path)).status_code == 404
    reader = await service.as_app(permission_ids=[*ids, *job.permission_ids])
    assert (await reader.request(job.verb, path)).status_code == 404


OF_ADMINISTRATORS = {
    "updateSettings",
    "eraseBeneficiary",
    "exportBeneficiary",
    "createWebhookEndpoint",
    "updateWebhookEndpoint",
    "deleteWebhookEndpoint",
    "getWebhookEndpoint",
    "queryWebhookEndpoints",
    "rotateWebhookSecret",
    "testWebhookEndpoint",
    "replayWebhookEndpoint",
    "queryWebhookDeliveries",
    "resendWebhookDelivery",
    "rotateWebhookKey",
    "inviteConsoleUser",
    "queryConsoleUsers",
    "revokeConsoleUser",
    "retryAsyncJob",
    "cancelAsyncJob",
    "createApiKey",
    "queryApiKeys",
    "getApiKey",
    "revokeApiKey",
    "createTenant",
    "getTenant",
    "listTenants",
    "getHealth",
}


async def test_administrators_alone_call_some_methods(service: Service) -> None:
    """An app that may do everything may not do what is left to administrators."""
    app = await service.as_app()
    refused = set()
    for name, method in METHODS.items():
        path = method.path.replace("{", "").replace("}", "")
        if (await app.request(method.verb, path)).status_code == 403:
            refused.add(name)
        assert (await service.request(method.verb, path)).status_code != 403, name
    assert refused == OF_ADMINISTRATORS


OF_MEMBERS = {
    "queryPoolItems",
    "queryPools",
    "queryBalances",
    "queryLots",
    "queryReservations",
    "getEligibleBenefits",
    "getOverview",
}


async def test_a_member_calls_few_methods(service: Service) -> None:
    """A member's key is 403 everywhere but where members see their own."""
    caller = await service.as_member(guid())
    for name, method in METHODS.items():
        path = method.path.replace("{", "").replace("}", "")
        response = await caller.request(method.verb, path)
        assert (response.status_code != 403) == (name in OF_MEMBERS), name


async def test_another_tenants_key_finds_nothing(service: Service) -> None:
    """What one tenant made is 404 for every other one."""
    other = await service.another_tenant()
    definition = await service.create_pool_definition()
    program = (await service.provision(pool_definition=definition))["program"]
    (pool,) = await service.pools_of(program["id"])
    balance = (await service.call("getBalance", {"poolId": pool["id"]}))["balance"]
    owned = {
        "getProgramDefinition": (await service.create_program_definition())["id"],
        "getPoolDefinition": definition["id"],
        "getProgram": program["id"],
        "getPool": pool["id"],
        "getBalance": pool["id"],
        "getTransaction": balance["lastTransactionId"],
    }
    for name, parameter in READS.items():
        request = {parameter: owned[name]}
        await service.call(name, request)
        assert (await other.refusal(name, request)).status == 404


# Around the methods.


async def test_health_and_metrics_need_no_key(service: Service) -> None:
    """The service tells anybody that it is alive and ready, and what it counted."""
    await service.call("queryPrograms")
    client = service.client
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    page = (await client.get("/metrics")).text
    assert 'method="queryPrograms"' in page


async def test_pages_have_one_name(service: Service) -> None:
    """A page isn't found under another spelling, which a proxy that hides it wouldn't know."""
    for path in ("/%6detrics", "/metrics%2f", "/%2fmetrics", "/healthz%00"):
        assert (await service.client.get(path)).status_code == 404, path
