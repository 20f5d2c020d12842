"""Which rows commands hold or wait for, to tell whether one would have to wait for another."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.state import Mode, Wanted


class Locks:
    """Keys of rows that are held for sharing or for change."""

    def __init__(self) -> None:
        self._held: dict[Index[Any], dict[Key, Mode]] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def add(self, wanted: Wanted) -> None:
        """Hold what is wanted too; what is only read isn't held."""
        for index, keys in wanted.items():
            for key, mode in keys.items():
                if mode is not Mode.READ:
                    held = self._held.setdefault(index, {})
                    held[key] = max(mode, held.get(key, mode))

    def update(self, other: Locks) -> None:
        self.add(other._held)

    def clear(self) -> None:
        self._held.clear()

    def meet(self, wanted: Wanted) -> bool:
        """Whether who wants this would wait: one of the two wants to change what both hold."""
        return any(
            key in held and mode is not Mode.READ and Mode.LOCK in {mode, held[key]}
            for index, keys in wanted.items()
            if (held := self._held.get(index))
            for key, mode in keys.items()
        )
