"""Finds people by the beginnings of words.

The rarest word of a question leads: its rows are read in order, and the people behind them are
asked for the other words, until a page is full. So a page costs what it shows, however many there
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benefit_programs.domain.people.rows import Person
from benefit_programs.storage.query import Dialect, PostgresDialect, Statement
from benefit_programs.storage.reader import Reader
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of

COUNTED_MAX = 1_000
"""How many rows of a word are counted; words that have more are equally frequent."""

LOOKED_THROUGH_MAX = 2_000
"""Through how many rows of a word a page looks for other words; then it is answered as it is."""

_LAST = "\U0010ffff"
"""Sorts after all that begins as a word does."""


class Place(NamedTuple):
    """Where a page goes on: the word that leads, and the row after which."""

    leading: str
    word: str = ""
    person_id: str = "00000000-0000-0000-0000-000000000000"


class PeoplePage(NamedTuple):
    """People in the order of the words that were found, and where to go on if more follow."""

    people: list[Person]
    following: Place | None


class PeopleFinder:
    def __init__(self, reader: Reader, tenant_id: int) -> None:
        self._reader = reader
        self._tenant_id = tenant_id

    async def find(self, words: Sequence[str], place: Place | None, *, limit: int) -> PeoplePage:
        """The next people who have a word that begins with each of these."""
        place = place or Place(await self._rarest(words))
        others = [word for word in words if word != place.leading]
        end = await self._end(place) if others else None
        statement = people_after(
            self._reader.dialect, self._tenant_id, place, end, others, limit=limit + 1
        )
        rows = await self._reader.fetch(statement)
        people = [CODECS[Person].read(row[1:]) for row in rows[:limit]]
        if len(rows) > limit:
            return PeoplePage(people, Place(place.leading, rows[limit - 1][0], people[-1].id))
        return PeoplePage(people, end)

    async def _rarest(self, words: Sequence[str]) -> str:
        """The word that fewest rows begin with; of equally frequent ones the longest."""
        if len(words) == 1:
            return words[0]
        counts = dict(await self._reader.fetch(counts_of_words(self._tenant_id, words)))
        return min(enumerate(words), key=lambda each: (counts[each[0]], -len(each[1])))[1]

    async def _end(self, place: Place) -> Place | None:
        """The last row that a page looks at; None if it looks at all that are left."""
        found = await self._reader.fetch(end_after(self._tenant_id, place))
        return Place(place.leading, *found[0]) if found else None


def counts_of_words(tenant_id: int, words: Sequence[str]) -> Statement:
    """How many rows begin with each word, by its place, counted no further than COUNTED_MAX."""
    return Statement(
        " union all ".join(
            f"select {place}, count(*) from (select 1 from person_words where tenant_id = $1"
            f" and word >= ${2 * place + 2} and word < ${2 * place + 3}"
            f" limit {COUNTED_MAX}) counted"
            for place in range(len(words))
        ),
        (tenant_id, *(end for word in words for end in (word, word + _LAST))),
    )


def end_after(tenant_id: int, after: Place) -> Statement:
    """The row that is LOOKED_THROUGH_MAX rows behind another one."""
    return Statement(
        # By the table's name: PostgreSQL would take a bare id for the text that is selected.
        "select w.word, cast(w.person_id as text) from person_words w where w.tenant_id = $1"
        " and w.word < $2 and (w.word, w.person_id) > ($3, $4)"
        f" order by w.word, w.person_id limit 1 offset {LOOKED_THROUGH_MAX - 1}",
        (tenant_id, after.leading + _LAST, after.word or after.leading, after.person_id),
    )


def people_after(
    dialect: Dialect,
    tenant_id: int,
    after: Place,
    end: Place | None,
    others: Sequence[str],
    *,
    limit: int,
) -> Statement:
    """The next people with all words, each with the first word that begins as the leading one.

    The words of a person's text are in order, so the first of them is where the beginning is first
    found. One person after the other is looked at, until there are enough.
    """
    mark, is_postgres = dialect.bare, isinstance(dialect, PostgresDialect)
    values = [after.leading + _LAST, after.word or after.leading, after.person_id]
    values += [f" {after.leading}", *(f"% {word}%" for word in others)]
    likes = "".join(f" and p.search like {mark(number)}" for number in range(6, 6 + len(others)))
    position = "strpos" if is_postgres else "instr"
    first = f"{position}(p.search, ' ' || w.word || ' ') = {position}(p.search, {mark(5)})"
    until = ""
    if end is not None:
        until = f" and (w.word, w.person_id) <= ({mark(len(values) + 2)}, {mark(len(values) + 3)})"
        values += [end.word, end.person_id]
    person = f"p.tenant_id = {mark(1)} and p.id = w.person_id{likes} and {first}"
    people = f"people p on {person}"
    if is_postgres:
        # However the tables are estimated: never all people first.
        people = f"lateral (select * from people p where {person} offset 0) p"
    return Statement(
        f"select w.word, {columns_of(Person, 'p', dialect)} from person_words w"
        f" cross join {people} where w.tenant_id = {mark(1)} and w.word < {mark(2)}"
        f" and (w.word, w.person_id) > ({mark(3)}, {mark(4)}){until}"
        f" order by w.word, w.person_id limit {limit}",
        (tenant_id, *values),
    )
