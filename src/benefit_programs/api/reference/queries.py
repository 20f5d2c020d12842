"""What each query may filter and sort by, as the store reads it."""

from __future__ import annotations

from collections.abc import Callable

from benefit_programs.storage import item_specs, specs
from benefit_programs.storage.query import Dialect, QuerySpec, SqliteDialect

_SPECS: dict[str, Callable[[Dialect], QuerySpec]] = {
    "queryProgramDefinitions": specs.program_definitions,
    "queryPoolDefinitions": specs.pool_definitions,
    "queryPrograms": specs.programs,
    "queryPools": specs.pools,
    "queryItems": item_specs.items,
    "countItems": item_specs.items,
    "bulkDeleteItemsByFilter": item_specs.items,
    "queryPoolItems": item_specs.pool_items,
    "queryPoolDefinitionItems": item_specs.pool_definition_items,
    "queryBalances": specs.balances,
    "queryTransactions": specs.transactions,
}
QUERY_METHODS = frozenset(_SPECS)


def filterable_fields(name: str) -> list[str]:
    """The fields that a method's filter may name, sorted; none if it takes no filter."""
    return sorted(spec_of(name).fields) if name in _SPECS else []


def indexed_fields(name: str) -> list[str]:
    """The fields on which an equality goes by an index, sorted; none of what gives no pages."""
    return sorted(spec_of(name).indexed) if name.startswith("query") else []


def sortable_fields(name: str) -> list[str]:
    """The fields that a method may sort by, sorted; none if it sorts nothing."""
    if not name.startswith("query"):
        return []
    return sorted(key for key, field in spec_of(name).fields.items() if field.sortable)


def spec_of(name: str) -> QuerySpec:
    """What a method's query may name, whichever the store."""
    return _SPECS[name](SqliteDialect())
