"""What a query may name: fields, their kinds, and where their values are stored."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

ColumnType = Literal["uuid", "text", "bigint"]


class FieldKind(Enum):
    """How the values of a field are written, compared and stored."""

    ID = auto()
    """A GUID, lower-cased; a uuid on PostgreSQL, text on SQLite."""
    IDENTITY_ID = auto()
    """The id of an identity or of a provider app; text."""
    EXTERNAL_ID = auto()
    """A caller's own id, kept as given; text."""
    TEXT = auto()
    """Text, compared by code point."""
    ENUM = auto()
    """One of the names of an enum; text."""
    AMOUNT = auto()
    """Credits as decimal text or a whole number; integer units of 1/10,000."""
    INSTANT = auto()
    """ISO-8601 text or ``{"$date": text}``; integer milliseconds."""
    IDENTITY = auto()
    """An object with one of three ids; three nullable text columns."""


COLUMN_TYPES: Mapping[FieldKind, ColumnType] = {
    FieldKind.ID: "uuid",
    FieldKind.IDENTITY_ID: "text",
    FieldKind.EXTERNAL_ID: "text",
    FieldKind.TEXT: "text",
    FieldKind.ENUM: "text",
    FieldKind.AMOUNT: "bigint",
    FieldKind.INSTANT: "bigint",
    FieldKind.IDENTITY: "text",
}

GUIDS_DEFAULT = frozenset({FieldKind.ID, FieldKind.IDENTITY_ID})
"""The kinds whose values must be GUIDs unless a tenant says otherwise."""

GUIDS_STRICT = GUIDS_DEFAULT | {FieldKind.EXTERNAL_ID}
"""Every id must be a GUID, external ones too."""

GUIDS_OPEN = frozenset({FieldKind.ID})
"""Only the service's own ids must be GUIDs."""

IdentityKey = Literal["anonymousVisitorId", "memberId", "wixUserId"]

IDENTITY_TYPES: Mapping[IdentityKey, str] = {
    "anonymousVisitorId": "ANONYMOUS_VISITOR",
    "memberId": "MEMBER",
    "wixUserId": "WIX_USER",
}
"""The ids of an identity, in the order of an identity's columns, and the type each stands for."""


class IdentityColumns(msgspec.Struct, frozen=True):
    """The three columns of an identity; at most one of them is set in a row."""

    anonymous_visitor_id: str
    member_id: str
    wix_user_id: str

    def column(self, key: IdentityKey) -> str:
        if key == "memberId":
            return self.member_id
        return self.wix_user_id if key == "wixUserId" else self.anonymous_visitor_id

    @property
    def any_id(self) -> str:
        return f"COALESCE({self.anonymous_visitor_id}, {self.member_id}, {self.wix_user_id})"

    @property
    def ordered(self) -> str:
        """One text that orders identities: by kind of id, then by id; null if none is set."""
        return (
            f"CASE WHEN {self.anonymous_visitor_id} IS NOT NULL"
            f" THEN 'anonymousVisitorId/' || {self.anonymous_visitor_id}"
            f" WHEN {self.member_id} IS NOT NULL THEN 'memberId/' || {self.member_id}"
            f" ELSE 'wixUserId/' || {self.wix_user_id} END"
        )


TENANT = "{tenant}"
"""What stands for the caller's tenant in a field's look-ups."""

NOW = "{now}"
"""What stands for the moment of a query in the text of a field's tests."""


class LookUp(NamedTuple):
    """Where the ids of rows are found by a value: a statement up to its last condition.

    It ends in a condition, and TENANT stands in it for the tenant. ``column`` holds the value.
    """

    statement: str
    column: str


class NameTest(NamedTuple):
    """What is true of exactly the rows that have a name.

    ``given`` is a part of it that other names may have too, and is said once of all that are meant:
    of alternatives that each contain the condition of a partial index no engine sees that they do.
    """

    name: str
    test: str
    given: str = ""


class Field(msgspec.Struct, frozen=True):
    """One field that a query may filter and sort by.

    ``sql`` is an expression over the aliases of the query's FROM clause, or, for a list field,
    over those of ``list_members``: the part of a subquery after FROM, ending in a WHERE condition
    that ties it to the outer row (``snapshot_benefits b WHERE b.snapshot_id = p.snapshot_id``).
    An identity has ``identity`` in place of ``sql``.

    ``nullable`` says that a row may lack the value. ``empty_is_absent`` says that the column is
    never null, and that "" in it stands for a missing value. ``made_ids`` is the column of the ids
    that are made from the values of an instant: ordering by the field, ties broken by id, is
    ordering by id alone, and a range of the field is a range of ids.

    A field of other rows has ``look_ups``, which find the values of ``sql`` by a value of the
    field. It takes equality and $in alone, and nothing is sorted by it.

    An enum that changes with time has ``tests`` in place of ``sql``: for each of its names what is
    true of exactly the rows that have it, where NOW stands for the moment. One that is stored, but
    whose names have indexes of their own, has both.
    """

    name: str
    sql: str
    kind: FieldKind
    nullable: bool = False
    sortable: bool = True
    names: frozenset[str] = frozenset()
    tests: tuple[NameTest, ...] = ()
    list_members: str | None = None
    identity: IdentityColumns | None = None
    made_ids: str = ""
    empty_is_absent: bool = False
    look_ups: tuple[LookUp, ...] = ()

    def __post_init__(self) -> None:
        assert (self.kind is FieldKind.IDENTITY) == (self.identity is not None), self.name
        assert (self.kind is FieldKind.ENUM) == bool(self.names), self.name
        assert not (self.identity and self.list_members), self.name
        assert not self.tests or {each.name for each in self.tests} == self.names, self.name
        assert not (self.tests and self.sortable and not self.sql), self.name
        assert not (self.look_ups and self.sortable), self.name
        assert not (self.empty_is_absent and (self.nullable or self.list_members)), self.name

    @property
    def is_list(self) -> bool:
        """Whether a row may have several values."""
        return self.list_members is not None
