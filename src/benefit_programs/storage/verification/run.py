"""Verifying: every check on every tenant, in pages, on a database that may be in use.

What a check compares is read in one statement, and the checks of one page in one snapshot, so a
server that goes on writing causes no false alarm. In memory are the numbers of broken rows and the
first of them, never the rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from benefit_programs.storage.query import Dialect, SqliteDialect
from benefit_programs.storage.tables import TABLES
from benefit_programs.storage.verification.calendar import CALENDAR_CHECKS
from benefit_programs.storage.verification.checks import (
    POSTGRES,
    SAMPLES_MAX,
    SQLITE,
    Check,
    Paged,
    Words,
    statement_of,
    write,
)
from benefit_programs.storage.verification.contents import Contents, read_contents
from benefit_programs.storage.verification.entities import ENTITY_CHECKS
from benefit_programs.storage.verification.events import EVENT_CHECKS
from benefit_programs.storage.verification.jobs import JOB_CHECKS
from benefit_programs.storage.verification.ledger import LEDGER_CHECKS
from benefit_programs.storage.verification.lots import LOT_CHECKS

CHECKS: tuple[Check, ...] = (
    *LEDGER_CHECKS,
    *LOT_CHECKS,
    *CALENDAR_CHECKS,
    *ENTITY_CHECKS,
    *JOB_CHECKS,
    *EVENT_CHECKS,
)

_NEXT_TENANT = "select min(t.tenant_id) from {table} t where t.tenant_id > $1"
"""The next tenant that a table has rows of; its primary key answers without reading them."""

PAGE_SIZE = 2_000
"""How many rows of the paging table one snapshot covers."""

PAGES_MAX = 10_000_000

FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

Statement = tuple[str, Sequence[Any]]


PROGRESS_WHOLE = 1_000

Progress = Callable[[int, str], None]
"""Takes how much was looked at, as a part of PROGRESS_WHOLE, and what comes now."""


class VerifiableStore(Protocol):
    """What a verification needs of a store."""

    dialect: Dialect

    async def fetch_together(self, statements: Sequence[Statement]) -> list[list[tuple[Any, ...]]]:
        """The rows of several reads, which see the same commits, however long they take."""
        ...


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A row that breaks an invariant, and how."""

    invariant: str
    tenant_id: int
    entity: str
    id: str
    detail: str

    def __str__(self) -> str:
        place = f"tenant {self.tenant_id}, {self.entity} {self.id}"
        return f"{self.invariant}: {place}: {self.detail}"


class Report(msgspec.Struct, kw_only=True):
    """What a verification found: all broken rows counted, the first of each kind named."""

    contents: Contents
    """What the tenants had before their rows were looked at."""

    tenants: int = 0
    broken: dict[str, int] = msgspec.field(default_factory=dict)
    """How many rows break an invariant, by its number."""

    violations: list[Violation] = msgspec.field(default_factory=list)
    """At most SAMPLES_MAX for each invariant of a tenant."""

    @property
    def is_sound(self) -> bool:
        return not self.broken

    def add(self, count: int, samples: Iterable[Violation], invariant: str) -> None:
        """Count broken rows of one invariant, and name some of them."""
        if count:
            self.broken[invariant] = self.broken.get(invariant, 0) + count
            self.violations.extend(samples)


async def verify_store(
    store: VerifiableStore, *, tenant_ids: Sequence[int] | None = None
) -> list[Violation]:
    """The rows that break an invariant; none in a sound database."""
    return (await verify(store, tenant_ids=tenant_ids)).violations


async def verify(
    store: VerifiableStore,
    *,
    tenant_ids: Sequence[int] | None = None,
    page_size: int = PAGE_SIZE,
    progress: Progress = lambda _done, _what: None,
) -> Report:
    """Check every invariant for some tenants, or for all; then also that no row has another."""
    if (chosen := tenant_ids) is None:
        (rows,) = await store.fetch_together([("select id from tenants order by id", ())])
        chosen = [row[0] for row in rows]
    progress(0, "counting rows")
    report = Report(contents=await read_contents(store, chosen))
    work = _Verification(store, report, page_size)
    work.report_to(progress, tenants=max(len(chosen), 1))
    for tenant_id in chosen:
        await work.verify_tenant(tenant_id)
        report.tenants += 1
    if tenant_ids is None:
        await work.verify_tenants()
    progress(PROGRESS_WHOLE, "done")
    return report


def _table_of(check: Check) -> str | None:
    """The table whose rows a check goes through."""
    return Paged.EVENTS if check in EVENT_CHECKS else check.paged


class _Verification:
    def __init__(self, store: VerifiableStore, report: Report, page_size: int) -> None:
        self._store = store
        self._report = report
        self._page_size = page_size
        self._words: Words = SQLITE if isinstance(store.dialect, SqliteDialect) else POSTGRES
        self._named: dict[tuple[int, str], int] = {}

    def report_to(self, progress: Progress, *, tenants: int) -> None:
        """Say from time to time how far this is: rows, times the checks that go through them."""
        self._progress = progress
        self._done = 0.0
        rows = self._report.contents.rows
        counts = {check: rows.get(_table_of(check) or "", 0) for check in CHECKS}
        self._total = max(sum(counts.values()), 1)
        self._rows_of_tenant = {check: count / tenants for check, count in counts.items()}

    async def read(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        (rows,) = await self._store.fetch_together([(write(sql, self._words), parameters)])
        return rows

    async def verify_tenant(self, tenant_id: int) -> None:
        """Check one tenant: first page by page, then what needs it whole."""
        for paged in Paged:
            await self._verify_pages(tenant_id, paged)
        for check in CHECKS:
            if check.paged is None:
                self._tell(f"{check.invariant} of tenant {tenant_id}")
                await self._run([check], tenant_id)
                self._done += self._rows_of_tenant[check]

    async def verify_tenants(self) -> None:
        for table in TABLES.values():
            last: int | None = -(2**63)
            for _ in range(PAGES_MAX):
                ((last,),) = await self.read(_NEXT_TENANT.format(table=table.name), last)
                if last is None:
                    break
                # Asked after the row was seen: a tenant that is new meanwhile is there by now.
                if not await self.read("select 1 from tenants where id = $1", last):
                    self._add(
                        "I14", last, "tenant", 1, [(str(last), f"{table.name} has rows of it")]
                    )

    async def _verify_pages(self, tenant_id: int, paged: Paged) -> None:
        checks = [check for check in CHECKS if check.paged is paged]
        after = FIRST_ID
        for _ in range(PAGES_MAX):
            self._tell(f"{paged.replace('_', ' ')} of tenant {tenant_id}")
            upto = await self._end_of_page(tenant_id, paged, after)
            await self._run(checks, tenant_id, after, upto)
            if upto == LAST_ID:
                return
            self._done += self._page_size * len(checks)
            after = upto

    def _tell(self, what: str) -> None:
        self._progress(min(int(self._done * PROGRESS_WHOLE / self._total), PROGRESS_WHOLE), what)

    async def _end_of_page(self, tenant_id: int, paged: Paged, after: str) -> str:
        """The last id of a page; that of the last page covers whatever its table lacks."""
        rows = await self.read(
            # By the table's name: PostgreSQL would take a bare id for the text that is selected.
            f"select cast(id as text) from {paged} where tenant_id = $1 and id > $2"
            f" order by {paged}.id limit 1 offset {self._page_size - 1}",
            tenant_id,
            after,
        )
        return rows[0][0] if rows else LAST_ID

    async def _run(self, checks: Sequence[Check], *parameters: Any) -> None:
        """Run checks in one snapshot, and report what they find."""
        statements = [(statement_of(check, self._words), parameters) for check in checks]
        found = await self._store.fetch_together(statements)
        for check, rows in zip(checks, found, strict=True):
            if rows:
                samples = [(row_id, detail) for _, row_id, detail in rows]
                self._add(check.invariant, parameters[0], check.entity, rows[0][0], samples)

    def _add(
        self,
        invariant: str,
        tenant_id: int,
        entity: str,
        count: int,
        samples: Sequence[tuple[str | None, str | None]],
    ) -> None:
        named = self._named.get((tenant_id, invariant), 0)
        kept = samples[: max(SAMPLES_MAX - named, 0)]
        self._named[tenant_id, invariant] = named + len(kept)
        self._report.add(
            count,
            [
                Violation(
                    invariant=invariant,
                    tenant_id=tenant_id,
                    entity=entity,
                    id=row_id or "",
                    detail=detail or "",
                )
                for row_id, detail in kept
            ],
            invariant,
        )
