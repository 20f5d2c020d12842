"""Every table of tenants is led by the tenant, so that no statement strays into another's rows."""

from __future__ import annotations

from typing import Any

import pytest

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
    TABLES_BY_NAME,
    ColumnType,
    stored_as,
)

OF_TENANTS = [table for table in TABLES_BY_NAME.values() if table not in DIRECTORY]


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
        (values.Id, ColumnType.ID),
        (str, ColumnType.TEXT),
        (entities.PoolStatus, ColumnType.TEXT),
        (values.Credits, ColumnType.WHOLE),
        (values.Instant, ColumnType.WHOLE),
        (dict[str, int], ColumnType.DOCUMENT),
        (tuple[str, ...], ColumnType.DOCUMENT),
        (entities.TransactionDetails, ColumnType.DOCUMENT),
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
    leaders = {table.name: table.key[0] for table in OF_TENANTS}
    assert leaders == {table.name: "tenant_id" for table in OF_TENANTS}
    assert not any(table.columns["tenant_id"].nullable for table in OF_TENANTS)


def test_tenant_leads_every_index_and_unique_key() -> None:
    """Indexes and unique keys of tenants' tables begin with the tenant."""
    others = [
        each.name
        for table in OF_TENANTS
        for each in table.indexes
        if each.columns[0] != "tenant_id"
    ]
    assert others == []
