"""Standard output and error, which whoever starts a command may have closed or may close."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def ensure_streams() -> None:
    """Let what is printed go nowhere where there is no stream.

    Also keeps the stream's number from the next file that is opened, which may be the database.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - to the end


def write_out() -> None:
    """Write what was printed and is still kept. Raises OSError, and then keeps nothing."""
    try:
        sys.stdout.flush()
    except OSError:
        # The interpreter would try once more as it ends, and tell of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
