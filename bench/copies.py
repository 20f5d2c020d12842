"""Copies of programs, made by the database itself: millions of rows in minutes.

What one program's provisioning and redemptions wrote is read as a template. Each row of it becomes
one `insert ... select` over a table of numbers, whose copies are rows as the service would have
written them some time before: every instant is moved, every id is made anew from its instant, and
member, external id and the ids within documents follow. Definitions, snapshots and items are
shared.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.databases import Session, open_session
from benefit_programs.domain.entities import (
    Job,
    Pool,
    Program,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.rows import Row
from benefit_programs.storage import tables

ENTITIES: tuple[type[Row], ...] = (Program, Pool, Transaction, Job, Event)
"""What of a program is copied, unless another choice is made."""

STEP_MS = 50
"""So much later than the one before it each copy was made, the last one before the original."""

INSTANTS = (
    "created",
    "date",
    "effective_date",
    "end_date",
    "expiration_date",
    "next_renewal",
    "program_due",
)
"""Columns with instants that are as much earlier in a copy as the copy is."""

CHUNK_PROGRAMS = 20_000
SCRAMBLE = 0xE3779B97F
"""Odd, so that its multiples spread over 48 bits and none comes twice."""

BITS_48 = 0xFFFFFFFFFFFF
_PREFIX_LENGTH = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One row of the program that is copied: its table, and its values as text."""

    table: tables.Table
    values: Sequence[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """A program, how many copies are made of it, and how far apart they were made."""

    program_id: str
    copies: int
    of_one_member: int = 0
    """So many of the first copies belong to the member of the program."""

    step_ms: int = STEP_MS


async def copy_program(url: str, program_id: str, *, copies: int, of_one_member: int = 0) -> None:
    """Make so many copies of a program; the first ones belong to the member of the program."""
    copying = Copying(program_id=program_id, copies=copies, of_one_member=of_one_member)
    await copy_programs(url, [copying])


async def copy_programs(
    url: str, copyings: Sequence[Copying], entities: Sequence[type[Row]] = ENTITIES
) -> None:
    """Copy the rows of some programs in these tables. Indexes are made anew afterwards."""
    copied = [tables.TABLES[entity] for entity in entities]
    async with open_session(url) as session:
        await session.hurry()
        # All are read before the first is copied, while it takes no index to find them.
        templates = [await _read_templates(session, each.program_id, copied) for each in copyings]
        dropped = await _drop_indexes(session, copied)
        for copying, rows in zip(copyings, templates, strict=True):
            await _copy(session, copying, rows)
        for index in dropped:
            await session.execute(index)
        await session.settle()


async def _copy(session: Session, copying: Copying, rows: Sequence[Template]) -> None:
    numbers = Numbers.of(rows, copying, is_postgres=session.is_postgres)
    for first in range(1, copying.copies + 1, CHUNK_PROGRAMS):
        last = min(first + CHUNK_PROGRAMS - 1, copying.copies)
        await session.execute(numbers.create(first, last))
        for row in rows:
            await session.execute(numbers.insert(row))
        await session.execute("drop table numbers")


async def _read_templates(
    session: Session, program_id: str, copied: Sequence[tables.Table]
) -> list[Template]:
    pools = f"select id from pools where program_id = '{program_id}'"
    moved = f"select id from transactions where pool_id in ({pools})"
    conditions = {
        "programs": f"id = '{program_id}'",
        "pools": f"program_id = '{program_id}'",
        "lots": f"pool_id in ({pools})",
        "transactions": f"pool_id in ({pools})",
        "scheduled_changes": f"program_id = '{program_id}'",
        "jobs": f"subject_id = '{program_id}'",
        "events": f"entity_id = '{program_id}' or entity_id in ({pools})",
        "audit_entries": f"program_id = '{program_id}' or pool_id in ({pools}) or id in ({moved})",
    }
    found = []
    for table in copied:
        columns = ", ".join(f"cast({column} as text)" for column in table.columns)
        sql = f"select {columns} from {table.name} where {conditions[table.name]} order by id"
        found += [Template(table=table, values=row) for row in await session.fetch(sql)]
    return found


async def _drop_indexes(session: Session, copied: Sequence[tables.Table]) -> list[str]:
    """Drop all indexes but the primary keys, and tell how they are made again."""
    names = ", ".join(f"'{table.name}'" for table in copied)
    if session.is_postgres:
        sql = (
            "select indexname, indexdef from pg_indexes"
            f" where tablename in ({names}) and indexname not like 'pk%'"
        )
    else:
        sql = (
            "select name, sql from sqlite_schema"
            f" where type = 'index' and sql is not null and tbl_name in ({names})"
        )
    found = await session.fetch(sql)
    for name, _ in found:
        await session.execute(f"drop index {name}")
    return [definition for _, definition in found]


class Numbers:
    """A table with a row for each copy: its instants, and the beginnings of its ids."""

    def __init__(
        self,
        instants: Sequence[int],
        others: Sequence[str],
        member: str,
        copying: Copying,
        *,
        is_postgres: bool,
    ) -> None:
        self._copying = copying
        self._instants = {str(instant): f"t{n}" for n, instant in enumerate(instants)}
        self._is_postgres = is_postgres
        self._member = member
        self._prefixes = {f"{instant:012x}": f"p{n}" for n, instant in enumerate(instants)}
        self._digits = {digits: f"d{name[1:]}" for digits, name in self._prefixes.items()}
        self._others = {text: f"o{n}" for n, text in enumerate(others)}
        # Twelve digits alone are those in the rank of a lot.
        tokens = [*self._instants, *others, *map(_dashed, self._prefixes), *self._digits]
        self._pattern = re.compile("|".join(map(re.escape, tokens)))

    @classmethod
    def of(cls, rows: Sequence[Template], copying: Copying, *, is_postgres: bool) -> "Numbers":
        """Find what differs from copy to copy."""
        cells = [
            (row.table.name, column, value)
            for row in rows
            for column, value in zip(row.table.columns, row.values, strict=True)
            if value is not None
        ]
        instants = {int(value) for _, name, value in cells if name in INSTANTS}
        others = {
            name: value
            for table, name, value in cells
            if table == "programs" and name in {"external_id", "member_id"}
        }
        member = others["member_id"]
        texts = sorted(set(others.values()))
        return cls(sorted(instants), texts, member, copying, is_postgres=is_postgres)

    def create(self, first: int, last: int) -> str:
        """Write the statement that makes the table for some of the copies."""
        series = (
            f"select n from generate_series({first}::bigint, {last}::bigint) n"
            if self._is_postgres
            else f"with recursive s(n) as (select {first} union all select n + 1 from s"
            f" where n < {last}) select n from s"
        )
        columns = []
        for instant, name in self._instants.items():
            moved = f"{instant} - ({self._copying.copies} + 1 - n) * {self._copying.step_ms}"
            columns += [
                f"{moved} as {name}",
                f"{self._dash(self._hex(moved))} as p{name[1:]}",
                f"{self._hex(moved)} as d{name[1:]}",
            ]
        for text, name in self._others.items():
            digits = self._dash(self._hex(f"(n * {SCRAMBLE}) & {BITS_48}"))
            made = f"{digits} || '{text[_PREFIX_LENGTH:]}'"
            if text == self._member:
                own = self._copying.of_one_member
                made = f"case when n <= {own} then '{text}' else {made} end"
            columns.append(f"{made} as {name}")
        return (
            f"create temporary table numbers as select n, {', '.join(columns)}"
            f" from ({series}) as series"
        )

    def insert(self, row: Template) -> str:
        """Write the statement that copies one row."""
        names = ", ".join(row.table.columns)
        values = ", ".join(
            self._value(text, column.type)
            for column, text in zip(row.table.columns.values(), row.values, strict=True)
        )
        return f"insert into {row.table.name} ({names}) select {values} from numbers order by n"

    def _hex(self, number: str) -> str:
        """Twelve digits."""
        if not self._is_postgres:
            return f"printf('%012x', {number})"
        return f"lpad(to_hex(({number})::bigint), 12, '0')"

    def _dash(self, digits: str) -> str:
        """Twelve digits with the dash that they have in an id."""
        return f"substr({digits}, 1, 8) || '-' || substr({digits}, 9)"

    def _value(self, text: str | None, kind: tables.ColumnType) -> str:
        if text is None:
            return "null"
        if kind is tables.ColumnType.WHOLE:
            return self._instants.get(text, text)
        joined = " || ".join(self._pieces(text))
        if not self._is_postgres:
            return joined
        return f"cast({joined} as {kind.value})"

    def _pieces(self, text: str) -> Iterator[str]:
        """Literals between what differs."""
        end = 0
        for found in self._pattern.finditer(text):
            if found.start() > end or not end:
                yield _literal(text[end : found.start()])
            yield self._named(found[0])
            end = found.end()
        yield _literal(text[end:])

    def _named(self, token: str) -> str:
        known = self._instants.get(token) or self._others.get(token) or self._digits.get(token)
        return known or self._prefixes[token.replace("-", "")]


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:]}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
