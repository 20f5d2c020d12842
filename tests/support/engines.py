"""On which databases a test runs."""

from __future__ import annotations

import pytest

from tests.support.citus import CITUS

ON_POSTGRES_IN_FULL = pytest.mark.parametrize(
    "databases",
    ["sqlite", pytest.param("postgres", marks=pytest.mark.full), *CITUS],
    indirect=True,
)
"""For what takes long and is decided before any store is asked, or judged on it by other tests."""
