"""What one query method reads: its tables, its fields and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from benefit_programs.storage.query.fields import Field
from benefit_programs.storage.query.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIMIT_DEFAULT = 50
LIMIT_MAX = 100
LIMIT_MAX_OF_ITEMS = 1_000


class QuerySpec(msgspec.Struct, frozen=True, kw_only=True):
    """The fixed part of a query: everything but filter, sort and page.

    ``source`` is the text after FROM, ``columns`` the text after SELECT, ``tenant`` the column
    that must equal the caller's tenant, ``conditions`` what every row must fulfil beside it.
    ``fields`` maps each wire name, aliases included, to its field; ``id`` is unique within the
    tenant and breaks every tie. ``method`` binds the cursors.

    ``indexed`` names the fields on which an equality, in the default order, goes by an index
    however large the tables are; a test asks both engines. ``stages`` is the field, if any, whose
    value changes by itself.
    """

    method: str
    source: str
    columns: str
    tenant: str
    id: Field
    fields: dict[str, Field]
    indexed: frozenset[str] = frozenset()
    conditions: tuple[str, ...] = ()
    stages: Stages | None = None
    default_sort: tuple[tuple[str, str], ...] = (("createdDate", "DESC"),)
    limit_default: int = LIMIT_DEFAULT
    limit_max: int = LIMIT_MAX


def index_fields(
    fields: Iterable[Field], *, aliases: Mapping[str, str] | None = None
) -> dict[str, Field]:
    """Map fields by their names, and each alias to the field that it stands for."""
    by_name = {field.name: field for field in fields}
    for alias, name in (aliases or {}).items():
        by_name[alias] = by_name[name]
    return by_name
