"""The types of the client, as its callers' type checkers see them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import benefit_programs

ROOT = Path(__file__).resolve().parent.parent.parent


def test_use_is_well_typed(tmp_path: Path) -> None:
    """What callers write passes mypy at its strictest, and mistakes are found."""
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", tmp_path / "mypy.ini"),
            *("--cache-dir", tmp_path / "cache", "--explicit-package-bases"),
            ROOT / "tests" / "typing" / "use_of_client.py",
        ],
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT / "src"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_use_is_well_typed_for_pyright(tmp_path: Path) -> None:
    """The same lines pass pyright at its strictest, and mistakes are found."""
    settings = {
        "include": [str(ROOT / "tests" / "typing")],
        "extraPaths": [str(ROOT / "src")],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "basedpyright", "--project", tmp_path),
            *("--pythonpath", sys.executable),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_package_is_marked_as_typed() -> None:
    """Type checkers read the hints of the installed package."""
    assert (Path(benefit_programs.__file__).parent / "py.typed").is_file()
