"""The positions of events, which give them their order (ADR 23).

Every event has a position. A batch gets them when it writes, after it has locked what it changes:
so an entity's events have them in the order of their numbers. On SQLite batches come one after the
other. On PostgreSQL the positions come from a sequence, and a batch may commit later than one with
larger positions. So each batch holds, from before its first position until its commit, an advisory
lock whose key is the largest position that was given until then. All positions up to the smallest
of these keys are settled: what has them is there for good, or will never be.
"""

from __future__ import annotations

from benefit_programs.domain.removals import EVENTS
from benefit_programs.storage.tables import EVENT_POSITIONS

_KEY_CLASS = 0x65
"""The first byte of the keys of those advisory locks; seven bytes of position follow."""

HOLD_POSITIONS = (
    f"(select pg_advisory_xact_lock_shared(({_KEY_CLASS}::bigint << 56) | last_value)"
    f" from {EVENT_POSITIONS}) is not null"
)
"""Before any row of an insertion: hold all positions that are given from now on."""

POSTGRES_HOLD = f"select {HOLD_POSITIONS}"
"""The same by itself, for rows that are copied in."""

# The locks are looked at after the sequence: whoever has a position by then had its lock before.
POSTGRES_SETTLED = f"""
select p.last_value, (
    select min(((l.classid::bigint & 16777215) << 32) | l.objid::bigint) from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 1 and l.classid::bigint >> 24 = {_KEY_CLASS}
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
        and p.last_value is not null
) from {EVENT_POSITIONS} p
"""

SQLITE_NEWEST = f"""
select max(
    coalesce((select max(position) from events where tenant_id = ?1), 0),
    coalesce((select position from removals where tenant_id = ?1 and kind = '{EVENTS}'), 0)
)
"""
"""The largest position that a tenant's events have had."""
