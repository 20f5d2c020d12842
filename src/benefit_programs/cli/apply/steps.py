"""The steps of a plan: each tells what it will do, and does it through the client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from benefit_programs.cli.apply.file import KEY_NAMESPACE, Cascade
from benefit_programs.client import (
    ApiError,
    BenefitPrograms,
    Details,
    DetailsChange,
    Item,
    NewItem,
    PoolDefinition,
    ProgramDefinition,
)
from benefit_programs.client import Cascade as ClientCascade

Document = dict[str, Any]
Change = tuple[str, Any, Any]
Verb = Literal["create", "change", "remove"]

BULK = 100
_PARTS = ("creditConfiguration", "policyExpression", "additionalData", "benefits")


@dataclass
class Service:
    """The service while a plan is carried out, and what the steps so far have found out."""

    client: BenefitPrograms
    namespace: str
    program_definition_ids: dict[str, str] = field(default_factory=dict)
    """By external id."""
    pool_definitions: dict[str, PoolDefinition] = field(default_factory=dict)
    """By the name in the file."""


class Step(Protocol):
    """One step."""

    verb: ClassVar[Verb]
    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """What it is about."""
        ...

    @property
    def cascade(self) -> Cascade | None:
        """When it reaches what was made before, if it does."""
        ...

    @property
    def changes(self) -> Sequence[Change]:
        """What changes, field by field: path, old, new."""
        ...

    def run(self, service: Service) -> None:
        """Do it. Raises what the client raises."""
        ...


@dataclass(frozen=True)
class CreateProgramDefinition:
    """Make a program definition."""

    verb: ClassVar[Verb] = "create"
    kind: ClassVar[str] = "program definition"

    name: str
    wanted: Document
    cascade: Cascade | None = None

    @property
    def changes(self) -> Sequence[Change]:
        """Its name."""
        return _new(self.wanted, "displayName")

    def run(self, service: Service) -> None:
        """Make it."""
        made = service.client.program_definitions.create(
            namespace=service.namespace,
            external_id=self.name,
            display_name=self.wanted.get("displayName"),
            description=self.wanted.get("description"),
            extended_fields=_sent(self.wanted.get("extendedFields")),
        )
        service.program_definition_ids[self.name] = made.id


@dataclass(frozen=True)
class ChangeProgramDefinition:
    """Change a program definition."""

    verb: ClassVar[Verb] = "change"
    kind: ClassVar[str] = "program definition"

    name: str
    found: ProgramDefinition
    wanted: Document
    changes: Sequence[Change]
    cascade: Cascade | None = None

    def run(self, service: Service) -> None:
        """Change what differs."""
        service.client.program_definitions.update(
            self.found.id,
            revision=self.found.revision,
            display_name=self.wanted.get("displayName"),
            description=self.wanted.get("description"),
            extended_fields=_changed_fields(self.found, self.wanted),
        )


@dataclass(frozen=True)
class CreatePoolDefinition:
    """Make a pool definition."""

    verb: ClassVar[Verb] = "create"
    kind: ClassVar[str] = "pool definition"

    name: str
    wanted: Document
    cascade: Cascade

    @property
    def changes(self) -> Sequence[Change]:
        """Its name, and where it stands."""
        benefits = [each["benefitKey"] for each in self.wanted["benefits"]]
        told = {**self.wanted, "benefits": ", ".join(benefits) or None}
        told["programDefinitions"] = ", ".join(self.wanted["programDefinitions"]) or None
        return _new(told, "displayName", "programDefinitions", "benefits")

    def run(self, service: Service) -> None:
        """Make it, with its key."""
        fields = _sent(self.wanted.get("extendedFields")) or {}
        ids = [service.program_definition_ids[each] for each in self.wanted["programDefinitions"]]
        service.pool_definitions[self.name] = service.client.pool_definitions.create(
            namespace=service.namespace,
            details=msgspec.convert(_details(self.wanted), Details, strict=False),
            display_name=self.wanted.get("displayName"),
            description=self.wanted.get("description"),
            program_definition_ids=ids or None,
            extended_fields={**fields, KEY_NAMESPACE: {"key": self.name}},
            cascade=ClientCascade(self.cascade) if ids else None,
        )


@dataclass(frozen=True)
class ChangePoolDefinition:
    """Change a pool definition, and its places in program definitions."""

    verb: ClassVar[Verb] = "change"
    kind: ClassVar[str] = "pool definition"

    name: str
    found: PoolDefinition
    current: Document
    wanted: Document
    cascade: Cascade
    changes: Sequence[Change]

    def run(self, service: Service) -> None:
        """Change what differs, first in the pool definition, then its places."""
        changed = self._update(service, ClientCascade(self.cascade))
        calls = service.client.pool_definitions
        wanted, current = (set(each["programDefinitions"]) for each in (self.wanted, self.current))
        for external_id in sorted(wanted - current):
            changed = calls.add_to_program_definition(
                changed.id,
                program_definition_id=service.program_definition_ids[external_id],
                cascade=ClientCascade(self.cascade),
            )
        for external_id in sorted(current - wanted):
            changed = calls.remove_from_program_definition(
                changed.id,
                program_definition_id=service.program_definition_ids[external_id],
                cascade=ClientCascade(self.cascade),
            )
        service.pool_definitions[self.name] = changed

    def _update(self, service: Service, cascade: ClientCascade) -> PoolDefinition:
        if all(path.startswith("programDefinitions.") for path, _, _ in self.changes):
            return self.found
        given: dict[str, Any] = {
            attribute: self.wanted.get(name)
            for name, attribute in (("displayName", "display_name"), ("description", "description"))
            if self.wanted.get(name) != self.current.get(name)
        }
        parts = {
            name: self.wanted.get(name)
            for name in _PARTS
            if self.wanted.get(name) != self.current.get(name)
        }
        if parts:
            given["details"] = msgspec.convert(parts, DetailsChange, strict=False)
        fields = _changed_fields(self.found, self.wanted)
        if self.wanted.get("key") != self.current.get("key"):
            fields[KEY_NAMESPACE] = {"key": self.wanted["key"]}
        if fields:
            given["extended_fields"] = fields
        return service.client.pool_definitions.update(
            self.found.id, revision=self.found.revision, cascade=cascade, **given
        )


@dataclass(frozen=True)
class DeletePoolDefinition:
    """Delete a pool definition."""

    verb: ClassVar[Verb] = "remove"
    kind: ClassVar[str] = "pool definition"

    name: str
    found: PoolDefinition
    cascade: Cascade
    changes: Sequence[Change] = ()

    def run(self, service: Service) -> None:
        """Delete it."""
        service.client.pool_definitions.delete(self.found.id, cascade=ClientCascade(self.cascade))


@dataclass(frozen=True)
class DeleteProgramDefinition:
    """Delete a program definition."""

    verb: ClassVar[Verb] = "remove"
    kind: ClassVar[str] = "program definition"

    name: str
    found: ProgramDefinition
    cascade: Cascade
    changes: Sequence[Change] = ()

    def run(self, service: Service) -> None:
        """Delete it."""
        service.client.program_definitions.delete(
            self.found.id, cascade_type=ClientCascade(self.cascade)
        )


@dataclass(frozen=True)
class AddItems:
    """Put items into a benefit."""

    verb: ClassVar[Verb] = "create"
    kind: ClassVar[str] = "items of"

    name: str
    pool_definition: str
    benefit_key: str
    provider_app_id: str
    wanted: Sequence[Document]
    cascade: Cascade | None = None

    @property
    def changes(self) -> Sequence[Change]:
        """Their references."""
        return [(_reference(each), None, each.get("displayName", "")) for each in self.wanted]

    def run(self, service: Service) -> None:
        """Make them, many at once."""
        details = service.pool_definitions[self.pool_definition].details
        new = [
            NewItem(
                external_id=each["externalId"],
                category=each.get("category"),
                display_name=each.get("displayName"),
                extended_fields=_sent(each.get("extendedFields")),
                item_set_id=details.item_set_id(self.benefit_key),
                provider_app_id=self.provider_app_id,
                namespace=service.namespace,
            )
            for each in self.wanted
        ]
        for start in range(0, len(new), BULK):
            _require_success(service.client.items.bulk_create(new[start : start + BULK]))


@dataclass(frozen=True)
class ChangeItem:
    """Change the name or the extended fields of an item."""

    verb: ClassVar[Verb] = "change"
    kind: ClassVar[str] = "item"

    name: str
    found: Item
    wanted: Document
    changes: Sequence[Change]
    cascade: Cascade | None = None

    def run(self, service: Service) -> None:
        """Change it."""
        service.client.items.update(
            self.found.id,
            revision=self.found.revision,
            display_name=self.wanted.get("displayName"),
            extended_fields=_changed_fields(self.found, self.wanted),
        )


@dataclass(frozen=True)
class RemoveItems:
    """Take items out of a benefit."""

    verb: ClassVar[Verb] = "remove"
    kind: ClassVar[str] = "items of"

    name: str
    found: Sequence[Item]
    cascade: Cascade | None = None

    @property
    def changes(self) -> Sequence[Change]:
        """Their references."""
        return [(each.external_id, each.display_name or "", None) for each in self.found]

    def run(self, service: Service) -> None:
        """Delete them, many at once."""
        ids = [each.id for each in self.found]
        for start in range(0, len(ids), BULK):
            _require_success(service.client.items.bulk_delete(ids[start : start + BULK]))


def _require_success(result: Any) -> None:
    """Raise the first failure of a bulk call."""
    for each in result.failures:
        error = each.error
        raise ApiError(error.description, status=400, code=error.code, data=error.data)


def _new(document: Document, *names: str) -> Sequence[Change]:
    return [(name, None, document[name]) for name in names if document.get(name) is not None]


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
