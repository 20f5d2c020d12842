"""How a table is put into a form and filled with copies of redemptions, as SQL."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.copies import SCRAMBLE
from bench.databases import Session
from benefit_programs.storage import tables

FORMS = (
    ("events", "plain"),
    ("events", "range"),
    ("transactions", "plain"),
    ("transactions", "hash"),
)
"""Events also by days of their ids; transactions also by tenant.

All unique keys of a partitioned table must have what it is partitioned by in them. Those of events
have their ids; what all unique keys of transactions share is the tenant alone.
"""

DAYS = 40
DAY_MS = 86_400_000
TENANTS = 16
SAMPLED = 1_000
CHUNK = 1_000_000
PAGE_SIZE = 100
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_MADE = {
    "tenant_id": "x.tenant_id",
    "id": "x.id",
    "created": "x.ms",
    "position": "x.n",
    "sequence": "x.n",
    "entity_id": "p.id",
    "pool_id": "p.id",
    "transaction_id": "x.id",
    "correlation_id": "x.id",
    "idempotency_key": "x.random",
}
"""What is new in a copy, by column; all else is that of a redemption that happened."""

_REAL = {
    "events": "transaction_id is not null",
    "transactions": "operation = 'REDEEM'",
}


UNASKED = ("ix_transactions_correlation_id",)
"""Indexes that no redemption and no page of a pool looks into, and that grow at their ends."""

_LEAN = ("created",)
"""What lean rows have beside the columns of indexes."""

_TABLES = {table.name: table for table in tables.TABLES.values()}


@dataclass(frozen=True, slots=True)
class Filling:
    """So many rows for a table, over ``DAYS`` days that end now.

    Where they are ``lean``, copies have nothing but what its indexes have, and an index that isn't
    asked is left out: a third of the room. What is written later is whole.
    """

    table: str
    form: str
    rows: int
    now: int
    lean: bool = False

    async def read_indexes(self, session: Session) -> list[str]:
        """How the indexes of the table are made, its primary key too.

        To sort for one takes as much room for a while as it does, so the widest are made first.
        """
        found = await session.fetch(
            "select pg_get_indexdef(indexrelid) from pg_index"
            f" where indrelid = '{self.table}'::regclass"
            f" and not ({self.lean} and indexrelid::regclass::text in ({_texts(UNASKED)}))"
            " order by indnkeyatts desc, indexrelid"
        )
        return [str(row[0]) for row in found]

    def prepare(self) -> list[str]:
        """Keep some rows and the ids of pools aside, and make the table anew, without indexes."""
        table, condition = self.table, _REAL[self.table]
        sampled = (
            "create table sampled as select row_number() over () - 1 as k, s.* from"
            f" (select * from {table} where {condition} limit {SAMPLED}) s"
        )
        return [
            sampled,
            "create table pool_ids as select row_number() over () - 1 as k, id from pools",
            "analyze sampled; analyze pool_ids",
            f"create table made (like {table} including defaults){self._partitioned()}",
            *(f"alter table made alter {name} drop not null" for name in self._left_out()),
            f"alter sequence event_positions owned by none; drop table {table}",
            f"alter table made rename to {table}",
            *self._parts(),
            f"select setval('event_positions', {self.rows + 1})",
        ]

    def chunks(self) -> Iterator[tuple[int, int]]:
        """The numbers of the rows, from the first to the last of each statement."""
        for first in range(0, self.rows, CHUNK):
            yield first, min(first + CHUNK, self.rows) - 1

    def insert(self, first: int, last: int) -> str:
        """The statement for rows of some numbers. The later half of the tenants has few each."""
        left_out = self._left_out()
        columns = [name for name in _TABLES[self.table].columns if name not in left_out]
        values = ", ".join(_MADE.get(name, f"s.{name}") for name in columns)
        digits = "substr(m, 1, 3) || '8' || substr(m, 4, 15)"
        return f"""
insert into {self.table} ({", ".join(columns)}) select {values} from (
    select n, tenant_id, ms, m as random, (lpad(to_hex(ms), 12, '0') || '7' || {digits})::uuid as id
    from (
        select n, md5(n::text) as m, {self._instant("n")} as ms,
            case when n % 2 = 0 then 1 else 2 + (n / 2) % {TENANTS - 1} end as tenant_id
        from generate_series({first}::bigint, {last}) n offset 0
    ) y offset 0
) x
join sampled s on s.k = x.n % (select count(*) from sampled)
join pool_ids p on p.k = (x.n * {SCRAMBLE} & 68719476735) % (select count(*) from pool_ids)
"""

    def sizes(self) -> str:
        """The query for the bytes of the rows, and of each index over all parts."""
        return f"""
with parts as (
    select '{self.table}'::regclass as relid
    union select inhrelid from pg_inherits where inhparent = '{self.table}'::regclass
)
select 'rows', sum(pg_table_size(relid)) from parts
union all
select regexp_replace(c.relname, '_p[0-9]+', ''), sum(pg_relation_size(i.indexrelid))
from parts join pg_index i on i.indrelid = parts.relid join pg_class c on c.oid = i.indexrelid
group by 1 having sum(pg_relation_size(i.indexrelid)) > 0
"""

    def instant(self, number: int) -> int:
        """When the row of a number was made."""
        return self.now - (self.rows - number) * DAYS * DAY_MS // self.rows

    def _left_out(self) -> list[str]:
        """The columns that are empty in copies."""
        if not self.lean:
            return []
        table = _TABLES[self.table]
        kept = {*table.key, *_LEAN}.union(*(index.columns for index in table.indexes))
        return [name for name in table.columns if name not in kept]

    def _instant(self, number: str) -> str:
        return f"{self.now} - ({self.rows} - {number}) * {DAYS * DAY_MS} / {self.rows}"

    def _partitioned(self) -> str:
        by = {"plain": "", "range": "partition by range (id)"}
        return by.get(self.form, "partition by hash (tenant_id)")

    def _parts(self) -> Iterator[str]:
        if self.form == "hash":
            for part in range(TENANTS):
                yield (
                    f"create table {parted(self.table, part)} partition of {self.table}"
                    f" for values with (modulus {TENANTS}, remainder {part})"
                )
        if self.form == "range":
            for day in range(DAYS + 1):
                start = f"'{first_id(self.now - (DAYS - day) * DAY_MS)}'" if day else "minvalue"
                end = first_id(self.now - (DAYS - day - 1) * DAY_MS)
                bound = f"'{end}'" if day < DAYS else "maxvalue"
                yield (
                    f"create table {parted(self.table, day)} partition of {self.table}"
                    f" for values from ({start}) to ({bound})"
                )


def _texts(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def parted(table: str, part: int) -> str:
    """The name of a part."""
    return f"{table}_p{part}"


def first_id(instant: int) -> str:
    """The smallest id that can be made at an instant."""
    digits = f"{instant:012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


def day_bounds(filling: Filling, size: int) -> Iterator[tuple[int, str, str]]:
    """The oldest day in pieces of about so many rows of a tenant: tenant, first id, end."""
    day = filling.rows // DAYS
    for tenant_id in range(1, TENANTS + 1):
        spread = 2 if tenant_id == 1 else 2 * (TENANTS - 1)
        step = size * spread
        for number in range(0, day, step):
            last = min(number + step, day)
            yield tenant_id, first_id(filling.instant(number)), first_id(filling.instant(last))


def removal(tenant_id: int, start: str, end: str) -> str:
    """The statement that removes what a tenant has between two ids."""
    return (
        f"delete from events where tenant_id = {tenant_id} and id >= '{start}' and id < '{end}'"
        " returning 1"
    )


def pool_page(pool_id: str) -> str:
    """The newest transactions of a pool."""
    return (
        f"select * from transactions where tenant_id = 1 and pool_id = '{pool_id}'"
        f" order by id desc limit {PAGE_SIZE}"
    )


def feed_page(position: int) -> str:
    """The events of a tenant after a position."""
    return (
        f"select * from events where tenant_id = 1 and position > {position}"
        f" order by position limit {PAGE_SIZE}"
    )
