"""Write what the client has from the server's own tables: src/benefit_programs/client/generated.

    python -m tools.generate_client

Routes come from the table of methods, enums from the types of requests and answers, filters from
what queries can name, error classes from the refusals and their statuses. The exports are all
public classes and aliases of the client. `make docs` runs this, and a test fails if it is due.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import Enum
from pathlib import Path
from textwrap import wrap
from typing import Any, get_type_hints

from benefit_programs.api.errors import STATUS_BY_ERROR
from benefit_programs.api.method import Method
from benefit_programs.api.methods import METHODS
from benefit_programs.domain import calendar_errors, clock_errors, directory_errors, errors
from benefit_programs.domain.constraints import InstantText
from benefit_programs.domain.people import errors as people_errors
from benefit_programs.domain.values import ItemReference
from benefit_programs.storage.query import Field, FieldKind
from benefit_programs.wire.codec.fields import Shape, fields_of, shape_of
from benefit_programs.wire.codec.naming import to_snake

CLIENT = Path(__file__).resolve().parent.parent / "src" / "benefit_programs" / "client"
GENERATED = CLIENT / "generated"
PACKAGE = "benefit_programs.client"
WIDTH = 100

NOTE = "# Made by tools/generate_client.py (`make docs`): change what it reads.\n"
FUTURE = "from __future__ import annotations\n\n"

# Enums that the client calls by other names, where a request has them; None: not offered.
ENUM_NAMES: dict[str, str | None] = {
    "ProvisionProgramRequest.program_status": "StartStatus",
    "QueryPoolItemsRequest.fields": "PoolItemField",
    "QueryPoolDefinitionItemsRequest.fields": "PoolDefinitionItemField",
    "ChangeBalanceRequest.type": None,
    "IdentificationData.identity_type": None,
    "ItemFilter.type": None,
    "Sorting.order": None,
}
# What is never sent, and what only other servers of the contract answer.
MEMBERS_DROPPED = frozenset({"UNKNOWN_CASCADE"})
MEMBERS_ADDED = {"JobStatus": ["UNKNOWN"]}

ERROR_MODULES = frozenset(
    each.__name__
    for each in (errors, calendar_errors, clock_errors, directory_errors, people_errors)
)
ERROR_KINDS = {400: "BadRequest", 404: "NotFound", 409: "Conflict", 428: "FailedPrecondition"}
# Their classes stand in client/errors.py, for they have more than facts.
WRITTEN_ERRORS = frozenset(
    {
        errors.Invalid,
        errors.NotFound,
        errors.ReferenceNotFound,
        errors.InvalidRevision,
        errors.EligibleAlreadyRedeemed,
        errors.NotEnoughBalance,
        errors.NotEnoughBalanceToRevert,
        errors.BalanceExceededLimits,
        errors.PolicyExpressionEvaluatedToFalse,
    }
)
# What explains the refusal beside its facts, and what an error has already: the answer's status.
NO_FACTS = frozenset({"context", "status"})
CONDITIONS = {FieldKind.INSTANT: "InstantCondition", FieldKind.IDENTITY: "Identity | None"}

# Modules that the client keeps to itself.
INTERNAL = frozenset({"__init__", "base", "exports", "http", "routes", "session"})
CONSTANTS = frozenset({"UNSET"})


def files() -> dict[Path, str]:
    """All files of the folder, with what they must say."""
    made = {
        "__init__.py": f'{NOTE}"""What the client has from the server\'s own tables."""\n',
        "routes.py": routes(),
        "enums.py": enums(),
        "filters.py": filters(),
        "errors.py": error_classes(),
    }
    made["exports.py"] = exports(made)
    return {GENERATED / name: text for name, text in made.items()}


def differing() -> list[str]:
    """The files that are missing, outdated or too many."""
    expected = files()
    present = {path: path.read_text("utf-8") for path in GENERATED.glob("*.py")}
    every = sorted(expected.keys() | present.keys())
    return [path.name for path in every if expected.get(path) != present.get(path)]


def routes() -> str:
    """Where each method is, and what a second attempt does to it."""
    rows = (
        f'    "{name}": Route("{each.verb}", "{each.path}", {_safety(each)}),\n'
        for name, each in METHODS.items()
    )
    return (
        f'{NOTE}"""All methods by their names."""\n\n{FUTURE}'
        f"from {PACKAGE}.core.routes import GONE, ONCE, READ, Route\n\n"
        f"ROUTES: dict[str, Route] = {{\n{''.join(rows)}}}\n"
    )


def _safety(method: Method) -> str:
    if method.only_reads:
        return "READ"
    return "GONE" if method.name.startswith("delete") else "ONCE"


def enums() -> str:
    """The enums of requests and answers."""
    classes = (
        f"\nclass {name}(OpenEnum):\n{_docstring(kind)}\n{_members(name, kind)}"
        for name, kind in sorted(_enums().items())
    )
    return (
        f'{NOTE}"""The enums of the contract. Values of newer servers are kept, as text."""\n\n'
        f"{FUTURE}from {PACKAGE}.types.base import OpenEnum\n{''.join(classes)}"
    )


def _members(name: str, kind: type[Enum]) -> str:
    values = [*(str(each.value) for each in kind), *MEMBERS_ADDED.get(name, ())]
    members = [f'{each} = "{each}";' for each in values if each not in MEMBERS_DROPPED]
    return _lines(members).replace(";\n", "\n")


def _enums() -> dict[str, type[Enum]]:
    seen: set[Any] = set()
    found: dict[str, type[Enum]] = {}
    for method in METHODS.values():
        for place, kind in (*_enums_in(method.request, seen), *_enums_in(method.response, seen)):
            name = ENUM_NAMES.get(place, kind.__name__)
            if name is not None:
                found[name] = kind
    return found


def _enums_in(struct: type[Any], seen: set[Any]) -> Iterator[tuple[str, type[Enum]]]:
    """The enums of a struct and of those below it, each with the first place that has it."""
    for field in fields_of(struct):
        kind = (field.shape.element if field.shape.is_list else field.shape).kind
        if kind in seen or not isinstance(kind, type):
            continue
        seen.add(kind)
        if issubclass(kind, Enum):
            yield f"{struct.__name__}.{field.attribute}", kind
        elif hasattr(kind, "__struct_fields__"):
            yield from _enums_in(kind, seen)


def filters() -> str:
    """What each query can filter and sort by."""
    kinds = _enums()
    blocks, used = [], set()
    for name in sorted(each for each, method in METHODS.items() if method.sortable):
        # The sync client takes "Async" from its own names.
        row = _singular(name.removeprefix("query").removeprefix("Async"))
        conditions = {
            to_snake(key): _condition(field, kinds) for key, field in METHODS[name].fields.items()
        }
        used |= {each.split(" | ")[0] for each in conditions.values()} & kinds.keys()
        blocks.append(_filter(row, conditions) + _sort(row, METHODS[name].sortable))
    return (
        f'{NOTE}"""What queries can filter and sort by, for editors and type checkers."""\n\n'
        f"{FUTURE}from collections.abc import Sequence\n"
        "from typing import Literal, TypeAlias, TypedDict\n\n"
        f"{_import('generated.enums', sorted(used))}"
        f"from {PACKAGE}.types.conditions import InstantCondition, TextCondition\n"
        f"from {PACKAGE}.types.identities import Identity\n{''.join(blocks)}"
    )


def _condition(field: Field, kinds: dict[str, type[Enum]]) -> str:
    if field.kind is not FieldKind.ENUM:
        return CONDITIONS.get(field.kind, "TextCondition")
    (name,) = (each for each, kind in kinds.items() if {str(m.value) for m in kind} == field.names)
    return f"{name} | TextCondition"


def _singular(rows: str) -> str:
    if rows == "People":
        return "Person"
    return f"{rows[:-3]}y" if rows.endswith("ies") else rows.removesuffix("s")


def _filter(row: str, conditions: dict[str, str]) -> str:
    entries = [f'"{name}": {kind},' for name, kind in sorted(conditions.items())]
    several = f'"Sequence[{row}Filter]"'
    entries += [f'"$and": {several},', f'"$or": {several},', f'"$not": "{row}Filter",']
    return (
        f'\n{row}Filter = TypedDict("{row}Filter", {{\n{_lines(entries)}}}, total=False)\n'
        f'"""Which {_plural(row)} to find."""\n'
    )


def _sort(row: str, names: Iterable[str]) -> str:
    entries = [f'"{minus}{to_snake(name)}",' for name in names for minus in ("", "-")]
    return (
        f"{row}Sort: TypeAlias = Literal[\n{_lines(entries)}]\n"
        f'"""What to sort {_plural(row)} by."""\n'
    )


def error_classes() -> str:
    """A class for each refusal of the contract, below that of its status."""
    classes, used = [], set()
    for refusal, status in STATUS_BY_ERROR.items():
        if refusal.__module__ not in ERROR_MODULES or refusal in WRITTEN_ERRORS:
            continue
        facts = _facts(refusal)
        used |= {*re.findall(r"Fact\((\w+)\)", facts)}
        classes.append(
            f'\nclass {refusal.__name__}({ERROR_KINDS[status]}, code="{refusal.code}"):\n'
            f"{_docstring(refusal)}\n{facts}"
        )
    return (
        f'{NOTE}"""The refusals of the contract, and their facts."""\n\n{FUTURE}'
        f"from {PACKAGE}.core.facts import Fact, flag, instant, item, number, text, texts\n"
        f"from {PACKAGE}.errors import {', '.join(ERROR_KINDS.values())}\n"
        f"from {PACKAGE}.generated.enums import {', '.join(sorted(used))}\n{''.join(classes)}"
    )


def _facts(refusal: type[Any]) -> str:
    """The attributes of an error. Raises KeyError for a kind of fact that the client can't read."""
    hints = get_type_hints(refusal, include_extras=True)
    names = [each.name for each in fields(refusal) if each.name not in NO_FACTS]
    return "".join(f"    {name} = {_reader(shape_of(hints[name]))}\n" for name in names)


def _reader(shape: Shape) -> str:
    kind = shape.kind
    if shape.is_list:
        return "texts()"
    if shape.mark(InstantText) is not None:
        return "instant()"
    if issubclass(kind, Enum):
        return f"Fact({kind.__name__})"
    readers = {str: "text()", bool: "flag()", int: "number()", ItemReference: "item()"}
    return readers[kind]


def exports(made: dict[str, str]) -> str:
    """All public classes and aliases of the client, and the list of their names."""
    named = {module: _public_names(text) for module, text in _modules(made) if module}
    named |= {
        module.replace("asynchronous", "synchronous"): [
            name.removeprefix("Async") for name in names
        ]
        for module, names in named.items()
        if module.startswith("asynchronous")
    }
    imports = (_import(module, names) for module, names in sorted(named.items()) if names)
    every = sorted(["policies", *(name for names in named.values() for name in names)])
    listed = _lines([f'"{name}",' for name in every])
    return (
        f'{NOTE}"""What is public."""\n\n{FUTURE}from {PACKAGE} import policies\n'
        f"{''.join(imports)}\n__all__ = [\n{listed}]\n"
    )


def _modules(made: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The modules whose public names are public, with their text."""
    for name, text in made.items():
        if Path(name).stem not in INTERNAL:
            yield f"generated.{Path(name).stem}", text
    for name in ("errors", "webhooks"):
        yield name, (CLIENT / f"{name}.py").read_text("utf-8")
    for folder in ("types", "asynchronous"):
        for path in (CLIENT / folder).glob("*.py"):
            if path.stem not in INTERNAL:
                yield f"{folder}.{path.stem}", path.read_text("utf-8")


def _public_names(text: str) -> list[str]:
    """The classes and aliases that a module defines, and constants that are public."""
    names = [_name_of(node) for node in ast.parse(text).body]
    return sorted(
        name for name in names if name in CONSTANTS or (name[:1].isupper() and not name.isupper())
    )


def _name_of(node: ast.stmt) -> str:
    match node:
        case ast.Assign(value=ast.Call(func=ast.Name("TypeVar"))):
            return ""
        case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(name)]):
            return name
        case ast.AnnAssign(target=ast.Name(name)):
            return name
    return ""


def _import(module: str, names: list[str]) -> str:
    line = f"from {PACKAGE}.{module} import {', '.join(names)}\n"
    if len(line) <= WIDTH:
        return line
    return f"from {PACKAGE}.{module} import (\n{_lines([f'{name},' for name in names])})\n"


def _docstring(kind: type[Any]) -> str:
    """What a class of the server says about itself, without where the contract says it."""
    paragraph = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0]
    said = re.sub(r" \(contract: [^)]*\)", "", " ".join(paragraph.split()))
    return f'    """{said}"""'


def _lines(entries: list[str]) -> str:
    """Entries side by side, in as few lines as they fit."""
    marked = " ".join(each.replace(" ", "\0") for each in entries)
    rows = wrap(marked, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "".join(f"    {row}\n" for row in rows).replace("\0", " ")


def _plural(row: str) -> str:
    words = to_snake(row[0].lower() + row[1:]).replace("_", " ")
    ends_in_y = words.endswith("y") and words[-2] not in "aeiou"
    return f"{words[:-1]}ies" if ends_in_y else f"{words}s"


def main() -> None:
    """Write the files."""
    expected = files()
    GENERATED.mkdir(exist_ok=True)
    for path in set(GENERATED.glob("*.py")) - expected.keys():
        path.unlink()
    for path, text in expected.items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
