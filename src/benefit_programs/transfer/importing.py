"""An import: rows are judged in chunks, and what is new in each is one batch of the engine.

A few batches are under way side by side: while the database writes one, the next ones are judged
and decided. In memory are they and the first findings, however long the file is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import NamedTuple, Protocol

import msgspec

from benefit_programs.domain.command import Command
from benefit_programs.domain.errors import (
    FieldViolation,
    Invalid,
    PoolDefinitionNotFound,
    ProgramDefinitionNotFound,
    Refusal,
    ViolatedRule,
)
from benefit_programs.domain.lookups import POOLS_OF_PROGRAM, PROGRAM_BY_EXTERNAL_ID
from benefit_programs.domain.orders.openings import living
from benefit_programs.domain.values import Credits, Instant
from benefit_programs.transfer.commands import Imported, ImportProgram, ProvisionStated
from benefit_programs.transfer.comparison import (
    Difference,
    Existing,
    differing_balances,
    differing_fields,
    imported_amounts,
)
from benefit_programs.transfer.definitions import Definitions, Plan
from benefit_programs.transfer.files import Line
from benefit_programs.transfer.holdings import holdings_of
from benefit_programs.transfer.lookups import Lookups, pools_of, rows_of
from benefit_programs.transfer.records import (
    Decode,
    Record,
    read_record,
    settle_amounts,
    settle_lots,
)
from benefit_programs.transfer.seen import SeenKeys
from benefit_programs.transfer.totals import Totals

CHUNK_SIZE = 256
"""How many rows are judged together, and their programs made in one commit."""

UNDER_WAY_MAX = 4
"""How many commits are under way side by side, so that neither side waits for the other."""


class Outcome(StrEnum):
    """What becomes of a row."""

    CREATED = "CREATED"
    """Its program is made; in a dry run, it would be."""

    UNCHANGED = "UNCHANGED"
    """Its program is there and is what the row says, or was when it was imported."""

    DIFFERENT = "DIFFERENT"
    """Its program is there and isn't what the row says; it is left as it is."""

    INVALID = "INVALID"
    """The row can't be used."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong about a row: a rule that it breaks, or a field that differs."""

    line: int
    outcome: Outcome
    external_id: str | None
    field: str
    rule: str | None = None
    description: str | None = None
    difference: Difference | None = None


class ImportReport(msgspec.Struct, kw_only=True):
    """What an import did, or would do. ``totals`` are those of created and unchanged programs."""

    findings_max: int
    rows: int = 0
    outcomes: dict[Outcome, int] = msgspec.field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    totals: Totals = msgspec.field(default_factory=Totals)
    findings: list[Finding] = msgspec.field(default_factory=list)
    findings_left_off: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether every row is in the database, or could be."""
        return not (self.outcomes[Outcome.DIFFERENT] or self.outcomes[Outcome.INVALID])

    def count(self, outcome: Outcome, findings: Iterable[Finding] = ()) -> None:
        self.outcomes[outcome] += 1
        for finding in findings:
            if len(self.findings) < self.findings_max:
                self.findings.append(finding)
            else:
                self.findings_left_off += 1


Made = Imported | Exception
"""What a command comes to: its answer, or what it raised."""

Execute = Callable[[Sequence[Command[Imported]]], Awaitable[list[Made]]]
"""Does commands in one batch."""


class Progress(Protocol):
    """Called from time to time with the report so far."""

    def __call__(self, report: ImportReport, /) -> None: ...


class _Judged(NamedTuple):
    """A row that is well formed and comes for the first time."""

    line: int
    record: Record
    plan: Plan


class _UnderWay(NamedTuple):
    rows: list[_Judged]
    made: asyncio.Future[list[Made]]


class Importer:
    """Imports rows into one tenant; without ``execute`` it only says what an import would do."""

    def __init__(
        self,
        store: Lookups,
        tenant_id: int,
        *,
        decode: Decode,
        execute: Execute | None,
        now: Callable[[], Instant],
        findings_max: int,
        progress: Progress = lambda _report: None,
    ) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._decode = decode
        self._execute = execute
        self._now = now
        self._progress = progress
        self._definitions = Definitions(store, tenant_id)
        self._under_way: deque[_UnderWay] = deque()
        self._report = ImportReport(findings_max=findings_max)

    async def run(self, lines: Iterable[Line]) -> ImportReport:
        """Import all rows. Raises WrongFile, StoreUnavailable, StoreTimeout or StoreConflict.

        What was imported until then stays, and the next run skips it.
        """
        with SeenKeys() as seen:
            try:
                for chunk in _chunks(lines):
                    await self._take(chunk, seen)
                    await self._settle(UNDER_WAY_MAX - 1)
                    self._progress(self._report)
                await self._settle(0)
            except BaseException:
                await self._abandon()
                raise
        self._progress(self._report)
        self._report.findings.sort(key=lambda finding: finding.line)
        return self._report

    async def _take(self, chunk: list[Line], seen: SeenKeys) -> None:
        rows = [judged for line in chunk if (judged := await self._judge(line, seen))]
        keys = [row.record.key for row in rows]
        programs = {
            (program.namespace, program.external_id): program
            for program in await rows_of(self._store, self._tenant_id, PROGRAM_BY_EXTERNAL_ID, keys)
        }
        pools = await pools_of(self._store, self._tenant_id, POOLS_OF_PROGRAM, programs.values())
        existing: list[tuple[int, Existing]] = []
        new: list[_Judged] = []
        for row in rows:
            program = programs.get(row.record.key)
            if program is not None:
                left = living(pools.get(program.id, []))
                existing.append((row.line, Existing(row.record, row.plan, program, left)))
            elif self._can_be_created(row):
                new.append(row)
        if new and self._execute is not None:
            made = asyncio.ensure_future(self._execute(list(map(_command, new))))
            self._under_way.append(_UnderWay(new, made))
        await self._compare(existing)

    async def _judge(self, line: Line, seen: SeenKeys) -> _Judged | None:
        """A row that can be imported as far as it goes by itself, or None if it was refused."""
        self._report.rows += 1
        external_id = line.document.get("externalProgramId")
        try:
            if line.problem is not None:
                raise Invalid((line.problem,))
            record = read_record(line.document, self._decode)
            before = seen.line_before(record.key, line.number)
            if before is not None:
                raise _repeated(before)
            plan = await self._definitions.plan(record.origin, record.named.namespace)
        except Refusal as refusal:
            self._refuse(line.number, external_id, refusal)
            return None
        return _Judged(line.number, record, plan)

    def _can_be_created(self, row: _Judged) -> bool:
        """Whether a row fits what its program is made from; in a dry run it counts as made."""
        try:
            stated = settle_amounts(row.record.named, list(row.plan.credits))
            settle_lots(row.record.named, stated, row.record.named.as_of(self._now()))
        except Invalid as refusal:
            self._refuse(row.line, row.record.named.external_program_id, refusal)
            return False
        if self._execute is None:
            self._count_created(row.plan.credits | stated)
        return True

    async def _compare(self, rows: list[tuple[int, Existing]]) -> None:
        pools = [pool for _, existing in rows for pool in existing.pools]
        held = await holdings_of(self._store, self._tenant_id, pools, self._now())
        imported = await imported_amounts(
            self._store, self._tenant_id, [existing for _, existing in rows], held
        )
        for line, existing in rows:
            balances, amounts = differing_balances(existing, held, imported)
            differences = differing_fields(existing) + balances
            if not differences:
                self._report.count(Outcome.UNCHANGED)
                self._report.totals.add(amounts)
                continue
            external_id = existing.program.external_id
            self._report.count(Outcome.DIFFERENT, _findings(line, external_id, differences))

    async def _settle(self, remaining: int) -> None:
        """Wait for the oldest batches until no more than so many are under way."""
        while len(self._under_way) > remaining:
            rows, made = self._under_way[0]
            for row, each in zip(rows, await made, strict=True):
                if isinstance(each, Refusal):
                    self._refuse(row.line, row.record.named.external_program_id, each)
                elif isinstance(each, Exception):
                    raise each
                else:
                    self._count_created(
                        {pool.pool_definition_id: pool.available for pool in each.pools}
                    )
            self._under_way.popleft()

    async def _abandon(self) -> None:
        """Stop the batches under way, and take their failures."""
        waiting = [each.made for each in self._under_way]
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _count_created(self, amounts: dict[str, Credits]) -> None:
        self._report.count(Outcome.CREATED)
        self._report.totals.add(amounts)

    def _refuse(self, line: int, external_id: object, refusal: Refusal) -> None:
        given = external_id if isinstance(external_id, str) else None
        self._report.count(
            Outcome.INVALID,
            [
                Finding(
                    line=line,
                    outcome=Outcome.INVALID,
                    external_id=given,
                    field=each.field,
                    rule=each.rule_name or str(each.violated_rule),
                    description=each.description,
                )
                for each in _violations(refusal)
            ],
        )


def _command(row: _Judged) -> ImportProgram:
    named = row.record.named
    return ImportProgram(
        provision=ProvisionStated(
            beneficiary=row.record.beneficiary,
            namespace=named.namespace,
            external_id=named.external_program_id,
            status=named.status,
            display_name=named.display_name,
            program_definition_id=row.plan.program_definition_id,
            pool_definition_id=row.plan.pool_definition_id,
            at_once=True,
            named=named,
        ),
        named=named,
    )


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while chunk := list(islice(rest, CHUNK_SIZE)):
        yield chunk


def _repeated(line: int) -> Invalid:
    return Invalid.because(
        "externalProgramId", f"is that of line {line} already", rule_name="once_per_file"
    )


def _findings(line: int, external_id: str, differences: Iterable[Difference]) -> list[Finding]:
    return [
        Finding(
            line=line,
            outcome=Outcome.DIFFERENT,
            external_id=external_id,
            field=difference.field,
            difference=difference,
        )
        for difference in differences
    ]


_FIELDS: dict[type[Refusal], str] = {
    ProgramDefinitionNotFound: "programDefinitionId",
    PoolDefinitionNotFound: "poolDefinitionId",
}


def _violations(refusal: Refusal) -> tuple[FieldViolation, ...]:
    """What a refusal says about fields; one of a command names the field that it is about."""
    if isinstance(refusal, Invalid):
        return refusal.violations
    field = _FIELDS.get(type(refusal), "externalProgramId")
    return (FieldViolation(field, refusal.description, ViolatedRule.OTHER, rule_name=refusal.code),)
