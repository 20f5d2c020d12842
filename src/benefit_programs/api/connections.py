"""How many clients are connected."""

from __future__ import annotations

from typing import ClassVar


def _cell(count: int = 0) -> memoryview[int]:
    cell: memoryview[int] = memoryview(bytearray(8)).cast("q")
    cell[0] = count
    return cell


class _Counting(type):
    """Gives the class a number to read."""

    cell: memoryview[int]

    @property
    def count(cls) -> int:
        """How many there are now."""
        return cls.cell[0]


class OpenConnections(metaclass=_Counting):
    """The connections of this process: a process listens once, so it counts once."""

    cell: ClassVar[memoryview[int]] = _cell()
    """Where they are counted; processes that share a listener look at each other's."""

    @classmethod
    def count_apart(cls) -> None:
        """Count from now on where nobody else looks."""
        cls.cell = _cell(cls.count)
