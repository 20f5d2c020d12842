"""The text of a PDF that Chromium has printed, for its own plain way of writing them."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"/Length (\d+)\b.*?stream\r?\n(.*)", re.DOTALL)
_SIGNS = re.compile(r"/F(\d+) \S+ Tf|<([0-9A-F]+)> Tj")


def text_of(pdf: bytes) -> str:
    """The text, each piece that was drawn at one place on a line of its own."""
    objects = dict(_OBJECT.findall(pdf))
    fonts = {
        number.decode(): _letters(_inflated(objects[found[1]]))
        for number, body in objects.items()
        if (found := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    contents = re.findall(rb"/Contents (\d+) 0 R", pdf)
    blocks = (re.findall(r"BT(.*?)ET", _inflated(objects[each]), re.DOTALL) for each in contents)
    return "\n".join(_read(block, fonts) for some in blocks for block in some)


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def _inflated(body: bytes) -> str:
    found = _STREAM.search(body)
    assert found, "an object without a stream"
    # Its length counts: a stream may end like a line.
    return zlib.decompress(found[2][: int(found[1])]).decode("latin-1")


def _letters(table: str) -> dict[str, str]:
    """The characters of a font's glyphs, by their numbers."""
    letters = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, character in re.findall(r"<(\w+)> <(\w+)>", block):
            letters[glyph] = bytes.fromhex(character).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, character in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                letters[f"{int(first, 16) + step:04X}"] = chr(int(character, 16) + step)
    return letters


def _read(block: str, fonts: dict[str, dict[str, str]]) -> str:
    text, letters = "", {}
    for font, glyphs in _SIGNS.findall(block):
        if font:
            letters = fonts[font]
        for at in range(0, len(glyphs), 4):
            text += letters.get(glyphs[at : at + 4], "?")
    return text
