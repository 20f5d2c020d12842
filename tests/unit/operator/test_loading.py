"""Commands are loaded when they are used: a list of them, or a word to complete, can't wait."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benefit_programs.cli.application import COMMANDS, load_command
from tests.support.serving import own_environment

STORES = {"alembic", "apsw", "asyncpg", "sqlalchemy"}
SERVERS = {"httptools", "prometheus_client", "starlette", "uvicorn", "uvloop"}
CALLERS = {"httpx", "jsonschema_rs", "yaml"}

# Runs the command, and tells below what it prints which packages that has loaded.
RUN = """
import atexit, json, sys
from benefit_programs.cli import main
atexit.register(lambda: print(json.dumps(sorted({name.split(".")[0] for name in sys.modules}))))
sys.argv = ["benefits", *sys.argv[1:]]
main()
"""


def run_and_watch(*words: str, **variables: str) -> tuple[str, set[str]]:
    """What a command prints, and the packages that were loaded for it."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words],
        env=own_environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    printed, _, loaded = done.stdout.rstrip("\n").rpartition("\n")
    return printed, set(json.loads(loaded))


def complete(line: str) -> tuple[list[str], set[str]]:
    """What a shell offers for the last word of a line, and the packages that were loaded for it."""
    words = line.split(" ")
    printed, loaded = run_and_watch(
        _BENEFITS_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    )
    return printed.split("\n"), loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_list_says_what_the_command_says(name: str) -> None:
    """The line about a command in the list of all is the first one of its own help."""
    first, _, _ = load_command(name).help.partition("\n\n")
    assert COMMANDS[name][1] == first.replace("\n", " ")


def test_list_of_commands_loads_none() -> None:
    """``benefits --help`` names every command, and loads neither stores nor servers nor callers."""
    printed, loaded = run_and_watch("--help", COLUMNS="200")
    assert [name for name in COMMANDS if f" {name} " not in printed] == []
    assert loaded & (STORES | SERVERS | CALLERS) == set()


def test_completion_of_a_command_loads_none() -> None:
    """The shell completes every command, and waits for none of them."""
    offered, loaded = complete("benefits ")
    assert offered == list(COMMANDS)
    assert loaded & (STORES | SERVERS | CALLERS) == set()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("benefits keys ", ["create", "list", "revoke"]),
        ("benefits tenants create --si", ["--site-id"]),
        ("benefits programs re", ["resume", "renew"]),
        ("benefits redeem --c", ["--category", "--count"]),
    ],
)
def test_completion_loads_what_it_completes(line: str, offered: list[str]) -> None:
    """The shell completes what stands below a command, without what the others need."""
    found, loaded = complete(line)
    assert found == offered
    assert loaded & (STORES | SERVERS) == set()
