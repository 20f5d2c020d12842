"""People: who beneficiaries are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from benefit_programs.client.asynchronous.queries import AsyncListing, AsyncQuery, begin
from benefit_programs.client.asynchronous.session import AsyncMethods
from benefit_programs.client.core.queries import Plan
from benefit_programs.client.core.wire import (
    changes,
    document,
    reads,
    reads_field,
    reads_nothing,
    reads_rows,
)
from benefit_programs.client.generated.filters import PersonFilter, PersonSort
from benefit_programs.client.types.bulk import BulkResult
from benefit_programs.client.types.common import UNSET, Unset
from benefit_programs.client.types.identities import Identity
from benefit_programs.client.types.people import FoundPeople, NewPerson, Person

AsyncPersonQuery: TypeAlias = AsyncQuery[Person, PersonFilter, PersonSort]

_ENTITY = reads_field("person", Person)
_FOUND = reads(FoundPeople)
_ROWS = reads_rows("people", Person)
_BULK = reads(BulkResult[Person])


class AsyncPeople(AsyncMethods):
    """Who beneficiaries are: names and contact data, for those who look for them."""

    async def set(
        self,
        beneficiary: Identity,
        *,
        display_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        note: str | None = None,
    ) -> Person:
        """Say who a beneficiary is, in place of what was said before.

        The same again changes nothing.
        """
        new = document(
            beneficiary=beneficiary, display_name=display_name, email=email, phone=phone, note=note
        )
        return await self._session.call("setPerson", _ENTITY, {"person": new})

    async def bulk_set(
        self, people: Sequence[NewPerson], *, return_entity: bool = False
    ) -> BulkResult[Person]:
        """Say who 1 to 100 beneficiaries are; each succeeds or fails alone."""
        fields = document(people=people, return_entity=return_entity)
        return await self._session.call("bulkSetPeople", _BULK, fields)

    async def update(
        self,
        person_id: str,
        *,
        revision: int,
        display_name: str | Unset | None = UNSET,
        email: str | Unset | None = UNSET,
        phone: str | Unset | None = UNSET,
        note: str | Unset | None = UNSET,
    ) -> Person:
        """Change the given fields. None clears a field.

        Raises:
            PersonNotFound: There is no such person.
            InvalidRevision: It was changed since this revision was read.
        """
        changed = changes(
            id=person_id,
            revision=revision,
            display_name=display_name,
            email=email,
            phone=phone,
            note=note,
        )
        return await self._session.call("updatePerson", _ENTITY, {"person": changed})

    async def delete(self, person_id: str) -> None:
        """Forget who a beneficiary is. Programs stay.

        Raises:
            PersonNotFound: There is no such person.
        """
        await self._session.call("deletePerson", reads_nothing, document(person_id=person_id))

    async def get(self, person_id: str) -> Person:
        """Read a person.

        Raises:
            PersonNotFound: There is no such person.
        """
        return await self._session.call("getPerson", _ENTITY, document(person_id=person_id))

    async def look_up(
        self, beneficiaries: Sequence[Identity], *, directory_only: bool = False
    ) -> FoundPeople:
        """Read who 1 to 100 beneficiaries are. Those who aren't known are left out.

        The tenant's provider of people, if there is one, is asked for those without a name in the
        directory, unless only the directory is wanted.
        """
        fields = document(beneficiaries=beneficiaries, directory_only=directory_only or None)
        return await self._session.call("lookUpPeople", _FOUND, fields)

    async def find(self, text: str, *, limit: int | None = None) -> FoundPeople:
        """Find people as ``search`` does, and those whom the tenant's provider of people finds.

        There is one page of each: at most so many people, 50 unless another limit is said.
        """
        paging = {"cursorPaging": {"limit": limit}} if limit is not None else {}
        fields = {**document(text=text), **paging}
        return await self._session.call("searchPeople", _FOUND, fields)

    def search(self, text: str) -> AsyncListing[Person]:
        """Find people by beginnings of words of name, e-mail address, telephone number and id.

        Each word of the text must begin one of theirs, whatever its case, accents and signs. A page
        may have no people although more follow. Only the directory is searched; ``find`` also asks
        the tenant's provider.
        """
        plan = Plan(
            name="searchPeople",
            read=_ROWS,
            paging_field="cursorPaging",
            beside=document(text=text, directory_only=True),
        )
        return AsyncListing(self._session, plan)

    def query(
        self,
        filter: PersonFilter | None = None,  # noqa: A002 - the contract's own word
        *,
        sort: Sequence[PersonSort] = (),
    ) -> AsyncPersonQuery:
        """Find people by beneficiary, or go through all of them."""
        return begin(self._session, Plan(name="queryPeople", read=_ROWS), filter, sort)
