"""One page of a query: planned before the statement runs, cut from its rows afterwards.

A plan does no input or output. The caller runs ``plan.scan_statement`` if there is one, hands its
rows to ``plan.bound``, runs ``plan.statement``, then, if ``plan.probe_statement`` gives one for its
rows, that, and hands both answers to ``plan.page``.

Pages are found by the values of the last row's sort keys, never by counting: a page far along
costs what the first one costs, and rows that come or go neither repeat nor hide others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule, Violations
from benefit_programs.domain.words import nearest, shortened
from benefit_programs.storage.query.compiler import (
    KeyValue,
    SortKey,
    Statement,
    compile_count,
    compile_page,
    compile_probe,
    compile_scan,
    make_sort_key,
)
from benefit_programs.storage.query.cursors import (
    CURSOR_LENGTH_MAX,
    CursorContent,
    CursorTooLongError,
    decode_cursor,
    encode_cursor,
)
from benefit_programs.storage.query.fields import Field, FieldKind
from benefit_programs.storage.query.language import collect_filter, read_filter
from benefit_programs.storage.query.tree import (
    Compare,
    Node,
    parts_of,
    pinned_fields,
    present_fields,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benefit_programs.storage.query.dialects import Dialect
    from benefit_programs.storage.query.spec import QuerySpec

SORTS_MAX = 5

StoredRow = tuple[Any, ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A query as it came over the wire.

    ``sort`` has a field name and an order (ASC if absent) for each term. ``path`` is where the
    query stands in the request's body, and begins the paths of violations; "" for requests that
    have filter and cursorPaging at their top. ``extra`` is what follow-up pages shall get back.
    ``now`` is the moment for fields that change with time. A page is found among the next
    ``scan_limit`` rows: of the whole tenant, of an indexed field's value, or of some time.
    """

    filter: dict[str, Any] | None = None
    sort: tuple[tuple[str | None, str | None], ...] = ()
    limit: int | None = None
    cursor: str | None = None
    scan_limit: int | None = None
    extra: dict[str, Any] = {}
    path: str = "query"
    now: int = 0

    def at(self, place: str) -> str:
        return f"{self.path}.{place}" if self.path else place


class Page(msgspec.Struct, frozen=True):
    """One page in the query's order. A cursor is there only if it leads to a row."""

    rows: list[StoredRow]
    next_cursor: str | None
    prev_cursor: str | None

    @property
    def has_next(self) -> bool:
        return self.next_cursor is not None

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What a plan needs beside the query: whose rows, which engine, which secret."""

    spec: QuerySpec
    dialect: Dialect
    tenant_id: int
    secret: bytes
    row_filter: Node | None = None


class PagePlan:
    """A page to be read. ``extra`` is the caller's own state, from the cursor if there was one."""

    __slots__ = ("content", "keys", "last_id", "limit", "node", "query", "settings")

    def __init__(
        self,
        settings: PlanSettings,
        query: Query,
        *,
        content: CursorContent,
        node: Node,
        keys: tuple[SortKey, ...],
        limit: int,
    ) -> None:
        self.settings = settings
        self.query = query
        self.content = content
        self.node = node
        self.keys = keys
        self.limit = limit
        self.last_id: str | None = None

    @property
    def statement(self) -> Statement:
        """The rows of the page, and one more if there is one."""
        spec, dialect = self.settings.spec, self.settings.dialect
        if self.last_id is not None and self._goes_through_table:
            spec = msgspec.structs.replace(spec, source=dialect.through_first(spec.source))
        return compile_page(
            spec,
            dialect=dialect,
            tenant_id=self.settings.tenant_id,
            nodes=(*self.nodes, *self._within_scan),
            keys=self.towards(backwards=self.content.backwards),
            position=self.content.position or None,
            limit=self.limit + 1,
            now=self.query.now,
        )

    @property
    def _within_scan(self) -> tuple[Node, ...]:
        """Nothing that comes after the last row that is looked at."""
        if self.last_id is None:
            return ()
        (key,) = self.keys
        return (Compare(self.settings.spec.id, ">=" if key.descending else "<=", self.last_id),)

    @property
    def scan_statement(self) -> Statement | None:
        """Ask where the rows end among which the page is found, if that is limited."""
        if self.query.scan_limit is None:
            return None
        (key,) = self.keys
        spec = self.settings.spec
        if self._goes_through_table and not spec.conditions:
            # Each of its rows has one of each table that is joined, so they needn't be looked up.
            spec = msgspec.structs.replace(spec, source=spec.source.partition(" JOIN ")[0])
        return compile_scan(
            spec,
            dialect=self.settings.dialect,
            tenant_id=self.settings.tenant_id,
            nodes=self._narrowing,
            key=key,
            position=self.content.position or None,
            scan_limit=self.query.scan_limit,
        )

    @property
    def _narrowing(self) -> list[Compare]:
        """What leaves fewer rows to be looked at: a time, or the value of an indexed field."""
        return [
            part
            for node in self.nodes
            for part in parts_of(node)
            if isinstance(part, Compare) and (part.field.made_ids or self._is_held(part))
        ]

    @property
    def _goes_through_table(self) -> bool:
        return not any(self._is_held(node) for node in self._narrowing)

    def _is_held(self, node: Compare) -> bool:
        return node.sign == "=" and node.field.name in self.settings.spec.indexed

    def bound(self, rows: Sequence[StoredRow]) -> None:
        """Find the page among the rows up to the one of the scan's answer."""
        self.last_id = str(rows[0][0]) if rows else None

    @property
    def extra(self) -> dict[str, Any]:
        return self.content.extra

    @property
    def pinned_fields(self) -> frozenset[str]:
        """The fields that the filter's top conjunction holds to given values."""
        return pinned_fields(self.node)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Everything that a row must fulfil: the caller's row filter, then the filter."""
        return (self.settings.row_filter, self.node) if self.settings.row_filter else (self.node,)

    def towards(self, *, backwards: bool) -> tuple[SortKey, ...]:
        """Give the order of reading: the query's own, or the same from its end."""
        return tuple(key.reversed() for key in self.keys) if backwards else self.keys

    def probe_statement(self, rows: Sequence[StoredRow]) -> Statement | None:
        """Ask whether a row lies behind the page, where the rows themselves can't tell.

        Nothing lies behind a first page; and an empty page leads nowhere. To find out whether
        something lies behind a page of a limited scan may take a scan without a limit.
        """
        if not self.content.position or not rows or self.query.scan_limit is not None:
            return None
        return compile_probe(
            self.settings.spec,
            dialect=self.settings.dialect,
            tenant_id=self.settings.tenant_id,
            nodes=self.nodes,
            keys=self.towards(backwards=not self.content.backwards),
            position=self.position_of(rows[0]),
            now=self.query.now,
        )

    def page(self, rows: Sequence[StoredRow], probe_rows: Sequence[StoredRow] = ()) -> Page:
        """Cut the page from the rows of the statement and of the probe.

        Raises:
            Invalid: if the filter is too long for the cursor that the page needs.
        """
        ahead, behind = len(rows) > self.limit, bool(probe_rows)
        kept = list(rows[: self.limit])
        if self.content.backwards:
            kept.reverse()
            ahead, behind = behind, ahead
        if ahead:
            next_cursor = self.cursor_from(kept[-1], backwards=False) if kept else None
        else:
            next_cursor = self._cursor_behind_scan()
        prev_cursor = self.cursor_from(kept[0], backwards=True) if behind and kept else None
        width = len(self.keys)
        return Page([tuple(row[:-width]) for row in kept], next_cursor, prev_cursor)

    def _cursor_behind_scan(self) -> str | None:
        """Where the rows begin that weren't looked at, if there are any."""
        if self.last_id is None:
            return None
        return self.cursor_at((self.last_id,), backwards=False)

    def position_of(self, row: StoredRow) -> tuple[KeyValue, ...]:
        return tuple(
            str(value) if isinstance(value, UUID) else value for value in row[-len(self.keys) :]
        )

    def cursor_from(self, row: StoredRow, *, backwards: bool) -> str:
        return self.cursor_at(self.position_of(row), backwards=backwards)

    def cursor_at(self, position: tuple[KeyValue, ...], *, backwards: bool) -> str:
        content = CursorContent(
            position=position,
            backwards=backwards,
            sort=self.content.sort,
            filter=self.content.filter,
            extra=self.content.extra,
        )
        settings = self.settings
        try:
            return encode_cursor(
                content,
                method=settings.spec.method,
                tenant_id=settings.tenant_id,
                secret=settings.secret,
            )
        except CursorTooLongError:
            raise Invalid((cursor_too_long(self.query),)) from None


def plan_page(
    spec: QuerySpec,
    query: Query,
    *,
    dialect: Dialect,
    tenant_id: int,
    ids: frozenset[FieldKind],
    secret: bytes,
    row_filter: dict[str, Any] | None = None,
) -> PagePlan:
    """Plan one page. Contract: Query language.

    ``ids`` are the kinds of field whose values must be GUIDs (GUIDS_DEFAULT and the like).
    ``row_filter`` says which rows the caller's key may see: it holds for every page and is in no
    cursor. With a cursor, the filter, sort and extra beside it are ignored.

    Raises:
        Invalid: with all violations of the query.
    """
    violations = Violations()
    content = read_content(spec, query, tenant_id=tenant_id, secret=secret, found=violations)
    limit = read_limit(spec, query, violations)
    node = collect_filter(
        spec.fields, content.filter, path=query.at("filter"), guids=ids, violations=violations
    )
    keys = tuple(
        key.of_present() if key.field.name in present_fields(node) else key
        for key in read_sort(spec, content.sort or spec.default_sort, query, violations)
    )
    if query.scan_limit is not None and (len(keys) != 1 or content.backwards):
        violations.add(scan_refused(query))
    if violations:
        raise Invalid.of(violations)
    if content.position and len(content.position) != len(keys):
        raise Invalid((cursor_refused(query),))
    settings = PlanSettings(
        spec=spec,
        dialect=dialect,
        tenant_id=tenant_id,
        secret=secret,
        row_filter=(
            read_filter(spec.fields, row_filter, path="", guids=ids) if row_filter else None
        ),
    )
    return PagePlan(settings, query, content=content, node=node, keys=keys, limit=limit)


def plan_count(
    spec: QuerySpec,
    value: dict[str, Any] | None,
    *,
    at_most: int,
    dialect: Dialect,
    tenant_id: int,
    ids: frozenset[FieldKind],
) -> Statement:
    """Plan the number of rows that a filter finds: one row, with at most ``at_most`` + 1.

    Raises:
        Invalid: with all violations of the filter.
    """
    node = read_filter(spec.fields, value, path="filter", guids=ids)
    return compile_count(spec, dialect=dialect, tenant_id=tenant_id, nodes=(node,), at_most=at_most)


def read_content(
    spec: QuerySpec,
    query: Query,
    *,
    tenant_id: int,
    secret: bytes,
    found: Violations,
) -> CursorContent:
    """Take filter, sort and place from the cursor, or without one from the query itself."""
    if not query.cursor:
        sort = read_orders(query, found)
        return CursorContent((), backwards=False, sort=sort, filter=query.filter, extra=query.extra)
    content = decode_cursor(query.cursor, method=spec.method, tenant_id=tenant_id, secret=secret)
    if content is None:
        found.add(cursor_refused(query))
        return CursorContent((), backwards=False, sort=())
    return content


def read_limit(spec: QuerySpec, query: Query, found: Violations) -> int:
    limit = query.limit
    if limit is None:
        return spec.limit_default
    if 1 <= limit <= spec.limit_max:
        return limit
    rule, threshold, word = (
        (ViolatedRule.MIN, 1, "least") if limit < 1 else (ViolatedRule.MAX, spec.limit_max, "most")
    )
    found.add(
        FieldViolation(
            field=query.at("cursorPaging.limit"),
            description=f"must be at {word} {threshold}",
            violated_rule=rule,
            data={"threshold": threshold},
        )
    )
    return spec.limit_default


def read_orders(query: Query, found: Violations) -> tuple[tuple[str, str], ...]:
    """Check the shape of the sort: how many terms, each with a name and an order."""
    if len(query.sort) > SORTS_MAX:
        found.add(
            FieldViolation(
                field=query.at("sort"),
                description=f"must have at most {SORTS_MAX} entries",
                violated_rule=ViolatedRule.MAX_SIZE,
                data={"threshold": SORTS_MAX},
            )
        )
        return ()
    orders: list[tuple[str, str]] = []
    for index, (name, order) in enumerate(query.sort):
        if name is None:
            path = query.at(f"sort[{index}].fieldName")
            found.add(FieldViolation(path, "must be there", ViolatedRule.REQUIRED_FIELD))
        elif order not in {None, "ASC", "DESC"}:
            path = query.at(f"sort[{index}].order")
            found.add(
                FieldViolation(path, "must be one of ASC, DESC", ViolatedRule.INVALID_ENUM_VALUE)
            )
        else:
            orders.append((name, order or "ASC"))
    return tuple(orders)


def read_sort(
    spec: QuerySpec,
    orders: Sequence[tuple[str, str]],
    query: Query,
    found: Violations,
) -> tuple[SortKey, ...]:
    """Resolve the terms of a sort into keys that leave no tie.

    A term after the id, or a field's second one, decides nothing and is dropped. If the last term
    follows the id, the id stands for both.
    """
    terms: dict[str, tuple[Field, bool]] = {}
    for index, (name, order) in enumerate(orders):
        field = spec.fields.get(name)
        if field is None or not field.sortable:
            path = query.at(f"sort[{index}].fieldName")
            text = _no_sort(spec, name)
            found.add(FieldViolation(path, text, ViolatedRule.FIELD_NOT_ALLOWED))
        else:
            terms.setdefault(field.name, (field, order == "DESC"))
    chosen = list(terms.values())
    keys: list[SortKey] = []
    for number, (field, descending) in enumerate(chosen, start=1):
        if field.name == spec.id.name or (field.made_ids and number == len(chosen)):
            break
        keys.append(make_sort_key(field, descending=descending))
    else:
        descending = chosen[-1][1] if chosen else True
    return (*keys, make_sort_key(spec.id, descending=descending))


def cursor_refused(query: Query) -> FieldViolation:
    """Say that a cursor is none that this method gave this tenant."""
    return FieldViolation(
        field=query.at("cursorPaging.cursor"),
        description="must be a cursor that this method returned",
        violated_rule=ViolatedRule.FORMAT,
        data={"type": "CURSOR"},
    )


def scan_refused(query: Query) -> FieldViolation:
    """Say that what is looked at can't be limited in this order."""
    return FieldViolation(
        field=query.at("scanLimit"),
        description="is for the order of createdDate or id alone, and for following pages",
        violated_rule=ViolatedRule.FIELD_NOT_ALLOWED,
    )


def cursor_too_long(query: Query) -> FieldViolation:
    """Say that a filter doesn't fit the cursor of its next page."""
    return FieldViolation(
        field=query.at("filter"),
        description=f"is too long to be carried by a cursor of {CURSOR_LENGTH_MAX} characters",
        violated_rule=ViolatedRule.MAX_LENGTH,
        data={"threshold": CURSOR_LENGTH_MAX},
    )


def _no_sort(spec: QuerySpec, name: str) -> str:
    """What to say of a name that nothing is sorted by."""
    names = tuple(each for each, field in spec.fields.items() if field.sortable)
    meant = nearest(name, names)
    hint = f"{meant} may be meant" if meant else f"there are {', '.join(names)}"
    return f"{shortened(name)} is no field to sort by; {hint}"
