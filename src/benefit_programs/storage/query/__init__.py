"""The query language of the contract: filters, sorts and pages, compiled to SQL.

A store describes what a method reads (`QuerySpec` of `Field`), plans a page (`plan_page`) or a
number (`plan_count`), and runs the statements itself.
"""

from __future__ import annotations

from benefit_programs.storage.query.compiler import Statement
from benefit_programs.storage.query.cursors import CURSOR_LENGTH_MAX
from benefit_programs.storage.query.dialects import (
    Dialect,
    PostgresDialect,
    SqliteDialect,
    register_functions,
)
from benefit_programs.storage.query.fields import (
    GUIDS_DEFAULT,
    GUIDS_OPEN,
    GUIDS_STRICT,
    Field,
    FieldKind,
    IdentityColumns,
)
from benefit_programs.storage.query.language import read_filter
from benefit_programs.storage.query.paging import Page, PagePlan, Query, plan_count, plan_page
from benefit_programs.storage.query.spec import LIMIT_MAX_OF_ITEMS, QuerySpec, index_fields

__all__ = [
    "CURSOR_LENGTH_MAX",
    "GUIDS_DEFAULT",
    "GUIDS_OPEN",
    "GUIDS_STRICT",
    "LIMIT_MAX_OF_ITEMS",
    "Dialect",
    "Field",
    "FieldKind",
    "IdentityColumns",
    "Page",
    "PagePlan",
    "PostgresDialect",
    "Query",
    "QuerySpec",
    "SqliteDialect",
    "Statement",
    "index_fields",
    "plan_count",
    "plan_page",
    "read_filter",
    "register_functions",
]
