"""How a version is released: one number everywhere, its notes, and a workflow without secrets."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from benefit_programs import __version__
from tests.packaging.conftest import ROOT
from tools.release_notes import CHANGELOG, NoRelease, notes, sections

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"
MAY_WRITE = {
    "build": {"id-token", "attestations"},
    "publish": {"id-token"},
    "describe": {"contents"},
}
"""What each job may change; nothing else."""


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    return loaded


def test_all_say_the_same_version() -> None:
    """The newest section of the changelog is the package's, whose version the client takes."""
    assert next(iter(sections(CHANGELOG.read_text("utf-8")))) == __version__
    for folder in (ROOT, ROOT / "packages" / "client"):
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        assert "version" in project["project"]["dynamic"]
        file = folder / project["tool"]["hatch"]["version"]["path"]
        assert file.resolve() == ROOT / "src" / "benefit_programs" / "__init__.py"
    client = (ROOT / "packages" / "client" / "LICENSE").read_bytes()
    assert client == (ROOT / "LICENSE").read_bytes()


def test_notes_are_what_the_changelog_says() -> None:
    """They are the version's section alone, with links that lead somewhere from anywhere."""
    told = notes(f"v{__version__}", links="https://forge.example/blob/v1/")
    assert told.startswith(("The first release.", "- "))
    assert "\n## " not in told
    relative = [link for link in re.findall(r"\]\(([^)\s]+)\)", told) if ":" not in link]
    assert relative == []


@pytest.mark.parametrize("tag", ["v0.0.1", "nightly", __version__])
def test_only_the_version_itself_is_released(tag: str) -> None:
    """A tag that names another version has no notes."""
    with pytest.raises(NoRelease, match=tag):
        notes(tag)


def test_a_version_without_a_date_is_not_released() -> None:
    """What the changelog calls unreleased has none, either."""
    with pytest.raises(NoRelease, match=r"## 999\.0\.0"):
        notes("v999.0.0", version="999.0.0")


def test_the_workflow_may_do_little(workflow: dict[Any, Any]) -> None:
    """Each job has the rights that it needs, and none knows a secret."""
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as true.
    assert workflow["permissions"] == {}
    assert "secrets" not in WORKFLOW.read_text("utf-8").replace("No secret", "")
    found = {
        name: {right for right, level in job["permissions"].items() if level == "write"}
        for name, job in workflow["jobs"].items()
    }
    assert found == MAY_WRITE


def test_the_workflow_publishes_only_what_was_checked(workflow: dict[Any, Any]) -> None:
    """It runs the checks that every change runs, then builds, and the other jobs wait for that."""
    jobs = workflow["jobs"]
    commands = [step["run"] for step in jobs["build"]["steps"] if "run" in step]
    order = [next(i for i, text in enumerate(commands) if each in text) for each in COMMANDS]
    assert order == sorted(order)
    assert (jobs["publish"]["needs"], jobs["describe"]["needs"]) == ("build", "publish")
    for job in jobs.values():
        for step in job["steps"]:
            assert re.fullmatch(r"[\w./-]+@(v\d+|release/v\d+)", step.get("uses", "a@v1"))


COMMANDS = ("tools.release_notes", ".ci/run", "make dist")
"""What comes before what."""
