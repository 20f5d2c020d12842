"""A Chromium for the tests of the console, driven by Playwright, and axe to judge pages.

It is the one that BENEFITS_BROWSER names, else one on the path, else the one of the npm package
`@sparticuz/chromium`, which brings its libraries and fonts but runs on Linux on x86-64 alone.
"""

from __future__ import annotations

import json
import os
import platform
import select
import shutil
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.support.node import PACKAGES, node_executable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

VARIABLE = "BENEFITS_BROWSER"
RUN_VARIABLE = "PYTEST_XDIST_TESTRUNUID"
"""What pytest-xdist tells the processes of one run."""

PICTURES_VARIABLE = "BENEFITS_TEST_PICTURES"
ON_PATH = ("chromium", "google-chrome", "chromium-browser")
UNPACK_SECONDS_MAX = 120

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
AXE = PACKAGES / "node_modules" / "axe-core" / "axe.min.js"

_PACKED = PACKAGES / "node_modules" / "@sparticuz" / "chromium" / "bin"
_UNPACKED = PACKAGES / "node_modules" / ".chromium"

_UNPACK = """
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
const [from, to] = process.argv.slice(1);
await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""


_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""


class Found(NamedTuple):
    """A browser's program, and what it needs around it."""

    program: str
    environment: dict[str, str]


class NoBrowser(RuntimeError):
    """There is no browser; the message says how to name one."""


def is_packaged_here() -> bool:
    """Whether the package's browser runs on this machine."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")


def find_browser() -> Found:
    """Raises NoBrowser on machines for which no package has one."""
    named = os.environ.get(VARIABLE)
    if named:
        return Found(named, {})
    for name in ON_PATH:
        if program := shutil.which(name):
            return Found(program, {})
    if not is_packaged_here():
        raise NoBrowser(f"There is no Chromium on the path: name one in {VARIABLE}.")
    folder = unpack_browser()
    return Found(
        str(folder / "chromium"),
        {"FONTCONFIG_PATH": str(folder), "LD_LIBRARY_PATH": str(folder / "lib")},
    )


def unpack_browser() -> Path:
    """Unpack the package's browser, unless that was done. One process at a time."""
    if (_UNPACKED / ".whole").exists():
        return _UNPACKED
    shutil.rmtree(_UNPACKED, ignore_errors=True)
    _UNPACKED.mkdir()
    _decompress("chromium.br", _UNPACKED / "chromium")
    (_UNPACKED / "chromium").chmod(0o755)
    for archive in ("al2023.tar", "fonts.tar"):
        _decompress(f"{archive}.br", _UNPACKED / archive)
        shutil.unpack_archive(_UNPACKED / archive, _UNPACKED, filter="data")
        (_UNPACKED / archive).unlink()
    # The package's own file names folders of another machine; without fonts the renderer dies.
    (_UNPACKED / "fonts.conf").write_text(_FONTS.format(folder=_UNPACKED), "utf-8")
    (_UNPACKED / ".whole").touch()
    return _UNPACKED


def _decompress(name: str, target: Path) -> None:
    subprocess.run(
        [
            *(node_executable(), "--input-type=module", "--eval", _UNPACK, "--"),
            *(str(_PACKED / name), str(target)),
        ],
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=UNPACK_SECONDS_MAX,
    )


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A browser for as long as it is wanted: the same one for all processes of a run of tests."""
    # Playwright's own Node needs libraries that a bare machine may lack.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node_executable())
    from playwright.async_api import async_playwright  # noqa: PLC0415 - reads the variable above

    async with async_playwright() as playwright:
        run = os.environ.get(RUN_VARIABLE)
        if run is not None and sys.platform == "linux":
            browser = await playwright.chromium.connect(_shared_endpoint(run))
        else:
            found = find_browser()
            browser = await playwright.chromium.launch(
                executable_path=found.program, args=FLAGS, env={**os.environ, **found.environment}
            )
        yield browser
        await browser.close()


def _shared_endpoint(run: str) -> str:
    """Where the browser of a run listens; the first process that asks has it started."""
    import fcntl  # noqa: PLC0415 - there is none on Windows

    place = Path(tempfile.gettempdir()) / f"benefits-browser-{run}"
    with place.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        endpoint = file.read()
        if not endpoint:
            endpoint = _start_keeper(place)
            assert endpoint, "the browser didn't start"
            file.write(endpoint)
        return endpoint


def _start_keeper(place: Path) -> str:
    """Start what keeps the browser, which goes on after this process. Where the browser listens."""
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    reading, writing = os.pipe()
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "tests.support.browser", str(os.getppid()), str(place)],
        {**os.environ, "PYTHONPATH": path},
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)],
        setsid=True,
    )
    os.close(writing)
    with os.fdopen(reading) as said:
        return said.readline().strip()


def _keep_browser(run_id: int, place: Path) -> None:
    """Serve one browser until the process that runs the tests is gone. Prints where it listens."""
    from playwright._impl._driver import compute_driver_executable  # noqa: PLC0415 - as above

    ends = os.pidfd_open(run_id)
    found = find_browser()
    options = {"executablePath": found.program, "args": FLAGS, "host": "127.0.0.1"}
    environment = {**os.environ, **found.environment}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump({**options, "env": environment}, config)
        config.flush()
        server = subprocess.Popen(
            [
                *(node_executable(), compute_driver_executable()[1], "launch-server"),
                *("--browser", "chromium", "--config", config.name),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        sys.stdout.write(server.stdout.readline())
        sys.stdout.flush()
        select.select([ends], [], [])
        server.terminate()
        server.wait()
    place.unlink()


async def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page: the rule, and the elements that break it."""
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("axe.run().then((result) => result.violations)")
    return [
        f"{each['id']}: {', '.join(' '.join(node['target']) for node in each['nodes'])}"
        for each in found
    ]


async def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page in the folder that BENEFITS_TEST_PICTURES names, if any."""
    if folder := os.environ.get(PICTURES_VARIABLE):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


if __name__ == "__main__":
    _keep_browser(int(sys.argv[1]), Path(sys.argv[2]))
