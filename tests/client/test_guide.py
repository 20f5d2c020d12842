"""The guide to the client does what it says."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests.support.service import Server

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "how-to" / "python-sdk.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
ADDRESS = "http://127.0.0.1:8080"


async def run_all(blocks: list[str], names: dict[str, Any]) -> None:
    for block in blocks:
        code = compile(block, str(GUIDE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, names)
        if inspect.isawaitable(running):
            await running


def test_examples_run(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The examples of the guide run from top to bottom against a real service."""
    monkeypatch.chdir(tmp_path)
    text = GUIDE.read_text("utf-8").replace(ADDRESS, server.url)
    names = {"api_key": server.make_key(), "app_id": str(uuid4()), "member_id": str(uuid4())}
    try:
        asyncio.run(run_all(BLOCK.findall(text), names))
    finally:
        names["client"].close()
    printed = capsys.readouterr().out
    assert "membership-17 ACTIVE" in printed
    assert "90 of 150 credits (request" in printed
    assert "10 Redemption" in printed
    assert (tmp_path / "club.db").is_file()
