"""A state for questions: what a command would be decided on, read without a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from benefit_programs.domain.entities import Pool
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.required import require
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.settling import LookAtPools, is_due, usable
from benefit_programs.domain.state import Mode, Needs, State
from benefit_programs.domain.store import StoreConflict
from benefit_programs.domain.values import Instant
from benefit_programs.storage.reader import Reader

ROUNDS_MAX = 8
"""How often what is asked may depend on what was found."""

ATTEMPTS_MAX = 5
"""How often pools in which something has come due are read again because they have changed."""

Known = Iterable[tuple[Index[Any], Iterable[Row]]]


class Asks(Protocol):
    """A command, or a question of the same form."""

    def ask(self, needs: Needs, state: State) -> None: ...


class _Loading(NamedTuple):
    reader: Reader
    tenant_id: int
    questions: tuple[Asks, ...]
    now: Instant
    settings: TenantSettings
    enough: Callable[[State], bool]

    async def load(self, known: list[tuple[Index[Any], list[Row]]]) -> State:
        state = State()
        for index, rows in known:
            state.load(index, {index.key_of(row): Mode.LOCK for row in rows}, rows)
        at_hand = self.reader.snapshots_at_hand(self.tenant_id)
        for _ in range(ROUNDS_MAX):
            needs = Needs(state, self.now, self.settings, at_hand)
            for each in self.questions:
                each.ask(needs, state)
            if not needs.wanted or self.enough(state):
                break
            found = await self.reader.look_up_all(self.tenant_id, needs.wanted)
            for index, rows in found.items():
                state.load(index, needs.wanted[index], rows)
            if not needs.leads_on:
                break
        return state


async def load_state(
    reader: Reader,
    tenant_id: int,
    questions: Iterable[Asks],
    *,
    now: Instant,
    settings: TenantSettings,
    known: Known = (),
    enough: Callable[[State], bool] = lambda _: False,
) -> State:
    """Load what all of them ask for, in rounds, until nothing is asked for or it is ``enough``.

    ``known`` are rows that were read before. Each round sees every commit answered before it. Where
    something has come due in a pool, its lots are those that it had when it was read. Raises
    StoreConflict if such a pool changes again and again meanwhile.
    """
    loading = _Loading(reader, tenant_id, tuple(questions), now, settings, enough)
    before = [(index, list(rows)) for index, rows in known]
    for _ in range(ATTEMPTS_MAX):
        state = await loading.load(before)
        due = {pool.id: pool for pool in state.all_of(Pool) if is_due(pool, now)}
        again = {pool.id: pool for pool in await reader.many(tenant_id, POOL, zip(due))}
        if again == due:
            return state
        before = [
            (index, [again.get(row.id, row) for row in rows] if index is POOL else rows)  # type: ignore[attr-defined]
            for index, rows in before
        ]
    raise StoreConflict("pools kept changing while they were read")


async def usable_pools(
    reader: Reader, tenant_id: int, pools: list[Pool], *, now: Instant, settings: TenantSettings
) -> list[Pool]:
    """Pools that were read, with the credits that they have now, whether or not that is booked.

    It costs nothing unless something has just come due in them. Raises StoreConflict, see above.
    """
    due = [pool for pool in pools if is_due(pool, now)]
    if not due:
        return pools
    question = LookAtPools(tuple(pool.id for pool in due))
    state = await load_state(
        reader, tenant_id, (question,), now=now, settings=settings, known=((POOL, due),)
    )
    seen = {pool.id: usable(state, require(state, POOL, pool.id), now, settings) for pool in due}
    return [seen.get(pool.id, pool) for pool in pools]
