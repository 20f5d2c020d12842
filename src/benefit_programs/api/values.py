"""The numbers behind metrics: of one process, or of all processes of a server.

A number is a place in an array, and to count is to add to it: that takes a tenth of a microsecond,
and a lock or a file that is searched by name would take many times that. Processes that share a
server have their arrays in files of one folder, mapped into memory, so any of them can read all.

Each has a slot there, which is free again when it ends in any way. Whoever takes it then goes on
counting where the last one stopped: counters never go back, and processes that are replaced again
and again leave no files behind.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

SLOTS_MAX = 256
"""More than processes serve: while they are replaced, the old ones are still there."""

NUMBER_BYTES = 8


class Numbers(NamedTuple):
    """The numbers of a process, and whether it lives; one that doesn't has still counted them."""

    values: Sequence[float]
    is_alive: bool


class Values(Protocol):
    """The numbers of this process, to write, and those of all, to read."""

    own: memoryview[float]

    def all(self) -> list[Numbers]: ...


class OwnValues:
    """The numbers of a process that serves alone."""

    def __init__(self, size: int) -> None:
        self.own: memoryview[float] = memoryview(bytearray(size * NUMBER_BYTES)).cast("d")

    def all(self) -> list[Numbers]:
        return [Numbers(self.own, is_alive=True)]


class SharedValues:
    """The numbers of processes that share a folder. Raises OSError if that can't be used."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._slot, self._claim = _claim(folder)
        self.own: memoryview[float] = _map(_file_of(folder, self._slot), size * NUMBER_BYTES)

    def all(self) -> list[Numbers]:
        """The numbers of everybody who has ever had a slot."""
        found = []
        for slot in range(SLOTS_MAX):
            file = _file_of(self._folder, slot)
            if slot == self._slot:
                found.append(Numbers(self.own, is_alive=True))
            elif file.exists():
                values = memoryview(file.read_bytes()).cast("d")
                found.append(Numbers(values, _is_alive(_lock_of(self._folder, slot))))
        # One that is just starting may have made its file and not filled it.
        return [each for each in found if len(each.values) == len(self.own)]


def _file_of(folder: Path, slot: int) -> Path:
    return folder / f"{slot}.values"


def _lock_of(folder: Path, slot: int) -> Path:
    return folder / f"{slot}.lock"


def _claim(folder: Path) -> tuple[int, int]:
    """The first slot that is free, and a handle that holds it as long as this process lives."""
    for slot in range(SLOTS_MAX):
        handle = os.open(_lock_of(folder, slot), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return slot, handle
    raise OSError(errno.EAGAIN, f"{SLOTS_MAX} processes share their metrics already")


def _is_alive(lock: Path) -> bool:
    """Whether somebody holds a slot."""
    handle = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _map(file: Path, size: int) -> memoryview[float]:
    """A file in memory. It is written first: a page without room on the disk would end us later."""
    if not file.exists() or file.stat().st_size != size:
        file.write_bytes(bytes(size))
    with file.open("r+b") as opened:
        return memoryview(mmap.mmap(opened.fileno(), size)).cast("d")
