"""How a program that is there already differs from what a row says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.entities import Operation, Pool, Program, Transaction
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.lookups import BEFORE_ALL_IDS, IDEMPOTENCY_KEY, TRANSACTION_BY_KEY
from benefit_programs.domain.opening import settled_status
from benefit_programs.domain.values import Credits
from benefit_programs.transfer.commands import import_key
from benefit_programs.transfer.dates import stated_dates
from benefit_programs.transfer.definitions import Plan
from benefit_programs.transfer.holdings import Holding
from benefit_programs.transfer.lookups import Lookups, rows_of
from benefit_programs.transfer.records import Record, StatedLot, settle_amounts

FIRST_TRANSACTION = Index(Transaction, "pool_id", after="id", limit=1)
"""The first transaction of a pool: the one that opened it, if it was opened with credits."""


class Difference(msgspec.Struct, frozen=True):
    """A field of which a row says one thing and the database another. Numbers are amounts."""

    field: str
    stored: str | Credits | None
    given: str | Credits | None


class Existing(msgspec.Struct, frozen=True):
    """A row whose program is there already, with its pools that haven't ended."""

    record: Record
    plan: Plan
    program: Program
    pools: list[Pool]

    @property
    def amounts(self) -> dict[str, Credits]:
        """What the row states, by pool definition. Raises Invalid."""
        return settle_amounts(self.record.named, [pool.pool_definition_id for pool in self.pools])


def differing_fields(existing: Existing) -> list[Difference]:
    """What differs about the program itself."""
    program, record, plan = existing.program, existing.record, existing.plan
    made_from = {pool.pool_definition_id for pool in existing.pools}
    single = next(iter(made_from)) if len(made_from) == 1 else None
    pairs: list[tuple[str, str | None, str | None]] = [
        ("beneficiary", _text(program.beneficiary.id), _text(record.beneficiary.id)),
        ("beneficiary", str(program.beneficiary.type), str(record.beneficiary.type)),
        ("programDefinitionId", program.program_definition_id, plan.program_definition_id),
        ("programStatus", str(settled_status(program)), str(record.named.status)),
        ("displayName", _text(program.display_name), _text(record.named.display_name)),
    ]
    if (stated := record.named.dates) is not None:
        stored = stated_dates(program, ())
        pairs += [
            (f"dates.{name}", _json(getattr(stored, field)), _json(getattr(stated, field)))
            for field, name in _LASTING.items()
        ]
    if plan.pool_definition_id is not None and program.program_definition_id is None:
        pairs.append(("poolDefinitionId", single, plan.pool_definition_id))
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


_LASTING = {
    "renewal_configuration": "renewalConfiguration",
    "while_paused": "whilePaused",
    "paused_days_max": "pausedDaysMax",
}
"""What stays of a program's dates while time goes on."""


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _text(value: str | None) -> str | None:
    """A cell can't tell an empty text from none."""
    return value or None


def differing_balances(
    existing: Existing, held: dict[str, Holding], imported: dict[str, Credits]
) -> tuple[list[Difference], dict[str, Credits]]:
    """What differs about the balances, and what the row accounts for by pool definition.

    ``held`` is what pools hold, and ``imported`` what an import has set them to: they may have been
    used since, and with them their lots.
    """
    try:
        amounts = existing.amounts
    except Invalid as refusal:
        return [Difference(refusal.violations[0].field, None, "stated")], {}
    found: list[Difference] = []
    accounted: dict[str, Credits] = {}
    for pool in existing.pools:
        key, holding = pool.pool_definition_id, held[pool.id]
        stated = accounted[key] = amounts.get(key, holding.available)
        stored = imported.get(pool.id, holding.available)
        if stated not in (stored, holding.available):
            found.append(Difference(f"balances.{key}", stored, stated))
        elif stated == holding.available:
            found += _differing_lots(existing.record, key, holding)
    return found, accounted


def _differing_lots(record: Record, pool_definition_id: str, holding: Holding) -> list[Difference]:
    """How many lots there are, and how many of them the row knows; nothing where it is silent."""
    if record.named.lots is None:
        return []
    stated = [lot for lot in record.named.lots if lot.pool_definition_id == pool_definition_id]
    dated = all(lot.effective_date is not None for lot in stated)
    known = Counter(_terms(lot, dated=dated) for lot in holding.lots)
    alike = (known & Counter(_terms(lot, dated=dated) for lot in stated)).total()
    if alike == len(stated) == len(holding.lots):
        return []
    return [
        Difference(
            f"lots.{pool_definition_id}",
            f"{len(holding.lots)} lots",
            f"{len(stated)} lots, {alike} of them alike",
        )
    ]


def _terms(lot: StatedLot, *, dated: bool) -> bytes:
    """What tells lots apart; only where all say when they begin, that too."""
    fate = lot.fate if dated else replace(lot.fate, effective_date=None)
    return msgspec.json.encode((lot.amount, fate), order="deterministic")


async def imported_amounts(
    store: Lookups, tenant_id: int, rows: Sequence[Existing], held: dict[str, Holding]
) -> dict[str, Credits]:
    """What an import has set pools to, for those that hold something else than their row says."""
    suspects: dict[str, str] = {}
    for existing in rows:
        try:
            amounts = existing.amounts
        except Invalid:
            continue
        for pool in existing.pools:
            available = held[pool.id].available
            if amounts.get(pool.pool_definition_id, available) != available:
                suspects[pool.id] = import_key(existing.record.key)
    if not suspects:
        return {}
    keys = [(pool_id, Operation.CHANGE, key) for pool_id, key in suspects.items()]
    set_by = await rows_of(store, tenant_id, TRANSACTION_BY_KEY, keys)
    imported = {row.pool_id: row.available_after for row in set_by}
    left = [row.subject_id for row in await rows_of(store, tenant_id, IDEMPOTENCY_KEY, keys)]
    if left:
        walks = [(pool_id, BEFORE_ALL_IDS) for pool_id in left]
        first = {
            row.pool_id: row.available_after
            for row in await rows_of(store, tenant_id, FIRST_TRANSACTION, walks)
            if row.operation is Operation.PROVISION
        }
        imported |= {pool_id: first.get(pool_id, 0) for pool_id in left}
    return imported
