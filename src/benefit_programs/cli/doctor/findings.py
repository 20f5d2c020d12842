"""What a check finds: how it is, in a line, and what to do about it, in another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from benefit_programs.config import Settings
from benefit_programs.domain.values import Instant
from benefit_programs.storage.examining import Examined

NAMES_SHOWN = 5

_STEP = 1024


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, and may soon not, or not as somebody expects."""

    FAIL = "fail"
    """Something doesn't work, or may lose or give away something."""

    SKIPPED = "skipped"
    """It couldn't be looked at, or isn't there to be looked at."""


class Verdict(NamedTuple):
    """How it is. Neither line has a secret in it."""

    status: Status
    finding: str
    remedy: str = ""


def ok(finding: str) -> Verdict:
    return Verdict(Status.OK, finding)


def warn(finding: str, remedy: str) -> Verdict:
    return Verdict(Status.WARN, finding, remedy)


def fail(finding: str, remedy: str) -> Verdict:
    return Verdict(Status.FAIL, finding, remedy)


def skipped(finding: str, remedy: str = "") -> Verdict:
    return Verdict(Status.SKIPPED, finding, remedy)


@dataclass(frozen=True)
class Case:
    """What a check of the database may look at."""

    settings: Settings
    database: Examined
    now: Instant


class SettingsCheck(NamedTuple):
    name: str
    look: Callable[[Settings], Verdict]


class DatabaseCheck(NamedTuple):
    """A check that asks the database; ``of_rows`` if it needs the schema of this version."""

    name: str
    look: Callable[[Case], Awaitable[Verdict]]
    of_rows: bool = False


def listed(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - NAMES_SHOWN
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def lasting(seconds: float) -> str:
    """A duration in the largest unit that it fills."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return counted(round(seconds), "second")


def sized(size: float) -> str:
    """A number of bytes in the largest unit that it fills."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < _STEP:
            return f"{size:.0f} {unit}"
        size /= _STEP
    return f"{size:.1f} TiB"
