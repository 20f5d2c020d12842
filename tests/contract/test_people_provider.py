"""A tenant whose people are elsewhere: whom its provider knows is found, and kept nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.people.rows import Person
from tests.support.calls import benefit, guid
from tests.support.provider import PolicyServer
from tests.support.wallet import open_wallet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.calls import Document
    from tests.support.inprocess import Service

pytestmark = pytest.mark.anyio

SECRET = "a secret of many characters"
ADA = {"memberId": "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"}
EVA = {"memberId": "5e6c2f1a-7b3d-4c8e-9f10-2a4b6c8d0e11"}
MARKUP = "<script>alert(1)</script>"


def told(beneficiary: Document, name: Any, **more: Any) -> Document:
    return {"beneficiary": beneficiary, "displayName": name, **more}


def setting(url: str, secret: str | None = SECRET) -> Document:
    provider = {"url": url} if secret is None else {"url": url, "secret": secret}
    return {"settings": {"peopleProvider": provider}}


@pytest.fixture
async def provider(service: Service) -> AsyncIterator[PolicyServer]:
    """A provider of the tenant's people, which knows Ada."""
    with PolicyServer(lambda _: {"people": [told(ADA, "Ada Lovelace")]}).running() as server:
        await service.call("updateSettings", setting(server.url))
        yield server


def tell(server: PolicyServer, *people: Any) -> None:
    server.decide = lambda _: {"people": list(people)}


async def search(service: Service, text: str = "ada", **more: Any) -> Document:
    answer: Document = await service.call("searchPeople", {"text": text, **more})
    return answer


async def look_up(service: Service, *beneficiaries: Document, **more: Any) -> Document:
    answer: Document = await service.call(
        "lookUpPeople", {"beneficiaries": list(beneficiaries), **more}
    )
    return answer


async def put(service: Service, beneficiary: Document, **said: Any) -> None:
    await service.call("setPerson", {"person": {"beneficiary": beneficiary, **said}})


def names(answer: Document) -> list[str]:
    return [each["displayName"] for each in answer["provided"]]


async def test_a_search_finds_whom_the_provider_knows(
    service: Service, provider: PolicyServer
) -> None:
    """The first page has them beside the directory; what the directory names it finds itself."""
    tell(provider, told(ADA, "Ada Lovelace", email="ada@example.com"), told(EVA, "Ada Eva"))
    await put(service, EVA, displayName="Eva")
    others = [guid() for _ in range(2)]
    for each in others:
        await put(service, {"memberId": each}, displayName="Ada Other")
    found = await search(service, " Ada  lov", cursorPaging={"limit": 2})
    assert found["provided"] == [
        {
            "beneficiary": {**ADA, "identityType": "MEMBER"},
            "displayName": "Ada Lovelace",
            "email": "ada@example.com",
        }
    ]
    assert "providerProblem" not in found
    site = service.tenant.site_id
    assert provider.questions == [{"tenantId": site, "text": " Ada  lov", "limit": 2}]
    first = await search(service, "ada", cursorPaging={"limit": 1})
    cursor = first["metadata"]["cursors"]["next"]
    second = await search(service, "ada", cursorPaging={"limit": 1, "cursor": cursor})
    assert (len(second["people"]), second["provided"]) == (1, [])
    assert (await search(service, directoryOnly=True))["provided"] == []
    assert len(provider.questions) == 2


async def test_only_missing_names_are_asked_for(service: Service, provider: PolicyServer) -> None:
    """Whoever has a name in the directory isn't asked about; a note alone is no name."""
    await put(service, EVA, displayName="Eva")
    assert names(await look_up(service, EVA)) == []
    assert provider.questions == []
    await put(service, ADA, note="Left-handed")
    found = await look_up(service, ADA, EVA, ADA)
    assert names(found) == ["Ada Lovelace"]
    assert sorted(each.get("note", "") for each in found["people"]) == ["", "Left-handed"]
    (question,) = provider.questions
    assert question["beneficiaries"] == [{"identityType": "MEMBER", **ADA}]
    assert (await look_up(service, ADA, directoryOnly=True))["provided"] == []
    assert len(provider.questions) == 1


HOSTILE: list[tuple[Any, str]] = [
    (told(EVA, "Eva"), "people[0].beneficiary is nobody who was asked for"),
    (told({"memberId": "all"}, "Eva"), "people[0].beneficiary.memberId must be a valid GUID"),
    (told({**ADA, "wixUserId": guid()}, "Ada"), "people[0].beneficiary"),
    (told({}, "Ada"), "people[0].beneficiary"),
    (told(ADA, "n" * 201), "people[0].displayName"),
    (told(ADA, ""), "people[0].displayName"),
    (told(ADA, None), "people[0].displayName"),
    (told(ADA, ["Ada"]), "people[0].displayName"),
    (told(ADA, "Ada\u202e"), "people[0].displayName must be one line"),
    ("Ada", "people[0] "),
    (None, "people[0] "),
]


async def test_what_a_provider_gets_wrong_is_left_out_and_named(
    service: Service, provider: PolicyServer
) -> None:
    """Nobody is shown who wasn't asked for, nothing of another shape, and nobody twice."""
    for person, problem in HOSTILE:
        tell(provider, person)
        found = await look_up(service, ADA)
        assert found["provided"] == [], person
        assert found["providerProblem"]["code"] == "PROVIDER_ANSWER_INVALID"
        assert found["providerProblem"]["message"].startswith(problem), person
    tell(provider, told(ADA, MARKUP, phone=MARKUP, note="no"), told(ADA, "Again"))
    found = await look_up(service, ADA, EVA)
    assert [each.keys() for each in found["provided"]] == [{"beneficiary", "displayName"}]
    assert names(found) == [MARKUP]
    first, second = found["providerProblem"]["message"].split("; ")
    assert first.startswith("people[0].phone must have digits")
    assert second == "people[1].beneficiary was told of before"
    many = [told({"memberId": guid()}, "Ada", email="none") for _ in range(9)]
    tell(provider, *many)
    found = await search(service, cursorPaging={"limit": 5})
    assert len(found["provided"]) == 5
    assert found["providerProblem"]["message"].endswith("; and 3 more")


async def test_a_failing_provider_leaves_the_directory(
    service: Service, provider: PolicyServer
) -> None:
    """Whoever is in the directory is found, and the answer says what is missing."""
    await put(service, EVA, displayName="Ada Eva")
    provider.status = 500
    found = await search(service)
    assert [each["displayName"] for each in found["people"]] == ["Ada Eva"]
    assert found["providerProblem"] == {
        "code": "PROVIDER_FAILED",
        "message": "the provider of people answered with 500",
    }


async def test_nothing_of_an_answer_is_kept(service: Service, provider: PolicyServer) -> None:
    """No row, no export and no other tenant has it; who is erased or merged is asked about anew."""
    visitor = {"anonymousVisitorId": guid()}
    await open_wallet(service, benefit("towel"), program={"beneficiary": ADA})
    await search(service)
    await look_up(service, ADA)
    assert await service.rows(Person) == []
    exported = await service.call("exportBeneficiary", {"beneficiary": ADA})
    assert "Lovelace" not in str(exported)
    other = await service.another_tenant()
    asked = len(provider.questions)
    assert names(await look_up(other, ADA)) == names(await search(other)) == []
    assert len(provider.questions) == asked
    await service.call("mergeBeneficiary", {"visitor": visitor, "beneficiary": ADA})
    erased = await service.call("eraseBeneficiary", {"beneficiary": ADA})
    await service.running.runner.settle()
    found = await look_up(service, erased["beneficiary"])
    assert (found["provided"], found["people"]) == ([], [])
    assert provider.questions[-1]["beneficiaries"] == [erased["beneficiary"]]


async def test_who_says_where_people_are(service: Service) -> None:
    """The secret stays with its address and is never shown; the audit says who changed it."""
    url, moved = "https://people.example/ask", "https://moved.example/"
    for wrong, field in (
        (setting(url, None), "settings.peopleProvider.secret"),
        (setting("ftp://people.example"), "settings.peopleProvider.url"),
        (setting(url, "short"), "settings.peopleProvider.secret"),
    ):
        assert [*(await service.refusal("updateSettings", wrong)).fields] == [field]
    app = await service.as_app()
    assert (await app.refusal("updateSettings", setting(url))).status == 403
    shown = await service.call("updateSettings", setting(url))
    assert shown["settings"]["peopleProvider"] == {"url": url}
    await service.call("updateSettings", setting(url, None))
    refused = await service.refusal("updateSettings", setting(moved, None))
    assert refused.fields == {"settings.peopleProvider.secret": "REQUIRED_FIELD"}
    directory = service.running.services.directory
    kept = (await directory.settings(service.tenant.id)).people_provider
    assert kept is not None
    assert (kept.url, kept.secret) == (url, SECRET)
    await service.call("updateSettings", {"settings": {"peopleProvider": None}})
    assert "peopleProvider" not in (await service.call("getSettings"))["settings"]
    entries = [each for each in await service.rows(AuditEntry) if each.method == "updateSettings"]
    assert len(entries) == 3
    assert SECRET not in str(entries)
