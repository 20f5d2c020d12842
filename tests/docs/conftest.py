"""Fixtures for tests that run what the pages of the documentation show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.nursery import nursery
from tests.support.serving import ServerProcess, own_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables of somebody who has just started the service for the first time.

    A test gives the service settings of its own as the fixture's parameter.
    """
    yield from new_installation(tmp_path, **getattr(request, "param", {}))


def new_installation(parent: Path, **variables: str) -> Iterator[dict[str, str]]:
    """Run a new service until the next step; the variables of a shell that calls it."""
    folder = str(parent / "data")
    server = ServerProcess(["--data-dir", folder], parent / "log", **variables)
    assert server.first_key is not None
    yield shell_environment(
        BENEFITS_DATA_DIR=folder, BENEFITS_URL=server.url, BENEFITS_API_KEY=server.first_key
    )
    server.stop()


def shell_environment(**variables: str) -> dict[str, str]:
    """The environment of a shell that finds the commands of this project, and these variables."""
    folders = [nursery().folder, str(Path(sys.executable).parent), os.environ["PATH"]]
    path = os.pathsep.join(folders)
    return own_environment(PATH=path, COLUMNS="200", **variables)
