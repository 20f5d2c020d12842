"""Checks of lots, reservations and what is due: I20 to I23.

They begin at the lots and the reservations of a page: a cross join keeps SQLite from beginning at
transactions. A pool without any costs them nothing, except
that the words of its transactions are searched for lots.
"""

from __future__ import annotations

from benefit_programs.domain.due import DUE
from benefit_programs.domain.entities import (
    LotOrigin,
    LotStatus,
    Operation,
    ReservationStatus,
)
from benefit_programs.domain.lots import NEVER
from benefit_programs.storage.verification.checks import Check, Paged, listed, total

_OPEN = ReservationStatus.OPEN

# What may bring the credits of a lot; a return goes into a lot of its own only at times.
_BRINGING = (Operation.PROVISION, Operation.RENEWAL, Operation.CHANGE, Operation.GRANT)


def _pools_of(table: str) -> str:
    """The pools of a page that have rows in a table."""
    return (
        f"select o.pool_id from {table} o"
        " where o.tenant_id = $1 and o.pool_id > $2 and o.pool_id <= $3"
    )


_WITH_LOTS = f"(select distinct h.pool_id from ({_pools_of('lots')}) h)"
_WITH_RESERVATIONS = f"(select distinct h.pool_id from ({_pools_of('reservations')}) h)"
_WITH_EITHER = f"({_pools_of('lots')} union {_pools_of('reservations')})"


def _drawn(what: str, pools: str = _WITH_LOTS) -> str:
    """Something of each draw of the transactions of some pools."""
    return (
        f"select {what} from {pools} h cross join transactions t"
        " cross join elements[t.details, draws]"
        " where t.tenant_id = $1 and t.pool_id = h.pool_id"
    )


def _change(sign: str, side: str, of: str) -> str:
    return f"case when t.{side} = '{of}' then {sign}whole[amount] else 0 end"


_IS_STORED = "part[lot_id] <> cast(t.pool_id as text)"
_KEY = "cast(t.pool_id as text) as pool_id, {lot} as lot_id, t.balance_revision as revision"

# What each draw takes from a stored lot, and what it gives to one.
_MOVES = f"""
{
    _drawn(
        f"{_KEY.format(lot='part[lot_id]')}, 0 as side,"
        f" {_change('-', 'source', 'AVAILABLE')} as available,"
        f" {_change('-', 'source', 'RESERVED')} as reserved, 0 as brought"
    )
} and {_IS_STORED}
union all
{
    _drawn(
        f"{_KEY.format(lot='coalesce(part[into], part[lot_id])')}, 1,"
        f" {_change('', 'target', 'AVAILABLE')}, {_change('', 'target', 'RESERVED')},"
        f" case when t.operation in {listed(_BRINGING)} and t.source = 'EXTERNAL'"
        " then 1 else 0 end"
    )
} and coalesce(part[into], part[lot_id]) <> cast(t.pool_id as text)
"""

# A lot whose credits no transaction has brought was split off the standard lot, with what it began
# with. What is still to come will be brought.
_BEGAN_WITH = (
    f"case when l.origin = '{LotOrigin.PROVISION}' and l.status <> '{LotStatus.FUTURE}'"
    " then l.granted else 0 end"
)
_PAGE = "from pools p where p.tenant_id = $1 and p.id > $2 and p.id <= $3"
_LOTS = "from lots l where l.tenant_id = $1 and l.pool_id > $2 and l.pool_id <= $3"

LOTS_ADD_UP = (
    Check(
        "I20",
        "pool",
        f"""
        select c.id, 'available ' || max(c.has) || ', in lots ' || max(c.in_lots)
            || ', its lots have ' || {total("c.available")} as detail
        from (
            select p.id, p.available as has, p.in_lots, 0 as available {_PAGE}
            union all select l.pool_id, 0, 0, l.available {_LOTS}
        ) c group by c.id
        having max(c.in_lots) <> {total("c.available")} or max(c.in_lots) > max(c.has)
        """,
        Paged.POOLS,
    ),
    Check(
        "I20",
        "lot",
        f"""
        select c.lot_id as id, case when sum(c.stored) = 0 then 'isn''t there, or in another pool'
            else 'available ' || max(c.has) || ', reserved ' || max(c.holds) end
            || ', its transactions say ' || {total("c.available")} || ' and '
            || {total("c.reserved")} as detail
        from (
            select cast(l.pool_id as text) as pool_id, cast(l.id as text) as lot_id, 1 as stored,
                l.available as has, l.reserved as holds, {_BEGAN_WITH} as began_with,
                0 as available, 0 as reserved, 0 as brought {_LOTS}
            union all
            select m.pool_id, m.lot_id, 0, 0, 0, 0, m.available, m.reserved, m.brought
            from ({_MOVES}) m
        ) c group by c.pool_id, c.lot_id
        having sum(c.stored) = 0 or max(c.holds) <> {total("c.reserved")}
        or max(c.has) <> {total("c.available")}
            + case when max(c.brought) = 0 then max(c.began_with) else 0 end
        """,
        Paged.POOLS,
    ),
    Check(
        "I20",
        "lot",
        f"""
        select n.lot_id as id, 'has ' || n.available || ' and ' || n.reserved
            || ' after the revision ' || n.revision as detail
        from (
            select m.lot_id, m.revision,
                {total("m.available", "numbered")} as available,
                {total("m.reserved", "numbered")} as reserved
            from (
                select cast(l.pool_id as text) as pool_id, cast(l.id as text) as lot_id,
                    0 as revision, 0 as side, {_BEGAN_WITH} as available, 0 as reserved,
                    0 as brought {_LOTS}
                union all {_MOVES}
            ) m
            window numbered as (
                partition by m.pool_id, m.lot_id order by m.revision, m.side
                rows between unbounded preceding and current row
            )
        ) n where n.available < 0 or n.reserved < 0
        """,
        Paged.POOLS,
    ),
    Check(
        "I20",
        "lot",
        f"""
        select l.id, l.status || ' with ' || l.available || ' available, ' || l.reserved
            || ' reserved of ' || l.granted as detail
        {_LOTS} and (l.available < 0 or l.reserved < 0 or l.granted < 0
            or l.available > l.granted - l.reserved
            or (l.status = '{LotStatus.LIVE}') <> (l.available > 0)
            or (l.status = '{LotStatus.FUTURE}' and l.reserved <> 0))
        """,
        Paged.POOLS,
    ),
    Check(
        "I20",
        "transaction",
        f"""
        select c.id, 'amount ' || c.of || ', its parts of lots add up to ' || {total("c.amount")}
            as detail
        from ({
            _drawn("t.id, t.amount as of, whole[amount] as amount", pools=_WITH_EITHER)
        }) c group by c.id, c.of having c.of <> {total("c.amount")} or min(c.amount) <= 0
        """,
        Paged.POOLS,
    ),
    Check(
        "I20",
        "transaction",
        f"""
        select t.id, 'draws on lots of a pool that has none' as detail
        from transactions t where t.tenant_id = $1 and t.pool_id > $2 and t.pool_id <= $3
        and cast(t.details as text) like '%"lot_id":%'
        and t.pool_id not in {_WITH_EITHER}
        """,
        Paged.POOLS,
    ),
)

_DUE_OF_LOT = (
    f"case l.status when '{LotStatus.FUTURE}' then l.effective_date"
    f" when '{LotStatus.LIVE}' then l.expiration_date end"
)
_LAPSES = "t.operation = 'EXPIRY' and number[t.details, effective_date] is not null"

DUE_IN_TIME = (
    Check(
        "I21",
        "pool",
        f"""
        select p.id, 'nothing is due before ' || coalesce(cast(p.due as text), 'the end of days')
            || ', but something is at ' || d.due as detail
        from (
            select c.pool_id, min(c.due) as due from (
                select l.pool_id, {_DUE_OF_LOT} as due {_LOTS}
                union all
                select r.pool_id, r.expiration_date from reservations r
                where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
                and r.status = '{_OPEN}'
            ) c where c.due is not null group by c.pool_id
        ) d cross join pools p where p.tenant_id = $1 and p.id = d.pool_id
        and p.stopped is null and (p.due is null or p.due > d.due)
        """,
        Paged.POOLS,
    ),
    Check(
        "I21",
        "pool",
        f"""
        select p.id, 'something may be due at ' || p.due || ', runners come by at '
            || coalesce(cast(a.since as text), 'no time') as detail
        from pools p left join agenda a on a.tenant_id = p.tenant_id and a.kind = '{DUE}'
        left join clocks c on c.tenant_id = p.tenant_id and c.until is null
        where p.tenant_id = $1 and p.id > $2 and p.id <= $3 and p.due is not null
        and (a.since is null or a.since > p.due - coalesce(c.ahead, 0))
        """,
        Paged.POOLS,
    ),
    Check(
        "I21",
        "transaction",
        f"""
        select c.id, c.operation || ' at ' || coalesce(c.due, c.created) || ', its lot '
            || l.id || ' lives from ' || l.effective_date || ' to '
            || coalesce(cast(l.expiration_date as text), 'the end of days') as detail
        from ({
            _drawn(
                "t.id, t.operation, t.created, number[t.details, due] as due,"
                " part[lot_id] as lot_id, t.pool_id"
            )
        } and {_IS_STORED} and ((t.operation = '{Operation.GRANT}'
            and number[t.details, due] is not null) or ({_LAPSES}))) c
        cross join lots l where l.tenant_id = $1 and l.pool_id = c.pool_id
        and cast(l.id as text) = c.lot_id
        and (c.due > c.created
        or (c.operation = '{Operation.GRANT}' and l.effective_date <> c.due)
        or (c.operation = '{Operation.EXPIRY}' and (l.status <> '{LotStatus.EXPIRED}'
            or l.expiration_date is null or l.expiration_date > coalesce(c.due, c.created))))
        """,
        Paged.POOLS,
    ),
    Check(
        "I21",
        "transaction",
        f"""
        select t.id, 'the reservation lapsed at ' || number[t.details, due]
            || ', it was to last until ' || r.expiration_date || ' and is ' || r.status as detail
        from reservations r cross join transactions t
        where t.tenant_id = r.tenant_id and t.correlation_id = r.id
        and r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
        and t.operation = '{Operation.RELEASE}' and number[t.details, due] is not null
        and (number[t.details, due] <> r.expiration_date
            or r.status <> '{ReservationStatus.LAPSED}')
        """,
        Paged.POOLS,
    ),
)

_RANK = (
    "substr(hex[l.priority], 10) || "
    f"hex[coalesce(l.expiration_date, {NEVER})] || hex[l.effective_date]"
    " || replace(cast(l.id as text), '-', '')"
)

IN_ITS_TURN = (
    Check(
        "I22",
        "lot",
        f"""
        select l.id, 'comes at ' || l.rank || ', its terms say ' || {_RANK} as detail
        {_LOTS} and l.expiration_date >= 0 and l.effective_date >= 0 and l.rank <> {_RANK}
        """,
        Paged.POOLS,
    ),
    Check(
        "I22",
        "lot",
        f"""
        select l.id, 'ends at ' || l.expiration_date || ', before it begins at '
            || l.effective_date as detail
        {_LOTS} and l.status = '{LotStatus.FUTURE}' and l.expiration_date <= l.effective_date
        """,
        Paged.POOLS,
    ),
    Check(
        "I22",
        "transaction",
        f"""
        select n.id, n.operation || ' draws on the lot ' || n.lot_id
            || ', which lapsed before' as detail
        from (
            select c.*, max(c.lapse) over (
                partition by c.lot_id order by c.revision
                rows between unbounded preceding and 1 preceding
            ) as lapsed
            from ({
            _drawn(
                "t.id, t.operation, t.source, t.balance_revision as revision,"
                f" part[lot_id] as lot_id, case when {_LAPSES} then 1 else 0 end as lapse"
            )
        } and {_IS_STORED} and t.source = 'AVAILABLE') c
        ) n where n.lapsed = 1 and n.operation <> '{Operation.EXPIRY}'
        """,
        Paged.POOLS,
    ),
)

_RESERVATIONS = "from reservations r where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3"
_HELD = "r.price * (r.count - r.captured)"

RESERVATIONS = (
    Check(
        "I23",
        "pool",
        f"""
        select c.id, 'reserved ' || max(c.reserved) || ', its open reservations hold '
            || {total("c.held")} as detail
        from (
            select p.id, p.reserved, 0 as held {_PAGE}
            union all select r.pool_id, 0, {_HELD} {_RESERVATIONS} and r.status = '{_OPEN}'
        ) c group by c.id having max(c.reserved) <> {total("c.held")}
        """,
        Paged.POOLS,
    ),
    Check(
        "I23",
        "lot",
        f"""
        select c.lot_id as id, 'reserved ' || max(c.holds) || ', open reservations hold '
            || {total("c.held")} as detail
        from (
            select cast(l.pool_id as text) as pool_id, cast(l.id as text) as lot_id,
                l.reserved as holds, 0 as held {_LOTS}
            union all
            select cast(r.pool_id as text), part[lot_id], 0, whole[amount]
            from reservations r cross join members[r.draws]
            where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
            and r.status = '{_OPEN}' and part[lot_id] <> cast(r.pool_id as text)
        ) c group by c.pool_id, c.lot_id having max(c.holds) <> {total("c.held")}
        """,
        Paged.POOLS,
    ),
    Check(
        "I23",
        "reservation",
        f"""
        select c.id, 'holds ' || c.held || ', its parts of lots add up to '
            || {total("c.amount")} as detail
        from (
            select r.id, {_HELD} as held, whole[amount] as amount
            from reservations r cross join members[r.draws]
            where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
            and r.status = '{_OPEN}'
        ) c group by c.id, c.held having c.held <> {total("c.amount")}
        """,
        Paged.POOLS,
    ),
    Check(
        "I23",
        "reservation",
        f"""
        select r.id, 'of ' || r.count || ' items at ' || r.price || ', made by '
            || coalesce(t.operation || ' of ' || t.amount, 'nothing') as detail
        from reservations r left join transactions t
        on t.tenant_id = r.tenant_id and t.id = r.id
        where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
        and (t.id is null or t.operation <> '{Operation.RESERVE}' or t.pool_id <> r.pool_id
            or cast(t.amount as numeric) <> cast(r.price as numeric) * r.count
            or coalesce(number[t.details, item_count], 1) <> r.count)
        """,
        Paged.POOLS,
    ),
    Check(
        "I23",
        "reservation",
        f"""
        select c.id, c.status || ' with ' || c.captured || ' of ' || c.count
            || ' captured, its transactions say ' || coalesce(sum(c.spent), 0) || ', and '
            || coalesce(sum(c.released), 0) || ' came back' as detail
        from (
            select r.id, r.status, r.captured, r.count, r.price,
                case t.operation when '{Operation.CAPTURE}' then coalesce(
                    number[t.details, item_count], 1) end as spent,
                case t.operation when '{Operation.RELEASE}' then coalesce(
                    number[t.details, item_count], 1) end as released,
                cast(t.amount as numeric) - cast(r.price as numeric)
                    * coalesce(number[t.details, item_count], 1) as off
            from reservations r left join transactions t
            on t.tenant_id = r.tenant_id and t.pool_id = r.pool_id
            and ((t.operation = '{Operation.CAPTURE}'
                    and field[t.details, reservation_id] = cast(r.id as text))
                or (t.operation = '{Operation.RELEASE}' and t.correlation_id = r.id))
            where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
        ) c group by c.id, c.status, c.captured, c.count, c.price
        having c.captured <> coalesce(sum(c.spent), 0) or min(c.off) <> 0 or max(c.off) <> 0
        or (c.status = '{_OPEN}') <> (c.captured + coalesce(sum(c.released), 0) < c.count)
        or (c.status = '{_OPEN}' and sum(c.released) > 0)
        """,
        Paged.POOLS,
    ),
    Check(
        "I3",
        "transaction",
        f"""
        select n.id, n.operation || ' leaves ' || n.after || ' reserved, after ' || n.summed
            as detail
        from (
            select t.id, t.operation, coalesce(number[t.details, reserved_after], 0) as after,
                {
            total(
                "case when t.target = 'RESERVED' then t.amount"
                " when t.source = 'RESERVED' then -t.amount else 0 end",
                "numbered",
            )
        } as summed
            from {_WITH_RESERVATIONS} h cross join transactions t
            where t.tenant_id = $1 and t.pool_id = h.pool_id
            window numbered as (
                partition by t.pool_id order by t.balance_revision, t.id
                rows between unbounded preceding and current row
            )
        ) n where n.after <> n.summed
        """,
        Paged.POOLS,
    ),
)

LOT_CHECKS = (*LOTS_ADD_UP, *DUE_IN_TIME, *IN_ITS_TURN, *RESERVATIONS)
