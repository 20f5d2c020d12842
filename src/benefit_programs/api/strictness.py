"""Strict mode: callers who ask for it are told of every field that would be ignored.

A request asks by a header; a tenant asks for all its requests by a setting, which the header of a
request overrides. Requests that don't ask are read as the contract says, at no cost.
"""

from __future__ import annotations

from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from benefit_programs.api.messages import AsgiScope, header
from benefit_programs.api.method import Method
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.words import shortened
from benefit_programs.wire.codec import Bulk, Decoded, read_json
from benefit_programs.wire.codec.fields import entries_of
from benefit_programs.wire.codec.query_strings import read_query_string
from benefit_programs.wire.codec.strictness import (
    MISPLACED_FIELD,
    VIOLATIONS_MAX,
    strange_parameters,
    strangers,
    strangers_beside_entries,
    strangers_of_entry,
)

STRICT_HEADER = "x-benefits-strict"

_HEADER = STRICT_HEADER.encode()
_ANSWERS = {"true": True, "false": False}


def is_strict(scope: AsgiScope, settings: TenantSettings) -> bool:
    """Whether a request is read strictly. Raises Invalid for a header that says neither."""
    asked = header(scope, _HEADER)
    if asked is None:
        return settings.strict_requests
    answer = _ANSWERS.get(asked.strip().lower())
    if answer is None:
        raise Invalid.because(STRICT_HEADER, "must be true or false", ViolatedRule.FORMAT)
    return answer


def ignored_fields(method: Method, body: bytes, query: str) -> tuple[FieldViolation, ...]:
    """What a request says that its method would ignore. Raises Invalid for what is no JSON."""
    if method.request_in == "query":
        return _ignored_parameters(method, body, query)
    return (*strangers(method.request, read_json(body)), *_misplaced_parameters(query))


def ignored_beside_entries(method: Method, body: bytes, query: str) -> tuple[FieldViolation, ...]:
    """The same but for what is inside the entries of a bulk request, which are judged alone."""
    if method.bulk_field is None:
        return ignored_fields(method, body, query)
    found = strangers_beside_entries(method.request, read_json(body))
    return (*found, *_misplaced_parameters(query))


def strict_entries(method: Method, bulk: Bulk[Any], body: bytes) -> Bulk[Any]:
    """A bulk request, with a refusal in the place of each entry that has strange fields."""
    field = entries_of(method.request)
    assert field is not None, "a bulk request has entries"
    entries: list[Decoded[Any] | Invalid] = []
    for index, (entry, raw) in enumerate(
        zip(bulk.entries, read_json(body)[field.wire_name], strict=True)
    ):
        found = strangers_of_entry(method.request, field, index, raw)
        before = entry.violations if isinstance(entry, Invalid) else ()
        entries.append(Invalid((*before, *found)) if found else entry)
    return Bulk(bulk.request, tuple(entries))


def _ignored_parameters(method: Method, body: bytes, query: str) -> tuple[FieldViolation, ...]:
    pairs = parse_qsl(query, keep_blank_values=True)
    found = strange_parameters(method.request, (name for name, _ in pairs))
    in_objects = strangers(method.request, read_query_string(method.request, pairs))
    in_body = (_misplaced("", "belongs in the query string, not in a body"),) if body else ()
    return (*found, *in_objects, *in_body)


def _misplaced_parameters(query: str) -> tuple[FieldViolation, ...]:
    names = dict(parse_qsl(query, keep_blank_values=True))
    first = islice(names, VIOLATIONS_MAX)
    return tuple(_misplaced(shortened(name), "belongs in the body") for name in first)


def _misplaced(name: str, description: str) -> FieldViolation:
    return FieldViolation(name, description, ViolatedRule.OTHER, MISPLACED_FIELD)
