"""Pool definitions: create, update, delete, and their places in program definitions.

Contract: section 3, Cascade, Prices and item sets.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.benefits import save_snapshot, settle_details, update_snapshot
from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.details import Details
from benefit_programs.domain.entities import (
    Assignment,
    PoolDefinition,
    ProgramDefinition,
    Snapshot,
)
from benefit_programs.domain.errors import (
    Invalid,
    ViolatedRule,
)
from benefit_programs.domain.events import (
    CREATED,
    UPDATED,
    next_revision,
    record,
    record_deleted,
)
from benefit_programs.domain.extended_fields import accepted, merged
from benefit_programs.domain.lookups import (
    ASSIGNMENTS_OF_POOL_DEFINITION,
    ASSIGNMENTS_OF_PROGRAM_DEFINITION,
    CHANGES_OF_POOL_DEFINITION,
    POOL_DEFINITION,
    PROGRAM_DEFINITION,
    SNAPSHOT,
)
from benefit_programs.domain.orders.definitions import (
    Change,
    ask_to_change,
    ask_to_end_programs,
    carry_out,
    end_programs,
)
from benefit_programs.domain.orders.waiting import withdraw_orders
from benefit_programs.domain.required import require, require_ahead, snapshot_of
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.updates import require_revision
from benefit_programs.domain.values import Cascade, Instant

PROGRAM_DEFINITIONS_MAX = 20
"""How many program definitions one pool definition may belong to."""

NAMES_AND_DETAILS = frozenset({"display_name", "description", "details"})
"""What pools copy of their definition: an update that sends none of it reaches none of them."""


class DescribedPoolDefinition(msgspec.Struct, frozen=True):
    definition: PoolDefinition
    snapshot: Snapshot
    program_definitions: tuple[ProgramDefinition, ...]

    def save(
        self, state: State, changes: Changes[Any], context: Context, *slugs: str, **more: Any
    ) -> Changes[DescribedPoolDefinition]:
        """Write it with its places and its events, and answer with it."""
        definition = record(
            changes,
            context,
            self.definition,
            *slugs,
            snapshot=self.snapshot,
            program_definition_ids=[row.id for row in self.program_definitions],
            **more,
        )
        before = state.known(ASSIGNMENTS_OF_POOL_DEFINITION, definition.id)
        places = [
            Assignment(
                pool_definition_id=definition.id, program_definition_id=row.id, ordinal=ordinal
            )
            for ordinal, row in enumerate(self.program_definitions)
        ]
        changes.save(*(place for place in places if place not in before))
        kept = {place.program_definition_id for place in places}
        changes.delete(*(row for row in before if row.program_definition_id not in kept))
        changes.answer = replace(self, definition=definition)
        return changes


def ask_for_pool_definition(needs: Needs, state: State, pool_definition_id: str) -> None:
    """Ask for a pool definition that will change, and for all that describes it."""
    needs.read(ASSIGNMENTS_OF_POOL_DEFINITION, pool_definition_id)
    needs.lock(POOL_DEFINITION, pool_definition_id)
    definition = state.loaded(POOL_DEFINITION, pool_definition_id)
    if definition is None:
        return
    needs.read(SNAPSHOT, definition.snapshot_id)
    for assignment in state.many(ASSIGNMENTS_OF_POOL_DEFINITION, pool_definition_id):
        needs.read(PROGRAM_DEFINITION, assignment.program_definition_id)


def assignments_of(state: State, pool_definition_id: str) -> list[Assignment]:
    assignments = state.many(ASSIGNMENTS_OF_POOL_DEFINITION, pool_definition_id)
    return sorted(assignments, key=lambda assignment: assignment.ordinal)


def describe(state: State, definition: PoolDefinition) -> DescribedPoolDefinition:
    return DescribedPoolDefinition(
        definition,
        snapshot_of(state, definition),
        tuple(
            require(state, PROGRAM_DEFINITION, assignment.program_definition_id)
            for assignment in assignments_of(state, definition.id)
        ),
    )


class CreatePoolDefinition(Command[DescribedPoolDefinition], frozen=True, kw_only=True):
    """Make a pool definition, and put it into program definitions."""

    about = PoolDefinition

    namespace: str
    details: Details
    cascade: Cascade | None = None
    cascade_date: Instant | None = None
    display_name: str | None = None
    description: str | None = None
    program_definition_ids: tuple[str, ...] = ()
    extended_fields: dict[str, Any] | None = None
    path: str = "poolDefinition"

    def ask(self, needs: Needs, state: State) -> None:
        for program_definition_id in self.program_definition_ids:
            needs.lock(PROGRAM_DEFINITION, program_definition_id)
        cascade = cascade_now(self.cascade, self.cascade_date)
        ask_to_change(needs, state, None, cascade, added_to=self.program_definition_ids)

    def decide(self, state: State, context: Context) -> Changes[DescribedPoolDefinition]:
        if self.program_definition_ids:
            require_cascade(self.cascade)
        require_cascade_date(self.cascade, self.cascade_date, context)
        joined = tuple(
            require(state, PROGRAM_DEFINITION, program_definition_id)
            for program_definition_id in dict.fromkeys(self.program_definition_ids)
        )
        details = settle_details(self.details, None, context, path=self.path)
        changes: Changes[Any] = Changes(None)
        definition_id = context.new_id()
        snapshot = save_snapshot(
            changes,
            context,
            details=details,
            before=None,
            display_name=self.display_name,
            description=self.description,
            pool_definition_id=definition_id,
            namespace=self.namespace,
        )
        definition = PoolDefinition(
            id=definition_id,
            revision=1,
            created=context.now,
            updated=context.now,
            namespace=self.namespace,
            snapshot_id=snapshot.id,
            extended_fields=accepted(self.extended_fields, context, PoolDefinition),
        )
        joined_ids = tuple(row.id for row in joined)
        change = Change(self.cascade, added_to=joined_ids, date=self.cascade_date)
        definition = carry_out(state, context, changes, definition, snapshot, change)
        described = DescribedPoolDefinition(definition, snapshot, joined)
        return described.save(state, changes, context, CREATED)


class UpdatePoolDefinition(Command[DescribedPoolDefinition], frozen=True, kw_only=True):
    """Change a pool definition, and what the cascade reaches of what was made from it.

    ``updates`` may hold ``details`` as a mapping of the parts that were sent.
    """

    about = PoolDefinition

    id: str
    revision: int
    updates: dict[str, Any]
    cascade: Cascade | None = None
    cascade_date: Instant | None = None
    path: str = "poolDefinition"

    def ask(self, needs: Needs, state: State) -> None:
        if "program_definition_ids" in self.updates:
            needs.read(ASSIGNMENTS_OF_POOL_DEFINITION, self.id)
            if not state.has(ASSIGNMENTS_OF_POOL_DEFINITION, (self.id,), Mode.READ):
                return
            # Those it leaves, too: whoever provisions one just now gets what was there before.
            left = [place.program_definition_id for place in assignments_of(state, self.id)]
            for program_definition_id in (*left, *(self.updates["program_definition_ids"] or ())):
                needs.lock(PROGRAM_DEFINITION, program_definition_id)
        ask_for_pool_definition(needs, state, self.id)
        if state.loaded(POOL_DEFINITION, self.id) is not None:
            added_to = self._added(state)
            cascade = cascade_now(self.cascade, self.cascade_date)
            ask_to_change(needs, state, self.id, cascade, added_to=added_to)

    def decide(self, state: State, context: Context) -> Changes[DescribedPoolDefinition]:
        require_cascade(self.cascade)
        require_cascade_date(self.cascade, self.cascade_date, context)
        current = require(state, POOL_DEFINITION, self.id)
        require_revision(current, self.revision)
        joined = self._joined(state)
        changes: Changes[Any] = Changes(None)
        snapshot = update_snapshot(
            changes,
            context,
            snapshot_of(state, current),
            self.updates,
            pool_definition_id=current.id,
            namespace=current.namespace,
            path=self.path,
        )
        extended = merged(self.updates, current, context, path=self.path)
        definition = replace(next_revision(context, current), **extended, snapshot_id=snapshot.id)
        kept = {row.id for row in joined}
        change = Change(
            self.cascade,
            updated=not NAMES_AND_DETAILS.isdisjoint(self.updates),
            added_to=self._added(state),
            removed_from=tuple(
                place.program_definition_id
                for place in assignments_of(state, self.id)
                if place.program_definition_id not in kept
            ),
            date=self.cascade_date,
        )
        definition = carry_out(state, context, changes, definition, snapshot, change)
        described = DescribedPoolDefinition(definition, snapshot, joined)
        return described.save(state, changes, context, UPDATED)

    def _added(self, state: State) -> tuple[str, ...]:
        before = {place.program_definition_id for place in assignments_of(state, self.id)}
        sent = dict.fromkeys(self.updates.get("program_definition_ids") or ())
        return tuple(each for each in sent if each not in before)

    def _joined(self, state: State) -> tuple[ProgramDefinition, ...]:
        """The program definitions that it belongs to afterwards."""
        places = assignments_of(state, self.id)
        if "program_definition_ids" not in self.updates:
            return tuple(
                require(state, PROGRAM_DEFINITION, place.program_definition_id) for place in places
            )
        ids = dict.fromkeys(self.updates["program_definition_ids"] or ())
        return tuple(require(state, PROGRAM_DEFINITION, each) for each in ids)


class _ChangePlace(Command[DescribedPoolDefinition], frozen=True, kw_only=True):
    """Change where a pool definition belongs. What is so already changes nothing."""

    about = PoolDefinition

    adds: ClassVar[bool]

    pool_definition_id: str
    program_definition_id: str
    cascade: Cascade | None = None
    cascade_date: Instant | None = None

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(PROGRAM_DEFINITION, self.program_definition_id)
        ask_for_pool_definition(needs, state, self.pool_definition_id)
        added_to = (self.program_definition_id,) if self.adds else ()
        cascade = cascade_now(self.cascade, self.cascade_date)
        ask_to_change(needs, state, self.pool_definition_id, cascade, added_to=added_to)

    def decide(self, state: State, context: Context) -> Changes[DescribedPoolDefinition]:
        require_cascade(self.cascade)
        require_cascade_date(self.cascade, self.cascade_date, context)
        current = require(state, POOL_DEFINITION, self.pool_definition_id)
        place = require(state, PROGRAM_DEFINITION, self.program_definition_id)
        described = describe(state, current)
        before = described.program_definitions
        if (place in before) is self.adds:
            return Changes(described)
        if self.adds:
            _require_room(before)
            joined, slug = (*before, place), "added_to_program_definition"
            change = Change(self.cascade, added_to=(place.id,), date=self.cascade_date)
        else:
            joined, slug = _without(before, place.id), "removed_from_program_definition"
            change = Change(self.cascade, removed_from=(place.id,), date=self.cascade_date)
        changes: Changes[Any] = Changes(None)
        definition = carry_out(
            state, context, changes, next_revision(context, current), described.snapshot, change
        )
        after = DescribedPoolDefinition(definition, described.snapshot, joined)
        more = {"program_definition_id": place.id, "cascade_type": self.cascade}
        return after.save(state, changes, context, UPDATED, slug, **more)


class AddToProgramDefinition(_ChangePlace, frozen=True, kw_only=True):
    """Put a pool definition into a program definition."""

    adds = True


class RemoveFromProgramDefinition(_ChangePlace, frozen=True, kw_only=True):
    """Remove a pool definition from a program definition."""

    adds = False


def _require_room(joined: tuple[ProgramDefinition, ...]) -> None:
    if len(joined) >= PROGRAM_DEFINITIONS_MAX:
        raise Invalid.because(
            "poolDefinitionId",
            f"a pool definition belongs to at most {PROGRAM_DEFINITIONS_MAX} program definitions",
            ViolatedRule.MAX_SIZE,
            data={"threshold": PROGRAM_DEFINITIONS_MAX},
        )


def _without(
    rows: tuple[ProgramDefinition, ...], program_definition_id: str
) -> tuple[ProgramDefinition, ...]:
    return tuple(row for row in rows if row.id != program_definition_id)


class DeletePoolDefinition(Command[None], frozen=True, kw_only=True):
    """Delete a pool definition. What was made from it keeps its ids, details and item sets."""

    about = PoolDefinition

    id: str
    cascade: Cascade | None = None
    cascade_date: Instant | None = None

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_pool_definition(needs, state, self.id)
        ask_to_change(needs, state, self.id, cascade_now(self.cascade, self.cascade_date))

    def decide(self, state: State, context: Context) -> Changes[None]:
        require_cascade(self.cascade)
        require_cascade_date(self.cascade, self.cascade_date, context)
        current = require(state, POOL_DEFINITION, self.id)
        changes = Changes(None)
        described = describe(state, current)
        change = Change(self.cascade, deleted=True, date=self.cascade_date)
        carry_out(state, context, changes, current, described.snapshot, change)
        changes.delete(*assignments_of(state, self.id))
        record_deleted(
            changes,
            context,
            current,
            snapshot=described.snapshot,
            program_definition_ids=[row.id for row in described.program_definitions],
        )
        return changes


class DeleteProgramDefinition(Command[None], frozen=True, kw_only=True):
    """Delete a program definition, and take its id out of the pool definitions that name it."""

    about = ProgramDefinition

    id: str
    cascade: Cascade | None = None
    cascade_date: Instant | None = None

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(PROGRAM_DEFINITION, self.id)
        cascade = cascade_now(self.cascade, self.cascade_date) or Cascade.FUTURE_PROVISIONS
        ask_to_end_programs(needs, state, self.id, cascade)
        needs.read(ASSIGNMENTS_OF_PROGRAM_DEFINITION, self.id)
        if state.loaded(PROGRAM_DEFINITION, self.id) is not None:
            for place in state.many(ASSIGNMENTS_OF_PROGRAM_DEFINITION, self.id):
                ask_for_pool_definition(needs, state, place.pool_definition_id)
                needs.lock(CHANGES_OF_POOL_DEFINITION, place.pool_definition_id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        """Delete it; its external id is free again."""
        require_cascade_date(self.cascade, self.cascade_date, context)
        current = require(state, PROGRAM_DEFINITION, self.id)
        cascade = self.cascade or Cascade.FUTURE_PROVISIONS
        changes: Changes[Any] = Changes(None)
        end_programs(state, context, changes, current, cascade, self.cascade_date)
        for place in state.many(ASSIGNMENTS_OF_PROGRAM_DEFINITION, self.id):
            self._take_out(state, context, changes, place, cascade)
        record_deleted(changes, context, current)
        changes.answer = None
        return changes

    def _take_out(
        self,
        state: State,
        context: Context,
        changes: Changes[Any],
        place: Assignment,
        cascade: Cascade,
    ) -> None:
        described = describe(state, require(state, POOL_DEFINITION, place.pool_definition_id))
        left = Change(cascade, removed_from=(self.id,))
        withdraw_orders(state, changes, context, place.pool_definition_id, left.overrides)
        after = replace(
            described,
            definition=next_revision(context, described.definition),
            program_definitions=_without(described.program_definitions, self.id),
        )
        slug = "removed_from_program_definition"
        more = {"program_definition_id": self.id, "cascade_type": cascade}
        after.save(state, changes, context, UPDATED, slug, **more)


def cascade_now(cascade: Cascade | None, date: Instant | None) -> Cascade | None:
    """What a change does at once to what was made before: nothing if it has a date."""
    return cascade if date is None else Cascade.FUTURE_PROVISIONS


def require_cascade_date(cascade: Cascade | None, date: Instant | None, context: Context) -> None:
    """Refuse a date that isn't ahead, or at which nothing would happen."""
    if date is None:
        return
    if not Change(cascade).reaches:
        raise Invalid.because(
            "cascadeDate",
            "only a cascade IMMEDIATELY or NEXT_RENEWAL has a date",
            ViolatedRule.FIELD_NOT_ALLOWED,
        )
    require_ahead(date, context.now, "cascadeDate")


def require_cascade(cascade: Cascade | None) -> None:
    """Refuse a change that doesn't say when it reaches what was made before."""
    if cascade is None or cascade is Cascade.UNKNOWN_CASCADE:
        raise Invalid.because(
            "cascade",
            "say when the change reaches what was made from the definition:"
            " IMMEDIATELY, NEXT_RENEWAL or FUTURE_PROVISIONS",
            rule_name="cascade_is_required",
        )
