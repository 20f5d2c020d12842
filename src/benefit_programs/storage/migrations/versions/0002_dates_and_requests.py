"""Rate limits are counted by local dates, and what a request with a key meant is kept.

Until now a period was known by the instant at which it began in the tenant's time zone then. Its
date is the one whose midnight, in the zone of today, is next to that instant: so a count from
before a change of the zone keeps its date, up to half a day of difference between the two.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_POSTGRES_DATE = """
cast(cast((timestamptz 'epoch' + ({at} + 43200000) * interval '1 millisecond')
    at time zone z.zone as date) - date '1970-01-01' as bigint)
"""

# PostgreSQL may not know a zone that Python knows; UTC stands for it.
_POSTGRES_ZONES = """
(select t.id, coalesce(n.name, 'UTC') as zone from tenants t
    left join pg_timezone_names n on n.name = t.settings->>'time_zone')
"""

_POSTGRES_START = "cast(share.value->>'period_start' as bigint)"

_POSTGRES_SHARES = f"""
update transactions set details = (
    select json_object_agg(part.key, case when part.key <> 'quota_shares' then part.value else (
        select json_agg(json_build_object(
            'quota_id', share.value->'quota_id',
            'period_start', {_POSTGRES_DATE.format(at=_POSTGRES_START)},
            'count', share.value->'count'
        )) from json_array_elements(part.value) share
    ) end) from json_each(transactions.details) part
) from {_POSTGRES_ZONES} z
where z.id = transactions.tenant_id and operation in ('REDEEM', 'REALLOCATE')
and details->'quota_shares' is not null
"""

_SQLITE_ZONES = """
(select id, coalesce(json_extract(settings, '$.time_zone'), 'UTC') as zone from tenants)
"""

_SQLITE_SHARES = f"""
update transactions set details = json_set(details, '$.quota_shares', json((
    select json_group_array(json_object(
        'quota_id', json_extract(share.value, '$.quota_id'),
        'period_start', nearest_date(json_extract(share.value, '$.period_start'), z.zone),
        'count', json_extract(share.value, '$.count')
    )) from json_each(transactions.details, '$.quota_shares') share
))) from {_SQLITE_ZONES} z
where z.id = transactions.tenant_id and operation in ('REDEEM', 'REALLOCATE')
and json_extract(details, '$.quota_shares') is not null
"""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        zones, nearest_date = _POSTGRES_ZONES, _POSTGRES_DATE.format(at="q.period_start")
        shares = _POSTGRES_SHARES
    else:
        zones, nearest_date = _SQLITE_ZONES, "nearest_date(q.period_start, z.zone)"
        shares = _SQLITE_SHARES
    # Two instants may have one date: those of before and after a change of the zone.
    op.execute(
        f"""
        create table quotas_by_date as
        select q.tenant_id, q.pool_id, q.quota_id, {nearest_date} as period_start,
            cast(sum(q.used) as bigint) as used
        from quotas q join {zones} z on z.id = q.tenant_id group by 1, 2, 3, 4
        """
    )
    op.execute("delete from quotas")
    op.execute("insert into quotas select * from quotas_by_date")
    op.execute("drop table quotas_by_date")
    op.execute(shares)
    for table in ("transactions", "idempotency_keys"):
        op.add_column(table, sa.Column("request_hash", _WHOLE, nullable=True))
