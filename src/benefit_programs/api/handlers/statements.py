"""Statements: how credits became more or less, and what was there at any time."""

from __future__ import annotations

from itertools import islice

import msgspec

from benefit_programs.api import activity, tenant_statements
from benefit_programs.api.call import Call
from benefit_programs.api.looking import look_at_pool
from benefit_programs.api.method import GET, POST, READ, READ_LIMITED, method
from benefit_programs.api.pool_statements import (
    BEGINNING,
    Cut,
    Ledger,
    figures_view,
    is_held,
    row_view,
)
from benefit_programs.domain.entities import Transaction
from benefit_programs.domain.errors import BalanceNotFound, Invalid
from benefit_programs.domain.periods import PERIODS_MAX, Interval, edges
from benefit_programs.domain.statements import Figures, figures_of
from benefit_programs.domain.values import Credits, Instant, first_id
from benefit_programs.storage.query.spec import LIMIT_DEFAULT
from benefit_programs.storage.tenant_statements import Scope
from benefit_programs.wire.types import statements as wire
from benefit_programs.wire.types.common import CursorPagingMetadata, Cursors


@method(
    "getBalanceAsOf",
    GET,
    "/benefit-programs/v1/balances/{poolId}/as-of",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    refuses=(BalanceNotFound,),
    is_addition=True,
)
async def as_of(call: Call, request: wire.GetBalanceAsOfRequest) -> wire.GetBalanceAsOfResponse:
    ledger, now = await _open(call, request.pool_id)
    at = min(request.date, now)
    then = await ledger.cut(at + 1) if at < now else _now(ledger)
    lots = (
        (await ledger.lots(then, then, at + 1)).as_of(at)
        if await ledger.has_lots()
        else [wire.LotAsOf(id=request.pool_id, available=then.available, reserved=then.reserved)]
    )
    return wire.GetBalanceAsOfResponse(
        pool_id=request.pool_id,
        date=at,
        revision=then.revision,
        amount=then.amount,
        lots=tuple(filter(is_held, lots)),
    )


@method(
    "getStatement",
    GET,
    "/benefit-programs/v1/balances/{poolId}/statement",
    READ_LIMITED,
    "BENEFIT_PROGRAMS.BALANCE_READ",
    refuses=(BalanceNotFound,),
    is_addition=True,
)
async def get(call: Call, request: wire.GetStatementRequest) -> wire.GetStatementResponse:
    ledger, now = await _open(call, request.pool_id)
    cursor = request.cursor_paging.cursor if request.cursor_paging else None
    if cursor:
        place = Place.read(call, request.pool_id, cursor)
        return await _page(call, request, ledger, place)
    since, to = request.from_date, request.to_date
    if since is not None and to is not None and to < since:
        raise Invalid.because("toDate", "must not be before fromDate", rule_name="from_before_to")
    is_open = to is None or to > now
    to = now + 1 if to is None or to > now else to
    since = min(since if since is not None else ledger.seen.stored.created, to)
    end = _now(ledger) if is_open else await ledger.cut(to)
    start = BEGINNING if request.from_date is None else await ledger.cut(since)
    place = Place(start.revision, first_id(since), end.revision, since, to)
    page = await _page(call, request, ledger, place)
    moves, count = await ledger.moves(start, end, since)
    figures = figures_of(moves)
    return msgspec.structs.replace(
        page,
        summary=wire.StatementSummary(
            opening=start.amount,
            figures=figures_view(figures),
            closing=end.amount,
            transaction_count=count,
            lots=await _lots(ledger, start, end, figures, place) if request.by_lot else None,
        ),
    )


@method(
    "getStatements",
    POST,
    "/benefit-programs/v1/statements/query",
    READ,
    "BENEFIT_PROGRAMS.STATEMENT_READ",
    is_addition=True,
    table=tenant_statements.table,
)
async def get_of_many(call: Call, request: wire.GetStatementsRequest) -> wire.GetStatementsResponse:
    starts, to = _periods(call, request)
    return await tenant_statements.make(call, _scope(call, request), starts, to, call.now)


@method(
    "getActivity",
    POST,
    "/benefit-programs/v1/statements/activity",
    READ,
    "BENEFIT_PROGRAMS.STATEMENT_READ",
    is_addition=True,
)
async def get_activity(call: Call, request: wire.GetActivityRequest) -> wire.GetActivityResponse:
    """It reads up to 25,000 transactions, and counts up to 10,000 pools."""
    starts, to = _periods(call, request)
    return await activity.make(call, _scope(call, request), starts, to)


def _periods(
    call: Call, request: wire.GetStatementsRequest | wire.GetActivityRequest
) -> tuple[tuple[Instant, ...], Instant]:
    """The beginnings of the periods that are asked for, and the end of the last one."""
    now = call.now
    # Nothing was booked before that, and the calendar of a zone has an end.
    since = max(request.from_date, 0)
    to = min(now + 1 if request.to_date is None else request.to_date, now + 1)
    if to <= since:
        raise Invalid.because(
            "fromDate", "must be before toDate, and in the past", rule_name="from_before_to"
        )
    by, zone = request.by or Interval.MONTH, call.principal.settings.time_zone
    starts = tuple(islice(edges(since, to, by, zone), PERIODS_MAX + 1))
    if len(starts) > PERIODS_MAX:
        raise Invalid.because(
            "by", f"makes more than {PERIODS_MAX} periods", rule_name="too_many_periods"
        )
    return starts, to


def _scope(call: Call, request: wire.GetStatementsRequest | wire.GetActivityRequest) -> Scope:
    return Scope(
        tenant_id=call.tenant_id,
        namespace=request.namespace,
        program_definition_id=request.program_definition_id,
        pool_definition_id=request.pool_definition_id,
    )


async def _open(call: Call, pool_id: str) -> tuple[Ledger, Instant]:
    """The ledger of a pool, and now: not before its last transaction, whatever its clock said."""
    now = call.now
    ledger = Ledger(call, await look_at_pool(call, pool_id, now))
    return ledger, max(now, ledger.seen.stored.balance_updated)


def _now(ledger: Ledger) -> Cut:
    pool = ledger.seen.pool
    return Cut(pool.balance_revision, pool.available, pool.reserved)


async def _lots(
    ledger: Ledger, start: Cut, end: Cut, figures: Figures, place: Place
) -> tuple[wire.LotStatement, ...]:
    if await ledger.has_lots():
        then = await ledger.lots(start, end, place.since)
        return tuple(then.statements(start.available, place.since, place.to))
    return (_only_lot(ledger.pool_id, start.available, figures, end.available),)


def _only_lot(
    pool_id: str, opening: Credits, figures: Figures, closing: Credits
) -> wire.LotStatement:
    return wire.LotStatement(
        lot_id=pool_id, opening=opening, figures=figures_view(figures), moved=0, closing=closing
    )


class Place(msgspec.Struct, frozen=True):
    """Where a page of a statement begins: behind a revision and an id, up to a revision."""

    after: int
    last_id: str
    up_to: int
    since: Instant
    to: Instant

    @classmethod
    def read(cls, call: Call, pool_id: str, cursor: str) -> Place:
        """The place of a cursor. Raises Invalid for one of anything else."""
        return cls(
            *call.services.reader.read_cursor(
                cursor, method=call.method.name, tenant_id=call.tenant_id, subject=pool_id
            )
        )

    def write(self, call: Call, pool_id: str) -> str:
        return call.services.reader.write_cursor(
            msgspec.structs.astuple(self),
            method=call.method.name,
            tenant_id=call.tenant_id,
            subject=pool_id,
        )

    def behind(self, shown: list[Transaction]) -> Place:
        """The place behind some rows. What isn't booked has a revision, and no id yet."""
        last = shown[-1]
        if last.id > self.last_id and "-" in last.id:
            return msgspec.structs.replace(self, last_id=last.id)
        return msgspec.structs.replace(self, after=last.balance_revision)


async def _page(
    call: Call, request: wire.GetStatementRequest, ledger: Ledger, place: Place
) -> wire.GetStatementResponse:
    paging = request.cursor_paging
    limit = (paging.limit if paging else None) or LIMIT_DEFAULT
    found = await ledger.page(place.after, place.up_to, place.last_id, limit + 1)
    if len(found) <= limit:
        found += ledger.coming(place.after, place.up_to)
    shown, has_next = found[:limit], len(found) > limit
    following = place.behind(shown).write(call, request.pool_id) if has_next else None
    return wire.GetStatementResponse(
        pool_id=request.pool_id,
        from_date=place.since,
        to_date=place.to,
        rows=tuple(map(row_view, shown)),
        metadata=CursorPagingMetadata(
            count=len(shown), cursors=Cursors(next=following), has_next=has_next
        ),
    )
