"""The OpenAPI document and the readable page: whole, well-formed, and served to everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from benefit_programs.api.errors import (
    STATUS_BY_ERROR,
    TooLarge,
    TooManyRequests,
    Unavailable,
    application_error,
)
from benefit_programs.api.methods import METHODS
from benefit_programs.api.openapi import openapi_document, openapi_json
from benefit_programs.api.reference.page import reference_page
from benefit_programs.api.reference.refusals import answered, refusals_of
from benefit_programs.cli.apply.schema import file_schema
from benefit_programs.wire.codec.fields import fields_of
from benefit_programs.wire.descriptions import COMMON, OF_TYPES
from benefit_programs.wire.schemas import named_types_in
from tests.conformance.request_fields import METHODS as CONTRACT_METHODS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benefit_programs.domain.errors import Refusal
    from tests.support.inprocess import Service

OPERATIONS = {
    operation["operationId"]: (verb.upper(), path, operation)
    for path, verbs in openapi_document()["paths"].items()
    for verb, operation in verbs.items()
}
SCHEMAS: dict[str, Any] = openapi_document()["components"]["schemas"]


def references_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references_in(inner)
    for inner in value if isinstance(value, list) else ():
        yield from references_in(inner)


def test_every_method_is_an_operation() -> None:
    """Each method is there by its name, at its address, with its scope."""
    assert {name: (verb, shape(path)) for name, (verb, path, _) in OPERATIONS.items()} == {
        name: (method.verb, shape(method.path)) for name, method in METHODS.items()
    }
    for name, (_, _, operation) in OPERATIONS.items():
        assert operation["security"] == [{"key": [str(METHODS[name].scope)]}]


def shape(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)


def test_no_address_is_there_twice() -> None:
    """Paths that differ in the names of their parameters only would be the same address."""
    paths = openapi_document()["paths"]
    assert len({shape(path) for path in paths}) == len(paths)
    for path, verbs in paths.items():
        for operation in verbs.values():
            names = {each["name"] for each in operation["parameters"] if each.get("in") == "path"}
            assert names == set(re.findall(r"\{([^}]+)\}", path))


def test_every_reference_leads_somewhere() -> None:
    """Whatever a part of the document refers to is in the document."""
    for reference in set(references_in(openapi_document())):
        part: Any = openapi_document()
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    """Each type is a JSON Schema of the dialect that OpenAPI 3.1 is about."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    jsonschema_rs.Draft202012Validator(schema)
    jsonschema_rs.meta.validate(SCHEMAS[name])


def properties_in(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each property of a document's schemas, by its path; not those of a choice's condition."""
    if isinstance(value, dict):
        properties = value.get("properties", {})
        yield from (
            (f"{path}.{name}", each)
            for name, each in properties.items()
            if isinstance(each, dict) and "const" not in each
        )
        for key, inner in value.items():
            yield from properties_in(inner, f"{path}.{key}")
    for index, inner in enumerate(value if isinstance(value, list) else ()):
        yield from properties_in(inner, f"{path}[{index}]")


@pytest.mark.parametrize("document", [openapi_document(), file_schema()], ids=["api", "file"])
def test_every_property_is_described(document: dict[str, Any]) -> None:
    """Each field of a request, an answer or a file says in a sentence what it holds."""
    found = dict(properties_in(document))
    assert found
    assert [path for path, each in found.items() if not is_sentence(each)] == []


def test_every_parameter_is_described() -> None:
    """Each parameter of a path or a query says in a sentence what it holds."""
    parameters = [
        (name, each)
        for name, (_, _, operation) in OPERATIONS.items()
        for each in operation["parameters"]
        if "$ref" not in each
    ]
    assert parameters
    assert [(name, each) for name, each in parameters if not is_sentence(each)] == []


def is_sentence(described: dict[str, Any]) -> bool:
    text = described.get("description", "")
    return text[:1].isupper() and text.endswith(".")


def test_every_description_is_used() -> None:
    """What is said of a field is said of one that exists."""
    of_methods = [each for method in METHODS.values() for each in (method.request, method.response)]
    types = named_types_in([*of_methods, *OF_TYPES, *STATUS_BY_ERROR])
    structs = [each for each in types if not hasattr(each, "__members__")]
    common = {
        field.attribute
        for type_ in structs
        for field in fields_of(type_)
        if not any(field.attribute in OF_TYPES.get(each, ()) for each in type_.__mro__)
    }
    assert COMMON.keys() - common == set()
    for type_, texts in OF_TYPES.items():
        assert texts.keys() <= {field.attribute for field in fields_of(type_)}, type_


@pytest.mark.parametrize(
    "refusal",
    [
        TooLarge(bytes_max=1),
        TooManyRequests(retry_after=1),
        Unavailable(retry_after=1),
    ],
    ids=lambda each: type(each).__name__,
)
def test_numbers_in_errors_are_numbers(refusal: Refusal) -> None:
    """A figure that an error answers as a number is one in the document, too."""
    data = application_error(refusal)["data"]
    schema = SCHEMAS[type(refusal).__name__]
    jsonschema_rs.validate(schema, data)


@pytest.mark.parametrize("name", CONTRACT_METHODS)
def test_the_contracts_errors_are_documented(name: str) -> None:
    """What the contract says that a method may answer stands with the method."""
    codes = {error["code"] for error in CONTRACT_METHODS[name].get("applicationErrors", ())}
    assert codes <= {refusal.code for refusal in METHODS[name].refuses}
    responses = OPERATIONS[name][2]["responses"]
    assert {str(status) for status in refusals_of(METHODS[name])} | {"200"} == responses.keys()


def test_every_error_belongs_to_a_method() -> None:
    """No error that a method may answer is left out of the reference."""
    left_out = {refusal.__name__ for refusal in STATUS_BY_ERROR if refusal not in answered()}
    families = {"NotFound"}
    of_commands = {"JobNotRetryable", "JobNotCancelable"}
    assert left_out <= families | of_commands


@pytest.mark.parametrize("name", [name for name in CONTRACT_METHODS if name.startswith("query")])
def test_the_contracts_query_fields_are_documented(name: str) -> None:
    """What the contract lets a query filter and sort by stands with the method."""
    groups = CONTRACT_METHODS[name]["query"]["groups"]
    declared = {field for group in groups for field in group["fields"]}
    sorted_by = {field for group in groups if group["sort"] != "NONE" for field in group["fields"]}
    assert declared <= set(METHODS[name].fields)
    assert sorted_by <= set(METHODS[name].sortable)
    description = OPERATIONS[name][2]["description"]
    assert all(f"`{field}`" in description for field in declared)


@pytest.mark.anyio
async def test_everybody_may_read_them(service: Service) -> None:
    """Document and page are served without a key."""
    document = await service.client.get("/openapi.json")
    assert (document.status_code, document.content) == (200, openapi_json())
    assert document.headers["content-type"] == "application/json"
    page = await service.client.get("/docs")
    assert (page.status_code, page.content) == (200, reference_page())
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.anyio
async def test_the_root_leads_to_the_console(service: Service) -> None:
    """Who opens the address in a browser gets to the console, below a path of a proxy's too."""
    response = await service.client.get("/")
    assert (response.status_code, response.headers["location"]) == (303, "console/find")
    assert response.headers["x-request-id"]


def test_the_page_needs_nothing_else() -> None:
    """The page loads nothing, and every link in it leads to a part of it or to the document."""
    page = reference_page().decode()
    assert re.findall(r"""(?:src|@import|url\()[^>]*""", page) == []
    targets = set(re.findall(r'href="([^"]+)"', page))
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert {target for target in targets if target.removeprefix("#") not in ids} == {"openapi.json"}
    assert ids >= OPERATIONS.keys() | SCHEMAS.keys()
