"""The definitions and items of a tenant's namespace, in the form of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benefit_programs.cli.apply.file import (
    FileItem,
    FilePoolDefinition,
    FileProgramDefinition,
    FileWebhook,
    canonical,
)
from benefit_programs.client import (
    BenefitPrograms,
    Item,
    PermissionDenied,
    PoolDefinition,
    ProgramDefinition,
    WebhookEndpoint,
)
from benefit_programs.client.core.wire import to_wire
from benefit_programs.domain.calendars import TERMS
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.webhooks.rows import IN_PROCESS
from benefit_programs.transfer.matching import KEY_NAMESPACE
from benefit_programs.wire.codec import decoder_for
from benefit_programs.wire.codec.naming import to_camel

Document = dict[str, Any]
Reference = tuple[str, str]

DATES = {to_camel(name): name for name in TERMS}
"""The attributes of what a program definition says about dates, by their names in a file."""

ITEM_SETS_AT_ONCE = 100
ITEMS_ON_A_PAGE = 1000

_ALL = 1_000_000
"""More namespaces than an endpoint can name."""


@dataclass
class Tenant:
    """The definitions of a namespace, and the items that were read, by item set."""

    namespace: str
    program_definitions: dict[str, ProgramDefinition]
    """By external id."""
    pool_definitions: list[PoolDefinition]
    items: dict[str, dict[Reference, Item]] = field(default_factory=dict)
    webhooks: list[WebhookEndpoint] = field(default_factory=list)
    """Those that are told of its events, but for functions of processes, which no file makes."""

    def pool_definitions_with_key(self, key: str) -> list[PoolDefinition]:
        """The pool definitions with this key: several if somebody has copied extended fields."""
        return [each for each in self.pool_definitions if key_of(each) == key]

    def webhook(self, url: str) -> WebhookEndpoint | None:
        """The endpoint at a URL, rather one for this namespace alone than one for several."""
        found = [each for each in self.webhooks if each.url == url]
        return min(found, key=lambda each: len(each.namespaces) or _ALL, default=None)

    def is_alone_in(self, endpoint: WebhookEndpoint) -> bool:
        """Whether an endpoint is for this namespace and for no other."""
        return endpoint.namespaces == (self.namespace,)

    def pool_definition(self, definition_id: str) -> PoolDefinition | None:
        found = (each for each in self.pool_definitions if each.id == definition_id)
        return next(found, None)


def read_tenant(client: BenefitPrograms, namespace: str) -> Tenant:
    """Read all definitions of a namespace, the oldest first."""
    programs = client.program_definitions.query({"namespace": namespace}, sort=["created_date"])
    pools = client.pool_definitions.query({"namespace": namespace}, sort=["created_date"])
    return Tenant(
        namespace,
        {each.external_id: each for each in programs.limit(100)},
        pools.limit(100).to_list(),
    )


def read_webhooks(client: BenefitPrograms, tenant: Tenant) -> None:
    """Read the endpoints that are told of the namespace, the oldest first."""
    tenant.webhooks = [
        each
        for each in client.webhooks.query(sort=["created_date"]).limit(100)
        if not each.url.startswith(IN_PROCESS)
        and (tenant.namespace in each.namespaces or not each.namespaces)
    ]


def read_items(client: BenefitPrograms, tenant: Tenant, item_set_ids: list[str]) -> None:
    """Read the items of these item sets into the tenant."""
    for start in range(0, len(item_set_ids), ITEM_SETS_AT_ONCE):
        chosen = item_set_ids[start : start + ITEM_SETS_AT_ONCE]
        tenant.items.update((each, {}) for each in chosen)
        query = client.items.query({"item_set_id": {"$in": chosen}}, sort=["created_date"])
        for item in query.limit(ITEMS_ON_A_PAGE):
            tenant.items[item.item_set_id][item.external_id, item.category or ""] = item


def key_of(definition: PoolDefinition) -> str | None:
    """The key that a file has given a pool definition."""
    key = _namespaces(definition).get(KEY_NAMESPACE, {}).get("key")
    return key if isinstance(key, str) and key else None


def program_definition_document(definition: ProgramDefinition) -> Document:
    sent = to_wire(definition)
    dates = {name: sent[name] for name in DATES if name in sent}
    document = _named(definition, externalId=definition.external_id, **dates)
    return canonical(_decoded(FileProgramDefinition, document))


def pool_definition_document(definition: PoolDefinition) -> Document:
    """A pool definition in the form of a file, without its items."""
    key = key_of(definition)
    document = _named(
        definition,
        **({"key": key} if key else {"id": definition.id}),
        programDefinitions=[each.external_id for each in definition.program_definitions],
        **to_wire(definition.details),
    )
    extended = document.get("extendedFields", {})
    extended.pop(KEY_NAMESPACE, None)
    if not extended:
        document.pop("extendedFields", None)
    return canonical(_decoded(FilePoolDefinition, document))


def webhook_document(endpoint: WebhookEndpoint) -> Document:
    """An endpoint as a file says it; namespaces that aren't named are the file's own."""
    names = ("url", "description", "format", "eventTypes", "namespaces", "active")
    found = to_wire(endpoint)
    document = {name: found[name] for name in names if name in found}
    return comparable_webhook(canonical(_decoded(FileWebhook, document)))


def comparable_webhook(document: Document) -> Document:
    """In an order that means nothing."""
    lists = ("eventTypes", "namespaces")
    return document | {name: sorted(document[name]) for name in lists if name in document}


def item_document(item: Item) -> Document:
    document = _named(item, externalId=item.external_id)
    if item.category:
        document["category"] = item.category
    return canonical(_decoded(FileItem, document))


def file_document(client: BenefitPrograms, namespace: str) -> Document:
    """The whole namespace as a file. Applying it changes nothing."""
    tenant = read_tenant(client, namespace)
    sets = [
        each.item_set_id
        for definition in tenant.pool_definitions
        for each in definition.details.benefits
        if each.item_set_id
    ]
    read_items(client, tenant, sets)
    with suppress(PermissionDenied):  # a key that may read definitions needn't read these
        read_webhooks(client, tenant)
    webhooks = [_own_webhook(each) for each in tenant.webhooks if tenant.is_alone_in(each)]
    return {
        "namespace": namespace,
        "programDefinitions": [
            program_definition_document(each) for each in tenant.program_definitions.values()
        ],
        "poolDefinitions": list(_pool_definitions_with_items(tenant)),
    } | ({"webhooks": webhooks} if webhooks else {})


def _own_webhook(endpoint: WebhookEndpoint) -> Document:
    """An endpoint that is for the file's namespace alone, which the file needn't say."""
    usual = {"format": "STANDARD", "eventTypes": [], "active": True}
    return {
        name: each
        for name, each in webhook_document(endpoint).items()
        if name != "namespaces" and each != usual.get(name)
    }


def _pool_definitions_with_items(tenant: Tenant) -> Iterator[Document]:
    for definition in tenant.pool_definitions:
        document = pool_definition_document(definition)
        for benefit in document["benefits"]:
            item_set_id = definition.details.item_set_id(benefit["benefitKey"])
            items = tenant.items[item_set_id].values()
            benefit["items"] = [item_document(each) for each in items]
        yield document


def _named(entity: ProgramDefinition | PoolDefinition | Item, **first: Any) -> Document:
    document = dict(first)
    for name in ("displayName", "description"):
        value = to_wire(entity).get(name)
        if value is not None:
            document[name] = value
    namespaces = _namespaces(entity)
    return document | ({"extendedFields": namespaces} if namespaces else {})


def _namespaces(entity: ProgramDefinition | PoolDefinition | Item) -> dict[str, Any]:
    return dict(entity.extended_fields.namespaces) if entity.extended_fields else {}


def _decoded(kind: type[Any], document: Document) -> Any:
    # Ids are as the service has them, whatever the tenant's mode was when they were made.
    return decoder_for(kind).decode(document, ids=IdMode.OPEN).value
