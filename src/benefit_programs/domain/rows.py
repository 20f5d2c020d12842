"""What all stored things are: rows."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A stored thing. ``key`` names the fields that tell one row of a type from another.

    ``over`` are the values of ``status`` that end the life of a row. ``distinct`` names other
    fields that no two rows have in common. ``seldom`` names fields that may be missing, and mostly
    are: they aren't written where all rows of a batch lack them.

    A row never leads back to itself, so the interpreter needn't look for it among cyclic garbage:
    what a process remembers would be walked through again and again.
    """

    key: ClassVar[tuple[str, ...]] = ("id",)
    over: ClassVar[tuple[str, ...]] = ("ENDED",)
    distinct: ClassVar[tuple[str, ...]] = ()
    seldom: ClassVar[tuple[str, ...]] = ()
