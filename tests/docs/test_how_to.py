"""The how-to pages that need more than a service: a provider, a PostgreSQL, the official SDK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.conftest import shell_environment
from tests.docs.markdown import Likeness, commands_of, printed_by, script_of
from tests.docs.shell import require_commands
from tests.support.node import ensure_js_packages, node_executable
from tests.support.serving import ServerProcess

PAGES = Path(__file__).resolve().parents[2] / "docs" / "how-to"
SECONDS_MAX = 60
CHOSEN_KEY = "a-key-of-my-own-choice"
SECRET = "a-secret-of-at-least-16-characters"
MIGRATIONS = 2


def test_official_sdk_needs_an_origin_and_a_key(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The lines of the page connect the official SDK to a service of one's own."""
    page = PAGES / "use-the-official-sdk.md"
    (tmp_path / "node_modules").symlink_to(ensure_js_packages(), target_is_directory=True)
    script = tmp_path / "script.mjs"
    script.write_text(script_of(page, "javascript"), "utf-8")
    done = subprocess.run(
        [node_executable(), str(script)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert printed_by(page) == done.stdout, done.stderr


def test_policy_provider_is_asked(environment: dict[str, str], tmp_path: Path) -> None:
    """The provider of the page verifies the signature, and lets one in and the other not."""
    page = PAGES / "policy-providers.md"
    script = tmp_path / "provider.py"
    script.write_text(script_of(page, "python"), "utf-8")
    variables = environment | {"PROVIDER_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, str(script), "0"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as provider:
        try:
            assert provider.stdout is not None
            variables["PROVIDER_URL"] = provider.stdout.readline().strip()
            require_commands(commands_of(page), tmp_path, variables)
        finally:
            provider.kill()


def test_production_runs_on_postgres(postgres_url: str, tmp_path: Path) -> None:
    """The commands of the page prepare a PostgreSQL and look after the service on it."""
    commands, likeness = commands_of(PAGES / "run-in-production.md"), Likeness()
    variables = {"BENEFITS_DATABASE_URL": postgres_url}
    require_commands(commands[:MIGRATIONS], tmp_path, shell_environment(**variables), likeness)
    server = ServerProcess(
        ["--workers", "2"],
        tmp_path / "log",
        BENEFITS_DATABASE_URL=postgres_url,
        BENEFITS_BOOTSTRAP_API_KEY=CHOSEN_KEY,
    )
    try:
        variables |= {"BENEFITS_URL": server.url, "BENEFITS_KEY": CHOSEN_KEY}
        require_commands(commands[MIGRATIONS:], tmp_path, shell_environment(**variables), likeness)
    finally:
        server.stop()
