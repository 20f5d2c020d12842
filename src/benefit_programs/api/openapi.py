"""The OpenAPI document (3.1), made from the table of methods and the types of the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any

import msgspec

from benefit_programs import __version__
from benefit_programs.api.errors import STATUS_BY_ERROR, TooManyRequests
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.api.reference.links import links_of
from benefit_programs.api.reference.refusals import (
    BY_EVERY_METHOD,
    RESERVED,
    description_of,
    refusals_of,
)
from benefit_programs.api.streams import EVENT_STREAM
from benefit_programs.api.tables import CSV
from benefit_programs.domain.constraints import ReadOnly
from benefit_programs.domain.errors import FieldViolation, Invalid, InvalidRevision, Refusal
from benefit_programs.domain.explanations import PoolContext
from benefit_programs.wire.codec.fields import FieldPlan, fields_of
from benefit_programs.wire.codec.naming import to_one_word
from benefit_programs.wire.schemas import PLACE, Schema, Schemas, about, held_by
from benefit_programs.wire.types.balances import ChangeBalanceResponse
from benefit_programs.wire.types.lots import ExpireLotResponse, GrantCreditsResponse
from benefit_programs.wire.types.overviews import GetOverviewResponse
from benefit_programs.wire.types.people import LookUpPeopleResponse, SearchPeopleResponse
from benefit_programs.wire.types.pools import CancelRedemptionResponse
from benefit_programs.wire.types.statements import GetStatementResponse

JSON = "application/json"
REQUEST_ID_PATTERN = "^[!-~]{1,128}$"

NOTES = """\
Success is always HTTP 200 with a JSON body, which may be `{}`. Absent values are left out of
answers. Every path also works under `/_api`.

Requests may write names in lowerCamelCase, as here, or in snake_case, except keys of free-form
objects. `null` means absent; in a change it clears the field. Unknown fields and fields marked as
read-only are ignored, so an entity that was read can be sent back as it is. GUIDs may be in any
case; answers have lower case. Dates may have an offset; answers have UTC, cut to milliseconds.
Credits may also be whole JSON numbers, and 64-bit integers JSON numbers.

Parameters of GET and DELETE have dotted names; lists repeat the name.

Send the key in the header `authorization`, as it is or after `Bearer`. Every answer has the
request's id in `x-request-id` and `x-wix-request-id`: the caller's own if it sent one.
"""

_ANSWER_HEADERS = ("x-request-id", "x-wix-request-id")
_REQUEST_HEADERS = ("WixSiteId", "RequestId")


MAY_LACK: dict[type[Any], frozenset[str]] = {
    **{
        each: frozenset({"transactionId"})
        for each in (
            ChangeBalanceResponse,
            GrantCreditsResponse,
            ExpireLotResponse,
            CancelRedemptionResponse,
        )
    },
    GetStatementResponse: frozenset({"summary"}),
    GetOverviewResponse: frozenset({"person"}),
    LookUpPeopleResponse: frozenset({"providerProblem"}),
    SearchPeopleResponse: frozenset({"providerProblem"}),
}
"""What an answer has only at times.

What changes nothing makes no transaction. Only the first page of a statement sums it up.
"""


@cache
def openapi_document() -> dict[str, Any]:
    """The whole document. Callers must not change it."""
    methods = tuple(METHODS.values())
    schemas = _schemas_of(methods)
    paths: dict[str, dict[str, Any]] = {}
    for method in methods:
        paths.setdefault(path_of(method), {})[method.verb.lower()] = _operation(method, schemas)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Benefit programs",
            "version": __version__,
            "description": NOTES,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}, {"url": "/_api", "description": "The same, for the SDK"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(map(tag_of, methods))],
        "paths": paths,
        "components": _components(schemas),
    }


@cache
def openapi_json() -> bytes:
    """The document as it is served and committed."""
    return msgspec.json.format(msgspec.json.encode(openapi_document()), indent=2) + b"\n"


def path_of(method: Method) -> str:
    """The path, the same for all methods at one address: parameters are named by one word."""
    path = method.path
    for dotted in method.path_parameters:
        path = path.replace(dotted, to_one_word(dotted))
    return path


def tag_of(method: Method) -> str:
    """The family of a method: "Pool definitions"."""
    words = method.request.__module__.rpartition(".")[2].replace("_", " ").capitalize()
    return words.replace("Api ", "API ")


def _schemas_of(methods: Iterable[Method]) -> Schemas:
    types: list[type[Any]] = []
    given: dict[type[Any], frozenset[str]] = {}
    for method in methods:
        types.append(method.response)
        if method.request_in == "body":
            types.append(method.request)
            given |= _given_by_path(method)
        else:
            types += held_by(method.request)
    full = {method.response: MAY_LACK.get(method.response, frozenset()) for method in methods}
    return Schemas([*types, FieldViolation, *_refusals_with_data()], given=given, full=full)


def _refusals_with_data() -> list[type[Refusal]]:
    of_methods = chain.from_iterable(method.refuses for method in METHODS.values())
    known = dict.fromkeys((*BY_EVERY_METHOD, *of_methods))
    return [refusal for refusal in known if fields_of(refusal) and refusal is not Invalid]


def _given_by_path(method: Method) -> dict[type[Any], frozenset[str]]:
    given: dict[type[Any], frozenset[str]] = {}
    for dotted in method.path_parameters:
        owner = method.request
        *outer, name = dotted.split(".")
        for step in outer:
            given.setdefault(owner, frozenset())
            owner = _field(owner, step).shape.kind
        given[owner] = given.get(owner, frozenset()) | {name}
    return given


def _field(type_: type[Any], name: str) -> FieldPlan:
    return next(field for field in fields_of(type_) if field.wire_name == name)


def _operation(method: Method, schemas: Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": method.name,
        "tags": [tag_of(method)],
        "summary": about(method.request),
        "security": [{"key": [str(method.scope)]}],
        "x-scope": str(method.scope),
        f"x-{'any-of-' * method.takes_any}permission-ids": list(method.permission_ids),
        "parameters": [*_parameters(method, schemas), *_header_parameters()],
        "responses": _responses(method, schemas),
    }
    notes = list(_notes(method))
    if notes:
        operation["description"] = "\n\n".join(notes)
    if method.request_in == "body":
        content = {JSON: {"schema": schemas.reference(method.request)}}
        operation["requestBody"] = {"content": content, "required": _needs_body(method)}
    return operation


def _needs_body(method: Method) -> bool:
    in_path = method.path_parameters
    return any(
        field.required and field.wire_name not in in_path for field in fields_of(method.request)
    )


def _notes(method: Method) -> Iterator[str]:
    if method.for_administrators:
        yield "Only an administrator's key may call it."
    if method.follower is not None:
        yield (
            f"With `accept: {EVENT_STREAM}` the answer goes on: each event is sent when it happens,"
            " with its cursor as its id. The header `Last-Event-ID` goes on behind that event."
        )
    if method.table is not None:
        yield f"With `accept: {CSV}` the answer is a table."
    if method.fields:
        yield f"Filterable fields, with every operator: {_quoted(method.fields)}."
    if method.sortable:
        yield f"Sortable fields: {_quoted(method.sortable)}."
    if method.indexed:
        yield (
            f"Indexed fields: {_quoted(method.indexed)}. Equality on one of them, in the default"
            " order, takes as long in a large database as in a small one. Any other query may have"
            " to read all rows of the tenant; when it takes too long it ends with 503"
            " `STATEMENT_TIMEOUT`."
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _header_parameters() -> list[Schema]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in _REQUEST_HEADERS]


def _parameters(method: Method, schemas: Schemas) -> Iterator[Schema]:
    for dotted in method.path_parameters:
        owner = method.request
        *outer, name = dotted.split(".")
        for step in outer:
            owner = _field(owner, step).shape.kind
        schema = schemas.of_field(owner, _field(owner, name))
        yield _parameter(to_one_word(dotted), "path", schema, required=True)
    if method.request_in == "query":
        yield from _query_parameters(method.request, schemas, frozenset(method.path_parameters))


def _query_parameters(
    type_: type[Any], schemas: Schemas, in_path: frozenset[str], prefix: str = ""
) -> Iterator[Schema]:
    for field in fields_of(type_):
        name = prefix + field.wire_name
        if name in in_path or field.shape.mark(ReadOnly):
            continue
        if field.shape.is_struct:
            yield from _query_parameters(field.shape.kind, schemas, in_path, f"{name}.")
            continue
        schema = schemas.of_field(type_, field)
        if field.shape.is_list and field.shape.element.is_struct:
            entry = {"type": "string", "contentMediaType": JSON, "contentSchema": schema["items"]}
            schema = schema | {"items": entry}
        yield _parameter(name, "query", schema, required=field.required)


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> Schema:
    """A parameter, which says itself what it holds."""
    text = schema.pop("description", "")
    facts = {"name": name, "in": place, "description": text, "required": required}
    return facts | {"schema": schema}


def _responses(method: Method, schemas: Schemas) -> dict[str, Any]:
    answer = {
        "description": about(method.response),
        "headers": _headers(),
        "content": {JSON: {"schema": schemas.reference(method.response)}},
    }
    links = links_of(method)
    if links:
        answer["links"] = links
    responses: dict[str, Any] = {"200": answer}
    for status, refusals in refusals_of(method).items():
        if all(refusal in BY_EVERY_METHOD for refusal in refusals):
            responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
        else:
            responses[str(status)] = _response(refusals, schemas)
    return responses


def _response(refusals: list[type[Refusal]], schemas: Schemas) -> dict[str, Any]:
    retried = {"retry-after": {"$ref": "#/components/headers/retry-after"}}
    data = {each.code: schemas.reference(each) for each in refusals if each in schemas.names}
    return {
        "description": "\n".join(f"- {_line_of(refusal)}" for refusal in refusals),
        "headers": _headers() | (retried if refusals == [TooManyRequests] else {}),
        "content": {JSON: {"schema": {"$ref": f"{PLACE}Error"}}},
        **({"x-data": data} if data else {}),
    }


def _line_of(refusal: type[Refusal]) -> str:
    reserved = " Reserved: not sent yet." if refusal in RESERVED else ""
    return f"`{refusal.code}`: {description_of(refusal)}{reserved}"


def _headers() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _ANSWER_HEADERS}


def _components(schemas: Schemas) -> dict[str, Any]:
    statuses = dict.fromkeys(sorted(STATUS_BY_ERROR[each] for each in BY_EVERY_METHOD))
    request_id = {"type": "string", "pattern": REQUEST_ID_PATTERN}
    header = {"schema": request_id, "required": True, "description": "The id of the request."}
    key = {"type": "apiKey", "in": "header", "name": "authorization"}
    site = "Which site to act for; needed only by a key of several."
    echoed = "Echoed by the answer, if it is 1 to 128 visible characters of ASCII."
    return {
        "securitySchemes": {"key": key | {"description": "A key, as it is or after `Bearer`."}},
        "parameters": {
            "WixSiteId": _header_parameter("wix-site-id", {"type": "string"}, site),
            "RequestId": _header_parameter("x-request-id", {"type": "string"}, echoed),
        },
        "headers": {
            **dict.fromkeys(_ANSWER_HEADERS, header),
            "retry-after": {
                "schema": {"type": "integer", "minimum": 1},
                "required": True,
                "description": "When to try again, in seconds.",
            },
        },
        "responses": {
            str(status): _response(
                [each for each in BY_EVERY_METHOD if STATUS_BY_ERROR[each] == status], schemas
            )
            for status in statuses
        },
        "schemas": dict(sorted((_all_schemas(schemas) | {"Error": _error_schema()}).items())),
    }


def _header_parameter(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "header", "schema": schema, "description": description}


def _all_schemas(schemas: Schemas) -> dict[str, Schema]:
    """All of them, with the data of errors as answers write it."""
    written = schemas.all()
    about_pool = written[schemas.names[PoolContext]]["properties"]
    for refusal in _refusals_with_data():
        properties = written[schemas.names[refusal]]["properties"]
        if properties.pop("context", None):
            properties |= about_pool
    revision = written[schemas.names[InvalidRevision]]
    revision["properties"] = {"revisionViolation": dict(revision, description="Whose it is.")}
    revision["required"] = ["revisionViolation"]
    return written


def _error_schema() -> Schema:
    violations = {"type": "array", "items": {"$ref": f"{PLACE}FieldViolation"}, "minItems": 1}
    application_error = {
        "type": "object",
        "properties": {
            "code": {
                "type": "string",
                "pattern": "^[A-Z][A-Z_]+$",
                "description": "What happened, as a name for programs.",
            },
            "description": {"type": "string", "description": "What happened, for people."},
            "data": {"type": "object", "description": "What the code stands for, in figures."},
        },
        "required": ["code", "description", "data"],
    }
    violations["description"] = "Each field that breaks a rule, with the rule."
    broken = _closed("All that is wrong.", fieldViolations=violations)
    application_error["description"] = "What the state doesn't allow."
    kinds = [
        _closed("The state doesn't allow it.", applicationError=application_error),
        _closed("The request is not valid.", validationError=broken),
    ]
    return _closed(
        "Every error's body.",
        message={"type": "string", "description": "What happened, for people."},
        details={"oneOf": kinds, "description": "What happened, for programs."},
    )


def _closed(description: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
