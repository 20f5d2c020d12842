"""The pages of docs/reference about methods: one of all, and one of each family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.api.openapi import NOTES, openapi_document, path_of, tag_of
from benefit_programs.api.reference.page import facts_of, type_of
from benefit_programs.api.reference.refusals import BY_EVERY_METHOD, RESERVED, description_of
from benefit_programs.cli.example_calls import calls_of
from benefit_programs.cli.markdown import GENERATED, joined, table
from benefit_programs.domain.errors import Refusal
from benefit_programs.wire.schemas import PLACE

Document = dict[str, Any]

FIELDS = ("Field", "Type", "Meaning", "Rules")
OK = 200

_INTRODUCTION = (
    """Each family of methods has a page: what a method does, what it takes and answers, its errors,
and an example. The same for machines: [openapi.json](openapi.json).""",
    NOTES.strip(),
    """How to filter, sort and page: see [Queries](queries.md). What every method may refuse, and
all other errors: see [Errors](errors.md).""",
    """In examples `client` is the [Python client](../how-to/python-sdk.md) or the
[official JavaScript SDK](../how-to/use-the-official-sdk.md), which has no additions. Answers are
the service's own, with other ids and dates, and two entries of a list at most.""",
)


def methods_pages(examples: Mapping[str, Document]) -> dict[str, str]:
    """The pages by their names; ``examples`` has a request and its answer of methods."""
    families: dict[str, list[Method]] = {}
    for method in METHODS.values():
        families.setdefault(tag_of(method), []).append(method)
    pages = {
        f"methods/{slug_of(tag)}.md": joined(_family(tag, methods, examples))
        for tag, methods in families.items()
    }
    return {"methods.md": joined(_overview(families)), **pages}


def slug_of(tag: str) -> str:
    """The name of a family's page."""
    return tag.lower().replace(" ", "-")


def link_to(method: Method, folder: str = "methods/") -> str:
    """A link to a method, from the folder of the reference unless another way is said."""
    return f"[{method.name}]({folder}{slug_of(tag_of(method))}.md#{method.name.lower()})"


def _overview(families: Mapping[str, list[Method]]) -> Iterator[str]:
    yield from ("# Methods", GENERATED, *_INTRODUCTION)
    for tag, methods in families.items():
        yield f"## {tag}"
        rows = ((link_to(each), _route(each), _summary(each)) for each in methods)
        yield table(("Method", "Route", "What it does"), rows)


def _route(method: Method) -> str:
    return f"`{method.verb} {path_of(method)}`"


def _summary(method: Method) -> str:
    addition = " An addition to the contract." if method.is_addition else ""
    return f"{_operation(method)['summary']}{addition}"


def _operation(method: Method) -> Document:
    found: Document = openapi_document()["paths"][path_of(method)][method.verb.lower()]
    return found


def _family(tag: str, methods: Sequence[Method], examples: Mapping[str, Document]) -> Iterator[str]:
    yield from (f"# {tag}", GENERATED, "All families: [Methods](../methods.md).")
    yield "\n".join(f"- [{each.name}](#{each.name.lower()}): {_summary(each)}" for each in methods)
    for method in methods:
        yield from _method(method)
        if method.name in examples:
            yield from _example(method, examples[method.name])


def _method(method: Method) -> Iterator[str]:
    operation = _operation(method)
    yield from (f"## {method.name}", _summary(method), _route(method))
    yield operation.get("description", "")
    yield _rights(method)
    yield from _named("Parameters", table(FIELDS, _parameter_rows(operation["parameters"])))
    if "requestBody" in operation:
        yield from _body("Request", operation["requestBody"], _request_rows)
    yield from _body("Answer", operation["responses"]["200"], _answer_rows)
    errors = table(("Status", "Code", "What happened", "Data"), _error_rows(method))
    yield from _named("Errors", errors)


def _rights(method: Method) -> str:
    permissions = [f"`{each}`" for each in method.permission_ids]
    between = " or " if method.takes_any else ", "
    also = f", for apps {between.join(permissions)}" if permissions else ""
    return f"Needs `{method.scope}`{also}."


def _named(name: str, content: str) -> Iterator[str]:
    if content:
        yield f"**{name}**"
        yield content


def _parameter_rows(parameters: Iterable[Document]) -> Iterator[tuple[str, ...]]:
    for each in parameters:
        if "$ref" not in each:
            facts = facts_of(each["schema"], required=each.get("required", False))
            holds = "; ".join([f"in the {each['in']}", *facts])
            yield f"`{each['name']}`", _type_of(each["schema"]), each.get("description", ""), holds


def _body(
    name: str, holder: Document, rows_of: Callable[[Document], Iterator[tuple[str, ...]]]
) -> Iterator[str]:
    schema = holder["content"]["application/json"]["schema"]
    rows = list(rows_of(_named_schema(schema)))
    yield f"**{name}**: {_type_of(schema)}{'' if rows else ', which is empty'}"
    yield table(FIELDS, rows)


def _named_schema(schema: Document) -> Document:
    """What a reference stands for; empty for what has no name."""
    name = schema.get("$ref", "").removeprefix(PLACE)
    found: Document = openapi_document()["components"]["schemas"].get(name, {})
    return found


def _request_rows(schema: Document, prefix: str = "") -> Iterator[tuple[str, ...]]:
    """The fields that callers may send, and those of its parts; deeper ones are with their type."""
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        if not inner.get("readOnly"):
            facts = facts_of(inner, required=name in required)
            yield _row(prefix + name, inner, facts)
            if not prefix:
                yield from _request_rows(_named_schema(inner), f"{name}.")


def _answer_rows(schema: Document) -> Iterator[tuple[str, ...]]:
    for name, inner in schema.get("properties", {}).items():
        facts = facts_of(inner, required=False)
        yield _row(name, inner, [fact for fact in facts if fact != "set by the service"])


def _row(name: str, schema: Document, facts: Iterable[str]) -> tuple[str, ...]:
    return f"`{name}`", _type_of(schema), schema.get("description", ""), "; ".join(facts)


def _error_rows(method: Method) -> Iterator[tuple[str, ...]]:
    for refusal in sorted(method.refuses, key=STATUS_BY_ERROR.__getitem__):
        if refusal not in BY_EVERY_METHOD:
            yield str(STATUS_BY_ERROR[refusal]), f"`{refusal.code}`", *said_of(refusal)


def said_of(refusal: type[Refusal]) -> tuple[str, str]:
    """What an error means, and the names of its data."""
    schemas = openapi_document()["components"]["schemas"]
    data = schemas.get(refusal.__name__, {}).get("properties", {})
    reserved = " Reserved: not sent yet." * (refusal in RESERVED)
    return description_of(refusal) + reserved, ", ".join(f"`{name}`" for name in data)


def _type_of(schema: Document) -> str:
    return type_of(schema, lambda name: f"[{name}](../types.md#{name.lower()})")


def _example(method: Method, example: Document) -> Iterator[str]:
    yield "**Example**"
    for call in calls_of(method, example):
        yield f"{call.title}:"
        yield f"```{call.language}\n{call.code}\n```"
    status = "" if example["status"] == OK else f" ({example['status']})"
    yield f"Answer{status}:"
    answer = msgspec.json.format(msgspec.json.encode(example["answer"]), indent=2).decode()
    yield f"```json\n{answer}\n```"
