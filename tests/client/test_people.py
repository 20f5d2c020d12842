"""People through the client: sync and async, over HTTP and in process."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from benefit_programs.client import Member, NewPerson, PersonNotFound, WixUser

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms

ENGINES = ["sqlite"]


def test_people_are_said_found_changed_and_forgotten(client: BenefitPrograms) -> None:
    """Who somebody is can be said, found by words, read by beneficiary, changed and forgotten."""
    name = f"Zoë{uuid4().hex}"
    zoe, other = Member(str(uuid4())), WixUser(str(uuid4()))
    words = {"display_name": name, "email": "zoe@example.com", "note": "Left-handed"}
    said = client.people.set(zoe, **words)
    assert client.people.get(said.id) == said
    assert client.people.set(zoe, **words) == said
    people = [NewPerson(beneficiary=other, display_name=f"{name} Two")]
    (made,) = client.people.bulk_set(people, return_entity=True).successes
    assert made.item is not None
    assert {each.id for each in client.people.search(name.upper()).limit(1)} == {said.id, made.id}
    assert [each.id for each in client.people.search(f"tw {name}")] == [made.id]
    assert client.people.look_up([zoe, Member(str(uuid4()))]).people == (said,)
    assert client.people.query({"beneficiary": other}).one() == made.item
    changed = client.people.update(said.id, revision=said.revision, email=None)
    assert (changed.email, changed.note, changed.revision) == (None, "Left-handed", 2)
    assert client.beneficiaries.overview(zoe).person == changed
    (kept,) = client.beneficiaries.export(zoe)
    assert kept.person == changed
    client.people.delete(said.id)
    with pytest.raises(PersonNotFound):
        client.people.get(said.id)
