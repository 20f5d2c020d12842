"""The languages of the console: gettext catalogues, and which one a browser wants.

A catalogue is its ``.po`` file, read once when it is first asked for: no build step. Texts are
English; what a catalogue lacks is shown in English.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locales"

PSEUDO = "en-xa"
"""A language for tests, which marks every text that can be translated."""

_OPEN, _CLOSE = "⟦", "⟧"
_STRING = re.compile(r'^(?:(msgid|msgid_plural|msgstr|msgstr\[(\d)\]|msgctxt) )?(".*")$')


@dataclass(frozen=True)
class Language:
    """A language, with its texts and the forms of its numbers and dates."""

    tag: str
    name: str
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The forms of each text: one, or singular and plural."""
    decimal: str = "."
    group: str = ","
    date: str = "{day} {month} {year}"
    marks_texts: bool = False

    def one(self, text: str) -> str:
        found = self.texts.get(text, (text,))[0]
        return f"{_OPEN}{found}{_CLOSE}" if self.marks_texts else found

    def many(self, singular: str, plural: str, number: int) -> str:
        forms = self.texts.get(singular, (singular, plural))
        found = forms[0] if number == 1 else forms[-1]
        return f"{_OPEN}{found}{_CLOSE}" if self.marks_texts else found


ENGLISH = Language("en", "English")

_FORMS: dict[str, Callable[[], Language]] = {
    "en": lambda: ENGLISH,
    "de": lambda: Language(
        "de",
        "Deutsch",
        texts=read_catalogue(LOCALES / "de.po"),
        decimal=",",
        group=".",
        date="{day}. {month} {year}",
    ),
    PSEUDO: lambda: Language(PSEUDO, "Pseudo", marks_texts=True),
}

TAGS = tuple(tag for tag in _FORMS if tag != PSEUDO)
"""The languages that people may have."""


@cache
def language(tag: str) -> Language:
    return _FORMS[tag]()


def chosen(accepted: str | None) -> Language:
    """The first language of an accept-language that there is; else English."""
    for wanted in _by_weight(accepted or ""):
        for tag in (wanted, wanted.partition("-")[0]):
            if tag in _FORMS:
                return language(tag)
    return ENGLISH


def _by_weight(accepted: str) -> list[str]:
    weighed = []
    for part in accepted.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda each: each[0])]


LANGUAGE: ContextVar[Language] = ContextVar("console_language", default=ENGLISH)
"""The language of the request that is answered."""


def gettext(text: str, /, **values: object) -> str:
    """A text in the visitor's language, with its values: ``_("%(count)s left", count=2)``."""
    said = LANGUAGE.get().one(text)
    return said % values if values else said


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """The form of a text for a number, which it may name as ``%(num)s``."""
    return LANGUAGE.get().many(singular, plural, number) % {"num": number, **values}


def later(text: str) -> str:
    """Mark a text of a table, which ``gettext`` translates when it is shown."""
    return text


def read_catalogue(path: Path) -> dict[str, tuple[str, ...]]:
    """The texts of a ``.po`` file that are translated, by their English (singular) form."""
    texts = {}
    for entry in _entries(path.read_text("utf-8")):
        forms = tuple(entry[key] for key in sorted(entry) if key.startswith("msgstr"))
        if entry.get("msgid") and all(forms):
            texts[entry["msgid"]] = forms
    return texts


def _entries(text: str) -> Iterator[dict[str, str]]:
    for block in re.split(r"\n\s*\n", text):
        entry: dict[str, str] = {}
        name = ""
        if "#, fuzzy" in block:
            continue
        for line in block.splitlines():
            found = _STRING.match(line.strip())
            if found is None:
                continue
            name = found[1] or name
            entry[name] = entry.get(name, "") + ast.literal_eval(found[3])
        if entry:
            yield entry
