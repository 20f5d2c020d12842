"""The state that deciders read, what they ask for, and what they change.

A command says which rows it needs through indexes (``Needs``), in rounds, since some rows
name others. The engine loads them in bulk into a ``State``. Deciders read it and
return ``Changes``; only then are the changes put into the state, where the next command of the
batch sees them, and from where the store takes what has to be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from benefit_programs.domain.audit_rows import AuditEntry
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.indexes import Index, Key, fields_of
from benefit_programs.domain.rows import Row
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.values import Instant

R = TypeVar("R", bound=Row)
Answer = TypeVar("Answer")


class Mode(IntEnum):
    """How firmly rows are held until the commit."""

    READ = 0
    SHARE = 1
    LOCK = 2


# Looked up once: an enum takes its time to find a member.
_READ, _SHARE, _LOCK = Mode.READ, Mode.SHARE, Mode.LOCK


class NotLoaded(LookupError):
    """A decider read what it hadn't asked for: the state moved on since its needs were loaded."""


Wanted = dict[Index[Any], dict[Key, Mode]]

AtHand = Mapping[Index[Any], Callable[[Key], Row | None]]
"""What finds rows that never change in a cache, for the indexes that have one."""

Guesses = Mapping[Index[Any], Callable[[Key], Key | None]]
"""What finds the key to which its beginning has led before, for the indexes that have it."""


class Needs:
    """The rows that a round asks for; what is loaded already is not asked for again.

    ``now``, ``ahead`` and ``settings`` are those that the command will be decided with. A row
    that is ``at_hand`` is in the state as soon as it is asked for. What ``guesses`` tell is asked
    for before it is known, to save a round.
    """

    __slots__ = (
        "_amounts",
        "_at_hand",
        "_guesses",
        "_held",
        "_state",
        "ahead",
        "is_open",
        "now",
        "settings",
        "wanted",
    )

    def __init__(
        self,
        state: State,
        now: Instant,
        settings: TenantSettings,
        at_hand: AtHand = MappingProxyType({}),
        *,
        guesses: Guesses = MappingProxyType({}),
        ahead: int = 0,
    ) -> None:
        self._state = state
        self._held = state.held
        self._at_hand = at_hand
        self._guesses = guesses
        self.now = now
        self.ahead = ahead
        self.settings = settings
        self.wanted: Wanted = {}
        self.is_open = False
        """Whether something was asked for, since this was last set, that may lead on."""

        self._amounts: dict[tuple[Index[Any], Key], int] = {}
        """How much is needed of what an index sums."""

    @property
    def leads_on(self) -> bool:
        """Whether somebody may ask for more because of what was found, now that it is loaded."""
        return any(self._leads_on(index, keys) for index, keys in self.wanted.items())

    def _leads_on(self, index: Index[Any], keys: Iterable[Key]) -> bool:
        if not index.leads_on:
            return False
        if index.sums is not None:
            return any(self._is_short(index, key) for key in keys)
        return index.empty_leads_on or any(self._state.known(index, *key) for key in keys)

    def _is_short(self, index: Index[Any], key: Key) -> bool:
        amount = self._amounts.get((index, key), 0)
        return not index.has_enough(self._state.many(index, *key), amount)

    @property
    def real_now(self) -> Instant:
        """See ``Context.real_now``."""
        return self.now - self.ahead

    def read(self, index: Index[Any], *key: Any) -> None:
        """Ask for rows as they are."""
        # Most are here already: what one command asks for, the next one does, too.
        held = self._held.get(index)
        if held is None or key not in held:
            self._ask(index, key, _READ)

    def guess(self, index: Index[Any], *beginning: Any) -> None:
        """Ask for rows as they are whose key begins so, as far as a guess tells the rest."""
        find = self._guesses.get(index)
        if find is not None and (key := find(beginning)) is not None:
            self._ask(index, key, _READ)

    def read_enough(self, index: Index[Any], amount: int, *key: Any) -> None:
        """Ask for the first rows of a walk, which have an amount of what it sums, or lead on."""
        self._ask(index, key, _READ)
        place = (index, key)
        self._amounts[place] = max(amount, self._amounts.get(place, 0))

    def share(self, index: Index[Any], *key: Any) -> None:
        """Ask for rows that nobody else may change until the commit."""
        self._ask(index, key, _SHARE)

    def lock(self, index: Index[Any], *key: Any) -> None:
        """Ask for rows that this command may change."""
        self._ask(index, key, _LOCK)

    def _ask(self, index: Index[Any], key: Key, mode: Mode) -> None:
        held = self._held.get(index)
        if held is not None and held.get(key, -1) >= mode:
            return
        find = self._at_hand.get(index)
        if find is not None and (row := find(key)) is not None:
            self._state.take(index, key, mode, row)
            return
        if index.leads_on:
            self.is_open = True
        keys = self.wanted.get(index)
        if keys is None:
            self.wanted[index] = {key: mode}
        elif keys.get(key, -1) < mode:
            keys[key] = mode


class Written(NamedTuple):
    """The rows of one type that a batch made, changed (as stored and as now) and removed."""

    entity: type[Row]
    new: Sequence[Row]
    changed: list[tuple[Row, Row]]
    gone: list[Row]


class State:
    """The rows that a batch works on, as the commands decided so far leave them."""

    def __init__(self) -> None:
        self._rows: dict[type[Row], dict[Key, Row]] = defaultdict(dict)
        self._stored: dict[type[Row], dict[Key, Row]] = defaultdict(dict)
        self._sets: dict[Index[Any], dict[Key, dict[Key, None]]] = {}
        self._walks: dict[Index[Any], dict[Key, dict[Key, None]]] = {}
        """The keys of each walk by the columns that its rows have in common."""

        self.held: dict[Index[Any], dict[Key, Mode]] = {}
        """The keys that are loaded, and how firmly their rows are held."""

        self._indexes: dict[type[Row], list[Index[Any]]] = {}
        self._dirty: dict[type[Row], dict[Key, None]] = defaultdict(dict)
        self.events: list[Event] = []
        self.audit: list[AuditEntry] = []

    def has(self, index: Index[Any], key: Key, mode: Mode) -> bool:
        """Whether the rows of this key are loaded, at least as firmly held as ``mode``."""
        held = self.held.get(index)
        return held is not None and held.get(key, -1) >= mode

    def load(self, index: Index[Any], keys: dict[Key, Mode], rows: list[Row]) -> None:
        """Take in what the store found for these keys, but for rows that commands have changed."""
        entity: type[Row] = index.entity
        held = self.held.get(index)
        if held is None:
            self.held[index] = dict(keys)
            if not index.is_own_key:
                self._sets[index], self._walks[index] = {}, {}
                self._indexes.setdefault(entity, []).append(index)
        else:
            held.update(keys)
        known, stored = self._rows[entity], self._stored[entity]
        dirty, identity_of = self._dirty.get(entity, ()), _identity_of(entity)
        for row in rows:
            identity = identity_of(row)
            if identity not in dirty:
                known[identity] = stored[identity] = row
        if index.is_own_key:
            return
        found = self._sets[index]
        if index.after is not None:
            by_columns: dict[Key, list[Row]] = {}
            for row in rows:
                by_columns.setdefault(index.key_of(row), []).append(row)
            walks = self._walks.setdefault(index, {})
            for key in keys:
                walks.setdefault(key[:-1], {})[key] = None
            is_plain = not dirty and len(keys) == len({key[:-1] for key in keys})
            for key in keys:
                step = by_columns.get(key[:-1], [])
                # Rows of a single walk that nobody has changed all come after its key.
                found[key] = (
                    dict.fromkeys(map(identity_of, step))
                    if is_plain
                    else self._walked(index, key, step)
                )
        else:
            found.update({key: {} for key in keys})
            _share_out(known, index, found)

    def take(self, index: Index[Any], key: Key, mode: Mode, row: Row) -> None:
        """Take in one row that was found by its own key."""
        self.held.setdefault(index, {})[key] = mode
        if key not in self._dirty.get(index.entity, ()):
            self._rows[index.entity][key] = row
            self._stored[index.entity][key] = row

    def _walked(self, index: Index[Any], key: Key, rows: list[Row]) -> dict[Key, None]:
        """What a step of a walk comes to: the rows that the store found, as commands left them.

        A row that a command has made is among them if it lies within the step.
        """
        known, dirty = self._rows[index.entity], self._dirty.get(index.entity, ())
        identities = [*map(_identity, filter(partial(index.is_after, key), rows))]
        members = {
            each: None for each in identities if each in known and index.is_after(key, known[each])
        }
        if index.live or not dirty:
            return members
        assert index.after is not None
        is_full = index.is_full(identities)
        last = max((getattr(known[each], index.after) for each in members), default=None)
        for each in dirty:
            row = known.get(each)
            if row is None or not index.is_after(key, row):
                continue
            if not is_full or (last is not None and getattr(row, index.after) <= last):
                members[each] = None
        return members

    def one(self, index: Index[R], *key: Any) -> R | None:
        """The one row with this key, or None. NotLoaded if nobody asked for it."""
        if index.is_own_key:
            if key not in self.held.get(index, ()):
                raise NotLoaded(f"{index!r}: {key}")
            return self._rows[index.entity].get(key)  # type: ignore[return-value]
        for identity in self._members(index, key):
            return self._rows[index.entity][identity]  # type: ignore[return-value]
        return None

    def many(self, index: Index[R], *key: Any) -> list[R]:
        """All rows with this key, in the order of their own keys."""
        if index.is_own_key:
            row = self.one(index, *key)
            return [] if row is None else [row]
        members = self._members(index, key)
        if not members:
            return []
        rows = self._rows[index.entity]
        identities = sorted(members) if len(members) > 1 else members
        return [rows[identity] for identity in identities]  # type: ignore[misc]

    def known(self, index: Index[R], *key: Any) -> list[R]:
        """All rows with this key, or none if they weren't asked for yet."""
        if index.is_own_key:
            return self.many(index, *key) if self.has(index, key, _READ) else []
        sets = self._sets.get(index)
        return self.many(index, *key) if sets is not None and sets.get(key) else []

    def loaded(self, index: Index[R], *key: Any) -> R | None:
        """The one row with this key, or None if there is none or it wasn't asked for yet."""
        if index.is_own_key:
            is_here = key in self.held.get(index, ())
            return self._rows[index.entity].get(key) if is_here else None  # type: ignore[return-value]
        members = self._sets.get(index, {}).get(key)
        for identity in members or ():
            return self._rows[index.entity][identity]  # type: ignore[return-value]
        return None

    def all_of(self, entity: type[R]) -> list[R]:
        """All rows of a type that are here, whatever found them."""
        return list(self._rows.get(entity, {}).values())  # type: ignore[arg-type]

    def apply(self, changes: Changes[Any]) -> None:
        for row in changes.saved:
            self._save(row)
        for row in changes.deleted:
            self._delete(row)
        self.events.extend(changes.events)

    @property
    def has_changed(self) -> bool:
        return bool(self._dirty or self.events)

    def changed(self, entity: type[R]) -> Iterator[tuple[R | None, R]]:
        """The rows of a type that the commands have made or changed: as stored, and as they are."""
        stored, rows = self._stored.get(entity, {}), self._rows.get(entity, {})
        for identity in self._dirty.get(entity, ()):
            if identity in rows:
                yield stored.get(identity), rows[identity]  # type: ignore[misc]

    @property
    def size(self) -> int:
        return len(self.events) + len(self.audit) + sum(map(len, self._dirty.values()))

    @property
    def touched(self) -> frozenset[type[Row]]:
        return frozenset((*self._dirty, Event)) if self.events else frozenset(self._dirty)

    def written(self) -> Iterator[Written]:
        """What the store has to write, per type."""
        for entity, identities in self._dirty.items():
            stored, rows = self._stored.get(entity, {}), self._rows[entity]
            yield Written(
                entity,
                [rows[key] for key in identities if key in rows and key not in stored],
                [(stored[key], rows[key]) for key in identities if key in rows and key in stored],
                [stored[key] for key in identities if key not in rows and key in stored],
            )
        if self.audit:
            yield Written(AuditEntry, self.audit, [], [])

    def _members(self, index: Index[Any], key: Key) -> dict[Key, None]:
        try:
            return self._sets[index][key]
        except KeyError:
            raise NotLoaded(f"{index!r}: {key}") from None

    def _save(self, row: Row) -> None:
        entity = type(row)
        identity, rows = _identity_of(entity)(row), self._rows[entity]
        old = rows.get(identity)
        rows[identity] = row
        self._dirty[entity][identity] = None
        for index in self._indexes.get(entity, ()):
            sets = self._sets[index]
            if index.after is not None:
                if old is None or index.has_moved(old, row) or index.is_revived(old, row):
                    self._save_on_walk(index, identity, old, row)
                continue
            key = index.key_of(row)
            if old is not None and (old_key := index.key_of(old)) != key and old_key in sets:
                self._leave(index, old_key, identity)
            if key in sets:
                sets[key][identity] = None

    def _save_on_walk(self, index: Index[Any], identity: Key, old: Row | None, row: Row) -> None:
        """Let a row join or leave the sets of a walk.

        If a row changes its place, and its set holds as many rows as it may, what comes before the
        new place isn't all known: the set is forgotten.
        """
        sets = self._sets[index]
        for set_key in self._walks_by(index, old, row):
            members = sets[set_key]
            if not index.is_after(set_key, row):
                self._leave(index, set_key, identity)
            elif old is None or not index.is_after(set_key, old) or index.is_revived(old, row):
                members[identity] = None
            elif identity in members:
                self._leave(index, set_key, identity)
                if set_key in sets:
                    members[identity] = None

    def _walks_by(self, index: Index[Any], *rows: Row | None) -> list[Key]:
        """The keys of the walks that may come by any of these rows."""
        sets, walks = self._sets[index], self._walks[index]
        columns = dict.fromkeys(index.key_of(row) for row in rows if row is not None)
        return [key for each in columns for key in walks.get(each, ()) if key in sets]

    def _delete(self, row: Row) -> None:
        identity = _identity(row)
        row = self._rows[type(row)].pop(identity)
        self._dirty[type(row)][identity] = None
        for index in self._indexes.get(type(row), ()):
            keys = {index.key_of(row)} & self._sets[index].keys()
            for key in self._walks_by(index, row) if index.after is not None else keys:
                self._leave(index, key, identity)

    def _leave(self, index: Index[Any], key: Key, identity: Key) -> None:
        """Take a row out of a set. One that held as many as it may is no longer known then."""
        members = self._sets[index][key]
        was_full = index.is_full(members)
        if members.pop(identity, key) is None and was_full:
            del self._sets[index][key]
            del self.held[index][key]
            if index.after is not None:
                del self._walks[index][key[:-1]][key]


class Changes(Generic[Answer]):
    """What a command does, all of it or nothing, and what it answers."""

    __slots__ = ("answer", "deleted", "events", "saved")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.saved: list[Row] = []
        self.deleted: list[Row] = []
        self.events: list[Event] = []

    def save(self, *rows: Row) -> None:
        self.saved.extend(rows)

    def delete(self, *rows: Row) -> None:
        self.deleted.extend(rows)


def _share_out(rows: dict[Key, Row], index: Index[Any], sets: dict[Key, dict[Key, None]]) -> None:
    """Put each row into the set of its key, if there is one."""
    for identity, row in rows.items():
        members = sets.get(index.key_of(row))
        if members is not None:
            members[identity] = None


@cache
def _identity_of(entity: type[Row]) -> Callable[[Row], Key]:
    return fields_of(entity.key)


def _identity(row: Row) -> Key:
    return _identity_of(type(row))(row)
