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
