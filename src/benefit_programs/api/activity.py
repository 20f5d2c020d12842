"""Makes activities of many pools: what happened by periods, weekdays and hours, within limits."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from benefit_programs.api.call import Call
from benefit_programs.api.pool_statements import figures_view
from benefit_programs.api.tenant_statements import Flow
from benefit_programs.domain.details import WeekDay
from benefit_programs.domain.durations import zoned
from benefit_programs.domain.operations import REDEMPTIONS
from benefit_programs.domain.statements import figures_of
from benefit_programs.domain.values import Instant, first_id
from benefit_programs.storage import tenant_statements as statements
from benefit_programs.storage.pool_statements import moved_of
from benefit_programs.wire.types import statements as wire

_WEEK_DAYS = [each for each in WeekDay if each is not WeekDay.UNKNOWN]


async def make(
    call: Call, scope: statements.Scope, starts: Sequence[Instant], to: Instant
) -> wire.GetActivityResponse:
    """What happened in the periods that begin at ``starts``, up to ``to``, as far as it is read."""
    reader, since = call.services.reader, starts[0]
    dialect = reader.dialect
    pools, before = await reader.fetch_together(
        statements.pools_up_to(dialect, scope, statements.ACTIVITY_POOLS_MAX),
        statements.transaction_before(
            dialect,
            scope,
            start=since,
            end=to,
            count=statements.ACTIVITY_TRANSACTIONS_MAX,
        ),
    )
    after_id, reached = before[0] if before else (first_id(since), since)
    reached = max(int(reached), since)
    rows = await reader.fetch(
        statements.moved_by_time(dialect, scope, after_id=str(after_id), end=to)
    )
    edges = (reached, *(each for each in starts if each > reached), to)
    found = [(int(row[-1]) * statements.BUCKET, row[:-1]) for row in rows]
    return wire.GetActivityResponse(
        from_date=reached,
        to_date=to,
        is_complete=not before,
        periods=tuple(_periods(edges, found)),
        hours=tuple(_hours(found, call.principal.settings.time_zone)),
        pool_count=int(pools[0][0]),
    )


def _periods(
    edges: Sequence[Instant], found: Iterable[tuple[Instant, tuple[Any, ...]]]
) -> Iterator[wire.ActivityPeriod]:
    flows = [Flow() for _ in edges[1:]]
    for at, (*kind, count) in found:
        if at + statements.BUCKET <= edges[0]:
            continue  # it was booked in this time, and happened before it
        # A period may begin within a quarter of an hour.
        flow = flows[max(bisect_right(edges, at, hi=len(flows)) - 1, 0)]
        flow.moves.append(moved_of(tuple(kind)))
        flow.count += int(count)
    for (start, end), flow in zip(pairwise(edges), flows, strict=True):
        yield wire.ActivityPeriod(
            from_date=start,
            to_date=end,
            figures=figures_view(figures_of(flow.moves)),
            transaction_count=flow.count,
        )


def _hours(
    found: Iterable[tuple[Instant, tuple[Any, ...]]], time_zone: str
) -> Iterator[wire.ActivityHour]:
    """What was redeemed, by weekdays and hours: reallocations and returns don't count."""
    counts: Counter[tuple[int, int]] = Counter()
    amounts: Counter[tuple[int, int]] = Counter()
    for at, (*kind, count) in found:
        moved = moved_of(tuple(kind))
        if moved.operation in REDEMPTIONS:
            local = zoned(at, time_zone)
            place = local.date().day_of_week().value, local.hour
            counts[place] += int(count)
            amounts[place] += moved.amount
    for place in sorted(counts):
        week_day, hour = place
        yield wire.ActivityHour(
            week_day=_WEEK_DAYS[week_day - 1],
            hour=hour,
            redemption_count=counts[place],
            amount=amounts[place],
        )
