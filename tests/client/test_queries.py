"""Queries fetch their pages by themselves, forwards and backwards."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from benefit_programs.client import Member, NewItem, NotOneRow, ValidationError

if TYPE_CHECKING:
    from benefit_programs.client import BenefitPrograms
    from tests.support.gym import Gym

ENGINES = ["sqlite"]


@pytest.fixture
def names(client: BenefitPrograms, gym: Gym) -> list[str]:
    """The external ids of seven items, in their order."""
    names = [f"row-{number}" for number in range(7)]
    new = [
        NewItem(
            external_id=name,
            item_set_id=gym.item_set_id,
            provider_app_id=gym.app_id,
            namespace=gym.namespace,
            category="row",
        )
        for name in names
    ]
    client.items.bulk_create(new)
    return names


@pytest.fixture
def query(client: BenefitPrograms, gym: Gym, names: list[str]) -> Any:
    """A query of those items, in their order."""
    conditions = {"namespace": gym.namespace, "category": "row"}
    return client.items.query(conditions, sort=["external_id"])


def ids(rows: Any) -> list[str]:
    return [each.external_id for each in rows]


def test_loop_goes_through_all_pages(query: Any, names: list[str]) -> None:
    """A loop gives all rows, whatever the size of a page."""
    for rows_per_page in (1, 3, 7, 100):
        assert ids(query.limit(rows_per_page)) == names


def test_loop_stops_when_its_caller_does(query: Any, names: list[str]) -> None:
    """Who takes a few rows gets those, and the query can be looped over again."""
    limited = query.limit(2)
    assert ids(islice(limited, 3)) == names[:3]
    assert ids(limited.to_list()) == names


def test_pages_can_be_turned(query: Any, names: list[str]) -> None:
    """Pages know their neighbours, and go back in the same order."""
    first = query.limit(3).page()
    second = first.next()
    third = second.next()
    assert [ids(each) for each in (first, second, third)] == [names[:3], names[3:6], names[6:]]
    assert (first.has_prev, first.has_next, third.has_next) == (False, True, False)
    assert third.next() is None
    assert first.prev() is None
    assert ids(third.prev()) == ids(second)
    assert len(third) == 1


def test_cursor_survives_its_page(query: Any, names: list[str]) -> None:
    """A cursor that was kept opens its page later, without the query that it came from."""
    cursor = query.limit(3).page().next_cursor
    assert ids(query.filter({"category": "else"}).limit(4).page(cursor)) == names[3:7]


def test_pages_are_counted(query: Any) -> None:
    """All pages come in their order."""
    assert [len(page) for page in query.limit(3).pages()] == [3, 3, 1]


def test_first_asks_for_one(query: Any, gym: Gym) -> None:
    """The first row, or None where there is none."""
    assert query.first().external_id == "row-0"
    assert gym.client.items.query({"namespace": "nobody"}).first() is None


def test_one_is_the_only_one(query: Any, gym: Gym) -> None:
    """The only row, or an error that says whether there was none or more."""
    assert query.filter({"external_id": "row-3"}).one().external_id == "row-3"
    with pytest.raises(NotOneRow, match="several") as caught:
        query.one()
    assert not caught.value.is_empty
    with pytest.raises(NotOneRow, match="no row"):
        gym.client.items.query({"namespace": "nobody"}).one()


def test_builders_leave_their_query_alone(query: Any, names: list[str]) -> None:
    """Conditions add up, an order replaces the one before, and the first query stays as it was."""
    narrowed = query.filter({"external_id": {"$gte": "row-2"}}).filter(
        {"$not": {"external_id": {"$in": ["row-3", "row-4"]}}}
    )
    assert ids(narrowed.sort("-external_id")) == ["row-6", "row-5", "row-2"]
    assert ids(query) == names


def test_names_of_the_wire_work_too(query: Any, names: list[str]) -> None:
    """A filter may use the contract's own names."""
    found = query.filter({"$or": [{"externalId": "row-1"}, {"external_id": "row-2"}]})
    assert ids(found) == names[1:3]


def test_values_are_typed(client: BenefitPrograms, gym: Gym) -> None:
    """Instants, identities and enums can be compared with as they are read."""
    program, pool = gym.provision()
    since = pool.created_date - timedelta(milliseconds=1)
    found = client.pools.query(
        {
            "beneficiary": Member(program.beneficiary.id),
            "created_date": {"$gt": since, "$lte": pool.created_date},
            "status": pool.status,
            "details.benefits.item_set_id": {"$hasSome": [gym.item_set_id]},
        }
    )
    assert found.to_list() == [pool]


def test_wrong_filters_are_refused(client: BenefitPrograms) -> None:
    """A field that can't be filtered by is a violation, raised when the first row is asked for."""
    query = client.programs.query({"shoe_size": 43})  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        query.first()


def test_lists_go_through_all_pages(client: BenefitPrograms, gym: Gym) -> None:
    """Lists page as queries do, and what they were asked for counts on every page."""
    pools = [gym.provision()[1] for _ in range(3)]
    gym.provision()
    balances = client.balances.list([each.id for each in pools]).limit(2)
    assert {each.id for each in balances} == {each.id for each in pools}
    first = balances.page()
    assert first.has_next
