"""Checks of balances and their transactions: I1 to I3 and I5 to I9.

What each operation does is said by the table that the rules go by.
"""

from __future__ import annotations

from benefit_programs.domain.entities import Operation, ReservationStatus
from benefit_programs.domain.operations import GIVING_BACK, REDEEMING, RULES, operations
from benefit_programs.storage.verification.checks import Check, Paged, listed, total

_RANGE = "t.tenant_id = $1 and t.pool_id > $2 and t.pool_id <= $3"


def _breaks(condition: str, of: dict[Operation, tuple[Operation, ...]]) -> str:
    """Whether the other transaction is of none of the operations that it may be of."""
    return " or ".join(
        f"(t.operation = '{operation}' and {condition} not in {listed(others)})"
        for operation, others in of.items()
    )


_CONTINUING = operations(lambda rule: rule.continues)
_POSITIVE = operations(lambda rule: not (rule.is_zero or rule.may_be_zero))
_SUPERSEDING = operations(lambda rule: rule.supersedes)
_FOLLOWING = operations(lambda rule: rule.follows)


# What is captured has the price of its reservation (I23).
_PRICED = tuple(
    each for each in operations(lambda rule: rule.is_priced) if each is not Operation.CAPTURE
)


def _wrong_way() -> str:
    """Whether a transaction goes another way than its operation does."""
    return " or ".join(
        f"(t.operation = '{operation}'"
        f" and (t.source <> '{rule.source}' or t.target <> '{rule.target}'))"
        for operation, rule in RULES.items()
        if rule.source
    )


def _sum_of(balance: str) -> Check:
    column = balance.lower()
    change = (
        f"(case when t.target = '{balance}' then t.amount else 0 end"
        f" - case when t.source = '{balance}' then t.amount else 0 end)"
    )
    summed = total(change)
    return Check(
        "I1",
        "pool",
        f"""
        select p.id, '{column} ' || p.{column} || ', its transactions add up to ' || {summed}
            as detail
        from pools p left join transactions t on t.tenant_id = p.tenant_id and t.pool_id = p.id
        where p.tenant_id = $1 and p.id > $2 and p.id <= $3
        group by p.id, p.{column} having p.{column} <> {summed}
        """,
        Paged.POOLS,
    )


NOT_NEGATIVE = (
    Check(
        "I2",
        "pool",
        """
        select p.id, 'available ' || p.available || ', reserved ' || p.reserved as detail
        from pools p where p.tenant_id = $1 and p.id > $2 and p.id <= $3
        and (p.available < 0 or p.reserved < 0)
        """,
        Paged.POOLS,
    ),
    Check(
        "I2",
        "transaction",
        f"""
        select t.id, 'amount ' || t.amount || ', available after ' || t.available_after as detail
        from transactions t where {_RANGE} and (t.amount < 0 or t.available_after < 0)
        """,
        Paged.POOLS,
    ),
    Check(
        "I2",
        "quota",
        f"""
        select t.quota_id as id, 'used ' || t.used || ' in pool ' || t.pool_id as detail
        from quotas t where {_RANGE} and t.used < 0
        """,
        Paged.POOLS,
    ),
)

COUNTED = (
    Check(
        "I3",
        "transaction",
        f"""
        select n.id, 'revision ' || n.balance_revision || ' after '
            || coalesce(cast(n.revision_before as text), 'none') || ', available '
            || n.available_after || ' after '
            || coalesce(cast(n.available_before as text), 'none') as detail
        from (
            select t.id, t.operation, t.balance_revision, t.available_after,
                case when t.target = 'AVAILABLE' then t.amount
                    when t.source = 'AVAILABLE' then -t.amount else 0 end as change,
                lag(t.balance_revision) over numbered as revision_before,
                lag(t.available_after) over numbered as available_before
            from transactions t where {_RANGE}
            window numbered as (partition by t.pool_id order by t.balance_revision, t.id)
        ) n
        where n.balance_revision <> coalesce(n.revision_before + 1,
            case when n.operation in {listed(operations(lambda rule: rule.opens))}
                then 1 else 2 end)
        or cast(n.available_after as numeric)
            <> cast(coalesce(n.available_before, 0) as numeric) + cast(n.change as numeric)
        """,
        Paged.POOLS,
    ),
    Check(
        "I3",
        "pool",
        """
        select p.id, 'revision ' || p.balance_revision || ', available ' || p.available
            || ', the newest transaction says '
            || coalesce(t.balance_revision || ' and ' || t.available_after, 'nothing') as detail
        from pools p left join transactions t
        on t.tenant_id = p.tenant_id and t.id = p.last_transaction_id and t.pool_id = p.id
        where p.tenant_id = $1 and p.id > $2 and p.id <= $3 and (
            (t.id is null and (p.last_transaction_id is not null or p.balance_revision <> 1
                or p.available <> 0 or p.balance_updated <> p.created))
            or t.balance_revision <> p.balance_revision or t.available_after <> p.available
            or t.created <> p.balance_updated
            or exists (select 1 from transactions n where n.tenant_id = $1
                and n.pool_id = p.id and n.balance_revision > p.balance_revision)
            or (p.last_transaction_id is null and exists (select 1 from transactions n
                where n.tenant_id = $1 and n.pool_id = p.id)))
        """,
        Paged.POOLS,
    ),
)

KEYS = (
    Check(
        "I5",
        "pool",
        f"""
        select t.pool_id as id, t.operation || ' with the key ' || t.idempotency_key || ': '
            || count(*) || ' transactions' as detail
        from transactions t where {_RANGE} and t.idempotency_key is not null
        group by t.pool_id, t.operation, t.idempotency_key having count(*) > 1
        """,
        Paged.POOLS,
    ),
    Check(
        "I5",
        "transaction",
        f"""
        select t.id, t.operation || ' with the key ' || t.idempotency_key
            || ' is told to have changed nothing' as detail
        from transactions t join idempotency_keys k on k.tenant_id = t.tenant_id
        and k.subject_id = t.pool_id and k.operation = t.operation
        and k.idempotency_key = t.idempotency_key
        where {_RANGE} and k.subject_id > $2 and k.subject_id <= $3
        """,
        Paged.POOLS,
    ),
)


def _given(table: str) -> str:
    """What a cancellation gave back, and what it kept because it came late."""
    return f"(cast({table}.amount as numeric) + coalesce(number[{table}.details, forfeited], 0))"


# The same of the cancellations of some items of a chain.
_PARTS = f"""
coalesce((select sum({_given("c")}) from transactions c
    where c.tenant_id = $1 and c.correlation_id = t.correlation_id
    and c.operation = '{Operation.CANCEL_PART}'), 0)
"""

GIVEN_BACK = (
    Check(
        "I6",
        "transaction",
        f"""
        select t.related_transaction_id as id, 'given back ' || count(*) || ' times' as detail
        from transactions t where {_RANGE} and t.related_transaction_id is not null
        group by t.related_transaction_id having count(*) > 1
        """,
        Paged.POOLS,
    ),
    Check(
        "I6",
        "transaction",
        f"""
        select t.id, t.operation || ' of ' || t.amount || ' for '
            || coalesce(o.operation || ' of ' || o.amount, 'nothing') as detail
        from transactions t left join transactions o
        on o.tenant_id = t.tenant_id and o.id = t.related_transaction_id
        where {_RANGE}
        and (t.related_transaction_id is not null or t.operation in {listed(GIVING_BACK)})
        and (o.id is null or t.operation not in {listed(GIVING_BACK)}
            or {_breaks("o.operation", {each: RULES[each].gives_back for each in GIVING_BACK})}
            or o.pool_id <> t.pool_id or o.correlation_id <> t.correlation_id
            or o.amount <> {_given("t")} + {_PARTS}
            or case o.operation when 'CAPTURE' then 'AVAILABLE' else o.source end <> t.target
            or o.target <> t.source or o.balance_revision >= t.balance_revision)
        """,
        Paged.POOLS,
    ),
    Check(
        "I6",
        "transaction",
        f"""
        select t.id, 'gives back ' || t.amount || ' and keeps '
            || coalesce(number[t.details, forfeited], 0) || ' for '
            || coalesce(number[t.details, item_count], 0) || ' of '
            || coalesce(number[o.details, item_count], 1) || ' items at '
            || coalesce(cast(o.amount as text), 'nothing') as detail
        from transactions t left join transactions o
        on o.tenant_id = t.tenant_id and o.id = t.correlation_id
        where {_RANGE} and t.operation = '{Operation.CANCEL_PART}'
        and (o.id is null or t.related_transaction_id is not null
            or {_given("t")} * coalesce(number[o.details, item_count], 1)
                <> cast(o.amount as numeric) * coalesce(number[t.details, item_count], 0)
            or coalesce(number[t.details, item_count], 0) < 1
            or coalesce(number[o.details, item_count], 1) <= (
                select sum(number[c.details, item_count]) from transactions c
                where c.tenant_id = $1 and c.correlation_id = t.correlation_id
                and c.operation = t.operation))
        """,
        Paged.POOLS,
    ),
)

CHAINS = (
    Check(
        "I7",
        "transaction",
        f"""
        select t.superseded_transaction_id as id, 'superseded ' || count(*) || ' times' as detail
        from transactions t where {_RANGE} and t.superseded_transaction_id is not null
        group by t.superseded_transaction_id having count(*) > 1
        """,
        Paged.POOLS,
    ),
    Check(
        "I7",
        "transaction",
        f"""
        select t.id, t.operation || ' supersedes ' || coalesce(s.operation, 'nothing') as detail
        from transactions t left join transactions s
        on s.tenant_id = t.tenant_id and s.id = t.superseded_transaction_id
        where {_RANGE}
        and (t.superseded_transaction_id is not null or t.operation in {listed(_SUPERSEDING)})
        and (s.id is null or t.operation not in {listed(_SUPERSEDING)}
            or {_breaks("s.operation", {each: RULES[each].supersedes for each in _SUPERSEDING})}
            or s.pool_id <> t.pool_id
            or s.correlation_id <> t.correlation_id
            or s.balance_revision >= t.balance_revision)
        """,
        Paged.POOLS,
    ),
    Check(
        "I7",
        "transaction",
        f"""
        select t.id, t.operation || ' belongs to '
            || coalesce(r.operation || ' ' || r.id, 'nothing') as detail
        from transactions t left join transactions r
        on r.tenant_id = t.tenant_id and r.id = t.correlation_id
        where {_RANGE} and (r.id is null or r.correlation_id <> r.id or r.pool_id <> t.pool_id
            or (r.id <> t.id and t.operation not in {listed(_CONTINUING)})
            or {_breaks("r.operation", {each: RULES[each].follows for each in _FOLLOWING})}
            or (r.id = t.id and t.operation in {listed(_CONTINUING)}))
        """,
        Paged.POOLS,
    ),
    Check(
        "I7",
        "transaction",
        f"""
        select t.id, t.operation || ' after it was given back by ' || g.id as detail
        from transactions t join transactions g
        on g.tenant_id = t.tenant_id and g.related_transaction_id = t.correlation_id
        where {_RANGE} and t.operation in {listed((*_SUPERSEDING, *_FOLLOWING))}
        and g.balance_revision < t.balance_revision
        """,
        Paged.POOLS,
    ),
)

QUOTAS = (
    Check(
        "I8",
        "quota",
        f"""
        select c.quota_id as id, 'used ' || sum(c.used) || ', taken ' || sum(c.taken)
            || ', in pool ' || c.pool_id || ' from ' || c.period_start || ' on' as detail
        from (
            select cast(t.pool_id as text) as pool_id, part[quota_id] as quota_id,
                whole[period_start] as period_start, 0 as used,
                case t.operation when '{Operation.CANCEL_PART}' then -whole[count]
                    else whole[count] end as taken
            from transactions t cross join elements[t.details, quota_shares]
            where t.tenant_id = $1 and t.pool_id > $2 and t.pool_id <= $3
            and (t.operation in {listed(REDEEMING)} or (t.operation = '{Operation.CANCEL_PART}'
                and not exists (select 1 from transactions n where n.tenant_id = $1
                    and n.correlation_id = t.correlation_id
                    and n.operation in {listed(_SUPERSEDING)}
                    and n.balance_revision > t.balance_revision)))
            and not exists (select 1 from transactions s where s.tenant_id = $1
                and s.superseded_transaction_id = t.id)
            and not exists (select 1 from transactions g where g.tenant_id = $1
                and g.related_transaction_id = t.correlation_id)
            union all
            select cast(r.pool_id as text), part[quota_id], whole[period_start], 0, whole[count]
            from reservations r cross join members[r.quota_shares]
            where r.tenant_id = $1 and r.pool_id > $2 and r.pool_id <= $3
            and r.status = '{ReservationStatus.OPEN}'
            union all
            select cast(q.pool_id as text), cast(q.quota_id as text), q.period_start, q.used, 0
            from quotas q where q.tenant_id = $1 and q.pool_id > $2 and q.pool_id <= $3
        ) c
        group by c.pool_id, c.quota_id, c.period_start having sum(c.used) <> sum(c.taken)
        """,
        Paged.POOLS,
    ),
)

SHAPES = (
    Check(
        "I9",
        "transaction",
        f"""
        select t.id, t.operation || ' of ' || t.amount || ' from ' || t.source || ' to '
            || t.target as detail
        from transactions t where {_RANGE} and (t.source = t.target
            or {_wrong_way()}
            or (t.operation in {listed(operations(lambda rule: rule.is_zero))}
                and t.amount <> 0)
            or (t.operation in {listed(_POSITIVE)}
                and t.amount = 0))
        """,
        Paged.POOLS,
    ),
    Check(
        "I9",
        "transaction",
        f"""
        select t.id, 'costs ' || t.amount || ', its benefit has the price '
            || coalesce(cast(b.price as text), 'of nothing') as detail
        from transactions t left join snapshot_benefits b on b.tenant_id = t.tenant_id
        and b.snapshot_id = t.snapshot_id and b.benefit_key = field[t.details, benefit_key]
        where {_RANGE} and t.operation in {listed(_PRICED)}
        and (b.price is null or t.item_id is null
            or cast(t.amount as numeric)
                <> cast(b.price as numeric) * coalesce(number[t.details, item_count], 1))
        """,
        Paged.POOLS,
    ),
)

LEDGER_CHECKS = (
    _sum_of("AVAILABLE"),
    _sum_of("RESERVED"),
    *NOT_NEGATIVE,
    *COUNTED,
    *KEYS,
    *GIVEN_BACK,
    *CHAINS,
    *QUOTAS,
    *SHAPES,
)
