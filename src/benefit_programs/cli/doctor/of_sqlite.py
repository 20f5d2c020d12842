"""Checks of a SQLite file and of the disk that it is on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benefit_programs.cli.doctor.findings import (
    Case,
    DatabaseCheck,
    Verdict,
    fail,
    ok,
    sized,
    warn,
)
from benefit_programs.storage.open_file import real_path

FREE_BYTES_NEEDED = 100 << 20
FREE_BYTES_ADVISED = 1 << 30
LOG_BYTES_ADVISED = 256 << 20
"""The log is written back long before it is so large, unless somebody reads on and on."""


async def look_at_file(case: Case) -> Verdict:
    """Whether the file can be written, and is one file."""
    path = real_path(case.settings.sqlite_path)
    if (names := path.stat().st_nlink) > 1:
        return fail(
            f"{path} has {names} names (hard links), and each would have a log of its own.",
            f"Keep one of those that `find FOLDER -samefile {path}` lists.",
        )
    locked = [each for each in (path, path.parent) if not os.access(each, os.W_OK)]
    if locked:
        return fail(
            f"This user can't write {locked[0]}.",
            "Run as the user of the service, or give the file and its folder to it.",
        )
    ((mode,),) = await case.database.fetch("select * from pragma_journal_mode")
    if mode != "wal":
        return fail(f"The file keeps no log beside it (journal_mode is {mode}).", "Start a server.")
    return ok(f"{path} has {sized(path.stat().st_size)}.")


async def look_at_disk(case: Case) -> Verdict:
    """Whether the disk has room: without it nothing can be committed."""
    path = real_path(case.settings.sqlite_path)
    free, size = shutil.disk_usage(path.parent).free, path.stat().st_size
    finding = f"{sized(free)} are free beside the file, which has {sized(size)}."
    if free < FREE_BYTES_NEEDED:
        return fail(finding, "Make room now: without it nothing can be written.")
    if free < max(FREE_BYTES_ADVISED, size):
        return warn(finding, "Make room: a backup beside the file needs as much as the file has.")
    return ok(finding)


async def look_at_log(case: Case) -> Verdict:
    """Whether the log is written back into the file."""
    path = real_path(case.settings.sqlite_path)
    size = _size_of_log(path)
    if size > LOG_BYTES_ADVISED:
        return warn(
            f"The log beside the file has {sized(size)}: somebody reads on and on.",
            f"Find and end it (`fuser -v {path}`), or restart the service.",
        )
    return ok(f"The log beside the file has {sized(size)}.")


def _size_of_log(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


CHECKS = (
    DatabaseCheck("file", look_at_file),
    DatabaseCheck("disk", look_at_disk),
    DatabaseCheck("log", look_at_log),
)
