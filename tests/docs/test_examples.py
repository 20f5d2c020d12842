"""The examples of the reference are what the service answers today."""

from __future__ import annotations

import json

import pytest

from tools.record_examples import FILE, record


@pytest.mark.anyio
async def test_examples_are_what_the_service_answers() -> None:
    """Each example of a method is what is recorded now: `make docs` records them anew."""
    assert json.loads(FILE.read_text("utf-8")) == await record()
