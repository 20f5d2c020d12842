"""Print what the changelog says of a version, as the notes of its release.

    python -m tools.release_notes v0.2.0 [--links https://host/owner/name/blob/v0.2.0/]

It fails unless the version is the package's and has a dated section: a release is cut from such a
commit. Links to files of the repository are led to the address, if one is given.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from benefit_programs import __version__

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
SECTION = re.compile(r"^## (?P<version>\S+) \((?P<date>\d{4}-\d{2}-\d{2})\)$")
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)(?=[^)\s]+\))")


class NoRelease(Exception):
    """There is no release of that version; the message says why."""


def sections(text: str) -> dict[str, str]:
    """What the changelog says of each version that was released, the newest first."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            lines = []
            if (heading := SECTION.match(line)) is not None:
                found[heading["version"]] = lines
        else:
            lines.append(line)
    return {version: "\n".join(lines).strip() + "\n" for version, lines in found.items()}


def notes(tag: str, *, links: str = "", version: str = __version__) -> str:
    """The notes of the release with this tag. Raises NoRelease."""
    if tag != f"v{version}":
        raise NoRelease(f"{tag} isn't v and the version of the package, {version}")
    text = sections(CHANGELOG.read_text("utf-8")).get(version)
    if text is None:
        raise NoRelease(f"{CHANGELOG.name} has no section `## {version} (DATE)`")
    return LINK.sub(links, text)


def main() -> None:
    """Print the notes, or one line that says why there are none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tag")
    parser.add_argument("--links", default="", help="the address of the repository's files")
    arguments = parser.parse_args()
    try:
        sys.stdout.write(notes(arguments.tag, links=arguments.links))
    except NoRelease as error:
        sys.exit(f"release_notes: {error}")


if __name__ == "__main__":
    main()
