"""Updates of single pools. Contract: Update pool."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.benefits import update_snapshot
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.due import require_settled
from benefit_programs.domain.entities import Pool, Snapshot
from benefit_programs.domain.events import record_updated
from benefit_programs.domain.extended_fields import merged
from benefit_programs.domain.lookups import POOL, POOL_DEFINITION, SNAPSHOT
from benefit_programs.domain.orders.play import (
    ask_to_reach,
    caught_up,
)
from benefit_programs.domain.pool_changes import save_pool
from benefit_programs.domain.required import require, snapshot_of
from benefit_programs.domain.settling import settle
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.updates import require_revision
from benefit_programs.domain.watching import watch_anew


class DescribedPool(msgspec.Struct, frozen=True):
    pool: Pool
    snapshot: Snapshot


class UpdatePool(Command[DescribedPool], frozen=True, kw_only=True):
    """Change what one pool gives, until the next cascade overwrites it.

    ``updates`` may hold ``details`` as a mapping of the parts that were sent.
    """

    about = Pool

    id: str
    revision: int
    updates: dict[str, Any]
    path: str = "pool"

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(POOL, self.id)
        pool = state.loaded(POOL, self.id)
        if pool is not None:
            needs.read(SNAPSHOT, pool.snapshot_id)
            needs.read(POOL_DEFINITION, pool.pool_definition_id)
            ask_to_reach(needs, state, [pool])

    def decide(self, state: State, context: Context) -> Changes[DescribedPool]:
        current = require(state, POOL, self.id)
        require_settled((current,), context)
        require_revision(current, self.revision)
        changes: Changes[Any] = Changes(None)
        account = caught_up(state, context, current)
        settle(state, account)
        current = save_pool(changes, current, account)
        definition = state.one(POOL_DEFINITION, current.pool_definition_id)
        snapshot = update_snapshot(
            changes,
            context,
            snapshot_of(state, current),
            self.updates,
            pool_definition_id=current.pool_definition_id,
            namespace=definition.namespace if definition else current.namespace,
            path=self.path,
        )
        extended = merged(self.updates, current, context, path=self.path)
        pool = replace(current, **extended, snapshot_id=snapshot.id)
        if pool.alerts is not None or snapshot.details.alerts:
            pool = watch_anew(pool, context.now)
        changes.answer = DescribedPool(record_updated(changes, context, pool), snapshot)
        return changes
