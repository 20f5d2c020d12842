"""The image and the files of Compose say what the service knows, and give it no rights."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from benefit_programs import __version__
from benefit_programs.config import (
    OTHER_VARIABLES,
    read_settings,
    references,
    secret_file_variable,
)
from tests.support.serving import own_environment

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
CONTAINERFILE = DEPLOY / "container" / "Containerfile"
PAGES = [ROOT / "docs" / "how-to" / f"{each}.md" for each in ("containers", "kubernetes")]

OF_COMPOSE = {"BENEFITS_IMAGE"}
"""What Compose itself reads."""
OF_TOOLS = {"BENEFITS_HELM"}

WITHOUT = """
import runpy, sys

import benefit_programs.cli.application as application
from benefit_programs.cli import main

kept, dialects, folder = sys.argv[1].split(","), sys.argv[2].split(","), sys.argv[3]


class LeftOut:
    def find_spec(self, name, path=None, target=None):
        *parents, last = name.split(".")
        lexer = parents == ["pygments", "lexers"] and last not in kept
        if lexer or (parents == ["sqlalchemy", "dialects"] and last in dialects):
            raise ModuleNotFoundError(name, name=name)


def run(*words):
    sys.argv = ["benefits", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)


def helps(words, command):
    run(*words, "--help")
    for name, each in getattr(command, "commands", {}).items():
        helps([*words, name], each)


def crash(name):
    raise RuntimeError("a crash")


sys.meta_path.insert(0, LeftOut())
runpy.run_path("deploy/container/loaded.py", run_name="__main__")
run("--help")
for name in application.COMMANDS:
    helps([name], application.load_command(name))
run("migrate", "--data-dir", folder)
run("keys", "create", "first key", "--data-dir", folder)
run("keys", "list", "--data-dir", folder)
application.load_command = crash
run("version")
"""
"""Uses the service where what the image leaves out can't be imported."""


def files() -> list[Path]:
    return [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]


def test_variables_are_settings() -> None:
    """Each variable in these files and their pages is a setting, or names a secret's file."""
    known = {each.variable for each in references()} | OF_COMPOSE | OF_TOOLS
    known |= OTHER_VARIABLES | {
        secret_file_variable(each.name) for each in references() if each.secret
    }
    named = {
        (path.name, name)
        for path in [*files(), *PAGES]
        for name in re.findall(r"\bBENEFITS_[A-Z_]*[A-Z]\b", path.read_text("utf-8"))
    }
    assert named
    assert {(path, name) for path, name in named if name not in known} == set()


def test_ports_are_where_the_service_listens() -> None:
    """The image and Compose use the port of the settings, and workers the port of the pages."""
    port = read_settings(environment={}).port
    assert f"EXPOSE {port}\n" in CONTAINERFILE.read_text("utf-8")
    services = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    assert services["server"]["environment"]["BENEFITS_PORT"] == str(port)
    assert services["server"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    values = yaml.safe_load((DEPLOY / "helm/benefit-programs/values.yaml").read_text("utf-8"))
    metrics = services["worker"]["environment"]["BENEFITS_WORKER_METRICS_PORT"]
    assert metrics == str(values["worker"]["metricsPort"])


def test_files_name_this_version() -> None:
    """The label of the image, and the tags that Compose and the pages use, are the package's."""
    label = f'org.opencontainers.image.version="{__version__}"'
    assert label in CONTAINERFILE.read_text("utf-8")
    for path in [*files(), *PAGES]:
        for tag in re.findall(r"\bbenefit-programs:(\d[\w.]*\w)", path.read_text("utf-8")):
            assert tag == __version__, path


def test_image_has_no_rights_and_no_shell() -> None:
    """The image begins with nothing, runs as nobody in particular, and each command is a list."""
    _, last = CONTAINERFILE.read_text("utf-8").rsplit("\nFROM ", 1)
    assert last.startswith("scratch\n")
    assert "USER 65532:65532\n" in last
    assert 'ENTRYPOINT ["benefits"]\n' in last
    assert 'CMD ["benefits", "health"]\n' in last
    assert "RUN" not in last
    assert not {"bash", "dash", "coreutils"} & set(
        (DEPLOY / "container" / "packages.txt").read_text("utf-8").split()
    )


def test_image_is_built_from_all_that_a_wheel_needs(tmp_path: Path) -> None:
    """What the image's build copies as its source makes a wheel."""
    for names, target in re.findall(
        r"^COPY (.+) (/build/source\S*)$", CONTAINERFILE.read_text("utf-8"), re.MULTILINE
    ):
        for name in names.split():
            copied = tmp_path / target.removeprefix("/build/source").strip("/")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copied)
            else:
                copied.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copied)
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", build, str(tmp_path / "wheels")]
    subprocess.run(command, check=True, cwd=tmp_path, env=own_environment())
    assert [each.suffix for each in (tmp_path / "wheels").iterdir()] == [".whl"]


def test_commands_need_nothing_that_the_image_lacks(tmp_path: Path) -> None:
    """Help, tables, a migration and a crash work without what the image leaves out of libraries."""
    kept = re.findall(r"! -name (\w+)\.py\b", CONTAINERFILE.read_text("utf-8"))
    dialects = re.findall(r"sqlalchemy/dialects/(\w+)", CONTAINERFILE.read_text("utf-8"))
    assert {"__init__", "python", "special"} < {*kept}
    assert dialects
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, ",".join(kept), ",".join(dialects), str(tmp_path)],
        cwd=ROOT,
        env=own_environment(FORCE_COLOR="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, True), done.stderr
    assert done.stderr.endswith("RuntimeError: a crash\n")
    assert "Migrate the database" in done.stdout
    assert "Applied" in done.stdout
    assert "first key" in done.stdout


def test_containers_of_compose_have_no_rights() -> None:
    """Our containers are read-only, have no capabilities, limits, and secrets only as files."""
    document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    secret = {each.variable for each in references() if each.secret}
    for name, service in document["services"].items():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
        assert not service["environment"].keys() & (secret | {"POSTGRES_PASSWORD"})
        assert set(service["secrets"]) <= document["secrets"].keys()
        for variable, value in service["environment"].items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
        if name != "database":
            assert service["read_only"] is True
    migrated = {"migrate": {"condition": "service_completed_successfully"}}
    assert document["services"]["server"]["depends_on"] == migrated
    assert document["services"]["worker"]["depends_on"] == migrated
    assert document["networks"]["inside"] == {"internal": True}


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The script makes secrets that the service takes, and never makes them anew."""
    script = tmp_path / "make-secrets"
    script.write_bytes((DEPLOY / "compose" / "make-secrets").read_bytes())
    assert subprocess.run(["sh", str(script)], env=own_environment(), check=False).returncode == 0
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o077 == 0
    environment = {
        "BENEFITS_DATABASE_URL_FILE": str(folder / "database-url"),
        "BENEFITS_SECRET_KEY_FILE": str(folder / "secret-key"),
    }
    settings = read_settings(environment=environment)
    assert settings.url.endswith("@database/benefits")
    assert len(settings.secret_key) == 1
    again = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=False)
    assert (again.returncode, settings) == (1, read_settings(environment=environment))
    assert "nothing is made" in again.stderr
