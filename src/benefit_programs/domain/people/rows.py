"""What is stored of people: names and contact data of beneficiaries, and the words to find them by.

A person is optional: a beneficiary without one has programs all the same.
"""

from __future__ import annotations

from typing import ClassVar

from benefit_programs.domain.entities import Beneficiary
from benefit_programs.domain.rows import Row
from benefit_programs.domain.values import Id, Instant

NAME_LENGTH_MAX = 200
"""How many characters the name of a person may have."""

EMAIL_LENGTH_MAX = 254
"""How many characters an e-mail address may have: more can't be delivered to."""

PHONE_LENGTH_MAX = 40
"""How many characters a telephone number may have, with blanks and signs."""

NOTE_LENGTH_MAX = 2_000
"""How many characters the note about a person may have."""

SAID = ("display_name", "email", "phone", "note")
"""What callers say of a person; every part may be absent."""


class Person(Beneficiary, frozen=True, kw_only=True, omit_defaults=True):
    """Who a beneficiary is. Unique by beneficiary.

    ``search`` has the words that find the person, in their order, with a blank before and after
    each.
    """

    id: Id
    revision: int
    created: Instant
    updated: Instant
    search: str
    display_name: str | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None


class PersonWord(Row, frozen=True, kw_only=True, omit_defaults=True):
    """A word of a person's ``search``, as a row that is found by its beginning."""

    key: ClassVar[tuple[str, ...]] = ("word", "person_id")

    word: str
    person_id: Id
