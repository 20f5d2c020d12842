"""One call of a method: who calls, and what its handler may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from benefit_programs.api.authentication import Principal
from benefit_programs.api.codec import Bulk, Decoded
from benefit_programs.api.errors import application_error
from benefit_programs.api.services import Services
from benefit_programs.api.types.common import (
    ApplicationError,
    BulkActionMetadata,
    CursorQuery,
    ItemMetadata,
)
from benefit_programs.domain.command import Command
from benefit_programs.domain.entities import Row
from benefit_programs.domain.errors import Invalid, Refusal
from benefit_programs.domain.state import Index, Key
from benefit_programs.storage.query import Query, QuerySpec
from benefit_programs.storage.reader import Found

Answer = TypeVar("Answer")
R = TypeVar("R", bound=Row)
NO_QUERY = CursorQuery()


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was authenticated, with its decoded request."""

    services: Services
    principal: Principal
    decoded: Decoded[Any] | None
    bulk: Bulk[Any] | None = None

    @property
    def tenant_id(self) -> int:
        """Whose data the call works on."""
        return self.principal.tenant_id

    async def execute(self, command: Command[Answer]) -> Answer:
        """Do a command through the engine."""
        principal = self.principal
        return await self.services.engine.execute(
            command,
            tenant_id=principal.tenant_id,
            caller=principal.caller,
            settings=principal.settings,
        )

    async def one(self, index: Index[R], *key: Any) -> R | None:
        """The row that an index has under this key."""
        return await self.services.reader.one(self.tenant_id, index, *key)

    async def many(self, index: Index[R], keys: Iterable[Key]) -> list[R]:
        """The rows that an index has under these keys."""
        return await self.services.reader.many(self.tenant_id, index, keys)

    async def page(
        self,
        spec: QuerySpec,
        query: CursorQuery | None,
        *,
        scope: dict[str, Any] | None = None,
        extra: dict[str, Any] | None = None,
        path: str = "query",
        check: Callable[[frozenset[str]], None] | None = None,
    ) -> Found:
        """One page of a query; ``scope`` is what a member's key is bound to."""
        query = query or NO_QUERY
        paging = query.cursor_paging
        return await self.services.reader.page(
            self.tenant_id,
            spec,
            Query(
                filter=query.filter,
                sort=tuple((each.field_name, each.order) for each in query.sort or ()),
                limit=paging.limit if paging else None,
                cursor=paging.cursor if paging else None,
                extra=extra or {},
                path=path,
            ),
            ids=self.principal.settings.id_mode,
            scope=scope,
            check=check,
        )

    async def count(self, spec: QuerySpec, value: dict[str, Any] | None, *, at_most: int) -> int:
        """How many rows a filter finds, counted no further than ``at_most`` + 1."""
        return await self.services.reader.count(
            self.tenant_id, spec, value, at_most=at_most, ids=self.principal.settings.id_mode
        )

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


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What became of one entry of a bulk request: the answer of its command, or its refusal."""

    metadata: ItemMetadata
    answer: Any | None


async def execute_each(
    call: Call,
    entries: Sequence[Any],
    command_of: Callable[[int, Any], Command[Any]],
    id_of: Callable[[Any, Any], str | None],
) -> list[EntryResult]:
    """Do a command for each entry of a bulk request, in order, each by itself.

    An entry is a decoded value, or the Invalid that it is refused with. ``id_of`` takes the entry
    and its command's answer, or None where there is none.
    """
    principal = call.principal
    started: list[Any] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, Invalid):
            started.append(entry)
        else:
            started.append(
                call.services.engine.submit(
                    command_of(index, entry),
                    tenant_id=principal.tenant_id,
                    caller=principal.caller,
                    settings=principal.settings,
                )
            )
    return [
        await _result(*each, id_of)
        for each in zip(range(len(entries)), entries, started, strict=True)
    ]


async def _result(
    index: int, entry: Any, started: Any, id_of: Callable[[Any, Any], str | None]
) -> EntryResult:
    if isinstance(started, Invalid):
        return EntryResult(_failed(index, None, started), None)
    try:
        answer = await started
    except Refusal as refusal:
        return EntryResult(_failed(index, id_of(entry, None), refusal), None)
    metadata = ItemMetadata(id=id_of(entry, answer), original_index=index, success=True)
    return EntryResult(metadata, answer)


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


def count_results(results: Sequence[EntryResult]) -> BulkActionMetadata:
    """How many entries succeeded and failed."""
    successes = sum(1 for result in results if result.metadata.success)
    return BulkActionMetadata(
        total_successes=successes,
        total_failures=len(results) - successes,
        undetailed_failures=0,
    )
