"""Every table of tenants is led by the tenant, so that no statement strays into another's rows."""

from __future__ import annotations

import sqlalchemy as sa

from benefit_programs.storage.tables import DIRECTORY, TABLES, metadata

OF_TENANTS = [table for table in metadata.sorted_tables if table not in DIRECTORY]


def test_every_table_is_placed() -> None:
    """A table belongs to the directory, or stores the rows of one type of the domain."""
    assert set(OF_TENANTS) == set(TABLES.values())


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
