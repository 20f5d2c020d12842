"""What differs between the engines that a query may run on."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from benefit_programs.storage.query.fields import ColumnType


class Dialect(Protocol):
    """How one engine writes what SQL leaves open. Rows order the same on every engine."""

    def __hash__(self) -> int: ...

    @property
    def nulls_are_least(self) -> bool:
        """Whether nulls come first in ascending order by default."""

    def bare(self, number: int) -> str:
        """Stand for parameter ``number`` where a column beside it tells the type."""

    def placeholder(self, number: int, column_type: ColumnType) -> str:
        """Stand for parameter ``number``, counted from 1."""

    def within(self, expression: str, number: int, column_type: ColumnType) -> str:
        """Test that the expression is a member of the list that parameter ``number`` holds."""

    def list_parameter(self, values: Sequence[str | int]) -> object:
        """Bring a list into the form that the driver takes for ``within``."""

    def text_of(self, expression: str, column_type: ColumnType) -> str:
        """Write an expression of a type as text: a GUID in lower case, an instant in ISO-8601."""

    def starts_with(self, text: str, number: int) -> str:
        """Test that a text starts with parameter ``number``, upper or lower case."""

    def starts_with_parameter(self, prefix: str) -> str:
        """Bring a prefix into the form that ``starts_with`` compares."""

    def greater_of(self, first: str, second: str) -> str:
        """Write the greater one of two expressions, neither of which is null."""

    def derived_id(self, first: str, second: str) -> str:
        """Write the GUID that `derive_id` makes of two, on every engine the same."""

    def through_first(self, source: str) -> str:
        """Write inner joins so that the first table is gone through, whatever else has an index."""


class SqliteDialect(msgspec.Struct, frozen=True):
    """SQLite with the functions of `register_functions`."""

    @property
    def nulls_are_least(self) -> bool:
        return True

    def bare(self, number: int) -> str:
        return f"?{number}"

    def placeholder(self, number: int, column_type: ColumnType) -> str:  # noqa: ARG002 - untyped
        return f"?{number}"

    def within(self, expression: str, number: int, column_type: ColumnType) -> str:  # noqa: ARG002 - untyped
        """Read the list from JSON, which keeps an index on the expression usable."""
        return f"{expression} IN (SELECT value FROM json_each(?{number}))"

    def list_parameter(self, values: Sequence[str | int]) -> object:
        return msgspec.json.encode(values).decode()

    def text_of(self, expression: str, column_type: ColumnType) -> str:
        """Write instants from whole seconds and the rest, free of rounding."""
        if column_type != "bigint":
            return expression
        return (
            f"strftime('%Y-%m-%dT%H:%M:%S.', ({expression}) / 1000, 'unixepoch')"
            f" || printf('%03dZ', ({expression}) % 1000)"
        )

    def starts_with(self, text: str, number: int) -> str:
        return f"substr(casefold({text}), 1, length(?{number})) = ?{number}"

    def starts_with_parameter(self, prefix: str) -> str:
        return prefix.casefold()

    def greater_of(self, first: str, second: str) -> str:
        """Call ``max``, which compares when it has two arguments."""
        return f"max({first}, {second})"

    def derived_id(self, first: str, second: str) -> str:
        return f"derive_id({first}, {second})"

    def through_first(self, source: str) -> str:
        """Write them as cross joins, whose order SQLite keeps."""
        return source.replace(" JOIN ", " CROSS JOIN ")


class PostgresDialect(msgspec.Struct, frozen=True):
    """PostgreSQL. Text columns are declared COLLATE "C", so that they order by code point.

    ``has_casefold``: the server has the function of that name and its full Unicode collation
    (18 and later); older ones compare in lower case, which treats a few letters differently.
    """

    has_casefold: bool = True

    @property
    def nulls_are_least(self) -> bool:
        return False

    def bare(self, number: int) -> str:
        return f"${number}"

    def placeholder(self, number: int, column_type: ColumnType) -> str:
        """Write ``$n`` with its type, which the server can't infer everywhere."""
        return f"${number}::{column_type}"

    def within(self, expression: str, number: int, column_type: ColumnType) -> str:
        return f"{expression} = ANY(${number}::{column_type}[])"

    def list_parameter(self, values: Sequence[str | int]) -> object:
        return list(values)

    def text_of(self, expression: str, column_type: ColumnType) -> str:
        if column_type == "text":
            return expression
        if column_type == "uuid":
            return f"({expression})::text"
        return (
            f"to_char(timestamp 'epoch' + ({expression}) * interval '1 millisecond',"
            ' \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')'
        )

    def starts_with(self, text: str, number: int) -> str:
        """Let the server fold both sides, so that they never follow two versions of Unicode."""
        if self.has_casefold:
            return (
                f'starts_with(casefold(({text}) COLLATE "pg_unicode_fast"),'
                f' casefold(${number}::text COLLATE "pg_unicode_fast"))'
            )
        return (
            f'starts_with(lower(({text}) COLLATE "default"),'
            f' lower(${number}::text COLLATE "default"))'
        )

    def starts_with_parameter(self, prefix: str) -> str:
        return prefix

    def greater_of(self, first: str, second: str) -> str:
        return f"GREATEST({first}, {second})"

    def derived_id(self, first: str, second: str) -> str:
        return f"md5({first}::text || '/' || {second}::text)::uuid"

    def through_first(self, source: str) -> str:
        """Leave it to the planner, who sees by the limits how few rows are meant."""
        return source


def register_functions(connection: apsw.Connection) -> None:
    """Give a SQLite connection the functions that compiled queries call."""
    connection.create_scalar_function("casefold", fold_case, 1, deterministic=True)
    connection.create_scalar_function("derive_id", derive_id, 2, deterministic=True)


def fold_case(*values: apsw.SQLiteValue) -> apsw.SQLiteValue:
    """Fold the case of one text by Unicode's full rules; null stays null."""
    (text,) = values
    return text.casefold() if isinstance(text, str) else text


def derive_id(*values: apsw.SQLiteValue) -> apsw.SQLiteValue:
    """Make the GUID of what two GUIDs stand for together: always the same one, and no other's."""
    first, second = values
    digest = md5(f"{first}/{second}".encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
