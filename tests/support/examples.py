"""The programs of the folder ``examples``, as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


@contextmanager
def serving(name: str, port: int, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """An ASGI application of the examples, on a port of this machine."""
    options = ("--port", str(port), "--log-level", "warning")
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", f"{name}:application", *options],
        cwd=EXAMPLES,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        while process.poll() is None:
            try:
                create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                continue
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def free_port() -> int:
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
