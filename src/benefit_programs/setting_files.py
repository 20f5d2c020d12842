"""The files that settings come from: one with many of them, or one with a single secret."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

SECRET_BYTES_MAX = 65_536


class UnusableFile(Exception):
    """What is wrong about a file, to be said after its path."""


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in a file. Raises UnusableFile."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UnusableFile(f"can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableFile(f"is no valid TOML: {error}") from None


def read_secret(path: Path) -> str:
    """The text of a file, which no error repeats. Raises UnusableFile."""
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise UnusableFile(f"can't be read: {error.strerror}") from None
    if len(content) > SECRET_BYTES_MAX:
        raise UnusableFile(f"is larger than {SECRET_BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UnusableFile("is no UTF-8 text") from None
