"""The units of deploy/systemd: systemd understands them, and they give a process little."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest

from benefit_programs.cli.application import COMMANDS
from benefit_programs.cli.processes import ANSWER_SECONDS_MAX
from benefit_programs.cli.serve import STOP_SECONDS_MAX
from benefit_programs.config import Settings, read_settings
from tests.support.serving import ServerProcess

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
UNITS = ("benefits-server.service", "benefits-worker.service")
BENEFITS = "/opt/benefits/bin/benefits"
EXPOSURE_MAX = 25
"""Of a hundred."""


def systemd(tool: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one of systemd's tools, which need no systemd that runs."""
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}, which comes with systemd")
    return subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)


def told(unit: str) -> list[tuple[str, str]]:
    """The directives of a unit with their values, in their order."""
    return re.findall(r"^(\w+)=(.*)$", (FOLDER / unit).read_text("utf-8"), re.MULTILINE)


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """It knows every directive and value, and finds no fault."""
    for unit in UNITS:
        text = (FOLDER / unit).read_text("utf-8")
        assert BENEFITS in text
        (tmp_path / unit).write_text(text.replace(BENEFITS, shutil.which("true") or ""))
    done = systemd("systemd-analyze", "verify", *(tmp_path / unit for unit in UNITS))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_units_expose_little(unit: str) -> None:
    """What a process of a unit could do to its machine is little, as systemd counts it."""
    threshold = f"--threshold={EXPOSURE_MAX}"
    done = systemd("systemd-analyze", "security", "--offline=true", threshold, FOLDER / unit)
    assert done.returncode == 0, done.stdout + done.stderr


def test_user_and_folders_are_made(tmp_path: Path) -> None:
    """There will be the user, and a folder for settings that is root's alone."""
    if os.geteuid() != 0:
        return  # Only root may give files to root.
    (tmp_path / "etc").mkdir()
    done = systemd("systemd-sysusers", f"--root={tmp_path}", FOLDER / "benefits.sysusers.conf")
    assert done.returncode == 0, done.stderr
    assert re.search("^benefits:", (tmp_path / "etc" / "passwd").read_text(), re.MULTILINE)
    options = ("--create", f"--root={tmp_path}")
    done = systemd("systemd-tmpfiles", *options, FOLDER / "benefits.tmpfiles.conf")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc" / "benefits").stat().st_mode & 0o777 == 0o700


def test_units_fit_the_commands() -> None:
    """They run commands that there are, with the time that they take, and differ in no lock."""
    for unit in UNITS:
        directives = told(unit)
        values = dict(directives)
        for name, value in directives:
            if name.startswith("Exec"):
                program, command = value.split()
                assert program == BENEFITS
                assert command in COMMANDS
        assert int(values["TimeoutStopSec"]) > STOP_SECONDS_MAX + 2
        assert int(values["WatchdogSec"]) > 2 * ANSWER_SECONDS_MAX
    locks = [told(unit)[index_of_user(unit) :] for unit in UNITS]
    assert locks[0] == locks[1]


def index_of_user(unit: str) -> int:
    return [name for name, _ in told(unit)].index("User")


def test_the_file_of_settings_is_one(tmp_path: Path) -> None:
    """The file to begin with has settings alone, once what has to be filled in is."""
    text = (FOLDER / "benefits.toml").read_text("utf-8")
    file = tmp_path / "benefits.toml"
    file.write_text(text.replace('"..."', f'"{"A" * 43}="'))
    settings = read_settings(environment={"BENEFITS_CONFIG": str(file)})
    assert isinstance(settings, Settings)
    assert settings.workers == tomllib.loads(text)["workers"]


def test_a_log_in_a_file_may_be_emptied(tmp_path: Path) -> None:
    """Whoever rotates the log by copying and emptying it finds whole lines, from the beginning."""
    rotation = (FOLDER.parent / "logrotate" / "benefits").read_text("utf-8")
    assert "copytruncate" in rotation
    log = tmp_path / "log"
    server = ServerProcess(["--data-dir", str(tmp_path / "data"), "--log-format", "json"], log)
    httpx.get(f"{server.url}/docs", trust_env=False)
    os.truncate(log, 0)
    httpx.get(f"{server.url}/openapi.json", trust_env=False)
    assert server.stop() == 0
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert lines[-1]["event"] == "stopped"
