"""What is kept of a beneficiary, as the wire shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from msgspec.structs import replace

from benefit_programs.api.call import Call
from benefit_programs.api.handlers import balances, pools, transactions
from benefit_programs.domain.entities import (
    Lot,
    Pool,
    Program,
    Quota,
    Reservation,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.policies.calendar import EPOCH_ORDINAL
from benefit_programs.storage.kept import Kept, NamedBy
from benefit_programs.wire import person_views, views
from benefit_programs.wire.types.beneficiaries import (
    KeptEvent,
    KeptLot,
    KeptRecord,
    KeptReservation,
    UsedRateLimit,
)


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
                case Person():
                    yield KeptRecord(person=person_views.person(row))
                case Program():
                    yield KeptRecord(program=views.program(row))
                case Pool():
                    pool, balance = next(shown_pools)
                    yield KeptRecord(pool=pool, balance=balance)
                case Transaction():
                    yield KeptRecord(transaction=next(shown_transactions))
                case NamedBy():
                    items = tuple(views.job_item(item, row.job) for item in row.items)
                    yield KeptRecord(job=views.job(row.job), job_items=items)
                case _:
                    yield _as_stored(row)

    return tuple(records())


def _as_stored(row: Quota | Lot | Reservation | Event) -> KeptRecord:
    match row:
        case Quota():
            return KeptRecord(used_rate_limit=_used(row))
        case Lot():
            return KeptRecord(lot=_lot(row))
        case Reservation():
            return KeptRecord(reservation=_reservation(row))
        case Event():
            return KeptRecord(event=_event(row))


def _used(row: Quota) -> UsedRateLimit:
    used = UsedRateLimit(pool_id=row.pool_id, quota_id=row.quota_id, used=row.used)
    if row.is_rolling:
        return replace(used, used_at=row.period_start)
    start = date.fromordinal(EPOCH_ORDINAL + row.period_start)
    return replace(used, period_start=start.isoformat())


def _lot(row: Lot) -> KeptLot:
    return KeptLot(
        id=row.id,
        pool_id=row.pool_id,
        created_date=row.created,
        origin=row.origin,
        status=row.status,
        granted=row.granted,
        available=row.available,
        reserved=row.reserved,
        effective_date=row.effective_date,
        expiration_date=row.expiration_date,
        display_name=row.display_name,
        external_reference=row.external_reference,
        additional_data=row.additional_data,
    )


def _reservation(row: Reservation) -> KeptReservation:
    return KeptReservation(
        id=row.id,
        pool_id=row.pool_id,
        created_date=row.created,
        status=row.status,
        count=row.count,
        captured_count=row.captured,
        price=row.price,
        expiration_date=row.expiration_date,
        external_reference=row.external_reference,
    )


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
