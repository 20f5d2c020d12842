"""Reads: from a route straight to a statement. Each sees every commit answered before it."""

from __future__ import annotations

from asyncio import Semaphore
from bisect import bisect_left
from collections.abc import Callable, Coroutine, Iterable, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

import msgspec

from benefit_programs.domain.clocks import THE_CLOCK, Clock
from benefit_programs.domain.entities import Snapshot
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.indexes import Index, Key, KeysByIndex
from benefit_programs.domain.lookups import CLOCK, SNAPSHOT
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.state import AtHand
from benefit_programs.domain.values import Identity
from benefit_programs.storage.beneficiaries import programs_of
from benefit_programs.storage.feed import Feed
from benefit_programs.storage.kept import BEGINNING, Kept, KeptOfBeneficiary, Place
from benefit_programs.storage.query import (
    GUIDS_DEFAULT,
    GUIDS_OPEN,
    GUIDS_STRICT,
    Dialect,
    Page,
    Query,
    QuerySpec,
    Statement,
    plan_count,
    plan_page,
)
from benefit_programs.storage.query.cursors import CursorContent, decode_cursor, encode_cursor
from benefit_programs.storage.query.paging import cursor_refused
from benefit_programs.storage.query.spec import LIMIT_DEFAULT

R = TypeVar("R", bound=Row)
T = TypeVar("T")

SNAPSHOTS_MAX = 5_000
"""How many snapshots the reader keeps, of all tenants together."""

STEPS_MAX = 20
"""After how many steps a page of what is kept of a beneficiary is answered, however few it has."""

SNAPSHOT_SECONDS_MAX = 60
"""How long several statements may take that see the same commits."""

LONG_READS_MAX = 1
"""How many reads over very many rows a process does at a time; others wait."""

GUIDS = {
    IdMode.DEFAULT: GUIDS_DEFAULT,
    IdMode.STRICT: GUIDS_STRICT,
    IdMode.OPEN: GUIDS_OPEN,
}


class ReadableStore(Protocol):
    dialect: Dialect

    async def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement that may take long."""
        ...

    async def fetch_together(
        self,
        statements: Sequence[tuple[str, Sequence[Any]]],
        *,
        seconds_max: float | None = None,
    ) -> list[list[tuple[Any, ...]]]:
        """The rows of several reads, which see the same commits."""
        ...

    async def look_up(self, tenant_id: int, index: Index[R], keys: Iterable[Key]) -> list[R]: ...

    async def look_up_all(
        self, tenant_id: int, wanted: KeysByIndex
    ) -> dict[Index[Any], list[Any]]: ...


class Found(msgspec.Struct, frozen=True):
    """One page of rows, and the page itself for its cursors."""

    rows: list[tuple[Any, ...]]
    page: Page
    extra: dict[str, Any]


class Reader:
    """Reads one store for all tenants."""

    def __init__(self, store: ReadableStore, secret: bytes) -> None:
        self._store = store
        self.look_up = store.look_up
        self.feed = Feed(store)
        self._secret = secret
        self._turn = Semaphore(LONG_READS_MAX)
        self._snapshots: dict[tuple[int, str], Snapshot] = {}

    def on(self, store: ReadableStore) -> Reader:
        """What reads another copy of the database, with the same cursors."""
        return Reader(store, self._secret)

    @property
    def dialect(self) -> Dialect:
        return self._store.dialect

    async def one(self, tenant_id: int, index: Index[R], *key: Any) -> R | None:
        rows = await self._store.look_up(tenant_id, index, (key,))
        return rows[0] if rows else None

    async def clock(self, tenant_id: int) -> Clock | None:
        """The clock of a sandbox; none if nobody has used it yet."""
        return await self.one(tenant_id, CLOCK, THE_CLOCK)

    def many(
        self, tenant_id: int, index: Index[R], keys: Iterable[Key]
    ) -> Coroutine[Any, Any, list[R]]:
        wanted = dict.fromkeys(keys)
        return self.look_up(tenant_id, index, wanted) if wanted else _nothing()

    def programs_of(
        self, tenant_id: int, identity: Identity, position: str, *, limit: int
    ) -> Coroutine[Any, Any, tuple[str, ...]]:
        """The ids of a beneficiary's next programs after an id."""
        return programs_of(self._store, tenant_id, identity, position, limit=limit)

    def snapshots_at_hand(self, tenant_id: int) -> AtHand:
        """The snapshots that were read before."""
        return {SNAPSHOT: lambda key: self._snapshots.get((tenant_id, key[0]))}

    async def snapshots(self, tenant_id: int, ids: Iterable[str]) -> dict[str, Snapshot]:
        """Snapshots by id. They never change, so those that were read once are kept."""
        wanted = dict.fromkeys(ids)
        missing = [(each,) for each in wanted if (tenant_id, each) not in self._snapshots]
        found = {row.id: row for row in await self.many(tenant_id, SNAPSHOT, missing)}
        known = {
            each: found.get(each) or self._snapshots[tenant_id, each]
            for each in wanted
            if each in found or (tenant_id, each) in self._snapshots
        }
        if len(self._snapshots) + len(found) > SNAPSHOTS_MAX:
            self._snapshots.clear()
        new = (((tenant_id, row.id), row) for row in found.values())
        self._snapshots.update(islice(new, SNAPSHOTS_MAX))
        return known

    async def look_up_all(self, tenant_id: int, wanted: KeysByIndex) -> dict[Index[Any], list[Any]]:
        """The rows of the indexes that have keys. Snapshots are kept, and read only once."""
        rest = {index: keys for index, keys in wanted.items() if keys and index is not SNAPSHOT}
        found = await self._store.look_up_all(tenant_id, rest) if rest else {}
        if SNAPSHOT in wanted:
            snapshots = await self.snapshots(tenant_id, (key[0] for key in wanted[SNAPSHOT]))
            found[SNAPSHOT] = [*snapshots.values()]
        return found

    def slice_page(
        self,
        length: int,
        *,
        method: str,
        tenant_id: int,
        subject: str,
        limit: int | None,
        cursor: str | None,
    ) -> Page:
        """One page of the positions of a list that is stored whole, such as the items of a job."""
        size = limit or LIMIT_DEFAULT
        start, end = 0, size
        if cursor:
            content = self._content_of(
                cursor, method=method, tenant_id=tenant_id, subject=subject, path="paging"
            )
            position = int(content.position[0] or 0)
            start = max(position - size, 0) if content.backwards else position
            end = position if content.backwards else position + size

        def cursor_at(position: int, *, backwards: bool) -> str:
            content = CursorContent((position,), backwards, (), None, {"subject": subject})
            return encode_cursor(content, method=method, tenant_id=tenant_id, secret=self._secret)

        end = min(end, length)
        rows = [(index,) for index in range(start, end)]
        following = cursor_at(end, backwards=False) if rows and end < length else None
        preceding = cursor_at(start, backwards=True) if rows and start else None
        return Page(rows, following, preceding)

    def ordered_page(
        self,
        places: Sequence[str],
        *,
        method: str,
        tenant_id: int,
        subject: str,
        limit: int | None,
        cursor: str | None,
    ) -> Page:
        """One page of the positions of a list that is made whole, in the order of its places.

        A page goes on after the place of the last one, whatever came or went meanwhile.
        """
        size = limit or LIMIT_DEFAULT
        start, end = 0, min(size, len(places))
        if cursor:
            content = self._content_of(
                cursor, method=method, tenant_id=tenant_id, subject=subject, path=""
            )
            place = bisect_left(places, str(content.position[0]))
            start = max(place - size, 0) if content.backwards else place
            end = place if content.backwards else min(place + size, len(places))

        def cursor_at(place: str, *, backwards: bool) -> str:
            content = CursorContent((place,), backwards, (), None, {"subject": subject})
            return encode_cursor(content, method=method, tenant_id=tenant_id, secret=self._secret)

        following = cursor_at(places[end], backwards=False) if end < len(places) else None
        preceding = cursor_at(places[start], backwards=True) if 0 < start < end else None
        return Page([(number,) for number in range(start, end)], following, preceding)

    async def kept_page(
        self,
        identity: Identity,
        *,
        method: str,
        tenant_id: int,
        limit: int | None,
        cursor: str | None,
    ) -> tuple[list[Kept], str | None]:
        """The next rows that tell of a beneficiary, and the cursor of what follows, if anything.

        There may be fewer rows than the limit, or none, although more follow: after some steps an
        answer must come. Raises Invalid for a cursor of anything else.
        """
        place: Place | None = BEGINNING
        subject = f"{identity.type}:{identity.id}"
        if cursor:
            place = self.read_cursor(cursor, method=method, tenant_id=tenant_id, subject=subject)
        finder = KeptOfBeneficiary(self._store, tenant_id, identity)
        size, found = limit or LIMIT_DEFAULT, list[Kept]()
        for _ in range(STEPS_MAX):
            if place is None or len(found) >= size:
                break
            kept, place = await finder.after(place)
            found += kept
        if len(found) > size:
            del found[size:]
            place = found[-1].place
        if place is None:
            return found, None
        return found, self.write_cursor(place, method=method, tenant_id=tenant_id, subject=subject)

    def write_cursor(
        self, position: tuple[str | int | None, ...], *, method: str, tenant_id: int, subject: str
    ) -> str:
        """The cursor of a place in what a method tells of a subject."""
        content = CursorContent(position, False, (), None, {"subject": subject})
        return encode_cursor(content, method=method, tenant_id=tenant_id, secret=self._secret)

    def read_cursor(
        self, cursor: str, *, method: str, tenant_id: int, subject: str
    ) -> tuple[Any, ...]:
        """The place that a cursor of this subject stands for. Raises Invalid for any other."""
        content = self._content_of(
            cursor, method=method, tenant_id=tenant_id, subject=subject, path=""
        )
        return content.position

    def _content_of(
        self, cursor: str, *, method: str, tenant_id: int, subject: str, path: str
    ) -> CursorContent:
        """What a cursor of this subject says. Raises Invalid for any other."""
        content = decode_cursor(cursor, method=method, tenant_id=tenant_id, secret=self._secret)
        if content is None or content.extra.get("subject") != subject:
            raise Invalid((cursor_refused(Query(path=path)),))
        return content

    async def fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        return await self._store.fetch(statement.sql, statement.parameters)

    async def fetch_together(self, *statements: Statement) -> list[list[tuple[Any, ...]]]:
        """The rows of several statements, which see the same commits."""
        plain = [(each.sql, each.parameters) for each in statements]
        return await self._store.fetch_together(plain, seconds_max=SNAPSHOT_SECONDS_MAX)

    async def fetch_in_turn(self, *statements: Statement) -> list[list[tuple[Any, ...]]]:
        """The same for statements over very many rows: of these, a process runs few at a time."""
        async with self._turn:
            return await self.fetch_together(*statements)

    async def page(
        self,
        tenant_id: int,
        spec: QuerySpec,
        query: Query,
        *,
        ids: IdMode,
        row_filter: dict[str, Any] | None = None,
        check: Callable[[frozenset[str]], None] | None = None,
    ) -> Found:
        """One page of a query. ``check`` is given the fields that the filter pins, and may refuse.

        Raises Invalid with all violations of the query.
        """
        plan = plan_page(
            spec,
            query,
            dialect=self._store.dialect,
            tenant_id=tenant_id,
            ids=GUIDS[ids],
            secret=self._secret,
            row_filter=row_filter,
        )
        if check is not None:
            check(plan.pinned_fields)
        if (scan := plan.scan_statement) is not None:
            plan.bound(await self.fetch(scan))
        rows = await self.fetch(plan.statement)
        probe = plan.probe_statement(rows)
        page = plan.page(rows, await self.fetch(probe) if probe else ())
        return Found(page.rows, page, plan.extra)

    async def count(
        self,
        tenant_id: int,
        spec: QuerySpec,
        value: dict[str, Any] | None,
        *,
        at_most: int,
        ids: IdMode,
    ) -> int:
        """How many rows a filter finds, counted no further than ``at_most`` + 1.

        Raises Invalid with all violations of the filter.
        """
        statement = plan_count(
            spec,
            value,
            at_most=at_most,
            dialect=self._store.dialect,
            tenant_id=tenant_id,
            ids=GUIDS[ids],
        )
        ((number,),) = await self.fetch(statement)
        return int(number)


async def _nothing() -> list[Any]:
    return []
