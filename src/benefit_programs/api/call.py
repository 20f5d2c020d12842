"""One call of a method: who calls, and what its handler may use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import structlog
from msgspec.structs import replace

from benefit_programs.api.authentication import Principal
from benefit_programs.api.errors import Unexpected, application_error, refusal_of
from benefit_programs.api.method import Method
from benefit_programs.api.services import Services
from benefit_programs.api.turns import Turn
from benefit_programs.domain.audit_rows import Actor
from benefit_programs.domain.clocks import Clock
from benefit_programs.domain.command import Command
from benefit_programs.domain.due import Dated, late_programs
from benefit_programs.domain.entities import Lot, Pool, Program, Reservation, Snapshot
from benefit_programs.domain.errors import Invalid, Refusal
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import POOL
from benefit_programs.domain.pool_items import PoolItem
from benefit_programs.domain.rows import Row
from benefit_programs.domain.state import State
from benefit_programs.domain.values import Instant
from benefit_programs.domain.violations import VIOLATIONS_MAX
from benefit_programs.storage.loading import Asks, Known, load_state, usable_pools
from benefit_programs.storage.query import Page, Query, QuerySpec
from benefit_programs.storage.rows import CODECS
from benefit_programs.wire.codec import Bulk, Decoded
from benefit_programs.wire.types.common import (
    ApplicationError,
    BulkActionMetadata,
    CursorPagingMetadata,
    CursorQuery,
    Cursors,
    ItemMetadata,
)

Answer = TypeVar("Answer")
B = TypeVar("B")
R = TypeVar("R", bound=Row)
T = TypeVar("T")
H = TypeVar("H", Lot, Reservation)

_log = structlog.get_logger("benefit_programs.request")

NO_QUERY = CursorQuery()

_WITH_DATES = (Pool, Program, PoolItem)
"""The rows that tell that something has come due in a program."""


class DueOnReplica(Exception):
    """Something has come due, which the primary has to book before it is shown."""


class Rows(NamedTuple, Generic[T]):
    """One page of what a query has found, and the page itself for its cursors."""

    rows: list[T]
    page: Page
    extra: dict[str, Any]


class Call(msgspec.Struct, frozen=True):
    """A call that was authenticated, with its decoded request."""

    services: Services
    principal: Principal
    method: Method
    turn: Turn
    decoded: Decoded[Any] | None
    bulk: Bulk[Any] | None = None
    clock: Clock | None = None
    """That of a sandbox, as it was when the call began. Others go by real time."""
    on_replica: bool = False
    """Whether a replica answers, where nothing can be booked."""
    request_id: str | None = None

    @property
    def now(self) -> Instant:
        """The tenant's time."""
        real = self.services.engine.now()
        return real if self.clock is None else self.clock.now(real)

    @property
    def tenant_id(self) -> int:
        return self.principal.tenant_id

    async def execute(self, command: Command[Answer]) -> Answer:
        assert not self.on_replica, "a method that writes is no replica's"
        principal = self.principal
        return await self.services.engine.execute(
            command,
            tenant_id=principal.tenant_id,
            caller=principal.caller,
            settings=principal.settings,
            actor=self.actor,
        )

    async def execute_each(
        self, commands: Iterable[tuple[Command[Answer], str | None]]
    ) -> list[Answer | BaseException]:
        """What becomes of commands, each done for a reason of its own, or for the request's."""
        assert not self.on_replica, "a method that writes is no replica's"
        principal, actor = self.principal, self.actor
        return await self.services.engine.execute_each(
            [
                (command, replace(actor, reason=reason) if reason else actor)
                for command, reason in commands
            ],
            tenant_id=principal.tenant_id,
            caller=principal.caller,
            settings=principal.settings,
        )

    @property
    def actor(self) -> Actor:
        """Who calls, for the audit, with the reason that the request gives."""
        request = self.bulk.request if self.bulk else self.decoded and self.decoded.value
        details = getattr(request, "transaction_details", None)
        reason = getattr(request, "reason", None) or getattr(details, "reason", None)
        return Actor(self.principal.who, self.method.name, self.request_id, reason)

    async def one(self, index: Index[R], *key: Any) -> R | None:
        rows = await self.many(index, (key,))
        return rows[0] if rows else None

    async def many(self, index: Index[R], keys: Iterable[Key]) -> list[R]:
        wanted, reader = tuple(keys), self.services.reader
        rows = await reader.many(self.tenant_id, index, wanted)
        if index.entity in _WITH_DATES and await self.catch_up(rows):  # type: ignore[arg-type]
            return await reader.many(self.tenant_id, index, wanted)
        return rows

    async def catch_up(self, rows: Iterable[Dated]) -> bool:
        """Book what has come due in programs of which these rows were read.

        Whether they have to be read again. If nothing can be written now, they are shown as they
        are. It costs nothing unless something has just come due. Raises DueOnReplica.
        """
        engine = self.services.engine
        late = late_programs(rows, engine.now)
        if not late:
            return False
        if self.on_replica:
            raise DueOnReplica
        settings = self.principal.settings
        try:
            await engine.catch_up(late, tenant_id=self.tenant_id, settings=settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is something to show
            _log.warning("late programs are shown as they are", reason=repr(error))
            return False
        return True

    async def load(
        self,
        questions: Iterable[Asks],
        *,
        now: Instant,
        known: Known = (),
        enough: Callable[[State], bool] = lambda _: False,
    ) -> State:
        """What questions ask for, with all that has come due in programs. See ``load_state``."""
        questions, rows = tuple(questions), [(index, list(found)) for index, found in known]

        def loading(known: Known) -> Coroutine[Any, Any, State]:
            return load_state(
                self.services.reader,
                self.tenant_id,
                questions,
                now=now,
                settings=self.principal.settings,
                known=known,
                enough=enough,
            )

        state = await loading(rows)
        if await self.catch_up((*state.all_of(Pool), *state.all_of(Program))):
            # What was known is read anew.
            state = await loading(())
        return state

    async def by_id(self, index: Index[R], ids: Iterable[str | None]) -> dict[str | None, R]:
        """The rows with these ids, by their ids; None is no id."""
        rows: list[Any] = await self.many(index, [(each,) for each in ids if each is not None])
        return {row.id: row for row in rows}

    async def in_pool(self, index: Index[H], row_id: str) -> tuple[H, Pool] | None:
        """What belongs to a pool, with that pool, after all that has come due."""
        found = await self._in_pool(index, row_id)
        if found is not None and await self.catch_up(found[1:]):
            return await self._in_pool(index, row_id)
        return found

    async def _in_pool(self, index: Index[H], row_id: str) -> tuple[H, Pool] | None:
        reader = self.services.reader
        row = await reader.one(self.tenant_id, index, row_id)
        pool = row and await reader.one(self.tenant_id, POOL, row.pool_id)
        return (row, pool) if row and pool else None

    def snapshots(self, ids: Iterable[str]) -> Coroutine[Any, Any, dict[str, Snapshot]]:
        return self.services.reader.snapshots(self.tenant_id, ids)

    async def get(self, index: Index[R], *key: Any, missing: Refusal) -> R:
        """The row that an index has under this key. Raises ``missing`` if there is none."""
        row = await self.one(index, *key)
        if row is None:
            raise missing
        return row

    async def usable(self, pools: list[Pool]) -> list[Pool]:
        """Pools with the credits that they have now, also where something has just come due."""
        services = self.services
        if await self.catch_up(pools):
            again = await self.by_id(POOL, (pool.id for pool in pools))
            pools = [again.get(pool.id, pool) for pool in pools]
        return await usable_pools(
            services.reader,
            self.tenant_id,
            pools,
            now=self.now,
            settings=self.principal.settings,
        )

    async def page(
        self, entity: type[R], query: CursorQuery | None, *, path: str = "query"
    ) -> tuple[list[R], CursorPagingMetadata]:
        """One page of entities, as the method's spec reads them, and what it says about itself."""
        found = await self.find(query, CODECS[entity].read, path=path)
        return found.rows, metadata_of(found.page)

    async def find(
        self,
        query: CursorQuery | None,
        read: Callable[[tuple[Any, ...]], T],
        *,
        dated: Callable[[T], Any] = lambda row: row,
        path: str = "query",
        extra: dict[str, Any] | None = None,
        check: Callable[[frozenset[str]], None] | None = None,
    ) -> Rows[T]:
        """One page of what the method's spec reads; a member finds its own rows alone.

        ``dated`` gives the pool or program of a row. What has come due in it is booked first; then
        the page is read again, for other rows may be on it.
        """
        query = query or NO_QUERY
        found = await self._find(query, read, path, extra or {}, check)
        owners = (each for each in map(dated, found.rows) if isinstance(each, _WITH_DATES))
        if await self.catch_up(owners):
            return await self._find(query, read, path, extra or {}, check)
        return found

    async def _find(
        self,
        query: CursorQuery,
        read: Callable[[tuple[Any, ...]], T],
        path: str,
        extra: dict[str, Any],
        check: Callable[[frozenset[str]], None] | None,
    ) -> Rows[T]:
        paging = query.cursor_paging
        found = await self.services.reader.page(
            self.tenant_id,
            self._spec,
            Query(
                filter=query.filter,
                sort=tuple((each.field_name, each.order) for each in query.sort or ()),
                limit=paging.limit if paging else None,
                cursor=paging.cursor if paging else None,
                scan_limit=query.scan_limit,
                extra=extra,
                path=path,
                now=self.now,
            ),
            ids=self.principal.settings.id_mode,
            row_filter=self._own_rows,
            check=check,
        )
        return Rows([read(row) for row in found.rows], found.page, found.extra)

    async def count(self, value: dict[str, Any] | None, *, at_most: int) -> int:
        """How many rows a filter finds, counted no further than ``at_most`` + 1."""
        return await self.services.reader.count(
            self.tenant_id, self._spec, value, at_most=at_most, ids=self.principal.settings.id_mode
        )

    @property
    def _spec(self) -> QuerySpec:
        assert self.method.spec is not None, "a method that finds rows says what it reads"
        return self.method.spec(self.services.reader.dialect)

    @property
    def _own_rows(self) -> dict[str, Any] | None:
        """The filter that binds a member's key to its own rows."""
        if not self.principal.is_member:
            return None
        return {"beneficiary.memberId": self.principal.caller.id}

    def own_updates(self, attribute: str) -> dict[str, Any]:
        """What an update of the service's own sets; it takes no mask."""
        assert self.decoded is not None
        return self.decoded.updates(attribute)

    def updates(self, attribute: str) -> dict[str, Any]:
        """What an update sets, None for what it clears. Contract: Revisions and PATCH."""
        assert self.decoded is not None
        return updates_of(self.decoded, attribute)


def updates_of(decoded: Decoded[Any], attribute: str) -> dict[str, Any]:
    """What an update sets of its entity; of ``details`` the parts that were sent."""
    mask = decoded.value.field_mask or ()
    updates = decoded.updates(attribute, mask)
    details = updates.get("details")
    if details is not None:
        updates["details"] = {
            part: value
            for part in details.__struct_fields__
            if (value := getattr(details, part)) is not None
            or f"{attribute}.details.{part}" in decoded.nulls
        }
    return updates


class EntryResult(msgspec.Struct, frozen=True):
    """What became of one entry of a bulk request: the answer of its command, or its refusal."""

    metadata: ItemMetadata
    answer: Any | None


def with_pool(entity: type[R]) -> Callable[[tuple[Any, ...]], tuple[R, Pool]]:
    """Reads rows with the columns of an entity, and then those of its pool."""
    codec, of_pool = CODECS[entity], CODECS[Pool]
    width = len(codec.columns)
    return lambda row: (codec.read(row[:width]), of_pool.read(row[width:]))


async def execute_each(
    call: Call,
    command_of: Callable[[int, Any], Command[Any]],
    id_of: Callable[[Any, Any], str | None],
    *,
    prepare: OnEach | None = None,
    explain: OnEach | None = None,
) -> list[EntryResult]:
    """Do a command for each entry of a bulk request, in order, each by itself.

    An entry is a decoded value, or the Invalid that it is refused with. ``id_of`` takes the entry
    and its command's answer, or None where there is none. ``prepare`` gets the commands first, and
    ``explain`` the refusals at last. Raises QueueFull or the store's error if that is what became
    of all entries; otherwise each has its own result.
    """
    assert call.bulk is not None
    entries = call.bulk.entries
    outcomes: list[Any] = [_command(n, entry, command_of) for n, entry in enumerate(entries)]
    if prepare is not None:
        await _go_on(call, outcomes, _numbers_of_commands(outcomes), prepare)
    numbers = _numbers_of_commands(outcomes)
    commands = [(outcomes[number], _reason_of(entries[number])) for number in numbers]
    for number, outcome in zip(numbers, await call.execute_each(commands), strict=True):
        outcomes[number] = outcome
    if explain is not None:
        refused = [n for n, each in enumerate(outcomes) if isinstance(each, Refusal)]
        await _go_on(call, outcomes, refused, explain)
    failures = [each for each in outcomes if _is_failure(each)]
    if len(failures) == len(outcomes):
        raise failures[0]
    return [
        _result(index, entry, outcome, id_of)
        for index, (entry, outcome) in enumerate(
            zip(entries, _within_one_answer(outcomes), strict=True)
        )
    ]


OnEach = Callable[[Call, list[Any]], Awaitable[Sequence[Any]]]
"""Turns what became of some entries into what becomes of them; errors are values."""


async def _go_on(call: Call, outcomes: list[Any], numbers: list[int], do: OnEach) -> None:
    if numbers:
        further = await do(call, [outcomes[number] for number in numbers])
        for number, outcome in zip(numbers, further, strict=True):
            outcomes[number] = outcome


def _command(
    index: int, entry: Any, command_of: Callable[[int, Any], Command[Any]]
) -> Command[Any] | Exception:
    """An entry's command, or why there is none."""
    if isinstance(entry, Invalid):
        return entry
    try:
        return command_of(index, entry)
    except Exception as error:  # noqa: BLE001 - one entry's error is that entry's outcome
        return error


def _numbers_of_commands(outcomes: list[Any]) -> list[int]:
    return [n for n, each in enumerate(outcomes) if not isinstance(each, BaseException)]


def _reason_of(entry: Any) -> str | None:
    """Why an entry is done, if it says so."""
    return getattr(entry.value, "reason", None)


def _within_one_answer(outcomes: list[Any]) -> Iterator[Any]:
    """The same with no more violations than an answer names, and of each entry one at least."""
    room = VIOLATIONS_MAX - sum(1 for each in outcomes if isinstance(each, Invalid))
    for each in outcomes:
        if not isinstance(each, Invalid):
            yield each
            continue
        besides = min(room, len(each.violations) - 1)
        room -= besides
        yield each.naming(1 + besides)


def _is_failure(outcome: Any) -> bool:
    return isinstance(outcome, BaseException) and not isinstance(outcome, Refusal)


def _result(
    index: int, entry: Any, outcome: Any, id_of: Callable[[Any, Any], str | None]
) -> EntryResult:
    if isinstance(outcome, BaseException):
        entry_id = None if isinstance(entry, Invalid) else id_of(entry, None)
        return EntryResult(_failed(index, entry_id, _refusal(outcome)), None)
    metadata = ItemMetadata(id=id_of(entry, outcome), original_index=index, success=True)
    return EntryResult(metadata, outcome)


def _refusal(error: BaseException) -> Refusal:
    """An entry's failure as callers read it; what isn't known is logged, and ours."""
    if not isinstance(error, Exception):
        raise error
    refusal = refusal_of(error)
    if isinstance(refusal, Unexpected):
        _log.error("failed", exc_info=error)
    return refusal


def _failed(index: int, entry_id: str | None, refusal: Refusal) -> ItemMetadata:
    error = application_error(refusal)
    return ItemMetadata(
        id=entry_id,
        original_index=index,
        success=False,
        error=ApplicationError(
            code=error["code"], description=error["description"], data=error["data"]
        ),
    )


def metadata_of(page: Page) -> CursorPagingMetadata:
    return CursorPagingMetadata(
        count=page.count,
        cursors=Cursors(next=page.next_cursor, prev=page.prev_cursor),
        has_next=page.has_next,
    )


def bulk_answer(
    response: Callable[..., B],
    entry: Callable[..., Any],
    results: Sequence[EntryResult],
    view: Callable[[Any], Any] | None = None,
) -> B:
    """The response with one ``entry`` for each result; a view shows what was made or changed."""
    successes = sum(1 for result in results if result.metadata.success)
    return response(
        results=tuple(
            entry(item_metadata=each.metadata, item=view(each.answer))
            if view is not None and each.answer is not None
            else entry(item_metadata=each.metadata)
            for each in results
        ),
        bulk_action_metadata=BulkActionMetadata(
            total_successes=successes,
            total_failures=len(results) - successes,
            undetailed_failures=0,
        ),
    )
