"""What a process remembers of a tenant between batches: only what stays true, and bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from benefit_programs.domain.entities import (
    Operation,
    Reservation,
    ReservationStatus,
    Transaction,
)
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import RESERVING_TRANSACTION, SNAPSHOT
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import AtHand, State

SNAPSHOTS_MAX = 2_000
"""How many snapshots one tenant's memory holds, the most recently used ones."""

RESERVING_MAX = 1_000
"""How many transactions that reserved it holds, the most recently used ones."""

HELD_AFTER_CONFLICT = 20
"""How many batches hold what they read after one that didn't met others who changed it."""

_RESERVE, _OPEN = Operation.RESERVE, ReservationStatus.OPEN


class Memory:
    """What one tenant's batches have found or made so far."""

    def __init__(self) -> None:
        self._recent: dict[Index[Any], _Recent] = {
            SNAPSHOT: _Recent(SNAPSHOTS_MAX),
            RESERVING_TRANSACTION: _Recent(RESERVING_MAX),
        }
        self.at_hand: AtHand = {index: rows.find for index, rows in self._recent.items()}
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
        """Remember what a batch has found, if it never changes."""
        recent = self._recent.get(index)
        if recent is not None:
            recent.keep(rows)

    def keep_reserving(self, state: State) -> None:
        """Remember what a batch reserves by, for captures look for it next; forget what has ended.

        It is here before the commit, which may fail. Whoever finds it here looks for the
        reservation, too, and only that tells what is held.
        """
        reserving = self._recent[RESERVING_TRANSACTION]
        made = (row for _, row in state.changed(Transaction) if row.operation is _RESERVE)
        reserving.keep(made)
        for _, reservation in state.changed(Reservation):
            if reservation.status is not _OPEN:
                reserving.forget(reservation.id)


class _Recent:
    """Rows by their ids, the most recently used ones."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._rows: OrderedDict[str, Row] = OrderedDict()

    def find(self, key: Key) -> Row | None:
        row = self._rows.get(key[0])
        if row is not None:
            self._rows.move_to_end(key[0])
        return row

    def forget(self, row_id: str) -> None:
        self._rows.pop(row_id, None)

    def keep(self, rows: Iterable[Any]) -> None:
        for row in rows:
            self._rows[row.id] = row
            self._rows.move_to_end(row.id)
        while len(self._rows) > self._maximum:
            self._rows.popitem(last=False)
