"""What became of the entries of a bulk request."""

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
    """What became of one entry, whatever it was about."""

    id: str | None = None
    original_index: int = 0
    success: bool = False
    error: EntryError | None = None


class BulkEntry(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """What became of one entry; ``item`` is there if it succeeded and was asked for."""

    item_metadata: EntryMetadata = EntryMetadata()
    item: T | None = None

    @property
    def id(self) -> str | None:
        """The id of what the entry is about."""
        return self.item_metadata.id

    @property
    def index(self) -> int:
        """The place of the entry in the request, from 0."""
        return self.item_metadata.original_index

    @property
    def success(self) -> bool:
        """Whether it was done."""
        return self.item_metadata.success

    @property
    def error(self) -> EntryError | None:
        """Why it wasn't done."""
        return self.item_metadata.error


class BulkTotals(Part, frozen=True, kw_only=True):
    """How many entries succeeded and failed."""

    total_successes: int = 0
    total_failures: int = 0
    undetailed_failures: int = 0


class BulkResult(
    msgspec.Struct, Generic[T], frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """What became of each entry. A bulk call is no failure if entries fail: look at them."""

    results: tuple[BulkEntry[T], ...] = ()
    bulk_action_metadata: BulkTotals = BulkTotals()

    @property
    def failures(self) -> tuple[BulkEntry[T], ...]:
        """The entries that weren't done."""
        return tuple(each for each in self.results if not each.success)

    @property
    def successes(self) -> tuple[BulkEntry[T], ...]:
        """The entries that were done."""
        return tuple(each for each in self.results if each.success)
