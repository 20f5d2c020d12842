"""A batch as the stores run it: what it asks for, in which order it decides, and what it writes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benefit_programs.domain.command import Command, Context
from benefit_programs.domain.details import Details
from benefit_programs.domain.entities import Row, Snapshot
from benefit_programs.domain.errors import ProgramNotFound
from benefit_programs.domain.lookups import SNAPSHOT
from benefit_programs.domain.settings import TenantSettings
from benefit_programs.domain.state import Changes, Index, Mode, Needs, State
from benefit_programs.domain.store import Load, Write
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.engine.batch import ROUNDS_MAX, Again, Failure, Submission, steps_of
from benefit_programs.engine.ids import new_ids
from benefit_programs.engine.memory import Memory

CALLER = Identity(IdentityType.MEMBER, "1")
NOW = 1_700_000_000_000


class Leaf(Row, frozen=True, kw_only=True):
    """A row that names the next one."""

    id: str
    following: str | None = None


LEAF = Index(Leaf, "id")
NAMED_LEAF = Index(Leaf, "id", leads_on=False)


class Follow(Command[list[str]], frozen=True, kw_only=True):
    """Read leaves, each of which names the next one."""

    start: str

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for the leaves as far as they are known, and the next one."""
        at: str | None = self.start
        while at is not None:
            needs.read(LEAF, at)
            leaf = state.loaded(LEAF, at)
            at = leaf.following if leaf else None

    def decide(self, state: State, context: Context) -> Changes[list[str]]:  # noqa: ARG002
        """Answer with what was found."""
        found, at = [], self.start
        while at:
            found.append(at)
            leaf = state.one(LEAF, at)
            at = leaf.following if leaf else ""
        return Changes(found)


class Name(Command[None], frozen=True, kw_only=True):
    """Read a leaf for nothing but its name."""

    asked: list[str] = msgspec.field(default_factory=list)

    def ask(self, needs: Needs, state: State) -> None:  # noqa: ARG002
        """Ask for it, and note that."""
        self.asked.append("0")
        needs.read(NAMED_LEAF, "0")

    def decide(self, state: State, context: Context) -> Changes[None]:  # noqa: ARG002
        """Find it."""
        state.one(NAMED_LEAF, "0")
        return Changes(None)


class Put(Command[str], frozen=True, kw_only=True):
    """Save a leaf whose id is made, or named."""

    leaf: Leaf | None = None

    def ask(self, needs: Needs, state: State) -> None:  # noqa: ARG002
        """Ask for the leaf."""
        if self.leaf:
            needs.lock(LEAF, self.leaf.id)

    def decide(self, state: State, context: Context) -> Changes[str]:  # noqa: ARG002
        """Save it."""
        leaf = self.leaf or Leaf(id=context.new_id())
        changes = Changes(leaf.id)
        changes.save(leaf)
        return changes


class Refuse(Command[None], frozen=True, kw_only=True):
    """Refuse, after changes that must not be seen."""

    error: Any = msgspec.field(default_factory=ProgramNotFound)

    def ask(self, needs: Needs, state: State) -> None:
        """Ask for nothing."""

    def decide(self, state: State, context: Context) -> Changes[None]:  # noqa: ARG002
        """Build changes and refuse."""
        changes: Changes[None] = Changes(None)
        changes.save(Leaf(id="refused"))
        raise self.error


class Tell(Command[Any], frozen=True, kw_only=True):
    """Answer with what it is decided with."""

    def ask(self, needs: Needs, state: State) -> None:  # noqa: ARG002
        """Ask for a leaf that is named as the settings say."""
        needs.read(LEAF, str(needs.settings.in_request_max), str(needs.now))

    def decide(self, state: State, context: Context) -> Changes[Any]:  # noqa: ARG002
        """Answer with the context."""
        return Changes((context.now, context.caller, context.settings.in_request_max))


class ReadSnapshot(Command[str], frozen=True, kw_only=True):
    """Read the name of a snapshot."""

    def ask(self, needs: Needs, state: State) -> None:  # noqa: ARG002
        """Ask for it."""
        needs.read(SNAPSHOT, "s")

    def decide(self, state: State, context: Context) -> Changes[str]:  # noqa: ARG002
        """Answer with its id."""
        snapshot = state.one(SNAPSHOT, "s")
        return Changes(snapshot.id if snapshot else "none")


class Played:
    """A batch that was run on these leaves."""

    def __init__(
        self,
        *commands: Command[Any],
        leaves: tuple[Leaf, ...] = (),
        memory: Memory | None = None,
        settings: tuple[TenantSettings, ...] = (),
    ) -> None:
        self.asked: list[dict[Index[Any], dict[tuple[Any, ...], Mode]]] = []
        self.writes = 0
        self.written: set[type[Row]] = set()
        chosen = settings or (TenantSettings(),) * len(commands)
        pairs = zip(commands, chosen, strict=True)
        steps = steps_of(
            [Submission(command, CALLER, each) for command, each in pairs],
            now=NOW,
            ids=new_ids(),
            memory=memory or Memory(),
            written=self.written,
        )
        rows: dict[Any, Row] = {leaf.id: leaf for leaf in leaves}
        rows["s"] = Snapshot(id="s", created=NOW, details=Details())
        try:
            step = next(steps)
            while True:
                step = steps.send(self._take(step, rows))
        except StopIteration as end:
            self.outcomes = end.value

    def _take(self, step: Load | Write, rows: dict[Any, Row]) -> dict[Index[Any], list[Row]]:
        if isinstance(step, Write):
            self.writes += 1
            self.state = step.state
            return {}
        self.asked.append({index: dict(keys) for index, keys in step.wanted.items()})
        return {
            index: [rows[key[0]] for key in keys if key[0] in rows]
            for index, keys in step.wanted.items()
        }


def chain(length: int) -> tuple[Leaf, ...]:
    return tuple(
        Leaf(id=str(number), following=str(number + 1) if number < length - 1 else None)
        for number in range(length)
    )


def test_a_command_asks_in_rounds() -> None:
    """Each answer may lead to another question, and nothing is asked for twice."""
    played = Played(Follow(start="0"), leaves=chain(ROUNDS_MAX))
    assert played.outcomes == [[str(number) for number in range(ROUNDS_MAX)]]
    assert played.asked == [{LEAF: {(str(number),): Mode.READ}} for number in range(ROUNDS_MAX)]


def test_rounds_come_to_an_end() -> None:
    """Who asks on for ever is decided with what there is, and then comes again."""
    played = Played(Follow(start="0"), leaves=chain(ROUNDS_MAX + 1))
    assert played.outcomes == [Again()]
    assert len(played.asked) == ROUNDS_MAX


def test_commands_ask_together() -> None:
    """A round has the questions of all commands, each once and as firmly as any needs it."""
    played = Played(Follow(start="0"), Put(leaf=Leaf(id="0")), Follow(start="2"))
    assert played.asked == [{LEAF: {("0",): Mode.LOCK, ("2",): Mode.READ}}]


def test_who_needs_no_more_is_not_asked_again() -> None:
    """A command that is led nowhere isn't asked again because others of its batch are."""
    name = Name()
    played = Played(name, Follow(start="0"), leaves=chain(3))
    assert played.outcomes == [None, ["0", "1", "2"]]
    assert (len(played.asked), name.asked) == (3, ["0"])


def test_a_command_sees_what_those_before_it_have_done() -> None:
    """Commands are decided one after the other, on what the ones before have left."""
    played = Played(Put(leaf=Leaf(id="0", following=None)), Follow(start="0"), leaves=chain(3))
    assert played.outcomes[0] == "0"
    assert played.outcomes[1] == ["0"]


def test_what_nobody_loaded_comes_again_with_all_behind_it() -> None:
    """If a command was led to rows that nobody asked for, it and all behind keep their order."""
    led = Put(leaf=Leaf(id="0", following="unknown"))
    played = Played(led, Follow(start="0"), Put(leaf=Leaf(id="9")), leaves=chain(1))
    assert played.outcomes == ["0", Again(), Again()]
    assert [row.id for row in played.state.many(LEAF, "0")] == ["0"]
    assert played.state.one(LEAF, "9") is None


@pytest.mark.parametrize("error", [ProgramNotFound(), ZeroDivisionError("a mistake")])
def test_a_refusal_or_a_mistake_is_the_outcome_of_one_command(error: Exception) -> None:
    """The others are done, and nothing is seen of it."""
    played = Played(Put(leaf=Leaf(id="1")), Refuse(error=error), Put(leaf=Leaf(id="2")))
    assert played.outcomes == ["1", Failure(error), "2"]
    (written,) = played.state.written()
    assert [row.id for row in written.new if isinstance(row, Leaf)] == ["1", "2"]


def test_nothing_is_written_where_nothing_has_changed() -> None:
    """Reads and refusals need no write, and nobody hears of one."""
    played = Played(Follow(start="0"), Refuse(), leaves=chain(1))
    assert (played.writes, played.written) == (0, set())


def test_what_has_changed_is_written_once() -> None:
    """One write has the changes of all commands, and the types of their rows are told."""
    played = Played(Put(), Put())
    assert (played.writes, played.written, played.state.size) == (1, {Leaf}, 2)


def test_each_command_has_its_own_settings_and_all_have_one_instant() -> None:
    """A command is asked and decided with the caller and settings that it came with."""
    settings = tuple(TenantSettings(in_request_max=most) for most in (3, 5))
    played = Played(Tell(), Tell(), settings=settings)
    assert [list(each[LEAF]) for each in played.asked] == [[("3", str(NOW)), ("5", str(NOW))]]
    assert played.outcomes == [(NOW, CALLER, 3), (NOW, CALLER, 5)]


def test_ids_grow_within_a_batch() -> None:
    """What is made later has a greater id, which begins with the instant."""
    played = Played(*[Put() for _ in range(20)])
    assert played.outcomes == sorted(played.outcomes)
    assert {int(each.replace("-", "")[:12], 16) for each in played.outcomes} == {NOW}


def test_snapshots_are_read_once() -> None:
    """They never change: what one batch has read no later one asks for."""
    memory = Memory()
    first = Played(ReadSnapshot(), Follow(start="0"), memory=memory)
    second = Played(ReadSnapshot(), Follow(start="0"), memory=memory)
    third = Played(ReadSnapshot(), memory=memory)
    assert first.outcomes == second.outcomes == ["s", ["0"]]
    assert first.asked == [{SNAPSHOT: {("s",): Mode.READ}, LEAF: {("0",): Mode.READ}}]
    assert second.asked == [{LEAF: {("0",): Mode.READ}}]
    assert (third.asked, third.outcomes) == ([], ["s"])
