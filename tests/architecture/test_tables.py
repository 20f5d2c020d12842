"""Every table of tenants is led by the tenant, so that no statement strays into another's rows."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from benefit_programs.domain import (
    allowances,
    audit_rows,
    clocks,
    entities,
    event_rows,
    scheduled_changes,
    values,
)
from benefit_programs.domain.people import rows as people
from benefit_programs.domain.rows import Row
from benefit_programs.domain.webhooks import rows as webhooks
from benefit_programs.storage.tables import (
    DIRECTORY,
    TABLES,
    Document,
    Id,
    Text,
    Whole,
    metadata,
    stored_as,
)

OF_TENANTS = [table for table in metadata.sorted_tables if table not in DIRECTORY]


def test_every_table_is_placed() -> None:
    """A table belongs to the directory, or stores the rows of one type of the domain."""
    assert set(OF_TENANTS) == set(TABLES.values())


def test_every_row_type_has_a_table() -> None:
    """What the domain calls a row is stored, if it isn't there to be inherited from."""
    modules = (
        allowances,
        audit_rows,
        clocks,
        entities,
        event_rows,
        people,
        scheduled_changes,
        webhooks,
    )
    types = {each for some in modules for each in vars(some).values() if isinstance(each, type)}
    rows = {each for each in types if issubclass(each, Row) and not each.__subclasses__()}
    assert rows == set(TABLES)


@pytest.mark.parametrize(
    ("annotation", "stored"),
    [
        (values.Id, Id),
        (str, Text),
        (entities.PoolStatus, Text),
        (values.Credits, Whole),
        (values.Instant, Whole),
        (dict[str, int], Document),
        (tuple[str, ...], Document),
        (entities.TransactionDetails, Document),
    ],
)
def test_annotation_says_how_a_value_is_stored(annotation: Any, stored: Any) -> None:
    """Each kind of value that a row may have is stored in one way."""
    assert stored_as(annotation) is stored


@pytest.mark.parametrize("annotation", [float, complex, list[str], bytes])
def test_other_values_are_not_stored(annotation: Any) -> None:
    """A type that no column is made for stops the start."""
    with pytest.raises(TypeError, match="can't be stored"):
        stored_as(annotation)


def test_tenant_leads_every_primary_key() -> None:
    """The primary key of a tenant's table begins with the tenant, who is never absent."""
    leaders = {table.name: next(iter(table.primary_key.columns)).name for table in OF_TENANTS}
    assert leaders == {table.name: "tenant_id" for table in OF_TENANTS}
    assert not any(table.c.tenant_id.nullable for table in OF_TENANTS)


def test_tenant_leads_every_index_and_unique_key() -> None:
    """Indexes and unique keys of tenants' tables begin with the tenant."""
    others = [
        f"{table.name}: {each.name}"
        for table in OF_TENANTS
        for each in (*table.indexes, *table.constraints)
        if isinstance(each, sa.Index | sa.UniqueConstraint)
        and next(iter(each.columns)).name != "tenant_id"
    ]
    assert others == []
