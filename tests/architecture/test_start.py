"""What a start loads, and what it leaves until somebody needs it."""

from __future__ import annotations

import json
import subprocess
import sys

LATE = frozenset(
    {
        "alembic",  # migrations
        "cryptography",  # secrets of webhooks and providers, and signed events
        "jsonschema_rs",  # schemas of extended fields
        "jwt",
        "mcp",  # the server for agents
        "opentelemetry",  # a collector
        "sqlalchemy",
        "standardwebhooks",
        "yaml",  # files of definitions
    }
)
"""Libraries that few services use, and that cost each start time and memory."""

_LOADED = """
import json, sys
import benefit_programs.cli.serve
import benefit_programs.console.application
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_start_loads_no_more_than_it_uses() -> None:
    """A service with its console starts without the libraries that few need."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True
    )
    loaded = set(json.loads(done.stdout))
    assert "starlette" in loaded
    assert LATE & loaded == set()
