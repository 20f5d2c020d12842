"""The fields of every request, from the contract's own data and what differs on purpose."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent / "data"
METHODS: dict[str, dict[str, Any]] = json.loads((DATA / "methods.json").read_text())
TYPES: dict[str, dict[str, dict[str, Any]]] = json.loads((DATA / "types.json").read_text())
ENUMS: dict[str, dict[str, list[str]]] = json.loads((DATA / "enums.json").read_text())
DEVIATIONS: dict[str, list[dict[str, Any]]] = json.loads((DATA / "deviations.json").read_text())

ENTITIES = frozenset({"ProgramDefinition", "PoolDefinition", "Program", "Pool", "Item"})
MADE_BY_SERVER = frozenset({"id", "revision", "createdDate", "updatedDate"})


class RequestField(NamedTuple):
    """A field somewhere in a request: where, and what the contract says about it."""

    path: str
    """As violations name it; lists stand with their first entry: ``items[0].namespace``."""
    name: str
    """The field's own: ``items.Item.namespace``."""
    module: str
    contract: dict[str, Any]
    is_ignored: bool

    @property
    def base_type(self) -> str:
        """What it holds, or what its list holds."""
        return str(self.contract["type"]).removesuffix("[]")

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return str(self.contract["type"]).endswith("[]")

    @property
    def is_mask(self) -> bool:
        """Whether it is a field mask, which has three forms."""
        return self.path.endswith("fieldMask")

    def matching(self, kind: str) -> list[dict[str, Any]]:
        """The deviations of a kind that are about this field."""
        return [each for each in DEVIATIONS[kind] if fnmatchcase(self.name, each["field"])]


def fields_of_request(method: str) -> list[RequestField]:
    """All fields that a method's request may hold, those inside others too."""
    contract = METHODS[method]
    return list(_fields(method, contract["module"], contract["request"], "", frozenset()))


def _fields(
    method: str, module: str, type_: str, prefix: str, seen: frozenset[str]
) -> Iterator[RequestField]:
    for name, said in TYPES[module][type_]["fields"].items():
        field = RequestField(prefix + name, f"{module}.{type_}.{name}", module, said, False)
        for deviation in field.matching("limits"):
            field = field._replace(contract=field.contract | deviation["set"])
        field = field._replace(is_ignored=_is_ignored(method, type_, name, field.contract))
        yield field
        inner = field.base_type
        if inner in TYPES[module] and inner not in seen and not field.is_ignored:
            inside = f"{field.path}{'[0]' * field.is_list}."
            yield from _fields(method, module, inner, inside, seen | {type_})


def _is_ignored(method: str, type_: str, name: str, said: dict[str, Any]) -> bool:
    """Whether the service takes no notice of what a client sends (contract: Revisions, PATCH)."""
    if type_ == "TransactionDetails":  # what a change of a balance creates
        return bool(said.get("readonly")) and not said.get("immutable", False)
    if type_ not in ENTITIES:
        return bool(said.get("readonly"))
    if "reate" in method:
        return name in MADE_BY_SERVER or (
            bool(said.get("readonly")) and not said.get("immutable", False)
        )
    if name in {"id", "revision"}:
        return False
    return bool(said.get("readonly") or said.get("immutable"))


def choices_of_request(method: str) -> Iterator[tuple[str, list[str], bool]]:
    """Each choice between fields: where the object is, the fields, and whether one is needed."""
    contract = METHODS[method]
    owners = {"": contract["request"]}
    for field in fields_of_request(method):
        if not field.is_ignored:
            owners[field.path + "[0]" * field.is_list] = field.base_type
    for path, type_ in owners.items():
        fields = TYPES[contract["module"]].get(type_, {}).get("oneOf", ())
        if len(fields) > 1:
            yield path, list(fields), type_ != "Filter"
