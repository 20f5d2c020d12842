"""The results of the entries of a bulk request."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from benefit_programs.client.types.base import Part

T = TypeVar("T")


class EntryError(Part, frozen=True, kw_only=True):
    """Why an entry failed, with the codes and data of the errors of single calls."""

    code: str = ""
    description: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class EntryMetadata(Part, frozen=True, kw_only=True):
    """The result of one entry of any kind."""

    id: str | None = None
    original_index: int = 0
    success: bool = False
    error: EntryError | None = None


class BulkEntry(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """The result of one entry; it has ``item`` if it succeeded and that was asked for."""

    item_metadata: EntryMetadata = EntryMetadata()
    item: T | None = None

    @property
    def id(self) -> str | None:
        """The id of the entry's entity."""
        return self.item_metadata.id

    @property
    def index(self) -> int:
        """The place of the entry in the request, from 0."""
        return self.item_metadata.original_index

    @property
    def success(self) -> bool:
        """Whether the entry succeeded."""
        return self.item_metadata.success

    @property
    def error(self) -> EntryError | None:
        """Why the entry failed."""
        return self.item_metadata.error


class BulkTotals(Part, frozen=True, kw_only=True):
    """How many entries succeeded and failed."""

    total_successes: int = 0
    total_failures: int = 0
    undetailed_failures: int = 0


class BulkResult(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """The result of each entry. A bulk call succeeds even if entries fail: check them."""

    results: tuple[BulkEntry[T], ...] = ()
    bulk_action_metadata: BulkTotals = BulkTotals()

    @property
    def failures(self) -> tuple[BulkEntry[T], ...]:
        """The entries that failed."""
        return tuple(each for each in self.results if not each.success)

    @property
    def successes(self) -> tuple[BulkEntry[T], ...]:
        """The entries that succeeded."""
        return tuple(each for each in self.results if each.success)
