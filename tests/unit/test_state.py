"""What deciders may rely on when they read the state, and the store when it writes it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Mode, Needs, NotLoaded, State


class Book(Row, frozen=True, kw_only=True):
    """A row with a key of one column."""

    id: str
    shelf: str = "a"
    title: str = ""


class Loan(Row, frozen=True, kw_only=True):
    """A row with a key of two columns, the second of which a walk goes along."""

    key: ClassVar[tuple[str, ...]] = ("reader", "number")

    reader: str
    number: int
    book: str = "1"


BOOK = Index(Book, "id")
BOOKS_OF_SHELF = Index(Book, "shelf")
BOOK_BY_TITLE = Index(Book, "shelf", "title")
ALL_BOOKS = Index(Book)
FEW_OF_SHELF = Index(Book, "shelf", limit=2)
LISTED_SHELF = Index(Book, "shelf", empty_leads_on=False)
WALK_SHELF = Index(Book, "shelf", after="id", limit=5)
WALK_FEW = Index(Book, "shelf", after="id", limit=2)
WALK_BOOKS = Index(Book, after="id", limit=100)
LOAN = Index(Loan, "reader", "number")
LOANS_OF_BOOK = Index(Loan, "book")
WALK_LOANS = Index(Loan, "reader", after="number", limit=10)
FIRST_LOANS = Index(Loan, "reader", after="number", limit=2, sums="number")


class Visit(Row, frozen=True, kw_only=True):
    """A row with a place of its own among those that aren't over."""

    over: ClassVar[tuple[str, ...]] = ("GONE",)

    id: str
    place: str
    status: str = "HERE"


WALK_VISITS = Index(Visit, after="place", limit=2, live=True)
ALL_VISITS = Index(Visit, after="place", limit=9, live=True)

ONE, TWO, THREE = (Book(id=number, shelf="a", title=f"t{number}") for number in "123")
OTHER = Book(id="4", shelf="b", title="t4")


def event(number: int) -> Event:
    return Event(
        id=str(number), created=0, entity="book", entity_id="1", sequence=number, slug="x", body={}
    )


def load(
    state: State, index: Index[Any], *keys: tuple[Any, ...], rows: list[Any], mode: Mode = Mode.LOCK
) -> None:
    state.load(index, dict.fromkeys(keys, mode), rows)


def shelves(*rows: Book) -> State:
    """A state that knows the shelves a and b, with these rows on them."""
    state = State()
    load(state, BOOKS_OF_SHELF, ("a",), ("b",), rows=list(rows))
    return state


def save(state: State, *rows: Row) -> None:
    changes: Changes[None] = Changes(None)
    changes.save(*rows)
    state.apply(changes)


def delete(state: State, *rows: Row) -> None:
    changes: Changes[None] = Changes(None)
    changes.delete(*rows)
    state.apply(changes)


def written(state: State) -> dict[type[Row], tuple[list[Row], list[tuple[Row, Row]], list[Row]]]:
    return {each.entity: (each.new, each.changed, each.gone) for each in state.written()}


# Reading


def test_one_is_the_row_with_the_key() -> None:
    """The row that was found under a key is read by it, and none is where none was found."""
    state = State()
    load(state, BOOK, ("1",), ("9",), rows=[ONE])
    assert state.one(BOOK, "1") is ONE
    assert state.one(BOOK, "9") is None


def test_many_are_in_the_order_of_their_keys() -> None:
    """Rows come in the order of their own keys, however the store gave them."""
    state = shelves(THREE, ONE, TWO, OTHER)
    assert state.many(BOOKS_OF_SHELF, "a") == [ONE, TWO, THREE]
    assert state.many(BOOKS_OF_SHELF, "b") == [OTHER]
    save(state, Book(id="0"), Book(id="25"))
    assert [row.id for row in state.many(BOOKS_OF_SHELF, "a")] == ["0", "1", "2", "25", "3"]


def test_numbers_in_keys_are_ordered_as_numbers() -> None:
    """A key of several columns is compared column by column, a number as a number."""
    state = State()
    rows = [Loan(reader=reader, number=number) for reader in "ba" for number in (10, 9)]
    load(state, LOANS_OF_BOOK, ("1",), rows=rows)
    found = [(row.reader, row.number) for row in state.many(LOANS_OF_BOOK, "1")]
    assert found == [("a", 9), ("a", 10), ("b", 9), ("b", 10)]


@pytest.mark.parametrize("read", [State.one, State.many])
def test_what_was_not_asked_for_cannot_be_read(read: Any) -> None:
    """Neither another key nor another index of the same rows: a guess would be taken for truth."""
    state = shelves(ONE)
    for index, key in ((BOOKS_OF_SHELF, ("c",)), (BOOK, ("1",)), (LOAN, ("x", 1))):
        with pytest.raises(NotLoaded) as raised:
            read(state, index, *key)
        assert str(raised.value) == f"{index!r}: {key}"


def test_an_index_is_named_in_errors() -> None:
    """An index tells its type and its columns."""
    assert repr(BOOK_BY_TITLE) == "Book by shelf, title"


def test_known_and_loaded_may_be_asked_before_it_is_known() -> None:
    """In the rounds of questions what wasn't loaded yet is nothing, and no error."""
    state = State()
    assert state.known(BOOKS_OF_SHELF, "a") == []
    assert state.loaded(BOOK, "1") is None
    load(state, BOOKS_OF_SHELF, ("a",), rows=[TWO, ONE], mode=Mode.READ)
    load(state, BOOK, ("1",), ("9",), rows=[ONE], mode=Mode.READ)
    assert state.known(BOOKS_OF_SHELF, "a") == [ONE, TWO]
    assert state.known(BOOKS_OF_SHELF, "b") == []
    assert state.loaded(BOOK, "1") is ONE
    assert state.loaded(BOOK, "2") is None
    assert state.loaded(BOOK, "9") is None


def test_what_one_index_loads_another_has_too() -> None:
    """A row belongs to every key that is loaded, whichever question brought it."""
    state = State()
    load(state, BOOKS_OF_SHELF, ("a",), rows=[])
    load(state, BOOK, ("1",), rows=[ONE])
    load(state, ALL_BOOKS, (), rows=[ONE, OTHER])
    load(state, BOOK_BY_TITLE, ("a", "t1"), rows=[])
    assert state.one(BOOK_BY_TITLE, "a", "t1") is ONE
    assert state.many(ALL_BOOKS) == [ONE, OTHER]


def test_rows_of_one_type_are_not_those_of_another() -> None:
    """Two types may have the same keys."""
    state, loan = State(), Loan(reader="1", number=1)
    load(state, BOOK, ("1",), rows=[ONE])
    load(state, WALK_LOANS, ("1", 0), rows=[loan])
    assert state.many(WALK_LOANS, "1", 0) == [loan]
    assert state.one(BOOK, "1") is ONE


def test_loading_again_leaves_what_is_decided() -> None:
    """What a command before has changed or removed isn't undone by a later question."""
    state = shelves(ONE, TWO)
    renamed = Book(id="1", title="renamed")
    save(state, renamed)
    delete(state, TWO)
    load(state, BOOK, ("1",), ("2",), rows=[ONE, TWO])
    load(state, BOOKS_OF_SHELF, ("a",), rows=[ONE, TWO])
    assert state.one(BOOK, "1") is renamed
    assert state.one(BOOK, "2") is None
    assert state.many(BOOKS_OF_SHELF, "a") == [renamed]
    assert written(state) == {Book: ([], [(ONE, renamed)], [TWO])}


def test_loading_again_brings_what_is_newer() -> None:
    """A row that nobody has changed here is as it was found last, under a lock for example."""
    state = shelves(ONE)
    newer = Book(id="1", title="newer")
    load(state, BOOK, ("1",), rows=[newer])
    assert state.one(BOOK, "1") is newer
    assert state.many(BOOKS_OF_SHELF, "a") == [newer]
    save(state, ONE)
    assert written(state) == {Book: ([], [(newer, ONE)], [])}


# Asking


def wanted_of(state: State) -> Needs:
    return Needs(state, 7, TenantSettings())


def test_needs_tell_the_instant_and_the_settings() -> None:
    """A command asks with the time and the settings that it will be decided with."""
    needs = wanted_of(State())
    assert (needs.now, needs.settings, needs.wanted) == (7, TenantSettings(), {})


def test_each_question_says_how_firmly() -> None:
    """Read, share and lock are asked for by key, several keys in one question."""
    needs = wanted_of(State())
    needs.read(BOOK, "1")
    needs.share(BOOK, "2")
    needs.lock(BOOK_BY_TITLE, "a", "t1")
    assert needs.wanted == {
        BOOK: {("1",): Mode.READ, ("2",): Mode.SHARE},
        BOOK_BY_TITLE: {("a", "t1"): Mode.LOCK},
    }


@pytest.mark.parametrize("first", Mode)
@pytest.mark.parametrize("second", Mode)
def test_of_two_questions_the_firmer_counts(first: Mode, second: Mode) -> None:
    """In either order: nobody's lock is lost by another's reading."""
    needs = wanted_of(State())
    for mode in (first, second):
        {Mode.READ: needs.read, Mode.SHARE: needs.share, Mode.LOCK: needs.lock}[mode](BOOK, "1")
    assert needs.wanted == {BOOK: {("1",): max(first, second)}}


@pytest.mark.parametrize("held", Mode)
@pytest.mark.parametrize("asked", Mode)
def test_only_what_is_held_less_firmly_is_asked_for(held: Mode, asked: Mode) -> None:
    """What is loaded as firmly is not asked for again, so that questions come to an end."""
    state = State()
    load(state, BOOK, ("1",), rows=[], mode=held)
    assert state.has(BOOK, ("1",), asked) is (held >= asked)
    needs = wanted_of(state)
    {Mode.READ: needs.read, Mode.SHARE: needs.share, Mode.LOCK: needs.lock}[asked](BOOK, "1")
    assert needs.wanted == ({} if held >= asked else {BOOK: {("1",): asked}})


def test_another_key_or_index_is_asked_for() -> None:
    """What is known under one key or one index says nothing about others."""
    state = shelves(ONE)
    needs = wanted_of(state)
    needs.read(BOOKS_OF_SHELF, "a")
    needs.read(BOOKS_OF_SHELF, "c")
    needs.read(BOOK, "1")
    assert needs.wanted == {BOOKS_OF_SHELF: {("c",): Mode.READ}, BOOK: {("1",): Mode.READ}}
    assert not state.has(BOOK, ("1",), Mode.READ)


def test_what_was_loaded_stays_loaded() -> None:
    """A later question about other keys forgets nothing, and one less firm neither."""
    state = State()
    load(state, BOOK, ("1",), rows=[ONE], mode=Mode.LOCK)
    load(state, BOOK, ("2",), rows=[TWO], mode=Mode.READ)
    needs = wanted_of(state)
    needs.lock(BOOK, "1")
    needs.read(BOOK, "2")
    assert needs.wanted == {}
    assert (state.one(BOOK, "1"), state.one(BOOK, "2")) == (ONE, TWO)


@pytest.mark.parametrize(
    ("found", "amount", "further"),
    [((), 3, False), ((1,), 3, False), ((1, 2), 3, False), ((1, 2), 4, True)],
)
def test_a_walk_that_has_enough_leads_no_further(
    found: tuple[int, ...], amount: int, *, further: bool
) -> None:
    """More is asked for only where there may be more, and the first rows have less than needed."""
    state = State()
    needs = wanted_of(state)
    needs.read_enough(FIRST_LOANS, amount, "r", 0)
    needs.read_enough(FIRST_LOANS, 1, "r", 0)
    load(state, FIRST_LOANS, ("r", 0), rows=[Loan(reader="r", number=each) for each in found])
    assert needs.leads_on is further


@pytest.mark.parametrize("found", [False, True])
def test_nothing_found_may_lead_no_further(*, found: bool) -> None:
    """Where only rows lead on, nobody is asked again because there are none."""
    state = State()
    needs = wanted_of(state)
    needs.read(LISTED_SHELF, "a")
    load(state, LISTED_SHELF, ("a",), rows=[ONE] if found else [])
    assert needs.is_open
    assert needs.leads_on is found


# Changing


def test_what_is_saved_is_read() -> None:
    """A new row is found under each key that is loaded, and under none that isn't."""
    state = State()
    load(state, BOOK, ("1",), rows=[])
    load(state, BOOKS_OF_SHELF, ("a",), rows=[])
    save(state, ONE, OTHER)
    assert state.one(BOOK, "1") is ONE
    assert state.many(BOOKS_OF_SHELF, "a") == [ONE]
    for key in ("4", "b"):
        with pytest.raises(NotLoaded):
            state.one(BOOK if key == "4" else BOOKS_OF_SHELF, key)


def test_a_key_that_moves_moves_the_row() -> None:
    """A successor with another value is found under that one alone, and moves back as well."""
    state = shelves(ONE, TWO, OTHER)
    moved = Book(id="1", shelf="b")
    save(state, moved)
    assert state.many(BOOKS_OF_SHELF, "a") == [TWO]
    assert state.many(BOOKS_OF_SHELF, "b") == [moved, OTHER]
    save(state, ONE)
    assert state.many(BOOKS_OF_SHELF, "a") == [ONE, TWO]
    assert state.many(BOOKS_OF_SHELF, "b") == [OTHER]


def test_a_row_may_move_from_and_to_what_is_not_loaded() -> None:
    """Where one of the two keys is unknown, the other is right all the same."""
    state = State()
    load(state, BOOKS_OF_SHELF, ("a",), rows=[ONE])
    load(state, BOOK, ("4",), rows=[OTHER])
    arrived = Book(id="4", shelf="a")
    save(state, Book(id="1", shelf="c"), arrived)
    assert state.many(BOOKS_OF_SHELF, "a") == [arrived]
    with pytest.raises(NotLoaded):
        state.many(BOOKS_OF_SHELF, "c")


def test_a_saved_row_keeps_its_place() -> None:
    """A successor with the same key takes the place of the row, everywhere."""
    state = shelves(ONE, TWO)
    load(state, BOOK, ("1",), rows=[ONE])
    renamed = Book(id="1", title="renamed")
    save(state, renamed)
    assert state.one(BOOK, "1") is renamed
    assert state.many(BOOKS_OF_SHELF, "a") == [renamed, TWO]


def test_what_is_deleted_is_gone_everywhere() -> None:
    """No index has the row any more; the others stay."""
    state = shelves(ONE, TWO)
    load(state, BOOK, ("1",), rows=[ONE])
    load(state, WALK_SHELF, ("a", "0"), rows=[ONE, TWO])
    load(state, BOOK_BY_TITLE, ("a", "t2"), rows=[TWO])
    delete(state, ONE)
    assert state.one(BOOK, "1") is None
    assert state.loaded(BOOK, "1") is None
    assert state.many(BOOKS_OF_SHELF, "a") == [TWO]
    assert state.many(WALK_SHELF, "a", "0") == [TWO]
    assert state.one(BOOK_BY_TITLE, "a", "t2") is TWO


def test_a_row_that_moved_may_be_deleted_by_who_knows_the_old_one() -> None:
    """Which version is named doesn't matter: the row is gone from where it is now."""
    state = shelves(ONE)
    save(state, Book(id="1", shelf="b"))
    delete(state, ONE)
    assert state.many(BOOKS_OF_SHELF, "a") == state.many(BOOKS_OF_SHELF, "b") == []
    assert state.one(BOOKS_OF_SHELF, "b") is None
    assert written(state) == {Book: ([], [], [ONE])}


def test_what_was_never_there_cannot_be_deleted() -> None:
    """To delete what isn't known, or twice, is a mistake of ours."""
    state = shelves(ONE)
    delete(state, ONE)
    for row in (ONE, TWO):
        with pytest.raises(KeyError):
            delete(state, row)


def test_a_command_saves_before_it_deletes() -> None:
    """Of one command all rows are saved first; what it both saves and deletes is gone."""
    state = shelves(ONE)
    changes: Changes[str] = Changes("answer")
    changes.delete(ONE, TWO)
    changes.save(TWO, THREE)
    state.apply(changes)
    assert changes.answer == "answer"
    assert state.many(BOOKS_OF_SHELF, "a") == [THREE]
    assert written(state) == {Book: ([THREE], [], [ONE])}


# Walking


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("a", ""), "123"),
        (("a", "1"), "23"),
        (("a", "2"), "3"),
        (("a", "3"), ""),
        (("b", "1"), "4"),
    ],
)
def test_a_walk_has_what_comes_after(key: tuple[str, str], expected: str) -> None:
    """The row at the key itself is behind, and so are all before it and all of other keys."""
    assert [row.id for row in (ONE, TWO, THREE, OTHER) if WALK_SHELF.is_after(key, row)] == [
        *expected
    ]


def test_a_walk_has_the_rows_that_were_found_for_its_key() -> None:
    """Two walks that were loaded together have each their own; other known rows are in neither."""
    state = shelves(ONE, TWO, THREE, OTHER)
    load(state, WALK_SHELF, ("a", "1"), ("b", "0"), rows=[OTHER, TWO])
    assert state.many(WALK_SHELF, "a", "1") == [TWO]
    assert state.many(WALK_SHELF, "b", "0") == [OTHER]
    with pytest.raises(NotLoaded):
        state.many(WALK_SHELF, "a", "0")


def test_a_walk_meets_the_rows_that_are_made_ahead_of_it() -> None:
    """A new row is added to the walks that have it before them."""
    state = State()
    load(state, WALK_SHELF, ("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), rows=[THREE])
    load(state, WALK_BOOKS, ("1",), rows=[THREE])
    load(state, BOOKS_OF_SHELF, ("a",), rows=[THREE])
    save(state, TWO)
    assert state.many(WALK_SHELF, "a", "1") == [TWO, THREE]
    assert state.many(WALK_SHELF, "a", "2") == [THREE]
    assert state.many(WALK_SHELF, "a", "3") == []
    assert state.many(WALK_SHELF, "b", "1") == []
    assert state.many(WALK_BOOKS, "1") == [TWO, THREE]
    assert state.many(BOOKS_OF_SHELF, "a") == [TWO, THREE]


def test_a_walk_does_not_leap_to_a_row_that_it_has_yet_to_come_to() -> None:
    """A change of a row that the step didn't load doesn't bring it in: rows between are unknown."""
    state = State()
    load(state, BOOK, ("3",), rows=[THREE])
    load(state, WALK_SHELF, ("a", "0"), rows=[ONE])
    save(state, Book(id="3", title="changed"))
    assert state.many(WALK_SHELF, "a", "0") == [ONE]


def test_a_walk_shows_its_rows_as_they_are_now() -> None:
    """A row that the walk has is read as the commands before have left it."""
    state = State()
    load(state, WALK_SHELF, ("a", "0"), rows=[ONE, TWO])
    renamed = Book(id="1", title="renamed")
    save(state, renamed)
    assert state.many(WALK_SHELF, "a", "0") == [renamed, TWO]


def test_a_row_that_moves_away_leaves_the_walk() -> None:
    """A walk through one shelf doesn't meet what stands on another by now."""
    state = State()
    load(state, WALK_SHELF, ("a", "0"), rows=[ONE, TWO])
    save(state, Book(id="1", shelf="b"))
    assert state.many(WALK_SHELF, "a", "0") == [TWO]


def test_a_row_that_moves_into_the_way_is_met() -> None:
    """What comes from another shelf is like a new row: a step that passed it by would miss it."""
    state = State()
    load(state, BOOK, ("1",), ("4",), rows=[ONE, OTHER])
    load(state, WALK_SHELF, ("b", "0"), ("b", "1"), rows=[OTHER])
    moved = Book(id="1", shelf="b")
    save(state, moved)
    assert state.many(WALK_SHELF, "b", "0") == [moved, OTHER]
    assert state.many(WALK_SHELF, "b", "1") == [OTHER]


def test_a_walk_that_is_loaded_late_has_what_commands_made() -> None:
    """Rows that the store doesn't know yet are met in their places, as far as the step goes."""
    state = State()
    save(state, TWO)
    load(state, WALK_SHELF, ("a", "0"), ("a", "2"), ("b", "0"), rows=[ONE, THREE])
    assert state.many(WALK_SHELF, "a", "0") == [ONE, TWO, THREE]
    assert state.many(WALK_SHELF, "a", "2") == [THREE]
    assert state.many(WALK_SHELF, "b", "0") == []


def test_a_full_step_that_is_loaded_late_does_not_leap() -> None:
    """A new row behind the end of a full step waits for a later step, for others come before it."""
    state, fifth = State(), Book(id="5")
    save(state, TWO)
    save(state, fifth)
    load(state, WALK_FEW, ("a", "0"), rows=[ONE, THREE])
    assert state.many(WALK_FEW, "a", "0") == [ONE, TWO, THREE]


def test_a_walk_that_is_loaded_late_leaves_out_what_commands_deleted() -> None:
    """Rows that the store still has, but a command has deleted, are not met."""
    state = State()
    load(state, BOOK, ("1",), rows=[ONE])
    delete(state, ONE)
    load(state, WALK_SHELF, ("a", "0"), rows=[ONE, TWO])
    assert state.many(WALK_SHELF, "a", "0") == [TWO]


def test_a_walk_goes_along_a_number() -> None:
    """The column that a walk goes along may be any that is ordered."""
    state = State()
    first, tenth = Loan(reader="x", number=9), Loan(reader="x", number=10)
    load(state, WALK_LOANS, ("x", 8), ("x", 9), rows=[tenth, first])
    assert state.many(WALK_LOANS, "x", 8) == [first, tenth]
    assert state.many(WALK_LOANS, "x", 9) == [tenth]


def test_a_walk_meets_a_row_that_lives_again() -> None:
    """It wasn't found as it was over; then a command brings it back."""
    state = State()
    load(state, ALL_VISITS, ("",), rows=[Visit(id="1", place="a")])
    load(state, Index(Visit, "id"), ("2",), rows=[Visit(id="2", place="b", status="GONE")])
    save(state, Visit(id="2", place="b"))
    assert [each.id for each in state.many(ALL_VISITS, "")] == ["1", "2"]


def test_a_full_walk_forgets_what_a_row_has_left_behind() -> None:
    """Behind the new place of a row may be others that were never loaded."""
    state = State()
    rows = [Visit(id="1", place="a"), Visit(id="2", place="b")]
    load(state, WALK_VISITS, ("",), rows=rows)
    load(state, ALL_VISITS, ("",), rows=rows)
    save(state, Visit(id="1", place="z"))
    with pytest.raises(NotLoaded):
        state.many(WALK_VISITS, "")
    assert {each.place for each in state.many(ALL_VISITS, "")} == {"b", "z"}


def test_a_walk_has_a_bounded_step() -> None:
    """A walk without a limit can't be built."""
    with pytest.raises(AssertionError):
        Index(Book, after="id")


# Writing


def test_nothing_is_written_of_what_was_only_read() -> None:
    """A state that nobody has changed says so."""
    state = shelves(ONE)
    assert (state.has_changed, state.size, state.touched, written(state)) == (
        False,
        0,
        frozenset(),
        {},
    )


def test_new_changed_and_gone_rows_are_told_apart() -> None:
    """A changed row comes with what is stored, a gone row as it is stored."""
    state = shelves(ONE, TWO)
    renamed = Book(id="1", title="renamed")
    loan = Loan(reader="x", number=1)
    save(state, renamed, THREE, loan)
    delete(state, TWO)
    assert written(state) == {
        Book: ([THREE], [(ONE, renamed)], [TWO]),
        Loan: ([loan], [], []),
    }
    assert (state.has_changed, state.size) == (True, 4)
    assert state.touched == {Book, Loan}


def test_of_several_changes_the_last_is_written_beside_what_is_stored() -> None:
    """Changes of several commands to one row are one, from what is stored to what is left."""
    state = shelves(ONE)
    last = Book(id="1", title="last")
    save(state, Book(id="1", title="first"))
    save(state, last)
    save(state, TWO)
    save(state, Book(id="2", title="last"))
    assert written(state) == {Book: ([Book(id="2", title="last")], [(ONE, last)], [])}
    assert state.size == 2


def test_a_row_deleted_after_a_change_is_gone_as_it_is_stored() -> None:
    """What was saved in between leaves no trace."""
    state = shelves(ONE)
    renamed = Book(id="1", title="renamed")
    save(state, renamed)
    delete(state, renamed)
    assert written(state) == {Book: ([], [], [ONE])}


def test_a_row_made_and_deleted_leaves_nothing_to_write() -> None:
    """The store never hears of it, and it may be made again."""
    state = shelves()
    save(state, ONE)
    delete(state, ONE)
    assert state.many(BOOKS_OF_SHELF, "a") == []
    assert written(state) == {Book: ([], [], [])}
    save(state, TWO, ONE)
    assert state.many(BOOKS_OF_SHELF, "a") == [ONE, TWO]
    assert written(state) == {Book: ([ONE, TWO], [], [])}


def test_a_row_deleted_and_made_again_is_a_change() -> None:
    """The same key twice in one batch is one row in the store, found where it is now."""
    state = shelves(ONE)
    load(state, WALK_SHELF, ("a", "0"), rows=[ONE])
    delete(state, ONE)
    again = Book(id="1", shelf="b")
    save(state, again)
    assert state.many(BOOKS_OF_SHELF, "a") == state.many(WALK_SHELF, "a", "0") == []
    assert state.many(BOOKS_OF_SHELF, "b") == [again]
    assert written(state) == {Book: ([], [(ONE, again)], [])}


def test_rows_of_a_key_of_two_columns_are_told_apart() -> None:
    """Rows that share one of the columns are two rows."""
    state = State()
    first, second = Loan(reader="x", number=1), Loan(reader="x", number=2)
    load(state, LOAN, ("x", 1), ("x", 2), rows=[first])
    save(state, second)
    assert (state.one(LOAN, "x", 1), state.one(LOAN, "x", 2)) == (first, second)
    assert written(state) == {Loan: ([second], [], [])}


def test_events_are_kept_in_their_order() -> None:
    """Events of all commands count as changes, also where no row has changed."""
    state = State()
    for number in (1, 2):
        changes: Changes[None] = Changes(None)
        changes.events.append(event(number))
        state.apply(changes)
    assert state.events == [event(1), event(2)]
    assert (state.has_changed, state.size, state.touched) == (True, 2, {Event})
    assert written(state) == {}
    save(state, ONE)
    assert (state.size, state.touched) == (3, {Event, Book})


@pytest.mark.parametrize("index", [FEW_OF_SHELF, WALK_FEW])
@pytest.mark.parametrize("moves", [True, False])
def test_a_full_set_that_loses_a_row_is_known_no_more(index: Index[Any], moves: bool) -> None:  # noqa: FBT001
    """There may be a further row, which the limit left out: whoever asks has to load again."""
    state = State()
    key = ("a", "0") if index is WALK_FEW else ("a",)
    load(state, index, key, rows=[ONE, TWO])
    changes: Changes[None] = Changes(None)
    if moves:
        changes.save(replace(ONE, shelf="b"))
    else:
        changes.delete(ONE)
    state.apply(changes)
    with pytest.raises(NotLoaded):
        state.many(index, *key)
    assert not state.has(index, key, Mode.READ)
