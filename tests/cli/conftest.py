"""Commands in this process, against a real server and against databases of their own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from benefit_programs.cli import main
from tests.support.blocking import Portal
from tests.support.receiver import Receiver
from tests.support.service import RECEIVERS_HERE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Databases


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@contextmanager
def own_logging() -> Iterator[None]:
    """Let a command set up the log as it does, and leave it to others as it was."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        yield
    finally:
        structlog.configure(**before)


def run(*arguments: str) -> Done:
    """Run a command to its end, with nobody there to answer questions."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    before, sys.argv = sys.argv, ["benefits", *arguments]
    try:
        with own_logging(), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    return Done(code, out.getvalue(), err.getvalue())


class Terminal:
    """Somebody who has a service, over HTTP or in this process, and a folder for files."""

    def __init__(self, where: tuple[str, ...], folder: Path) -> None:
        self.where = where
        self.folder = folder

    def run(self, *arguments: str) -> Done:
        return run(*arguments, *self.where)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    def apply(self, text: str, *options: str) -> Any:
        """Apply a file, and what that has done."""
        return self.json("apply", self.file(text), "--yes", *options)

    def file(self, text: str) -> str:
        path = self.folder / "benefits.yaml"
        path.write_text(text, "utf-8")
        return str(path)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options alone say where the service is."""
    for name in ("BENEFITS_URL", "BENEFITS_API_KEY", "BENEFITS_DATA_DIR", "BENEFITS_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in RECEIVERS_HERE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["http", "in_process"])
def terminal(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Terminal:
    """A tenant of the test's own, over each transport and on each kind of database."""
    if request.param == "http":
        server = request.getfixturevalue("server")
        return Terminal(("--url", server.url, "--api-key", server.make_key()), tmp_path)
    return Terminal(("--database-url", request.getfixturevalue("database_url")), tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks, which runs beside the test."""
    portal = Portal()
    with portal.open(Receiver().running()) as receiver:
        yield receiver
    portal.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data that was made once, to be copied."""
    folder = tmp_path_factory.mktemp("migrated") / "data"
    assert run("migrate", "--data-dir", str(folder)).code == 0
    return folder


@pytest.fixture
def alone(tmp_path: Path, migrated: Path) -> Terminal:
    """A tenant in a SQLite file, for what is the same everywhere."""
    where = ("--data-dir", str(copytree(migrated, tmp_path / "data")))
    return Terminal(where, tmp_path)


@pytest.fixture
def command() -> Callable[..., Done]:
    """Run a command that has nothing but its arguments."""
    return run
