"""A filter that was read: every name resolved, every value checked and in its stored form.

Conditions are two-valued: each is true or not true of a row, whatever the row lacks.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from benefit_programs.storage.query.fields import Field, IdentityKey

Sign = Literal["=", "<>", ">", ">=", "<", "<="]


class IdentityValue(msgspec.Struct, frozen=True):
    key: IdentityKey
    id: str

    @property
    def ordered(self) -> str:
        """The text that orders identities, as stored rows are ordered."""
        return f"{self.key}/{self.id}"


Scalar: TypeAlias = str | int | IdentityValue


class Compare(msgspec.Struct, frozen=True):
    """The value stands in this relation. Only ``<>``, never of a list, is true of an absent one."""

    field: Field
    sign: Sign
    value: Scalar


class OneOf(msgspec.Struct, frozen=True):
    """The value, or a member of the list, is one of these."""

    field: Field
    values: tuple[Scalar, ...]


class StartsWith(msgspec.Struct, frozen=True):
    """The value as text, or that of a member, starts with this, upper or lower case."""

    field: Field
    prefix: str


class Exists(msgspec.Struct, frozen=True):
    """There is a value, or the list has a member."""

    field: Field


class Missing(msgspec.Struct, frozen=True):
    """There is no value, or the list has no member."""

    field: Field


class HasAll(msgspec.Struct, frozen=True):
    """Each of these, at least two, is a member of the list."""

    field: Field
    values: tuple[Scalar, ...]


class HasNoOther(msgspec.Struct, frozen=True):
    """Every member of the list is one of these."""

    field: Field
    values: tuple[Scalar, ...]


class And(msgspec.Struct, frozen=True):
    """All parts are true; with no parts, true of every row."""

    parts: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True):
    """One part is true; with no parts, true of no row."""

    parts: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True):
    """The part is not true."""

    part: Node


Node: TypeAlias = (
    Compare | OneOf | StartsWith | Exists | Missing | HasAll | HasNoOther | And | Or | Not
)

EVERYTHING = And(())
NOTHING = Or(())


def conjunction(parts: list[Node]) -> Node:
    """Join conditions that must all hold, nested conjunctions made flat."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, And):
            flat.extend(part.parts)
        else:
            flat.append(part)
    return And(tuple(flat))


def pinned_fields(node: Node) -> frozenset[str]:
    """Name the fields that the top conjunction holds to given values.

    The names are the fields' own, also where the filter used an alias.
    """
    return frozenset(
        part.field.name
        for part in parts_of(node)
        if isinstance(part, OneOf | HasAll) or (isinstance(part, Compare) and part.sign == "=")
    )


def present_fields(node: Node) -> frozenset[str]:
    """Name the fields of which the top conjunction finds no row without a value."""
    return frozenset(
        part.field.name
        for part in parts_of(node)
        if isinstance(part, Exists) or (isinstance(part, Compare) and part.sign != "<>")
    )


def parts_of(node: Node) -> tuple[Node, ...]:
    """The conditions that must all hold."""
    return node.parts if isinstance(node, And) else (node,)
