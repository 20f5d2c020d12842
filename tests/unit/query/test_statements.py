"""What queries are compiled to: parameters, plain equalities, and orders that indexes have."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benefit_programs.storage.query import (
    GUIDS_DEFAULT,
    Dialect,
    Field,
    FieldKind,
    PostgresDialect,
    Query,
    SqliteDialect,
    Statement,
    index_fields,
    plan_page,
)
from benefit_programs.storage.query.compiler import Compiler
from benefit_programs.storage.query.language import read_filter
from benefit_programs.storage.query.values import read_instant
from tests.unit.query.sample import FIELDS, SECRET, SPEC, TENANT, SqliteEngine, sample_row

GUID = "01890a5d-ac96-774b-bcce-b302099a8057"
DIALECTS = [SqliteDialect(), PostgresDialect(), PostgresDialect(has_casefold=False)]


def compile_query(
    query: Query, dialect: Dialect, row_filter: dict[str, Any] | None = None
) -> Statement:
    return plan_page(
        SPEC,
        query,
        dialect=dialect,
        tenant_id=TENANT,
        ids=GUIDS_DEFAULT,
        secret=SECRET,
        row_filter=row_filter,
    ).statement


def test_equalities_stay_plain() -> None:
    """Equalities of the top conjunction compare a bare column, and created dates order by id."""
    filter_ = {"id": GUID.upper(), "$and": [{"externalId": "x"}, {"program.id": GUID}]}
    assert compile_query(Query(filter=filter_), PostgresDialect()) == Statement(
        "SELECT s.id, s.namespace, s.id FROM samples s WHERE s.tenant_id = $1"
        " AND s.id = $2::uuid AND s.external_id = $3::text AND s.program_id = $4::uuid"
        " ORDER BY s.id DESC LIMIT $5::bigint",
        (TENANT, GUID, "x", GUID, 51),
    )
    assert compile_query(Query(filter={"beneficiary": {"memberId": GUID}}), SqliteDialect()) == (
        Statement(
            "SELECT s.id, s.namespace, s.id FROM samples s WHERE s.tenant_id = ?1"
            " AND s.member_id = ?2 ORDER BY s.id DESC LIMIT ?3",
            (TENANT, GUID, 51),
        )
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_values_never_enter_the_text(dialect: Dialect) -> None:
    """Two queries of one shape share their text, whatever their values are."""

    def shape(value: str) -> str:
        members = [value, value + "2"]
        operators = {
            **dict.fromkeys(("$eq", "$ne", "$gt", "$lte", "$startsWith"), value),
            "$in": members,
            "$nin": members,
            "$hasAll": members,
            "$hasSome": members,
        }
        filter_ = dict.fromkeys(("namespace", "externalId", "category", "tags"), operators)
        return compile_query(Query(filter=filter_), dialect).sql

    assert shape("x") == shape("'; DROP TABLE samples; --")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ((), "s.id DESC"),
        ((("createdDate", "ASC"),), "s.id"),
        ((("createdDate", None),), "s.id"),
        ((("id", "DESC"), ("namespace", "ASC")), "s.id DESC"),
        ((("namespace", "DESC"),), "s.namespace DESC, s.id DESC"),
        ((("namespace", "ASC"), ("createdDate", "DESC")), "s.namespace, s.id DESC"),
        ((("createdDate", "DESC"), ("status", "ASC")), "s.created DESC, s.status, s.id"),
        ((("externalId", "ASC"),), "s.external_id NULLS FIRST, s.id"),
        ((("externalId", "DESC"),), "s.external_id DESC NULLS LAST, s.id DESC"),
        ((("category", "DESC"),), "s.category DESC, s.id DESC"),
        ((("program.id", "ASC"),), "s.program_id NULLS FIRST, s.id"),
    ],
)
def test_orders_are_total_and_short(sort: tuple[tuple[str, str | None], ...], order: str) -> None:
    """Every order ends in the id, in the direction of the last term, and says nothing in vain."""
    sql = compile_query(Query(sort=sort), PostgresDialect()).sql
    assert sql.partition(" ORDER BY ")[2].partition(" LIMIT ")[0] == order


def test_nulls_need_no_words_on_sqlite() -> None:
    """SQLite orders absent values as the contract does."""
    sql = compile_query(Query(sort=(("externalId", "ASC"),)), SqliteDialect()).sql
    assert sql.endswith("ORDER BY s.external_id, s.id LIMIT ?2")


def test_scope_narrows_every_page() -> None:
    """A caller's row filter stands beside the filter, before it."""
    statement = compile_query(
        Query(filter={"namespace": "x"}), SqliteDialect(), row_filter={"beneficiary.memberId": GUID}
    )
    assert "WHERE s.tenant_id = ?1 AND s.member_id = ?2 AND s.namespace = ?3" in statement.sql


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(filter={"externalId": "x"}), "ix_samples_external_id"),
        (Query(filter={"externalId": {"$in": ["x", "y"]}}), "ix_samples_external_id"),
        (Query(filter={"namespace": "x"}), "ix_samples_namespace"),
        (Query(filter={"id": GUID}), "sqlite_autoindex_samples_1"),
        (Query(sort=(("namespace", "DESC"),)), "ix_samples_namespace"),
    ],
)
def test_indexes_serve_usual_queries(query: Query, index: str) -> None:
    """Usual filters and orders search an index, once the engine knows its tables' sizes."""
    plan = explain(query).replace("COVERING INDEX", "INDEX")
    assert f"SEARCH s USING INDEX {index} " in plan
    assert "SCAN s" not in plan


def test_pages_in_order_of_an_index_are_not_sorted() -> None:
    """An equality and the default order are one walk along an index."""
    assert "TEMP B-TREE" not in explain(Query(filter={"namespace": "x"}))


def explain(query: Query) -> str:
    """Tell how SQLite would read a table of a thousand rows."""
    engine = SqliteEngine()
    engine.insert([sample_row(number) for number in range(1_000)])
    engine.execute("analyze")
    statement = compile_query(query, engine.dialect)
    explained = engine.fetch(Statement(f"explain query plan {statement.sql}", statement.parameters))
    engine.close()
    return "; ".join(row[3] for row in explained)


def test_pinned_fields_are_those_of_the_top_conjunction() -> None:
    """Only equality and membership at the top pin a field, under its own name."""
    filter_ = {
        "program.id": GUID,
        "$and": [{"beneficiary.memberId": {"$in": [GUID, GUID.replace("0", "1")]}}],
        "namespace": {"$ne": "x"},
        "$or": [{"externalId": "x"}],
        "$not": {"status": "ACTIVE"},
    }
    plan = plan_page(
        SPEC,
        Query(filter=filter_),
        dialect=SqliteDialect(),
        tenant_id=TENANT,
        ids=GUIDS_DEFAULT,
        secret=SECRET,
    )
    assert plan.pinned_fields == {"programId", "beneficiary.memberId"}


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01T00:00:00.0019999Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01t00:00:01z", 1_000),
        ("1970-01-01T00:01", 60_000),
        ("1970-01-02", 86_400_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_instants_are_read_in_any_zone(text: str, milliseconds: int) -> None:
    """ISO-8601 text with or without an offset becomes milliseconds; finer parts are cut."""
    assert read_instant(text, path="") == milliseconds
    assert read_instant({"$date": text}, path="") == milliseconds


def test_fields_that_contradict_themselves_are_refused() -> None:
    """A declaration that can't be meant fails where it is made."""
    with pytest.raises(AssertionError):
        Field("x", "x", FieldKind.ENUM)
    with pytest.raises(AssertionError):
        Field("x", "x", FieldKind.IDENTITY)


def test_fixed_conditions_come_before_filters() -> None:
    """What a query method always demands is part of every statement."""
    spec = msgspec.structs.replace(
        SPEC, conditions=("s.status <> 'ENDED'",), fields=index_fields(FIELDS)
    )
    plan = plan_page(
        spec,
        Query(filter={"namespace": "x"}),
        dialect=SqliteDialect(),
        tenant_id=TENANT,
        ids=GUIDS_DEFAULT,
        secret=SECRET,
    )
    assert "s.tenant_id = ?1 AND s.status <> 'ENDED' AND s.namespace = ?2" in plan.statement.sql


def test_ranges_spare_absent_values_without_null() -> None:
    """Where "" stands for an absent value, a range doesn't match it."""
    node = read_filter(SPEC.fields, {"category": {"$lt": "x"}}, path="filter", guids=GUIDS_DEFAULT)
    assert Compiler(SqliteDialect()).condition(node) == "NULLIF(s.category, '') < ?1"
