"""Provisioning, reading and updating programs. Contract: section 3, Provision."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import (
    Job,
    Pool,
    Program,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from tests.support.calls import NAMESPACE, Refused, benefit, details, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

AT_ONCE = 200


async def read(service: Service, program: dict[str, Any]) -> dict[str, Any]:
    answer = await service.call("getProgram", {"programId": program["id"]})
    return answer["program"]  # type: ignore[no-any-return]


async def update(service: Service, change: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await service.call("updateProgram", {"program": change, **more})
    return answer["program"]  # type: ignore[no-any-return]


async def new_program(service: Service, **fields: Any) -> dict[str, Any]:
    pool_definition = await service.create_pool_definition()
    answer = await service.provision(pool_definition=pool_definition, **fields)
    return answer["program"]  # type: ignore[no-any-return]


async def balance_of(service: Service, pool: dict[str, Any]) -> dict[str, Any]:
    answer = await service.call("getBalance", {"poolId": pool["id"]})
    return answer["balance"]  # type: ignore[no-any-return]


async def test_a_program_is_provisioned_from_a_program_definition(service: Service) -> None:
    """The program answers whole, with its beneficiary, status and definition, at revision 1."""
    definition = await service.create_program_definition(externalId="gold", displayName="Gold")
    await service.create_pool_definition(programDefinitionIds=[definition["id"]])
    member = guid()
    answer = await service.provision(
        program_definition=definition,
        beneficiary={"memberId": member.upper()},
        namespace="own",
        externalProgramId="myProgram17",
        displayName="New Program",
    )
    program = answer["program"]
    created = program.pop("createdDate")
    assert program == {
        "id": program["id"],
        "revision": "1",
        "updatedDate": created,
        "programDefinitionId": definition["id"],
        "status": "ACTIVE",
        "beneficiary": {"memberId": member, "identityType": "MEMBER"},
        "displayName": "New Program",
        "namespace": "own",
        "externalId": "myProgram17",
        "programDefinition": {"id": definition["id"], "externalId": "gold"},
    }
    assert await read(service, program) == program | {"createdDate": created}


async def test_it_gets_a_pool_for_each_pool_definition(service: Service) -> None:
    """Each pool is a copy of its definition at that revision, with the program's own facts."""
    definition = await service.create_program_definition(externalId="gold", displayName="Gold")
    places = [definition["id"]]
    first = await service.create_pool_definition(
        programDefinitionIds=places, displayName="n" * 128, description="First", namespace="other"
    )
    second = await service.create_pool_definition(programDefinitionIds=places)
    change = {"id": second["id"], "revision": "1", "displayName": "Second"}
    request = {"poolDefinition": change, "cascade": "IMMEDIATELY"}
    second = (await service.call("updatePoolDefinition", request))["poolDefinition"]
    answer = await service.provision(program_definition=definition, displayName="Mine")
    program = answer["program"]
    pools = await service.pools_of(program["id"])
    assert {each["poolDefinitionId"] for each in pools} == {first["id"], second["id"]}
    for made_from in (first, second):
        (pool,) = (each for each in pools if each["poolDefinitionId"] == made_from["id"])
        assert pool["details"] == made_from["details"]
        assert pool["displayName"] == made_from["displayName"]
        assert pool.get("description") == made_from.get("description")
        assert pool["poolDefinitionRevision"] == made_from["revision"]
        assert (pool["revision"], pool["renewalCount"]) == ("1", 0)
        assert (pool["status"], pool["origin"]) == ("ACTIVE", "PROVISION")
        assert (pool["namespace"], pool["beneficiary"]) == (NAMESPACE, program["beneficiary"])
        assert pool["programId"] == program["id"]
        assert pool["programDefinitionId"] == definition["id"]
        program_info = {"id": program["id"], "externalId": program["externalId"]}
        assert pool["program"] == program_info | {"displayName": "Mine"}
        assert pool["programDefinition"]["externalId"] == "gold"


async def test_a_pool_definition_gives_a_program_of_one_pool(service: Service) -> None:
    """Provisioned from a pool definition, a program has one pool and no program definition."""
    definition = await service.create_program_definition()
    made_from = await service.create_pool_definition(programDefinitionIds=[definition["id"]])
    program = (await service.provision(pool_definition=made_from))["program"]
    (pool,) = await service.pools_of(program["id"])
    assert pool["poolDefinitionId"] == made_from["id"]
    for answer in (program, pool):
        assert "programDefinitionId" not in answer
        assert "programDefinition" not in answer


async def test_the_names_are_not_copied_from_the_definition(service: Service) -> None:
    """A program has the name that it was given, or none."""
    definition = await service.create_program_definition(displayName="Gold")
    program = (await service.provision(program_definition=definition))["program"]
    assert "displayName" not in program


async def test_a_balance_is_opened_with_the_amount(service: Service) -> None:
    """A pool's balance starts at the amount, by one transaction that says so."""
    made_from = await service.create_pool_definition(details=details(amount="12.3400"))
    app = await service.as_app()
    program = (await app.provision(pool_definition=made_from))["program"]
    (pool,) = await service.pools_of(program["id"])
    balance = await balance_of(service, pool)
    assert balance["id"] == pool["id"]
    assert balance["amount"] == {"available": "12.34", "reserved": "0"}
    assert balance["revision"] == "1"
    query = {"query": {"filter": {"pool.id": pool["id"]}}}
    (transaction,) = (await service.call("queryTransactions", query))["transactions"]
    assert balance["lastTransactionId"] == transaction["id"]
    assert transaction["amount"] == "12.34"
    assert (transaction["source"], transaction["target"]) == ("EXTERNAL", "AVAILABLE")
    assert transaction["details"] == {"reason": "Provisioning"}
    assert transaction["status"] == "COMPLETED"
    assert transaction["correlationId"] == transaction["id"]
    assert transaction["beneficiary"] == program["beneficiary"]
    assert transaction["instructingParty"]["identityType"] == "APP"


@pytest.mark.parametrize("amount", ["0", "0.0000", None])
async def test_an_empty_balance_has_no_transaction(service: Service, amount: str | None) -> None:
    """Without credits to start with, the balance is "0" and nothing was booked."""
    made_from = await service.create_pool_definition(
        details=details(benefit("free", price="0"), amount=amount)
    )
    program = (await service.provision(pool_definition=made_from))["program"]
    (pool,) = await service.pools_of(program["id"])
    balance = await balance_of(service, pool)
    assert balance["amount"] == {"available": "0", "reserved": "0"}
    assert "lastTransactionId" not in balance
    assert await service.rows(Transaction) == []


async def test_the_largest_amount_is_kept_exactly(service: Service) -> None:
    """Credits are exact to the last of their digits."""
    made_from = await service.create_pool_definition(details=details(amount="922337203685477.5807"))
    program = (await service.provision(pool_definition=made_from))["program"]
    (pool,) = await service.pools_of(program["id"])
    balance = await balance_of(service, pool)
    assert balance["amount"]["available"] == "922337203685477.5807"


async def test_a_program_may_start_paused(service: Service) -> None:
    """With programStatus PAUSED the program and its pools are PAUSED, with their credits."""
    program = await new_program(service, programStatus="PAUSED")
    assert program["status"] == "PAUSED"
    (pool,) = await service.pools_of(program["id"])
    assert pool["status"] == "PAUSED"
    assert (await balance_of(service, pool))["amount"]["available"] == "100"


@pytest.mark.parametrize("status", ["ENDED", "PROVISIONING", "UNKNOWN", "active"])
async def test_a_program_starts_in_no_other_status(service: Service, status: str) -> None:
    """Any other programStatus is 400."""
    made_from = await service.create_pool_definition()
    with pytest.raises(Refused) as refused:
        await service.provision(pool_definition=made_from, programStatus=status)
    assert refused.value.fields == {"programStatus": "INVALID_ENUM_VALUE"}


async def test_the_job_can_be_read_at_once(service: Service) -> None:
    """The job of a provisioning tells that it is finished, for how many pools and for whom."""
    definition = await service.create_program_definition()
    for _ in range(3):
        await service.create_pool_definition(programDefinitionIds=[definition["id"]])
    app_id = guid()
    app = await service.as_app(app_id)
    answer = await app.provision(program_definition=definition)
    job = (await service.call("getAsyncJob", {"jobId": answer["jobId"]}))["job"]
    assert (job["id"], job["status"]) == (answer["jobId"], "FINISHED")
    counts = {"total": 3, "successCount": 3, "failCount": 0, "errorByCodeCount": {}}
    assert job["counts"] == counts
    assert job["createdBy"] == {"type": "APP", "appIdOptions": {"appId": app_id}}
    items = await service.call("listAsyncJobItems", {"jobId": answer["jobId"]})
    pools = await service.pools_of(answer["program"]["id"])
    assert {each["id"] for each in items["jobItems"]} == {each["id"] for each in pools}
    assert {each["status"] for each in items["jobItems"]} == {"SUCCESS"}


async def test_everything_is_told_in_the_same_commit(service: Service) -> None:
    """Program and pools have their events beside them, the opening transaction by its pool's."""
    program = await new_program(service)
    (pool,) = await service.rows(Pool)
    assert await service.slugs_of(program["id"]) == ["created+provisioned"]
    assert await service.slugs_of(pool.id) == ["created+provisioned"]
    (transaction,) = await service.rows(Transaction)
    (event,) = [row for row in await service.rows(Event) if row.entity_id == pool.id]
    assert event.transaction_id == transaction.id
    (job,) = await service.rows(Job)
    assert {each.created for each in (pool, transaction, event, job)} == {event.created}


async def test_a_second_program_is_refused(service: Service) -> None:
    """An external id has one program in its namespace; the refusal leaves nothing behind."""
    definition = await service.create_pool_definition()
    first = await service.provision(pool_definition=definition, externalProgramId="mine")
    await service.provision(pool_definition=definition, externalProgramId="Mine")
    await service.provision(pool_definition=definition, externalProgramId="mine", namespace="own")
    before = await service.rows(Event)
    with pytest.raises(Refused) as refused:
        await service.provision(pool_definition=definition, externalProgramId="mine")
    assert (refused.value.status, refused.value.code) == (409, "PROGRAM_ALREADY_EXISTS")
    assert refused.value.data == {
        "externalProgramId": "mine",
        "namespace": NAMESPACE,
        "programId": first["program"]["id"],
    }
    assert await service.rows(Event) == before
    assert len(await service.rows(Pool)) == 3
    assert len(await service.rows(Job)) == 3


async def test_a_program_without_pools_gets_another_chance(service: Service) -> None:
    """If the definition was empty, provisioning again fills the same program, with new fields."""
    definition = await service.create_program_definition()
    fields = {"externalProgramId": "mine", "displayName": "Old"}
    first = (await service.provision(program_definition=definition, **fields))["program"]
    assert first["status"] == "ACTIVE"
    await service.create_pool_definition(programDefinitionIds=[definition["id"]])
    member = guid()
    fields |= {"programStatus": "PAUSED", "beneficiary": {"memberId": member}}
    del fields["displayName"]
    answer = await service.provision(program_definition=definition, **fields)
    second = answer["program"]
    assert (second["id"], second["revision"], second["status"]) == (first["id"], "2", "PAUSED")
    assert second["beneficiary"]["memberId"] == member
    assert second["createdDate"] == first["createdDate"]
    assert "displayName" not in second
    (pool,) = await service.pools_of(first["id"])
    assert (pool["status"], pool["beneficiary"]["memberId"]) == ("PAUSED", member)
    assert await service.slugs_of(first["id"]) == ["created+provisioned", "updated+provisioned"]
    with pytest.raises(Refused) as refused:
        await service.provision(program_definition=definition, **fields)
    assert refused.value.code == "PROGRAM_ALREADY_EXISTS"


async def test_a_definition_must_be_there(service: Service) -> None:
    """Provisioning from an unknown definition is 404 with its id, and makes nothing."""
    unknown = {"id": guid()}
    with pytest.raises(Refused) as refused:
        await service.provision(program_definition=unknown)
    assert (refused.value.status, refused.value.code) == (404, "PROGRAM_DEFINITION_NOT_FOUND")
    assert refused.value.data == {"programDefinitionId": unknown["id"]}
    with pytest.raises(Refused) as refused:
        await service.provision(pool_definition=unknown)
    assert (refused.value.status, refused.value.code) == (404, "POOL_DEFINITION_NOT_FOUND")
    assert refused.value.data == {"poolDefinitionId": unknown["id"]}
    assert await service.rows(Program) == []


async def test_another_tenants_definition_is_not_there(service: Service) -> None:
    """Neither kind of definition can be provisioned from by another tenant."""
    program = await service.create_program_definition()
    pool = await service.create_pool_definition()
    other = await service.another_tenant()
    for lookup in ({"program_definition": program}, {"pool_definition": pool}):
        with pytest.raises(Refused) as refused:
            await other.provision(**lookup)
        assert refused.value.status == 404


@pytest.mark.parametrize("count", [0, 2])
async def test_exactly_one_definition_is_named(service: Service, count: int) -> None:
    """Both lookup ids, or neither, are 400."""
    lookup = dict([("poolDefinitionId", guid()), ("programDefinitionId", guid())][:count])
    request = {
        "poolDefinitionLookupId": lookup,
        "beneficiary": {"memberId": guid()},
        "namespace": NAMESPACE,
        "externalProgramId": "mine",
    }
    refused = await service.refusal("provisionProgram", request)
    ((field, rule),) = refused.fields.items()
    assert rule == "ONE_OF_ALIGNMENT"
    assert field.startswith("poolDefinitionLookupId")


async def test_all_that_is_wrong_is_told_at_once(service: Service) -> None:
    """Each field of a bad request is named with the rule that it breaks."""
    request = {
        "poolDefinitionLookupId": {"poolDefinitionId": "nonsense"},
        "beneficiary": {"memberId": guid(), "wixUserId": guid()},
        "namespace": "n" * 21,
        "displayName": "d" * 65,
        "externalProgramId": "e" * 65,
    }
    refused = await service.refusal("provisionProgram", request)
    assert refused.status == 400
    assert refused.fields == {
        "poolDefinitionLookupId.poolDefinitionId": "FORMAT",
        "beneficiary.wixUserId": "ONE_OF_ALIGNMENT",
        "namespace": "MAX_LENGTH",
        "displayName": "MAX_LENGTH",
        "externalProgramId": "MAX_LENGTH",
    }
    refused = await service.refusal("provisionProgram", {})
    required = {"poolDefinitionLookupId", "beneficiary", "namespace", "externalProgramId"}
    assert refused.fields == dict.fromkeys(required, "REQUIRED_FIELD")


@pytest.mark.parametrize(
    ("identity", "type_name"),
    [
        ("anonymousVisitorId", "ANONYMOUS_VISITOR"),
        ("memberId", "MEMBER"),
        ("wixUserId", "WIX_USER"),
    ],
)
async def test_a_beneficiary_is_one_of_three(
    service: Service, identity: str, type_name: str
) -> None:
    """Each kind of beneficiary is kept with its type; a type that disagrees is 400."""
    person = {identity: guid()}
    program = await new_program(service, beneficiary=person)
    assert program["beneficiary"] == person | {"identityType": type_name}
    (pool,) = await service.pools_of(program["id"])
    assert pool["beneficiary"] == program["beneficiary"]
    other = "MEMBER" if type_name != "MEMBER" else "WIX_USER"
    with pytest.raises(Refused) as refused:
        await new_program(service, beneficiary=person | {"identityType": other})
    assert refused.value.fields == {"beneficiary.identityType": "ONE_OF_ALIGNMENT"}


async def test_many_at_once_make_one_program(service: Service) -> None:
    """Of 200 provisions of one external id at the same time exactly one succeeds."""
    definition = await service.create_pool_definition()
    answers = await asyncio.gather(
        *(
            service.provision(pool_definition=definition, externalProgramId="mine")
            for _ in range(AT_ONCE)
        ),
        return_exceptions=True,
    )
    refused = [each for each in answers if isinstance(each, Refused)]
    assert {each.code for each in refused} <= {"PROGRAM_ALREADY_EXISTS", "IN_PROGRESS"}
    assert {each.status for each in refused} == {409}
    assert len(refused) == AT_ONCE - 1
    assert [len(await service.rows(each)) for each in (Program, Pool, Job)] == [1, 1, 1]


async def test_many_at_once_make_a_program_each(service: Service) -> None:
    """200 provisions of different external ids at the same time all succeed, each with its pool."""
    definition = await service.create_pool_definition()
    answers = await asyncio.gather(
        *(service.provision(pool_definition=definition) for _ in range(AT_ONCE))
    )
    ids = {each["program"]["id"] for each in answers}
    assert len(ids) == AT_ONCE
    assert {row.program_id for row in await service.rows(Pool)} == ids


async def test_a_program_is_found_by_its_external_id(service: Service) -> None:
    """GetByExternalIdAndNamespace gives the program, or 404 with what was asked for."""
    program = await new_program(service, externalProgramId="my program/17")
    name = "getProgramByExternalIdAndNamespace"
    asked = {"namespace": NAMESPACE, "externalId": "my program/17"}
    assert (await service.call(name, asked))["program"] == program
    refused = await service.refusal(name, {**asked, "externalId": "My program/17"})
    assert (refused.status, refused.code) == (404, "PROGRAM_NOT_FOUND")
    assert refused.data == {"namespace": NAMESPACE, "externalId": "My program/17"}


async def test_an_unknown_program_is_not_found(service: Service) -> None:
    """Get and update of an id that nobody has, or another tenant, are 404 with the id."""
    other = await service.another_tenant()
    foreign = (await new_program(other))["id"]
    for unknown in (guid(), foreign):
        for name, request in (
            ("getProgram", {"programId": unknown}),
            ("updateProgram", {"program": {"id": unknown, "revision": "1"}}),
        ):
            refused = await service.refusal(name, request)
            assert (refused.status, refused.code) == (404, "PROGRAM_NOT_FOUND")
            assert refused.data == {"programId": unknown}


async def test_an_update_changes_the_name_alone(service: Service) -> None:
    """A PATCH changes the name and extended fields; what is immutable or readonly is ignored."""
    program = await new_program(service, displayName="Old")
    sent = {
        **program,
        "_id": program["id"],
        "displayName": "New",
        "status": "ENDED",
        "namespace": "stolen",
        "externalId": "other",
        "beneficiary": {"memberId": guid()},
    }
    updated = await update(service, sent)
    expected = {"displayName": "New", "revision": "2", "updatedDate": updated["updatedDate"]}
    assert updated == program | expected
    assert await read(service, program) == updated
    (pool,) = await service.pools_of(program["id"])
    assert (pool["program"]["displayName"], pool["revision"]) == ("New", "1")
    assert await service.slugs_of(program["id"]) == ["created+provisioned", "updated"]


async def test_an_update_clears_with_null_or_a_mask(service: Service) -> None:
    """A null clears the name, and so does a mask that names it without a value."""
    program = await new_program(service, displayName="Old")
    change: dict[str, Any] = {"id": program["id"], "revision": "1"}
    assert "displayName" not in await update(service, {**change, "displayName": None})
    change["revision"] = "2"
    assert (await update(service, {**change, "displayName": "New"}))["displayName"] == "New"
    change["revision"] = "3"
    assert "displayName" not in await update(service, change, fieldMask=["displayName"])


async def test_an_update_needs_the_current_revision(service: Service) -> None:
    """A missing revision is 400, an old one 409 with the entity's id."""
    program = await new_program(service)
    await update(service, {"id": program["id"], "revision": "1", "displayName": "New"})
    refused = await service.refusal("updateProgram", {"program": {"id": program["id"]}})
    assert refused.fields == {"program.revision": "REQUIRED_FIELD"}
    change = {"id": program["id"], "revision": "1", "displayName": "Newer"}
    refused = await service.refusal("updateProgram", {"program": change})
    assert (refused.status, refused.code) == (409, "INVALID_REVISION")
    assert refused.data == {"revisionViolation": {"entityId": program["id"]}}


async def test_extended_fields_merge_by_namespace(service: Service) -> None:
    """Namespaces that aren't named stay, those that are null go."""
    program = await new_program(service)
    change: dict[str, Any] = {"id": program["id"], "revision": "1"}
    fields = {"namespaces": {"@a/x": {"n": 1}, "@b/y": {"n": 2}}}
    await update(service, {**change, "extendedFields": fields})
    change["revision"] = "2"
    fields = {"namespaces": {"@a/x": None, "@c/z": {"snake_case": {"camelCase": 3}}}}
    updated = await update(service, {**change, "extendedFields": fields})
    after = {"@b/y": {"n": 2}, "@c/z": {"snake_case": {"camelCase": 3}}}
    assert updated["extendedFields"] == {"namespaces": after}


async def test_updates_of_one_revision_at_once_succeed_once(service: Service) -> None:
    """Of many updates made on one revision exactly one is done."""
    program = await new_program(service)
    answers = await asyncio.gather(
        *(
            update(service, {"id": program["id"], "revision": "1", "displayName": str(number)})
            for number in range(50)
        ),
        return_exceptions=True,
    )
    done = [each for each in answers if not isinstance(each, BaseException)]
    assert len(done) == 1
    assert {each.code for each in answers if isinstance(each, Refused)} == {"INVALID_REVISION"}
    assert await read(service, program) == done[0]


async def test_programs_are_queried_by_each_field(service: Service) -> None:
    """Programs are found by all of their fields, also as the SDK's builders name them."""
    definition = await service.create_program_definition()
    wanted = (await service.provision(program_definition=definition, programStatus="PAUSED"))[
        "program"
    ]
    other = await new_program(service, namespace="own")
    filters: list[dict[str, Any]] = [
        {"id": wanted["id"]},
        {"externalId": wanted["externalId"]},
        {"namespace": {"$in": [NAMESPACE]}},
        {"programDefinitionId": definition["id"]},
        {"programDefinition.id": definition["id"]},
        {"programDefinitionId": {"$exists": True}},
        {"programDefinitionId": {"$ne": None}},
        {"status": "PAUSED"},
        {"status": {"$nin": ["ACTIVE", "ENDED"]}},
        {"createdDate": {"$lte": wanted["createdDate"]}, "status": {"$ne": "ACTIVE"}},
    ]
    for each in filters:
        answer = await service.call("queryPrograms", {"query": {"filter": each}})
        assert [row["id"] for row in answer["programs"]] == [wanted["id"]], each
    absent = {"query": {"filter": {"programDefinitionId": None}}}
    answer = await service.call("queryPrograms", absent)
    assert [row["id"] for row in answer["programs"]] == [other["id"]]


async def test_rows_that_come_and_go_disturb_no_page(service: Service) -> None:
    """Programs that are made between two pages neither repeat nor hide others."""
    definition = await service.create_pool_definition()
    made = [
        (await service.provision(pool_definition=definition))["program"]["id"] for _ in range(6)
    ]
    query: dict[str, Any] = {"cursorPaging": {"limit": 3}}
    first = await service.call("queryPrograms", {"query": query})
    await service.provision(pool_definition=definition)
    cursor = first["metadata"]["cursors"]["next"]
    query = {"cursorPaging": {"limit": 3, "cursor": cursor}}
    second = await service.call("queryPrograms", {"query": query})
    seen = [each["id"] for page in (first, second) for each in page["programs"]]
    assert seen == made[::-1]
