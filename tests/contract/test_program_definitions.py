"""The six methods of program definitions. Contract: sections 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.entities import (
    ProgramDefinition,
)
from benefit_programs.domain.event_rows import Event
from tests.support.calls import NAMESPACE, guid

if TYPE_CHECKING:
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio


async def read(service: Service, definition: dict[str, Any]) -> dict[str, Any]:
    answer = await service.call("getProgramDefinition", {"programDefinitionId": definition["id"]})
    return answer["programDefinition"]  # type: ignore[no-any-return]


async def update(service: Service, change: dict[str, Any], **more: Any) -> dict[str, Any]:
    request = {"programDefinition": change, **more}
    answer = await service.call("updateProgramDefinition", request)
    return answer["programDefinition"]  # type: ignore[no-any-return]


async def test_a_new_definition_is_answered_whole(service: Service) -> None:
    """Creating answers with everything that was sent, at revision 1, and it reads back the same."""
    sent = {
        "namespace": NAMESPACE,
        "externalId": "tokens-2027",
        "displayName": "Tokens",
        "description": "A token per visit",
        "extendedFields": {"namespaces": {"@gym/app": {"club_id": 7}}},
    }
    created = await service.create_program_definition(**sent)
    assert sent.items() <= created.items()
    assert created["revision"] == "1"
    assert created["createdDate"] == created["updatedDate"]
    assert await read(service, created) == created


async def test_what_the_server_sets_is_not_taken_from_the_caller(service: Service) -> None:
    """An id, a revision and dates that a caller sends with a new definition are ignored."""
    own = {"id": guid(), "revision": "9", "createdDate": "2001-01-01T00:00:00Z"}
    created = await service.create_program_definition(**own)
    assert created["id"] != own["id"]
    assert created["revision"] == "1"
    assert created["createdDate"] > "2026"


async def test_an_external_id_names_one_definition_of_a_namespace(service: Service) -> None:
    """A second definition with an external id is refused; another namespace may use it too."""
    first = await service.create_program_definition(externalId="gold")
    await service.create_program_definition(externalId="gold", namespace="pool")
    again = {"namespace": NAMESPACE, "externalId": "gold"}
    refused = await service.refusal("createProgramDefinition", {"programDefinition": again})
    assert (refused.status, refused.code) == (409, "PROGRAM_DEFINITION_ALREADY_EXISTS")
    assert refused.data["externalId"] == "gold"
    assert refused.data["namespace"] == first["namespace"]


async def test_an_external_id_is_case_sensitive(service: Service) -> None:
    """External ids are kept as they are given, so two that differ in case are two."""
    await service.create_program_definition(externalId="gold")
    assert (await service.create_program_definition(externalId="Gold"))["externalId"] == "Gold"


async def test_a_definition_is_found_by_its_external_id(service: Service) -> None:
    """GetByExternalIdAndNamespace gives the definition, or 404 with what was asked for."""
    created = await service.create_program_definition(externalId="gold/2027 +1")
    asked = {"namespace": NAMESPACE, "externalId": "gold/2027 +1"}
    name = "getProgramDefinitionByExternalIdAndNamespace"
    assert (await service.call(name, asked))["programDefinition"] == created
    refused = await service.refusal(name, {**asked, "namespace": "pool"})
    assert (refused.status, refused.code) == (404, "PROGRAM_DEFINITION_NOT_FOUND")
    assert refused.data == {
        "namespace": "pool",
        "externalId": "gold/2027 +1",
        "existsInNamespace": NAMESPACE,
    }


async def test_an_unknown_definition_is_not_found(service: Service) -> None:
    """Get, update and delete of an id that nobody has answer 404 with the id."""
    unknown = guid()
    for name, request in (
        ("getProgramDefinition", {"programDefinitionId": unknown}),
        ("updateProgramDefinition", {"programDefinition": {"id": unknown, "revision": "1"}}),
        ("deleteProgramDefinition", {"programDefinitionId": unknown}),
    ):
        refused = await service.refusal(name, request)
        assert (refused.status, refused.code) == (404, "PROGRAM_DEFINITION_NOT_FOUND"), name
        assert refused.data == {"programDefinitionId": unknown}


async def test_an_update_changes_what_was_sent_and_counts_up(service: Service) -> None:
    """A PATCH keeps what it doesn't name, clears what is null, and adds 1 to the revision."""
    created = await service.create_program_definition(displayName="Gold", description="Old")
    change = {"id": created["id"], "revision": "1", "displayName": "Platinum", "description": None}
    updated = await update(service, change)
    assert updated["revision"] == "2"
    assert updated["displayName"] == "Platinum"
    assert "description" not in updated
    assert updated["externalId"] == created["externalId"]
    assert updated["createdDate"] == created["createdDate"]
    assert await read(service, created) == updated


async def test_a_whole_entity_may_be_written_back(service: Service) -> None:
    """Clients send what they read, with ids twice and readonly fields: those change nothing."""
    created = await service.create_program_definition(displayName="Gold")
    sent = {**created, "_id": created["id"], "namespace": "stolen", "externalId": "other"}
    sent |= {"displayName": "Platinum", "createdDate": "2001-01-01T00:00:00Z"}
    updated = await update(service, sent)
    expected = {"displayName": "Platinum", "revision": "2", "updatedDate": updated["updatedDate"]}
    assert updated == created | expected


async def test_a_mask_names_what_may_change(service: Service) -> None:
    """Beside a mask other fields are ignored, and a masked field that isn't there is cleared."""
    created = await service.create_program_definition(displayName="Gold", description="Old")
    change = {"id": created["id"], "revision": "1", "displayName": "Platinum"}
    masked = await update(service, change, fieldMask="description")
    assert masked["displayName"] == "Gold"
    assert "description" not in masked


@pytest.mark.parametrize(
    "mask",
    ["displayName,description", "display_name", ["displayName"], {"paths": ["displayName"]}],
    ids=str,
)
async def test_a_mask_has_three_forms(service: Service, mask: Any) -> None:
    """A mask may be text, a list or an object with paths, in both styles of names."""
    created = await service.create_program_definition(displayName="Gold")
    change = {"id": created["id"], "revision": "1", "displayName": "Platinum"}
    assert (await update(service, change, fieldMask=mask))["displayName"] == "Platinum"


async def test_another_revision_is_refused(service: Service) -> None:
    """An update made on another revision is 409 with the entity's id, and changes nothing."""
    created = await service.create_program_definition(displayName="Gold")
    for revision in ("0", "2", "9223372036854775807"):
        change = {"id": created["id"], "revision": revision, "displayName": "Platinum"}
        refused = await service.refusal("updateProgramDefinition", {"programDefinition": change})
        assert (refused.status, refused.code) == (409, "INVALID_REVISION")
        assert refused.data == {"revisionViolation": {"entityId": created["id"]}}
    assert await read(service, created) == created


async def test_an_update_names_a_revision(service: Service) -> None:
    """A PATCH without a revision is 400 with the field's path."""
    created = await service.create_program_definition()
    for change in ({"id": created["id"]}, {"id": created["id"], "revision": None}):
        refused = await service.refusal("updateProgramDefinition", {"programDefinition": change})
        assert refused.status == 400
        assert refused.fields == {"programDefinition.revision": "REQUIRED_FIELD"}


async def test_extended_fields_merge_by_namespace(service: Service) -> None:
    """A PATCH replaces the namespaces that it names whole, removes those it nulls, keeps others."""
    before = {"@a/x": {"one": 1, "two": 2}, "@b/y": {"three": 3}, "@c/z": {"4": "four"}}
    created = await service.create_program_definition(extendedFields={"namespaces": before})
    sent = {"@a/x": {"two": "new"}, "@b/y": None, "@d/w": {"five": [5, None]}}
    change = {"id": created["id"], "revision": "1", "extendedFields": {"namespaces": sent}}
    updated = await update(service, change)
    after = {"@a/x": {"two": "new"}, "@c/z": {"4": "four"}, "@d/w": {"five": [5, None]}}
    assert updated["extendedFields"] == {"namespaces": after}
    cleared = await update(service, {"id": created["id"], "revision": "2", "extendedFields": None})
    assert "extendedFields" not in cleared


async def test_extended_fields_have_a_limit(service: Service) -> None:
    """More than 10 KB of extended fields are refused, on create and as the sum of updates."""
    fields = {"namespaces": {"@a/x": {"text": "x" * 6_000}}}
    created = await service.create_program_definition(extendedFields=fields)
    more = {"namespaces": {"@b/y": {"text": "x" * 6_000}}}
    change = {"id": created["id"], "revision": "1", "extendedFields": more}
    refused = await service.refusal("updateProgramDefinition", {"programDefinition": change})
    assert refused.status == 400
    assert await read(service, created) == created


async def test_a_deleted_definition_is_gone_and_frees_its_external_id(service: Service) -> None:
    """Deleting answers {}, the definition is no longer there, and its external id is free."""
    created = await service.create_program_definition(externalId="gold")
    asked = {"programDefinitionId": created["id"]}
    assert await service.call("deleteProgramDefinition", asked) == {}
    assert (await service.refusal("getProgramDefinition", asked)).status == 404
    assert (await service.refusal("deleteProgramDefinition", asked)).status == 404
    assert (await service.create_program_definition(externalId="gold"))["id"] != created["id"]


async def test_deleting_takes_the_id_out_of_pool_definitions(service: Service) -> None:
    """Pool definitions that name a deleted program definition no longer do."""
    kept = await service.create_program_definition()
    gone = await service.create_program_definition()
    pool = await service.create_pool_definition(programDefinitionIds=[gone["id"], kept["id"]])
    request = {"programDefinitionId": gone["id"], "cascadeType": "IMMEDIATELY"}
    await service.call("deleteProgramDefinition", request)
    answer = await service.call("getPoolDefinition", {"poolDefinitionId": pool["id"]})
    after = answer["poolDefinition"]
    assert after["programDefinitionIds"] == [kept["id"]]
    assert after["revision"] == "2"
    assert [each["id"] for each in after["programDefinitions"]] == [kept["id"]]


async def test_each_change_has_its_event(service: Service) -> None:
    """Create, update and delete are told in order, with the definition as it then was."""
    created = await service.create_program_definition(displayName="Gold")
    await update(service, {"id": created["id"], "revision": "1", "displayName": "Platinum"})
    await service.call("deleteProgramDefinition", {"programDefinitionId": created["id"]})
    events = [row for row in await service.rows(Event) if row.entity_id == created["id"]]
    told = [(row.sequence, row.slug, row.body["entity"]["display_name"]) for row in events]
    assert told == [(1, "created", "Gold"), (2, "updated", "Platinum"), (3, "deleted", "Platinum")]
    assert await service.rows(ProgramDefinition) == []


async def test_a_refused_change_has_no_event(service: Service) -> None:
    """What is refused leaves no event behind."""
    created = await service.create_program_definition()
    change = {"id": created["id"], "revision": "7", "displayName": "Platinum"}
    await service.refusal("updateProgramDefinition", {"programDefinition": change})
    assert await service.slugs_of(created["id"]) == ["created"]


async def test_queries_filter_sort_and_page(service: Service) -> None:
    """Every row is on exactly one page, forwards and backwards, in the order that was asked for."""
    for name in ("c", "a", "d", "b", "e"):
        await service.create_program_definition(externalId=name, namespace="alphabet")
    await service.create_program_definition(externalId="other")
    query = {
        "filter": {"namespace": "alphabet"},
        "sort": [{"fieldName": "externalId", "order": "ASC"}],
        "cursorPaging": {"limit": 2},
    }
    pages = await service.pages("queryProgramDefinitions", query)
    names = [[each["externalId"] for each in page] for page in pages]
    assert names == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_previous_page_keeps_the_order(service: Service) -> None:
    """From the last page the cursor leads back over the same rows, to a first page without one."""
    for name in "abcde":
        await service.create_program_definition(externalId=name)
    sort = [{"fieldName": "externalId", "order": "DESC"}]
    query: dict[str, Any] = {"sort": sort, "cursorPaging": {"limit": 4}}
    first = await service.call("queryProgramDefinitions", {"query": query})
    paging = {"limit": 2, "cursor": first["metadata"]["cursors"]["next"]}
    last = await service.call("queryProgramDefinitions", {"query": {"cursorPaging": paging}})
    assert [each["externalId"] for each in last["programDefinitions"]] == ["a"]
    seen = []
    cursors = last["metadata"]["cursors"]
    while "prev" in cursors:
        paging = {"limit": 2, "cursor": cursors["prev"]}
        page = await service.call("queryProgramDefinitions", {"query": {"cursorPaging": paging}})
        seen.append([each["externalId"] for each in page["programDefinitions"]])
        cursors = page["metadata"]["cursors"]
    assert seen == [["c", "b"], ["e", "d"]]
    assert "next" in cursors


async def test_without_an_order_the_newest_comes_first(service: Service) -> None:
    """A query without sort and paging gives the newest first."""
    made = [(await service.create_program_definition())["id"] for _ in range(4)]
    answer = await service.call("queryProgramDefinitions")
    assert [each["id"] for each in answer["programDefinitions"]] == made[::-1]


async def test_another_tenant_sees_nothing(service: Service) -> None:
    """A tenant's definitions can't be read, changed, deleted or blocked by another one."""
    created = await service.create_program_definition(externalId="gold")
    other = await service.another_tenant()
    asked = {"programDefinitionId": created["id"]}
    change = {"programDefinition": {"id": created["id"], "revision": "1", "displayName": "x"}}
    assert (await other.refusal("getProgramDefinition", asked)).status == 404
    assert (await other.refusal("updateProgramDefinition", change)).status == 404
    assert (await other.refusal("deleteProgramDefinition", asked)).status == 404
    assert (await other.call("queryProgramDefinitions"))["programDefinitions"] == []
    await other.create_program_definition(externalId="gold")
    assert await read(service, created) == created
