"""What is built: the client as a distribution of its own, and the sync client in each."""

from __future__ import annotations

import shutil
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
SYNC = "benefit_programs/client/synchronous"
BUILT_FROM = ("CHANGELOG.md", "LICENSE", "README.md", "hatch_build.py", "pyproject.toml")

SCRIPT = """
import importlib.util, sys
from benefit_programs.client import BenefitPrograms, JwtNotInstalled, ServerNotInstalled, Webhook
from benefit_programs.client.core.options import user_agent

assert importlib.util.find_spec("benefit_programs.api") is None
assert importlib.util.find_spec("sqlalchemy") is None
assert user_agent() == "benefit-programs-client/" + sys.argv[3]
try:
    BenefitPrograms.open("club.db")
except ServerNotInstalled as error:
    print(error)
try:
    Webhook.verify_jwt(b"", "")
except JwtNotInstalled as error:
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


def build_wheel(source: Path, folder: Path) -> Path:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel")
    run(*pip, "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as they are cloned, without what a build makes."""
    folder = tmp_path_factory.mktemp("checkout")
    made = shutil.ignore_patterns("__pycache__", "synchronous")
    for name in ("src", "packages"):
        shutil.copytree(ROOT / name, folder / name, ignore=made)
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's wheel."""
    return build_wheel(checkout / "packages" / "client", tmp_path_factory.mktemp("dist"))


def test_every_build_makes_the_sync_client(checkout: Path, tmp_path: Path) -> None:
    """A source archive of a fresh clone has the sync client, and so has the wheel made of it."""
    shutil.rmtree(checkout / "src" / SYNC, ignore_errors=True)
    options = ("--target", "sdist", "--directory", tmp_path)
    subprocess.run([sys.executable, "-m", "hatchling", "build", *options], cwd=checkout, check=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(build_wheel(archive, tmp_path)) as built:
        texts = {
            name: built.read(name).decode() for name in built.namelist() if name.startswith(SYNC)
        }
    assert texts == {
        f"{SYNC}/{path.name}": path.read_text("utf-8")
        for path in (ROOT / "src" / SYNC).iterdir()
        if path.suffix == ".py"
    }


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
    assert "pip install benefit-programs)" in told
    assert "pip install 'benefit-programs-client[webhooks]'" in told
