"""What is kept of a beneficiary, as the wire shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.api.handlers import balances, pools, transactions
from benefit_programs.domain.entities import Event, Pool, Program, Quota, Transaction
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.policies.calendar import EPOCH_ORDINAL
from benefit_programs.storage.kept import Kept, NamedBy
from benefit_programs.wire import views
from benefit_programs.wire.types.beneficiaries import KeptEvent, KeptRecord, UsedRateLimit


async def describe(call: Call, kept: Iterable[Kept]) -> tuple[KeptRecord, ...]:
    """Rows as records, in their order; names are read together, in a few statements."""
    rows = [each.row for each in kept]
    owned = [row for row in rows if isinstance(row, Pool)]
    booked = [row for row in rows if isinstance(row, Transaction)]
    pools_of = await call.by_id(POOL, (row.pool_id for row in booked))
    shown_pools = iter(
        zip(await pools.describe(call, owned), await balances.describe(call, owned), strict=True)
    )
    shown_transactions = iter(
        await transactions.describe(call, [(row, pools_of[row.pool_id]) for row in booked])
    )

    def records() -> Iterator[KeptRecord]:
        for row in rows:
            match row:
                case Program():
                    yield KeptRecord(program=views.program(row))
                case Pool():
                    pool, balance = next(shown_pools)
                    yield KeptRecord(pool=pool, balance=balance)
                case Transaction():
                    yield KeptRecord(transaction=next(shown_transactions))
                case Quota():
                    yield KeptRecord(used_rate_limit=_used(row))
                case Event():
                    yield KeptRecord(event=_event(row))
                case NamedBy():
                    items = tuple(views.job_item(item, row.job) for item in row.items)
                    yield KeptRecord(job=views.job(row.job), job_items=items)

    return tuple(records())


def _used(row: Quota) -> UsedRateLimit:
    used = UsedRateLimit(pool_id=row.pool_id, quota_id=row.quota_id, used=row.used)
    if row.is_rolling:
        return replace(used, used_at=row.period_start)
    start = date.fromordinal(EPOCH_ORDINAL + row.period_start)
    return replace(used, period_start=start.isoformat())


def _event(row: Event) -> KeptEvent:
    return KeptEvent(
        id=row.id,
        created_date=row.created,
        entity=row.entity,
        entity_id=row.entity_id,
        sequence=row.sequence,
        slug=row.slug,
        body=row.body,
        transaction_id=row.transaction_id,
    )
