"""Brings the catalogues of the console up to date with its texts: ``python -m tools.translations``.

Texts that are new come without a translation, to be written by hand; those that are gone are left
out. ``tests/console`` names what a catalogue lacks.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import io
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

CONSOLE = Path(__file__).resolve().parent.parent / "src" / "benefit_programs" / "console"
LOCALES = CONSOLE / "locales"

_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
_OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "silent": "false"}}
_KEYWORDS = {**DEFAULT_KEYWORDS, "later": None}
WIDTH = 98


def texts() -> Catalog:
    """All texts that the console shows, in templates and in code."""
    catalog = Catalog(charset="utf-8")
    found = extract_from_dir(CONSOLE, _METHODS, _OPTIONS, keywords=_KEYWORDS)
    for _file, _line, text, _comments, _context in found:
        catalog.add(text)
    return catalog


def read(path: Path) -> Catalog:
    """A catalogue as it is."""
    with path.open("rb") as file:
        return pofile.read_po(file, locale=path.stem, charset="utf-8")


def updated(path: Path) -> bytes:
    """What a catalogue must hold: all texts, with the translations that there are."""
    catalog = read(path)
    catalog.update(texts(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    written = io.BytesIO()
    pofile.write_po(
        written, catalog, width=WIDTH, no_location=True, omit_header=True, sort_output=True
    )
    return written.getvalue().strip() + b"\n"


def main() -> None:
    for path in sorted(LOCALES.glob("*.po")):
        path.write_bytes(updated(path))


if __name__ == "__main__":
    main()
