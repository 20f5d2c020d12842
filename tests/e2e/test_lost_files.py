"""A SQLite file that is lost while it is served, and second servers that come by links."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Semaphore
from typing import TYPE_CHECKING

import apsw
import httpx
import pytest

from benefit_programs.client import BenefitPrograms, ServerError
from benefit_programs.storage.sqlite import SqliteStore, connect
from tests.e2e.test_serving import create_definition, start, status_with
from tests.support.serving import ServerProcess, run_benefits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.test_serving import Start

__all__ = ["start"]

FILE = "benefits.sqlite3"
NOTICED_SECONDS_MAX = 1
WRITERS = 4
WRITTEN_MIN = 40
ANSWER_SECONDS_MAX = 20


class Writers:
    """Threads that make definitions one after the other, and note which ones were answered."""

    def __init__(self, server: ServerProcess, key: str) -> None:
        self.answered: list[str] = []
        self.answered_at = 0.0
        self.refused: set[int] = set()
        self._answers = Semaphore(0)
        self._threads = ThreadPoolExecutor(WRITERS)
        self._written = [
            self._threads.submit(self._write, server, key, number) for number in range(WRITERS)
        ]

    def wait(self) -> None:
        """Wait until some more were answered."""
        for _ in range(WRITTEN_MIN):
            assert self._answers.acquire(timeout=ANSWER_SECONDS_MAX)

    def end(self) -> None:
        """Wait until nobody answers any more."""
        self._threads.shutdown()
        for each in self._written:
            each.result()

    def _write(self, server: ServerProcess, key: str, thread: int) -> None:
        headers = {"authorization": key}
        url = f"{server.url}/benefit-programs/v1/program-definitions"
        with httpx.Client(headers=headers, trust_env=False, timeout=ANSWER_SECONDS_MAX) as client:
            for number in range(100_000):
                name = f"{thread}-{number}"
                definition = {"namespace": "gym", "externalId": name, "displayName": name}
                try:
                    answer = client.post(url, json={"programDefinition": definition})
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.answered.append(name)
                    self.answered_at = time.monotonic()
                    self._answers.release()
                else:
                    self.refused.add(answer.status_code)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder that servers started by ``start`` keep their data in."""
    return tmp_path / "data"


@pytest.fixture(scope="module")
def copy_of_other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of another installation's database, as ``benefits backup`` makes it."""
    folder = tmp_path_factory.mktemp("other")
    where, copy = ("--data-dir", str(folder / "data")), folder / "copy"
    assert run_benefits("migrate", *where).returncode == 0
    assert run_benefits("backup", str(copy), *where).returncode == 0
    return copy


@pytest.fixture
def other(copy_of_other: Path, tmp_path: Path) -> Path:
    """The same for one test, which may move it."""
    return shutil.copyfile(copy_of_other, tmp_path / "other")


def definitions_in(path: Path) -> set[str]:
    with closing(connect(path, read_only=True)) as connection:
        return {row[0] for row in connection.execute("select external_id from program_definitions")}


def delete(path: Path, _: Path) -> None:
    path.unlink()


def move_away(path: Path, _: Path) -> None:
    path.rename(path.with_name("away"))


def delete_all(path: Path, _: Path) -> None:
    shutil.rmtree(path.parent)


def move_over(path: Path, other: Path) -> None:
    other.rename(path)


def copy_over(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


def copy_larger_over(path: Path, other: Path) -> None:
    with closing(connect(other)) as connection:
        connection.execute("create table filler (content blob)")
        connection.execute("insert into filler values (zeroblob(1000000))")
    shutil.copyfile(other, path)


def empty(path: Path, _: Path) -> None:
    os.truncate(path, 0)


def delete_log(path: Path, _: Path) -> None:
    path.with_name(f"{FILE}-wal").unlink()


def replace_index(path: Path, _: Path) -> None:
    index = path.with_name(f"{FILE}-shm")
    copy = shutil.copyfile(index, path.with_name("copy"))
    copy.rename(index)


def delete_lock(path: Path, _: Path) -> None:
    path.with_name(f"{FILE}.lock").unlink()


def is_ready(server: ServerProcess) -> bool:
    try:
        return httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def require_end(server: ServerProcess, *, since: float) -> None:
    """Fail unless a server that lost its file isn't ready any more, says so and ends."""
    while is_ready(server):
        assert time.monotonic() - since < NOTICED_SECONDS_MAX
    assert server.wait() == 3
    assert server.log.count('"database lost"') == 1
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["event"] == "database lost"]
    assert (line["level"], line["path"].endswith(FILE)) == ("error", True)
    assert line["happened"]
    assert "benefits restore" in line["mend"]
    assert server.log.endswith("can't be used: it was lost; the log says how\n")


@pytest.mark.parametrize(
    "lose",
    [
        *(delete, delete_all, move_away, move_over, copy_over, copy_larger_over, empty),
        *(delete_log, replace_index, delete_lock),
    ],
)
def test_lost_file_is_noticed(
    start: Start, data: Path, other: Path, lose: Callable[[Path, Path], None]
) -> None:
    """A server whose file is gone is not ready within a second, says why, and ends with 3."""
    server = start()
    assert is_ready(server)
    lose(data / FILE, other)
    require_end(server, since=time.monotonic())


@pytest.mark.parametrize("lose", [move_away, move_over, delete_log])
def test_what_was_answered_is_kept(
    start: Start, data: Path, other: Path, lose: Callable[[Path, Path], None]
) -> None:
    """Each write that was answered is in the file that was served, though its log was elsewhere."""
    server = start()
    assert server.first_key
    writers = Writers(server, server.first_key)
    writers.wait()
    kept = data / "kept"
    kept.hardlink_to(data / FILE)
    lose(data / FILE, other)
    since = time.monotonic()
    require_end(server, since=since)
    writers.end()
    assert writers.answered_at - since < NOTICED_SECONDS_MAX
    assert writers.refused <= {503}
    alone = shutil.copyfile(kept, data.parent / "alone")
    assert definitions_in(alone) >= set(writers.answered)
    assert run_benefits("verify", "--database-url", f"sqlite:///{alone}").returncode == 0


@pytest.mark.parametrize("lose", [move_over, copy_over])
def test_log_of_the_old_file_is_not_taken_for_one_of_the_new(
    start: Start, data: Path, other: Path, lose: Callable[[Path, Path], None]
) -> None:
    """A file that takes the place of a served one is served as it is by the next start."""
    server = start()
    assert server.first_key
    writers = Writers(server, server.first_key)
    writers.wait()
    lose(data / FILE, other)
    require_end(server, since=time.monotonic())
    writers.end()
    assert writers.refused <= {503}
    assert definitions_in(data / FILE) == set()
    where = ("--data-dir", str(data))
    assert run_benefits("verify", *where).returncode == 0
    again = start(*where)
    assert status_with(again, server.first_key) == 401
    assert again.stop() == 0


def test_link_that_leads_elsewhere_is_noticed(
    start: Start, data: Path, other: Path, tmp_path: Path
) -> None:
    """A server whose file is a link ends when the link leads to another file."""
    start().stop()
    link = tmp_path / "link"
    link.symlink_to(data, target_is_directory=True)
    server = start("--data-dir", str(link))
    link.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other.rename(elsewhere / FILE)
    link.symlink_to(elsewhere, target_is_directory=True)
    since = time.monotonic()
    while is_ready(server):
        assert time.monotonic() - since < NOTICED_SECONDS_MAX
    assert server.wait() == 3


def linked_file(data: Path, folder: Path) -> Path:
    folder.mkdir()
    (folder / FILE).symlink_to(data / FILE)
    return folder


def linked_folder(data: Path, folder: Path) -> Path:
    folder.symlink_to(data, target_is_directory=True)
    return folder


@pytest.mark.parametrize("link", [linked_file, linked_folder])
def test_no_second_server_by_a_link(
    start: Start, data: Path, tmp_path: Path, link: Callable[[Path, Path], Path]
) -> None:
    """A link to a served file or its folder is served too, whoever came first by which name."""
    server = start()
    linked = ("--data-dir", str(link(data, tmp_path / "linked")))
    for second in [linked, ("--data-dir", str(data))]:
        done = run_benefits("serve", "--port", "0", *second)
        assert (done.returncode, "served by another process" in done.stderr) == (3, True)
        assert server.stop() == 0
        server = start(*linked)


def test_file_of_two_names_is_refused(start: Start, data: Path) -> None:
    """A file with a second name (hard link) is neither served nor migrated; the line says why."""
    start().stop()
    (data / "second").hardlink_to(data / FILE)
    for command in [("serve", "--port", "0"), ("migrate",), ("keys", "list")]:
        done = run_benefits(*command, "--data-dir", str(data))
        assert (done.returncode, done.stderr.count("\n")) == (3, 1)
        assert "has 2 names (hard links)" in done.stderr
    (data / "second").unlink()
    assert is_ready(start())


def test_restore_through_a_link(start: Start, data: Path, tmp_path: Path) -> None:
    """Restoring into a link is refused while a server runs, and later replaces the file itself."""
    server = start()
    copy = tmp_path / "copy.sqlite3"
    assert run_benefits("backup", str(copy), "--data-dir", str(data)).returncode == 0
    assert server.first_key
    assert create_definition(server, server.first_key, "late").status_code == 200
    linked = linked_file(data, tmp_path / "linked")
    restore = ("restore", str(copy), "--data-dir", str(linked))
    refused = run_benefits(*restore)
    assert (refused.returncode, "served by another process" in refused.stderr) == (3, True)
    server.stop(signal.SIGKILL)
    done = run_benefits(*restore)
    assert done.returncode == 0, done.stderr
    assert (linked / FILE).is_symlink()
    assert definitions_in(data / FILE) == set()
    assert [each.name for each in linked.iterdir()] == [FILE]
    assert len(list(data.glob("*.old"))) == 1


@pytest.mark.anyio
async def test_what_others_may_do_is_no_loss(tmp_path: Path) -> None:
    """A VACUUM and a log that is written back by another process change nothing for a server."""
    path = tmp_path / FILE
    store = SqliteStore(path)
    try:
        await store.execute("create table filler (content blob)", ())
        await store.execute("insert into filler values (zeroblob(1000000))", ())
        with closing(connect(path)) as other:
            other.wal_checkpoint()
            await store.execute("delete from filler", ())
            before = path.stat().st_size
            other.execute("vacuum")
            other.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            assert path.stat().st_size < before
        await store.execute("insert into filler values (1)", ())
        assert await store.fetch("select content from filler", ()) == [(1,)]
    finally:
        await store.close()


def test_full_disk_refuses_and_goes_on(start: Start, data: Path) -> None:
    """Without room for the log writes get 503 and leave nothing; with room they succeed."""
    server = start()
    key = server.first_key
    assert key
    assert create_definition(server, key, "one").status_code == 200
    pid, room = server.process.pid, resource.RLIMIT_FSIZE
    size = (data / f"{FILE}-wal").stat().st_size
    before = resource.prlimit(pid, room, (size, resource.RLIM_INFINITY))
    assert [create_definition(server, key, "two").status_code for _ in range(3)] == [503] * 3
    assert status_with(server, key) == 404
    resource.prlimit(pid, room, before)
    assert create_definition(server, key, "two").status_code == 200
    assert server.stop() == 0
    assert definitions_in(data / FILE) == {"one", "two"}
    assert run_benefits("verify", "--data-dir", str(data)).returncode == 0


@pytest.mark.parametrize("lose", [delete, move_over, copy_over])
def test_host_of_the_service_lives_on(
    data: Path, other: Path, lose: Callable[[Path, Path], None]
) -> None:
    """In one's own process calls fail as a server's do, and closing harms no new file."""
    data.mkdir()
    path = data / FILE
    with BenefitPrograms.open(path, max_retries=0) as client:
        assert client.program_definitions.create(namespace="gym", external_id="gym").id
        lose(path, other)
        since, refused = time.monotonic(), False
        while not refused:
            assert time.monotonic() - since < NOTICED_SECONDS_MAX
            try:
                client.settings.get()
            except ServerError as error:
                refused = error.status == 503
        with pytest.raises(ServerError):
            client.program_definitions.create(namespace="gym", external_id="late")
    if path.exists():
        assert definitions_in(path) == set()
