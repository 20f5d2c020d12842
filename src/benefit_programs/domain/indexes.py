"""The ways in which rows are found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeVar

from benefit_programs.domain.rows import Row

R = TypeVar("R", bound=Row)

Key = tuple[Any, ...]


KeysByIndex = Mapping["Index[Any]", Collection[Key]]
"""Several look-ups."""


def fields_of(names: tuple[str, ...]) -> Callable[[Any], Key]:
    """A function that returns these fields of a row as a tuple."""
    if len(names) == 1:
        single = attrgetter(names[0])
        return lambda row: (single(row),)
    return attrgetter(*names) if names else lambda _: ()


class Index(Generic[R]):
    """A way to find rows of one type: by the values of some of its fields.

    ``limit`` bounds how many rows one key loads (then the set may be incomplete, which
    ``State.many`` shows by its length); ``live`` leaves out rows whose life is over. With
    ``after`` a key has one value more, and the rows are those that come after it in the order of
    that column. So a walk goes through a table, ``limit`` rows at a time. Where it doesn't lead on,
    nobody asks for more because of the rows that were found, and where ``empty_leads_on`` isn't set
    not because there were none. Where it ``sums`` a column, somebody does only if there were
    ``limit`` rows that have less in all than is needed.

    What is ``unheld`` needs no lock on another row to be read: either it never changes, or a unique
    key of the store refuses whoever hasn't seen a row that came meanwhile.
    """

    rare = False
    """Whether its rows are looked for to see that there are none."""

    def __init__(
        self,
        entity: type[R],
        *columns: str,
        after: str | None = None,
        limit: int | None = None,
        live: bool = False,
        leads_on: bool = True,
        empty_leads_on: bool = True,
        sums: str | None = None,
        unheld: bool = False,
    ) -> None:
        assert after is None or limit is not None, "a walk has a bounded step"
        self.entity = entity
        self.columns = columns
        self.after = after
        self.limit = limit
        self.live = live
        self.leads_on = leads_on
        self.empty_leads_on = empty_leads_on
        self.sums = sums
        self.unheld = unheld
        self.key_of: Callable[[Row], Key] = fields_of(columns)
        """The key under which this index has a row; a walk has it under no single one."""

        self._place_of = self.key_of if after is None else fields_of((*columns, after))
        self.is_own_key = columns == entity.key and after is None and limit is None and not live
        """Whether it finds rows by their own key, so one at most."""

    def is_after(self, key: Key, row: Row) -> bool:
        """Whether a row comes after ``key`` in the order of the walk."""
        assert self.after is not None
        value = getattr(row, self.after)
        return value is not None and value > key[-1] and key[:-1] == self.key_of(row)

    def is_full(self, found: Collection[Any]) -> bool:
        """Whether a key has so many rows that there may be more of them than were loaded."""
        return self.limit is not None and len(found) >= self.limit

    def has_enough(self, found: Collection[Any], amount: int) -> bool:
        """Whether the rows of a key have an amount of what is summed, or are all that there are."""
        assert self.sums is not None
        return not self.is_full(found) or sum(map(attrgetter(self.sums), found)) >= amount

    def has_moved(self, old: Row, row: Row) -> bool:
        """Whether a row has another place on the walk than before."""
        return self._place_of(row) != self._place_of(old)

    def is_revived(self, old: Row, row: Row) -> bool:
        """Whether a row lives again, so that a walk along the living finds it only now."""
        if not self.live:
            return False
        return old.status in self.entity.over and row.status not in self.entity.over  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"{self.entity.__name__} by {', '.join(self.columns)}"


class RareIndex(Index[R]):
    """A way to find rows that are looked for to see that there are none, such as used keys."""

    rare = True
