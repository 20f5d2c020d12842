"""The server's wheel, installed from its file: it works, away from all sources."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from benefit_programs import __version__
from tests.docs.markdown import commands_of
from tests.docs.shell import run_blocks
from tests.packaging.conftest import ROOT, copy_sources, environment, run
from tests.support.serving import STOP_SECONDS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet")
WHERE = "import benefit_programs; print(benefit_programs.__file__)"


def serve(benefits: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Serve with an installed command in an empty folder; what it says at its start."""
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [benefits, "serve", "--port", "0", "--json"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield json.loads(line)
        process.terminate()
        assert process.wait(STOP_SECONDS_MAX) == 0, (folder / "log").read_text()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that has the wheel, and sees other packages of this one.

    It sees no sources: a path file that another path file leads to isn't read.
    """
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "venv", with_pip=False)
    commands = folder / "venv" / "bin"
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    options = ("--no-deps", "--no-index", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", commands / "python", *PIP[2:], *options, wheel)
    found = run(commands / "python", "-c", WHERE, cwd=folder)
    assert Path(found.strip()).is_relative_to(packages)
    return commands


@pytest.fixture(scope="module")
def started(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    yield from serve(fresh / "benefits", tmp_path_factory.mktemp("data"))


def test_the_command_tells_its_version(fresh: Path, tmp_path: Path) -> None:
    """The installed command says which version it is."""
    assert run(fresh / "benefits", "--version", cwd=tmp_path) == (f"benefits {__version__}\n")


def test_an_installed_service_serves(started: dict[str, Any]) -> None:
    """It migrates its database, answers a request, and has all pages and their files."""
    with httpx.Client(base_url=started["url"], trust_env=False) as client:
        key = {"authorization": started["firstKey"]}
        body = {"programDefinition": {"namespace": "gym", "externalId": "card"}}
        path = "/benefit-programs/v1/program-definitions"
        made = client.post(path, json=body, headers=key)
        assert made.status_code == httpx.codes.OK, made.text
        require_pages(client)
        require_console(client, started["consoleLink"])


def require_pages(client: httpx.Client) -> None:
    for path in ("/readyz", "/metrics", "/openapi.json", "/docs"):
        assert client.get(path).status_code == httpx.codes.OK, path


def require_console(client: httpx.Client, link: str) -> None:
    """Sign in by the link, and read a page in German, with its style and its scripts."""
    client.headers["accept-language"] = "de"
    token = httpx.URL(link).params["token"]
    page = client.post(
        "/console/sign-in",
        data={"token": token},
        headers={"sec-fetch-site": "same-origin"},
        follow_redirects=True,
    )
    assert page.status_code == httpx.codes.OK, page.text
    assert 'lang="de"' in page.text
    assert "Schließen" in page.text
    static = ROOT / "src" / "benefit_programs" / "console" / "static"
    for file in static.iterdir():
        if file.suffix != ".txt":
            found = client.get(f"/console/static/{file.name}")
            assert found.content == file.read_bytes(), file.name


@pytest.mark.full
def test_pip_installs_all_that_is_needed(wheel: Path, tmp_path: Path) -> None:
    """In an environment with nothing else, pip gets what the wheel needs, and it serves."""
    venv.create(tmp_path / "venv", with_pip=True)
    commands = tmp_path / "venv" / "bin"
    run(commands / "python", *PIP, wheel)
    (tmp_path / "data").mkdir()
    for started in serve(commands / "benefits", tmp_path / "data"):
        test_an_installed_service_serves(started)


@pytest.mark.full
def test_a_checkout_is_installed_as_the_page_says(tmp_path: Path) -> None:
    """The commands of the page install the service and the client from the sources alone."""
    blocks = [block for block, _ in commands_of(ROOT / "docs" / "how-to" / "install.md")]
    folder = copy_sources(tmp_path / "checkout")
    printed = [run_blocks([each], folder, environment())[0].strip() for each in blocks]
    assert printed == [f"benefits {__version__}"] * 2 + [""]


@pytest.mark.full
def test_tools_run_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """So do uvx and pipx."""
    venv.create(tmp_path / "venv", with_pip=True)
    commands = tmp_path / "venv" / "bin"
    locked = ("--require-hashes", "-r", ROOT / "requirements" / "uv.txt")
    run(commands / "python", *PIP, *locked)
    run(commands / "python", *PIP, "pipx")
    variables = {
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "UV_TOOL_DIR": str(tmp_path / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
    }
    told = f"benefits {__version__}\n"
    uvx = (commands / "uvx", "--python", sys.executable, "--from", wheel)
    assert run(*uvx, "benefits", "--version", **variables) == told
    assert (
        run(commands / "pipx", "run", "--spec", wheel, "benefits", "--version", **variables) == told
    )
