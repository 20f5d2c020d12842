"""The names of the contenders, and what each one is measured against."""

from collections.abc import Sequence

OURS_SQLITE = "ours-sqlite"
OURS_POSTGRES = "ours-postgres"
OURS_POSTGRES_TWO = "ours-postgres-2"
INPROCESS_SQLITE = "inprocess-sqlite"
INPROCESS_POSTGRES = "inprocess-postgres"
BASELINE_POSTGRES = "baseline-postgres"
BASELINE_POSTGRES_TWO = "baseline-postgres-2"
LIMIT_SQLITE = "limit-sqlite"
LIMIT_POSTGRES = "limit-postgres"
LIMIT_POSTGRES_ONE_STATEMENT = "limit-postgres-cte"

OTHER_SQLITE = "other-sqlite"
OTHER_POSTGRES = "other-postgres"
OTHER_POSTGRES_TWO = "other-postgres-2"
OTHERS = (OTHER_SQLITE, OTHER_POSTGRES, OTHER_POSTGRES_TWO)
"""The service of another checkout."""

SERVERS = (
    OURS_SQLITE,
    OURS_POSTGRES,
    OURS_POSTGRES_TWO,
    BASELINE_POSTGRES,
    BASELINE_POSTGRES_TWO,
    *OTHERS,
)
IN_PROCESS = (INPROCESS_SQLITE, INPROCESS_POSTGRES)
LIMITS = (LIMIT_SQLITE, LIMIT_POSTGRES, LIMIT_POSTGRES_ONE_STATEMENT)
CONTENDERS = (*SERVERS, *IN_PROCESS, *LIMITS)


def is_wanted(name: str, only: Sequence[str] | None) -> bool:
    """Whether one of these is the beginning of the name; without any, every name is wanted."""
    return only is None or name.startswith(tuple(only))
