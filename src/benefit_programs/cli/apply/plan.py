"""The plan that makes a tenant look like a file, made before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from benefit_programs.cli.apply.file import (
    BenefitsFile,
    Cascade,
    FileBenefit,
    FilePoolDefinition,
    FileWebhook,
    canonical,
)
from benefit_programs.cli.apply.steps import (
    Step,
    add_items,
    change_item,
    change_pool_definition,
    change_program_definition,
    change_webhook,
    create_pool_definition,
    create_program_definition,
    create_webhook,
    delete_pool_definition,
    delete_program_definition,
    delete_webhook,
    remove_items,
)
from benefit_programs.cli.apply.tenant import (
    Document,
    Reference,
    Tenant,
    comparable_webhook,
    item_document,
    key_of,
    pool_definition_document,
    program_definition_document,
    webhook_document,
)
from benefit_programs.cli.apply.yaml_text import FileUnusable, Problem, Text
from benefit_programs.cli.output import fields_in
from benefit_programs.client import Item, PoolDefinition, ProgramDefinition

ABSENT = object()

ItemsByReference = dict[Reference, Item]


@dataclass
class Plan:
    """Steps in their order, and the things that stay although the file doesn't name them."""

    steps: list[Step] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def match_pool_definitions(
    file: BenefitsFile, tenant: Tenant, text: Text
) -> list[tuple[FilePoolDefinition, PoolDefinition | None]]:
    """Each pool definition of the file with the tenant's, if it has one. Raises FileUnusable."""
    problems: list[Problem] = []
    pairs = []
    for index, entry in enumerate(file.pool_definitions):
        path = f"poolDefinitions[{index}]"
        found, wrong = _matching(entry, tenant)
        problems += [text.problem(f"{path}.{name}", said, rule) for name, said, rule in wrong]
        problems += _unknown_program_definitions(entry, file, tenant, text, path)
        problems += _moved_apps(entry, found, text, path)
        pairs.append((entry, found))
    if problems:
        raise FileUnusable(problems)
    return pairs


def _matching(
    entry: FilePoolDefinition, tenant: Tenant
) -> tuple[PoolDefinition | None, list[tuple[str, str, str]]]:
    keyed = tenant.pool_definitions_with_key(entry.key) if entry.key else []
    if len(keyed) > 1:
        ids = ", ".join(each.id for each in keyed)
        return None, [("key", f"several pool definitions have this key: {ids}", "UNIQUE")]
    if entry.id is None:
        return next(iter(keyed), None), []
    found = tenant.pool_definition(entry.id)
    if found is None:
        said = "no pool definition of the namespace has this id; a new one has a key and no id"
        return None, [("id", said, "NOT_FOUND")]
    if keyed and keyed[0].id != found.id:
        return found, [("key", f"pool definition {keyed[0].id} has this key", "UNIQUE")]
    return found, []


def _unknown_program_definitions(
    entry: FilePoolDefinition, file: BenefitsFile, tenant: Tenant, text: Text, path: str
) -> Iterator[Problem]:
    known = {each.external_id for each in file.program_definitions}
    known |= tenant.program_definitions.keys()
    for index, external_id in enumerate(entry.program_definitions):
        if external_id not in known:
            said = "is the external id of no program definition, in the file or in the service"
            yield text.problem(f"{path}.programDefinitions[{index}]", said, "NOT_FOUND")


def _moved_apps(
    entry: FilePoolDefinition, found: PoolDefinition | None, text: Text, path: str
) -> Iterator[Problem]:
    if found is None:
        return
    apps = {each.benefit_key: each.provider_app_id for each in found.details.benefits}
    for index, benefit in enumerate(entry.benefits):
        app = apps.get(benefit.benefit_key)
        if app is not None and app != benefit.provider_app_id:
            said = f"can't be changed from {app}: use another benefitKey"
            yield text.problem(f"{path}.benefits[{index}].providerAppId", said, "IMMUTABLE")


def make_plan(
    file: BenefitsFile,
    tenant: Tenant,
    pairs: list[tuple[FilePoolDefinition, PoolDefinition | None]],
    *,
    prune: bool,
) -> Plan:
    """Compare a file with a tenant. ``prune`` removes things that the file doesn't name."""
    plan = Plan()
    _plan_program_definitions(plan, file, tenant)
    for entry, found in pairs:
        cascade = entry.cascade or file.cascade
        if found is None:
            document = canonical(entry)
            shown = _shown(_comparable(document, None), "key")
            plan.steps.append(
                create_pool_definition(entry.name, document, cascade, differences({}, shown))
            )
            items: list[tuple[FileBenefit, ItemsByReference]]
            items = [(each, {}) for each in entry.benefits]
        else:
            _plan_pool_definition(plan, entry, found, cascade, prune=prune)
            items = [(each, _items_of(tenant, found, each.benefit_key)) for each in entry.benefits]
        for benefit, current in items:
            _plan_items(plan, entry.name, benefit, current, prune=prune)
    named = {found.id for _, found in pairs if found}
    others = [each for each in tenant.pool_definitions if each.id not in named]
    _plan_removals(plan, file, tenant, others, prune=prune)
    if file.webhooks is not None:
        _plan_webhooks(plan, file.webhooks, tenant, prune=prune)
    return plan


def _plan_webhooks(
    plan: Plan, entries: Iterable[FileWebhook], tenant: Tenant, *, prune: bool
) -> None:
    """Only endpoints that are for this namespace alone can be removed: others serve others too."""
    named = set()
    for entry in entries:
        own = (tenant.namespace,) if entry.namespaces is None else entry.namespaces
        wanted = comparable_webhook(canonical(replace(entry, namespaces=own)))
        found = tenant.webhook(entry.url)
        if found is None:
            plan.steps.append(create_webhook(wanted, differences({}, _shown(wanted, "url"))))
            continue
        named.add(found.id)
        changes = differences(webhook_document(found), wanted)
        if changes:
            plan.steps.append(change_webhook(found, wanted, changes))
    for each in tenant.webhooks:
        if each.id in named or not tenant.is_alone_in(each):
            continue
        if prune:
            shown = _shown(webhook_document(each), "url")
            plan.steps.append(delete_webhook(each, differences(shown, {})))
        else:
            plan.left.append(f"webhook {each.url}")


def _plan_program_definitions(plan: Plan, file: BenefitsFile, tenant: Tenant) -> None:
    for entry in file.program_definitions:
        wanted = canonical(entry)
        found = tenant.program_definitions.get(entry.external_id)
        if found is None:
            shown = _shown(wanted, "externalId")
            plan.steps.append(
                create_program_definition(entry.external_id, wanted, differences({}, shown))
            )
            continue
        current = program_definition_document(found)
        wanted = _with_other_namespaces(wanted, current)
        if wanted != current:
            changes = differences(current, wanted)
            plan.steps.append(change_program_definition(found, wanted, changes))


def _plan_pool_definition(
    plan: Plan,
    entry: FilePoolDefinition,
    found: PoolDefinition,
    cascade: Cascade,
    *,
    prune: bool,
) -> None:
    current = pool_definition_document(found)
    wanted = _comparable(canonical(entry), key_of(found))
    wanted = _with_other_namespaces(wanted, current)
    current = _comparable(current, key_of(found))
    _keep_others(plan, entry.name, wanted, current, prune=prune)
    changes = differences(current, wanted)
    if changes:
        step = change_pool_definition(
            entry.name, found, current=current, wanted=wanted, cascade=cascade, changes=changes
        )
        plan.steps.append(step)


def _comparable(document: Document, key: str | None) -> Document:
    """Without what is no field of the pool definition, and in an order that means nothing."""
    rest = {name: each for name, each in document.items() if name not in ("id", "cascade")}
    rest.setdefault("key", key)
    rest["programDefinitions"] = sorted(document["programDefinitions"])
    rest["benefits"] = [
        {name: value for name, value in each.items() if name != "items"}
        for each in document["benefits"]
    ]
    return {name: each for name, each in rest.items() if each is not None}


def _keep_others(
    plan: Plan, name: str, wanted: Document, current: Document, *, prune: bool
) -> None:
    """Benefits and places in program definitions that the file doesn't name stay unless pruned."""
    keys = [each["benefitKey"] for each in wanted["benefits"]]
    benefits = [each for each in current["benefits"] if each["benefitKey"] not in keys]
    placed = set(current["programDefinitions"]) - set(wanted["programDefinitions"])
    if prune:
        return
    wanted["benefits"] = [*wanted["benefits"], *benefits]
    wanted["programDefinitions"] = sorted({*wanted["programDefinitions"], *placed})
    plan.left += [f"benefit {each['benefitKey']} of pool definition {name}" for each in benefits]
    plan.left += [f"pool definition {name} in program definition {each}" for each in sorted(placed)]


def _with_other_namespaces(wanted: Document, current: Document) -> Document:
    """Extended fields that the file doesn't name are others' and stay; null removes them."""
    merged = {**current.get("extendedFields", {}), **wanted.get("extendedFields", {})}
    kept = {name: each for name, each in merged.items() if each is not None}
    rest = {name: each for name, each in wanted.items() if name != "extendedFields"}
    return rest | ({"extendedFields": kept} if kept else {})


def _items_of(tenant: Tenant, found: PoolDefinition, benefit_key: str) -> ItemsByReference:
    sets = {each.benefit_key: each.item_set_id for each in found.details.benefits}
    return tenant.items.get(sets.get(benefit_key) or "", {})


def _plan_items(
    plan: Plan, name: str, benefit: FileBenefit, current: ItemsByReference, *, prune: bool
) -> None:
    if benefit.items is None:
        return
    where = f"{name}/{benefit.benefit_key}"
    wanted = {(each.external_id, each.category or ""): canonical(each) for each in benefit.items}
    new = [each for reference, each in wanted.items() if reference not in current]
    if new:
        plan.steps.append(add_items(name, benefit, new))
    for reference, item in current.items():
        document = item_document(item)
        if reference in wanted:
            complete = _with_other_namespaces(wanted[reference], document)
            changes = differences(document, complete)
            if changes:
                plan.steps.append(change_item(where, item, complete, changes))
    others = [item for reference, item in current.items() if reference not in wanted]
    if others and prune:
        plan.steps.append(remove_items(where, others))
    elif others:
        plan.left.append(f"{counted(len(others), 'item')} of {where}")


def _plan_removals(
    plan: Plan,
    file: BenefitsFile,
    tenant: Tenant,
    pool_definitions: Iterable[PoolDefinition],
    *,
    prune: bool,
) -> None:
    wanted = {each.external_id for each in file.program_definitions}
    others = [each for key, each in tenant.program_definitions.items() if key not in wanted]
    if prune:
        plan.steps += [_removed_pool_definition(each, file.cascade) for each in pool_definitions]
        plan.steps += [_removed_program_definition(each, file.cascade) for each in others]
        return
    plan.left += [f"pool definition {key_of(each) or each.id}" for each in pool_definitions]
    plan.left += [f"program definition {each.external_id}" for each in others]


def _removed_pool_definition(found: PoolDefinition, cascade: Cascade) -> Step:
    key = key_of(found)
    shown = _shown(_comparable(pool_definition_document(found), None), "key")
    return delete_pool_definition(key, found, cascade, differences(shown, {}))


def _removed_program_definition(found: ProgramDefinition, cascade: Cascade) -> Step:
    shown = _shown(program_definition_document(found), "externalId")
    return delete_program_definition(found, cascade, differences(shown, {}))


def _shown(document: Document, name: str) -> Document:
    """What a plan shows of something new or removed: all but its name, which stands above it."""
    return {field: value for field, value in document.items() if field != name}


def differences(current: Document, wanted: Document) -> list[tuple[str, Any, Any]]:
    """Each field that differs: its path, its old and its new value."""
    old, new = dict(_flat(current)), dict(_flat(wanted))
    paths = [*old, *(path for path in new if path not in old)]
    return [
        (path, old.get(path), new.get(path))
        for path in paths
        if old.get(path, ABSENT) != new.get(path, ABSENT)
    ]


def _flat(document: Document) -> Iterator[tuple[str, Any]]:
    """The single values by their paths; benefits and places go by their names."""
    for name, value in document.items():
        if name == "benefits":
            for benefit in value:
                rest = {each: item for each, item in benefit.items() if each != "benefitKey"}
                yield from fields_in(rest, f"benefits.{benefit['benefitKey']}")
        elif name == "programDefinitions":
            yield from ((f"programDefinitions.{each}", "assigned") for each in value)
        else:
            yield from fields_in(value, name)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
