"""Checks of what stands beside the ledger: I4, I12, I13, I15, I17 and I27."""

from __future__ import annotations

from benefit_programs.storage.tables import TABLES
from benefit_programs.storage.verification.checks import Check, Paged

# What has an id that was made with its row.
_MADE = tuple(
    table.name
    for entity, table in TABLES.items()
    if entity.key == ("id",) and "created" in entity.__struct_fields__
)

# What no two rows of a table may have in common. (Parts of a ledger are checked beside it.)
_UNIQUE = tuple(
    (table.name, tuple(column for column in index.columns if column != "tenant_id"))
    for table in TABLES.values()
    for index in table.indexes
    if index.unique and table.name != "transactions"
)

# Who names whom: the table, its name, the column, the table that must have it.
_NAMED = (
    ("assignments", "pool_definition", "pool_definition_id", "pool_definitions"),
    ("assignments", "program_definition", "program_definition_id", "program_definitions"),
    ("pool_definitions", "pool_definition", "snapshot_id", "snapshots"),
    ("snapshot_benefits", "snapshot", "snapshot_id", "snapshots"),
    ("snapshot_benefits", "snapshot", "item_set_id", "item_sets"),
    ("items", "item", "item_set_id", "item_sets"),
    ("pools", "pool", "program_id", "programs"),
    ("pools", "pool", "snapshot_id", "snapshots"),
    ("pools", "pool", "renewal_snapshot_id", "snapshots"),
    ("transactions", "transaction", "pool_id", "pools"),
    ("transactions", "transaction", "snapshot_id", "snapshots"),
    ("scheduled_changes", "scheduled_change", "program_id", "programs"),
    ("quotas", "quota", "pool_id", "pools"),
    ("lots", "lot", "pool_id", "pools"),
    ("reservations", "reservation", "pool_id", "pools"),
    ("job_pages", "job", "job_id", "jobs"),
    ("webhook_progress", "webhook_endpoint", "endpoint_id", "webhook_endpoints"),
    ("webhook_secrets", "webhook_endpoint", "endpoint_id", "webhook_endpoints"),
)

_PAGED_BY = {
    "assignments": ("pool_definition_id", Paged.POOL_DEFINITIONS),
    "snapshot_benefits": ("snapshot_id", Paged.SNAPSHOTS),
    "transactions": ("pool_id", Paged.POOLS),
    "quotas": ("pool_id", Paged.POOLS),
    "job_pages": ("job_id", Paged.JOBS),
    "webhook_progress": ("endpoint_id", Paged.WEBHOOK_ENDPOINTS),
    "webhook_secrets": ("endpoint_id", Paged.WEBHOOK_ENDPOINTS),
}

_IDS = {
    "assignments": "pool_definition_id",
    "snapshot_benefits": "snapshot_id",
    "quotas": "quota_id",
    "job_pages": "job_id",
    "webhook_progress": "endpoint_id",
    "webhook_secrets": "endpoint_id",
}


def _paged_by(table: str) -> tuple[str, Paged]:
    """The key that pages a table, and whose pages it comes in: its own, or its owner's."""
    return _PAGED_BY.get(table) or ("id", Paged(table))


def _one_of(table: str) -> str:
    """What a row of a table is called."""
    return f"{table[:-3]}y" if table.endswith("ies") else table.removesuffix("s")


def _range(key: str) -> str:
    return f"t.tenant_id = $1 and t.{key} > $2 and t.{key} <= $3"


def _id_of_its_instant(table: str) -> Check:
    key, paged = _paged_by(table)
    digits = "substr(replace(cast(t.id as text), '-', ''), 1, 12)"
    return Check(
        "I12",
        _one_of(table),
        f"""
        select t.id, 'made at ' || t.created || ', which is ' || hex[t.created] as detail
        from {table} t where {_range(key)} and {digits} <> hex[t.created]
        """,
        paged,
    )


def _once(table: str, columns: tuple[str, ...]) -> Check:
    same = " and ".join(f"o.{column} = t.{column}" for column in columns)
    named = " || ' ' || ".join(f"t.{column}" for column in columns)
    return Check(
        "I4",
        _one_of(table),
        f"""
        select t.id, {named} || ' is taken by ' || o.id as detail
        from {table} t join {table} o on o.tenant_id = t.tenant_id and {same} and o.id < t.id
        where {_range("id")}
        """,
        Paged(table),
    )


def _is_there(table: str, entity: str, column: str, target: str) -> Check:
    key, paged = _paged_by(table)
    return Check(
        "I13",
        entity,
        f"""
        select t.{_IDS.get(table, "id")} as id,
            '{table}.{column} names ' || t.{column} as detail
        from {table} t where {_range(key)} and t.{column} is not null
        and not exists (select 1 from {target} o
            where o.tenant_id = $1 and o.id = t.{column})
        """,
        paged,
    )


ITEM_SETS = (
    Check(
        "I13",
        "item",
        f"""
        select t.id, 'of ' || t.provider_app_id || ' in ' || t.namespace || ', its item set of '
            || s.provider_app_id || ' in ' || s.namespace as detail
        from items t join item_sets s on s.tenant_id = t.tenant_id and s.id = t.item_set_id
        where {_range("id")}
        and (s.provider_app_id <> t.provider_app_id or s.namespace <> t.namespace)
        """,
        Paged.ITEMS,
    ),
    Check(
        "I13",
        "snapshot",
        f"""
        select t.snapshot_id as id, t.benefit_key || ' of ' || t.provider_app_id
            || ' has the item set of ' || s.benefit_key || ' of ' || s.provider_app_id as detail
        from snapshot_benefits t join item_sets s
        on s.tenant_id = t.tenant_id and s.id = t.item_set_id
        where {_range("snapshot_id")}
        and (s.provider_app_id <> t.provider_app_id or s.benefit_key <> t.benefit_key)
        """,
        Paged.SNAPSHOTS,
    ),
)

BENEFICIARIES = tuple(
    Check(
        "I15",
        entity,
        f"""
        select t.id, 'needs exactly one beneficiary' as detail from {paged} t
        where {_range("id")}
        and (case when t.member_id is null then 0 else 1 end)
            + (case when t.wix_user_id is null then 0 else 1 end)
            + (case when t.anonymous_visitor_id is null then 0 else 1 end) <> 1
        """,
        paged,
    )
    for entity, paged in (
        ("program", Paged.PROGRAMS),
        ("pool", Paged.POOLS),
        ("person", Paged.PEOPLE),
    )
)

AGREEMENT = (
    Check(
        "I15",
        "pool",
        f"""
        select p.id, 'is ' || p.status || ', its program ' || t.id || ' is ' || t.status as detail
        from programs t join pools p on p.tenant_id = t.tenant_id and p.program_id = t.id
        where {_range("id")} and (
            (t.status = 'ENDED' and p.status <> 'ENDED')
            or (t.status = 'ACTIVE' and p.status = 'PAUSED')
            or (t.status = 'PAUSED' and p.status = 'ACTIVE'))
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I15",
        "pool",
        f"""
        select p.id, 'has another external id, namespace, definition or beneficiary than '
            || t.id as detail
        from programs t join pools p on p.tenant_id = t.tenant_id and p.program_id = t.id
        where {_range("id")} and (p.program_external_id <> t.external_id
            or p.namespace <> t.namespace
            or coalesce(cast(p.program_definition_id as text), '')
                <> coalesce(cast(t.program_definition_id as text), '')
            or coalesce(p.member_id, '') <> coalesce(t.member_id, '')
            or coalesce(p.wix_user_id, '') <> coalesce(t.wix_user_id, '')
            or coalesce(p.anonymous_visitor_id, '') <> coalesce(t.anonymous_visitor_id, ''))
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I15",
        "program",
        f"""
        select t.id, count(*) || ' pools of the definition ' || p.pool_definition_id
            || ' live' as detail
        from programs t join pools p on p.tenant_id = t.tenant_id and p.program_id = t.id
        where {_range("id")} and p.status <> 'ENDED'
        group by t.id, p.pool_definition_id having count(*) > 1
        """,
        Paged.PROGRAMS,
    ),
)

SNAPSHOTS = (
    Check(
        "I17",
        "snapshot",
        f"""
        select c.id, 'benefit ' || c.benefit_key || ': ' || sum(c.said) || ' in its details, '
            || sum(c.joined) || ' to join' as detail
        from (
            select cast(t.id as text) as id, part[benefit_key] as benefit_key,
                part[item_set_id] as item_set_id, part[provider_app_id] as provider_app_id,
                coalesce(whole[price], 0) as price, 1 as said, 0 as joined
            from snapshots t cross join elements[t.details, benefits] where {_range("id")}
            union all
            select cast(t.snapshot_id as text), t.benefit_key, cast(t.item_set_id as text),
                t.provider_app_id, t.price, 0, 1
            from snapshot_benefits t where {_range("snapshot_id")}
        ) c
        group by c.id, c.benefit_key, c.item_set_id, c.provider_app_id, c.price
        having sum(c.said) <> 1 or sum(c.joined) <> 1
        """,
        Paged.SNAPSHOTS,
    ),
)

_BLANKS = "length(p.search) - length(replace(p.search, ' ', ''))"

PEOPLE = (
    Check(
        "I27",
        "person",
        """
        select w.person_id as id, 'is found by ' || w.word as detail
        from person_words w
        left join people p on p.tenant_id = $1 and p.id = w.person_id
            and p.search like '% ' || w.word || ' %'
        where w.tenant_id = $1 and p.id is null
        """,
    ),
    Check(
        "I27",
        "person",
        f"""
        select p.id, 'has ' || ({_BLANKS} - 1) || ' words, and is found by '
            || coalesce(w.words, 0) as detail
        from people p left join (
            select o.person_id, count(*) as words from person_words o
            where o.tenant_id = $1 group by o.person_id
        ) w on w.person_id = p.id
        where p.tenant_id = $1 and {_BLANKS} - 1 <> coalesce(w.words, 0)
        """,
    ),
)

ENTITY_CHECKS = (
    *(_once(*each) for each in _UNIQUE),
    *(_id_of_its_instant(each) for each in _MADE),
    *(_is_there(*each) for each in _NAMED),
    *ITEM_SETS,
    *BENEFICIARIES,
    *AGREEMENT,
    *SNAPSHOTS,
    *PEOPLE,
)
