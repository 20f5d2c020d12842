"""Checks of events against what they tell of: I10 and I11.

Events have no index by what they tell of (it would cost every write), so each of these reads a
tenant's events once, and the database sorts them.

Old events are removed, all up to an id, which the row of ``removals`` names. What came later must
all be there. An entity that is older may lack its first events, and all of them if it hasn't
changed since. Events of one entity are numbered in their order and dated by the clocks of several
servers, so next to the border a later one may have gone before an earlier one.
"""

from __future__ import annotations

from benefit_programs.domain.erasure import CLOCKS_APART_MILLISECONDS_MAX
from benefit_programs.domain.operations import RULES
from benefit_programs.domain.removals import EVENTS
from benefit_programs.storage.verification.checks import Check

_COUNT = "1 + length(e.slug) - length(replace(e.slug, '+', ''))"

_COUNTED = {
    "program_definition": "program_definitions",
    "pool_definition": "pool_definitions",
    "item": "items",
    "program": "programs",
    "pool": "pools",
    "lot": "lots",
    "webhook_endpoint": "webhook_endpoints",
}

_ROWS = " union all ".join(
    f"select '{entity}' as entity, t.id, t.created, t.updated, t.sequence as stored,"
    " cast(null as bigint) as recorded, cast(null as bigint) as ended,"
    " cast(null as bigint) as missing, cast(null as bigint) as at"
    f" from {table} t where t.tenant_id = $1"
    for entity, table in _COUNTED.items()
)

_SLUGS = {operation: rule.event for operation, rule in RULES.items() if rule.event}
_SLUG_OF = " ".join(f"when '{operation}' then '{slug}'" for operation, slug in _SLUGS.items())
_LISTED = ", ".join(f"'{slug}'" for slug in _SLUGS.values())

_REMOVED = f"(select r.{{column}} from removals r where r.tenant_id = $1 and r.kind = '{EVENTS}')"

# When the last event that was removed was made; a time before all others if none was.
_BORDER = f"coalesce({_REMOVED.format(column='created')}, -1)"
_NEAR_BORDER = (
    f"coalesce({_REMOVED.format(column='created')} + {CLOCKS_APART_MILLISECONDS_MAX}, -1)"
)

EVENT_CHECKS = (
    Check(
        "I10",
        "event",
        f"""
        select n.id, n.slug || ' is number ' || n.sequence || ' of ' || n.entity || ' '
            || n.entity_id || ', after ' || coalesce(n.before, 0) as detail
        from (
            select e.id, e.entity, e.entity_id, e.slug, e.sequence, {_COUNT} as events,
                lag(e.sequence) over numbered as before, lag(e.created) over numbered as before_at
            from events e where e.tenant_id = $1 and e.entity <> 'balance'
            window numbered as (partition by e.entity, e.entity_id order by e.sequence, e.id)
        ) n where n.sequence <> coalesce(n.before, 0) + n.events
        and (n.sequence < coalesce(n.before, 0) + n.events
            or coalesce(n.before_at, 0) > {_NEAR_BORDER})
        """,
    ),
    Check(
        "I10",
        "entity",
        f"""
        select n.id, n.entity || ': its row has the number '
            || coalesce(cast(max(n.stored) as text), 'of nothing') || ', its last event '
            || coalesce(cast(max(n.recorded) as text), 'none') || ', and '
            || coalesce(min(n.missing), 0) || ' came before its first' as detail
        from (
            {_ROWS}
            union all
            select e.entity, e.entity_id, null, null, null, e.sequence,
                case when e.slug like '%deleted' then e.sequence end,
                e.sequence - ({_COUNT}), e.created
            from events e where e.tenant_id = $1 and e.entity <> 'balance'
        ) n group by n.entity, n.id
        having (max(n.stored) is not null
            and (max(n.ended) is not null
                or (max(n.created) > {_BORDER} and min(n.missing) > 0)
                or (coalesce(max(n.recorded), 0) <> max(n.stored)
                    and (coalesce(max(n.recorded), 0) > max(n.stored)
                        or max(n.updated) > {_BORDER}
                        or coalesce(max(n.at), 0) > {_NEAR_BORDER}))))
        or (max(n.stored) is null and max(n.at) > {_NEAR_BORDER}
            and (max(n.ended) is null or max(n.ended) <> max(n.recorded)))
        """,
    ),
    Check(
        "I10",
        "event",
        f"""
        select e.id, 'was to be removed with all up to ' || r.upto as detail
        from removals r join events e on e.tenant_id = r.tenant_id and e.id <= r.upto
        where r.tenant_id = $1 and r.kind = '{EVENTS}'
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
                t.balance_revision as revision, t.created
            from transactions t where t.tenant_id = $1
            union all
            select e.transaction_id, cast(e.entity_id as text), 0, 1,
                case when e.slug in ({_LISTED}) then e.slug end,
                case when e.entity = 'balance' then e.sequence end, null
            from events e where e.tenant_id = $1 and e.transaction_id is not null
        ) n group by n.id
        having (sum(n.made) <> 1 or sum(n.recorded) <> 1 or min(n.pool_id) <> max(n.pool_id)
            or min(n.revision) <> max(n.revision) or min(n.slug) <> max(n.slug)
            or count(n.slug) not in (0, 2))
        and not (sum(n.made) = 1 and sum(n.recorded) = 0 and max(n.created) <= {_BORDER})
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
