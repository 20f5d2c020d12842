"""Make the sync client from the async one: the same code without its awaits.

    python tools/make_sync_client.py          write src/benefit_programs/client/synchronous
    python tools/make_sync_client.py --check  fail if what is there differs

The async client is written by hand; whoever changes it runs this, and a test sees to it.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "src" / "benefit_programs" / "client"
SOURCE = CLIENT / "asynchronous"
TARGET = CLIENT / "synchronous"

NOTE = "# Made by tools/make_sync_client.py from ../asynchronous: change that, and run it.\n"

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
]


def synchronous(name: str, source: str) -> str:
    """The sync module that an async one stands for, formatted."""
    for pattern, replacement in REPLACEMENTS:
        source = re.sub(pattern, replacement, source)
    source = source.replace("Iterator, Iterator", "Iterator")
    return _formatted(NOTE + source, TARGET / name)


def modules() -> dict[Path, str]:
    """All files of the sync client, with what they must say."""
    return {
        TARGET / path.name: synchronous(path.name, path.read_text("utf-8"))
        for path in sorted(SOURCE.glob("*.py"))
    }


def differing() -> list[str]:
    """The files that are missing, outdated or too many."""
    expected = modules()
    present = {path: path.read_text("utf-8") for path in TARGET.glob("*.py")}
    every = sorted(expected.keys() | present.keys())
    return [path.name for path in every if expected.get(path) != present.get(path)]


def main(arguments: list[str]) -> int:
    """Write the files, or tell which ones differ."""
    if "--check" in arguments:
        names = differing()
        sys.stdout.writelines(f"{name} is not what its source makes it\n" for name in names)
        return 1 if names else 0
    expected = modules()
    TARGET.mkdir(exist_ok=True)
    for path in set(TARGET.glob("*.py")) - expected.keys():
        path.unlink()
    for path, text in expected.items():
        path.write_text(text, "utf-8")
    return 0


def _formatted(text: str, path: Path) -> str:
    """The text as the house formats it, its imports in order."""
    ruff = [sys.executable, "-m", "ruff"]
    where = ["--stdin-filename", str(path), "-"]
    commands = [
        [*ruff, "check", "--quiet", "--select", "I", "--fix-only", *where],
        [*ruff, "format", "--quiet", *where],
    ]
    for command in commands:
        done = subprocess.run(  # noqa: S603 - our own linter
            command, input=text, capture_output=True, text=True, check=True, cwd=ROOT
        )
        text = done.stdout
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
