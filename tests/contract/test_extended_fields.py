"""Extended fields: what a tenant's schemas ask of their values, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from benefit_programs.api.extended_fields import ENTITIES as ENTITIES_BY_TYPE
from benefit_programs.domain.constraints import FREE_FORM_BYTES_MAX
from benefit_programs.wire import types
from benefit_programs.wire.types import balances, transactions
from tests.support.calls import NAMESPACE, benefit, details, guid
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Caller, Document, Refused
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

CLUB = "@gym/club"
OTHER = "@shop/notes"
SCHEMA = {
    "type": "object",
    "properties": {
        "level": {"type": "integer", "minimum": 1, "maximum": 3},
        "card": {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$", "maxLength": 10},
        "visits": {"type": "array", "items": {"type": "string", "format": "date"}, "maxItems": 2},
        "kind": {"enum": ["day", "night"]},
    },
    "required": ["level"],
    "additionalProperties": False,
}

NEVER: dict[str, Any] = {"not": {}}

ENTITIES = ["PROGRAM_DEFINITION", "POOL_DEFINITION", "PROGRAM", "POOL", "ITEM"]


@dataclass
class Subject:
    """One entity with extended fields, as any caller may read and write it."""

    kind: str
    id: str

    @property
    def name(self) -> str:
        """Its name on the wire, such as poolDefinition."""
        first, *others = self.kind.lower().split("_")
        return first + "".join(map(str.capitalize, others))

    @property
    def path(self) -> str:
        return f"{self.name}.extendedFields.namespaces"

    async def read(self, caller: Caller) -> Document:
        name = f"get{self.name[0].upper()}{self.name[1:]}"
        answer = await caller.call(name, {f"{self.name}Id": self.id})
        return answer[self.name]  # type: ignore[no-any-return]

    async def namespaces(self, caller: Caller) -> Document:
        """What a caller sees of its extended fields."""
        return (await self.read(caller)).get("extendedFields", {}).get("namespaces", {})  # type: ignore[no-any-return]

    async def update(self, caller: Caller, change: Document, **more: Any) -> Document:
        answer = await caller.call(*await self._request(caller, change, **more))
        return answer[self.name]  # type: ignore[no-any-return]

    async def set(self, caller: Caller, namespaces: Document) -> Document:
        """Send namespaces; what the answer shows of all of them."""
        answer = await self.update(caller, {"extendedFields": {"namespaces": namespaces}})
        return answer.get("extendedFields", {}).get("namespaces", {})  # type: ignore[no-any-return]

    async def refusal(self, caller: Caller, namespaces: Document) -> Refused:
        change = {"extendedFields": {"namespaces": namespaces}}
        return await caller.refusal(*await self._request(caller, change))

    async def _request(self, caller: Caller, change: Document, **more: Any) -> tuple[str, Document]:
        revision = (await self.read(caller))["revision"]
        request = {self.name: {"id": self.id, "revision": revision, **change}, **more}
        if self.kind == "POOL_DEFINITION":
            request["cascade"] = "FUTURE_PROVISIONS"
        return f"update{self.name[0].upper()}{self.name[1:]}", request


@pytest.fixture(params=ENTITIES)
async def subject(request: pytest.FixtureRequest, service: Service) -> Subject:
    """One entity of each kind that has extended fields."""
    kind: str = request.param
    if kind == "PROGRAM_DEFINITION":
        return Subject(kind, (await service.create_program_definition())["id"])
    if kind == "ITEM":
        return Subject(
            kind, (await service.call("createItem", await new_item(service)))["item"]["id"]
        )
    wallet = await open_wallet(service)
    ids = {
        "POOL_DEFINITION": wallet.definition["id"],
        "PROGRAM": wallet.program["id"],
        "POOL": wallet.pool_id,
    }
    return Subject(kind, ids[kind])


async def new_item(service: Service, **fields: Any) -> Document:
    definition = await service.create_pool_definition(details=details(benefit("towel")))
    (made,) = definition["details"]["benefits"]
    return {
        "item": {
            "itemSetId": made["itemSetId"],
            "providerAppId": made["providerAppId"],
            "externalId": guid(),
            "namespace": NAMESPACE,
            **fields,
        }
    }


def registered(entity: str, schema: Document | None = None, **apps: list[str]) -> Document:
    return {
        "entity": entity,
        "namespace": CLUB,
        "schema": SCHEMA if schema is None else schema,
        **apps,
    }


async def register(service: Service, *schemas: Document, **more: Any) -> Document:
    request = {"settings": {"extendedFieldSchemas": list(schemas), **more}}
    return (await service.call("updateSettings", request))["settings"]  # type: ignore[no-any-return]


async def register_refused(service: Service, *schemas: Document) -> Refused:
    request = {"settings": {"extendedFieldSchemas": list(schemas)}}
    return await service.refusal("updateSettings", request)


# Values


async def test_values_are_kept_as_they_come(service: Service, subject: Subject) -> None:
    """Without schemas everybody sees and sets every namespace, whatever is in it."""
    app = await service.as_app()
    sent = {CLUB: {"level": "any", "deep": [{"x": [1, 2.5, None]}]}, OTHER: {}}
    assert await subject.set(app, sent) == sent
    assert await subject.namespaces(service) == sent
    assert await subject.set(service, {OTHER: None}) == {CLUB: sent[CLUB]}


async def test_the_limit_counts_after_the_merge(service: Service, subject: Subject) -> None:
    """What is sent and what is there have 10 KB together; the refusal changes nothing."""
    half = {"x": "y" * (FREE_FORM_BYTES_MAX // 2)}
    await subject.set(service, {CLUB: half})
    refused = await subject.refusal(service, {OTHER: half})
    assert (refused.status, refused.fields) == (400, {subject.path: "MAX_LENGTH"})
    assert await subject.namespaces(service) == {CLUB: half}
    assert await subject.set(service, {CLUB: None, OTHER: half}) == {OTHER: half}


async def test_values_agree_with_their_schema(service: Service, subject: Subject) -> None:
    """From its registration on a schema binds what is set, and names each field that is wrong."""
    await register(service, registered(subject.kind))
    good = {"level": 2, "card": "GY12", "visits": ["2026-11-23"], "kind": "day"}
    assert await subject.set(service, {CLUB: good}) == {CLUB: good}
    bad = {
        "level": 4,
        "card": "gym",
        "visits": ["2026-11-23", "soon", "2026-11-24"],
        "kind": "noon",
        "colour": "red",
    }
    refused = await subject.refusal(service, {CLUB: bad})
    assert refused.status == 400
    assert refused.fields == {
        f"{subject.path}.{CLUB}.level": "MAX",
        f"{subject.path}.{CLUB}.card": "FORMAT",
        f"{subject.path}.{CLUB}.visits": "MAX_SIZE",
        f"{subject.path}.{CLUB}.visits[1]": "FORMAT",
        f"{subject.path}.{CLUB}.kind": "INVALID_ENUM_VALUE",
        f"{subject.path}.{CLUB}.colour": "FIELD_NOT_ALLOWED",
    }
    missing = await subject.refusal(service, {CLUB: {}})
    assert missing.fields == {f"{subject.path}.{CLUB}.level": "REQUIRED_FIELD"}
    assert await subject.namespaces(service) == {CLUB: good}


async def test_a_schema_binds_its_own_namespace_and_entity(
    service: Service, subject: Subject
) -> None:
    """Other namespaces, and the same namespace of other entities, stay free; so does removing."""
    await register(service, *(registered(each, NEVER) for each in ENTITIES if each != subject.kind))
    assert await subject.set(service, {CLUB: {"level": "any"}, OTHER: {"x": 1}})
    await register(service, registered(subject.kind))
    assert await subject.set(service, {OTHER: "anything"})
    assert await subject.set(service, {CLUB: None}) == {OTHER: "anything"}


async def test_a_masked_update_is_judged_by_what_it_changes(
    service: Service, subject: Subject
) -> None:
    """Extended fields that a mask leaves out are ignored, not checked."""
    await register(service, registered(subject.kind))
    change = {"displayName": "New", "extendedFields": {"namespaces": {CLUB: {}}}}
    if subject.kind == "ITEM":
        assert await subject.update(service, change, fieldMask="displayName")
    else:
        updated = await subject.update(service, change, fieldMask={"paths": ["displayName"]})
        assert updated["displayName"] == "New"
    assert await subject.namespaces(service) == {}


async def test_new_entities_agree_too(service: Service) -> None:
    """Creating checks as updating does, and a bulk request refuses an entry alone."""
    kinds = ("PROGRAM_DEFINITION", "POOL_DEFINITION", "ITEM")
    await register(service, *map(registered, kinds))
    good, bad = ({"namespaces": {CLUB: {"level": level}}} for level in (1, "high"))
    made = await service.create_program_definition(extendedFields=good)
    assert made["extendedFields"] == good
    wrong = {"namespace": NAMESPACE, "externalId": guid(), "extendedFields": bad}
    refused = await service.refusal("createProgramDefinition", {"programDefinition": wrong})
    path = f"extendedFields.namespaces.{CLUB}.level"
    assert refused.fields == {f"programDefinition.{path}": "FORMAT"}

    entries = [
        {"namespace": NAMESPACE, "details": details(), "extendedFields": fields}
        for fields in (good, bad)
    ]
    request = {"poolDefinitions": entries, "returnEntity": True}
    first, second = (await service.call("bulkCreatePoolDefinitions", request))["results"]
    assert first["item"]["extendedFields"] == good
    assert second["itemMetadata"]["error"]["code"] == "VALIDATION_ERROR"
    (violation,) = second["itemMetadata"]["error"]["data"]["fieldViolations"]
    assert violation["field"] == f"poolDefinitions[1].{path}"

    item = await new_item(service, extendedFields=bad)
    assert (await service.refusal("createItem", item)).fields == {f"item.{path}": "FORMAT"}


async def test_bulk_updates_refuse_an_entry_alone(service: Service) -> None:
    """The path of a violation leads to the entry of the bulk request."""
    await register(service, registered("POOL"))
    wallets = [await open_wallet(service) for _ in range(2)]
    entries = [
        {
            "pool": {
                "id": wallet.pool_id,
                "revision": (await wallet.pool())["revision"],
                "extendedFields": {"namespaces": {CLUB: {"level": level}}},
            }
        }
        for wallet, level in zip(wallets, (3, 9), strict=True)
    ]
    answer = await service.call("bulkUpdatePools", {"pools": entries, "returnEntity": True})
    first, second = answer["results"]
    assert first["item"]["extendedFields"] == {"namespaces": {CLUB: {"level": 3}}}
    (violation,) = second["itemMetadata"]["error"]["data"]["fieldViolations"]
    assert violation["field"] == f"pools[1].pool.extendedFields.namespaces.{CLUB}.level"
    assert (violation["violatedRule"], violation["data"]) == ("MAX", {"threshold": 3})


async def test_a_tenant_may_demand_schemas(service: Service, subject: Subject) -> None:
    """With the setting, a namespace without a schema can be removed, but not set."""
    await subject.set(service, {OTHER: {"x": 1}})
    await register(service, registered(subject.kind), extendedFieldsRequireSchema=True)
    assert await subject.set(service, {CLUB: {"level": 1}})
    refused = await subject.refusal(service, {OTHER: {"x": 2}})
    assert refused.fields == {f"{subject.path}.{OTHER}": "FIELD_NOT_ALLOWED"}
    assert await subject.set(service, {OTHER: None}) == {CLUB: {"level": 1}}


# Whose they are


async def test_other_apps_see_nothing(service: Service, subject: Subject) -> None:
    """A registered namespace is seen by its apps and by administrators, and by nobody else."""
    reader, writer = guid(), guid()
    await subject.set(service, {CLUB: {"level": 1}, OTHER: {"x": 1}})
    apps = {"readAppIds": [reader.upper()], "writeAppIds": [writer]}
    await register(service, registered(subject.kind, **apps))
    everything = {CLUB: {"level": 1}, OTHER: {"x": 1}}
    for app_id in (reader, writer):
        assert await subject.namespaces(await service.as_app(app_id)) == everything
    assert await subject.namespaces(service) == everything
    stranger = await service.as_app()
    assert await subject.namespaces(stranger) == {OTHER: {"x": 1}}
    assert await subject.set(stranger, {OTHER: {"x": 2}}) == {OTHER: {"x": 2}}
    assert await subject.set(stranger, {OTHER: None}) == {}
    assert "extendedFields" not in await subject.read(stranger)
    assert await subject.namespaces(service) == {CLUB: {"level": 1}}


async def test_only_its_apps_change_a_namespace(service: Service, subject: Subject) -> None:
    """What other apps send of it, valid or not, is passed over; clearing spares it too."""
    reader, writer = guid(), guid()
    apps = {"readAppIds": [reader], "writeAppIds": [writer]}
    await register(service, registered(subject.kind, **apps))
    assert await subject.set(await service.as_app(writer), {CLUB: {"level": 2}, OTHER: {}})
    for caller in (await service.as_app(reader), await service.as_app()):
        await subject.set(caller, {CLUB: {"level": "broken"}, OTHER: {"x": 1}})
        await subject.set(caller, {CLUB: None})
        assert await subject.namespaces(service) == {CLUB: {"level": 2}, OTHER: {"x": 1}}
        await subject.update(caller, {"extendedFields": None})
        assert await subject.namespaces(service) == {CLUB: {"level": 2}}
    await subject.update(service, {"extendedFields": None})
    assert await subject.namespaces(service) == {}


async def test_writing_back_spares_what_was_not_seen(service: Service, subject: Subject) -> None:
    """An app that sends back the whole entity that it read leaves others' namespaces alone."""
    await register(service, registered(subject.kind, writeAppIds=[guid()]))
    await subject.set(service, {CLUB: {"level": 1}, OTHER: {"x": 1}})
    app = await service.as_app()
    seen = await subject.read(app)
    assert seen["extendedFields"] == {"namespaces": {OTHER: {"x": 1}}}
    await subject.update(app, seen)
    assert await subject.namespaces(service) == {CLUB: {"level": 1}, OTHER: {"x": 1}}


async def test_new_entities_pass_over_others_namespaces(service: Service) -> None:
    """An app can't set another's namespace by making an entity that has it."""
    kinds = ("PROGRAM_DEFINITION", "POOL_DEFINITION", "ITEM")
    await register(service, *(registered(each, writeAppIds=[guid()]) for each in kinds))
    app = await service.as_app()
    fields = {"namespaces": {CLUB: {"level": "broken"}, OTHER: {"x": 1}, "gone": None}}
    expected = {"namespaces": {OTHER: {"x": 1}}}
    definition = await app.create_program_definition(extendedFields=fields)
    pool_definition = await app.create_pool_definition(extendedFields=fields)
    request = await new_item(service, extendedFields=fields)
    item = (await app.call("createItem", request))["item"]
    assert definition["extendedFields"] == expected
    assert pool_definition["extendedFields"] == expected
    assert item["extendedFields"] == expected
    read = await Subject("ITEM", item["id"]).namespaces(service)
    assert read == {OTHER: {"x": 1}}


async def test_queries_and_bulk_answers_hide_too(service: Service) -> None:
    """A namespace is hidden wherever an answer holds the entity, and from members as well."""
    wallet = await open_wallet(service)
    member = wallet.program["beneficiary"]["memberId"]
    pool = Subject("POOL", wallet.pool_id)
    await pool.set(service, {CLUB: {"level": 1}, OTHER: {"x": 1}})
    await register(service, registered("POOL"))
    app = await service.as_app()
    query = {"query": {"filter": {"id": wallet.pool_id}}}
    expected = {"namespaces": {OTHER: {"x": 1}}}
    for caller in (app, await service.as_member(member)):
        (found,) = (await caller.call("queryPools", query))["pools"]
        assert found["extendedFields"] == expected
    change = {"pool": {"id": pool.id, "revision": found["revision"], "displayName": "New"}}
    answer = await app.call("bulkUpdatePools", {"pools": [change], "returnEntity": True})
    assert answer["results"][0]["item"]["extendedFields"] == expected
    (found,) = (await service.call("queryPools", query))["pools"]
    assert found["extendedFields"] == {"namespaces": {CLUB: {"level": 1}, OTHER: {"x": 1}}}


# The registration


async def test_schemas_are_settings(service: Service) -> None:
    """Schemas read back as they were registered; null forgets them, and other settings stay."""
    sent = registered("POOL", readAppIds=[guid()], writeAppIds=[guid()])
    settings = await register(service, sent, timeZone="Europe/Berlin")
    assert settings["extendedFieldSchemas"] == [sent]
    assert settings["extendedFieldsRequireSchema"] is False
    assert (await service.call("getSettings"))["settings"] == settings
    request = {"settings": {"extendedFieldSchemas": None}}
    cleared = (await service.call("updateSettings", request))["settings"]
    assert cleared["extendedFieldSchemas"] == []
    assert cleared["timeZone"] == "Europe/Berlin"


async def test_a_namespace_has_one_schema(service: Service) -> None:
    """A second schema for a namespace of an entity is refused; for another entity it isn't."""
    refused = await register_refused(service, registered("POOL"), registered("POOL"))
    assert refused.fields == {"settings.extendedFieldSchemas[1].namespace": "VALIDATION"}
    assert await register(service, registered("POOL"), registered("ITEM"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"properties": {"a": {"type": "strin"}}}, ".properties.a.type"),
        ({"properties": {"a": {"pattern": "("}}}, ".properties.a.pattern"),
        ({"anyOf": [{"minimum": "1"}]}, ".anyOf[0].minimum"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, ".$schema"),
    ],
)
async def test_a_broken_schema_is_refused(service: Service, schema: Document, path: str) -> None:
    """A schema that is none is refused as it is registered, with the path inside it."""
    refused = await register_refused(service, registered("ITEM"), registered("POOL", schema))
    assert refused.status == 400
    assert refused.fields == {f"settings.extendedFieldSchemas[1].schema{path}": "VALIDATION"}
    assert (await service.call("getSettings"))["settings"]["extendedFieldSchemas"] == []


def doubled(levels: int) -> Document:
    """A small schema that stands for 2 to the power of its levels."""
    parts = {
        f"a{level}": {"allOf": [{"$ref": f"#/$defs/a{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$ref": "#/$defs/a0", "$defs": {**parts, f"a{levels}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"$ref": "http://127.0.0.1:9/schema.json"}, ".$ref"),
        ({"$ref": "file:///etc/hostname"}, ".$ref"),
        ({"properties": {"a": {"$ref": "#/$defs/missing"}}}, ".properties.a.$ref"),
        ({"allOf": [{"$ref": "#"}]}, ".allOf[0].$ref"),
        ({"properties": {"a": {"$dynamicRef": "#x"}}}, ".properties.a.$dynamicRef"),
        ({"properties": {"a": {"$id": "http://x.example"}}}, ".properties.a.$id"),
        ({"properties": {"a": {"pattern": "^(?=x)"}}}, ".properties.a.pattern"),
        ({"pattern": "((a{200}){200}){200}"}, ".pattern"),
        (doubled(12), ""),
        ({"items": {"enum": [], "allOf": [{"pattern": f"^{n}"} for n in range(21)]}}, ""),
    ],
)
async def test_a_schema_can_not_stop_the_service(
    service: Service, schema: Document, path: str
) -> None:
    """What would fetch, go round in circles or take for ever is refused when it is registered."""
    refused = await register_refused(service, registered("POOL", schema))
    assert refused.fields == {f"settings.extendedFieldSchemas[0].schema{path}": "VALIDATION"}


async def test_a_schema_may_name_its_parts(service: Service) -> None:
    """References inside the schema are followed."""
    schema = {
        "$id": "https://gym.example/club.json",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"level": {"$ref": "#/$defs/level"}},
        "$defs": {"level": {"type": "integer"}},
    }
    await register(service, registered("PROGRAM_DEFINITION", schema))
    made = await service.create_program_definition()
    definition = Subject("PROGRAM_DEFINITION", made["id"])
    assert await definition.set(service, {CLUB: {"level": 1}})
    refused = await definition.refusal(service, {CLUB: {"level": "x"}})
    assert refused.fields == {f"{definition.path}.{CLUB}.level": "FORMAT"}


async def test_a_pattern_takes_linear_time(service: Service) -> None:
    """A pattern that would backtrack for ages elsewhere is answered at once."""
    schema = {"properties": {"card": {"pattern": "^(a+)+$"}}}
    await register(service, registered("PROGRAM_DEFINITION", schema))
    definition = Subject("PROGRAM_DEFINITION", (await service.create_program_definition())["id"])
    refused = await definition.refusal(service, {CLUB: {"card": "a" * 5_000 + "b"}})
    assert refused.fields == {f"{definition.path}.{CLUB}.card": "FORMAT"}


async def test_many_comparisons_name_the_first_violation(service: Service) -> None:
    """Where a refusal could name thousands of things, it names the first, and at once."""
    choices = [{"properties": {"a": {"const": number}}} for number in range(200)]
    schema = {"items": {"anyOf": choices}}
    await register(service, registered("PROGRAM_DEFINITION", schema))
    definition = Subject("PROGRAM_DEFINITION", (await service.create_program_definition())["id"])
    refused = await definition.refusal(service, {CLUB: [{"a": -1}] * 1_000})
    assert refused.fields == {f"{definition.path}.{CLUB}[0]": "VALIDATION"}
    few = await definition.refusal(service, {CLUB: [{"a": -1}] * 2})
    assert len(few.violations) == 2


async def test_no_type_of_the_wire_is_forgotten() -> None:
    """Every type with extended fields has its rules, but for those whose fields nobody sets."""
    modules = [
        import_module(f"{types.__name__}.{each.name}") for each in iter_modules(types.__path__)
    ]
    found = {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, msgspec.Struct)
        and "extended_fields" in each.__struct_fields__
    }
    assert found == ENTITIES_BY_TYPE.keys() | {balances.Balance, transactions.Transaction}


async def test_a_large_schema_is_refused(service: Service) -> None:
    """A schema has 10 KB at most."""
    refused = await register_refused(service, registered("POOL", {"description": "x" * 10_240}))
    assert refused.fields == {"settings.extendedFieldSchemas[0].schema": "MAX_LENGTH"}
