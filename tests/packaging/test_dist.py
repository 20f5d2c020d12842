"""What a release is made of, and that everybody can make the same."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from benefit_programs import __version__
from tests.packaging.conftest import ROOT, copy_sources, run
from tools import sbom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYNC = "benefit_programs/client/synchronous"
INFO = f"benefit_programs-{__version__}.dist-info"
SBOM = "benefit-programs.cdx.json"
OTHER_DAY = 1_000_000_000


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def files_of(folder: Path) -> set[str]:
    """The files of a folder of sources, by their names in a wheel; the sync client is made anew."""
    return {
        path.relative_to(ROOT / "src").as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def _strict_umask() -> Iterator[None]:
    """Have new files be readable for their owner alone."""
    earlier = os.umask(0o077)
    yield
    os.umask(earlier)


def test_a_release_is_complete(dist: Path) -> None:
    """There are wheels and archives of both, their sums, and the bill of materials."""
    both = [f"{name}-{__version__}" for name in ("benefit_programs", "benefit_programs_client")]
    files = {f"{each}{kind}" for each in both for kind in (".tar.gz", "-py3-none-any.whl")} | {SBOM}
    assert {path.name for path in dist.iterdir()} == files | {"SHA256SUMS"}
    sums = [line.split("  ") for line in (dist / "SHA256SUMS").read_text().splitlines()]
    assert {name: told for told, name in sums} == {name: digest_of(dist / name) for name in files}


def test_wheels_have_every_file(wheel: Path, client_wheel: Path) -> None:
    """The server's wheel has all of the package, the client's has the client alone."""
    package = ROOT / "src" / "benefit_programs"
    assert names_in(wheel) == files_of(package)
    own = {f"{package.name}/{name}" for name in ("__init__.py", "py.typed")}
    assert names_in(client_wheel) == files_of(package / "client") | own


def test_wheels_say_who_wrote_what(wheel: Path, client_wheel: Path) -> None:
    """Each wheel has the licences of all that is in it, and the server's says what it needs."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = message_from_bytes(archive.read(f"{INFO}/METADATA"))
        licences = {
            name: archive.read(f"{INFO}/licenses/{name}")
            for name in metadata.get_all("License-File", [])
        }
        assert archive.read(f"{INFO}/sboms/{SBOM}") == (ROOT / "requirements" / SBOM).read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0 AND 0BSD"
    ours = (ROOT / "LICENSE").read_bytes()
    htmx = "src/benefit_programs/console/static/htmx-LICENSE.txt"
    assert licences == {"LICENSE": ours, htmx: (ROOT / htmx).read_bytes()}
    with zipfile.ZipFile(client_wheel) as archive:
        (licence,) = (name for name in archive.namelist() if "/licenses/" in name)
        assert archive.read(licence) == ours


@pytest.mark.usefixtures("_strict_umask")
def test_the_same_sources_make_the_same_files(
    checkout: Path, dist: Path, wheel: Path, client_wheel: Path, tmp_path: Path
) -> None:
    """Another day, folder and umask change no bit, and no archive in between does."""
    other = copy_sources(tmp_path / "other")
    for path in other.rglob("*.py"):
        os.utime(path, (OTHER_DAY, OTHER_DAY))
    build = (sys.executable, "-m", "hatchling", "build", "--directory", tmp_path)
    run(*build, cwd=other / "packages" / "client")
    run(*build, "--target", "wheel", cwd=other)
    made = {path.name: digest_of(path) for path in tmp_path.iterdir() if path.is_file()}
    archive = f"{client_wheel.name.removesuffix('-py3-none-any.whl')}.tar.gz"
    assert made == {
        name: digest_of(dist / name) for name in (archive, client_wheel.name, wheel.name)
    }


def test_archives_have_what_builds_them(dist: Path) -> None:
    """A source archive of a fresh clone has the sync client, as all that is made of it does."""
    for path in dist.glob("*.tar.gz"):
        with tarfile.open(path) as archive:
            texts = {
                name.partition("/src/")[2]: archive.extractfile(name).read().decode()  # type: ignore[union-attr]
                for name in archive.getnames()
                if SYNC in name
            }
        assert texts == {
            f"{SYNC}/{path.name}": path.read_text("utf-8")
            for path in (ROOT / "src" / SYNC).glob("*.py")
        }


def test_the_bill_of_materials_is_the_lock_file() -> None:
    """It names what is locked, with all hashes, and what the wheel contains of others."""
    written = json.loads(sbom.TARGET.read_text("utf-8"))
    assert written["metadata"]["component"]["version"] == __version__
    told: dict[str, set[str]] = {}
    for each in written["components"]:
        for reference in each.get("externalReferences", []):
            hashes = {value["content"] for value in reference["hashes"]}
            told[f"{each['name']}=={each['version']}"] = hashes
    assert told == locked()
    (htmx,) = (each for each in written["components"] if each["name"] == "htmx.org")
    for file in htmx["components"]:
        assert file["hashes"][0]["content"] == digest_of(ROOT / "src" / file["name"])


def locked() -> dict[str, set[str]]:
    """The packages of the lock file with the hashes of their files."""
    found: dict[str, set[str]] = {}
    name = ""
    for line in sbom.LOCKED.read_text().splitlines():
        if not line.startswith(" "):
            name = line.split()[0]
            found[name] = set()
        else:
            found[name].add(line.partition("sha256:")[2].rstrip(" \\"))
    return found


@pytest.mark.full
def test_the_bill_of_materials_is_up_to_date() -> None:
    """It is what its tool makes of the lock file, and what CycloneDX calls valid."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - it takes a second
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    assert sbom.TARGET.read_text("utf-8") == sbom.text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.text()) is None
