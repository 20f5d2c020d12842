"""The exit codes of commands, and the errors of wrong usage."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    DATABASE = 3
    ADDRESS = 4
    NOT_FOUND = 5
    BROKEN = 6
    REFUSED = 7
    NO_ANSWER = 8
    DENIED = 9


MEANINGS = {
    ExitCode.DONE: "Done.",
    ExitCode.FAILED: "Another failure.",
    ExitCode.WRONG_USAGE: "An argument, an option or a setting is wrong.",
    ExitCode.DATABASE: "The database can't be used: missing, unreachable, busy, served by another "
    "process, lost while it was served, or with another schema.",
    ExitCode.ADDRESS: "The address can't be listened on, for example because the port is in use.",
    ExitCode.NOT_FOUND: "The named thing doesn't exist.",
    ExitCode.BROKEN: "The database breaks an invariant; see `benefits verify`.",
    ExitCode.REFUSED: "The service refused: the state of the data doesn't allow it, for "
    "example because of too few credits.",
    ExitCode.NO_ANSWER: "No answer came from the service: wrong address, not running, too slow, or "
    "throttled.",
    ExitCode.DENIED: "The API key is unknown, or doesn't allow this.",
}
"""What each code means, as the reference says it."""


class WrongUsage(Exception):
    """An argument or an option can't be used as it is; the message is one line."""


class NotThere(Exception):
    """What was named doesn't exist; the message is one line."""


class AddressUnusable(Exception):
    """The address can't be listened on; the message is one line."""
