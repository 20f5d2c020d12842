"""What the tests with made-up requests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.made_up import ALTERING, Known
from tests.support.service import Server

IN_FULL = "test_openapi_in_full.py"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what takes long to make up, where nobody will send it."""
    is_left_out = collection_path.name == IN_FULL and config.option.markexpr == "not full"
    return True if is_left_out else None


@pytest.fixture(scope="module")
def lasting(server: Server) -> Known:
    return Known(server)


@pytest.fixture
def known(request: pytest.FixtureRequest, server: Server, lasting: Known) -> Known:
    """What most methods leave as it is can be shared by them."""
    name = request.node.name.lower()
    return Known(server) if any(each in name for each in ALTERING) else lasting
