"""A state for questions: what a command would be decided on, read without a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from benefit_programs.domain.indexes import Index
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Mode, Needs, State
from benefit_programs.domain.values import Instant
from benefit_programs.storage.reader import Reader

ROUNDS_MAX = 8
"""How often what is asked may depend on what was found."""


class Asks(Protocol):
    """A command, or a question of the same form."""

    def ask(self, needs: Needs, state: State) -> None: ...


async def load_state(
    reader: Reader,
    tenant_id: int,
    questions: Iterable[Asks],
    *,
    now: Instant,
    settings: TenantSettings,
    known: Iterable[tuple[Index[Any], Iterable[Row]]] = (),
    enough: Callable[[State], bool] = lambda _: False,
) -> State:
    """Load what all of them ask for, in rounds, until nothing is asked for or it is ``enough``.

    ``known`` are rows that were read before. Each round sees every commit answered before it.
    """
    state, asked = State(), tuple(questions)
    for index, rows in known:
        read = list(rows)
        state.load(index, {index.key_of(row): Mode.LOCK for row in read}, read)
    at_hand = reader.snapshots_at_hand(tenant_id)
    for _ in range(ROUNDS_MAX):
        needs = Needs(state, now, settings, at_hand)
        for each in asked:
            each.ask(needs, state)
        if not needs.wanted or enough(state):
            break
        for index, rows in (await reader.look_up_all(tenant_id, needs.wanted)).items():
            state.load(index, needs.wanted[index], rows)
        if not state.leads_on(needs.wanted):
            break
    return state
