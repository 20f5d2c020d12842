"""Lots: the credits of a pool by what becomes of them. See docs/concepts/lots.md.

A lot is credits that came together and share one fate. Every credit of a pool is in exactly one.
What has no fate of its own is in the standard lot, which isn't stored: it never expires, and holds
what the stored lots don't. A pool without stored lots has only that one, and reads no others.

Invariants I20 and I22 (docs/invariants.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.details import CreditConfiguration
from benefit_programs.domain.durations import later, postponed
from benefit_programs.domain.entities import Draw, Lot, LotOrigin, LotStatus, Pool
from benefit_programs.domain.values import Credits, Instant

PRIORITY = 100
"""The priority of a lot that is given none."""

PRIORITY_MAX = 1_000

NAME_LENGTH_MAX = 128

OPEN_LOTS_MAX = 1_000
"""How many lots of a pool may be live or still to come.

A grant past that is refused. What a renewal or an adjustment brings past it is put into the
standard lot.
"""

NEVER = 2**48 - 1
"""Later than every instant, in a rank."""


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of credits that have a lot of their own."""

    origin: LotOrigin
    expiration_date: Instant | None = None
    effective_date: Instant | None = None
    priority: int = PRIORITY
    kept_at_renewal: bool = False
    display_name: str | None = None
    external_reference: str | None = None
    additional_data: dict[str, Any] | None = None


def own_fate(
    configuration: CreditConfiguration | None, origin: LotOrigin, at: Instant, time_zone: str
) -> Fate | None:
    """The fate of what a pool's definition brings at an instant; None for that of all others."""
    if configuration is None or configuration.expires_after is None:
        return None
    return Fate(origin=origin, expiration_date=later(at, configuration.expires_after, time_zone))


def rank_of(
    priority: int, expiration_date: Instant | None, effective_date: Instant, lot_id: str
) -> str:
    """The place of a lot in the burn order, as text that compares like it.

    The smaller priority is spent first, then what expires sooner (never comes last), then what
    counts for longer, and then the older id.
    """
    end = NEVER if expiration_date is None else max(expiration_date, 0)
    return f"{priority:03x}{end:012x}{max(effective_date, 0):012x}{lot_id.replace('-', '')}"


def ranked(lot: Lot) -> Lot:
    """The lot at the place that its terms give it."""
    rank = rank_of(lot.priority, lot.expiration_date, lot.effective_date, lot.id)
    return replace(lot, rank=rank)


_rank = attrgetter("rank")


def in_burn_order(lots: Iterable[Lot]) -> list[Lot]:
    return sorted(lots, key=_rank)


def standard_lot(pool: Pool) -> Lot:
    """The lot of all credits of a pool that are in no other; its id is the pool's."""
    return Lot(
        id=pool.id,
        revision=1,
        created=pool.created,
        updated=pool.created,
        pool_id=pool.id,
        origin=LotOrigin.PROVISION,
        status=LotStatus.LIVE if pool.available > pool.in_lots else LotStatus.SPENT,
        granted=0,
        available=pool.available - pool.in_lots,
        priority=PRIORITY,
        effective_date=pool.created,
        rank=rank_of(PRIORITY, None, pool.created, pool.id),
        shift=pool.shift,
    )


def is_standard(lot: Lot) -> bool:
    return lot.id == lot.pool_id


def new_lot(
    fate: Fate,
    *,
    lot_id: str,
    pool_id: str,
    amount: Credits,
    now: Instant,
    begin: Instant,
    shift: int = 0,
) -> Lot:
    """A lot with its credits still to come. It is made now, and they count from ``begin`` on.

    Its dates have been moved as far as ``shift`` says.
    """
    return ranked(
        Lot(
            id=lot_id,
            revision=1,
            created=now,
            updated=now,
            pool_id=pool_id,
            origin=fate.origin,
            status=LotStatus.FUTURE,
            granted=amount,
            available=0,
            priority=fate.priority,
            effective_date=begin,
            rank="",
            expiration_date=fate.expiration_date,
            kept_at_renewal=fate.kept_at_renewal,
            display_name=fate.display_name,
            external_reference=fate.external_reference,
            additional_data=fate.additional_data,
            shift=shift,
        )
    )


def clock_at(pool: Pool, now: Instant) -> Instant:
    """When a pool's dates are judged: now, or at the instant when a pause stopped their clock."""
    return now if pool.stopped is None else min(now, pool.stopped)


def moved_on(lot: Lot, shift: int) -> Lot:
    """The lot with its dates moved as far as pauses have moved those of its pool by now."""
    by, begin, end = shift - lot.shift, lot.effective_date, lot.expiration_date
    if by <= 0 or lot.status is LotStatus.EXPIRED or is_standard(lot):
        return lot
    moved = replace(
        lot,
        effective_date=postponed(begin, by) if lot.status is LotStatus.FUTURE else begin,
        expiration_date=None if end is None else postponed(end, by),
        shift=shift,
    )
    return ranked(moved)


def due_of(lot: Lot) -> Instant | None:
    """The instant at which something happens to a lot by itself."""
    if lot.status is LotStatus.FUTURE:
        return lot.effective_date
    return lot.expiration_date if lot.status is LotStatus.LIVE else None


def pays_for(lot: Lot, at: Instant) -> bool:
    """Whether an instant is in a lot's life."""
    if is_standard(lot):
        return True
    return lot.effective_date <= at and (lot.expiration_date is None or at < lot.expiration_date)


def draw(lots: Iterable[Lot], amount: Credits) -> tuple[Draw, ...]:
    """Share an amount out among lots, which come in burn order and have enough."""
    draws = []
    for lot in lots:
        if not amount:
            break
        if part := min(lot.available, amount):
            draws.append(Draw(lot.id, part))
            amount -= part
    assert not amount, "I20: what is drawn is there"
    return tuple(draws)


def first_of(draws: Sequence[Draw], amount: Credits) -> tuple[Draw, ...]:
    """The part of some draws that was drawn first; in all it is so much."""
    return tuple(_cut(draws, amount))


def last_of(draws: Sequence[Draw], amount: Credits) -> tuple[Draw, ...]:
    """The part of some draws that was drawn last: what goes back first."""
    return tuple(reversed(list(_cut(reversed(draws), amount))))


def _cut(draws: Iterable[Draw], amount: Credits) -> Iterator[Draw]:
    for each in draws:
        if not amount:
            return
        part = min(each.amount, amount)
        yield Draw(each.lot_id, part)
        amount -= part


def total(draws: Iterable[Draw]) -> Credits:
    return sum(each.amount for each in draws)


def joined(draws: Iterable[Draw]) -> tuple[Draw, ...]:
    """The same draws, with one for each lot or pair of lots."""
    amounts: dict[tuple[str, str | None], Credits] = {}
    for each in draws:
        place = (each.lot_id, each.into)
        amounts[place] = amounts.get(place, 0) + each.amount
    return tuple(Draw(lot_id, amount, into) for (lot_id, into), amount in amounts.items())
