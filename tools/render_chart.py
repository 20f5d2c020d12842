"""Brings what is kept of the Helm chart up to date.

    python -m tools.render_chart            all of it
    python -m tools.render_chart schema     what comes from the code, without helm

The settings in the schema of the values come from the code. What the chart renders to for each file
of values in ``ci`` is kept beside the tests, so that every run of them can look at it; this needs
helm, on the path or named by BENEFITS_HELM.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from benefit_programs.config import references

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "deploy" / "helm" / "benefit-programs"
SCHEMA = CHART / "values.schema.json"
RENDERED = ROOT / "tests" / "deploy" / "rendered"

RELEASE = "benefits"
OPTIONS = ("--kube-version", "1.34.0", "--namespace", "shop")

SET_BY_CHART = frozenset(
    {"data_dir", "host", "port", "run_jobs", "worker_metrics_host", "worker_metrics_port"}
)
"""Settings that follow from other values."""

_VALUE: dict[str, Any] = {
    "type": ["string", "integer", "boolean", "array"],
    "items": {"type": "string"},
}


def settings_schema() -> dict[str, Any]:
    """The settings that values may have: those that are neither secret nor the chart's own."""
    return {
        each.name: {**_VALUE, "description": each.about}
        for each in references()
        if not each.secret and each.name not in SET_BY_CHART
    }


def schema_json() -> str:
    """The schema of the values as it must be: the part about settings made anew."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    schema["properties"]["settings"]["properties"] = settings_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def chart_digest() -> str:
    """What tells whether what is kept was rendered from the chart as it is now."""
    digest = sha256()
    for path in sorted(CHART.rglob("*")):
        if path.is_file() and path != SCHEMA:
            digest.update(path.relative_to(CHART).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def cases() -> list[str]:
    """The names of the files of values."""
    return sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir())


def helm() -> str | None:
    """The program that renders, if there is one."""
    return os.environ.get("BENEFITS_HELM") or shutil.which("helm")


def render(program: str, case: str) -> str:
    """What the chart renders to with the values of a case. Raises CalledProcessError."""
    values = CHART / "ci" / f"{case}-values.yaml"
    done = subprocess.run(  # noqa: S603 - the program that the caller names
        [program, "template", RELEASE, str(CHART), *OPTIONS, "--values", str(values)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = (line.rstrip() for line in done.stdout.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def main() -> None:
    """Write the schema, and what each case renders to."""
    SCHEMA.write_text(schema_json(), "utf-8")
    if sys.argv[1:] == ["schema"]:
        return
    program = helm()
    if program is None:
        sys.exit("To render the chart takes helm, on the path or named by BENEFITS_HELM")
    RENDERED.mkdir(parents=True, exist_ok=True)
    for path in RENDERED.glob("*.yaml"):
        path.unlink()
    head = f"# Made by tools/render_chart.py from the chart with SHA-256 {chart_digest()}\n"
    for case in cases():
        (RENDERED / f"{case}.yaml").write_text(head + render(program, case), "utf-8")


if __name__ == "__main__":
    main()
