"""What the client's types are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A part of requests and answers. Fields that are None are left out of requests."""

    set_by_service: ClassVar[frozenset[str]] = frozenset()
    """Fields that answers have and requests leave out."""


class Change(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The changes of something: fields that are UNSET are left out, and None clears."""


class OpenEnum(StrEnum):
    """An enum that may get more members. An unknown value equals the text of the answer."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this version of the client knows the value."""
        return self._name_ in type(self).__members__
