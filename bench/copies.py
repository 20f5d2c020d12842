"""Copies of a program, made by the database itself: millions of rows in minutes.

What one program's provisioning and redemptions wrote is read as a template. Each row of it becomes
one `insert ... select` over a table of numbers, whose copies are rows as the service would have
written them some time before: every instant is moved, every id is made anew from its instant, and
member, external id and the ids within documents follow. Definitions, snapshots and items are
shared.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Table
from sqlalchemy.dialects import postgresql

from bench.databases import Session, open_session
from benefit_programs.domain.entities import (
    Job,
    Pool,
    Program,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.storage import tables

TABLES = tuple(tables.TABLES[entity] for entity in (Program, Pool, Transaction, Job, Event))
STEP_MS = 50
"""So much later than the one before it each copy was made, the last one before the original."""

INSTANTS = ("created", "next_renewal", "program_due")
"""Columns with instants that are as much earlier in a copy as the copy is."""

CHUNK_PROGRAMS = 20_000
SCRAMBLE = 0xE3779B97F
"""Odd, so that its multiples spread over 48 bits and none comes twice."""

BITS_48 = 0xFFFFFFFFFFFF
_PREFIX_LENGTH = 13
_DIALECT: Any = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One row of the program that is copied: its table, and its values as text."""

    table: Table
    values: Sequence[str | None]


async def copy_program(url: str, program_id: str, *, copies: int, of_one_member: int = 0) -> None:
    """Make so many copies of a program; the first ones belong to the member of the program."""
    async with open_session(url) as session:
        await session.hurry()
        rows = await _read_templates(session, program_id)
        numbers = Numbers.of(rows, is_postgres=session.is_postgres)
        dropped = await _drop_indexes(session)
        for first in range(1, copies + 1, CHUNK_PROGRAMS):
            last = min(first + CHUNK_PROGRAMS - 1, copies)
            await session.execute(numbers.create(first, last, copies, of_one_member))
            for row in rows:
                await session.execute(numbers.insert(row))
            await session.execute("drop table numbers")
        for index in dropped:
            await session.execute(index)
        await session.settle()


async def _read_templates(session: Session, program_id: str) -> list[Template]:
    pools = f"select id from pools where program_id = '{program_id}'"
    conditions = {
        "programs": f"id = '{program_id}'",
        "pools": f"program_id = '{program_id}'",
        "transactions": f"pool_id in ({pools})",
        "jobs": f"subject_id = '{program_id}'",
        "events": f"entity_id = '{program_id}' or entity_id in ({pools})",
    }
    found = []
    for table in TABLES:
        columns = ", ".join(f"cast({column.name} as text)" for column in table.columns)
        sql = f"select {columns} from {table.name} where {conditions[table.name]} order by id"
        found += [Template(table=table, values=row) for row in await session.fetch(sql)]
    return found


async def _drop_indexes(session: Session) -> list[str]:
    """Drop all indexes but the primary keys, and tell how they are made again."""
    names = ", ".join(f"'{table.name}'" for table in TABLES)
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
        self, instants: Sequence[int], others: Sequence[str], member: str, *, is_postgres: bool
    ) -> None:
        self._instants = {str(instant): f"t{n}" for n, instant in enumerate(instants)}
        self._is_postgres = is_postgres
        self._member = member
        self._prefixes = {f"{instant:012x}": f"p{n}" for n, instant in enumerate(instants)}
        self._others = {text: f"o{n}" for n, text in enumerate(others)}
        tokens = [*self._instants, *others, *map(_dashed, self._prefixes)]
        self._pattern = re.compile("|".join(map(re.escape, tokens)))

    @classmethod
    def of(cls, rows: Sequence[Template], *, is_postgres: bool) -> "Numbers":
        """Find what differs from copy to copy."""
        cells = [
            (row.table.name, column.name, value)
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
        return cls(sorted(instants), texts, member, is_postgres=is_postgres)

    def create(self, first: int, last: int, copies: int, of_one_member: int) -> str:
        """Write the statement that makes the table for some of the copies."""
        series = (
            f"select n from generate_series({first}, {last}) n"
            if self._is_postgres
            else f"with recursive s(n) as (select {first} union all select n + 1 from s"
            f" where n < {last}) select n from s"
        )
        columns = []
        for instant, name in self._instants.items():
            moved = f"{instant} - ({copies} + 1 - n) * {STEP_MS}"
            columns += [f"{moved} as {name}", f"{self._hex(moved)} as p{name[1:]}"]
        for text, name in self._others.items():
            made = f"{self._hex(f'(n * {SCRAMBLE}) & {BITS_48}')} || '{text[_PREFIX_LENGTH:]}'"
            if text == self._member:
                made = f"case when n <= {of_one_member} then '{text}' else {made} end"
            columns.append(f"{made} as {name}")
        return (
            f"create temporary table numbers as select n, {', '.join(columns)}"
            f" from ({series}) as series"
        )

    def insert(self, row: Template) -> str:
        """Write the statement that copies one row."""
        names = ", ".join(column.name for column in row.table.columns)
        values = ", ".join(
            self._value(text, column.type)
            for column, text in zip(row.table.columns, row.values, strict=True)
        )
        return f"insert into {row.table.name} ({names}) select {values} from numbers order by n"

    def _hex(self, number: str) -> str:
        """Twelve digits with the dash that they have in an id."""
        if not self._is_postgres:
            digits = f"printf('%012x', {number})"
        else:
            digits = f"lpad(to_hex(({number})::bigint), 12, '0')"
        return f"substr({digits}, 1, 8) || '-' || substr({digits}, 9)"

    def _value(self, text: str | None, kind: Any) -> str:
        if text is None:
            return "null"
        if isinstance(kind, BigInteger):
            return self._instants.get(text, text)
        joined = " || ".join(self._pieces(text))
        if not self._is_postgres:
            return joined
        return f"cast({joined} as {kind.compile(_DIALECT).partition(' COLLATE')[0]})"

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
        known = self._instants.get(token) or self._others.get(token)
        return known or self._prefixes[token.replace("-", "")]


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:]}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
