"""What a process remembers of a tenant between batches: only what stays true, and bounded."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Generic, TypeVar

from benefit_programs.domain.entities import (
    Operation,
    Reservation,
    ReservationStatus,
    Transaction,
)
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import ITEM_BY_REFERENCE, RESERVING_TRANSACTION, SNAPSHOT
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import AtHand, Guesses, State

T = TypeVar("T")

SNAPSHOTS_MAX = 2_000
"""How many snapshots one tenant's memory holds, the most recently used ones."""

RESERVING_MAX = 1_000
"""How many transactions that reserved it holds, the most recently used ones."""

ITEMS_MAX = 1_000
"""Of how many items it knows in which set they were found last, the most recently used ones."""

HELD_AFTER_CONFLICT = 20
"""How many batches hold what they read after one that didn't met others who changed it."""

_RESERVE, _OPEN = Operation.RESERVE, ReservationStatus.OPEN


class Memory:
    """What one tenant's batches have found or made so far."""

    def __init__(self) -> None:
        self._recent: dict[Index[Any], _Recent[Row]] = {
            SNAPSHOT: _Recent(SNAPSHOTS_MAX),
            RESERVING_TRANSACTION: _Recent(RESERVING_MAX),
        }
        self._items: _Recent[Key] = _Recent(ITEMS_MAX)
        self.at_hand: AtHand = {index: rows.find for index, rows in self._recent.items()}
        self.guesses: Guesses = {ITEM_BY_REFERENCE: self._items.find}
        self.is_on_agenda = False
        """Whether runners look at the tenant now and then; once they do, they always will."""

        self._held_batches = 0

    def is_calm(self) -> bool:
        """Whether a batch may go without holding what it reads, because nobody else changes it."""
        if not self._held_batches:
            return True
        self._held_batches -= 1
        return False

    def note_conflict(self) -> None:
        """Remember that others change what this process changes."""
        self._held_batches = HELD_AFTER_CONFLICT

    def keep(self, index: Index[Any], rows: list[Row]) -> None:
        """Remember what a batch has found if it never changes, and where it has found items."""
        recent = self._recent.get(index)
        if recent is not None:
            for row in rows:
                recent.keep(index.key_of(row), row)
        elif index is ITEM_BY_REFERENCE:
            for key in map(index.key_of, rows):
                self._items.keep(key[:-1], key)

    def keep_reserving(self, state: State) -> None:
        """Remember what a batch reserves by, for captures look for it next; forget what has ended.

        It is here before the commit, which may fail. Whoever finds it here looks for the
        reservation, too, and only that tells what is held.
        """
        reserving = self._recent[RESERVING_TRANSACTION]
        for _, row in state.changed(Transaction):
            if row.operation is _RESERVE:
                reserving.keep((row.id,), row)
        for _, reservation in state.changed(Reservation):
            if reservation.status is not _OPEN:
                reserving.forget((reservation.id,))


class _Recent(Generic[T]):
    """What keys have led to, for the most recently used ones."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._kept: OrderedDict[Key, T] = OrderedDict()

    def find(self, key: Key) -> T | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def forget(self, key: Key) -> None:
        self._kept.pop(key, None)

    def keep(self, key: Key, value: T) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._maximum:
            self._kept.popitem(last=False)
