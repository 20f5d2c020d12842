"""Typed facts of an error, read from the data that came with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, Protocol, Self, TypeVar, overload

import msgspec

from benefit_programs.client.core.wire import camel
from benefit_programs.client.types.common import ItemReference

T = TypeVar("T")


class HasData(Protocol):
    """An error with the data that came with it."""

    data: dict[str, Any]


class Fact(Generic[T]):
    """One value of the data; None where it is absent or of another kind.

    It stands where the path leads, which is the attribute's own name unless another is given.
    """

    def __init__(self, read: Callable[[Any], T], path: str = "") -> None:
        self._read = read
        self._path = path

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._path = self._path or camel(name)

    @overload
    def __get__(self, error: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, error: HasData, owner: type[object]) -> T | None: ...
    def __get__(self, error: HasData | None, owner: type[object]) -> Self | T | None:
        if error is None:
            return self
        value: Any = error.data
        for name in self._path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return None
        try:
            return self._read(value)
        except (ValueError, TypeError, InvalidOperation, msgspec.ValidationError):
            return None


def text(path: str = "") -> Fact[str]:
    return Fact(str, path)


def texts(path: str = "") -> Fact[tuple[str, ...]]:
    return Fact(lambda value: msgspec.convert(value, tuple[str, ...]), path)


def instant(path: str = "") -> Fact[datetime]:
    return Fact(datetime.fromisoformat, path)


def flag(path: str = "") -> Fact[bool]:
    return Fact(lambda value: msgspec.convert(value, bool), path)


def number(path: str = "") -> Fact[int]:
    return Fact(lambda value: msgspec.convert(value, int, strict=False), path)


def amount(path: str = "") -> Fact[Decimal]:
    return Fact(Decimal, path)


def item() -> Fact[ItemReference]:
    return Fact(lambda value: msgspec.convert(value, ItemReference))
