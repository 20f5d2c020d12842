"""Finds people by the beginnings of words.

The rarest word of a question leads: its rows are read in order, some at a time, and the people
behind them are asked for the other words. So a page costs what it shows, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.people.words import words_in
from benefit_programs.storage.query import Dialect, Statement
from benefit_programs.storage.reader import Reader
from benefit_programs.storage.rows import CODECS
from benefit_programs.storage.specs import columns_of

COUNTED_MAX = 1_000
"""How many rows of a word are counted; words that have more are equally frequent."""

ROWS_OF_ONE = 4
"""How many rows the first step reads for each person of a page: several words may begin alike."""

MORE_STEPS = (1_000, 4_000)
"""Through how many rows the further steps of a page look; then it is answered as it is."""

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
        found: list[Person] = []
        for size in (ROWS_OF_ONE * (limit + 1), *MORE_STEPS):
            rows = await self._rows(place, size)
            found_now = await self._people(place.leading, rows, others)
            if len(found) + len(found_now) > limit:
                kept = found_now[: limit - len(found)]
                last = kept[-1][0] if kept else place
                return PeoplePage([*found, *(person for _, person in kept)], last)
            found += [person for _, person in found_now]
            if len(rows) < size:
                return PeoplePage(found, None)
            place = rows[-1]
        return PeoplePage(found, place)

    async def _rarest(self, words: Sequence[str]) -> str:
        """The word that fewest rows begin with; of equally frequent ones the longest."""
        if len(words) == 1:
            return words[0]
        counts = dict(await self._reader.fetch(counts_of_words(self._tenant_id, words)))
        return min(enumerate(words), key=lambda each: (counts[each[0]], -len(each[1])))[1]

    async def _rows(self, after: Place, size: int) -> list[Place]:
        """The next rows of the words that begin as the leading one does."""
        found = await self._reader.fetch(words_after(self._tenant_id, after, limit=size))
        return [Place(after.leading, word, person_id) for word, person_id in found]

    async def _people(
        self, leading: str, rows: Sequence[Place], others: Sequence[str]
    ) -> list[tuple[Place, Person]]:
        """Who is behind rows and has the other words, too; each once, at the first such word."""
        if not rows:
            return []
        ids = [*dict.fromkeys(row.person_id for row in rows)]
        statement = people_with(self._reader.dialect, self._tenant_id, ids, others)
        read = CODECS[Person].read
        people = {row.id: row for row in map(read, await self._reader.fetch(statement))}
        return [
            (row, person)
            for row in rows
            if (person := people.get(row.person_id)) and row.word == _first(leading, person)
        ]


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


def words_after(tenant_id: int, after: Place, *, limit: int) -> Statement:
    """The next words that begin as the leading one does, with the ids of their people."""
    return Statement(
        # By the table's name: PostgreSQL would take a bare id for the text that is selected.
        "select w.word, cast(w.person_id as text) from person_words w where w.tenant_id = $1"
        " and w.word < $2 and (w.word, w.person_id) > ($3, $4)"
        f" order by w.word, w.person_id limit {limit}",
        (tenant_id, after.leading + _LAST, after.word or after.leading, after.person_id),
    )


def people_with(
    dialect: Dialect, tenant_id: int, ids: Sequence[str], words: Sequence[str]
) -> Statement:
    """Those of some people who have a word that begins with each of these."""
    likes = "".join(
        f" and p.search like {dialect.placeholder(number, 'text')}"
        for number, _ in enumerate(words, start=3)
    )
    return Statement(
        f"select {columns_of(Person, 'p', dialect)} from people p where p.tenant_id = $1"
        f" and {dialect.within('p.id', 2, 'uuid')}{likes}",
        (tenant_id, dialect.list_parameter(ids), *(f"% {word}%" for word in words)),
    )


def _first(leading: str, person: Person) -> str | None:
    """The first word of a person that begins as the leading one does."""
    return next((word for word in words_in(person.search) if word.startswith(leading)), None)
