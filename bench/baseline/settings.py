"""Settings of the baseline, read once from the environment."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the database is, the key to let in, and how many connections to hold open.

    On two cores 4 and 8 connections came out level, 16 and 32 slower, so 8 is the default.
    """

    database_url: str
    api_key: str
    pool_size: int = 8

    @classmethod
    def from_environment(cls) -> Self:
        """Read BASELINE_DATABASE_URL, BASELINE_API_KEY and, if set, BASELINE_POOL_SIZE."""
        return cls(
            database_url=os.environ["BASELINE_DATABASE_URL"],
            api_key=os.environ["BASELINE_API_KEY"],
            pool_size=int(os.environ.get("BASELINE_POOL_SIZE", "8")),
        )
