"""People: who beneficiaries are, how they are found by words, and what becomes of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.api.method import Scope
from benefit_programs.domain.people.rows import Person, PersonWord
from benefit_programs.storage import people_finder
from tests.support.calls import benefit, guid
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

ON_POSTGRES_EVERY_DAY = True

ADA: Document = {
    "displayName": "Ada Lovelace",
    "email": "Ada.King@example.com",
    "phone": "+49 (30) 1234-567",
    "note": "Comes late.\nPays by card.",
}


def member() -> Document:
    return {"memberId": guid()}


async def put(service: Service, beneficiary: Document | None = None, **said: Any) -> Document:
    """Say who somebody is."""
    person = {"beneficiary": beneficiary or member(), **said}
    answer: Document = (await service.call("setPerson", {"person": person}))["person"]
    return answer


async def found(service: Service, text: str, **paging: Any) -> list[str]:
    """The names of all whom a text finds, page by page."""
    names: list[str] = []
    asked: Document = {"text": text, "cursorPaging": paging}
    while True:
        answer = await service.call("searchPeople", asked)
        names += [each.get("displayName", "") for each in answer["people"]]
        assert answer["metadata"]["count"] == len(answer["people"])
        if not answer["metadata"]["hasNext"]:
            return names
        cursor = answer["metadata"]["cursors"]["next"]
        asked = {"text": text, "cursorPaging": {**paging, "cursor": cursor}}


async def words(service: Service) -> set[tuple[str, str]]:
    return {(row.person_id, row.word) for row in await service.rows(PersonWord)}


async def require_words(service: Service) -> None:
    """Each person is found by exactly the words of its text."""
    people = await service.rows(Person)
    assert await words(service) == {(row.id, word) for row in people for word in row.search.split()}


async def test_a_person_is_said_again_changed_and_forgotten(service: Service) -> None:
    """What is said replaces what was said, the same changes nothing, and words follow."""
    ada = member()
    first = await put(service, ada, **ADA)
    assert first["revision"] == "1"
    assert {name: first[name] for name in ADA} == ADA
    assert first["beneficiary"] == {**ada, "identityType": "MEMBER"}
    assert await put(service, ada, **ADA) == first
    again = await put(service, ada, displayName="Ada King")
    assert (again["id"], again["revision"], again.keys() & ADA) == (
        first["id"],
        "2",
        {"displayName"},
    )
    assert await found(service, "lovelace") == []
    change = {"id": first["id"], "revision": "2", "phone": "030 99", "displayName": None}
    changed = (await service.call("updatePerson", {"person": change}))["person"]
    assert (changed["revision"], changed["phone"], "displayName" in changed) == (
        "3",
        "030 99",
        False,
    )
    stale = await service.refusal("updatePerson", {"person": change})
    assert stale.code == "INVALID_REVISION"
    assert (await service.call("getPerson", {"personId": first["id"]}))["person"] == changed
    await require_words(service)
    await service.call("deletePerson", {"personId": first["id"]})
    for method in ("getPerson", "deletePerson"):
        assert (await service.refusal(method, {"personId": first["id"]})).code == "PERSON_NOT_FOUND"
    assert (await service.rows(Person), await words(service)) == ([], set())


@pytest.mark.parametrize(
    "text",
    [
        *("ada", "ADA LOV", "lovelace ada", "ada.king@ex", "king", "Àdä", "love, ada!"),
        *("+49 30", "4930123", "(30) 1234", "1234567", "30123"),
    ],
)
async def test_beginnings_of_words_find(service: Service, text: str) -> None:
    """Each word of a question begins one of the person's, whatever its case, accents and signs."""
    await put(service, **ADA)
    await put(service, displayName="Grace Hopper")
    assert await found(service, text) == ["Ada Lovelace"]


async def test_names_of_all_kinds_are_found(service: Service) -> None:
    """Letters with marks, hyphens, apostrophes and other scripts are found as they are typed."""
    for name in (
        "Anna-Maria Müller",
        "Sinéad O'Brien",
        "Søren Łukasz",
        "Åsa STRASSE",
        "Юлия",
        "山田",
    ):
        await put(service, displayName=name)
    for text, name in (
        ("maria", "Anna-Maria Müller"),
        ("anna-maria mull", "Anna-Maria Müller"),
        ("annamaria", "Anna-Maria Müller"),
        ("obrien sinead", "Sinéad O'Brien"),
        ("brien", "Sinéad O'Brien"),
        ("soren luk", "Søren Łukasz"),
        ("asa straße", "Åsa STRASSE"),
        ("юл", "Юлия"),
        ("山", "山田"),
    ):
        assert await found(service, text) == [name]
    assert await found(service, "nna") == []


async def test_pages_show_everybody_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages end, whatever their size; nobody is shown twice, although several words begin so."""
    monkeypatch.setattr(people_finder, "LOOKED_THROUGH_MAX", 3)
    names = [f"Anna Ann{number:02} Ahl" for number in range(20)]
    people = [{"beneficiary": member(), "displayName": name} for name in names]
    bulk = await service.call("bulkSetPeople", {"people": people})
    assert bulk["bulkActionMetadata"]["totalSuccesses"] == 20
    for text in ("a", "ann", "ahl anna", "an a"):
        for limit in (1, 7, 100):
            assert sorted(await found(service, text, limit=limit)) == names
    assert await found(service, "ann07 a", limit=1) == ["Anna Ann07 Ahl"]
    assert await found(service, "anna zoe") == []


async def test_wrong_searches_are_refused(service: Service) -> None:
    """A question has a letter or digit, not too many words, and its own cursor."""
    for text, rule in (("", "MIN_LENGTH"), (" -+ ", "FORMAT"), ("a b c d e f g h i", "MAX_SIZE")):
        assert (await service.refusal("searchPeople", {"text": text})).fields == {"text": rule}
    for number in range(2):
        await put(service, displayName=f"Ada {number}")
    page = await service.call("searchPeople", {"text": "ada", "cursorPaging": {"limit": 1}})
    paging = {"cursor": page["metadata"]["cursors"]["next"]}
    other = await service.refusal("searchPeople", {"text": "eva", "cursorPaging": paging})
    assert other.fields == {"cursorPaging.cursor": "FORMAT"}


async def test_wrong_texts_are_refused(service: Service) -> None:
    """All wrong fields of a person are named at once; an entry of many fails alone."""
    wrong = {
        "beneficiary": member(),
        "displayName": "Ada\u202eevil",
        "email": "ada@example@com",
        "phone": "call me",
        "note": "a\x07b",
    }
    refused = await service.refusal("setPerson", {"person": wrong})
    names = ("displayName", "email", "phone", "note")
    assert refused.fields == {f"person.{each}": "FORMAT" for each in names}
    people = [wrong, {"beneficiary": member(), "displayName": "x" * 201}, {"beneficiary": member()}]
    answer = await service.call("bulkSetPeople", {"people": people, "returnEntity": True})
    done = [each["itemMetadata"]["success"] for each in answer["results"]]
    assert done == [False, False, True]
    assert answer["results"][2]["item"]["revision"] == "1"


async def test_a_beneficiary_is_one_person(service: Service) -> None:
    """Many who say at once who somebody is make one person."""
    ada = member()
    said = [put(service, ada, displayName=f"Ada {number}") for number in range(20)]
    assert len({each["id"] for each in await asyncio.gather(*said)}) == 1
    assert len(await service.rows(Person)) == 1
    await require_words(service)


async def test_people_are_looked_up_and_queried(service: Service) -> None:
    """People are read by beneficiaries of every kind, and those unknown are left out."""
    kinds = ("memberId", "wixUserId", "anonymousVisitorId")
    known = [await put(service, {kind: guid()}, displayName=kind) for kind in kinds]
    beneficiaries = [each["beneficiary"] for each in known]
    answer = await service.call("lookUpPeople", {"beneficiaries": [*beneficiaries, member()]})
    assert sorted(each["displayName"] for each in answer["people"]) == sorted(kinds)
    for person in known:
        filter_ = {"beneficiary": person["beneficiary"]}
        asked = {"query": {"filter": filter_, "sort": [{"fieldName": "updatedDate"}]}}
        assert (await service.call("queryPeople", asked))["people"] == [person]


async def test_who_may_read_and_write(service: Service) -> None:
    """Members read nobody, not even themselves; readers change nothing; tenants are apart."""
    ada = member()
    person = await put(service, ada, **ADA)
    of_member = await service.as_member(ada["memberId"])
    for method, request in (
        ("getPerson", {"personId": person["id"]}),
        ("searchPeople", {"text": "ada"}),
        ("lookUpPeople", {"beneficiaries": [ada]}),
        ("queryPeople", {}),
        ("setPerson", {"person": {"beneficiary": ada}}),
    ):
        assert (await of_member.refusal(method, request)).status == 403
    overview = await of_member.call("getOverview", {"beneficiary": ada})
    assert "person" not in overview
    reader = await service.as_app(scopes=[Scope.READ_LIMITED])
    assert (await reader.call("getOverview", {"beneficiary": ada}))["person"] == person
    assert (await reader.refusal("deletePerson", {"personId": person["id"]})).status == 403
    narrow = await service.as_app(permission_ids=["BENEFIT_PROGRAMS.POOL_READ"])
    assert "person" not in await narrow.call("getOverview", {"beneficiary": ada})
    other = await service.another_tenant()
    assert await found(other, "ada") == []
    assert (await other.refusal("getPerson", {"personId": person["id"]})).status == 404


async def test_an_erased_person_is_in_nobodys_directory(service: Service) -> None:
    """An erasure takes the person and the words, with programs or without, and nobody else's."""
    ada, eva = member(), member()
    wallet = await open_wallet(service, benefit("towel"), program={"beneficiary": ada})
    for each in (ada, eva):
        await put(service, each, **ADA)
    await put(service, displayName="Ada Other")
    for each in (ada, eva):
        kept = await service.call("exportBeneficiary", {"beneficiary": each})
        assert [one["person"]["displayName"] for one in kept["records"] if "person" in one] == [
            "Ada Lovelace"
        ]
        await service.call("eraseBeneficiary", {"beneficiary": each})
    await service.running.runner.settle()
    assert wallet.pool_id
    assert await found(service, "ada") == ["Ada Other"]
    await require_words(service)


async def test_a_merge_brings_the_person_along(service: Service) -> None:
    """The owner's words stand, what the owner lacks comes from the visitor, who is gone."""
    for own in ({"displayName": "Countess", "email": "own@example.com"}, None):
        visitor, owner = {"anonymousVisitorId": guid()}, member()
        await put(service, visitor, **ADA)
        if own is not None:
            await put(service, owner, **own)
        for _ in range(2):
            await service.call("mergeBeneficiary", {"visitor": visitor, "beneficiary": owner})
        asked = {"beneficiaries": [visitor, owner]}
        (person,) = (await service.call("lookUpPeople", asked))["people"]
        assert person["beneficiary"]["memberId"] == owner["memberId"]
        assert {name: person[name] for name in ADA} == ADA | (own or {})
        await require_words(service)
        await service.call("deletePerson", {"personId": person["id"]})


async def test_programs_are_found_by_beneficiary(service: Service) -> None:
    """A query of programs may name the beneficiary, of whatever kind."""
    visitor = {"anonymousVisitorId": guid()}
    wallet = await open_wallet(service, benefit("towel"), program={"beneficiary": visitor})
    await open_wallet(service, benefit("towel"))
    answer = await service.call("queryPrograms", {"query": {"filter": {"beneficiary": visitor}}})
    assert [each["id"] for each in answer["programs"]] == [wallet.program["id"]]
    owner = member()
    await service.call("mergeBeneficiary", {"visitor": visitor, "beneficiary": owner})
    filter_ = {"beneficiary.memberId": owner["memberId"]}
    answer = await service.call("queryPrograms", {"query": {"filter": filter_}})
    assert [each["id"] for each in answer["programs"]] == [wallet.program["id"]]
