"""A real pgbouncer before a database, configured as docs/how-to/pgbouncer.md shows."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.docs.markdown import script_of
from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.postgres import ServerAccount, free_port, reachable_folder, temporary_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM_VARIABLE = "BENEFITS_TEST_PGBOUNCER"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "pgbouncer.md"
START_SECONDS_MAX = 20

GUARDIAN = """
"$0" --quiet "$1/pgbouncer.ini" </dev/null >"$1/log" 2>&1 &
read -r _
kill -KILL $! 2>/dev/null
rm -rf "$1"
"""
"""Ends it with the process that started it, however that one ends."""


def pgbouncer_path() -> str | None:
    """Where the program is, if the machine has it: Debian keeps it out of the usual path."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    return os.environ.get(PROGRAM_VARIABLE) or shutil.which("pgbouncer", path=path)


@contextmanager
def pgbouncer(database_url: str, **settings: str) -> Iterator[str]:
    """Put one before a database; the value is the database's URL through it."""
    program = pgbouncer_path()
    assert program, f"install pgbouncer, or name it in {PROGRAM_VARIABLE}"
    account, place, port = ServerAccount.of_server(), urlsplit(database_url), free_port()
    parent = reachable_folder(account, temporary_folders())
    folder = Path(tempfile.mkdtemp(prefix="benefits-pgbouncer-", dir=parent))
    (folder / "pgbouncer.ini").write_text(_configuration(database_url, port, folder, settings))
    (folder / "userlist.txt").write_text(f'"{place.username}" "{place.password}"\n')
    for path in (folder, *folder.iterdir()):
        account.own(path)
    guardian = account.open([program, str(folder)], script=GUARDIAN)
    try:
        _await_start(port, folder / "log")
        user = place.netloc.rpartition("@")[0]
        yield place._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
    finally:
        assert guardian.stdin is not None
        guardian.stdin.close()
        guardian.wait()


def _configuration(database_url: str, port: int, folder: Path, settings: dict[str, str]) -> str:
    """The page's own configuration, at the places of a test."""
    place = urlsplit(database_url)
    name = place.path.removeprefix("/")
    shown = script_of(PAGE, "ini")
    for old, new in (
        (
            "benefits = host=db.example port=5432 dbname=benefits",
            f"{name} = host={place.hostname} port={place.port or 5432} dbname={name}",
        ),
        ("6432", str(port)),
        ("/etc/pgbouncer/userlist.txt", f"{folder}/userlist.txt"),
    ):
        assert old in shown, f"{PAGE} has changed: {old}"
        shown = shown.replace(old, new)
    # The last section goes on.
    return shown + "".join(
        f"{key} = {value}\n" for key, value in {"unix_socket_dir": "", **settings}.items()
    )


def _await_start(port: int, log: Path) -> None:
    deadline = monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if monotonic() > deadline:
                written = log.read_text() if log.exists() else ""
                raise AssertionError(f"pgbouncer didn't start: {written}") from None
            sleep(LOOK_PAUSE_SECONDS)
        else:
            return
