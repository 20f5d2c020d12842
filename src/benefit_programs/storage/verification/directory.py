"""The check of the tenants themselves: I14."""

from __future__ import annotations

from benefit_programs.storage.tables import TABLES

TABLE_NAMES = tuple(table.name for table in TABLES.values())

NEXT_TENANT = "select min(t.tenant_id) from {table} t where t.tenant_id > $1"
"""The next tenant that a table has rows of; its primary key answers without reading them."""

KNOWN_TENANTS = "select id from tenants order by id"
