"""The query language against a plain evaluator, with random rows, on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefit_programs.storage.query import GUIDS_DEFAULT, Page, Query, plan_count
from benefit_programs.storage.query.language import READERS
from tests.unit.query.brute_force import INSTANTS, iso, present, select
from tests.unit.query.sample import (
    EPOCH,
    OTHER_TENANT,
    SPEC,
    STATUSES,
    TENANT,
    Engine,
    PostgresEngine,
    SqliteEngine,
    sample_row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

WALK_STEPS_MAX = 200

Row = dict[str, Any]

thorough = settings(
    max_examples=45,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        found: Engine = SqliteEngine()
        yield found
        found.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create_database()
    found = PostgresEngine(url)
    yield found
    found.close()
    server.drop_database(url)


# Few values, so that rows tie and filters hit; letters whose cases differ in number and form.
texts = st.sampled_from(
    [
        *("", "a", "A", "ab", "aB", "b", "ß", "SS", "ẞ", "İ", "i̇", "ς", "Σ", "ﬁ", "fi", "é", "É"),
        *("\U0001f600", "\uffff", "a\U00010428", "a/b", "%", "_", "' OR 1 --", "\\"),
    ]
)
guids = st.integers(0, 5).map(lambda number: str(UUID(int=(0xABCDEF << 100) + number)))
any_case_guids = st.tuples(guids, st.booleans()).map(lambda it: it[0].upper() if it[1] else it[0])
instants = st.integers(EPOCH, EPOCH + 3)
identity_keys = st.sampled_from(["anonymousVisitorId", "memberId", "wixUserId"])
statuses = st.sampled_from(sorted(STATUSES))


@st.composite
def row_lists(draw: st.DrawFn) -> list[Row]:
    bodies = st.fixed_dictionaries(
        {
            "createdDate": instants,
            "changedDate": st.none() | instants,
            "namespace": texts,
            "category": st.none() | texts.filter(bool),
            "externalId": st.none() | texts,
            "status": statuses,
            "programId": st.none() | guids,
            "beneficiary": st.none() | st.tuples(identity_keys, guids),
            "tags": st.lists(texts, max_size=3, unique=True),
            "definitionIds": st.lists(guids, max_size=3, unique=True),
        }
    )
    rows: list[Row] = draw(st.lists(bodies, max_size=12))
    tails = draw(st.permutations(range(len(rows))))
    return [
        {"id": str(UUID(int=(row["createdDate"] << 80) + (7 << 76) + tail)), **row}
        for row, tail in zip(rows, tails, strict=True)
    ]


def wire_values(name: str) -> st.SearchStrategy[Any]:
    """Make values of a field as a client writes them."""
    if name in INSTANTS:
        zoned = instants.map(iso)
        return zoned | zoned.map(lambda text: {"$date": text})
    if name == "beneficiary":
        return st.tuples(identity_keys, any_case_guids).map(lambda pair: dict([pair]))
    if name == "status":
        return statuses
    if name in {"namespace", "note", "category", "externalId", "tags"}:
        return texts if name != "category" else texts.filter(bool)
    return any_case_guids


def operands_of(name: str) -> dict[str, st.SearchStrategy[Any]]:
    """Make the operands that each operator takes for one field."""
    value = wire_values(name)
    members = st.lists(value, max_size=5)
    prefix = texts | st.sampled_from(["2026-09", "2026-09-21t", "00", "ABC"])
    operands = {
        "$eq": st.none() | value,
        "$ne": st.none() | value,
        **dict.fromkeys(("$gt", "$gte", "$lt", "$lte"), value),
        **dict.fromkeys(("$in", "$nin"), st.lists(st.none() | value, max_size=4)),
        **dict.fromkeys(("$hasAll", "$hasSome"), members),
        "$startsWith": prefix,
        **dict.fromkeys(("$exists", "$isEmpty"), st.booleans()),
    }
    if name in {"tags", "definitionIds"}:
        operands["$eq"] = operands["$ne"] = st.none() | value | members
    return operands


def operators(name: str) -> st.SearchStrategy[Any]:
    """Make what a filter may say of one field."""
    operands = operands_of(name)
    operator = st.sampled_from(sorted(operands)).flatmap(
        lambda key: operands[key].map(lambda operand: {key: operand})
    )
    several = st.tuples(operator, operator).map(lambda pair: pair[0] | pair[1])
    negated = operator.map(lambda part: {"$not": part})
    return operands["$eq"] | operator | several | negated


conditions = st.sampled_from(sorted(SPEC.fields)).flatmap(
    lambda name: operators(name).map(lambda value: {name: value})
)
filters = st.recursive(
    conditions,
    lambda parts: st.one_of(
        st.tuples(st.sampled_from(["$and", "$or"]), st.lists(parts, max_size=3)).map(
            lambda pair: dict([pair])
        ),
        parts.map(lambda part: {"$not": part}),
        st.tuples(parts, parts).map(lambda pair: pair[0] | pair[1]),
    ),
    max_leaves=5,
)
sorts = st.lists(
    st.tuples(
        st.sampled_from(sorted({field.name for field in SPEC.fields.values() if field.sortable})),
        st.sampled_from(["ASC", "DESC"]),
    ),
    max_size=4,
    unique_by=lambda term: term[0],
)


def fill(engine: Engine, rows: list[Row]) -> None:
    """Store the rows for our tenant, and for another one that no query may see."""
    engine.clear()
    engine.insert(rows)
    engine.insert(rows, OTHER_TENANT)


def ids_of(rows: list[Any]) -> list[str]:
    return [row["id"] if isinstance(row, dict) else str(row[0]) for row in rows]


@thorough
@given(rows=row_lists(), filter_=filters, sort=sorts)
def test_filters_and_sorts_mean_what_they_say(
    engine: Engine, rows: list[Row], filter_: Any, sort: list[tuple[str, str]]
) -> None:
    """A query finds exactly the rows that its filter describes, in the order of its sort."""
    fill(engine, rows)
    page = engine.read(Query(filter=filter_, sort=tuple(sort), limit=100))
    assert ids_of(page.rows) == ids_of(select(rows, filter_, sort))
    assert (page.next_cursor, page.prev_cursor, page.has_next) == (None, None, False)


@pytest.mark.parametrize("operator", sorted(READERS))
@settings(thorough, max_examples=8)
@given(rows=row_lists(), data=st.data())
def test_every_operator_works_on_every_field(
    engine: Engine, operator: str, rows: list[Row], data: st.DataObject
) -> None:
    """Each field takes each operator, and a negation finds exactly the other rows."""
    fill(engine, rows)
    for name in sorted(SPEC.fields):
        filter_ = {name: {operator: data.draw(operands_of(name)[operator])}}
        found = ids_of(engine.read(Query(filter=filter_, limit=100)).rows)
        others = ids_of(engine.read(Query(filter={"$not": filter_}, limit=100)).rows)
        assert found == ids_of(select(rows, filter_, []))
        assert sorted(found + others) == sorted(ids_of(rows))


@thorough
@given(rows=row_lists(), filter_=filters, at_most=st.integers(0, 12))
def test_counts_stop_past_their_limit(
    engine: Engine, rows: list[Row], filter_: Any, at_most: int
) -> None:
    """A count is the number of rows found, or one more than the caller wants counted."""
    fill(engine, rows)
    statement = plan_count(
        SPEC,
        filter_,
        at_most=at_most,
        dialect=engine.dialect,
        tenant_id=TENANT,
        ids=GUIDS_DEFAULT,
    )
    [(count,)] = engine.fetch(statement)
    assert count == min(len(select(rows, filter_, [])), at_most + 1)


@thorough
@given(
    rows=row_lists(),
    filter_=st.none() | filters,
    sort=sorts,
    limits=st.lists(st.integers(1, 4), min_size=1),
)
def test_pages_walk_forth_and_back(
    engine: Engine,
    rows: list[Row],
    filter_: Any,
    sort: list[tuple[str, str]],
    limits: list[int],
) -> None:
    """Pages joined are the whole answer, forth and back, and cursors are there only for rows."""
    fill(engine, rows)
    expected = ids_of(select(rows, filter_, sort))
    page = engine.read(Query(filter=filter_, sort=tuple(sort), limit=limits[0]))
    seen: list[str] = []
    for step in range(WALK_STEPS_MAX):
        seen += ids_of(page.rows)
        assert page.has_next == (len(seen) < len(expected))
        assert (page.prev_cursor is not None) == (step > 0)
        if page.next_cursor is None:
            break
        limit = limits[(step + 1) % len(limits)]
        page = engine.read(Query(cursor=page.next_cursor, limit=limit))
    assert seen == expected
    back = ids_of(page.rows)
    for step in range(WALK_STEPS_MAX):
        if page.prev_cursor is None:
            break
        page = engine.read(Query(cursor=page.prev_cursor, limit=limits[step % len(limits)]))
        assert page.has_next
        back = ids_of(page.rows) + back
    assert back == expected


@thorough
@given(
    rows=row_lists(),
    filter_=st.none() | filters,
    sort=st.sampled_from([(), (("id", "ASC"),), (("createdDate", "DESC"),)]),
    scan_limit=st.integers(1, 13),
    limit=st.integers(1, 3),
)
def test_limited_scans_find_all_in_the_end(
    engine: Engine,
    rows: list[Row],
    filter_: Any,
    sort: tuple[tuple[str, str], ...],
    scan_limit: int,
    limit: int,
) -> None:
    """Pages joined are the whole answer, however few rows are looked at for each of them."""
    fill(engine, rows)
    query = Query(filter=filter_, sort=sort, limit=limit, scan_limit=scan_limit)
    page = engine.read(query)
    seen, steps = ids_of(page.rows), 1
    while page.next_cursor is not None:
        query = Query(cursor=page.next_cursor, limit=limit, scan_limit=scan_limit)
        page = engine.read(query)
        seen += ids_of(page.rows)
        steps += 1
    assert seen == ids_of(select(rows, filter_, [*sort]))
    assert steps <= 1 + len(rows) // scan_limit + len(seen) // limit


@thorough
@given(rows=row_lists(), sort=sorts, filter_=st.none() | conditions, data=st.data())
def test_rows_that_stay_are_seen_once(
    engine: Engine, rows: list[Row], sort: list[tuple[str, str]], filter_: Any, data: st.DataObject
) -> None:
    """Rows that come and go between two pages neither repeat nor hide the others."""
    fill(engine, rows)
    live = {row["id"]: row for row in rows[::2]}
    waiting = [row for row in rows if row["id"] not in live]
    for row in waiting:
        engine.remove(row["id"])
    stayed = set(live)
    page = engine.read(Query(filter=filter_, sort=tuple(sort), limit=2))
    last = page
    for forth in (True, False):
        seen: list[str] = []
        stayed = set(live)
        for _ in range(WALK_STEPS_MAX):
            seen = seen + ids_of(page.rows) if forth else ids_of(page.rows) + seen
            cursor = page.next_cursor if forth else page.prev_cursor
            last = page
            if cursor is None:
                break
            stayed -= change(engine, live, waiting, data)
            page = engine.read(Query(cursor=cursor, limit=2))
            assert neighbours(page) == neighbours_among(
                page, select([*live.values()], filter_, sort)
            )
            if not page.rows:
                break
        expected = ids_of(select([live[key] for key in stayed], filter_, sort))
        assert [key for key in seen if key in stayed] == expected
        assert len(set(seen)) == len(seen)
        page = page if page.rows else last


def neighbours(page: Page) -> tuple[bool, bool]:
    return page.prev_cursor is not None, page.next_cursor is not None


def neighbours_among(page: Page, rows: list[Row]) -> tuple[bool, bool]:
    """Tell from all rows whether one precedes the page, and whether one follows."""
    shown, ids = ids_of(page.rows), ids_of(rows)
    return bool(shown) and shown[0] != ids[0], bool(shown) and shown[-1] != ids[-1]


def change(
    engine: Engine, live: dict[str, Row], waiting: list[Row], data: st.DataObject
) -> set[str]:
    """Add or remove a row, or neither; give the ids that are gone."""
    if data.draw(st.booleans()) and waiting:
        row = waiting.pop()
        engine.insert([row])
        live[row["id"]] = row
        return set()
    if data.draw(st.booleans()) and live:
        gone = data.draw(st.sampled_from(sorted(live)))
        engine.remove(gone)
        waiting.insert(0, live.pop(gone))
        return {gone}
    return set()


def test_prefixes_fold_case_by_unicode(engine: Engine) -> None:
    """Letters that fold to several or to other letters are found by each other's prefixes."""
    alike = [("straße", "STRASS"), ("İzmir", "i̇Z"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ﬁn", "F")]
    rows = [sample_row(number, namespace=name) for number, (name, _) in enumerate(alike)]
    fill(engine, rows)
    for row, (_, prefix) in zip(rows, alike, strict=True):
        page = engine.read(Query(filter={"namespace": {"$startsWith": prefix}}))
        assert ids_of(page.rows) == [row["id"]]


def test_many_members_are_counted(engine: Engine) -> None:
    """$hasAll and equality of lists hold for more members than are looked up one by one."""
    tags = [f"tag{number}" for number in range(10)]
    rows = [sample_row(1, tags=tags), sample_row(2, tags=tags[:-1])]
    fill(engine, rows)
    for operator, expected in (("$hasAll", [1]), ("$eq", [1]), ("$ne", [2])):
        page = engine.read(Query(filter={"tags": {operator: [*tags, tags[0]]}}))
        assert ids_of(page.rows) == [sample_row(number)["id"] for number in expected]
    assert present(rows[0], "tags") == tags


def test_lists_are_equal_as_sets(engine: Engine) -> None:
    """A list equals another with the same members: no more, no fewer, in any order."""
    lists = [["a"], ["a", "b"], ["b"], []]
    rows = [sample_row(number, tags=tags) for number, tags in enumerate(lists)]
    fill(engine, rows)
    for operand, expected in ((["a", "a"], 0), (["b", "a"], 1), (["b"], 2), ([], 3)):
        page = engine.read(Query(filter={"tags": operand}))
        assert ids_of(page.rows) == [rows[expected]["id"]]


def test_a_scan_looks_at_the_rows_of_an_indexed_value(engine: Engine) -> None:
    """It is limited among the rows that an index finds or, without one, among the newest of all."""
    rows = [
        sample_row(number, namespace="abc"[number % 3], status=status)
        for number, status in enumerate(["PAUSED"] * 3 + ["ACTIVE"] * 9)
    ]
    fill(engine, rows)
    paused = {"status": "PAUSED"}
    for filter_, expected in (
        (paused, []),
        (paused | {"namespace": "a"}, [rows[0]["id"]]),
        ({"$and": [paused, {"namespace": {"$in": ["a", "b"]}}]}, []),
        (paused | {"createdDate": {"$gte": iso(EPOCH)}}, []),
    ):
        page = engine.read(Query(filter=filter_, scan_limit=4))
        assert ids_of(page.rows) == expected
        assert page.next_cursor is not None
        assert page.prev_cursor is None


def test_cursors_are_there_only_for_rows(engine: Engine) -> None:
    """Once the rows before or after a page are gone, it leads there no more."""
    rows = [sample_row(number) for number in range(6)]
    fill(engine, rows)
    first = engine.read(Query(sort=(("id", "ASC"),), limit=2))
    second = engine.read(Query(cursor=first.next_cursor, limit=2))
    third = engine.read(Query(cursor=second.next_cursor, limit=2))
    assert [neighbours(page) for page in (first, second, third)] == [
        (False, True),
        (True, True),
        (True, False),
    ]
    for row_id in ids_of(first.rows) + ids_of(third.rows):
        engine.remove(row_id)
    assert neighbours(engine.read(Query(cursor=first.next_cursor, limit=2))) == (False, False)
    assert neighbours(engine.read(Query(cursor=third.prev_cursor, limit=2))) == (False, False)
