"""The client as a distribution of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.service import Server

ROOT = Path(__file__).resolve().parent.parent.parent

SCRIPT = """
import importlib.util, sys
from benefit_programs.client import BenefitPrograms, ServerNotInstalled
from benefit_programs.client.core.options import user_agent

assert importlib.util.find_spec("benefit_programs.api") is None
assert importlib.util.find_spec("sqlalchemy") is None
assert user_agent() == "benefit-programs-client/" + sys.argv[3]
try:
    BenefitPrograms.open("club.db")
except ServerNotInstalled as error:
    print(error)
with BenefitPrograms(sys.argv[1], sys.argv[2]) as client:
    made = client.program_definitions.create(namespace="gym", external_id="alone")
    assert [each.id for each in client.program_definitions.query()] == [made.id]
"""


def run(*arguments: object) -> str:
    done = subprocess.run(
        [str(each) for each in arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's wheel, built from this repository."""
    folder = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel")
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", folder)
    run(*pip, *options, ROOT / "packages" / "client")
    (wheel,) = folder.glob("benefit_programs_client-*.whl")
    return wheel


@pytest.mark.full
def test_wheel_has_the_client_alone(wheel: Path) -> None:
    """The wheel has every file of the client, typed, and nothing of the service."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if "dist-info" not in name}
    source = ROOT / "src" / "benefit_programs"
    client = {str(path.relative_to(source.parent)) for path in (source / "client").rglob("*.py")}
    others = {"__init__.py", "py.typed", "client/LICENSE"}
    assert names == client | {f"benefit_programs/{name}" for name in others}


@pytest.mark.full
def test_wheel_works_alone(wheel: Path, server: Server, tmp_path: Path) -> None:
    """In a fresh environment with the client alone, a real service is called."""
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    run(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", wheel)
    version = wheel.name.split("-")[1]
    told = run(python, "-c", SCRIPT, server.url, server.make_key(), version)
    assert "pip install benefit-programs" in told
