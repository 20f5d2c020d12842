"""Stored events as the wire delivers them: one envelope for each event that a row stands for.

A row names what it tells of; what the envelopes show beside it comes from pools, transactions and
snapshots, which are looked up for many rows at once. Contract: Events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from benefit_programs.domain.entities import (
    Item,
    Lot,
    Pool,
    PoolDefinition,
    PoolStatus,
    Program,
    ProgramDefinition,
    RenewalActionType,
    Snapshot,
    Transaction,
)
from benefit_programs.domain.event_rows import Event
from benefit_programs.domain.events import ALERT, CATALOG, CREATED, POOL_STATE, UPDATED
from benefit_programs.domain.explanations import ProgramDefinitionInfo
from benefit_programs.domain.indexes import Index, Key
from benefit_programs.domain.lookups import POOL, PROGRAM_DEFINITION, TRANSACTION
from benefit_programs.domain.rows import Row
from benefit_programs.domain.watching import Raised
from benefit_programs.domain.webhooks.rows import WebhookEndpoint
from benefit_programs.wire import lot_views, views, webhook_views
from benefit_programs.wire.codec.encoding import encoder_for
from benefit_programs.wire.types import (
    balances,
    items,
    lots,
    pool_definitions,
    pools,
    program_definitions,
    programs,
    transactions,
    webhooks,
)
from benefit_programs.wire.types.common import IdentificationData, ItemReferenceData
from benefit_programs.wire.types.events import (
    DomainEvent,
    EntityActed,
    EntityCreated,
    EntityDeleted,
    EntityUpdated,
    EventActor,
)

R = TypeVar("R", bound=Row)

FQDN_PREFIX = "wix.benefit_programs.v1."

SHOWN_AT_ONCE_MAX = 50
"""After how many events others get their turn: making so many takes some 3 milliseconds."""

BALANCE, TRANSACTIONS = "balance", "transaction"

EVENT_TYPES = frozenset(
    {f"{FQDN_PREFIX}{each.entity}_{slug}" for each in CATALOG for slug in each.slug.split("+")}
    | {f"{FQDN_PREFIX}{name}" for name in ("balance_created", "balance_updated")}
    | {f"{FQDN_PREFIX}transaction_created"}
)
"""The name of every event that is ever delivered: that of its entity, and its slug."""


class Part(NamedTuple):
    """One event that a row stands for. ``ordinal`` is its place among those of the row."""

    row: Event
    ordinal: int
    entity: str
    slug: str
    entity_id: str
    before_last: int = 0
    """How many events of the row's entity follow in the same row."""

    @property
    def type(self) -> str:
        return f"{FQDN_PREFIX}{self.entity}_{self.slug}"


class Facts(Protocol):
    """Where rows are found that events show: the reader of a store."""

    def many(
        self, tenant_id: int, index: Index[R], keys: Iterable[Key]
    ) -> Coroutine[Any, Any, list[R]]: ...

    def snapshots(
        self, tenant_id: int, ids: Iterable[str]
    ) -> Coroutine[Any, Any, dict[str, Snapshot]]: ...


class Delivery(NamedTuple):
    """An event as it is delivered, the namespace that it belongs to, and where it comes from."""

    part: Part
    namespace: str
    event: DomainEvent


def parts_of(row: Event) -> list[Part]:
    """The events that a row stands for, in their order: the entity's own, then the balance's."""
    parts: list[Part] = []
    if row.entity != BALANCE:
        slugs = row.slug.split("+")
        parts = [
            Part(row, ordinal, row.entity, slug, row.entity_id, len(slugs) - 1 - ordinal)
            for ordinal, slug in enumerate(slugs)
        ]
    opens = row.entity == "pool" and row.slug.startswith(CREATED)
    if row.transaction_id is not None:
        transaction_id = row.transaction_id
        parts.append(Part(row, len(parts), TRANSACTIONS, CREATED, transaction_id))
    if row.transaction_id is not None or opens:
        parts.append(Part(row, len(parts), BALANCE, CREATED if opens else UPDATED, row.entity_id))
    return parts


async def deliveries(facts: Facts, tenant_id: int, parts: Sequence[Part]) -> list[Delivery]:
    """These events as they are delivered, in the same order.

    An event whose pool or transaction is gone for good is left out: there is nothing to show.
    """
    shown = await _Shown.gather(facts, tenant_id, {part.row.id: part.row for part in parts})
    made: list[Delivery] = []
    for number, part in enumerate(parts, 1):
        delivery = shown.deliver(part)
        if delivery is not None:
            made.append(delivery)
        if number % SHOWN_AT_ONCE_MAX == 0:
            await asyncio.sleep(0)
    return made


def event_id(part: Part) -> str:
    """The id of an event: its row's for the last one of the row's entity, else derived from it."""
    if part.before_last == 0 and part.entity == part.row.entity:
        return part.row.id
    return str(uuid5(UUID(part.row.id), f"{part.entity}/{part.slug}"))


def shown_entities(event: DomainEvent) -> list[dict[str, Any]]:
    """The documents of the event's entity in it."""
    created, updated = event.created_event, event.updated_event
    deleted, action = event.deleted_event, event.action_event
    if action is not None and action.body is not None:
        entity = (event.entity_fqdn or "").removeprefix(FQDN_PREFIX)
        return [action.body[_NAMES[entity]]]
    documents = (
        created and created.entity,
        updated and updated.current_entity,
        deleted and deleted.deleted_entity,
    )
    return [each for each in documents if each]


class _Shown:
    """What some rows show beside themselves."""

    def __init__(
        self,
        rows: Iterable[Event],
        pools_found: dict[str, Pool],
        transactions_found: dict[str, Transaction],
    ) -> None:
        self.pools = pools_found
        self.transactions = transactions_found
        self.pools_then: dict[str, Pool] = {}
        for row in rows:
            pool = pools_found.get(_pool_id(row))
            if pool is not None:
                self.pools_then[row.id] = _pool_then(pool, row, transactions_found)
        self.snapshots: dict[str, Snapshot] = {}
        self.definitions: dict[str, ProgramDefinition] = {}

    @classmethod
    async def gather(cls, facts: Facts, tenant_id: int, rows: dict[str, Event]) -> _Shown:
        of_pools = [row for row in rows.values() if row.entity in _WITH_POOL]
        found = await facts.many(tenant_id, POOL, [(_pool_id(row),) for row in of_pools])
        posted = await _transactions(facts, tenant_id, [row.transaction_id for row in of_pools])
        moved = [row.superseded_transaction_id for row in posted.values()]
        posted |= await _transactions(facts, tenant_id, moved)
        shown = cls(rows.values(), {row.id: row for row in found}, posted)
        wanted = [row.snapshot_id for row in posted.values()]
        for pool in shown.pools_then.values():
            wanted += [each for each in (pool.snapshot_id, pool.renewal_snapshot_id) if each]
        shown.snapshots = await facts.snapshots(tenant_id, wanted)
        places = {
            each for row in rows.values() for each in row.body.get("program_definition_ids", ())
        }
        named = await facts.many(tenant_id, PROGRAM_DEFINITION, [(each,) for each in places])
        shown.definitions = {row.id: row for row in named}
        return shown

    def deliver(self, part: Part) -> Delivery | None:
        row = part.row
        if not self._is_whole(row):
            return None
        namespace, entity = _ENTITIES[part.entity](self, row)
        event = DomainEvent(
            id=event_id(part),
            entity_fqdn=f"{FQDN_PREFIX}{part.entity}",
            slug=part.slug,
            entity_id=part.entity_id,
            event_time=row.created,
            entity_event_sequence=self._sequence(part),
            actor=_actor(row),
            **row.body.get("trace", {}),
            triggered_by_anonymize_request=bool(row.body.get("triggered_by_anonymize_request")),
            **self._body(part, entity),
        )
        return Delivery(part, namespace, event)

    def _is_whole(self, row: Event) -> bool:
        """Whether all is there that the row tells of."""
        if row.entity not in _WITH_POOL:
            return True
        is_posted = row.transaction_id is None or row.transaction_id in self.transactions
        return is_posted and row.id in self.pools_then

    def _sequence(self, part: Part) -> int:
        if part.entity == TRANSACTIONS:
            return 1
        if part.entity == BALANCE:
            return self.pools_then[part.row.id].balance_revision
        return part.row.sequence - part.before_last

    def _body(self, part: Part, entity: dict[str, Any]) -> dict[str, Any]:
        match part.slug:
            case "created":
                return {"created_event": EntityCreated(entity=entity)}
            case "updated":
                return {"updated_event": EntityUpdated(current_entity=entity)}
            case "deleted":
                return {"deleted_event": EntityDeleted(deleted_entity=entity)}
        body = {_NAMES[part.entity]: entity}
        if part.slug in _ENDS_OF_RESERVATIONS:
            body |= self._end_of_reservation(part.row)
        more = _DETAILS.get(part.slug)
        if more is not None:
            name, details = more
            body[name] = details(self, part.row)
        elif "program_definition_id" in part.row.body:
            body["programDefinitionId"] = part.row.body["program_definition_id"]
            if cascade := part.row.body.get("cascade_type"):
                body["cascadeType"] = cascade
        return {"action_event": EntityActed(body=body)}

    def _end_of_reservation(self, row: Event) -> dict[str, Any]:
        transaction = self.transactions[row.transaction_id or ""]
        return {
            "transactionId": transaction.id,
            "reservationId": transaction.details.reservation_id,
        }


def _actor(row: Event) -> EventActor | None:
    """Who made it happen; events of before that was stored don't tell."""
    actor = row.body.get("actor")
    return None if actor is None else msgspec.convert(actor, EventActor)


async def _transactions(
    facts: Facts, tenant_id: int, ids: Iterable[str | None]
) -> dict[str, Transaction]:
    rows = await facts.many(tenant_id, TRANSACTION, [(each,) for each in ids if each])
    return {row.id: row for row in rows}


_WITH_POOL = ("pool", BALANCE, "lot")
"""The entities whose events show something of a pool."""


def _pool_id(row: Event) -> str:
    """The pool that a row tells of, if it tells of one."""
    pool_id: str = row.body["entity"]["pool_id"] if row.entity == "lot" else row.entity_id
    return pool_id


def _pool_then(pool: Pool, row: Event, posted: dict[str, Transaction]) -> Pool:
    """A pool as a row tells of it; of a balance's row only the balance is of then."""
    then: dict[str, Any] = {}
    if row.entity == "pool":
        state = row.body["pool"]
        then = {name: state.get(name, _POOL_DEFAULTS.get(name)) for name in POOL_STATE}
        for name, kind in _POOL_ENUMS.items():
            then[name] = then[name] and kind(then[name])
    transaction = posted.get(row.transaction_id or "")
    if transaction is not None:
        then |= {
            "available": transaction.available_after,
            "reserved": transaction.details.reserved_after,
            "balance_revision": transaction.balance_revision,
            "balance_updated": transaction.created,
            "last_transaction_id": transaction.id,
        }
        then.setdefault("snapshot_id", transaction.snapshot_id)
    elif row.entity == "pool" and row.slug.startswith(CREATED):
        then |= {
            "available": 0,
            "reserved": 0,
            "balance_revision": 1,
            "balance_updated": row.created,
            "last_transaction_id": None,
        }
    return replace(pool, **then)


_POOL_ENUMS: dict[str, Callable[[str], Any]] = {
    "status": PoolStatus,
    "previous_status": PoolStatus,
    "renewal_action": RenewalActionType,
}
_POOL_DEFAULTS = {"renewal_count": 0}

Entities = Callable[[_Shown, Event], tuple[str, dict[str, Any]]]
"""The namespace of a row's entity, and the entity as the wire shows it."""


def _stored(kind: type[R], view: Callable[[R], Any], wire: type[Any]) -> Entities:
    """What shows an entity whose row is in the body."""
    write = encoder_for(wire)

    def show(_shown: _Shown, row: Event) -> tuple[str, dict[str, Any]]:
        entity: Any = msgspec.convert(row.body["entity"], kind)
        return getattr(entity, "namespace", ""), write(view(entity))

    return show


_write_pool_definition = encoder_for(pool_definitions.PoolDefinition)
_write_pool = encoder_for(pools.Pool)
_write_balance = encoder_for(balances.Balance)
_write_lot = encoder_for(lots.Lot)
_write_transaction = encoder_for(transactions.Transaction)


def _show_pool_definition(shown: _Shown, row: Event) -> tuple[str, dict[str, Any]]:
    definition = msgspec.convert(row.body["entity"], PoolDefinition)
    ids = row.body["program_definition_ids"]
    view = views.pool_definition_in(
        definition,
        msgspec.convert(row.body["snapshot"], Snapshot),
        tuple(_info(each, shown.definitions.get(each)) for each in ids),
    )
    return definition.namespace, _write_pool_definition(view)


def _info(id_: str, row: ProgramDefinition | None) -> ProgramDefinitionInfo:
    """A program definition as it is now; of one that is gone its id."""
    return ProgramDefinitionInfo(id=id_) if row is None else views.program_definition_info(row)


def _show_pool(shown: _Shown, row: Event) -> tuple[str, dict[str, Any]]:
    pool = shown.pools_then[row.id]
    return pool.namespace, _write_pool(views.pool(pool, shown.snapshots))


def _show_balance(shown: _Shown, row: Event) -> tuple[str, dict[str, Any]]:
    pool = shown.pools_then[row.id]
    return pool.namespace, _write_balance(views.balance(pool, shown.snapshots[pool.snapshot_id]))


def _show_lot(shown: _Shown, row: Event) -> tuple[str, dict[str, Any]]:
    pool = shown.pools_then[row.id]
    lot = msgspec.convert(row.body["entity"], Lot)
    return pool.namespace, _write_lot(lot_views.lot(lot, pool))


def _show_transaction(shown: _Shown, row: Event) -> tuple[str, dict[str, Any]]:
    pool, transaction = shown.pools_then[row.id], shown.transactions[row.transaction_id or ""]
    snapshot = shown.snapshots[transaction.snapshot_id]
    return pool.namespace, _write_transaction(views.transaction(transaction, pool, snapshot))


_ENTITIES: dict[str, Entities] = {
    "program_definition": _stored(
        ProgramDefinition, views.program_definition, program_definitions.ProgramDefinition
    ),
    "pool_definition": _show_pool_definition,
    "item": _stored(Item, views.item, items.Item),
    "program": _stored(Program, views.program, programs.Program),
    "pool": _show_pool,
    "lot": _show_lot,
    "webhook_endpoint": _stored(WebhookEndpoint, webhook_views.endpoint, webhooks.WebhookEndpoint),
    BALANCE: _show_balance,
    TRANSACTIONS: _show_transaction,
}

_NAMES = {
    "program_definition": "programDefinition",
    "pool_definition": "poolDefinition",
    "program": "program",
    "pool": "pool",
    "webhook_endpoint": "webhookEndpoint",
}
"""What the body of an action calls its entity."""


def _show_redemption(shown: _Shown, row: Event) -> dict[str, Any]:
    return _show_details(
        shown, row, pools.RedemptionDetails, additional_data=row.body.get("additional_data")
    )


def _show_reallocation(shown: _Shown, row: Event) -> dict[str, Any]:
    transaction = shown.transactions[row.transaction_id or ""]
    before = shown.transactions.get(transaction.superseded_transaction_id or "")
    return _show_details(
        shown,
        row,
        pools.ReallocationDetails,
        previous_transaction_id=transaction.superseded_transaction_id,
        previous_target_date=before.details.effective_date if before else None,
    )


def _show_cancellation(shown: _Shown, row: Event) -> dict[str, Any]:
    transaction = shown.transactions[row.transaction_id or ""]
    return _show_details(
        shown,
        row,
        pools.CancellationDetails,
        # That of a part is no opposite of the redemption, which goes on.
        previous_transaction_id=transaction.related_transaction_id or transaction.correlation_id,
    )


def _show_details(shown: _Shown, row: Event, wire: type[Any], **more: Any) -> dict[str, Any]:
    """What the three actions with credits tell of their transaction."""
    transaction, pool = shown.transactions[row.transaction_id or ""], shown.pools_then[row.id]
    details, item = transaction.details, transaction.details.item
    if "target_date" in wire.__struct_fields__:
        more["target_date"] = details.effective_date
    return encoder_for(wire)(
        wire(
            transaction_id=transaction.id,
            item_reference=ItemReferenceData(
                external_id=item.external_id,
                category=item.category or None,
                provider_app_id=item.provider_app_id,
            )
            if item
            else None,
            item_count=details.item_count,
            idempotency_key=transaction.idempotency_key,
            beneficiary=IdentificationData.of(pool.beneficiary),
            **more,
        )
    )


def _show_alert(_shown: _Shown, row: Event) -> dict[str, Any]:
    raised = msgspec.convert(row.body["alert"], Raised)
    return encoder_for(pools.AlertDetails)(
        pools.AlertDetails(
            alert_key=raised.alert_key,
            type=raised.type,
            crossed_date=raised.crossed,
            available=raised.available,
            date=raised.date,
            amount=raised.amount,
            lot_id=raised.lot_id,
            reservation_id=raised.reservation_id,
        )
    )


_DETAILS: dict[str, tuple[str, Callable[[_Shown, Event], dict[str, Any]]]] = {
    "benefit_redeemed": ("redemptionDetails", _show_redemption),
    "benefit_reserved": ("redemptionDetails", _show_redemption),
    "benefit_reallocated": ("reallocationDetails", _show_reallocation),
    "redemption_canceled": ("cancellationDetails", _show_cancellation),
    ALERT: ("alertDetails", _show_alert),
}

_ENDS_OF_RESERVATIONS = frozenset({"benefit_reservation_released", "benefit_reservation_canceled"})
