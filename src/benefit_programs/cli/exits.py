"""The codes with which commands end, and mistakes of whoever typed them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The codes with which commands end."""

    DONE = 0
    FAILED = 1
    """Something went wrong that no other code stands for."""

    WRONG_USAGE = 2
    """An argument, an option or a setting can't be used as it is."""

    DATABASE = 3
    """The database can't be used: unreachable, busy, served by another process, other schema."""

    ADDRESS = 4
    """The address can't be listened on, for example because the port is in use."""

    NOT_FOUND = 5
    """What was named doesn't exist."""

    BROKEN = 6
    """The database breaks an invariant; see docs/invariants.md."""

    REFUSED = 7
    """The service refused: the state of things doesn't allow it, such as too few credits."""

    NO_ANSWER = 8
    """No answer of the service came: wrong address, not running, too slow, or throttled."""

    DENIED = 9
    """The API key is unknown, or doesn't allow this."""


class WrongUsage(Exception):
    """An argument or an option can't be used as it is; the message is one line."""


class AddressUnusable(Exception):
    """The address can't be listened on; the message is one line."""
