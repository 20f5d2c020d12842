"""Those who act: keys and users of the console, many at once."""

from __future__ import annotations

from collections.abc import Sequence

from benefit_programs.storage.console import USER_COLUMNS
from benefit_programs.storage.directory import KEY_COLUMNS
from benefit_programs.storage.query import Dialect, Statement


def keys_with(dialect: Dialect, key_ids: Sequence[str]) -> Statement:
    """Keys by their ids, which must be GUIDs. ``read_key`` reads a row."""
    sql = f"select {KEY_COLUMNS} from api_keys k where {dialect.within('k.id', 1, 'uuid')}"
    return Statement(sql, (dialect.list_parameter(key_ids),))


def users_with(dialect: Dialect, tenant_id: int, user_ids: Sequence[str]) -> Statement:
    """Users of a tenant by their ids, which must be GUIDs. ``read_user`` reads a row."""
    sql = (
        f"select {USER_COLUMNS} from console_users u"
        f" where u.tenant_id = {dialect.bare(1)} and {dialect.within('u.id', 2, 'uuid')}"
    )
    return Statement(sql, (tenant_id, dialect.list_parameter(user_ids)))
