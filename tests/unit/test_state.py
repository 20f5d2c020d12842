"""The state of a batch: what is loaded, what commands leave in it, and what is to be written."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from benefit_programs.domain.entities import Event, Item
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import (
    Changes,
    Mode,
    Needs,
    NotLoaded,
    State,
)

BY_ID = Index(Item, "id")
BY_SET = Index(Item, "item_set_id")
WALK = Index(Item, "item_set_id", after="id", limit=2)


def item(item_id: str, item_set_id: str = "set", name: str | None = None) -> Item:
    return Item(
        id=item_id,
        revision=1,
        created=1,
        updated=1,
        item_set_id=item_set_id,
        provider_app_id="app",
        category="",
        external_id=item_id,
        namespace="gym",
        display_name=name,
    )


def loaded(*rows: Item) -> State:
    """A state with rows that were found by their set."""
    state = State()
    state.load(BY_SET, {("set",): Mode.LOCK}, list(rows))
    return state


def apply(state: State, *, save: tuple[Item, ...] = (), delete: tuple[Item, ...] = ()) -> None:
    changes = Changes(None)
    changes.save(*save)
    changes.delete(*delete)
    state.apply(changes)


def test_nothing_is_read_that_nobody_asked_for() -> None:
    """A key that wasn't loaded is an error, not an empty answer."""
    state = loaded(item("1"))
    with pytest.raises(NotLoaded):
        state.one(BY_ID, "1")
    with pytest.raises(NotLoaded):
        state.many(BY_SET, "other")
    assert (state.loaded(BY_ID, "1"), state.known(BY_SET, "other")) == (None, [])


def test_rows_come_in_the_order_of_their_keys() -> None:
    """Whatever order the store gives them in."""
    state = loaded(item("3"), item("1"), item("2"))
    assert [row.id for row in state.many(BY_SET, "set")] == ["1", "2", "3"]


def test_only_what_is_missing_is_asked_for() -> None:
    """A key is asked for again only to hold it more firmly, and then as firmly as anybody asks."""
    state = State()
    state.load(BY_ID, {("1",): Mode.SHARE}, [item("1")])
    needs = Needs(state, 1, TenantSettings())
    needs.read(BY_ID, "1")
    needs.share(BY_ID, "1")
    assert needs.wanted == {}
    needs.lock(BY_ID, "1")
    needs.lock(BY_ID, "2")
    needs.read(BY_ID, "2")
    assert needs.wanted == {BY_ID: {("1",): Mode.LOCK, ("2",): Mode.LOCK}}


def test_the_next_command_sees_what_the_one_before_did() -> None:
    """A saved row is found where it is now, and no longer where it was; a removed one nowhere."""
    state = loaded(item("1"), item("2"))
    state.load(BY_ID, {("1",): Mode.LOCK, ("2",): Mode.LOCK, ("3",): Mode.LOCK}, [])
    state.load(BY_SET, {("other",): Mode.READ}, [])
    apply(state, save=(item("1", "other"), item("3")), delete=(item("2"),))
    assert state.many(BY_SET, "set") == [item("3")]
    assert state.many(BY_SET, "other") == [item("1", "other")]
    assert state.one(BY_ID, "2") is None
    assert state.one(BY_ID, "3") == item("3")


def test_what_was_changed_is_not_loaded_over() -> None:
    """A row that a command changed or removed stays so, however often it is read again."""
    state = loaded(item("1"), item("2"))
    apply(state, save=(item("1", name="new"),), delete=(item("2"),))
    state.load(BY_ID, {("1",): Mode.READ, ("2",): Mode.READ}, [item("1"), item("2")])
    assert state.one(BY_ID, "1") == item("1", name="new")
    assert state.one(BY_ID, "2") is None


def test_a_walk_has_what_comes_after_its_place() -> None:
    """Rows up to the place are behind it; new ones after it join, removed ones leave."""
    state = State()
    state.load(WALK, {("set", "2"): Mode.LOCK}, [item("3"), item("4")])
    apply(state, save=(item("1"), item("2"), item("5"), item("6", "other")), delete=(item("4"),))
    assert [row.id for row in state.many(WALK, "set", "2")] == ["3", "5"]


def test_the_store_writes_what_has_changed() -> None:
    """New, changed and removed rows, each once; a row that came and went leaves nothing."""
    state = loaded(item("1"), item("2"), item("3"))
    assert not state.changed
    apply(state, save=(item("1", name="first"), item("4"), item("5")))
    apply(state, save=(item("1", name="second"),), delete=(item("2"), item("5")))
    (written,) = state.written()
    assert written == (
        Item,
        [item("4")],
        [(item("1"), item("1", name="second"))],
        [item("2")],
    )
    assert state.changed
    assert (state.touched, state.size) == (frozenset({Item}), 4)


def test_events_are_written_too() -> None:
    """A change that only tells something is a change."""
    state = State()
    changes = Changes(None)
    event = Event(
        id="1", created=1, entity="item", entity_id="1", sequence=1, slug="created", body={}
    )
    changes.events.append(event)
    state.apply(changes)
    assert (state.changed, state.size, state.touched) == (True, 1, frozenset({Event}))
    assert replace(event) in state.events
