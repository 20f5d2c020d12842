"""The languages of the console: whole catalogues, and no text that can't be translated."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benefit_programs.console.languages import (
    LANGUAGE,
    LOCALES,
    PSEUDO,
    TAGS,
    chosen,
    gettext,
    language,
    ngettext,
    read_catalogue,
)
from tests.support.console import make_world
from tools.translations import updated

if TYPE_CHECKING:
    from tests.support.inprocess import Service

ENGINES = ["sqlite"]

CATALOGUES = sorted(LOCALES.glob("*.po"))
PLACE = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_catalogues_have_all_texts(path: Path) -> None:
    """Each catalogue has every text of the console, translated, and no other.

    `python -m tools.translations` adds what is new; its translation is written by hand.
    """
    assert path.read_bytes() == updated(path), "run python -m tools.translations"
    assert re.findall(r'msgid "(?!")(.*)"\nmsgstr ""\n(?!")', path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_translations_keep_their_values(path: Path) -> None:
    """A translation has the same places for values as the text."""
    for text, forms in read_catalogue(path).items():
        for form in forms:
            assert set(PLACE.findall(form)) == set(PLACE.findall(text)), text


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        (None, "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-FR,fr;q=0.9,en;q=0.5", "en"),
        ("en;q=0.2, de;q=0.7", "de"),
        ("de;q=much", "en"),
    ],
)
def test_browsers_choose(accepted: str | None, tag: str) -> None:
    """The best language counts that both know, else English."""
    assert chosen(accepted).tag == tag


def test_numbers_have_their_forms() -> None:
    """Texts with a number take its form, in each language."""
    assert TAGS == ("en", "de")
    for tag, said in (("en", ["1 time", "2 times"]), ("de", ["1 Mal", "2 Mal"])):
        token = LANGUAGE.set(language(tag))
        found = [ngettext("%(num)s time", "%(num)s times", number) for number in (1, 2)]
        LANGUAGE.reset(token)
        assert found == said
    assert gettext("Member %(id)s", id="7") == "Member 7"


class Texts(HTMLParser):
    """What people read or hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "time", "kbd", "code")
        said = {"aria-label", "placeholder", "alt"}
        self.found += [text for name, text in attrs if name in said and text]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "time", "kbd", "code")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.append(data)


@pytest.mark.anyio
async def test_all_texts_can_be_translated(service: Service) -> None:
    """In a language that marks all texts, every word of every page is marked, or is data."""
    world = await make_world(service)
    for path, html in (await world.walk(accept_language=PSEUDO)).items():
        texts = Texts()
        texts.feed(html)
        whole = " ".join(texts.found)
        bare = re.sub(r"⟦[^⟧]*⟧", " ", whole)
        for data in world.data:
            bare = bare.replace(data, " ")
        assert re.findall(r"[A-Za-z]{2,}", bare) == [], path


@pytest.mark.anyio
async def test_pages_speak_german(service: Service) -> None:
    """A German browser gets German words, dates and numbers."""
    pages = await (await make_world(service)).walk(accept_language="de-DE")
    person = pages["/people/{kind}/{id}"]
    assert '<html lang="de">' in person
    assert "Warum" in person
    assert re.search(r">\d{1,2}\. \S+ \d{4}, \d{2}:\d{2}</time>", person)
    assert "1.234,5" in person
