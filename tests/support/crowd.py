"""A database with as many members as wanted: copies of a few that the service has made.

A copy is all that one provisioning wrote, under other ids: the program, its pools, their opening
transactions, the job, and their events. Nothing else differs, so whatever the service
makes of a member it makes of each copy.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import asyncpg
import msgspec

from benefit_programs.domain.calendars import Calendar, Timetable
from benefit_programs.domain.entities import (
    Job,
    Lot,
    Pool,
    Program,
    Transaction,
    beneficiary_columns,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import DAY
from benefit_programs.storage.directory import DEFAULT_TENANT_ID
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of
from tests.support.calls import NAMESPACE, Caller, Document, benefit, details
from tests.support.inprocess import open_application
from tests.support.service import FIRST_KEY
from tests.support.wallet import add_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benefit_programs.domain.values import Identity, Instant

OWNERS: dict[type[Row], str] = {
    Program: "id",
    Pool: "program_id",
    Lot: "pool_id",
    Transaction: "pool_id",
    Job: "subject_id",
    Event: "entity_id",
}
"""What a provisioning writes, and the column that names whose it is."""

TOLD_OF_MEMBERS = "entity in ('program', 'pool', 'lot')"
"""Which events are a member's; the others tell of definitions and items."""

TEMPLATES = 50
AMOUNT = "1000000"
"""What a pool has at first, and gets with each renewal."""

BATCH_ROWS = 50_000
MARK = "@@@-@@@@"
"""Stands in a template for what differs from copy to copy: digits 16 to 23 of every id."""

RANK_MARK = MARK.replace("@", "#").replace("-", "")
"""The same in the ranks of lots, which have ids without dashes."""

_CLEARING = [
    f"delete from {CODECS[entity].table}" + f" where {TOLD_OF_MEMBERS}" * (entity is Event)
    for entity in OWNERS
]

Rows = dict[type[Row], list[tuple[Any, ...]]]


class Crowd(msgspec.Struct):
    """What was made: a program definition, its pool definitions, and what a redemption names."""

    url: str
    programs: int
    plan: Document
    definitions: list[Document]

    @property
    def pools(self) -> int:
        """How many pools there are in all."""
        return self.programs * len(self.definitions)

    @property
    def reference(self) -> Document:
        """The item of the first pool definition's benefit."""
        return {"externalId": "towel", "providerAppId": self._benefit["providerAppId"]}

    def redemption(self, pool_id: str, key: str) -> Document:
        """The request that redeems the benefit of one of the first definition's pools."""
        return {
            "poolId": pool_id,
            "benefitKey": self._benefit["benefitKey"],
            "itemReference": self.reference,
            "idempotencyKey": key,
            "namespace": NAMESPACE,
        }

    @property
    def _benefit(self) -> Document:
        return self.definitions[0]["details"]["benefits"][0]  # type: ignore[no-any-return]


async def gather_crowd(
    url: str,
    *,
    programs: int,
    pools_each: int = 1,
    expires_after: str | None = None,
) -> Crowd:
    """Fill an empty database, whose first tenant has FIRST_KEY."""
    async with open_application(url, bootstrap_api_key=FIRST_KEY) as (_, client):
        caller = Caller(client, FIRST_KEY)
        crowd = await _define(caller, url, programs, pools_each, expires_after)
        for _ in range(min(TEMPLATES, programs)):
            await caller.provision(program_definition=crowd.plan)
    await copy_members(url, programs)
    return crowd


async def _define(
    caller: Caller, url: str, programs: int, pools_each: int, expires_after: str | None
) -> Crowd:
    lasting = {} if expires_after is None else {"expiresAfter": expires_after}
    plan = await caller.create_program_definition()
    definitions = []
    for _ in range(pools_each):
        made = await caller.create_pool_definition(
            programDefinitionIds=[plan["id"]],
            details=details(
                benefit("towel", price="1"), creditConfiguration={"amount": AMOUNT, **lasting}
            ),
        )
        await add_item(caller, made["details"]["benefits"][0], "towel")
        definitions.append(made)
    return Crowd(url=url, programs=programs, plan=plan, definitions=definitions)


async def copy_members(url: str, programs: int) -> None:
    """Replace the members that the service has made by so many copies of them."""
    async with open_application(url, run_jobs=False) as (running, _):
        texts = await _templates(running.services.engine._store)
    write = _write_sqlite if url.startswith("sqlite") else _write_postgres
    await write(url, _copies(texts, programs))


async def _templates(store: Any) -> list[str]:
    """What each provisioning wrote, as a JSON text with marks in it."""
    found: Rows = {}
    for entity in OWNERS:
        columns = columns_of(entity, "t", store.dialect)
        sql = f"select {columns} from {CODECS[entity].table} t where t.tenant_id = $1"
        found[entity] = await store.fetch(sql, (DEFAULT_TENANT_ID,))
    return [_template(found, program) for program in found[Program]]


def _template(found: Rows, program: tuple[Any, ...]) -> str:
    id_at = CODECS[Program].columns.index("id")
    parts: Rows = {Program: [program]}
    owners = {program[id_at]}
    for entity in list(OWNERS)[1:]:
        at = CODECS[entity].columns.index(OWNERS[entity])
        parts[entity] = [row for row in found[entity] if row[at] in owners]
        owners |= {row[CODECS[entity].columns.index("id")] for row in parts[entity]}
    own = CODECS[Program].columns
    owners |= {program[own.index("external_id")], program[own.index("member_id")]}
    text = msgspec.json.encode(list(parts.values())).decode()
    for known in owners:
        text = text.replace(known, known[:15] + MARK + known[23:])
        plain = known.replace("-", "")
        text = text.replace(plain, plain[:13] + RANK_MARK + plain[20:])
    return text


def _copies(templates: list[str], programs: int) -> Iterator[list[list[tuple[Any, ...]]]]:
    """The rows of every type in the order of OWNERS, many members at a time."""
    rows: list[list[tuple[Any, ...]]] = [[] for _ in OWNERS]
    each, more = divmod(programs, len(templates))
    for place, template in enumerate(templates):
        for number in range(each + (place < more)):
            digits = f"{number:06x}"
            copied = template.replace(MARK, f"{digits[:3]}-8{digits[3:]}")
            copied = copied.replace(RANK_MARK, f"{digits[:3]}8{digits[3:]}")
            for copies, new in zip(rows, msgspec.json.decode(copied), strict=True):
                copies.extend(new)
            if sum(map(len, rows)) > BATCH_ROWS:
                yield rows
                rows = [[] for _ in OWNERS]
    yield rows


async def _write_sqlite(url: str, copies: Iterator[list[list[tuple[Any, ...]]]]) -> None:
    connection = apsw.Connection(url.removeprefix("sqlite:///"))
    connection.execute("pragma synchronous = off; begin")
    connection.execute("; ".join(_CLEARING))
    for batch in copies:
        for entity, rows in zip(OWNERS, batch, strict=True):
            codec = CODECS[entity]
            holes = ", ".join("?" * (1 + len(codec.columns)))
            connection.executemany(
                f"insert into {codec.table} (tenant_id, {', '.join(codec.columns)})"
                f" values ({holes})",
                [(DEFAULT_TENANT_ID, *row) for row in rows],
            )
    connection.execute("commit")
    connection.close()


async def _write_postgres(url: str, copies: Iterator[list[list[tuple[Any, ...]]]]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("; ".join(_CLEARING))
    for batch in copies:
        for entity, rows in zip(OWNERS, batch, strict=True):
            codec = CODECS[entity]
            await connection.copy_records_to_table(
                codec.table,
                columns=("tenant_id", *codec.columns),
                records=[(DEFAULT_TENANT_ID, *row) for row in rows],
            )
    await connection.execute("vacuum analyze")
    await connection.close()


async def let_expire(url: str, instant: Instant) -> None:
    """Have all lots of a crowd, whose credits live long, expire at one instant instead."""
    ranks = "substr(rank, 1, 3) || cast($2 as text) || substr(rank, 16)"
    changes: list[tuple[str, tuple[Any, ...]]] = [
        (
            f"update lots set expiration_date = $1, rank = {ranks} where tenant_id = $3",
            (instant, f"{instant:012x}"),
        ),
        ("update pools set due = $1 where tenant_id = $2 and in_lots > 0", (instant,)),
        (_AGENDA, (instant,)),
    ]
    await _change(url, changes)


async def let_renew(url: str, instant: Instant, *, every: str = "P1M") -> None:
    """Have all programs of a crowd renew at one instant, and again and again after it."""
    timetable = Timetable(every=every, anchor=instant, time_zone="UTC")
    calendar = Calendar(time_zone="UTC", timetable=timetable, cycle=1, cycle_start=instant - DAY)
    document = msgspec.json.encode(calendar).decode()
    programs = "update programs set calendar = $1, next_renewal = $2, due = $2 where tenant_id = $3"
    await _change(
        url,
        [
            (programs, (document, instant)),
            ("update pools set program_due = $1 where tenant_id = $2", (instant,)),
            (_AGENDA, (instant,)),
        ],
    )


_AGENDA = """
insert into agenda (since, kind, newest_order, tenant_id) values ($1, 'due', 0, $2)
on conflict (tenant_id, kind) do update set since = excluded.since
"""


async def _change(url: str, changes: list[tuple[str, tuple[Any, ...]]]) -> None:
    """Make changes of the first tenant; the last parameter of each names it."""
    if url.startswith("sqlite"):
        with closing(apsw.Connection(url.removeprefix("sqlite:///"))) as connection:
            for sql, values in changes:
                connection.execute(sql, (*values, DEFAULT_TENANT_ID))
        return
    connection = await asyncpg.connect(url)
    for sql, values in changes:
        await connection.execute(sql, *values, DEFAULT_TENANT_ID)
    await connection.execute("vacuum analyze")
    await connection.close()


async def give_to(url: str, owner: Identity, *, programs: int) -> None:
    """Make the oldest programs one beneficiary's, who has also instructed all that they booked."""
    columns = beneficiary_columns(owner)
    whose = (columns["anonymous_visitor_id"], columns["member_id"])
    oldest = f"(select id from programs where tenant_id = $3 order by id limit {programs})"
    pools = f"(select id from pools where tenant_id = $3 and program_id in {oldest})"
    told = "anonymous_visitor_id = $1, member_id = $2 where tenant_id = $3"
    instructed = "party_type = $1, party_id = $2 where tenant_id = $3"
    async with open_application(url, run_jobs=False) as (running, _):
        store: Any = running.services.engine._store
        for sql, values in (
            (f"update programs set {told} and id in {oldest}", whose),
            (f"update pools set {told} and program_id in {oldest}", whose),
            (
                f"update transactions set {instructed} and pool_id in {pools}",
                (str(owner.type), owner.id),
            ),
        ):
            await store.execute(sql, (*values, DEFAULT_TENANT_ID))
