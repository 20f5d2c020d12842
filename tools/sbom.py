"""Write the bill of materials of a release, from the locked requirements and the files of others.

    python -m tools.sbom                 requirements/benefit-programs.cdx.json

CycloneDX: what the service was locked and tested with, package by package with the hashes of all
its files, and what the wheel itself contains that others wrote. `make lock` writes it, so does
whoever changes the version; a build only copies it.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from benefit_programs import __version__

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "requirements" / "benefit-programs.cdx.json"
LOCKED = ROOT / "requirements" / "runtime.txt"
STATIC = ROOT / "src" / "benefit_programs" / "console" / "static"
HTMX = re.compile(r"(?P<name>htmx|hx-csp)-(?P<version>[\d.]+)\.min\.js")

NAME = "benefit-programs"
OWN_REFERENCE = f"pkg:pypi/{NAME}@{__version__}"


def sbom() -> dict[str, Any]:
    """The document. It is the same whenever and wherever it is made."""
    made: dict[str, Any] = json.loads(_made_of_requirements())
    components = sorted(
        [*(_package(each) for each in made["components"]), _htmx()], key=lambda each: each["purl"]
    )
    own = made["metadata"]["component"]
    own |= {"bom-ref": OWN_REFERENCE, "purl": OWN_REFERENCE, "version": __version__}
    tools = [
        {key: each[key] for key in ("type", "group", "name", "version")}
        for each in made["metadata"]["tools"]["components"]
    ]
    return {
        "$schema": made["$schema"],
        "bomFormat": made["bomFormat"],
        "specVersion": made["specVersion"],
        "version": made["version"],
        "metadata": {"component": own, "tools": {"components": tools}},
        "components": components,
        # What the packages need themselves the lock file doesn't say, so nothing is said of it.
        "dependencies": [{"ref": OWN_REFERENCE, "dependsOn": _needed(components)}],
    }


def text() -> str:
    """The file."""
    return json.dumps(sbom(), indent=1, ensure_ascii=False) + "\n"


def _made_of_requirements() -> str:
    # Addresses of packages are named as they are everywhere, for the index is the machine's choice.
    options = ("--pyproject", "pyproject.toml", "--output-reproducible", "--index-url", "pkg:pypi")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "cyclonedx_py", "requirements", *options, str(LOCKED)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def _package(made: dict[str, Any]) -> dict[str, Any]:
    """A package by its own name in place of its line, and its hashes once."""
    (files,) = made["externalReferences"]
    return {
        "type": made["type"],
        "bom-ref": made["purl"],
        "name": made["name"],
        "version": made["version"],
        "purl": made["purl"],
        "externalReferences": [
            {
                "type": files["type"],
                "url": made["purl"],
                "comment": "the hashes of all files that may be installed",
                "hashes": files["hashes"],
            }
        ],
    }


def _htmx() -> dict[str, Any]:
    """The script that the wheel contains as it was published."""
    files = sorted(path for path in STATIC.iterdir() if HTMX.fullmatch(path.name))
    (version,) = {
        found["version"] for path in files if (found := HTMX.fullmatch(path.name)) is not None
    }
    reference = f"pkg:npm/htmx.org@{version}"
    return {
        "type": "library",
        "bom-ref": reference,
        "name": "htmx.org",
        "version": version,
        "purl": reference,
        "licenses": [{"license": {"id": "0BSD"}}],
        "components": [
            {
                "type": "file",
                "bom-ref": f"{reference}#{path.name}",
                "name": path.relative_to(ROOT / "src").as_posix(),
                "hashes": [
                    {"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}
                ],
            }
            for path in files
        ],
    }


def _needed(components: list[dict[str, Any]]) -> list[str]:
    """The references of what the project names itself, and of what its wheel contains."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {re.split(r"[^\w.-]", each, maxsplit=1)[0] for each in project["dependencies"]}
    found = {each["name"]: each["bom-ref"] for each in components}
    return sorted(found[name] for name in {*named, "htmx.org"})


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
