"""How commands end: with a code that scripts can rely on, and one line that tells people why."""

from __future__ import annotations

import sys
from enum import IntEnum

from benefit_programs.config import WrongSetting
from benefit_programs.domain.errors import (
    Invalid,
    JobNotCancelable,
    JobNotFound,
    JobNotRetryable,
)
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from benefit_programs.storage.directory import SiteTaken, UnknownKey, UnknownTenant
from benefit_programs.storage.schema import SchemaError
from benefit_programs.storage.sqlite import FileInUse


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
    """There is no tenant, key or job with the id that was given."""

    BROKEN = 6
    """The database breaks an invariant; see docs/invariants.md."""


class WrongUsage(Exception):
    """An argument or an option can't be used as it is; the message is one line."""


class AddressUnusable(Exception):
    """The address can't be listened on; the message is one line."""


CODES: dict[type[Exception], ExitCode] = {
    WrongSetting: ExitCode.WRONG_USAGE,
    WrongUsage: ExitCode.WRONG_USAGE,
    Invalid: ExitCode.WRONG_USAGE,
    SiteTaken: ExitCode.WRONG_USAGE,
    SchemaError: ExitCode.DATABASE,
    FileInUse: ExitCode.DATABASE,
    StoreUnavailable: ExitCode.DATABASE,
    StoreTimeout: ExitCode.DATABASE,
    StoreConflict: ExitCode.DATABASE,
    OSError: ExitCode.DATABASE,
    AddressUnusable: ExitCode.ADDRESS,
    UnknownTenant: ExitCode.NOT_FOUND,
    UnknownKey: ExitCode.NOT_FOUND,
    JobNotFound: ExitCode.NOT_FOUND,
    JobNotRetryable: ExitCode.WRONG_USAGE,
    JobNotCancelable: ExitCode.WRONG_USAGE,
}
"""What commands end with for each error that has a line of its own."""


def end_with(error: Exception) -> int:
    """Tell on standard error what went wrong, and give the code to end with."""
    sys.stderr.write(f"benefits: {_line(error)}\n")
    return next(code for kind, code in CODES.items() if isinstance(error, kind))


def _line(error: Exception) -> str:
    if isinstance(error, Invalid):
        return "; ".join(f"{each.field}: {each.description}" for each in error.violations)
    if isinstance(error, StoreUnavailable):
        return f"The database can't be used: {_flat(error)}"
    return _flat(error)


def _flat(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
