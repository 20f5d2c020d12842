"""Items: what provider apps sell, in the item sets of benefits.

Contract: Prices and item sets. An item set is shared by a pool definition and every pool made from
it, so adding or removing one item reaches all of them in one row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benefit_programs.domain.command import Command
from benefit_programs.domain.context import Context
from benefit_programs.domain.details import Benefit
from benefit_programs.domain.entities import Item, ItemSet, PoolStatus, Snapshot
from benefit_programs.domain.errors import (
    FieldViolation,
    Invalid,
    ItemAlreadyExists,
    ItemSetNotFound,
    PoolDefinitionBenefitNotFound,
    ReferenceNotFound,
    ViolatedRule,
)
from benefit_programs.domain.events import record_created, record_deleted
from benefit_programs.domain.extended_fields import accepted
from benefit_programs.domain.lookups import (
    BENEFITS_OF_ITEM_SET,
    ITEM,
    ITEM_BY_REFERENCE,
    ITEM_SET,
    LIVE_POOL_OF_SNAPSHOT,
    POOL_DEFINITION,
    SNAPSHOT,
)
from benefit_programs.domain.required import require
from benefit_programs.domain.state import Changes, Mode, Needs, State
from benefit_programs.domain.updates import updated

# Whether an item set still belongs to a benefit


def ask_for_item_set(needs: Needs, state: State, item_set_id: str) -> None:
    """Ask for an item set, and for what shows whether a benefit still has it.

    Nearly always its pool definition has it, and that one's snapshot is in memory. If it doesn't,
    ask for one live pool of each snapshot that ever had the item set.
    """
    needs.read(ITEM_SET, item_set_id)
    item_set = state.loaded(ITEM_SET, item_set_id)
    if item_set is None:
        return
    needs.share(POOL_DEFINITION, item_set.pool_definition_id)
    if not state.has(POOL_DEFINITION, (item_set.pool_definition_id,), Mode.SHARE):
        return
    definition = state.loaded(POOL_DEFINITION, item_set.pool_definition_id)
    if definition is not None:
        needs.read(SNAPSHOT, definition.snapshot_id)
        snapshot = state.loaded(SNAPSHOT, definition.snapshot_id)
        if snapshot is None or _has_item_set(snapshot, item_set_id):
            return
    needs.read(BENEFITS_OF_ITEM_SET, item_set_id)
    if state.has(BENEFITS_OF_ITEM_SET, (item_set_id,), Mode.READ):
        for row in state.many(BENEFITS_OF_ITEM_SET, item_set_id):
            needs.read(LIVE_POOL_OF_SNAPSHOT, row.snapshot_id)


def require_item_set(state: State, item_set_id: str) -> ItemSet:
    item_set = state.one(ITEM_SET, item_set_id)
    if item_set is None or not _belongs_to_a_benefit(state, item_set):
        raise ItemSetNotFound(item_set_id=item_set_id)
    return item_set


def _belongs_to_a_benefit(state: State, item_set: ItemSet) -> bool:
    definition = state.one(POOL_DEFINITION, item_set.pool_definition_id)
    if definition is not None:
        snapshot = state.one(SNAPSHOT, definition.snapshot_id)
        assert snapshot is not None
        if _has_item_set(snapshot, item_set.id):
            return True
    benefits = state.many(BENEFITS_OF_ITEM_SET, item_set.id)
    if len(benefits) == BENEFITS_OF_ITEM_SET.limit:
        # Too many snapshots to ask for a pool of each; one item too many does no harm.
        return True
    return any(
        pool.status is not PoolStatus.ENDED
        for row in benefits
        for pool in state.many(LIVE_POOL_OF_SNAPSHOT, row.snapshot_id)
    )


def _has_item_set(snapshot: Snapshot, item_set_id: str) -> bool:
    return any(benefit.item_set_id == item_set_id for benefit in snapshot.details.benefits or ())


# Items by themselves


class CreateItem(Command[Item], frozen=True, kw_only=True):
    """Put an item into an item set. ``path`` is where it stands in the request."""

    about = Item

    item_set_id: str
    provider_app_id: str
    external_id: str
    namespace: str
    category: str = ""
    display_name: str | None = None
    extended_fields: dict[str, Any] | None = None
    path: str = "item"

    def ask(self, needs: Needs, state: State) -> None:
        ask_for_item_set(needs, state, self.item_set_id)
        needs.read(ITEM_BY_REFERENCE, *self._reference)

    def decide(self, state: State, context: Context) -> Changes[Item]:
        item_set = require_item_set(state, self.item_set_id)
        violations = tuple(self._disagreements(item_set))
        if violations:
            raise Invalid(violations)
        _refuse_second(state, self._reference)
        item = Item(
            id=context.new_id(),
            revision=1,
            created=context.now,
            updated=context.now,
            item_set_id=self.item_set_id,
            provider_app_id=self.provider_app_id,
            category=self.category,
            external_id=self.external_id,
            namespace=self.namespace,
            display_name=self.display_name,
            extended_fields=accepted(self.extended_fields, context, Item),
        )
        return _created(item, context)

    @property
    def _reference(self) -> tuple[str, str, str, str]:
        return self.external_id, self.provider_app_id, self.category, self.item_set_id

    def _disagreements(self, item_set: ItemSet) -> Iterator[FieldViolation]:
        if self.provider_app_id != item_set.provider_app_id:
            yield FieldViolation(
                field=f"{self.path}.providerAppId",
                description="must be the provider app of the benefit that has the item set",
                violated_rule=ViolatedRule.OTHER,
                rule_name="provider_app_of_benefit",
                data={"providerAppId": item_set.provider_app_id},
            )
        if self.namespace != item_set.namespace:
            yield FieldViolation(
                field=f"{self.path}.namespace",
                description="must be the namespace of the pool definition that has the item set",
                violated_rule=ViolatedRule.OTHER,
                rule_name="namespace_of_pool_definition",
                data={"namespace": item_set.namespace},
            )


class UpdateItem(Command[Item], frozen=True, kw_only=True):
    """Change the name or the extended fields of an item."""

    about = Item

    id: str
    revision: int
    updates: dict[str, Any]
    path: str = "item"

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(ITEM, self.id)

    def decide(self, state: State, context: Context) -> Changes[Item]:
        current = require(state, ITEM, self.id)
        return updated(current, self.updates, context, revision=self.revision, path=self.path)


class DeleteItem(Command[None], frozen=True, kw_only=True):
    """Remove an item; no pool gives it any longer."""

    about = Item

    id: str

    def ask(self, needs: Needs, state: State) -> None:
        needs.lock(ITEM, self.id)

    def decide(self, state: State, context: Context) -> Changes[None]:
        current = require(state, ITEM, self.id)
        changes = Changes(None)
        record_deleted(changes, context, current)
        return changes


def _refuse_second(state: State, reference: tuple[str, str, str, str]) -> None:
    existing = state.one(ITEM_BY_REFERENCE, *reference)
    if existing is not None:
        raise ItemAlreadyExists(
            item_set_id=existing.item_set_id,
            external_id=existing.external_id,
            provider_app_id=existing.provider_app_id,
            category=existing.category or None,
            item_id=existing.id,
        )


def _created(item: Item, context: Context) -> Changes[Item]:
    changes = Changes(item)
    changes.answer = record_created(changes, context, item)
    return changes


# Items of a benefit that is named by its pool definition and its key


class AddItemToBenefit(Command[Item], frozen=True, kw_only=True):
    """Put an item of the benefit's own provider app into its item set."""

    about = Item

    pool_definition_id: str
    benefit_key: str
    external_id: str
    category: str = ""

    def ask(self, needs: Needs, state: State) -> None:
        needs.share(POOL_DEFINITION, self.pool_definition_id)
        benefit = _loaded_benefit(needs, state, self.pool_definition_id, self.benefit_key)
        if benefit is not None:
            needs.read(ITEM_BY_REFERENCE, *reference_in(benefit, self.external_id, self.category))

    def decide(self, state: State, context: Context) -> Changes[Item]:
        definition = state.one(POOL_DEFINITION, self.pool_definition_id)
        benefit = require_benefit(state, self.pool_definition_id, self.benefit_key)
        assert definition is not None
        assert benefit.item_set_id is not None
        _refuse_second(state, reference_in(benefit, self.external_id, self.category))
        item = Item(
            id=context.new_id(),
            revision=1,
            created=context.now,
            updated=context.now,
            item_set_id=benefit.item_set_id,
            provider_app_id=benefit.provider_app_id,
            category=self.category,
            external_id=self.external_id,
            namespace=definition.namespace,
        )
        return _created(item, context)


class RemoveItemFromBenefit(Command[Item], frozen=True, kw_only=True):
    """Remove an item of the benefit's own provider app from its item set."""

    about = Item

    pool_definition_id: str
    benefit_key: str
    external_id: str
    category: str = ""

    def ask(self, needs: Needs, state: State) -> None:
        needs.read(POOL_DEFINITION, self.pool_definition_id)
        benefit = _loaded_benefit(needs, state, self.pool_definition_id, self.benefit_key)
        if benefit is not None:
            needs.lock(ITEM_BY_REFERENCE, *reference_in(benefit, self.external_id, self.category))

    def decide(self, state: State, context: Context) -> Changes[Item]:
        benefit = require_benefit(state, self.pool_definition_id, self.benefit_key)
        item = state.one(ITEM_BY_REFERENCE, *reference_in(benefit, self.external_id, self.category))
        if item is None:
            raise ReferenceNotFound(external_id=self.external_id, category=self.category or None)
        changes = Changes(item)
        record_deleted(changes, context, item)
        return changes


def reference_in(benefit: Benefit, external_id: str, category: str) -> tuple[str, str, str, str]:
    """The key under which a benefit's item set has an item."""
    assert benefit.item_set_id is not None
    return external_id, benefit.provider_app_id, category, benefit.item_set_id


def require_benefit(state: State, pool_definition_id: str, benefit_key: str) -> Benefit:
    definition = state.one(POOL_DEFINITION, pool_definition_id)
    snapshot = state.one(SNAPSHOT, definition.snapshot_id) if definition else None
    benefit = snapshot.details.benefit(benefit_key) if snapshot else None
    if benefit is None:
        raise PoolDefinitionBenefitNotFound(
            pool_definition_id=pool_definition_id, benefit_key=benefit_key
        )
    return benefit


def _loaded_benefit(
    needs: Needs, state: State, pool_definition_id: str, benefit_key: str
) -> Benefit | None:
    definition = state.loaded(POOL_DEFINITION, pool_definition_id)
    if definition is None:
        return None
    needs.read(SNAPSHOT, definition.snapshot_id)
    snapshot = state.loaded(SNAPSHOT, definition.snapshot_id)
    return snapshot.details.benefit(benefit_key) if snapshot else None
