"""Events have their places in a feed, and old ones are removed: up to which is kept beside them.

Events that are there get theirs in the order in which they were made. Their ids tell it but for
the clocks of several servers; where those disagree, what is certain counts: the events of an entity
go by their numbers, and those of a pool and its balance by the revisions of the balance, too.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(postgresql.UUID(as_uuid=False), "postgresql")
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

_PLACES = """
with numbered as (
    select e.tenant_id, e.id, cast(e.id as text){collation} as made,
        cast(e.entity_id as text){collation} as entity_id,
        case when e.entity = 'balance' then 0 else e.sequence end as sequence,
        case when e.entity = 'balance' then e.sequence else coalesce(max(t.balance_revision) over (
            partition by e.tenant_id, e.entity, e.entity_id order by e.sequence
        ), 0) end as revision
    from events e left join transactions t on t.tenant_id = e.tenant_id and t.id = e.transaction_id
), kept as (
    select n.*, max(made) over (
        partition by tenant_id, entity_id order by revision, sequence, made
    ) as due
    from numbered n
)
select tenant_id, id, row_number() over (
    order by due, entity_id, revision, sequence, made
) as place
from kept
"""


def upgrade() -> None:
    is_postgres = op.get_context().dialect.name == "postgresql"
    if is_postgres:
        op.execute("create sequence event_positions")
    op.add_column(
        "events", sa.Column("position", _WHOLE, nullable=False, server_default=sa.text("0"))
    )
    places = _PLACES.format(collation=' collate "C"' if is_postgres else "")
    op.execute(f"create table event_places as {places}")
    op.execute("create index ix_event_places on event_places (tenant_id, id)")
    op.execute(
        "update events set position = p.place from event_places p"
        " where p.tenant_id = events.tenant_id and p.id = events.id"
    )
    if is_postgres:
        op.alter_column("events", "position", server_default=sa.text("nextval('event_positions')"))
        # The first number is never given, so that there is one below any that is.
        op.execute("select setval('event_positions', 1 + (select count(*) from event_places))")
    op.execute("drop table event_places")
    op.create_index("ix_events_position", "events", ["tenant_id", "position"])
    op.create_table(
        "removals",
        sa.Column("tenant_id", _WHOLE, nullable=False, autoincrement=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("upto", _ID, nullable=False),
        sa.Column("created", _WHOLE, nullable=False),
        sa.Column("position", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name="pk_removals"),
        sqlite_strict=True,
    )
