"""People: who beneficiaries are."""

from __future__ import annotations

from datetime import datetime

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
