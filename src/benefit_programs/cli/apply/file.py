"""The content of a file: the definitions and items of one namespace, in the contract's words."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec

from benefit_programs.cli.apply.yaml_text import FileUnusable, Problem, Text
from benefit_programs.domain.benefits import require_legal
from benefit_programs.domain.constraints import FreeForm, OneOf, ReadOnly, Size
from benefit_programs.domain.constraints import Text as Limits
from benefit_programs.domain.details import (
    ALERTS_MAX,
    Alert,
    Benefit,
    CreditConfiguration,
    Details,
    PolicyExpression,
)
from benefit_programs.domain.errors import FieldViolation, Invalid
from benefit_programs.domain.settings import IdMode
from benefit_programs.domain.webhooks.rows import WebhookFormat
from benefit_programs.outgoing.urls import url_problem
from benefit_programs.transfer.matching import KEY_NAMESPACE
from benefit_programs.wire.codec import Shape, decoder_for, encoder_for, fields_of
from benefit_programs.wire.events import EVENT_TYPES
from benefit_programs.wire.types.calendars import (
    EitherEnd,
    EndDate,
    EndsAfter,
    PausedDaysMax,
    Pausing,
    Renewals,
)
from benefit_programs.wire.types.common import (
    Category,
    Description,
    EntityId,
    ExternalId,
    ItemName,
    Namespace,
    PoolName,
    ProgramName,
)
from benefit_programs.wire.types.pool_definitions import PROGRAM_DEFINITIONS_MAX as MEMBERSHIPS
from benefit_programs.wire.types.webhooks import (
    EventTypes,
    Namespaces,
    Url,
    WebhookDescription,
)

ExtendedFields = Annotated[dict[str, Any], FreeForm()]


class Cascade(StrEnum):
    """When a change reaches existing programs and pools."""

    IMMEDIATELY = "IMMEDIATELY"
    NEXT_RENEWAL = "NEXT_RENEWAL"
    FUTURE_PROVISIONS = "FUTURE_PROVISIONS"


class FileItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a benefit, identified by external id and category."""

    external_id: ExternalId
    category: Category | None = None
    display_name: ItemName | None = None
    extended_fields: ExtendedFields | None = None


class FileBenefit(Benefit, frozen=True, kw_only=True, omit_defaults=True):
    """A benefit, identified by its key. Without a list of items, its items stay as they are."""

    items: tuple[FileItem, ...] | None = None


class FilePoolDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A pool definition, identified by its key, or by its id as long as it has no key."""

    key: Annotated[str, Limits(min_length=1, max_length=64)] | None = None
    id: EntityId | None = None
    cascade: Cascade | None = None
    display_name: PoolName | None = None
    description: Description | None = None
    program_definitions: Annotated[tuple[ExternalId, ...], Size(maximum=MEMBERSHIPS)] = ()
    credit_configuration: CreditConfiguration | None = None
    benefits: Annotated[tuple[FileBenefit, ...], Size(maximum=10)] = ()
    policy_expression: PolicyExpression | None = None
    additional_data: Annotated[dict[str, Any], FreeForm()] | None = None
    alerts: Annotated[tuple[Alert, ...], Size(maximum=ALERTS_MAX)] | None = None
    extended_fields: ExtendedFields | None = None

    @property
    def name(self) -> str:
        return self.key or self.id or ""


class FileProgramDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A program definition, identified by its external id."""

    one_of: ClassVar[OneOf] = EitherEnd

    external_id: ExternalId
    display_name: ProgramName | None = None
    description: Description | None = None
    renewal_configuration: Renewals | None = None
    end_date: EndDate | None = None
    ends_after: EndsAfter | None = None
    while_paused: Pausing | None = None
    paused_days_max: PausedDaysMax | None = None
    extended_fields: ExtendedFields | None = None


class FileWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that is told of events; its URL tells it from others."""

    url: Url
    description: WebhookDescription | None = None
    format: WebhookFormat = WebhookFormat.STANDARD
    event_types: EventTypes = ()
    namespaces: Namespaces | None = None
    active: bool = True


class BenefitsFile(msgspec.Struct, frozen=True, kw_only=True):
    """The definitions, items and webhooks of a namespace.

    The cascade is for what has none of its own. Without a list of webhooks, they stay as they are.
    """

    namespace: Namespace
    cascade: Cascade = Cascade.FUTURE_PROVISIONS
    program_definitions: tuple[FileProgramDefinition, ...] = ()
    pool_definitions: tuple[FilePoolDefinition, ...] = ()
    webhooks: tuple[FileWebhook, ...] | None = None


def read_file(text: Text, ids: IdMode) -> BenefitsFile:
    """Read the text of a file. Raises FileUnusable with all its problems and their places."""
    problems = [*text.problems, *_unknown_names(text, Shape(BenefitsFile), text.document, "")]
    try:
        found = decoder_for(BenefitsFile).decode(text.document, ids=ids).value
    except Invalid as refusal:
        problems += [_located(text, each) for each in refusal.violations]
        if refusal.more:
            problems.append(text.problem("", f"has {refusal.more} more problems", "VALIDATION"))
        raise FileUnusable(problems) from None
    problems += [text.problem(*each) for each in _rules_broken(found)]
    if problems:
        raise FileUnusable(problems)
    return found


def canonical(entry: msgspec.Struct) -> dict[str, Any]:
    """An entry as a document that is equal for all ways to write the same."""
    return encoder_for(type(entry))(entry)


def _located(text: Text, violation: FieldViolation) -> Problem:
    value = _value_at(text.document, violation.field)
    is_text = str((violation.data or {}).get("type", "")).endswith("STRING")
    hint = ": put it in quotes" if is_text and type(value) in (int, bool) else ""
    described = violation.description or "can't be used"
    return text.problem(
        violation.field, described + hint, violation.rule_name or violation.violated_rule
    )


def _value_at(document: Any, path: str) -> Any:
    for name in path.replace("[", ".[").split("."):
        if isinstance(document, list) and name.startswith("["):
            document = document[int(name[1:-1])]
        elif isinstance(document, dict):
            document = document.get(name)
        else:
            return None
    return document


def _unknown_names(text: Text, shape: Shape, raw: Any, path: str) -> Iterator[Problem]:
    """Names that no field has: mostly misspelt, so better named than passed over."""
    if shape.is_list and isinstance(raw, list):
        for index, each in enumerate(raw):
            yield from _unknown_names(text, shape.element, each, f"{path}[{index}]")
    if not shape.is_struct or not isinstance(raw, dict):
        return
    fields = {
        each.wire_name: each for each in fields_of(shape.kind) if each.shape.mark(ReadOnly) is None
    }
    for name, value in raw.items():
        inner = f"{path}.{name}" if path else name
        if name not in fields:
            said = f"is unknown here; known are {', '.join(fields)}"
            yield text.problem(inner, said, "FIELD_NOT_ALLOWED")
        else:
            yield from _unknown_names(text, fields[name].shape, value, inner)


def _rules_broken(file: BenefitsFile) -> Iterator[tuple[str, str, str]]:
    """What single fields can't tell: path, description and rule."""
    external_ids = [each.external_id for each in file.program_definitions]
    yield from _repeated(external_ids, "programDefinitions[{}].externalId")
    yield from _repeated([each.key for each in file.pool_definitions], "poolDefinitions[{}].key")
    yield from _repeated([each.id for each in file.pool_definitions], "poolDefinitions[{}].id")
    for index, each in enumerate(file.pool_definitions):
        yield from _rules_of_pool_definition(each, f"poolDefinitions[{index}]")
    webhooks = file.webhooks or ()
    yield from _repeated([each.url for each in webhooks], "webhooks[{}].url")
    for index, webhook in enumerate(webhooks):
        yield from _rules_of_webhook(webhook, f"webhooks[{index}]")


def _rules_of_webhook(entry: FileWebhook, path: str) -> Iterator[tuple[str, str, str]]:
    problem = url_problem(entry.url)
    if problem:
        yield f"{path}.url", problem, "VALIDATION"
    for index, each in enumerate(entry.event_types):
        if each not in EVENT_TYPES:
            yield f"{path}.eventTypes[{index}]", "is no type of event", "VALIDATION"


def _rules_of_pool_definition(
    entry: FilePoolDefinition, path: str
) -> Iterator[tuple[str, str, str]]:
    if entry.key is None and entry.id is None:
        yield path, "needs a key, which tells it from others for good", "REQUIRED_FIELD"
    if KEY_NAMESPACE in (entry.extended_fields or {}):
        said = "is kept for the key"
        yield f"{path}.extendedFields.{KEY_NAMESPACE}", said, "FIELD_NOT_ALLOWED"
    yield from _repeated(list(entry.program_definitions), path + ".programDefinitions[{}]")
    details = Details(
        benefits=entry.benefits,
        credit_configuration=entry.credit_configuration,
        alerts=entry.alerts,
    )
    try:
        require_legal(details, path)
    except Invalid as refusal:
        for each in refusal.violations:
            rule = each.rule_name or each.violated_rule
            yield each.field.replace(".details.", ".", 1), each.description or "", rule
    for index, benefit in enumerate(entry.benefits):
        references = [(each.external_id, each.category or "") for each in benefit.items or ()]
        yield from _repeated(references, f"{path}.benefits[{index}].items[{{}}]")


def _repeated(values: list[Any], path: str) -> Iterator[tuple[str, str, str]]:
    seen = set()
    for index, value in enumerate(values):
        if value is not None and value in seen:
            yield path.format(index), "is there already, further up", "UNIQUE"
        seen.add(value)
