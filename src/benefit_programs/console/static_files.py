"""The files that pages load: style, script, and htmx, which is kept here as it was published."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "static"

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

HASH_LENGTH = 12


class StaticFile(NamedTuple):
    """A file as it is served; its address changes with its content."""

    body: bytes
    media_type: str
    version: str


@cache
def static_file(name: str) -> StaticFile | None:
    """The file with this name, if there is one."""
    path = FOLDER / name
    if path.parent != FOLDER or path.suffix not in TYPES or not path.is_file():
        return None
    body = path.read_bytes()
    version = hashlib.sha256(body).hexdigest()[:HASH_LENGTH]
    return StaticFile(body, f"{TYPES[path.suffix]}; charset=utf-8", version)
