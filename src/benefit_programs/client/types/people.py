"""People: who beneficiaries are."""

from __future__ import annotations

from datetime import datetime

from benefit_programs.client.generated.enums import PeopleProviderFailure
from benefit_programs.client.types.base import Part
from benefit_programs.client.types.identities import Identity


class NewPerson(Part, frozen=True, kw_only=True):
    """Who a beneficiary is."""

    beneficiary: Identity
    display_name: str | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    """What the staff should know. Searches don't look at it."""


class Person(Part, frozen=True, kw_only=True):
    """A person as the service has it."""

    id: str
    revision: int
    created_date: datetime
    updated_date: datetime
    beneficiary: Identity
    display_name: str | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None


class ProvidedPerson(Part, frozen=True, kw_only=True):
    """A person as the tenant's own provider knows it; the service has nothing of it."""

    beneficiary: Identity
    display_name: str
    email: str | None = None
    phone: str | None = None


class PeopleProviderProblem(Part, frozen=True, kw_only=True):
    """Why the tenant's provider of people told nothing, or not all."""

    code: PeopleProviderFailure
    message: str


class FoundPeople(Part, frozen=True, kw_only=True):
    """Who is in the directory, and who else is known to the tenant's provider, if it has one."""

    people: tuple[Person, ...] = ()
    provided: tuple[ProvidedPerson, ...] = ()
    """Those whom the directory doesn't name."""
    provider_problem: PeopleProviderProblem | None = None

    def names(self) -> dict[Identity, str]:
        """The names that are known, by whom they name."""
        found = {each.beneficiary: each.display_name for each in self.people if each.display_name}
        return found | {each.beneficiary: each.display_name for each in self.provided}
