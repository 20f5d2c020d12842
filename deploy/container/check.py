"""Load every library in the image: one that needs another that isn't there ends the build.

So do certificates of authorities that aren't where programs look for them.
"""

from __future__ import annotations

import ctypes
import ssl
import sys
from pathlib import Path


def main() -> None:
    """Name what can't be loaded or found, and end with 1 if there is something."""
    folders = {Path(sys.prefix), Path("/usr/lib")}
    found = sorted(path for folder in folders for path in folder.rglob("*.so"))
    failures = []
    for path in found:
        try:
            ctypes.CDLL(str(path))
        except OSError as error:
            failures.append(f"{path}: {error}")
    if not ssl.create_default_context().get_ca_certs():
        failures.append("no authority's certificate is found")
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
