"""The machine, the versions and the settings that figures belong to."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.disk import measure_flush_ms
from tests.support.postgres import pgbench_path

DISTRIBUTIONS = (
    "apsw",
    "asyncpg",
    "fastapi",
    "httptools",
    "msgspec",
    "pydantic",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "uvloop",
)


def describe_environment() -> dict[str, Any]:
    """Gather what a reader needs to place the figures; the load average tells of other work."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgres": _postgres_version(),
        "versions": {name: _version(name) for name in DISTRIBUTIONS},
        "load_average": os.getloadavg()[0],
        "flush_ms": measure_flush_ms(),
    }


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.processor()


def _postgres_version() -> str:
    done = subprocess.run([pgbench_path(), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix("pgbench (PostgreSQL) ")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
