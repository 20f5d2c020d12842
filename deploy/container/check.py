"""Load every library in the image: one that needs another that isn't there ends the build."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path


def main() -> None:
    """Name what can't be loaded, and end with 1 if there is something."""
    folders = {Path(sys.prefix), Path("/usr/lib")}
    found = sorted(path for folder in folders for path in folder.rglob("*.so"))
    failures = []
    for path in found:
        try:
            ctypes.CDLL(str(path))
        except OSError as error:
            failures.append(f"{path}: {error}")
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
