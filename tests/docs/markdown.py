"""The code of a Markdown page, and what the page says that it prints."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FENCE = "```"
VOLATILE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # ids
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"  # instants
    r"|bp_[\w-]{43}"  # keys
    r"|127\.0\.0\.1:\d+"  # addresses
)
"""What differs from run to run."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``line`` is where its text begins."""

    language: str
    text: str
    line: int


def read_blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in their order."""
    blocks: list[Block] = []
    opened: tuple[str, int] | None = None
    lines = page.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if not line.startswith(FENCE):
            continue
        if opened is None:
            opened = (line.removeprefix(FENCE).strip(), number + 1)
            continue
        language, start = opened
        blocks.append(Block(language, "\n".join(lines[start:number]) + "\n", start + 1))
        opened = None
    assert opened is None, f"{page} leaves a block open"
    return blocks


def script_of(page: Path, language: str) -> str:
    """All the code of one language, as one script."""
    return "\n".join(block.text for block in read_blocks(page) if block.language == language)


def printed_by(page: Path) -> str:
    """All that the page says its code prints."""
    return "".join(block.text for block in read_blocks(page) if block.language == "text")


def commands_of(page: Path) -> list[tuple[Block, Block | None]]:
    """The shell blocks of a page, each with the block of what it prints if one follows it."""
    blocks = read_blocks(page)
    followers = [*blocks[1:], None]
    return [
        (block, follower if follower and follower.language in {"text", "json"} else None)
        for block, follower in zip(blocks, followers, strict=True)
        if block.language == "bash"
    ]


class Likeness:
    """Compares what pages show with what is printed, where some words differ from run to run.

    Ids, instants, keys and addresses may differ, but what is the same in the pages is the same in
    the run, and what is different is different.
    """

    def __init__(self) -> None:
        self._actual: dict[str, str] = {}
        self._shown: dict[str, str] = {}

    def require(self, shown: Block, printed: str) -> None:
        """Fail unless the block shows what was printed; of JSON it may leave out fields."""
        if shown.language == "json":
            problem = self._difference(json.loads(shown.text), json.loads(printed), "")
        else:
            problem = self._text_difference(shown.text.strip(), printed.strip())
        assert problem is None, f"line {shown.line}: {problem}; printed was: {printed}"

    def _difference(self, shown: Any, actual: Any, path: str) -> str | None:
        if isinstance(shown, dict) and isinstance(actual, dict):
            missing = sorted(shown.keys() - actual.keys())
            if missing:
                return f"{path} has no {missing}"
            pairs = [(shown[name], actual[name], f"{path}.{name}") for name in shown]
        elif isinstance(shown, list) and isinstance(actual, list):
            if len(shown) != len(actual):
                return f"{path} has {len(actual)} entries"
            pairs = [
                (each, other, f"{path}[{number}]")
                for number, (each, other) in enumerate(zip(shown, actual, strict=True))
            ]
        elif isinstance(shown, str) and isinstance(actual, str):
            problem = self._text_difference(shown, actual)
            return f"{path}: {problem}" if problem else None
        else:
            return None if shown == actual else f"{path}: {shown!r} is {actual!r}"
        return next((p for pair in pairs if (p := self._difference(*pair))), None)

    def _text_difference(self, shown: str, actual: str) -> str | None:
        skeletons = [" ".join(VOLATILE.sub("*", text).split()) for text in (shown, actual)]
        if skeletons[0] != skeletons[1]:
            return f"{shown!r} is {actual!r}"
        for mine, theirs in zip(VOLATILE.findall(shown), VOLATILE.findall(actual), strict=True):
            known = (self._actual.setdefault(mine, theirs), self._shown.setdefault(theirs, mine))
            # Two instants of a page may fall into one millisecond of a run.
            if known != (theirs, mine) and not mine.endswith("Z"):
                return f"{mine} is {theirs} here, and {known[0]} elsewhere"
        return None
