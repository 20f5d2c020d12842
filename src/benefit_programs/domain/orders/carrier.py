"""What a job does in its chunks: the rows that it walks through, and how it works on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import Job, JobItem
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import BEFORE_ALL_IDS
from benefit_programs.domain.orders.play import (
    ask_to_reach,
)
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import Changes, Needs, State


class Walk(msgspec.Struct, frozen=True):
    """The rows that a stage of a job goes through; ``entity`` is what its items call them."""

    index: Index[Any]
    key: Key
    entity: str

    def rows(self, state: State) -> list[Any]:
        assert self.index.after is not None
        rows = state.known(self.index, *self.key)
        return sorted(rows, key=self._position)[: self.index.limit]

    def is_last(self, rows: Sequence[Row]) -> bool:
        return len(rows) < (self.index.limit or 0)

    def after(self, rows: Sequence[Row]) -> str:
        return self._position(rows[-1]) if rows else str(self.key[-1])

    def _position(self, row: Row) -> str:
        return str(getattr(row, str(self.index.after)))


@cache
def shortened(index: Index[Any], size: int) -> Index[Any]:
    """A walk through the same rows, in shorter steps."""
    if index.limit is None or index.limit <= size:
        return index
    return Index(index.entity, *index.columns, after=index.after, limit=size, live=index.live)


class Carrier(ABC):
    """What the chunks of a job do: they go through the rows of a walk, in one stage or several."""

    stages = 1

    def __init__(self, job: Job, size: int) -> None:
        self.job = job
        self._size = size

    @property
    def walk(self) -> Walk | None:
        """The walk of this stage; None if only a query finds the rows, or nothing is left to do."""
        return None

    def along(self, index: Index[Any], entity: str, subject_id: str | None) -> Walk:
        """A walk from where the job has come to, with as many rows as a chunk shall have."""
        key = (subject_id, self.job.position or BEFORE_ALL_IDS)
        return Walk(shortened(index, self._size), key, entity)

    def rows(self, state: State) -> list[Any]:
        return self.walk.rows(state) if self.walk else []

    def is_last(self, state: State) -> bool:
        return self.walk is None or self.walk.is_last(self.rows(state))

    def position(self, state: State) -> str:
        assert self.walk is not None
        return self.walk.after(self.rows(state))

    def ask(self, needs: Needs, state: State) -> None:
        if self.walk is not None and self.is_held(needs, state):
            needs.lock(self.walk.index, *self.walk.key)
            self.ask_for_rows(needs, state, self.rows(state))

    def is_held(self, needs: Needs, state: State) -> bool:
        """Ask for what must be held before the rows; whether it is held by now."""
        return True

    def ask_for_rows(self, needs: Needs, state: State, rows: list[Any]) -> None:
        ask_to_reach(needs, state, rows)

    @abstractmethod
    def do(self, state: State, changes: Changes[Any], context: Context) -> list[JobItem]:
        """Work on the next rows, and tell of them."""
