"""People: who beneficiaries are."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

import msgspec

from benefit_programs.domain.constraints import (
    Entries,
    Immutable,
    Judged,
    ReadOnly,
    Size,
    Text,
)
from benefit_programs.domain.people.provided import PeopleProviderFailure
from benefit_programs.domain.people.rows import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    NOTE_LENGTH_MAX,
    PHONE_LENGTH_MAX,
)
from benefit_programs.domain.people.words import QUESTION_LENGTH_MAX
from benefit_programs.domain.violations import FieldViolation, ViolatedRule
from benefit_programs.wire.types.common import (
    BULK_MAX,
    BulkActionMetadata,
    BulkSize,
    CursorPaging,
    CursorPagingMetadata,
    EntityId,
    IdentificationData,
    ItemMetadata,
    QueryRequest,
    Revision,
    Timestamp,
)


def _judged(kind: str, wrong: str, said: str) -> Judged:
    """A rule against texts in which a pattern is found, with the format that they should have."""
    violation = FieldViolation("", said, ViolatedRule.FORMAT, data={"type": kind})
    pattern = re.compile(wrong)
    return Judged(lambda text: [violation] if pattern.search(text) else [])


_UNSEEN = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
"""Characters that nobody sees, and that spoil a screen, a file or a log."""

_LINE = _judged(
    "LINE",
    rf"[{_UNSEEN}\t\n\r\u2028\u2029]",
    "must be one line without control characters",
)
_EMAIL = _judged(
    "EMAIL",
    rf"[{_UNSEEN}\s]|^[^@]*$|^@|@$|@.*@",
    "must be an e-mail address, such as ada@example.com",
)
_PHONE = _judged(
    "PHONE",
    "[^0-9+(). /-]|^[^0-9]*$",
    "must have digits, and besides only blanks and +().-/",
)
_NOTE = _judged(
    "TEXT", f"[{_UNSEEN}]", "must have no control characters but tabs and ends of lines"
)

PersonName = Annotated[str, Text(min_length=1, max_length=NAME_LENGTH_MAX), _LINE]
EmailAddress = Annotated[str, Text(min_length=1, max_length=EMAIL_LENGTH_MAX), _EMAIL]
PhoneNumber = Annotated[str, Text(min_length=1, max_length=PHONE_LENGTH_MAX), _PHONE]
PersonNote = Annotated[str, Text(min_length=1, max_length=NOTE_LENGTH_MAX), _NOTE]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person as it is answered."""

    id: Annotated[EntityId, Immutable(), ReadOnly()] | None = None
    revision: Annotated[Revision, ReadOnly()] | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    updated_date: Annotated[Timestamp, ReadOnly()] | None = None
    beneficiary: Annotated[IdentificationData, Immutable()] | None = None
    display_name: PersonName | None = None
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    note: PersonNote | None = None


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Who a beneficiary is."""

    entity: ClassVar[type[msgspec.Struct]] = Person

    beneficiary: IdentificationData
    display_name: PersonName | None = None
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    note: PersonNote | None = None


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of a person."""

    entity: ClassVar[type[msgspec.Struct]] = Person

    id: EntityId
    revision: Revision
    display_name: PersonName | None = None
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    note: PersonNote | None = None


class SetPersonRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Say who a beneficiary is, in place of what was said before.

    The same again changes nothing.
    """

    person: NewPerson


class SetPersonResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The person as it is now."""

    person: Person | None = None


class BulkSetPeopleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Say who beneficiaries are, each in place of what was said before."""

    people: Annotated[tuple[NewPerson, ...], BulkSize, Entries()]
    return_entity: bool | None = None


class BulkPersonResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one entry."""

    item_metadata: ItemMetadata | None = None
    item: Person | None = None


class BulkSetPeopleResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The result of each entry."""

    results: Annotated[tuple[BulkPersonResult, ...], BulkSize] | None = None
    bulk_action_metadata: BulkActionMetadata | None = None


class UpdatePersonRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Change parts of what is said of a person."""

    person: PersonChange


class UpdatePersonResponse(SetPersonResponse, frozen=True, kw_only=True):
    """The person as it is now."""


class DeletePersonRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Forget who a beneficiary is. Programs stay."""

    person_id: EntityId


class DeletePersonResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Empty: the person is forgotten."""


class GetPersonRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a person."""

    person_id: EntityId


class GetPersonResponse(SetPersonResponse, frozen=True, kw_only=True):
    """The person."""


class ProvidedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the tenant's provider knows it: the service keeps nothing of it."""

    beneficiary: IdentificationData
    display_name: PersonName
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None


class PeopleProviderProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Why the tenant's provider of people told nothing, or not all."""

    code: PeopleProviderFailure | None = None
    message: str | None = None


class LookUpPeopleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read who some beneficiaries are.

    If the tenant has a provider of people, it is asked for those without a name here.
    """

    beneficiaries: Annotated[tuple[IdentificationData, ...], Size(minimum=1, maximum=BULK_MAX)]
    directory_only: bool | None = None


class LookUpPeopleResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Those of the beneficiaries of whom somebody has said who they are, in no order."""

    people: tuple[Person, ...] | None = None
    provided: tuple[ProvidedPerson, ...] | None = None
    provider_problem: PeopleProviderProblem | None = None


class QueryPeopleRequest(QueryRequest, frozen=True, kw_only=True):
    """Find people by what they are; `searchPeople` finds them by words."""


class QueryPeopleResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of people."""

    people: tuple[Person, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class SearchPeopleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Find people by the beginnings of words.

    Each word of the text must begin a word of the name, the e-mail address, the telephone number or
    the id. Case, accents and signs don't count. A page may have few people or none although more
    follow, if very many have each word by itself and few have all of them.

    If the tenant has a provider of people, it is asked too, for the first page.
    """

    text: Annotated[str, Text(min_length=1, max_length=QUESTION_LENGTH_MAX)]
    cursor_paging: CursorPaging | None = None
    directory_only: bool | None = None


class SearchPeopleResponse(QueryPeopleResponse, frozen=True, kw_only=True):
    """A page of people, in the order of the words that were found."""

    provided: tuple[ProvidedPerson, ...] | None = None
    provider_problem: PeopleProviderProblem | None = None
