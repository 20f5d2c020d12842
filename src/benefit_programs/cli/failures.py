"""How commands fail: with a code for scripts, and one line with the reason for people."""

from __future__ import annotations

from benefit_programs.cli.exits import AddressUnusable, ExitCode, NotThere, WrongUsage
from benefit_programs.client import (
    ApiError,
    BadRequest,
    BenefitProgramsError,
    ConnectionFailed,
    DatabaseNotUsable,
    NotFound,
    PermissionDenied,
    ServerError,
    Throttled,
    Unauthenticated,
    UnreadableAnswer,
    ValidationError,
    WrongArgument,
)
from benefit_programs.config import WrongSetting
from benefit_programs.domain.errors import (
    Invalid,
    JobNotCancelable,
    JobNotFound,
    JobNotRetryable,
)
from benefit_programs.domain.store import (
    StatementUnsupported,
    StoreConflict,
    StoreTimeout,
    StoreUnavailable,
)
from benefit_programs.storage.console import UnknownConsoleUser
from benefit_programs.storage.directory import SiteTaken, UnknownKey, UnknownTenant
from benefit_programs.storage.distribution import CannotDistribute
from benefit_programs.storage.schema import SchemaError
from benefit_programs.storage.sqlite import FileInUse

CODES: dict[type[Exception], ExitCode] = {
    WrongSetting: ExitCode.WRONG_USAGE,
    WrongUsage: ExitCode.WRONG_USAGE,
    Invalid: ExitCode.WRONG_USAGE,
    SiteTaken: ExitCode.WRONG_USAGE,
    SchemaError: ExitCode.DATABASE,
    CannotDistribute: ExitCode.DATABASE,
    FileInUse: ExitCode.DATABASE,
    StoreUnavailable: ExitCode.DATABASE,
    StoreTimeout: ExitCode.DATABASE,
    StoreConflict: ExitCode.DATABASE,
    StatementUnsupported: ExitCode.DATABASE,
    OSError: ExitCode.DATABASE,
    AddressUnusable: ExitCode.ADDRESS,
    NotThere: ExitCode.NOT_FOUND,
    UnknownTenant: ExitCode.NOT_FOUND,
    UnknownKey: ExitCode.NOT_FOUND,
    UnknownConsoleUser: ExitCode.NOT_FOUND,
    JobNotFound: ExitCode.NOT_FOUND,
    JobNotRetryable: ExitCode.WRONG_USAGE,
    JobNotCancelable: ExitCode.WRONG_USAGE,
    DatabaseNotUsable: ExitCode.DATABASE,
    ConnectionFailed: ExitCode.NO_ANSWER,
    UnreadableAnswer: ExitCode.NO_ANSWER,
    Throttled: ExitCode.NO_ANSWER,
    WrongArgument: ExitCode.WRONG_USAGE,
    BadRequest: ExitCode.WRONG_USAGE,
    NotFound: ExitCode.NOT_FOUND,
    Unauthenticated: ExitCode.DENIED,
    PermissionDenied: ExitCode.DENIED,
    ServerError: ExitCode.FAILED,
    ApiError: ExitCode.REFUSED,
    BenefitProgramsError: ExitCode.FAILED,
}
"""What commands end with for each error that has a line of its own; the first that fits counts."""


def code_of(error: Exception) -> ExitCode | None:
    """The exit code for an error; None if the error is a mistake of ours."""
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), None)


def line_of(error: Exception) -> str:
    """The reason of an error in one line, whatever was typed."""
    return " ".join(_said(error).split()) or type(error).__name__


def _said(error: Exception) -> str:
    if isinstance(error, DatabaseNotUsable) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # which commands that open the database themselves end with
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, Invalid | ValidationError):
        facts = [f"{each.field}: {each.description}" for each in error.violations]
        if isinstance(error, Invalid) and error.more:
            facts.append(f"and {error.more} more")
        return "; ".join(facts)
    if isinstance(error, StoreUnavailable | StatementUnsupported):
        return f"The database can't be used: {error}"
    if isinstance(error, ApiError):
        return _refusal(error)
    if isinstance(error, ConnectionFailed):
        return _no_answer(error)
    return str(error)


def _refusal(error: ApiError) -> str:
    """What the service said, with its numbers, and under which id it logged that."""
    said = error.description.rstrip(".") or error.code
    facts = ", ".join(f"{name} {each}" for name, each in error.data.items() if _is_plain(each))
    request = f"; request {error.request_id}" if isinstance(error, ServerError) else ""
    hint = _HINTS.get(type(error), "")
    return f"{said} ({error.code}{f': {facts}' if facts else ''}{request}){hint}"


def _no_answer(error: ConnectionFailed) -> str:
    may = "it may have been done all the same" if error.may_have_happened else "nothing was done"
    key = f"; to be sure: --idempotency-key {error.idempotency_key}"
    again = key if error.may_have_happened and error.idempotency_key else ""
    return f"no answer from the service: {error}; {may}{again}"


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


_HINTS: dict[type[Exception], str] = {
    Unauthenticated: ": is BENEFITS_API_KEY a key of this service? See `benefits keys list`",
    PermissionDenied: ": `benefits keys create` makes a key that may",
    Throttled: ": wait, and try again",
}
