"""Copies of a SQLite database: taken while it is served, verified, and put back."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.storage import backup
from benefit_programs.storage.sqlite import SqliteStore, connect
from tests.cli.conftest import Done, Terminal, run
from tests.cli.test_by_hand import provision
from tests.support.databases import SqliteDatabases
from tests.support.service import Server
from tests.support.serving import run_benefits
from tests.support.wallet import Wallet, open_wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMBERS = 8
FILE = "benefits.sqlite3"


class Installation(Terminal):
    """A SQLite database with a pool that can be spent, which nobody serves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("--data-dir", str(folder / "data")), folder)
        self.data = folder / "data"
        self.path = self.data / FILE
        assert self.run("migrate").code == 0
        self.pool = provision(self)

    def adjust(self, amount: str) -> None:
        """Change the balance, which is seen by whoever reads it."""
        self.json("balances", "adjust", self.pool, amount)

    @property
    def available(self) -> str:
        """The balance."""
        shown: str = self.json("balances", "show", self.pool)["amount"]["available"]
        return shown

    @property
    def names(self) -> set[str]:
        """The files in the folder of the database, but for the locks of servers."""
        return {each.name for each in self.data.iterdir() if each.suffix != ".lock"}

    def back_up(self) -> Path:
        """Take a copy."""
        copy = self.folder / "copy.sqlite3"
        self.json("backup", str(copy))
        return copy


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Server]:
    """A server of a SQLite file of its own."""
    url = SqliteDatabases(tmp_path).create()
    server = Server(url, tmp_path / "log")
    yield server
    server.stop()


def url_of(server: Server) -> str:
    return server._settings.url


def told(done: Done) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_copy_holds_what_the_database_holds(installation: Installation) -> None:
    """A copy is a single private file, sound, and with the rows and the newest transaction."""
    installation.adjust("2")
    copy = installation.folder / "copy.sqlite3"
    report = installation.json("backup", str(copy))
    verified = installation.json("verify")
    assert (report["sound"], report["file"]) == (True, str(copy))
    assert report["rows"] == verified["rows"]
    assert report["rows"]["transactions"] == 2
    newest = installation.json("transactions", "list", "--pool-id", installation.pool)
    assert report["newestTransaction"] == verified["newestTransaction"]
    assert report["newestTransaction"]["id"] == newest["transactions"][0]["id"]
    assert report["newestTransaction"]["createdDate"] == newest["transactions"][0]["createdDate"]
    assert [each.name for each in installation.folder.glob("*copy*")] == ["copy.sqlite3"]
    assert copy.stat().st_mode & 0o077 == 0
    of_copy = ("--database-url", f"sqlite:///{copy}", "--json")
    assert told(run("verify", *of_copy))["rows"] == report["rows"]


def test_people_read_what_a_copy_holds(installation: Installation) -> None:
    """Without --json the lines tell counts and the newest transaction."""
    done = installation.run("backup", str(installation.folder / "copy.sqlite3"))
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("Rows: program definitions 2, pool definitions 1, items ")
    assert "the newest transaction is " in lines[0]
    assert "every invariant holds" in lines[1]
    assert lines[2].startswith("Copied into ")


@pytest.mark.anyio
async def test_copy_is_taken_while_members_redeem(served: Server, tmp_path: Path) -> None:
    """However many redemptions come meanwhile, a copy ends; it is one moment between two."""
    async with served.connect() as caller:
        wallets = [await open_wallet(caller) for _ in range(MEMBERS)]
        before = await wallets[0].redeem()
        redeeming = [asyncio.create_task(redeem_on(wallet)) for wallet in wallets]
        copy = tmp_path / "copy.sqlite3"
        arguments = ("backup", str(copy), "--database-url", url_of(served), "--json")
        done = await asyncio.to_thread(run_benefits, *arguments)
        assert not any(each.done() for each in redeeming), "they redeem all the time"
        for each in redeeming:
            each.cancel()
        await asyncio.gather(*redeeming, return_exceptions=True)
        after = await wallets[0].redeem()
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["sound"]
    assert before <= report["newestTransaction"]["id"] < after
    assert copy.is_file()


async def redeem_on(wallet: Wallet) -> None:
    """Redeem until somebody stops it."""
    while True:
        await wallet.set_balance("100")
        for _ in range(5):
            await wallet.redeem()


def test_commits_meanwhile_begin_no_copy_anew(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page is read once, also if somebody commits after each; the copy has none of that."""
    monkeypatch.setattr(backup, "PAGES_AT_ONCE", 1)
    steps: list[int] = []
    with closing(connect(installation.path)) as writer:
        count = "select count(*) from secrets"
        before = writer.execute(count).fetchall()

        def commit(done: int, _: int) -> None:
            steps.append(done)
            insert = "insert into secrets (name, value) values (?, ?)"
            writer.execute(insert, (f"secret {done}", "of no matter"))

        copy = installation.folder / "copy.sqlite3"
        with closing(connect(installation.path, read_only=True)) as source:
            backup.copy_database(source, copy, commit)
    assert steps == list(range(1, len(steps) + 1))
    with closing(backup.open_at_rest(copy)) as copied:
        assert copied.execute(count).fetchall() == before


@pytest.mark.parametrize("name", ["copy.sqlite3", "copy.sqlite3-wal", "copy.sqlite3-journal"])
def test_file_that_is_there_is_left_alone(installation: Installation, name: str) -> None:
    """A copy overwrites nothing, and takes no name beside which a log of another file lies."""
    there = installation.folder / name
    there.write_text("precious")
    done = installation.run("backup", str(installation.folder / "copy.sqlite3"))
    assert (done.code, done.err) == (2, f"benefits: {there} is there already.\n")
    assert there.read_text() == "precious"
    assert [each.name for each in installation.folder.glob("*copy*")] == [name]


def test_file_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Somebody else's file of the same name stays, and the draft goes."""
    target = tmp_path / "copy.sqlite3"
    with ExitStack() as stack:
        stack.enter_context(backup.new_file(target)).write_text("mine")
        target.write_text("precious")
        with pytest.raises(backup.FileTaken):
            stack.close()
    assert target.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [target]


def test_copy_of_broken_books_is_kept_and_told(installation: Installation) -> None:
    """What breaks an invariant is copied as it is, and the command ends with 6."""
    with closing(connect(installation.path)) as writer:
        writer.execute("update pools set available = available + 1")
    copy = installation.folder / "copy.sqlite3"
    done = installation.run("backup", str(copy), "--json")
    assert done.code == 6
    assert json.loads(done.out)["sound"] is False
    assert copy.is_file()


def test_damaged_file_makes_no_copy(installation: Installation) -> None:
    """Where pages are damaged the command says so, and leaves nothing that looks like a copy."""
    damage(installation.path)
    done = installation.run("backup", str(installation.folder / "copy.sqlite3"))
    assert done.code == 3
    assert done.err.startswith("benefits: The database can't be used: ")
    assert list(installation.folder.glob("*copy*")) == []


def damage(path: Path) -> None:
    """Write nonsense over all of a file but its first pages, which hold the schema."""
    size, kept = path.stat().st_size, path.stat().st_size // 2
    with path.open("r+b") as opened:
        opened.seek(kept)
        opened.write(b"\x5a" * (size - kept))


def test_restored_database_is_as_it_was(installation: Installation) -> None:
    """What came after the copy is gone, and kept beside under a name that tells when."""
    installation.adjust("1")
    copy = installation.back_up()
    then = installation.available
    installation.adjust("5")
    later = installation.available
    report = installation.json("restore", str(copy))
    assert installation.available == then
    kept = report["kept"]
    assert report["rows"]["transactions"] == 2
    old = ("balances", "show", installation.pool, "--database-url", f"sqlite:///{kept}", "--json")
    assert told(run(*old))["amount"]["available"] == later
    assert installation.json("verify")["sound"]
    assert installation.names == {FILE, kept.rpartition("/")[2]}
    assert copy.is_file()


def test_restoring_with_force_keeps_nothing(installation: Installation) -> None:
    """With --force the folder has the restored file alone."""
    copy = installation.back_up()
    assert installation.json("restore", str(copy), "--force")["kept"] is None
    assert installation.names == {FILE}


def test_restoring_into_an_empty_folder(installation: Installation, tmp_path: Path) -> None:
    """A new machine has neither file nor folder; there is nothing to keep."""
    copy = installation.back_up()
    new = tmp_path / "new" / "data"
    report = told(run("restore", str(copy), "--data-dir", str(new), "--json"))
    assert report["kept"] is None
    assert told(run("verify", "--data-dir", str(new), "--json"))["rows"] == report["rows"]
    assert new.stat().st_mode & 0o077 == 0


def test_log_of_the_old_file_is_no_log_of_the_new_one(installation: Installation) -> None:
    """A server that was killed leaves a log; its commits go with the old file, not into the new."""
    copy = installation.back_up()
    then = installation.available
    leave_log(installation.path)
    report = installation.json("restore", str(copy))
    assert installation.names == {FILE, report["kept"].rpartition("/")[2]}
    assert installation.available == then
    with closing(backup.open_at_rest(installation.data / report["kept"])) as old:
        assert old.execute("select 1 from secrets where name = 'late'").fetchall()


def leave_log(path: Path) -> None:
    """Leave a file and its log as a killed process does, with a commit in the log alone."""
    with closing(connect(path)) as writer:
        writer.execute("insert into secrets (name, value) values ('late', 'of no matter')")
        files = {each: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}
    for each, content in files.items():
        each.write_bytes(content)


def test_damaged_database_is_replaced_and_kept_with_its_log(installation: Installation) -> None:
    """What can't be read any more is no obstacle, and stays for whoever wants to look into it."""
    copy = installation.back_up()
    leave_log(installation.path)
    installation.path.write_bytes(b"no database at all" * 1_000)
    log = (installation.data / f"{FILE}-wal").read_bytes()
    kept = installation.json("restore", str(copy))["kept"].rpartition("/")[2]
    assert installation.names == {FILE, kept, f"{kept}-wal"}
    assert (installation.data / f"{kept}-wal").read_bytes() == log
    assert installation.json("verify")["sound"]


def test_served_database_is_not_replaced(served: Server, tmp_path: Path) -> None:
    """While a server has the file, restoring ends with 3 and changes nothing."""
    where = ("--database-url", url_of(served))
    copy = tmp_path / "copy.sqlite3"
    assert run("backup", str(copy), *where).code == 0
    before = {each.name for each in tmp_path.iterdir()}
    done = run("restore", str(copy), *where, "--force")
    assert done.code == 3
    assert "served by another process" in done.err
    assert {each.name for each in tmp_path.iterdir()} == before


def test_database_that_a_command_works_on_is_not_replaced(installation: Installation) -> None:
    """A command that has the file open, such as a new key's, loses nothing."""
    copy = installation.back_up()
    store = SqliteStore(installation.path, serve=False)
    try:
        done = installation.run("restore", str(copy), "--force")
    finally:
        asyncio.run(store.close())
    assert done.code == 3
    assert "locked by another process" in done.err
    assert installation.json("verify")["sound"]


def test_what_is_no_copy_is_refused(installation: Installation) -> None:
    """Another file, an empty database or the database itself restores nothing."""
    text, empty = installation.folder / "text", installation.folder / "empty"
    text.write_text("no database " * 1_000)
    with closing(connect(empty)) as connection:
        connection.execute("create table other (id int)")
    before = installation.path.read_bytes()
    for file, code, words in [
        (text, 3, "file is not a database"),
        (empty, 3, f"{empty} is no database of this service"),
        (installation.path, 2, "is the database itself"),
        (installation.folder / "nothing", 2, "does not exist"),
    ]:
        done = installation.run("restore", str(file))
        assert (done.code, words in " ".join(done.err.split())) == (code, True), done.err
    assert installation.path.read_bytes() == before
    assert installation.names == {FILE}


def test_copy_of_a_newer_version_is_refused(installation: Installation) -> None:
    """A schema that this version doesn't know isn't put in place."""
    copy = installation.back_up()
    with closing(connect(copy)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    done = installation.run("restore", str(copy))
    assert done.code == 3
    assert "which a newer version made" in done.err
    assert installation.json("verify")["sound"]


def test_damaged_copy_is_refused(installation: Installation) -> None:
    """A copy whose pages are damaged isn't put in place."""
    copy = installation.back_up()
    damage(copy)
    assert installation.run("restore", str(copy)).code == 3
    assert installation.json("verify")["sound"]


@pytest.mark.parametrize(("command", "instead"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_postgres_has_commands_of_its_own(command: str, instead: str, tmp_path: Path) -> None:
    """On PostgreSQL both say what to use instead, and connect to nothing."""
    (tmp_path / "file").touch()
    name = "file" if command == "restore" else "new"
    done = run(command, str(tmp_path / name), "--database-url", "postgresql://nowhere.test/x")
    assert done.code == 2
    assert instead in done.err
