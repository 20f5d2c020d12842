"""Who beneficiaries are: how paths and pages name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as column
from typing import Any

from benefit_programs.api.errors import NotFoundRoute
from benefit_programs.console.languages import gettext as _
from benefit_programs.console.languages import later
from benefit_programs.console.visit import Fields, Visit, segment
from benefit_programs.domain.errors import Invalid

_KINDS = {"member": "memberId", "user": "wixUserId", "visitor": "anonymousVisitorId"}
"""The kinds of beneficiaries as paths name them, and their fields on the wire."""

_UNNAMED = {
    "memberId": later("Member %(id)s"),
    "wixUserId": later("User %(id)s"),
    "anonymousVisitorId": later("Visitor %(id)s"),
}

ID_LENGTH_SHOWN = 8
LOOK_UP_MAX = 100
"""How many names the directory is asked for at once."""


@dataclass(frozen=True)
class Person:
    """A beneficiary, with what the directory of people says of it."""

    field: str
    id: str
    row: Mapping[str, Any] = column(default_factory=dict, compare=False)
    """The person as the API answers it; empty if nobody has said who it is."""

    @property
    def identity(self) -> dict[str, str]:
        """The beneficiary as methods take it."""
        return {self.field: self.id}

    @property
    def path(self) -> str:
        kind = next(kind for kind, field in _KINDS.items() if field == self.field)
        return f"/people/{kind}/{segment(self.id)}"

    @property
    def parameters(self) -> dict[str, str]:
        """The person as pages name somebody in a query or a form."""
        kind = next(kind for kind, field in _KINDS.items() if field == self.field)
        return {"kind": kind, "id": self.id}

    @property
    def name(self) -> str:
        """The name, if it is known."""
        return self.row.get("displayName") or ""

    @property
    def shown(self) -> str:
        """The name, or something to call who has none."""
        if self.name:
            return self.name
        more = "…" if len(self.id) > ID_LENGTH_SHOWN else ""
        beginning = self.id[:ID_LENGTH_SHOWN] + more
        return _(_UNNAMED[self.field], id=beginning)


def person_at(path: Fields) -> Person:
    """The person that a path names, without a name. Raises NotFoundRoute for an unknown kind."""
    kind = _KINDS.get(path["kind"])
    if kind is None:
        raise NotFoundRoute
    return Person(kind, path["id"])


async def people_of(visit: Visit, identities: Iterable[Mapping[str, Any]]) -> list[Person]:
    """Those whom beneficiaries on the wire stand for, each once, with their names."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {
        (field, identity[field]): {}
        for identity in identities
        for field in _KINDS.values()
        if identity.get(field)
    }
    asked = [{field: id_} for field, id_ in found]
    for start in range(0, len(asked), LOOK_UP_MAX):
        request = {"beneficiaries": asked[start : start + LOOK_UP_MAX]}
        answer = await visit.call("lookUpPeople", request)
        found |= {_key(row): row for row in answer.get("people", ())}
    return [Person(field, id_, row) for (field, id_), row in found.items()]


async def person_of(visit: Visit) -> Person:
    """The person that the path names. Raises NotFoundRoute for an unknown kind."""
    nobody = person_at(visit.path)
    try:
        return (await people_of(visit, [nobody.identity]))[-1]
    except Invalid:
        raise NotFoundRoute from None


async def search_people(
    visit: Visit, text: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Person], str | None]:
    """Those who are found by the beginnings of words, and the cursor of the next page."""
    paging = {"limit": limit} | ({"cursor": cursor} if cursor else {})
    answer = await visit.call("searchPeople", {"text": text, "cursorPaging": paging})
    people = [Person(*_key(row), row) for row in answer.get("people", ())]
    return people, answer["metadata"]["cursors"].get("next")


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    """The field and the id of somebody whom the directory knows."""
    who = row["beneficiary"]
    return next((field, who[field]) for field in _KINDS.values() if who.get(field))
