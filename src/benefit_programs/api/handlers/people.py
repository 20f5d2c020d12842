"""People: who beneficiaries are.

A member's key may call none of these: what the staff notes isn't the member's to read, and nobody
shows a member to another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from benefit_programs.api.call import Call, bulk_answer, execute_each
from benefit_programs.api.method import DELETE, GET, MANAGE, PATCH, POST, READ_LIMITED, method
from benefit_programs.api.provided import Provided, provided_by_identity, provided_by_text
from benefit_programs.domain.errors import InvalidRevision
from benefit_programs.domain.people.commands import DeletePerson, SetPerson, UpdatePerson
from benefit_programs.domain.people.errors import PersonNotFound
from benefit_programs.domain.people.lookups import PERSON, PERSON_OF
from benefit_programs.domain.people.rows import Person
from benefit_programs.domain.people.words import words_of_question
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage import specs
from benefit_programs.storage.people_finder import PeopleFinder, Place
from benefit_programs.storage.query.spec import LIMIT_DEFAULT
from benefit_programs.wire import person_views as views
from benefit_programs.wire.types import people as wire
from benefit_programs.wire.types.common import CursorPagingMetadata, Cursors

READ_PERMISSION = "BENEFIT_PROGRAMS.PERSON_READ"


def _command(new: wire.NewPerson) -> SetPerson:
    return SetPerson(
        beneficiary=new.beneficiary.identity(),
        display_name=new.display_name,
        email=new.email,
        phone=new.phone,
        note=new.note,
    )


@method(
    "setPerson",
    POST,
    "/benefit-programs/v1/people",
    MANAGE,
    "BENEFIT_PROGRAMS.PERSON_MANAGE",
    is_addition=True,
)
async def set_person(call: Call, request: wire.SetPersonRequest) -> wire.SetPersonResponse:
    row = await call.execute(_command(request.person))
    return wire.SetPersonResponse(person=views.person(row))


@method(
    "bulkSetPeople",
    POST,
    "/benefit-programs/v1/bulk/people/set",
    MANAGE,
    "BENEFIT_PROGRAMS.PERSON_MANAGE",
    is_addition=True,
)
async def bulk_set(call: Call, request: wire.BulkSetPeopleRequest) -> wire.BulkSetPeopleResponse:
    results = await execute_each(
        call,
        lambda _, entry: _command(entry.value),
        lambda _, row: row.id if row else None,
    )
    view = views.person if request.return_entity else None
    return bulk_answer(wire.BulkSetPeopleResponse, wire.BulkPersonResult, results, view)


@method(
    "updatePerson",
    PATCH,
    "/benefit-programs/v1/people/{person.id}",
    MANAGE,
    "BENEFIT_PROGRAMS.PERSON_MANAGE",
    refuses=(PersonNotFound, InvalidRevision),
    is_addition=True,
)
async def update(call: Call, request: wire.UpdatePersonRequest) -> wire.UpdatePersonResponse:
    change = request.person
    row = await call.execute(
        UpdatePerson(id=change.id, revision=change.revision, updates=call.own_updates("person"))
    )
    return wire.UpdatePersonResponse(person=views.person(row))


@method(
    "deletePerson",
    DELETE,
    "/benefit-programs/v1/people/{personId}",
    MANAGE,
    "BENEFIT_PROGRAMS.PERSON_MANAGE",
    refuses=(PersonNotFound,),
    is_addition=True,
)
async def delete(call: Call, request: wire.DeletePersonRequest) -> wire.DeletePersonResponse:
    await call.execute(DeletePerson(id=request.person_id))
    return wire.DeletePersonResponse()


@method(
    "getPerson",
    GET,
    "/benefit-programs/v1/people/{personId}",
    READ_LIMITED,
    READ_PERMISSION,
    refuses=(PersonNotFound,),
    is_addition=True,
)
async def get(call: Call, request: wire.GetPersonRequest) -> wire.GetPersonResponse:
    missing = PersonNotFound(person_id=request.person_id)
    row = await call.get(PERSON, request.person_id, missing=missing)
    return wire.GetPersonResponse(person=views.person(row))


@method(
    "lookUpPeople",
    POST,
    "/benefit-programs/v1/people/look-up",
    READ_LIMITED,
    READ_PERMISSION,
    is_addition=True,
)
async def look_up(call: Call, request: wire.LookUpPeopleRequest) -> wire.LookUpPeopleResponse:
    asked = [each.identity() for each in request.beneficiaries]
    rows = await people_of(call, asked)
    provided = Provided()
    if not request.directory_only:
        named = _named(rows)
        provided = await provided_by_identity(call, [each for each in asked if each not in named])
    return wire.LookUpPeopleResponse(
        people=tuple(map(views.person, rows)),
        provided=provided.people,
        provider_problem=provided.problem,
    )


async def people_of(call: Call, beneficiaries: Iterable[Identity]) -> list[Person]:
    """Those of the beneficiaries of whom somebody has said who they are."""
    ids: dict[IdentityType, list[tuple[str]]] = defaultdict(list)
    for each in beneficiaries:
        ids[each.type].append((each.id,))
    found: list[Person] = []
    for kind, keys in ids.items():
        found += await call.many(PERSON_OF[kind], keys)
    return found


def _named(rows: Iterable[Person]) -> set[Identity]:
    """Those whose names the directory has: what it says of them stands."""
    return {row.beneficiary for row in rows if row.display_name is not None}


@method(
    "queryPeople",
    POST,
    "/benefit-programs/v1/people/query",
    READ_LIMITED,
    READ_PERMISSION,
    spec=specs.people,
    is_addition=True,
)
async def query(call: Call, request: wire.QueryPeopleRequest) -> wire.QueryPeopleResponse:
    rows, metadata = await call.page(Person, request.query)
    return wire.QueryPeopleResponse(people=tuple(map(views.person, rows)), metadata=metadata)


@method(
    "searchPeople",
    POST,
    "/benefit-programs/v1/people/search",
    READ_LIMITED,
    READ_PERMISSION,
    is_addition=True,
)
async def search(call: Call, request: wire.SearchPeopleRequest) -> wire.SearchPeopleResponse:
    words, paging = words_of_question(request.text, "text"), request.cursor_paging
    reader = call.services.reader
    bound_to: dict[str, Any] = {
        "method": call.method.name,
        "tenant_id": call.tenant_id,
        "subject": " ".join(words),
    }
    cursor = paging.cursor if paging else None
    place = Place(*reader.read_cursor(cursor, **bound_to)) if cursor else None
    limit = (paging.limit if paging else None) or LIMIT_DEFAULT
    page = await PeopleFinder(reader, call.tenant_id).find(words, place, limit=limit)
    following = reader.write_cursor(page.following, **bound_to) if page.following else None
    provided = Provided()
    if not cursor and not request.directory_only:
        provided = await _provided(call, request.text, limit=limit)
    return wire.SearchPeopleResponse(
        people=tuple(map(views.person, page.people)),
        metadata=CursorPagingMetadata(
            count=len(page.people), cursors=Cursors(next=following), has_next=following is not None
        ),
        provided=provided.people,
        provider_problem=provided.problem,
    )


async def _provided(call: Call, text: str, *, limit: int) -> Provided:
    """Whom the tenant's provider finds, without those whom the directory names: it finds them."""
    provided = await provided_by_text(call, text, limit=limit)
    identities = [each.beneficiary.identity() for each in provided.people]
    named = _named(await people_of(call, identities))
    people = zip(identities, provided.people, strict=True)
    return provided._replace(people=tuple(each for who, each in people if who not in named))
