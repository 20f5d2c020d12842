"""What a batch asks of a store, what a read asks of it, and what may go wrong there."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from benefit_programs.domain.indexes import Index
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import State, Wanted

Answer = TypeVar("Answer")


class Load(NamedTuple):
    """Find these rows and hold them as said until the commit."""

    wanted: Wanted

    @property
    def size(self) -> int:
        return sum(len(keys) * (index.limit or 1) for index, keys in self.wanted.items())


class Write(NamedTuple):
    """Write what the state has changed, and its events."""

    state: State

    @property
    def size(self) -> int:
        return self.state.size


Loaded = dict[Index[Any], list[Row]]
BatchRun = Generator[Load | Write, Loaded, Answer]
"""A batch as a store runs it in one transaction: it asks, is answered, and returns."""


class StoreConflict(Exception):
    """The database refused what another process made impossible; alone, it may be tried again."""


class StoreTimeout(Exception):
    """A statement or a lock took longer than its limit; nothing was changed."""


class StoreLocked(StoreTimeout):
    """A row stayed locked by somebody else; nothing was changed."""


class StoreUnavailable(Exception):
    """The database can't be reached or is kept by somebody, or it was lost on the way.

    It is the same for everybody, and what was under way is unknown.
    """


class NodeUnavailable(StoreUnavailable):
    """A node of a cluster can't be reached: nothing can be done for the tenants that it has."""


class StatementUnsupported(Exception):
    """The database can't run a statement, as a cluster can't run some; nothing was changed."""


BATCH_SIZE_MAX = 256
"""How many commands share a commit, wherever a store takes so many."""


class Store(Protocol):
    """A database: batches of one tenant in one durable commit each, and reads beside them."""

    batches_max: int
    """How many batches it runs side by side."""

    @property
    def batch_size_max(self) -> int:
        """How many commands it takes in a batch now, ``BATCH_SIZE_MAX`` at most."""
        ...

    patient_batches_max: int
    """How many batches beside those may wait for rows that others have locked."""

    async def run(
        self,
        tenant_id: int,
        steps: BatchRun[Answer],
        *,
        patient: bool = False,
        unheld: bool = False,
    ) -> Answer:
        """Run a batch to its end in one transaction and return what it returns, once durable.

        A ``patient`` batch waits long for rows that somebody else has locked, another one is soon
        refused with StoreLocked. An ``unheld`` one may be run without holding what it reads, and is
        refused with StoreConflict if that has changed by its end. Also raises StoreConflict,
        StoreTimeout or StoreUnavailable, and whatever the batch raises; then nothing of the batch
        is stored.
        """
        ...

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a read, which sees every commit that was answered before it."""
        ...
