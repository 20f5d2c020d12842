"""The picker of a person: how a page asks for whom something is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benefit_programs.console.page import Done
from benefit_programs.console.people import Person, people_of, person_at, search_people
from benefit_programs.console.visit import Visit
from benefit_programs.domain.errors import Invalid

TEXT_LENGTH_MAX = 200
CHOICES_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Picker:
    """What was looked for, and who was found. ``kept`` is what the page knows already."""

    path: str
    kept: Mapping[str, str]
    text: str = ""
    people: list[Person] = field(default_factory=list)
    has_more: bool = False


async def pick(visit: Visit, path: str, **kept: str) -> Person | Picker | Done:
    """The person that was picked; else a picker, or where a search leads that finds one person.

    Raises NotFoundRoute for a kind of people that there isn't.
    """
    if "id" in visit.query:
        nobody = person_at(visit.query)
        return (await people_of(visit, [nobody.identity]))[-1]
    text = visit.query.get("q", "").strip()[:TEXT_LENGTH_MAX]
    if not text:
        return Picker(path=path, kept=kept)
    try:
        people, following = await search_people(visit, text, limit=CHOICES_MAX)
    except Invalid:  # a text without a letter or digit
        people, following = [], None
    if len(people) == 1 and following is None:
        return Done(visit.at(path, **kept, **people[0].parameters))
    return Picker(
        path=path,
        kept=kept,
        text=text,
        people=people or await _unnamed(visit, text),
        has_more=following is not None,
    )


async def _unnamed(visit: Visit, text: str) -> list[Person]:
    """A member who isn't in the directory, where the text may be an id."""
    try:
        return await people_of(visit, [{"memberId": text}])
    except Invalid:
        return []
