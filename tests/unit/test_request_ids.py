"""Requests that come without an id get one that no other process gives, be it a fork."""

from __future__ import annotations

import subprocess
import sys

FORKED = """
import os, sys
from benefit_programs.api.messages import request_id_of

request_id_of({"headers": []})
if os.fork() == 0:
    print(request_id_of({"headers": []}))
    sys.exit()
os.wait()
print(request_id_of({"headers": []}))
"""


def test_forks_name_themselves() -> None:
    """Ids have the name of their process in front, and a fork has another one."""
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True
    )
    names = [each.partition("-")[0] for each in done.stdout.split()]
    assert len(set(names)) == 2
