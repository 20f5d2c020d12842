"""Build what is released: wheels and source archives of the server and of the client.

    python -m tools.dist [FOLDER]        FOLDER is dist unless another is named

Beside them are the bill of materials, which the server's wheel contains too, and SHA256SUMS. Each
wheel is built from its source archive. The same sources make the same files, bit by bit, with the
locked hatchling: it gives all files one date, or the one that SOURCE_DATE_EPOCH tells.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = (ROOT, ROOT / "packages" / "client")
SBOM = ROOT / "requirements" / "benefit-programs.cdx.json"
SUMS = "SHA256SUMS"
MADE = ("*.whl", "*.tar.gz", SBOM.name, SUMS)


def build(folder: Path) -> list[Path]:
    """Build all into a folder, in place of what an earlier build left there; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in MADE:
        for earlier in folder.glob(pattern):
            earlier.unlink()
    for project in PROJECTS:
        subprocess.run(  # noqa: S603 - our own arguments
            [
                sys.executable,
                "-m",
                "build",
                "--no-isolation",
                "--outdir",
                str(folder),
                str(project),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    shutil.copyfile(SBOM, folder / SBOM.name)
    files = sorted(path for pattern in MADE for path in folder.glob(pattern))
    (folder / SUMS).write_text("".join(map(_sum, files)))
    return [*files, folder / SUMS]


def _sum(path: Path) -> str:
    """A line as ``sha256sum --check`` reads it."""
    return f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"


if __name__ == "__main__":
    for path in build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"):
        sys.stdout.write(f"{path.stat().st_size:>9}  {path}\n")
