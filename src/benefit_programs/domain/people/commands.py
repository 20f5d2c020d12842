"""People: say who a beneficiary is, change it, take it back. Other commands move and remove people.

No event tells of people: what is personal would go to every subscriber, and stay there.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.entities import beneficiary_columns
from benefit_programs.domain.errors import InvalidRevision
from benefit_programs.domain.merges import Merge
from benefit_programs.domain.people.errors import PersonNotFound
from benefit_programs.domain.people.lookups import PERSON, PERSON_OF, PERSON_WORD
from benefit_programs.domain.people.rows import SAID, Person, PersonWord
from benefit_programs.domain.people.words import search_of, words_in
from benefit_programs.domain.state import Changes, Needs, State
from benefit_programs.domain.values import Identity, Instant, Updates


class SetPerson(Command[Person], frozen=True, kw_only=True):
    """Say who a beneficiary is, whatever was said before. The same again changes nothing."""

    about = Person

    beneficiary: Identity
    display_name: str | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None

    def ask(self, needs: Needs, state: State) -> None:
        current = _ask_for(needs, state, self.beneficiary)
        if current is not None:
            _ask_for_words(needs, current, _changed(current, self._said))

    def decide(self, state: State, context: Context) -> Changes[Person]:
        current = state.one(PERSON_OF[self.beneficiary.type], self.beneficiary.id)
        if current is not None:
            changes = Changes(current)
            _save(changes, state, current, _changed(current, self._said), context.now)
            return changes
        person = Person(
            id=context.new_id(),
            revision=1,
            created=context.now,
            updated=context.now,
            search="",
            **beneficiary_columns(self.beneficiary),
            **self._said,
        )
        person = replace(person, search=search_of(person))
        changes = Changes(person)
        changes.save(person, *_words(person))
        return changes

    @property
    def _said(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in SAID}


class UpdatePerson(Command[Person], frozen=True, kw_only=True):
    """Change parts of what is said of a person."""

    about = Person

    id: str
    revision: int
    updates: Updates

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(PERSON, self.id)
        current = state.loaded(PERSON, self.id)
        if current is not None:
            _ask_for_words(needs, current, _changed(current, self.updates))

    def decide(self, state: State, context: Context) -> Changes[Person]:
        current = _require(state, self.id)
        if current.revision != self.revision:
            raise InvalidRevision(entity_id=self.id)
        changes = Changes(current)
        _save(changes, state, current, _changed(current, self.updates), context.now)
        return changes


class DeletePerson(Command[None], frozen=True, kw_only=True):
    """Forget who a beneficiary is. Programs stay."""

    about = Person

    id: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(PERSON, self.id)
        current = state.loaded(PERSON, self.id)
        if current is not None:
            _ask_for_words(needs, current)

    def decide(self, state: State, context: Context) -> Changes[None]:
        del context
        changes: Changes[None] = Changes(None)
        _delete(changes, state, _require(state, self.id))
        return changes


def ask_to_forget(needs: Needs, state: State, beneficiary: Identity) -> None:
    """Ask for what ``forget`` and ``hand_over`` remove of a beneficiary."""
    current = _ask_for(needs, state, beneficiary)
    if current is not None:
        _ask_for_words(needs, current)


def forget(changes: Changes[Any], state: State, beneficiary: Identity) -> None:
    """Remove who a beneficiary is, if somebody has said it."""
    current = state.one(PERSON_OF[beneficiary.type], beneficiary.id)
    if current is not None:
        _delete(changes, state, current)


def ask_to_hand_over(needs: Needs, state: State, merge: Merge) -> None:
    ask_to_forget(needs, state, merge.visitor)
    ask_to_forget(needs, state, merge.owner)


def hand_over(changes: Changes[Any], state: State, merge: Merge, now: Instant) -> None:
    """Make what is said of a visitor the owner's. What is said of the owner already stands."""
    visitor = state.one(PERSON_OF[merge.visitor.type], merge.visitor.id)
    owner = state.one(PERSON_OF[merge.owner.type], merge.owner.id)
    if visitor is None:
        return
    if owner is None:
        moved = _changed(visitor, beneficiary_columns(merge.owner))
        _save(changes, state, visitor, moved, now)
        return
    lacking = {name: getattr(visitor, name) for name in SAID if getattr(owner, name) is None}
    _delete(changes, state, visitor)
    _save(changes, state, owner, _changed(owner, lacking), now)


def _require(state: State, person_id: str) -> Person:
    person = state.one(PERSON, person_id)
    if person is None:
        raise PersonNotFound(person_id=person_id)
    return person


def _ask_for(needs: Needs, state: State, beneficiary: Identity) -> Person | None:
    """Ask for who a beneficiary is; the row, once it is there."""
    index = PERSON_OF[beneficiary.type]
    needs.lock(index, beneficiary.id)
    return state.loaded(index, beneficiary.id)


def _ask_for_words(needs: Needs, current: Person, wanted: Person | None = None) -> None:
    """Ask for the words that no longer find a person: all of them if none is wanted."""
    for word in _gone(current, wanted):
        needs.lock(PERSON_WORD, word, current.id)


def _changed(current: Person, updates: Updates) -> Person:
    wanted = replace(current, **updates)
    return replace(wanted, search=search_of(wanted))


def _gone(current: Person, wanted: Person | None) -> list[str]:
    kept = words_in(wanted.search) if wanted else ()
    return [word for word in words_in(current.search) if word not in kept]


def _save(
    changes: Changes[Any], state: State, current: Person, wanted: Person, now: Instant
) -> None:
    """Save a person that has changed, with its words. It is the answer."""
    if wanted == current:
        return
    saved = replace(wanted, revision=current.revision + 1, updated=now)
    _delete_words(changes, state, current, _gone(current, wanted))
    changes.save(
        saved, *(PersonWord(word=word, person_id=saved.id) for word in _gone(saved, current))
    )
    if isinstance(changes.answer, Person):
        changes.answer = saved


def _delete(changes: Changes[Any], state: State, person: Person) -> None:
    _delete_words(changes, state, person, words_in(person.search))
    changes.delete(person)


def _delete_words(changes: Changes[Any], state: State, person: Person, words: list[str]) -> None:
    rows = (state.one(PERSON_WORD, word, person.id) for word in words)
    changes.delete(*filter(None, rows))


def _words(person: Person) -> list[PersonWord]:
    return [PersonWord(word=word, person_id=person.id) for word in words_in(person.search)]
