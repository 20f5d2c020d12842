"""What statements of one pool read: its transactions up to a moment, between two, and by lots.

The moment of a transaction is when it happened: ``details.due``, or else when it was booked. The
balance's revisions say what came before what, whatever the clocks of the servers said: a cut at an
instant is behind the transaction with the greatest revision that happened before it.
"""

from __future__ import annotations

from benefit_programs.domain.entities import BalanceType, Lot, Operation, Transaction
from benefit_programs.domain.operations import COMING_DUE
from benefit_programs.domain.statements import Moved, MovedInLot
from benefit_programs.domain.values import Instant, first_id
from benefit_programs.storage.query import Dialect, PostgresDialect, Statement
from benefit_programs.storage.specs import columns_of

OUT_OF_ORDER_MAX = 100
"""How many transactions on both sides of a cut may be in another order than their clocks'."""

LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

# Sums are taken in two parts: SQLite's sum refuses to pass 64 bits even on the way.
_PART = 1_000_000_000


_COMING_DUE = ", ".join(f"'{each}'" for each in COMING_DUE)


def moment(dialect: Dialect) -> str:
    """When a transaction ``t`` happened. Only what happens by itself may be booked later."""
    due = (
        "(t.details->>'due')::bigint"
        if isinstance(dialect, PostgresDialect)
        else "json_extract(t.details, '$.due')"
    )
    return (
        f"(case when t.operation in ({_COMING_DUE}) then coalesce({due}, t.created)"
        " else t.created end)"
    )


def parts_of(amount: str) -> str:
    """The two sums of an amount, for ``whole``."""
    return f"sum(({amount}) / {_PART}), sum(({amount}) % {_PART})"


def whole(parts: tuple[int | None, int | None]) -> int:
    """The amount that two sums stand for."""
    return int(parts[0] or 0) * _PART + int(parts[1] or 0)


def _reserved_after(dialect: Dialect) -> str:
    if isinstance(dialect, PostgresDialect):
        return "coalesce((t.details->>'reserved_after')::bigint, 0)"
    return "coalesce(json_extract(t.details, '$.reserved_after'), 0)"


def cut(
    dialect: Dialect, *, tenant_id: int, pool_id: str, before: Instant, up_to: int
) -> Statement:
    """The last transaction that happened before an instant: revision, available, reserved.

    None are behind the revision ``up_to``. What was booked late is behind the cut by its id. It was
    booked before anything else, so it is looked for only as far as more comes that happened later.
    """
    tenant, pool, limit, revision = (dialect.bare(number) for number in (1, 2, 3, 5))
    at = dialect.placeholder(4, "bigint")
    mine = f"""
        select o.operation, o.created, o.balance_revision, o.available_after, o.details
        from transactions o where o.tenant_id = {tenant} and o.pool_id = {pool}
    """
    sql = f"""
        select t.balance_revision, t.available_after, {_reserved_after(dialect)} from (
            select * from ({mine} and o.id < {limit} order by o.id desc
                limit {OUT_OF_ORDER_MAX}) b
            union all
            select * from ({mine} and o.id >= {limit} and o.id <= coalesce((
                select t.id from transactions t
                where t.tenant_id = {tenant} and t.pool_id = {pool} and t.id >= {limit}
                and {moment(dialect)} >= {at} order by t.id limit 1 offset {OUT_OF_ORDER_MAX}
            ), '{LAST_ID}')) t where {moment(dialect)} < {at}
        ) t where t.balance_revision <= {revision}
        order by t.balance_revision desc limit 1
    """
    return Statement(sql, (tenant_id, pool_id, first_id(before), before, up_to))


def _between(dialect: Dialect) -> str:
    """The transactions of a pool behind an id, after a revision and up to another one."""
    return (
        f"t.tenant_id = {dialect.bare(1)} and t.pool_id = {dialect.bare(2)}"
        f" and t.id > {dialect.bare(3)}"
        f" and t.balance_revision > {dialect.bare(4)} and t.balance_revision <= {dialect.bare(5)}"
    )


KIND = "t.operation, t.source, t.target, case when t.item_id is null then 0 else 1 end"
KIND_WIDTH = 4

_ALL = 2**63 - 1
"""A revision behind all others."""


def sums(
    dialect: Dialect, *, tenant_id: int, pool_id: str, since: Instant, after: int, up_to: int
) -> Statement:
    """What the transactions between two revisions moved, by kinds; see ``moved_of``.

    The first of them was booked at ``since`` at the earliest.
    """
    sql = (
        f"select {KIND}, {parts_of('t.amount')}, count(*) from transactions t"
        f" where {_between(dialect)} group by 1, 2, 3, 4"
    )
    return Statement(sql, (tenant_id, pool_id, first_id(since), after, up_to))


def sums_by_lot(
    dialect: Dialect, *, tenant_id: int, pool_id: str, since: Instant, after: int, to: int
) -> Statement:
    """What all transactions behind a revision moved, by lots; see ``moved_in_lot_of``.

    Each sum says whether it is of those up to the revision ``to``. Many transactions draw the same
    amounts from the same lots: they are added up before their draws are read.
    """
    if isinstance(dialect, PostgresDialect):
        draws = "left join lateral json_array_elements(g.drawn::json) d(value) on true"
        amount = "(d.value->>'amount')::bigint"
    else:
        draws = "left join json_each(g.drawn) d"
        amount = "(d.value->>'amount')"
    inside = f"case when t.balance_revision <= {dialect.placeholder(6, 'bigint')} then 1 else 0 end"
    parts = ", ".join(
        f"sum(case when d.value is null then g.{own} else ({amount} {operator} {_PART}) * g.n end)"
        for own, operator in (("whole", "/"), ("rest", "%"))
    )
    sql = f"""
        select g.operation, g.source, g.target, g.has_item, {parts}, g.inside,
            d.value->>'lot_id', d.value->>'into'
        from (
            select {KIND} as has_item, {inside} as inside, t.details->>'draws' as drawn,
                sum(t.amount / {_PART}) as whole, sum(t.amount % {_PART}) as rest, count(*) as n
            from transactions t where {_between(dialect)} group by 1, 2, 3, 4, 5, 6
        ) g {draws} group by 1, 2, 3, 4, 7, 8, 9
    """
    return Statement(sql, (tenant_id, pool_id, first_id(since), after, _ALL, to))


def moved_of(row: tuple[object, ...]) -> Moved:
    """What a row of sums says."""
    operation, source, target, has_item, *parts = row
    return Moved(
        operation=Operation(str(operation)),
        source=BalanceType(str(source)),
        target=BalanceType(str(target)),
        has_item=bool(has_item),
        amount=whole((parts[0], parts[1])),  # type: ignore[arg-type]
    )


def moved_in_lot_of(row: tuple[object, ...], pool_id: str) -> MovedInLot:
    """What a row of sums by lots says; without draws it is the standard lot's."""
    lot_id, into = row[KIND_WIDTH + 3 :]
    return MovedInLot(
        str(lot_id) if lot_id is not None else pool_id,
        str(into) if into is not None else None,
        moved_of(row),
    )


def rows(
    dialect: Dialect,
    *,
    tenant_id: int,
    pool_id: str,
    since: str,
    after: int,
    up_to: int,
    limit: int,
) -> Statement:
    """The transactions between two revisions, in the order of their ids after ``since``."""
    sql = (
        f"select {columns_of(Transaction, 't', dialect)} from transactions t"
        f" where {_between(dialect)} order by t.id limit {dialect.bare(6)}"
    )
    return Statement(sql, (tenant_id, pool_id, since, after, up_to, limit))


def lots(dialect: Dialect, *, tenant_id: int, pool_id: str, since: Instant) -> Statement:
    """The lots of a pool that may hold credits, or may have had some at an instant or later."""
    sql = (
        f"select {columns_of(Lot, 'l', dialect)} from lots l"
        f" where l.tenant_id = {dialect.bare(1)} and l.pool_id = {dialect.bare(2)}"
        " and (l.status not in ('SPENT', 'EXPIRED') or l.reserved > 0"
        f" or l.expiration_date is null or l.expiration_date >= {dialect.bare(3)})"
    )
    return Statement(sql, (tenant_id, pool_id, since))


def revision(dialect: Dialect, *, tenant_id: int, pool_id: str) -> Statement:
    """The revision of a pool's balance."""
    return Statement(
        f"select p.balance_revision from pools p where p.tenant_id = {dialect.bare(1)}"
        f" and p.id = {dialect.bare(2)}",
        (tenant_id, pool_id),
    )


def any_lot(dialect: Dialect, *, tenant_id: int, pool_id: str) -> Statement:
    """A row if the pool has or had a lot of its own."""
    return Statement(
        f"select 1 from lots l where l.tenant_id = {dialect.bare(1)}"
        f" and l.pool_id = {dialect.bare(2)} limit 1",
        (tenant_id, pool_id),
    )
