"""Whatever people type, a command ends with a code and one line, never with a traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from benefit_programs import __version__
from benefit_programs.cli.application import COMMANDS, load_command
from tests.cli.conftest import Done, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.service import Server

NOBODY = "00000000-0000-4000-8000-00000000ffff"
WHERE = {"data_dir", "database_url", "url", "api_key"}
ODD = {"empty": "", "two lines": "a\nb", "too many digits": "9" * 40, "long": "x" * 100_000}
KNOWN = {"assignments": "timeZone=UTC", "amount": "1"}
LONG_RUNNING = {"serve", "worker", "events follow"}


def commands() -> Iterator[tuple[list[str], Any]]:
    for name in COMMANDS.keys() - LONG_RUNNING:
        for words, command in below([name], load_command(name)):
            if " ".join(words) not in LONG_RUNNING:
                yield words, command


def below(words: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, each in command.commands.items():
        yield from below([*words, name], each)


EVERY_COMMAND = sorted(commands(), key=lambda each: each[0])
every_command = pytest.mark.parametrize(
    ("words", "command"), EVERY_COMMAND, ids=[" ".join(words) for words, _ in EVERY_COMMAND]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its schema, and a file of an empty namespace."""
    made = tmp_path_factory.mktemp("odd")
    assert run("migrate", "--data-dir", str(made / "data")).code == 0
    (made / "benefits.yaml").write_text("namespace: gym\n", "utf-8")
    return made


def usual(parameter: Any, folder: Path) -> str:
    """What can stand there without being odd."""
    if parameter.name == "file":
        return str(folder / "benefits.yaml")
    is_number = parameter.bare_type in (int, float)
    return KNOWN.get(parameter.name, "1" if is_number else NOBODY)


def typed(command: Any, odd: Any, value: str, folder: Path) -> list[str]:
    """All that must be said, and one odd value."""
    given = {each.name: usual(each, folder) for each in command.params} | {odd.name: value}
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each not in arguments]
    said = [option for option in options if option is odd or option.required]
    words = [text for each in said for text in (each.opts[0], given[each.name])]
    words += ["--yes"] * any(each.name == "yes" for each in options)
    if WHERE & {each.name for each in options}:
        words += ["--data-dir", str(folder / "data")]
    # Behind two dashes nothing is an option, however it begins.
    return [*words, "--", *(given[each.name] for each in arguments)]


@every_command
@pytest.mark.parametrize("kinds", [1, pytest.param(len(ODD), marks=pytest.mark.full)])
def test_odd_values_are_told_in_one_line(
    words: list[str], command: Any, kinds: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each argument and option of each command takes an odd value, or says what is wrong.

    The long run tries all kinds of odd values on each, every other run one kind.
    """
    monkeypatch.chdir(folder)
    for number, parameter in enumerate(command.params):
        if parameter.name in WHERE or getattr(parameter, "is_bool_flag", False):
            continue
        first = crc32(" ".join(words).encode()) + number
        for kind in (list(ODD) * 2)[first % len(ODD) :][:kinds]:
            done = run(*words, *typed(command, parameter, ODD[kind], folder))
            assert "Traceback" not in done.err, (parameter.name, kind)
            if done.code not in {0, 2}:  # usage errors are drawn in a frame
                assert done.err.count("\n") == 1, (parameter.name, kind, done.err)


@pytest.mark.parametrize("odd", ["\udcff", "a\0b"], ids=["no UTF-8", "NUL"])
def test_what_is_no_text_is_refused(odd: str) -> None:
    """Bytes that are no UTF-8 are refused before anything is loaded; the line says which."""
    done = run("pools", "show", odd)
    assert done == Done(2, "", "benefits: argument 3: must be UTF-8 text\n")


@pytest.mark.parametrize("words", [["programs", "show"], ["redeem", "--item", "x"]], ids=" ".join)
@pytest.mark.parametrize("odd", ["", "x" * 60_000, "x" * 100_000], ids=["empty", "long", "longer"])
def test_odd_ids_over_http(server: Server, words: list[str], odd: str) -> None:
    """An id that no address can hold is told over HTTP, too."""
    where = ("--url", server.url, "--api-key", server.make_key())
    done = run(*words, *where, "--", odd, *["towel"] * (words[0] == "redeem"))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("seconds", ["nan", "-1", "inf", "1e300"])
def test_odd_waits_are_refused(command: Callable[..., Done], folder: Path, seconds: str) -> None:
    """What is no length of time, or longer than a day, is refused before anything is done."""
    where = ("--data-dir", str(folder / "data"))
    done = command("programs", "pause", NOBODY, "--wait", seconds, *where)
    assert (done.code, "--wait: must be 0 to 86400 seconds" in done.err) == (2, True)


@pytest.mark.parametrize("url", ["http://a..b", "http://.", f"http://{'x' * 70}", "http://xn--a"])
def test_odd_hosts_are_refused(command: Callable[..., Done], url: str) -> None:
    """A host that can't be looked up is a wrong option."""
    done = command("pools", "list", "--url", url, "--api-key", "k")
    assert (done.code, done.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_odd_hosts_cannot_be_listened_on(
    command: Callable[..., Done], tmp_path: Path, host: str
) -> None:
    """A host that can't be looked up ends the start with the code of addresses."""
    done = command("serve", "--host", host, "--port", "0", "--data-dir", str(tmp_path / "data"))
    assert (done.code, "BENEFITS_HOST" in done.err, done.err.count("\n")) == (4, True, 1)


def test_folder_of_no_user_is_refused(
    command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder or file below the home of a user who doesn't exist is a wrong setting."""
    done = command("migrate", "--data-dir", "~nosuchuser/data")
    assert (done.code, done.err.startswith("benefits: --data-dir: ")) == (2, True)
    monkeypatch.setenv("BENEFITS_CONFIG", "~nosuchuser/benefits.toml")
    done = command("migrate")
    assert (done.code, done.err.startswith("benefits: BENEFITS_CONFIG: ")) == (2, True)


def test_version_is_told(command: Callable[..., Done]) -> None:
    """``benefits --version`` says the version of the package, whatever follows it."""
    (said,) = {command("--version").out, command("--version", "keys").out}
    assert said == f"benefits {__version__}\n"
