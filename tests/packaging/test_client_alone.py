"""The client as a distribution of its own."""

from __future__ import annotations

import re
import venv
from typing import TYPE_CHECKING

import pytest

from tests.packaging.conftest import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.service import Server

ENGINES = ["sqlite"]

README = ROOT / "packages" / "client" / "README.md"

SCRIPT = """
import importlib.util, sys
from benefit_programs.client import (
    BenefitPrograms, JwtNotInstalled, Member, ServerNotInstalled, Webhook
)
from benefit_programs.client.core.options import user_agent

url, api_key, version = sys.argv[1:]
assert importlib.util.find_spec("benefit_programs.api") is None
assert importlib.util.find_spec("sqlalchemy") is None
assert user_agent() == "benefit-programs-client/" + version
try:
    BenefitPrograms.open("club.db")
except ServerNotInstalled as error:
    print(error)
try:
    Webhook.verify_jwt(b"", "")
except JwtNotInstalled as error:
    print(error)
with BenefitPrograms(url, api_key) as client:
    made = client.program_definitions.create(namespace="gym", external_id="alone")
    assert [each.id for each in client.program_definitions.query()] == [made.id]
    client.programs.provision(
        program_definition_id=made.id,
        namespace="gym",
        beneficiary=Member(made.id),
        external_program_id="alone",
    )
"""


@pytest.mark.full
def test_wheel_works_alone(client_wheel: Path, server: Server, tmp_path: Path) -> None:
    """In a fresh environment with the client alone, a real service is called."""
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    run(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", client_wheel)
    version = client_wheel.name.split("-")[1]
    (shown,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    told = run(python, "-c", SCRIPT + shown, server.url, server.make_key(), version)
    assert "pip install benefit-programs)" in told
    assert "pip install 'benefit-programs-client[webhooks]'" in told
    assert told.rstrip().endswith("ACTIVE")
