"""Limits, sorts and cursors of a page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit_programs.domain.errors import Invalid
from benefit_programs.storage.query import (
    CURSOR_LENGTH_MAX,
    GUIDS_DEFAULT,
    PagePlan,
    Query,
    SqliteDialect,
    plan_page,
)
from benefit_programs.storage.query.cursors import CursorContent, decode_cursor, encode_cursor
from tests.unit.query.sample import OTHER_TENANT, SECRET, SPEC, TENANT

Row = tuple[Any, ...]

BACK = encode_cursor(
    CursorContent(position=(str(UUID(int=2)),), backwards=True, sort=()),
    method=SPEC.method,
    tenant_id=TENANT,
    secret=SECRET,
)


def plan(query: Query, **changed: Any) -> PagePlan:
    settings: dict[str, Any] = {
        "spec": SPEC,
        "dialect": SqliteDialect(),
        "tenant_id": TENANT,
        "ids": GUIDS_DEFAULT,
        "secret": SECRET,
    } | changed
    return plan_page(settings.pop("spec"), query, **settings)


def violations_of(query: Query, **changed: Any) -> list[tuple[str, str, Any]]:
    with pytest.raises(Invalid) as refused:
        plan(query, **changed)
    return [
        (found.field, str(found.violated_rule), found.data) for found in refused.value.violations
    ]


def rows_of(count: int) -> list[Row]:
    """Make rows as the statement gives them: two columns, and the id as the key."""
    ids = [str(UUID(int=number)) for number in range(count, 0, -1)]
    return [(row_id, "n", row_id) for row_id in ids]


def next_cursor(query: Query) -> str:
    cursor = plan(query).page(rows_of(3)).next_cursor
    assert cursor is not None
    return cursor


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(limit=0), ("query.cursorPaging.limit", "MIN", {"threshold": 1})),
        (Query(limit=-1), ("query.cursorPaging.limit", "MIN", {"threshold": 1})),
        (Query(limit=101), ("query.cursorPaging.limit", "MAX", {"threshold": 100})),
        (Query(limit=0, path=""), ("cursorPaging.limit", "MIN", {"threshold": 1})),
        (Query(cursor="x"), ("query.cursorPaging.cursor", "FORMAT", {"type": "CURSOR"})),
        (Query(cursor="ü", path=""), ("cursorPaging.cursor", "FORMAT", {"type": "CURSOR"})),
        (
            Query(sort=(("namespace", "ASC"),) * 6),
            ("query.sort", "MAX_SIZE", {"threshold": 5}),
        ),
        (
            Query(sort=(("id", "ASC"), ("nope", "ASC"))),
            ("query.sort[1].fieldName", "FIELD_NOT_ALLOWED", None),
        ),
        (Query(sort=(("note", "ASC"),)), ("query.sort[0].fieldName", "FIELD_NOT_ALLOWED", None)),
        *(
            (query, ("query.scanLimit", "FIELD_NOT_ALLOWED", None))
            for query in (
                Query(sort=(("namespace", "ASC"),), scan_limit=9),
                Query(sort=(("createdDate", "ASC"), ("namespace", "ASC")), scan_limit=9),
                Query(cursor=BACK, scan_limit=9),
            )
        ),
        (Query(sort=((None, "ASC"),)), ("query.sort[0].fieldName", "REQUIRED_FIELD", None)),
        (Query(sort=(("id", "UP"),)), ("query.sort[0].order", "INVALID_ENUM_VALUE", None)),
    ],
)
def test_refused_queries_name_the_place(query: Query, expected: tuple[str, str, Any]) -> None:
    """A wrong limit, sort or cursor is told with its path, rule and threshold."""
    assert violations_of(query) == [expected]


def test_all_parts_are_judged_at_once() -> None:
    """Filter, sort and limit are refused together."""
    query = Query(filter={"id": "x"}, sort=(("nope", None),), limit=0)
    assert [field for field, _, _ in violations_of(query)] == [
        "query.cursorPaging.limit",
        "query.filter.id",
        "query.sort[0].fieldName",
    ]


def test_limit_has_a_default() -> None:
    """Without a limit a page has 50 rows, and one more is read to see what follows."""
    assert plan(Query()).statement.parameters == (TENANT, 51)


def test_cursor_carries_the_query() -> None:
    """The cursor brings filter, sort and extra; what stands beside it is ignored, but the limit."""
    first = Query(filter={"namespace": "x"}, sort=(("id", "ASC"),), limit=2, extra={"fields": [1]})
    follow = Query(
        cursor=next_cursor(first), filter={"nope": 1}, sort=(("nope", None),), extra={"a": 1}
    )
    planned = plan(follow)
    assert planned.extra == {"fields": [1]}
    assert planned.statement.sql.endswith(
        "WHERE s.tenant_id = ?1 AND s.namespace = ?2 AND s.id > ?3 ORDER BY s.id LIMIT ?4"
    )
    assert planned.statement.parameters == (TENANT, "x", str(UUID(int=2)), 51)


def test_cursor_is_bound() -> None:
    """Another method, tenant or secret refuses the cursor, and an empty one is none."""
    query = Query(cursor=next_cursor(Query(limit=2)))
    plan(query)
    refused = [("query.cursorPaging.cursor", "FORMAT", {"type": "CURSOR"})]
    assert violations_of(query, tenant_id=OTHER_TENANT) == refused
    assert violations_of(query, secret=b"another") == refused
    assert violations_of(query, spec=msgspec.structs.replace(SPEC, method="other")) == refused
    assert plan(Query(cursor="")).statement == plan(Query()).statement


contents = st.builds(
    CursorContent,
    position=st.tuples(st.none() | st.text(), st.integers(0, 2**62)),
    backwards=st.booleans(),
    sort=st.just((("namespace", "ASC"),)),
    filter=st.none() | st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=20),
    extra=st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=2),
)


@given(content=contents, data=st.data())
def test_cursors_come_back_whole_or_not_at_all(content: CursorContent, data: st.DataObject) -> None:
    """A cursor is read as it was written; with any character changed it is refused."""
    scope: dict[str, Any] = {"method": "m", "tenant_id": TENANT, "secret": SECRET}
    text = encode_cursor(content, **scope)
    assert decode_cursor(text, **scope) == content
    place = data.draw(st.integers(0, len(text)))
    extra = data.draw(st.sampled_from("AZaz09-_=\n +é"))
    for forged in (text[:place] + extra + text[place + 1 :], text[:place] + extra + text[place:]):
        assert forged == text or decode_cursor(forged, **scope) is None
    assert decode_cursor(text[:place], **scope) is None or place == len(text)


def test_long_filters_are_packed() -> None:
    """As many GUIDs as a filter may list fit a cursor."""
    guids = [
        str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for number in range(500)
    ]
    cursor = next_cursor(Query(filter={"programId": {"$in": guids}}, limit=2))
    assert len(cursor) <= CURSOR_LENGTH_MAX
    plan(Query(cursor=cursor))


def test_filter_too_long_for_a_cursor_is_refused() -> None:
    """A filter that the next page couldn't carry is refused, only if there is a next page."""
    guids = [
        str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for number in range(900)
    ]
    filter_ = {"programId": {"$in": guids[:450]}, "definitionIds": {"$in": guids[450:]}}
    planned = plan(Query(filter=filter_, limit=2))
    assert planned.page(rows_of(2)).count == 2
    with pytest.raises(Invalid) as refused:
        planned.page(rows_of(3))
    [violation] = refused.value.violations
    assert (violation.field, str(violation.violated_rule)) == ("query.filter", "MAX_LENGTH")
    assert violation.data == {"threshold": CURSOR_LENGTH_MAX}


def test_empty_pages_lead_nowhere() -> None:
    """A page without rows has no cursors and asks nothing more."""
    planned = plan(Query(cursor=next_cursor(Query(limit=2))))
    assert planned.probe_statement([]) is None
    page = planned.page([])
    assert (page.rows, page.next_cursor, page.prev_cursor, page.count) == ([], None, None, 0)


def test_limited_scans_ask_nothing_behind_them() -> None:
    """What precedes a page of a limited scan isn't looked for, and what it shows is bounded."""
    planned = plan(Query(cursor=next_cursor(Query(limit=2)), limit=2, scan_limit=9))
    assert planned.scan_statement is not None
    assert planned.scan_statement.parameters == (TENANT, str(UUID(int=2)), 8)
    planned.bound([(UUID(int=1),)])
    assert planned.statement.parameters == (TENANT, str(UUID(int=1)), str(UUID(int=2)), 3)
    assert planned.probe_statement(rows_of(3)) is None


def test_first_pages_ask_once() -> None:
    """Nothing precedes a first page, so it needs no second statement."""
    assert plan(Query(limit=2)).probe_statement(rows_of(3)) is None


def test_key_columns_are_cut_off() -> None:
    """Rows come back with the columns of the method alone."""
    page = plan(Query(limit=2)).page(rows_of(3))
    assert page.rows == [(row_id, "n") for row_id, _, _ in rows_of(3)[:2]]
    assert page.has_next
