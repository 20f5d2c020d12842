"""Pages that need more than a service, and all pages one after the other on one service."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.docs.conftest import shell_environment
from tests.docs.markdown import Likeness, commands_of, printed_by, read_blocks, script_of
from tests.docs.shell import require_commands
from tests.docs.typescript import compile_page
from tests.support.databases import PostgresDatabases
from tests.support.examples import free_port, serving
from tests.support.postgres import PostgresServer, binary_path
from tests.support.serving import ServerProcess

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "how-to"
ELSEWHERE = {
    f"docs/how-to/{each}.md"
    for each in ("run-in-production", "import-and-export", "back-up-and-restore", "install")
}
CODE = {"bash", "typescript", "python"}
NAMESPACE = re.compile(r"""\bnamespace"?\s*[:=]\s*"?([a-z]+)\b""")
PAGES_THAT_DEFINE = 8
SECONDS_MAX = 60
CHOSEN_KEY = "a-key-of-my-own-choice"
SECRET = "a-secret-of-at-least-16-characters"
LOCAL_PROVIDERS = {"BENEFITS_OUTGOING_NETWORKS": "127.0.0.0/8"}
MIGRATIONS = 2
COMMANDS_OF_SQLITE = 3


def test_official_sdk_needs_an_origin_and_a_key(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The lines of the page connect the official SDK to a service of one's own."""
    require_sdk_page(environment, tmp_path)


def test_official_sdk_plays_a_year(environment: dict[str, str], tmp_path: Path) -> None:
    """The lines of the page set the clock of a sandbox, and see what has happened until then."""
    require_clock_page(environment, tmp_path)


@pytest.mark.parametrize("environment", [LOCAL_PROVIDERS], indirect=True)
def test_policy_provider_is_asked(environment: dict[str, str], tmp_path: Path) -> None:
    """The provider of the page verifies the signature, and lets one in and the other not."""
    require_provider_page(environment, tmp_path)


@pytest.mark.parametrize("environment", [LOCAL_PROVIDERS], indirect=True)
def test_people_are_asked_for(environment: dict[str, str], tmp_path: Path) -> None:
    """The provider of the examples tells of those whom the page looks for."""
    require_people_page(environment, tmp_path)


def test_pages_have_namespaces_of_their_own() -> None:
    """No two pages define things in one namespace, so that one service can follow them all."""
    owners: dict[str, set[str]] = {}
    for page in pages_to_read():
        code = "".join(each.text for each in read_blocks(ROOT / page) if each.language in CODE)
        for name in NAMESPACE.findall(code):
            owners.setdefault(name, set()).add(page)
    assert len(owners) >= PAGES_THAT_DEFINE
    assert {name: pages for name, pages in owners.items() if len(pages) > 1} == {}


@pytest.mark.full
@pytest.mark.parametrize("environment", [LOCAL_PROVIDERS], indirect=True)
def test_pages_work_one_after_the_other(environment: dict[str, str], tmp_path: Path) -> None:
    """Whoever reads on in the README's order, on one service and in one folder, sees what is shown.

    The pages about production, about imports and exports, and about backups need other databases.
    """
    others = {
        "docs/tour/gym.md": require_tour,
        "docs/how-to/use-the-official-sdk.md": require_sdk_page,
        "docs/how-to/python-sdk.md": require_python_page,
        "docs/how-to/policy-providers.md": require_provider_page,
        "docs/how-to/ask-for-people.md": require_people_page,
    }
    for page in pages_to_read():
        if page in others:
            others.pop(page)(environment, tmp_path)
        else:
            require_commands(commands_of(ROOT / page), tmp_path, environment)
    assert others == {}


def pages_to_read() -> list[str]:
    """The pages that one service is enough for, in the README's order."""
    read_on = (ROOT / "README.md").read_text("utf-8").partition("## Read on")[2]
    pages = re.findall(r"\((docs/(?:quick|tour|how-to)[^)#]+)\)", read_on)
    return ["README.md", *(each for each in pages if each not in ELSEWHERE)]


def require_tour(environment: dict[str, str], folder: Path) -> None:
    page = ROOT / "docs" / "tour" / "gym.md"
    (folder / "tour").write_text(f"set -euo pipefail\n{script_of(page, 'bash')}", "utf-8")
    assert printed_by(page) == printed(["bash", "tour"], environment, folder)


def require_sdk_page(environment: dict[str, str], folder: Path) -> None:
    page, own = PAGES / "use-the-official-sdk.md", folder / "sdk"
    own.mkdir()
    assert printed_by(page) == printed(compile_page(page, own), environment, own)


def require_clock_page(environment: dict[str, str], folder: Path) -> None:
    """Run the TypeScript of the page with a key of a sandbox."""
    page, own = PAGES / "test-with-a-clock.md", folder / "clock"
    own.mkdir()
    new = ["benefits", "tenants", "create", "sdk", "--sandbox", "--json"]
    tenant = str(json.loads(printed(new, environment, own))["id"])
    key = ["benefits", "keys", "create", "sdk", "--tenant", tenant, "--json"]
    secret = json.loads(printed(key, environment, own))["secret"]
    blocks = read_blocks(page)
    (place,) = [n for n, each in enumerate(blocks) if each.language == "typescript"]
    shown = printed(compile_page(page, own), environment | {"BENEFITS_API_KEY": secret}, own)
    assert blocks[place + 1].text == shown


def require_python_page(environment: dict[str, str], folder: Path) -> None:
    """Run the examples of the sync client; a test of the client runs them all."""
    blocks = read_blocks(PAGES / "python-sdk.md")
    synchronous = [each.text for each in blocks if each.language == "python"]
    given = environment["BENEFITS_API_KEY"], str(uuid4()), str(uuid4())
    script = f"api_key, app_id, member_id = {given}\n"
    script += "".join(each for each in synchronous if "async " not in each)
    script = script.replace("http://127.0.0.1:8080", environment["BENEFITS_URL"])
    (folder / "script.py").write_text(script, "utf-8")
    assert "membership-17 ACTIVE" in printed([sys.executable, "script.py"], environment, folder)


def require_provider_page(environment: dict[str, str], folder: Path) -> None:
    page = PAGES / "policy-providers.md"
    script = folder / "provider.py"
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
            require_commands(commands_of(page), folder, variables)
        finally:
            provider.kill()


def require_people_page(environment: dict[str, str], folder: Path) -> None:
    page, port = PAGES / "ask-for-people.md", free_port()
    address = {"PROVIDER_URL": f"http://127.0.0.1:{port}", "PROVIDER_SECRET": SECRET}
    with serving("provide_people", port, PROVIDER_SECRET=SECRET):
        require_commands(commands_of(page), folder, environment | address)
        code = [sys.executable, "-c", script_of(page, "python")]
        assert printed(code, environment, folder) == "['Ada Lovelace']\nZoë O'Brien\n"


def printed(command: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
        variables |= {"BENEFITS_URL": server.url, "BENEFITS_API_KEY": CHOSEN_KEY}
        require_commands(commands[MIGRATIONS:], tmp_path, shell_environment(**variables), likeness)
    finally:
        server.stop()


def test_sqlite_is_backed_up_and_restored(environment: dict[str, str], tmp_path: Path) -> None:
    """The commands of the page copy a file that is served, and restore the copy elsewhere."""
    commands = commands_of(PAGES / "back-up-and-restore.md")
    require_commands(commands[:COMMANDS_OF_SQLITE], tmp_path, environment)


def test_postgres_is_backed_up_and_restored(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    """The commands of the page copy a database that is served, and restore it as another one."""
    source = PostgresDatabases(postgres_server).create()
    commands = commands_of(PAGES / "back-up-and-restore.md")
    variables = shell_environment(BENEFITS_DATABASE_URL=source, NEW_DATABASE_URL=postgres_url)
    variables["PATH"] = f"{Path(binary_path('pg_dump')).parent}:{variables['PATH']}"
    server = ServerProcess([], tmp_path / "log", BENEFITS_DATABASE_URL=source)
    try:
        require_commands(commands[COMMANDS_OF_SQLITE:], tmp_path, variables)
    finally:
        server.stop()
        postgres_server.drop_database(source)
