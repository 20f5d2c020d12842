"""Everything that callers do at once, and all of the official SDK, through a real pgbouncer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e import test_sdk
from tests.race import test_ledger_races, test_through_pgbouncer

if TYPE_CHECKING:
    from tests.support.service import Server

pytestmark = [pytest.mark.full, *test_through_pgbouncer.pytestmark]

servers = test_through_pgbouncer.servers
crowd = test_ledger_races.crowd
packages = test_sdk.packages

globals().update(
    {name: each for name, each in vars(test_ledger_races).items() if name.startswith("test_")}
)


@pytest.mark.parametrize("script", [*test_sdk.SCRIPTS, test_sdk.QUERIES])
def test_the_sdk_works_unchanged(servers: tuple[str, list[Server]], script: str) -> None:
    """A client of the official SDK gets what it expects, as without a pooler."""
    test_sdk.require_passed(servers[1][0], script)
