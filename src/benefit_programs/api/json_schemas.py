"""JSON Schema, draft 2020-12, for values that tenants describe themselves.

A schema comes from outside, so it must not be able to stop the service: it fetches nothing, its
patterns are matched in linear time, and the work that it can ask for is bounded by the number of
its parts, each counted as often as it is referred to. What can't be kept to that is refused when
the schema is registered.

The library finds one violation at once, and all of them only by making an error for each part that
any value failed. So all are named where few comparisons can fail, and elsewhere the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import msgspec

from benefit_programs.domain.errors import FieldViolation, ViolatedRule

SCHEMA_PARTS_MAX = 500
SCHEMA_PATTERNS_MAX = 20
REFERENCE_DEPTH_MAX = 20
PATTERN_BYTES_MAX = 262_144
SCHEMA_VIOLATIONS_MAX = 20
SCHEMA_COMPARISONS_MAX = 5_000
DESCRIPTION_LENGTH_MAX = 300
VALIDATORS_MAX = 256

DRAFT = "https://json-schema.org/draft/2020-12/schema"

Path = list[str | int]

# What holds further schemas; the rest of a schema is limits and examples.
_ONE = frozenset(
    {"additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items"}
    | {"not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"}
)
_LISTED = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "items"})
_NAMED = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas"}
    | {"patternProperties", "properties"}
)
_REFUSED = frozenset({"$dynamicRef", "$recursiveRef"})
_REFUSED_INSIDE = _REFUSED | {"$id"}

_RULES = {
    "type": ViolatedRule.FORMAT,
    "format": ViolatedRule.FORMAT,
    "pattern": ViolatedRule.FORMAT,
    "minLength": ViolatedRule.MIN_LENGTH,
    "maxLength": ViolatedRule.MAX_LENGTH,
    "minItems": ViolatedRule.MIN_SIZE,
    "maxItems": ViolatedRule.MAX_SIZE,
    "minProperties": ViolatedRule.MIN_SIZE,
    "maxProperties": ViolatedRule.MAX_SIZE,
    "minimum": ViolatedRule.MIN,
    "maximum": ViolatedRule.MAX,
    "enum": ViolatedRule.INVALID_ENUM_VALUE,
    "required": ViolatedRule.REQUIRED_FIELD,
    "additionalProperties": ViolatedRule.FIELD_NOT_ALLOWED,
    "unevaluatedProperties": ViolatedRule.FIELD_NOT_ALLOWED,
}


def schema_violation(schema: dict[str, Any], path: str) -> FieldViolation | None:
    """What is wrong about a schema that stands at a path, or None if it can be used."""
    _, found = _measure(schema, path)
    if found is not None:
        return found
    try:
        _compile(schema)
    except jsonschema_rs.ValidationError as error:
        return _about(_joined(path, error.instance_path), _shortened(error.message))
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        return _about(path, _shortened(str(error)))
    return None


def value_violations(schema: dict[str, Any], value: Any, path: str) -> list[FieldViolation]:
    """What a value that stands at a path breaks of a schema that was found usable."""
    validator, parts = _validator(msgspec.json.encode(schema))
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as first:
        errors = [first]
        if parts * _size_of(value) <= SCHEMA_COMPARISONS_MAX:
            errors = list(islice(validator.iter_errors(value), SCHEMA_VIOLATIONS_MAX))
        return [each for error in errors for each in _violations_of(error, path)]
    return []


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(
            size_limit=PATTERN_BYTES_MAX, dfa_size_limit=PATTERN_BYTES_MAX
        ),
        mask="the value",
        offline=True,
    )


@lru_cache(maxsize=VALIDATORS_MAX)
def _validator(schema: bytes) -> tuple[jsonschema_rs.Draft202012Validator, int]:
    """The compiled schema, and how many parts it has."""
    document = msgspec.json.decode(schema)
    parts, _ = _measure(document, "")
    return _compile(document), parts


def _size_of(value: Any) -> int:
    """How many values there are in a value."""
    size, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        size += 1
        if isinstance(each, dict | list):
            waiting += each.values() if isinstance(each, dict) else each
    return size


def _violations_of(error: jsonschema_rs.ValidationError, path: str) -> Iterator[FieldViolation]:
    kind: Any = error.kind
    where = _joined(path, error.instance_path)
    rule = _RULES.get(kind.name, ViolatedRule.VALIDATION)
    description = _shortened(error.message)
    if rule is ViolatedRule.REQUIRED_FIELD:
        yield FieldViolation(_joined(where, [kind.property]), "is required", rule)
    elif rule is ViolatedRule.FIELD_NOT_ALLOWED:
        for name in islice(kind.unexpected, SCHEMA_VIOLATIONS_MAX):
            yield FieldViolation(_joined(where, [name]), "is not in the schema", rule)
    elif rule is ViolatedRule.FORMAT:
        yield FieldViolation(where, description, rule, data={"type": _format_of(kind)})
    else:
        limit = getattr(kind, "limit", None)
        data = {"threshold": limit} if isinstance(limit, int | float) else None
        yield FieldViolation(where, description, rule, data=data)


def _format_of(kind: Any) -> str:
    match kind.name:
        case "type":
            return "_OR_".join(kind.types).upper()
        case "format":
            return str(kind.format).upper()
    return "PATTERN"


# The structure of a schema: what it refers to, and how much work that is.


def _measure(root: dict[str, Any], path: str) -> tuple[int, FieldViolation | None]:
    """How many parts there are, each counted as often as it is referred to, up to what is wrong."""
    if root.get("$schema", DRAFT) != DRAFT:
        return 0, _about(f"{path}.$schema", f"must be {DRAFT}")
    waiting: list[tuple[Any, str, int]] = [(root, path, 0)]
    parts = patterns = 0
    while waiting:
        part, where, depth = waiting.pop()
        parts += 1
        if parts > SCHEMA_PARTS_MAX:
            problem = f"must have at most {SCHEMA_PARTS_MAX} parts, references followed"
            return parts, _about(path, problem)
        if not isinstance(part, dict):
            continue
        patterns += _patterns_in(part)
        if patterns > SCHEMA_PATTERNS_MAX:
            return parts, _about(path, f"must have at most {SCHEMA_PATTERNS_MAX} patterns")
        problem_here = _refused_keyword(part, where, is_root=part is root)
        if problem_here is not None:
            return parts, problem_here
        if "$ref" in part:
            target = _target_of(part["$ref"], root)
            problem_here = _refused_reference(target, f"{where}.$ref", depth)
            if problem_here is not None:
                return parts, problem_here
            pointer = part["$ref"].removeprefix("#").replace("/", ".")
            waiting.append((target, f"{path}{pointer}", depth + 1))
        waiting += [(inner, inner_path, depth) for inner, inner_path in _parts_of(part, where)]
    return parts, None


def _patterns_in(part: dict[str, Any]) -> int:
    named = part.get("patternProperties")
    return ("pattern" in part) + (len(named) if isinstance(named, dict) else 0)


def _refused_keyword(part: dict[str, Any], where: str, *, is_root: bool) -> FieldViolation | None:
    refused = _REFUSED if is_root else _REFUSED_INSIDE
    found = next((name for name in part if name in refused), None)
    return _about(f"{where}.{found}", "can't be used here") if found else None


def _refused_reference(target: Any | None, where: str, depth: int) -> FieldViolation | None:
    if target is None:
        return _about(where, "must be # or #/ and the path of a part that exists")
    if depth == REFERENCE_DEPTH_MAX:
        problem = f"must not go round in a circle, or over {REFERENCE_DEPTH_MAX} references"
        return _about(where, problem)
    return None


def _parts_of(part: dict[str, Any], where: str) -> Iterator[tuple[Any, str]]:
    for name, value in part.items():
        if name in _LISTED and isinstance(value, list):
            yield from ((each, f"{where}.{name}[{index}]") for index, each in enumerate(value))
        elif name in _NAMED and isinstance(value, dict):
            yield from ((each, f"{where}.{name}.{key}") for key, each in value.items())
        elif name in _ONE:
            yield value, f"{where}.{name}"


def _target_of(reference: Any, root: dict[str, Any]) -> Any | None:
    """The part of a schema that a JSON pointer names; None if it doesn't name any."""
    if not isinstance(reference, str) or reference[:1] != "#":
        return None
    found: Any = root
    first, *tokens = unquote(reference[1:]).split("/")
    if first:
        return None
    for token in tokens:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
        else:
            return None
    return found


def _joined(path: str, inner: Path) -> str:
    return path + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in inner)


def _about(path: str, description: str) -> FieldViolation:
    return FieldViolation(path, description, ViolatedRule.VALIDATION)


def _shortened(message: str) -> str:
    if len(message) <= DESCRIPTION_LENGTH_MAX:
        return message
    return message[: DESCRIPTION_LENGTH_MAX - 1] + "…"
