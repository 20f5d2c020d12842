"""What the fields of people hold. See ``descriptions``."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain.people import errors
from benefit_programs.wire.types import people

_WHOM = {"beneficiary": "Whom it is about."}
_SAID = {
    "display_name": "The name, as people write it.",
    "email": "The e-mail address.",
    "phone": "The telephone number, in any way of writing it.",
    "note": "What the staff should know. Searches don't look at it.",
}
_PROVIDED = {
    "provided": (
        "Who else the tenant's provider knows, in its order: those without a name in the directory."
    ),
    "provider_problem": "Why the provider told nothing, or not all. Absent if all is well.",
}
_DIRECTORY_ONLY = {"directory_only": "Whether the tenant's provider isn't asked. Default: false."}
_PERSON = {"person": "The person."}

OF_PEOPLE: dict[type[Any], dict[str, str]] = {
    errors.PersonNotFound: {"person_id": "The id that no person has."},
    people.Person: {**_WHOM, **_SAID, "updated_date": "When it last changed."},
    people.NewPerson: {**_WHOM, **_SAID},
    people.PersonChange: _SAID,
    people.SetPersonRequest: {"person": "Who the beneficiary is; what isn't said is removed."},
    people.SetPersonResponse: _PERSON,
    people.BulkSetPeopleRequest: {
        "people": "Who the beneficiaries are.",
        "return_entity": "Whether the answer has the people.",
    },
    people.BulkPersonResult: {"item": "The person. Only if it was asked for."},
    people.UpdatePersonRequest: {"person": "The fields to change."},
    people.DeletePersonRequest: {"person_id": "The person to forget."},
    people.GetPersonRequest: {"person_id": "The person to read."},
    people.ProvidedPerson: {
        name: said for name, said in {**_WHOM, **_SAID}.items() if name != "note"
    },
    people.PeopleProviderProblem: {
        "code": "What kind of problem it is.",
        "message": "What it is, in words, such as `people[3].email must be an e-mail address`.",
    },
    people.LookUpPeopleRequest: {"beneficiaries": "Whom to look up.", **_DIRECTORY_ONLY},
    people.LookUpPeopleResponse: {"people": "Those who are known.", **_PROVIDED},
    people.QueryPeopleResponse: {"people": "The people of this page."},
    people.SearchPeopleRequest: {
        "text": "One or several beginnings of words, such as `ada lov` or `+49 30 12`.",
        "cursor_paging": "Which page, and how large.",
        **_DIRECTORY_ONLY,
    },
    people.SearchPeopleResponse: _PROVIDED,
}
