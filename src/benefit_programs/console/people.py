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
from benefit_programs.domain.people.provided import PeopleProviderFailure

_KINDS = {"member": "memberId", "user": "wixUserId", "visitor": "anonymousVisitorId"}
"""The kinds of beneficiaries as paths name them, and their fields on the wire."""

_UNNAMED = {
    "memberId": later("Member %(id)s"),
    "wixUserId": later("User %(id)s"),
    "anonymousVisitorId": later("Visitor %(id)s"),
}

_PROBLEMS = {
    PeopleProviderFailure.PROVIDER_TIMEOUT: later(
        "Your own system doesn't answer in time: names may be missing."
    ),
    PeopleProviderFailure.PROVIDER_FAILED: later(
        "Your own system couldn't be asked for names: some may be missing."
    ),
    PeopleProviderFailure.PROVIDER_ANSWER_INVALID: later(
        "Your own system told of people who can't be shown: some may be missing."
    ),
}
"""What a page says of the tenant's provider of people."""

ID_LENGTH_SHOWN = 8
LOOK_UP_MAX = 100
"""How many names the directory is asked for at once."""


@dataclass(frozen=True)
class Person:
    """A beneficiary, with what the directory of people says of it."""

    field: str
    id: str
    row: Mapping[str, Any] = column(default_factory=dict, compare=False)
    """The person as the directory has it; empty if nobody has said who it is."""

    provided: Mapping[str, Any] = column(default_factory=dict, compare=False)
    """The person as the tenant's own system knows it, if the directory has no name."""

    @property
    def identity(self) -> dict[str, str]:
        """The beneficiary as methods take it."""
        return {self.field: self.id}

    @property
    def key(self) -> tuple[str, str]:
        """What a row of theirs has, by key_of."""
        return self.field, self.id

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
        return self._said("displayName")

    @property
    def email(self) -> str:
        return self._said("email")

    @property
    def phone(self) -> str:
        return self._said("phone")

    def _said(self, field: str) -> str:
        """What the directory says, and what it lacks the tenant's own system."""
        return self.row.get(field) or self.provided.get(field) or ""

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


async def people_of(
    visit: Visit, identities: Iterable[Mapping[str, Any]], *, directory_only: bool = False
) -> list[Person]:
    """Those whom beneficiaries on the wire stand for, each once, with their names.

    If the tenant's own system can't be asked for the names that the directory lacks, the page says
    so, and they are missing.
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {
        (field, identity[field]): {}
        for identity in identities
        for field in _KINDS.values()
        if identity.get(field)
    }
    provided: dict[tuple[str, str], Mapping[str, Any]] = {}
    asked = [{field: id_} for field, id_ in found]
    for start in range(0, len(asked), LOOK_UP_MAX):
        request = {
            "beneficiaries": asked[start : start + LOOK_UP_MAX],
            "directoryOnly": directory_only,
        }
        answer = await visit.call("lookUpPeople", request)
        found |= {key_of(row): row for row in answer.get("people", ())}
        provided |= _provided(visit, answer)
    return [Person(*key, row, provided.get(key, {})) for key, row in found.items()]


def _provided(visit: Visit, answer: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Whom the tenant's own system knows; the page says what is wrong with it, if anything is."""
    problem = answer.get("providerProblem")
    if problem is not None:
        visit.remark(_(_PROBLEMS[problem["code"]]))
    return {key_of(each): each for each in answer.get("provided", ())}


async def by_beneficiary(
    visit: Visit, rows: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], Person]:
    """Whose some rows are, by the keys of the rows."""
    people = await people_of(visit, (each["beneficiary"] for each in rows))
    return {each.key: each for each in people}


async def person_of(visit: Visit, *, directory_only: bool = False) -> Person:
    """The person that the path names. Raises NotFoundRoute for an unknown kind."""
    nobody = person_at(visit.path)
    try:
        found = await people_of(visit, [nobody.identity], directory_only=directory_only)
        return found[-1]
    except Invalid:
        raise NotFoundRoute from None


async def search_people(
    visit: Visit, text: str, *, limit: int, cursor: str | None = None
) -> tuple[list[Person], str | None]:
    """Those who are found by the beginnings of words, and the cursor of the next page.

    On the first page the people whom only the tenant's own system knows come last.
    """
    paging = {"limit": limit} | ({"cursor": cursor} if cursor else {})
    answer = await visit.call("searchPeople", {"text": text, "cursorPaging": paging})
    people = [Person(*key_of(row), row) for row in answer.get("people", ())]
    people += [Person(*key, {}, each) for key, each in _provided(visit, answer).items()]
    return people, answer["metadata"]["cursors"].get("next")


def key_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The field and the id of somebody whom the directory knows."""
    who = row["beneficiary"]
    return next((field, who[field]) for field in _KINDS.values() if who.get(field))
