"""Whoever answers a call goes by the tenant's time: a sandbox has a clock of its own."""

from __future__ import annotations

from pathlib import Path

API = Path(__file__).resolve().parents[2] / "src" / "benefit_programs" / "api"
REAL = {
    *("call.py", "metrics.py", "clock.py", "webhooks.py", "verdicts.py", "provided.py"),
    *("api_keys.py", "console_users.py", "health.py"),
}
"""Which of them needs real time: for others, for keys, and to show how far a clock is ahead."""


def test_handlers_ask_the_call_for_the_time() -> None:
    """Not the engine, which knows real time alone."""
    asking = {path.name for path in API.rglob("*.py") if "engine.now()" in path.read_text("utf-8")}
    assert asking == REAL
