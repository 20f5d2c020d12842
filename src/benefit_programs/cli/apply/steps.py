"""The steps of a plan: each describes its change, and makes it through the client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from benefit_programs.cli.apply.file import Cascade, FileBenefit
from benefit_programs.cli.apply.tenant import DATES
from benefit_programs.client import (
    ApiError,
    BenefitPrograms,
    Details,
    DetailsChange,
    Item,
    NewItem,
    PoolDefinition,
    ProgramDefinition,
    WebhookEndpoint,
    WebhookFormat,
)
from benefit_programs.client import Cascade as ClientCascade
from benefit_programs.transfer.matching import KEY_NAMESPACE

Document = dict[str, Any]
Change = tuple[str, Any, Any]
Verb = Literal["create", "change", "remove"]

BULK = 100
ITEMS = "items of"
"""The kind of a step that is about several items of one benefit."""

_NAMES = {"displayName": "display_name", "description": "description"}
_PARTS = ("creditConfiguration", "policyExpression", "additionalData", "alerts", "benefits")


@dataclass
class Service:
    """The service while a plan is carried out, and the ids that the steps so far have found."""

    client: BenefitPrograms
    namespace: str
    program_definition_ids: dict[str, str] = field(default_factory=dict)
    """By external id."""
    pool_definitions: dict[str, PoolDefinition] = field(default_factory=dict)
    """By the name in the file."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Those of endpoints that were made, by URL: they can't be read again."""


@dataclass(frozen=True)
class Step:
    """The change of one thing, field by field: path, old and new value."""

    verb: Verb
    kind: str
    name: str
    run: Callable[[Service], None]
    """Raises what the client raises."""
    cascade: Cascade | None = None
    """When it reaches what was made before, if it does."""
    changes: Sequence[Change] = ()
    note: str = ""
    """What people should know of it besides."""


def create_program_definition(name: str, wanted: Document, changes: Sequence[Change]) -> Step:
    def run(service: Service) -> None:
        made = service.client.program_definitions.create(
            namespace=service.namespace,
            external_id=name,
            display_name=wanted.get("displayName"),
            description=wanted.get("description"),
            extended_fields=_sent(wanted.get("extendedFields")),
            **_dates(wanted),
        )
        service.program_definition_ids[name] = made.id

    return Step("create", "program definition", name, run, changes=changes)


def change_program_definition(
    found: ProgramDefinition, wanted: Document, changes: Sequence[Change]
) -> Step:
    def run(service: Service) -> None:
        service.client.program_definitions.update(
            found.id,
            revision=found.revision,
            display_name=wanted.get("displayName"),
            description=wanted.get("description"),
            extended_fields=_changed_fields(found, wanted),
            **_dates(wanted),
        )

    return Step("change", "program definition", found.external_id, run, changes=changes)


def _dates(document: Document) -> dict[str, Any]:
    """What the client gets of a document; what isn't there is None."""
    return {attribute: document.get(name) for name, attribute in DATES.items()}


def create_webhook(wanted: Document, changes: Sequence[Change]) -> Step:
    url = wanted["url"]

    def run(service: Service) -> None:
        made = service.client.webhooks.create(
            url,
            description=wanted.get("description"),
            format=WebhookFormat(wanted["format"]),
            event_types=wanted["eventTypes"],
            namespaces=wanted["namespaces"],
            active=wanted["active"],
        )
        service.secrets[url] = made.secret

    return Step("create", "webhook", url, run, changes=changes)


def change_webhook(found: WebhookEndpoint, wanted: Document, changes: Sequence[Change]) -> Step:
    def run(service: Service) -> None:
        service.client.webhooks.update(
            found.id,
            revision=found.revision,
            description=wanted.get("description"),
            format=WebhookFormat(wanted["format"]),
            event_types=wanted["eventTypes"],
            namespaces=wanted["namespaces"],
            active=wanted["active"],
        )

    return Step("change", "webhook", found.url, run, changes=changes)


def delete_webhook(found: WebhookEndpoint, changes: Sequence[Change]) -> Step:
    def run(service: Service) -> None:
        service.client.webhooks.delete(found.id)

    return Step("remove", "webhook", found.url, run, changes=changes)


def create_pool_definition(
    name: str, wanted: Document, cascade: Cascade, changes: Sequence[Change]
) -> Step:
    """Make it, with its key."""

    def run(service: Service) -> None:
        fields = _sent(wanted.get("extendedFields")) or {}
        ids = [service.program_definition_ids[each] for each in wanted["programDefinitions"]]
        service.pool_definitions[name] = service.client.pool_definitions.create(
            namespace=service.namespace,
            details=msgspec.convert(_details(wanted), Details, strict=False),
            display_name=wanted.get("displayName"),
            description=wanted.get("description"),
            program_definition_ids=ids or None,
            extended_fields={**fields, KEY_NAMESPACE: {"key": name}},
            cascade=ClientCascade(cascade) if ids else None,
        )

    return Step("create", "pool definition", name, run, cascade, changes)


def change_pool_definition(
    name: str,
    found: PoolDefinition,
    *,
    current: Document,
    wanted: Document,
    cascade: Cascade,
    changes: Sequence[Change],
) -> Step:
    """Change the fields that differ, then the program definitions that it belongs to."""
    when = ClientCascade(cascade)
    is_moved_only = all(path.startswith("programDefinitions.") for path, _, _ in changes)
    places, former = (set(each["programDefinitions"]) for each in (wanted, current))

    def run(service: Service) -> None:
        calls, ids = service.client.pool_definitions, service.program_definition_ids
        changed = found
        if not is_moved_only:
            given = _pool_definition_update(found, current, wanted)
            changed = calls.update(found.id, revision=found.revision, cascade=when, **given)
        for each in sorted(places - former):
            changed = calls.add_to_program_definition(
                changed.id, program_definition_id=ids[each], cascade=when
            )
        for each in sorted(former - places):
            changed = calls.remove_from_program_definition(
                changed.id, program_definition_id=ids[each], cascade=when
            )
        service.pool_definitions[name] = changed

    return Step("change", "pool definition", name, run, cascade, changes)


def _pool_definition_update(
    found: PoolDefinition, current: Document, wanted: Document
) -> dict[str, Any]:
    different = [each for each in (*_NAMES, *_PARTS) if wanted.get(each) != current.get(each)]
    given = {_NAMES[each]: wanted.get(each) for each in different if each in _NAMES}
    parts = {each: wanted.get(each) for each in different if each in _PARTS}
    if parts:
        given["details"] = msgspec.convert(parts, DetailsChange, strict=False)
    fields = _changed_fields(found, wanted)
    if wanted.get("key") != current.get("key"):
        fields[KEY_NAMESPACE] = {"key": wanted["key"]}
    return given | ({"extended_fields": fields} if fields else {})


def delete_pool_definition(
    key: str | None, found: PoolDefinition, cascade: Cascade, changes: Sequence[Change]
) -> Step:
    """Delete it. The plan marks one without a key: no file has made it."""

    def run(service: Service) -> None:
        service.client.pool_definitions.delete(found.id, cascade=ClientCascade(cascade))

    note = "" if key else "not made from a file"
    return Step("remove", "pool definition", key or found.id, run, cascade, changes, note)


def delete_program_definition(
    found: ProgramDefinition, cascade: Cascade, changes: Sequence[Change]
) -> Step:
    def run(service: Service) -> None:
        service.client.program_definitions.delete(found.id, cascade_type=ClientCascade(cascade))

    return Step("remove", "program definition", found.external_id, run, cascade, changes)


def add_items(pool_definition: str, benefit: FileBenefit, wanted: Sequence[Document]) -> Step:
    def run(service: Service) -> None:
        details = service.pool_definitions[pool_definition].details
        new = [
            NewItem(
                external_id=each["externalId"],
                category=each.get("category"),
                display_name=each.get("displayName"),
                extended_fields=_sent(each.get("extendedFields")),
                item_set_id=details.item_set_id(benefit.benefit_key),
                provider_app_id=benefit.provider_app_id,
                namespace=service.namespace,
            )
            for each in wanted
        ]
        _in_bulk(service.client.items.bulk_create, new)

    changes = [(_reference(each), None, each.get("displayName", "")) for each in wanted]
    where = f"{pool_definition}/{benefit.benefit_key}"
    return Step("create", ITEMS, where, run, changes=changes)


def change_item(where: str, found: Item, wanted: Document, changes: Sequence[Change]) -> Step:
    def run(service: Service) -> None:
        service.client.items.update(
            found.id,
            revision=found.revision,
            display_name=wanted.get("displayName"),
            extended_fields=_changed_fields(found, wanted),
        )

    return Step("change", "item", f"{found.external_id} in {where}", run, changes=changes)


def remove_items(where: str, found: Sequence[Item]) -> Step:
    def run(service: Service) -> None:
        _in_bulk(service.client.items.bulk_delete, [each.id for each in found])

    changes = [(each.external_id, each.display_name or "", None) for each in found]
    return Step("remove", ITEMS, where, run, changes=changes)


def _in_bulk(call: Callable[[list[Any]], Any], entries: list[Any]) -> None:
    """Call for all entries, many at once. Raises the first failure."""
    for start in range(0, len(entries), BULK):
        for each in call(entries[start : start + BULK]).failures:
            error = each.error
            raise ApiError(error.description, status=400, code=error.code, data=error.data)


def _reference(item: Document) -> str:
    category = item.get("category")
    return f"{category}/{item['externalId']}" if category else str(item["externalId"])


def _details(document: Document) -> Document:
    details = {name: document[name] for name in _PARTS if name in document}
    details["benefits"] = [
        {name: value for name, value in each.items() if name != "items"}
        for each in document["benefits"]
    ]
    return details


def _sent(fields: Document | None) -> Document | None:
    """Extended fields of something new: what is null is not there."""
    given = {name: each for name, each in (fields or {}).items() if each is not None}
    return given or None


def _changed_fields(found: ProgramDefinition | PoolDefinition | Item, wanted: Document) -> Document:
    """The namespaces to send: what is new or different, and null for what goes."""
    current = found.extended_fields.namespaces if found.extended_fields else {}
    fields: Document = wanted.get("extendedFields", {})
    gone: Document = {
        name: None for name in current if name not in fields and name != KEY_NAMESPACE
    }
    return gone | {name: each for name, each in fields.items() if current.get(name) != each}
