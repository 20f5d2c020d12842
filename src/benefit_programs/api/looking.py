"""Pools as they are now, whatever of what has come due in them is booked; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benefit_programs.api.call import Call
from benefit_programs.domain.account import Account
from benefit_programs.domain.entities import Lot, Pool, Transaction
from benefit_programs.domain.errors import BalanceNotFound
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.settling import ask_for_account, is_due, look_at_account
from benefit_programs.domain.state import Needs, State
from benefit_programs.domain.store import StoreConflict
from benefit_programs.domain.values import Instant

LOOKS_MAX = 5
"""How often a pool is looked at that changes while it is read."""


class AccountsOf(msgspec.Struct, frozen=True):
    """The question for pools with what has come due in them."""

    pool_ids: tuple[str, ...]

    def ask(self, needs: Needs, state: State) -> None:
        for pool_id in self.pool_ids:
            ask_for_account(needs, state, pool_id, reads_only=True)


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as it is stored, and what has happened to it since that isn't booked yet.

    ``coming`` are the transactions that will be booked, ``lots`` the lots that were looked at for
    them. Without anything due both are empty.
    """

    stored: Pool
    pool: Pool
    coming: Sequence[Transaction] = ()
    lots: Sequence[Lot] = ()


async def look_at_pool(call: Call, pool_id: str, now: Instant) -> Looked:
    """A pool at an instant. Raises BalanceNotFound, or StoreConflict if it keeps changing.

    What has come due is read in several statements, so the pool must be the same after them.
    Whoever changes it meanwhile books what was due.
    """
    missing = BalanceNotFound(pool_id=pool_id)
    stored = await call.get(POOL, pool_id, missing=missing)
    for _ in range(LOOKS_MAX):
        if not is_due(stored, now):
            return Looked(stored=stored, pool=stored)
        state = await call.load([AccountsOf((pool_id,))], now=now, known=[(POOL, [stored])])
        again = await call.get(POOL, pool_id, missing=missing)
        if again == stored:
            return looked(look_at_account(state, stored, now, call.principal.settings), stored)
        stored = again
    raise StoreConflict(f"pool {pool_id} changes all the time")


def looked(account: Account, stored: Pool) -> Looked:
    return Looked(
        stored=stored,
        pool=account.pool,
        coming=account.transactions,
        lots=account.seen_lots(),
    )
