"""People as the wire shows them."""

from __future__ import annotations

from benefit_programs.domain.people.rows import Person
from benefit_programs.wire.types import people
from benefit_programs.wire.types.common import IdentificationData


def person(row: Person) -> people.Person:
    return people.Person(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        beneficiary=IdentificationData.of(row.beneficiary),
        display_name=row.display_name,
        email=row.email,
        phone=row.phone,
        note=row.note,
    )
