"""Makes statements of many pools from sums that the database has taken in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from benefit_programs.api.call import Call
from benefit_programs.api.pool_statements import figures_view
from benefit_programs.domain.entities import BalanceType
from benefit_programs.domain.explanations import BalanceAmount
from benefit_programs.domain.statements import Moved, figures_of
from benefit_programs.domain.values import DAY, Credits, Instant
from benefit_programs.storage import tenant_statements as statements
from benefit_programs.storage.pool_statements import moved_of, whole
from benefit_programs.wire.types import statements as wire

DAYS = (7, 30, 90, 365)
"""What divides outstanding credits by their end and by their age."""

OUTSTANDING_DEFINITIONS_MAX = 100
"""Of how many pool definitions a statement says what is outstanding."""


class Flow(msgspec.Struct):
    """What was moved in one period, and by how many transactions."""

    moves: list[Moved] = msgspec.field(default_factory=list)
    count: int = 0

    def change_of(self, balance: BalanceType) -> Credits:
        return sum(each.change_of(balance) for each in self.moves)


async def make(
    call: Call, scope: statements.Scope, starts: Sequence[Instant], to: Instant, now: Instant
) -> wire.GetStatementsResponse:
    """The statement of some pools: for the periods that begin at ``starts``, up to ``to``."""
    reader = call.services.reader
    dialect, edges = reader.dialect, (*starts, to)
    ends = [now, *(now + days * DAY for days in DAYS)]
    begins = [now - days * DAY for days in reversed(DAYS)]
    totals, due, by_expiry, by_age, by_definition, *moved = await reader.fetch_in_turn(
        statements.outstanding(dialect, scope),
        statements.oldest_due(dialect, scope),
        statements.lots_by_expiry(dialect, scope, ends),
        statements.lots_by_age(dialect, scope, begins),
        statements.outstanding_by_definition(dialect, scope, limit=OUTSTANDING_DEFINITIONS_MAX),
        *(
            statements.moved(dialect, scope, start=start, end=end, edges=edges)
            for start, end in (*pairwise(edges), (to, None))
        ),
    )
    count, *parts = totals[0]
    available, in_lots, reserved = (whole(tuple(parts[at : at + 2])) for at in (0, 2, 4))
    flows = _flows(edges, (row for rows in moved for row in rows))
    oldest = due[0][0]
    return wire.GetStatementsResponse(
        periods=tuple(_periods(edges, flows, available, reserved)),
        outstanding=wire.Outstanding(
            date=now,
            pool_count=int(count),
            amount=BalanceAmount(available=available, reserved=reserved),
            by_expiry=tuple(_parts(by_expiry, ends)),
            never_expires=_sum_at(by_expiry, -1) + available - in_lots,
            by_age=tuple(_parts(by_age, begins)),
            without_age=available - in_lots,
            by_pool_definition=tuple(map(_of_definition, by_definition)),
        ),
        complete_until=now if oldest is None else min(int(oldest), now),
    )


def _of_definition(row: tuple[Any, ...]) -> wire.OutstandingOfDefinition:
    definition_id, count, *parts = row
    return wire.OutstandingOfDefinition(
        pool_definition_id=None if definition_id is None else str(definition_id),
        pool_count=int(count),
        amount=BalanceAmount(
            available=whole((parts[0], parts[1])), reserved=whole((parts[2], parts[3]))
        ),
    )


def _flows(edges: Sequence[Instant], rows: Iterable[tuple[Any, ...]]) -> dict[Instant, Flow]:
    flows = {edge: Flow() for edge in edges}
    for row in rows:
        *kind, count, edge = row
        # What happened before the first edge, and was booked behind it, is before all of this.
        if edge is not None:
            flows[int(edge)].moves.append(moved_of(tuple(kind)))
            flows[int(edge)].count += int(count)
    return flows


def _periods(
    edges: Sequence[Instant], flows: dict[Instant, Flow], available: Credits, reserved: Credits
) -> Iterator[wire.StatementPeriod]:
    """Each period, from what was there at its beginning: what is there now less all since."""
    available -= sum(flow.change_of(BalanceType.AVAILABLE) for flow in flows.values())
    reserved -= sum(flow.change_of(BalanceType.RESERVED) for flow in flows.values())
    for start, end in pairwise(edges):
        flow = flows[start]
        opening = BalanceAmount(available=available, reserved=reserved)
        available += flow.change_of(BalanceType.AVAILABLE)
        reserved += flow.change_of(BalanceType.RESERVED)
        yield wire.StatementPeriod(
            from_date=start,
            to_date=end,
            opening=opening,
            figures=figures_view(figures_of(flow.moves)),
            closing=BalanceAmount(available=available, reserved=reserved),
            transaction_count=flow.count,
        )


def _sum_at(rows: Sequence[tuple[Any, ...]], edge: int) -> Credits:
    return sum(whole(row[1:]) for row in rows if row[0] == edge)


def _parts(
    rows: Sequence[tuple[Any, ...]], edges: Sequence[Instant]
) -> Iterator[wire.OutstandingPart]:
    bounds = (None, *edges, None)
    for number, (start, end) in enumerate(pairwise(bounds)):
        amount = _sum_at(rows, number)
        yield wire.OutstandingPart(from_date=start, to_date=end, amount=amount)


_FIGURES = wire.StatementFigures.__struct_fields__
_SIDES = ("opening", "closing")


def table(document: dict[str, Any]) -> Iterator[Sequence[str]]:
    """The periods of an answer as lines, with the names of its fields."""
    amounts = ("available", "reserved")
    yield (
        *("fromDate", "toDate", "openingAvailable", "openingReserved"),
        *_FIGURES,
        *("closingAvailable", "closingReserved", "transactionCount"),
    )
    for each in document["periods"]:
        opening, closing = ([each[side][name] for name in amounts] for side in _SIDES)
        figures = [each["figures"][name] for name in _FIGURES]
        dates = each["fromDate"], each["toDate"]
        yield *dates, *opening, *figures, *closing, str(each["transactionCount"])
