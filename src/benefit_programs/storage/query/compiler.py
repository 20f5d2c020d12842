"""From a tree of conditions, an order and a position to SQL text and its parameters.

Every value becomes a parameter. The text depends on the shape of a query alone, so that equal
shapes share one prepared statement. Plain equalities of a conjunction stay ``column = parameter``,
which is what indexes are found by.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import msgspec

from benefit_programs.domain.values import first_id
from benefit_programs.storage.query.fields import (
    COLUMN_TYPES,
    NOW,
    TENANT,
    ColumnType,
    Field,
    IdentityKey,
)
from benefit_programs.storage.query.tree import (
    And,
    Compare,
    Exists,
    HasAll,
    HasNoOther,
    IdentityValue,
    Missing,
    Node,
    Not,
    OneOf,
    Or,
    Scalar,
    Sign,
    StartsWith,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benefit_programs.storage.query.dialects import Dialect
    from benefit_programs.storage.query.spec import QuerySpec

SEPARATE_TESTS_MAX = 3
"""Up to so many members are looked up one by one, which may use an index; more are counted."""

KeyValue = str | int | None


class Statement(msgspec.Struct, frozen=True):
    """SQL text and the values of its parameters, in their order."""

    sql: str
    parameters: tuple[object, ...]


class SortKey(msgspec.Struct, frozen=True):
    """One expression that rows are ordered by."""

    field: Field
    sql: str
    column_type: ColumnType
    nullable: bool
    descending: bool

    def reversed(self) -> SortKey:
        return SortKey(self.field, self.sql, self.column_type, self.nullable, not self.descending)

    def of_present(self) -> SortKey:
        """Order rows that all have a value: as indexes do, wherever they put absent ones."""
        return SortKey(
            self.field, self.sql, self.column_type, nullable=False, descending=self.descending
        )


def make_sort_key(field: Field, *, descending: bool) -> SortKey:
    """Order by a field: a list by its least member, an identity by kind and id."""
    nullable = field.nullable
    sql = field.sql
    if field.identity is not None:
        sql = field.identity.ordered
    elif field.list_members is not None:
        nullable = True
        sql = (
            f"(SELECT {sql} FROM {field.list_members} AND {sql} IS NOT NULL ORDER BY {sql} LIMIT 1)"
        )
    return SortKey(field, sql, COLUMN_TYPES[field.kind], nullable, descending)


class Compiler:
    """Compiles the parts of one statement and gathers its parameters."""

    __slots__ = ("dialect", "now", "parameters")

    def __init__(self, dialect: Dialect, now: int = 0) -> None:
        self.dialect = dialect
        self.now = now
        self.parameters: list[object] = []

    def add(self, value: object) -> int:
        self.parameters.append(value)
        return len(self.parameters)

    def placeholder(self, value: KeyValue, column_type: ColumnType) -> str:
        """Take a value as the next parameter and give the text that stands for it."""
        return self.dialect.placeholder(self.add(value), column_type)

    # Conditions

    def condition(self, node: Node) -> str:
        return CONDITIONS[type(node)](self, node)

    def all_of(self, node: And) -> str:
        return " AND ".join([self.condition(part) for part in node.parts]) or "TRUE"

    def any_of(self, node: Or) -> str:
        # One list of ids goes by the index of ids; planners don't see that several would.
        parts = [_looked_up(part) for part in node.parts]
        found = [(field, values) for field, values in parts if field]
        if len(found) == len(parts) > 1 and len({field.sql for field, _ in found}) == 1:
            searches = " UNION ALL ".join([self.search(*each) for each in found])
            return f"{found[0][0].sql} IN ({searches})"
        return f"({' OR '.join([f'({self.condition(part)})' for part in node.parts]) or 'FALSE'})"

    def negation(self, node: Not) -> str:
        """Compile a negation, which is true also of what is null."""
        return f"(({self.condition(node.part)}) IS NOT TRUE)"

    def comparison(self, node: Compare) -> str:
        field, value, sign = node.field, node.value, node.sign
        if isinstance(value, IdentityValue):
            return self.identity_comparison(node, value)
        if field.tests:
            return self.named(field, lambda name: COMPARISONS[sign](name, value))
        if field.look_ups:
            return f"{field.sql} IN ({self.search(field, (value,))})"
        test = self.placeholder(value, COLUMN_TYPES[field.kind])
        if field.list_members is not None:
            return f"EXISTS (SELECT 1 FROM {field.list_members} AND {field.sql} {sign} {test})"
        column = field.sql if sign in {"=", "<>"} else present(field)
        relation = "IS DISTINCT FROM" if sign == "<>" and field.nullable else sign
        return f"{self.range_of_ids(field, sign, value)}{column} {relation} {test}"

    def range_of_ids(self, field: Field, sign: Sign, value: Scalar) -> str:
        """Compile what follows for the ids from a comparison of an instant, as ids have an index.

        Nothing follows from ``<>``, nor where no ids are made from the field.
        """
        if not field.made_ids or not isinstance(value, int):
            return ""
        bounds = {
            ">": [(">=", value + 1)],
            ">=": [(">=", value)],
            "<": [("<", value)],
            "<=": [("<", value + 1)],
            "=": [(">=", value), ("<", value + 1)],
            "<>": [],
        }[sign]
        return "".join(
            f"{field.made_ids} {relation} {self.placeholder(first_id(at), 'uuid')} AND "
            for relation, at in bounds
        )

    def identity_comparison(self, node: Compare, value: IdentityValue) -> str:
        identity = node.field.identity
        assert identity is not None
        if node.sign == "=":
            return f"{identity.column(value.key)} = {self.placeholder(value.id, 'text')}"
        if node.sign == "<>":
            test = self.placeholder(value.id, "text")
            return f"{identity.column(value.key)} IS DISTINCT FROM {test}"
        return f"({identity.ordered}) {node.sign} {self.placeholder(value.ordered, 'text')}"

    def membership(self, node: OneOf) -> str:
        if node.field.identity is not None:
            return self.identity_membership(node)
        if node.field.tests:
            return self.named(node.field, lambda name: name in node.values)
        if node.field.look_ups:
            return f"{node.field.sql} IN ({self.search(node.field, node.values)})"
        return in_list(node.field, self.within(node.field, node.values))

    def search(self, field: Field, values: Sequence[Scalar]) -> str:
        """Compile the search for the ids of rows that are found elsewhere by some values.

        The tenant is the first parameter of every statement (``compile_where``).
        """
        tenant, column_type = self.dialect.bare(1), COLUMN_TYPES[field.kind]
        if len(values) == 1 and not isinstance(values[0], IdentityValue):
            value = self.placeholder(values[0], column_type)
            tests = [f"{each.column} = {value}" for each in field.look_ups]
        else:
            number = self.list_of(values)
            tests = [
                self.dialect.within(each.column, number, column_type) for each in field.look_ups
            ]
        return " UNION ALL ".join(
            f"{each.statement.replace(TENANT, tenant)} AND {test}"
            for each, test in zip(field.look_ups, tests, strict=True)
        )

    def identity_membership(self, node: OneOf) -> str:
        """Compile the test for one of several identities, each kind on its own column."""
        identity = node.field.identity
        assert identity is not None
        by_key: dict[IdentityKey, list[str]] = {}
        for value in node.values:
            assert isinstance(value, IdentityValue)
            by_key.setdefault(value.key, []).append(value.id)
        tests = [
            self.dialect.within(
                identity.column(key), self.add(self.dialect.list_parameter(ids)), "text"
            )
            for key, ids in by_key.items()
        ]
        return f"({' OR '.join(tests)})"

    def within(self, field: Field, values: Sequence[Scalar]) -> str:
        return self.dialect.within(field.sql, self.list_of(values), COLUMN_TYPES[field.kind])

    def list_of(self, values: Sequence[Scalar]) -> int:
        """Take a list of values as the next parameter, and give its number."""
        plain = [value for value in values if not isinstance(value, IdentityValue)]
        return self.add(self.dialect.list_parameter(plain))

    def prefix(self, node: StartsWith) -> str:
        field = node.field
        if field.tests:
            prefix = node.prefix.casefold()
            return self.named(field, lambda name: name.casefold().startswith(prefix))
        identity = field.identity
        value = present(field) if identity is None else identity.any_id
        text = self.dialect.text_of(value, COLUMN_TYPES[field.kind])
        number = self.add(self.dialect.starts_with_parameter(node.prefix))
        return in_list(field, self.dialect.starts_with(text, number))

    def named(self, field: Field, is_meant: Callable[[str], bool]) -> str:
        """Compile the test for the names that are meant, as of the moment of the query."""
        meant: dict[str, list[str]] = {}
        for each in field.tests:
            if is_meant(each.name):
                meant.setdefault(each.given, []).append(each.test)
        parts = [
            f"({given} AND {_either(tests)})" if given else _either(tests)
            for given, tests in meant.items()
        ]
        sql = _either(parts) if parts else "FALSE"
        return sql.replace(NOW, self.placeholder(self.now, "bigint")) if NOW in sql else sql

    def existence(self, node: Exists) -> str:
        field = node.field
        if field.identity is not None:
            return f"{field.identity.any_id} IS NOT NULL"
        if field.empty_is_absent:
            return f"{field.sql} <> ''"
        if field.nullable or field.is_list:
            return in_list(field, f"{field.sql} IS NOT NULL")
        return "TRUE"

    def absence(self, node: Missing) -> str:
        field = node.field
        if field.identity is not None:
            return f"{field.identity.any_id} IS NULL"
        if field.empty_is_absent:
            return f"{field.sql} = ''"
        if field.is_list:
            return f"NOT {in_list(field, f'{field.sql} IS NOT NULL')}"
        return f"{field.sql} IS NULL" if field.nullable else "FALSE"

    def all_members(self, node: HasAll) -> str:
        field = node.field
        if len(node.values) <= SEPARATE_TESTS_MAX:
            tests = [self.comparison(Compare(field, "=", value)) for value in node.values]
            return f"({' AND '.join(tests)})"
        count = (
            f"SELECT count(DISTINCT {field.sql}) FROM {field.list_members}"
            f" AND {self.within(field, node.values)}"
        )
        return f"({count}) = {self.placeholder(len(node.values), 'bigint')}"

    def no_other_member(self, node: HasNoOther) -> str:
        field = node.field
        test = f"({self.within(field, node.values)}) IS FALSE"
        return f"NOT {in_list(field, test)}"

    # Order

    def order(self, keys: Sequence[SortKey]) -> str:
        """Compile the terms of ORDER BY: absent values first ascending, last descending."""
        spelled = not self.dialect.nulls_are_least
        return ", ".join(
            f"{key.sql}{' DESC' if key.descending else ''}"
            + (
                f" NULLS {'LAST' if key.descending else 'FIRST'}"
                if spelled and key.nullable
                else ""
            )
            for key in keys
        )

    def after(self, keys: Sequence[SortKey], position: Sequence[KeyValue]) -> str:
        """Compile the test that a row comes after a position in the order of the keys."""
        first = keys[0].descending
        if any(key.nullable or key.descending is not first for key in keys):
            return self.after_mixed(keys, position)
        sign = "<" if first else ">"
        values = [
            self.placeholder(value, key.column_type)
            for key, value in zip(keys, position, strict=True)
        ]
        if len(values) == 1:
            return f"{keys[0].sql} {sign} {values[0]}"
        return f"({', '.join([key.sql for key in keys])}) {sign} ({', '.join(values)})"

    def after_mixed(self, keys: Sequence[SortKey], position: Sequence[KeyValue]) -> str:
        """Compile the same key by key: beyond in the first, or equal there and after in the rest.

        Where it can be said in one comparison, the first key is bounded as a whole as well, so
        that an index on it starts at the position.
        """
        key, value = keys[0], position[0]
        beyond = self.beyond(key, value)
        if len(keys) == 1:
            return beyond
        equal = self.equal(key, value)
        rest = self.after(keys[1:], position[1:])
        test = f"({beyond} OR ({equal} AND {rest}))"
        if value is None or (key.nullable and key.descending):
            return test
        bound = f"{key.sql} {'<=' if key.descending else '>='}"
        return f"({bound} {self.placeholder(value, key.column_type)} AND {test})"

    def beyond(self, key: SortKey, value: KeyValue) -> str:
        if value is None:
            return "FALSE" if key.descending else f"{key.sql} IS NOT NULL"
        if not key.descending:
            return f"{key.sql} > {self.placeholder(value, key.column_type)}"
        less = f"{key.sql} < {self.placeholder(value, key.column_type)}"
        return f"({less} OR {key.sql} IS NULL)" if key.nullable else less

    def equal(self, key: SortKey, value: KeyValue) -> str:
        if value is None:
            return f"{key.sql} IS NULL"
        return f"{key.sql} = {self.placeholder(value, key.column_type)}"


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def present(field: Field) -> str:
    """Write a field's value as null wherever it is absent."""
    return f"NULLIF({field.sql}, '')" if field.empty_is_absent else field.sql


def in_list(field: Field, test: str) -> str:
    """Ask a test of any member if the field is a list, else of the value itself."""
    if field.list_members is None:
        return test
    return f"EXISTS (SELECT 1 FROM {field.list_members} AND {test})"


CONDITIONS: dict[type, Callable[..., str]] = {
    And: Compiler.all_of,
    Or: Compiler.any_of,
    Not: Compiler.negation,
    Compare: Compiler.comparison,
    OneOf: Compiler.membership,
    StartsWith: Compiler.prefix,
    Exists: Compiler.existence,
    Missing: Compiler.absence,
    HasAll: Compiler.all_members,
    HasNoOther: Compiler.no_other_member,
}


def _looked_up(node: Node) -> tuple[Field | None, tuple[Scalar, ...]]:
    """The field with look-ups that a condition is on, and its values; no field if it isn't."""
    if isinstance(node, OneOf) and node.field.look_ups:
        return node.field, node.values
    if isinstance(node, Compare) and node.sign == "=" and node.field.look_ups:
        return node.field, (node.value,)
    return None, ()


def _either(tests: Sequence[str]) -> str:
    return tests[0] if len(tests) == 1 else f"({' OR '.join(tests)})"


def compile_where(
    compiler: Compiler, spec: QuerySpec, *, tenant_id: int, nodes: Sequence[Node]
) -> str:
    """Compile what a row must fulfil: the tenant first, then the fixed part, then the filters."""
    tests = [f"{spec.tenant} = {compiler.dialect.bare(compiler.add(tenant_id))}"]
    tests.extend(spec.conditions)
    tests.extend(
        [
            compiler.condition(node)
            for node in nodes
            if not (isinstance(node, And) and not node.parts)
        ]
    )
    return " AND ".join(tests)


def compile_page(
    spec: QuerySpec,
    *,
    dialect: Dialect,
    tenant_id: int,
    nodes: Sequence[Node],
    keys: Sequence[SortKey],
    position: Sequence[KeyValue] | None,
    limit: int,
    now: int = 0,
) -> Statement:
    """Compile the rows after a position, in order; each row ends in the values of the keys."""
    compiler = Compiler(dialect, now)
    where = compile_where(compiler, spec, tenant_id=tenant_id, nodes=nodes)
    if position is not None:
        where = f"{where} AND {compiler.after(keys, position)}"
    columns = ", ".join([spec.columns, *[key.sql for key in keys]])
    sql = (
        f"SELECT {columns} FROM {spec.source} WHERE {where}"
        f" ORDER BY {compiler.order(keys)} LIMIT {compiler.placeholder(limit, 'bigint')}"
    )
    return Statement(sql, tuple(compiler.parameters))


def compile_scan(
    spec: QuerySpec,
    *,
    dialect: Dialect,
    tenant_id: int,
    nodes: Sequence[Node],
    key: SortKey,
    position: Sequence[KeyValue] | None,
    scan_limit: int,
) -> Statement:
    """Compile the id of the last row that is looked at, of so many; no row if there are fewer."""
    compiler = Compiler(dialect)
    where = compile_where(compiler, spec, tenant_id=tenant_id, nodes=nodes)
    if position is not None:
        where = f"{where} AND {compiler.after((key,), position)}"
    sql = (
        f"SELECT {key.sql} FROM {spec.source} WHERE {where} ORDER BY {compiler.order((key,))}"
        f" LIMIT 1 OFFSET {compiler.placeholder(scan_limit - 1, 'bigint')}"
    )
    return Statement(sql, tuple(compiler.parameters))


def compile_probe(
    spec: QuerySpec,
    *,
    dialect: Dialect,
    tenant_id: int,
    nodes: Sequence[Node],
    keys: Sequence[SortKey],
    position: Sequence[KeyValue],
    now: int = 0,
) -> Statement:
    """Compile the question whether a row comes after a position: one row, or none."""
    compiler = Compiler(dialect, now)
    where = compile_where(compiler, spec, tenant_id=tenant_id, nodes=nodes)
    sql = (
        f"SELECT 1 FROM {spec.source} WHERE {where} AND {compiler.after(keys, position)}"
        f" ORDER BY {compiler.order(keys)} LIMIT 1"
    )
    return Statement(sql, tuple(compiler.parameters))


def compile_count(
    spec: QuerySpec, *, dialect: Dialect, tenant_id: int, nodes: Sequence[Node], at_most: int
) -> Statement:
    """Compile the number of matching rows, counted no further than ``at_most`` + 1."""
    compiler = Compiler(dialect)
    where = compile_where(compiler, spec, tenant_id=tenant_id, nodes=nodes)
    limit = compiler.placeholder(at_most + 1, "bigint")
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {spec.source} WHERE {where} LIMIT {limit}) AS found"
    return Statement(sql, tuple(compiler.parameters))
