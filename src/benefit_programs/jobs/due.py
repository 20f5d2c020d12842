"""The runner of what is due: it books what happens by itself, tenant by tenant.

Every server and worker has one. It looks at the agendas of all tenants once a second, and at the
instant that the next of them names. So it needs nobody to wake it. What is due is found by its
sources: cascades with a date, programs, and pools.

The rows' own locks see to it that each thing is booked once. So that several runners don't wait for
each other at one tenant, whoever begins a turn takes a lease. The first takes the rows that have
been due longest. Each other one leaves to each before it as many as a turn may have, and goes on
behind them, if there are so many. A turn is one chunk at least, and as many as its share of a
second allows; it ends by moving the agenda on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum, auto
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import structlog
from msgspec import Struct

from benefit_programs.domain.audit_rows import CALENDAR
from benefit_programs.domain.clock_commands import DueKind
from benefit_programs.domain.clocks import THE_CLOCK, Clock
from benefit_programs.domain.command import Command
from benefit_programs.domain.due import TURNS, BeginTurn, EndTurn, is_leased, is_on_agenda
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import CHUNK_SIZE, CLOCK
from benefit_programs.domain.orders.calendar import SettlePrograms
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.store import StoreConflict, StoreTimeout, StoreUnavailable
from benefit_programs.domain.values import SYSTEM, Instant
from benefit_programs.engine.clock import booking, move_clock
from benefit_programs.engine.engine import Engine, QueueFull
from benefit_programs.jobs.chunk_sizes import ChunkSizes
from benefit_programs.jobs.rounds import POLL_SECONDS, Round, Rounds
from benefit_programs.jobs.tenants import Tenants, apart
from benefit_programs.storage.agenda import (
    BEHIND_POOLS,
    BEHIND_PROGRAMS,
    DUE_CASCADES,
    DUE_POOLS,
    DUE_PROGRAMS,
    FIRST_PLACE,
    Place,
    TenantAgenda,
    read_agendas,
)
from benefit_programs.storage.all_tenants import AllTenants, AskedStore
from benefit_programs.storage.directory import UnknownTenant

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)

ROUND_SECONDS = 1.0
"""How long a round over all tenants takes, as far as one chunk of each allows."""

TURN_SECONDS = 0.5
"""How long the turn of one tenant takes at the most, but for its last chunk."""

TURN_ROWS_MAX = 2_000
"""After how many rows a turn ends; each other turn at the same tenant leaves it so many."""

TURN_CHUNKS_MAX = 100
"""How many chunks of each source a turn has at the most."""

WIDE_CHUNK_SIZE = 200
"""How many rows a large chunk has where several processes share a database.

There a commit costs more, and only those wait for it who need the same rows.
"""

RESTS_PER_CHUNK = 1
"""How many times as long as a chunk took the runner then rests, if others use the engine."""

TENANTS_AT_ONCE_MAX = 8
"""How many tenants have their turns side by side, where the store can do so."""

FAILURES_MAX = 20
"""After how many rows that failed one after the other a tenant has to wait."""

RETRY_SECONDS = 60.0
"""After how long what failed is tried again."""

_log = structlog.get_logger("benefit_programs.jobs")


class DueStore(AskedStore, Protocol):
    """What the runner reads beside the engine."""

    batches_max: int

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]: ...


class Source(NamedTuple):
    """Rows that something happens to by itself: how they are found, and what does it.

    ``statement`` is given the tenant, the instant, a place and a limit. It finds what is due after
    the place: ids, instants, and how much of a chunk each takes. ``domain.lookups.FIRST_DUE`` has
    an index for each source.
    """

    name: str
    statement: str
    command: Callable[[tuple[str, ...]], Command[int]]
    behind: str | None = None
    """Finds the place behind the rows that a runner leaves to others; without it they do all."""

    small: Callable[[tuple[str, ...]], Command[int]] | None = None
    """The same for rows of which each was seen to take no more than a request changes."""


SOURCES = (
    Source("cascade", DUE_CASCADES, partial(booking, DueKind.CASCADE)),
    Source(
        "program",
        DUE_PROGRAMS,
        partial(booking, DueKind.PROGRAM),
        BEHIND_PROGRAMS,
        lambda ids: SettlePrograms(program_ids=ids, are_small=True),
    ),
    Source("pool", DUE_POOLS, partial(booking, DueKind.POOL), BEHIND_POOLS),
)


class _Outcome(Enum):
    """What came of a turn: nothing could be done, something was done, or another runner does it."""

    NOTHING = auto()
    DONE = auto()
    HELD = auto()


class _Row(NamedTuple):
    id: str
    due: int
    weight: int

    @property
    def place(self) -> Place:
        return self.due, self.id


class _Turn(Struct):
    tenant_id: int
    settings: TenantSettings
    ends: float
    clock: Clock | None
    """That of a sandbox. Others go by real time."""

    number: int = 0
    """To how many other turns it leaves the first rows."""

    places: dict[str, Place] = {}
    """Where it has come to with each source."""

    rows: int = 0
    """How many rows it has done."""

    def is_over(self, at: float) -> bool:
        return at >= self.ends or self.rows >= TURN_ROWS_MAX

    @property
    def kind(self) -> str:
        return TURNS[self.number]

    def now(self, real: Instant) -> Instant:
        return real if self.clock is None else self.clock.now(real)

    def labels(self, source: Source, row: _Row) -> dict[str, object]:
        return {"tenant": self.tenant_id, "entity": source.name, "row": row.id}


def _free_turns(agenda: TenantAgenda, now: Instant) -> list[int]:
    """The numbers of the turns that no runner has at a tenant, the lowest first."""
    return [
        number for number, kind in enumerate(TURNS) if not is_leased(agenda.turns.get(kind), now)
    ]


def _command(turn: _Turn, source: Source, rows: list[_Row]) -> Command[int]:
    """What does a chunk, in the quickest way."""
    ids, most = tuple(row.id for row in rows), max(row.weight for row in rows)
    # Of more rows than a chunk has they aren't counted.
    if source.small is not None and most < CHUNK_SIZE and most <= turn.settings.in_request_max:
        return source.small(ids)
    return source.command(ids)


class _Trouble(Struct):
    """Rows of a tenant's source that failed: those behind them go on from a place.

    They are tried again at an instant of the loop. After too many in a row nothing is done before.
    """

    place: Place
    again: float
    in_a_row: int = 0


class DueRunner:
    """Books what is due until it is closed. ``alone``: no other runner is at this database."""

    def __init__(
        self,
        engine: Engine,
        store: DueStore,
        tenants: Tenants,
        sizes: ChunkSizes,
        *,
        alone: bool,
    ) -> None:
        self._engine = engine
        self._store = store
        self._all = AllTenants(store)
        self._tenants = tenants
        self._sizes = sizes
        self._alone = alone
        self._clock = asyncio.get_running_loop().time
        self._at_once = min(store.batches_max, TENANTS_AT_ONCE_MAX)
        self._troubles: dict[tuple[int, str], _Trouble] = {}
        self._rounds = Rounds(self._go_round, what="due changes")
        self.start = self._rounds.start
        self.close = self._rounds.close
        self.settle = self._rounds.settle

    async def _go_round(self) -> Round:
        """Give each tenant with something due a turn, some of them side by side."""
        now = self._engine.now()
        agendas = await read_agendas(self._all, before=now + round(POLL_SECONDS * 1000), now=now)
        on_agenda = [each for each in agendas if is_on_agenda(each.since, now)]
        due = [each for each in on_agenda if _free_turns(each, now)]
        seconds = min(TURN_SECONDS, ROUND_SECONDS * self._at_once / max(1, len(due)))
        outcomes = [_Outcome.HELD] * (len(on_agenda) - len(due))
        for start in range(0, len(due), self._at_once):
            if self._rounds.is_closing:
                break
            outcomes += await self._take_turns(due[start : start + self._at_once], seconds)
        coming = [each.since - now for each in agendas if each.since > now]
        return Round(
            is_busy=_Outcome.DONE in outcomes,
            is_settled=set(outcomes) <= {_Outcome.NOTHING},
            rest_seconds=min([POLL_SECONDS, *(each / 1000 for each in coming)]),
        )

    async def _take_turns(self, agendas: list[TenantAgenda], seconds: float) -> list[_Outcome]:
        """Let all turns come to their ends before one of them may raise."""
        turns = (self._take_turn_apart(each, seconds) for each in agendas)
        outcomes = await asyncio.gather(*turns, return_exceptions=True)
        for each in outcomes:
            if isinstance(each, BaseException):
                raise each
        return outcomes  # type: ignore[return-value]  # those that were raised are none

    async def _take_turn_apart(self, agenda: TenantAgenda, seconds: float) -> _Outcome:
        outcomes = [_Outcome.HELD]
        with apart(agenda.tenant_id):
            outcomes.append(await self._take_turn(agenda, seconds))
        return outcomes[-1]

    async def _take_turn(self, agenda: TenantAgenda, seconds: float) -> _Outcome:
        tenant_id = agenda.tenant_id
        try:
            settings = await self._tenants.settings(tenant_id)
        except UnknownTenant:
            return _Outcome.NOTHING
        clock = await self._clock_of(tenant_id) if settings.is_sandbox else None
        for number in _free_turns(agenda, self._engine.now()):
            if number and settings.is_sandbox:
                break  # Its batches follow one another anyway.
            turn = _Turn(tenant_id, settings, self._clock() + seconds, clock, number)
            if clock is not None and clock.is_moving:
                return await self._move(turn, seconds)
            found = await self._find_all(turn)
            if not found and number:
                break
            if not found and any((tenant_id, each.name) in self._troubles for each in SOURCES):
                return _Outcome.NOTHING
            if not found or await self._begins(turn):
                await self._do_all(turn, found)
                return _Outcome.DONE
        return _Outcome.HELD

    async def _begins(self, turn: _Turn) -> bool:
        return self._alone or await self._execute(BeginTurn(turn=turn.kind), turn)

    async def _do_all(self, turn: _Turn, found: list[tuple[Source, list[_Row]]]) -> None:
        """Do what was found and what comes behind it, as far as the turn goes."""
        for _ in range(TURN_CHUNKS_MAX):
            started = self._clock()
            for source, rows in found:
                await self._do(turn, source, rows)
            if not found or turn.is_over(self._clock()) or self._rounds.is_closing:
                break
            if self._sizes.next() < CHUNK_SIZE:
                await asyncio.sleep((self._clock() - started) * RESTS_PER_CHUNK)
            found = await self._find_all(turn)
        await self._execute(EndTurn(turn=turn.kind), turn)

    async def _clock_of(self, tenant_id: int) -> Clock | None:
        clocks = await self._store.look_up(tenant_id, CLOCK, [(THE_CLOCK,)])
        return clocks[0] if clocks else None

    async def _move(self, turn: _Turn, seconds: float) -> _Outcome:
        """Go on with a clock that is being set forward."""
        if not await self._begins(turn):
            return _Outcome.HELD
        await move_clock(self._engine, turn.tenant_id, turn.settings, seconds=seconds)
        await self._execute(EndTurn(), turn)
        return _Outcome.DONE

    async def _find_all(self, turn: _Turn) -> list[tuple[Source, list[_Row]]]:
        """The next chunk of each source that has anything due."""
        found = [(source, await self._find(turn, source)) for source in SOURCES]
        return [(source, rows) for source, rows in found if rows]

    async def _find(self, turn: _Turn, source: Source) -> list[_Row]:
        """The next rows of a source, no more than make a chunk; one at least, if there is any."""
        place = await self._place(turn, source)
        if place is None:
            return []
        size = self._size()
        parameters = (turn.tenant_id, turn.now(self._engine.now()), *place, size)
        rows = [_Row(*row) for row in await self._store.fetch(source.statement, parameters)]
        weight = 0
        for count, row in enumerate(rows):
            weight += max(1, row.weight)
            if count and weight > size:
                rows = rows[:count]
                break
        if rows:
            turn.places[source.name] = rows[-1].place
        return rows

    def _size(self) -> int:
        """How many rows the next chunk has at the most."""
        size = self._sizes.next()
        return size if self._alone or size < CHUNK_SIZE else WIDE_CHUNK_SIZE

    async def _place(self, turn: _Turn, source: Source) -> Place | None:
        """Behind what a turn goes on to look; None if nothing is to be tried."""
        place = self._next_place(turn, source)
        come_to = turn.places.get(source.name)
        if place is not None and come_to is None and turn.number:
            come_to = await self._behind_others(turn, source)
            if come_to is None:
                return None
        return place if place is None or come_to is None else max(place, come_to)

    async def _behind_others(self, turn: _Turn, source: Source) -> Place | None:
        """The place behind the rows that are left to others; None if there are no more."""
        if source.behind is None:
            return None
        now, left = turn.now(self._engine.now()), turn.number * TURN_ROWS_MAX
        rows = await self._store.fetch(source.behind, (turn.tenant_id, now, left - 1))
        return (rows[0][0], rows[0][1]) if rows else None

    def _next_place(self, turn: _Turn, source: Source) -> Place | None:
        """From where on to look; None while nothing is to be tried."""
        key = (turn.tenant_id, source.name)
        trouble = self._troubles.get(key)
        if trouble is None:
            return FIRST_PLACE
        is_stopped = trouble.in_a_row >= FAILURES_MAX
        if trouble.again > self._clock():
            return None if is_stopped else trouble.place
        if is_stopped:
            trouble.again, trouble.in_a_row = self._clock() + RETRY_SECONDS, 0
            return trouble.place
        del self._troubles[key]
        return FIRST_PLACE

    async def _do(self, turn: _Turn, source: Source, rows: list[_Row]) -> None:
        """Do a chunk, or else its rows one by one."""
        turn.rows += len(rows)
        try:
            await self._execute(_command(turn, source, rows), turn)
        except (QueueFull, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, other rows can be worked on
            _log.warning("due chunk failed", tenant=turn.tenant_id, reason=str(error))
            for row in rows:
                await self._do_one(turn, source, row)
        else:
            self._pass_by(turn, source, rows[-1])

    async def _do_one(self, turn: _Turn, source: Source, row: _Row) -> None:
        """Do one row, unless so many before it have failed that something is wrong with all."""
        key = (turn.tenant_id, source.name)
        trouble = self._troubles.get(key)
        if trouble is not None and trouble.in_a_row >= FAILURES_MAX:
            return
        try:
            await self._execute(source.command((row.id,)), turn)
        except (QueueFull, StoreUnavailable):
            raise
        except (StoreConflict, StoreTimeout) as error:
            _log.warning("due row has to wait", **turn.labels(source, row), reason=str(error))
        except Exception:  # noqa: BLE001 - whatever it is, other rows can be worked on
            _log.exception("due row failed", **turn.labels(source, row))
        else:
            self._pass_by(turn, source, row)
            return
        if trouble is None:
            again = self._clock() + RETRY_SECONDS
            trouble = self._troubles[key] = _Trouble(row.place, again)
        trouble.place = row.place
        trouble.in_a_row += 1

    def _pass_by(self, turn: _Turn, source: Source, row: _Row) -> None:
        """Remember that a row was done, where others before it have failed."""
        trouble = self._troubles.get((turn.tenant_id, source.name))
        if trouble is not None:
            trouble.place, trouble.in_a_row = row.place, 0

    async def _execute(self, command: Command[Answer], turn: _Turn) -> Answer:
        self._sizes.own += 1
        return await self._engine.execute(
            command,
            tenant_id=turn.tenant_id,
            caller=SYSTEM,
            settings=turn.settings,
            actor=CALENDAR,
        )
