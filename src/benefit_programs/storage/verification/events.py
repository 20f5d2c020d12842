"""Checks of events against what they tell of: I10 and I11.

Events have no index by what they tell of (it would cost every write), so each of these reads a
tenant's events once, and the database sorts them.
"""

from __future__ import annotations

from benefit_programs.domain.operations import RULES
from benefit_programs.storage.verification.checks import Check

_COUNT = "1 + length(e.slug) - length(replace(e.slug, '+', ''))"

_COUNTED = {
    "program_definition": "program_definitions",
    "pool_definition": "pool_definitions",
    "item": "items",
    "program": "programs",
    "pool": "pools",
    "webhook_endpoint": "webhook_endpoints",
}

_ROWS = " union all ".join(
    f"select '{entity}' as entity, t.id, t.sequence as stored,"
    " cast(null as bigint) as recorded, cast(null as bigint) as ended"
    f" from {table} t where t.tenant_id = $1"
    for entity, table in _COUNTED.items()
)

_SLUGS = {operation: rule.event for operation, rule in RULES.items() if rule.event}
_SLUG_OF = " ".join(f"when '{operation}' then '{slug}'" for operation, slug in _SLUGS.items())
_LISTED = ", ".join(f"'{slug}'" for slug in _SLUGS.values())

EVENT_CHECKS = (
    Check(
        "I10",
        "event",
        f"""
        select n.id, n.slug || ' is number ' || n.sequence || ' of ' || n.entity || ' '
            || n.entity_id || ', after ' || coalesce(n.before, 0) as detail
        from (
            select e.id, e.entity, e.entity_id, e.slug, e.sequence, {_COUNT} as events,
                lag(e.sequence) over (partition by e.entity, e.entity_id
                    order by e.sequence, e.id) as before
            from events e where e.tenant_id = $1 and e.entity <> 'balance'
        ) n where n.sequence <> coalesce(n.before, 0) + n.events
        """,
    ),
    Check(
        "I10",
        "entity",
        f"""
        select n.id, n.entity || ': its row has the number '
            || coalesce(cast(max(n.stored) as text), 'of nothing') || ', its last event '
            || coalesce(cast(max(n.recorded) as text), 'none') as detail
        from (
            {_ROWS}
            union all
            select e.entity, e.entity_id, null, e.sequence,
                case when e.slug like '%deleted' then e.sequence end
            from events e where e.tenant_id = $1 and e.entity <> 'balance'
        ) n group by n.entity, n.id
        having (max(n.stored) is not null
            and (max(n.recorded) is null or max(n.recorded) <> max(n.stored)
                or max(n.ended) is not null))
        or (max(n.stored) is null and (max(n.ended) is null or max(n.ended) <> max(n.recorded)))
        """,
    ),
    Check(
        "I11",
        "transaction",
        f"""
        select n.id, sum(n.made) || ' made, ' || sum(n.recorded) || ' events' as detail
        from (
            select t.id, cast(t.pool_id as text) as pool_id, 1 as made, 0 as recorded,
                case t.operation {_SLUG_OF} end as slug,
                t.balance_revision as revision
            from transactions t where t.tenant_id = $1
            union all
            select e.transaction_id, cast(e.entity_id as text), 0, 1,
                case when e.slug in ({_LISTED}) then e.slug end,
                case when e.entity = 'balance' then e.sequence end
            from events e where e.tenant_id = $1 and e.transaction_id is not null
        ) n group by n.id
        having sum(n.made) <> 1 or sum(n.recorded) <> 1 or min(n.pool_id) <> max(n.pool_id)
        or min(n.revision) <> max(n.revision) or min(n.slug) <> max(n.slug)
        or count(n.slug) not in (0, 2)
        """,
    ),
    Check(
        "I11",
        "event",
        """
        select e.id, 'tells of balance ' || e.entity_id || ' without a transaction' as detail
        from events e where e.tenant_id = $1 and e.entity = 'balance' and e.transaction_id is null
        """,
    ),
)
