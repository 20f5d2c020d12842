"""An export: programs with their balances, page by page in the order of their ids."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from benefit_programs.domain.entities import (
    Pool,
    PoolDefinition,
    Program,
    ProgramStatus,
    beneficiary_columns,
)
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import (
    ASSIGNMENTS_OF_PROGRAM_DEFINITION,
    BEFORE_ALL_IDS,
    CHANGES_OF_PROGRAM,
    POOL_DEFINITION,
    SNAPSHOT,
)
from benefit_programs.domain.opening import settled_status
from benefit_programs.domain.scheduled_changes import ScheduledChange
from benefit_programs.domain.values import Instant
from benefit_programs.transfer.dates import stated_dates
from benefit_programs.transfer.holdings import ANY_LOT, Holding, holdings_of
from benefit_programs.transfer.lookups import (
    PAGE_SIZE,
    WALK_POOL_DEFINITIONS,
    WALK_PROGRAM_DEFINITIONS,
    Lookups,
    pages,
    pools_of,
    rows_of,
    walk,
)
from benefit_programs.transfer.records import (
    DATES_COLUMN,
    LOTS_COLUMN,
    LOTS_MAX,
    Named,
    Origin,
    Owner,
    StartStatus,
    StatedBalance,
    StatedLot,
)
from benefit_programs.transfer.totals import Totals

WALK_PROGRAMS = Index(Program, after="id", limit=PAGE_SIZE)
LIVE_POOLS = Index(Pool, "program_id", live=True)


class LeftOut(StrEnum):
    """Programs that an export doesn't have."""

    ENDED = "ENDED"
    WITHOUT_POOLS = "WITHOUT_POOLS"


class NotCarried(StrEnum):
    """What an import of the export won't bring back; the program is in it all the same."""

    EXTENDED_FIELDS = "EXTENDED_FIELDS"
    """Extended fields of a program or of its pools."""

    POOL_DETAILS = "POOL_DETAILS"
    """Details, names or pending changes of a pool that its definition hasn't."""

    OTHER_POOLS = "OTHER_POOLS"
    """A program that has other pools than its definition gives to a new one."""

    RESERVATIONS = "RESERVATIONS"
    """Open reservations: what they hold is in the balance and its lots."""

    LOTS = "LOTS"
    """Lots past those that a row may state: their credits are in the balance alone."""


class ExportReport(msgspec.Struct, kw_only=True):
    """What an export has and hasn't. Counted are programs."""

    totals: Totals = msgspec.field(default_factory=Totals)
    left_out: dict[LeftOut, int] = msgspec.field(default_factory=lambda: dict.fromkeys(LeftOut, 0))
    not_carried: dict[NotCarried, int] = msgspec.field(
        default_factory=lambda: dict.fromkeys(NotCarried, 0)
    )

    @property
    def seen(self) -> int:
        return self.totals.programs + sum(self.left_out.values())


class CountingLookups(Lookups, Protocol):
    """A store that also says how long a walk is."""

    async def count(self, tenant_id: int, index: Index[Any], key: Key) -> int: ...


Encode = Callable[[msgspec.Struct], dict[str, Any]]
Write = Callable[[dict[str, Any]], None]


class Exporter:
    """Exports the programs of one tenant that haven't ended."""

    def __init__(
        self,
        store: CountingLookups,
        tenant_id: int,
        *,
        encode: Encode,
        now: Callable[[], Instant],
    ) -> None:
        self._store = store
        self._tenant_id = tenant_id
        self._encode = encode
        self._now = now
        self._report = ExportReport()
        self._with_dates = False

    async def count(self) -> int:
        return await self._store.count(self._tenant_id, WALK_PROGRAMS, (BEFORE_ALL_IDS,))

    async def more_columns(self) -> list[str]:
        """The columns that a file needs which not every tenant's has."""
        needed = {LOTS_COLUMN: await self._needs_lots(), DATES_COLUMN: await self._needs_dates()}
        self._with_dates = needed[DATES_COLUMN]
        return [name for name in needed if needed[name]]

    async def _needs_dates(self) -> bool:
        """Whether some program has dates, or would get some from its definition."""
        async for definition in walk(self._store, self._tenant_id, WALK_PROGRAM_DEFINITIONS):
            if definition.terms is not None:
                return True
        async for program in walk(self._store, self._tenant_id, WALK_PROGRAMS):
            if program.calendar is not None:
                return True
        return False

    async def _needs_lots(self) -> bool:
        """Whether a file needs a column for lots: there are some, or new pools open with one."""
        if await rows_of(self._store, self._tenant_id, ANY_LOT, [(BEFORE_ALL_IDS,)]):
            return True
        async for found in pages(self._store, self._tenant_id, WALK_POOL_DEFINITIONS):
            if await self._bringing_lots(found):
                return True
        return False

    async def run(
        self, write: Write, progress: Callable[[ExportReport], None] = lambda _report: None
    ) -> ExportReport:
        """Write all programs. Each page is one moment; those made meanwhile may be there or not."""
        async for programs in pages(self._store, self._tenant_id, WALK_PROGRAMS):
            await self._write_page(programs, write)
            progress(self._report)
        return self._report

    async def _write_page(self, programs: list[Program], write: Write) -> None:
        pools = await pools_of(self._store, self._tenant_id, LIVE_POOLS, programs)
        assigned, definitions = await self._definitions_of(programs, pools)
        every = [pool for own in pools.values() for pool in own]
        held = await holdings_of(self._store, self._tenant_id, every, self._now())
        fresh = await self._bringing_lots(definitions.values())
        waiting = await self._waiting(programs)
        for program in programs:
            own = pools.get(program.id, [])
            if settled_status(program) is ProgramStatus.ENDED:
                self._report.left_out[LeftOut.ENDED] += 1
            elif not own:
                self._report.left_out[LeftOut.WITHOUT_POOLS] += 1
            else:
                holdings = {pool.pool_definition_id: held[pool.id] for pool in own}
                self._report.totals.add({key: each.available for key, each in holdings.items()})
                for loss in _losses(program, own, assigned, definitions, holdings):
                    self._report.not_carried[loss] += 1
                states_lots = not fresh.isdisjoint(holdings)
                document = self._document(program, own, holdings, states_lots=states_lots)
                if self._with_dates:
                    dates = stated_dates(program, waiting.get(program.id, ()))
                    document[DATES_COLUMN] = self._encode(dates)
                write(document)

    async def _waiting(self, programs: list[Program]) -> dict[str, list[ScheduledChange]]:
        """The changes that wait for their dates, by the programs that have dates at all."""
        keys = [(each.id,) for each in programs if each.calendar is not None]
        found: dict[str, list[ScheduledChange]] = {}
        for each in await rows_of(self._store, self._tenant_id, CHANGES_OF_PROGRAM, keys):
            assert each.program_id is not None
            found.setdefault(each.program_id, []).append(each)
        return found

    async def _definitions_of(
        self, programs: list[Program], pools: dict[str, list[Pool]]
    ) -> tuple[dict[str, set[str]], dict[str, PoolDefinition]]:
        """The definitions of a page: which pools program definitions give, and how pools begin."""
        ids = {each.program_definition_id for each in programs if each.program_definition_id}
        assigned: dict[str, set[str]] = {each: set() for each in ids}
        for row in await rows_of(
            self._store,
            self._tenant_id,
            ASSIGNMENTS_OF_PROGRAM_DEFINITION,
            [(each,) for each in sorted(ids)],
        ):
            assigned[row.program_definition_id].add(row.pool_definition_id)
        wanted = {pool.pool_definition_id for own in pools.values() for pool in own}
        found = await rows_of(
            self._store, self._tenant_id, POOL_DEFINITION, [(each,) for each in sorted(wanted)]
        )
        return assigned, {row.id: row for row in found}

    async def _bringing_lots(self, definitions: Collection[PoolDefinition]) -> set[str]:
        """The pool definitions whose pools open with a lot, whatever a file says of lots."""
        wanted = {(each.snapshot_id,) for each in definitions}
        found = await rows_of(self._store, self._tenant_id, SNAPSHOT, wanted)
        bringing = {row.id for row in found if row.details.brings_lots}
        return {each.id for each in definitions if each.snapshot_id in bringing}

    def _document(
        self,
        program: Program,
        pools: list[Pool],
        holdings: dict[str, Holding],
        *,
        states_lots: bool,
    ) -> dict[str, Any]:
        lots = _lots_of(holdings)
        named = Named(
            external_program_id=program.external_id,
            namespace=program.namespace,
            program_status=StartStatus(
                "PAUSED" if settled_status(program) is ProgramStatus.PAUSED else "ACTIVE"
            ),
            display_name=program.display_name,
            balances=tuple(
                StatedBalance(pool_definition_id=key, amount=each.available)
                for key, each in holdings.items()
            ),
            lots=lots[:LOTS_MAX] if lots or states_lots else None,
        )
        origin = Origin(
            program_definition_id=program.program_definition_id,
            pool_definition_id=(
                None if program.program_definition_id else pools[0].pool_definition_id
            ),
        )
        parts = (named, origin, Owner(**beneficiary_columns(program.beneficiary)))
        return {name: value for part in parts for name, value in self._encode(part).items()}


def _lots_of(holdings: dict[str, Holding]) -> tuple[StatedLot, ...]:
    return tuple(lot for each in holdings.values() for lot in each.lots)


def _losses(
    program: Program,
    pools: list[Pool],
    assigned: dict[str, set[str]],
    definitions: dict[str, PoolDefinition],
    holdings: dict[str, Holding],
) -> list[NotCarried]:
    """What an import of this program won't bring back."""
    losses = []
    if any(each.has_reservations for each in holdings.values()):
        losses.append(NotCarried.RESERVATIONS)
    if len(_lots_of(holdings)) > LOTS_MAX:
        losses.append(NotCarried.LOTS)
    if program.extended_fields or any(pool.extended_fields for pool in pools):
        losses.append(NotCarried.EXTENDED_FIELDS)
    if any(_is_changed(pool, definitions.get(pool.pool_definition_id)) for pool in pools):
        losses.append(NotCarried.POOL_DETAILS)
    have = [pool.pool_definition_id for pool in pools]
    definition_id = program.program_definition_id
    given = assigned[definition_id] if definition_id else set(have[:1])
    if len(have) != len(given) or set(have) != given or not given <= definitions.keys():
        losses.append(NotCarried.OTHER_POOLS)
    return losses


def _is_changed(pool: Pool, definition: PoolDefinition | None) -> bool:
    has_pending = pool.renewal_action is not None or pool.renewal_snapshot_id is not None
    return has_pending or (definition is not None and definition.snapshot_id != pool.snapshot_id)
