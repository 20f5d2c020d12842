"""The build's own step: make the sync client from the async one, the same code without its awaits.

    python hatch_build.py           write src/benefit_programs/client/synchronous

The async client is written by hand, the sync one isn't kept in git. Every build makes it (a wheel,
a source archive, an editable install), and so does the Makefile when an async module has changed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CLIENT = Path(__file__).resolve().parent / "src" / "benefit_programs" / "client"
SOURCE = CLIENT / "asynchronous"
TARGET = CLIENT / "synchronous"

NOTE = "# Made by hatch_build.py from ../asynchronous: change that.\n"

REPLACEMENTS = [
    (r"\bfor row in page:\n +yield row\b", "yield from page"),
    (r"\[(\w+) async for \1 in (\w+)\]", r"list(\2)"),
    (r" +# noqa: ASYNC109 .*", ""),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"``async with``", "``with``"),
    (r"\b__a(enter|exit|iter)__\b", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\bimport asyncio\b", "import time"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bclient\.asynchronous\b", "client.synchronous"),
    (r"for asyncio\b", "for code without an event loop"),
    # AsyncPools is Pools, AsyncIterator is Iterator, httpx.AsyncClient is httpx.Client.
    (r"\bAsync(?=[A-Z])", ""),
    (r"\bIterator, Iterator\b", "Iterator"),
]


def modules() -> dict[Path, str]:
    """All files of the sync client, with what they must say."""
    return {TARGET / path.name: _synchronous(path) for path in sorted(SOURCE.glob("*.py"))}


def write() -> None:
    """Make the sync client anew; files that say it already stay untouched."""
    expected = modules()
    TARGET.mkdir(exist_ok=True)
    for path in set(TARGET.glob("*.py")) - expected.keys():
        path.unlink()
    for path, text in expected.items():
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _synchronous(path: Path) -> str:
    text = path.read_text("utf-8")
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    return NOTE + text


class SyncClientHook(BuildHookInterface[Any]):
    """What the builder calls before it collects files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Make the sync client."""
        write()


if __name__ == "__main__":
    write()
