"""Details of definitions and pools: which are legal, how they change, how they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from benefit_programs.domain.context import Context
from benefit_programs.domain.details import Benefit, Details
from benefit_programs.domain.durations import Span, parse
from benefit_programs.domain.entities import ItemSet, Snapshot, SnapshotBenefit
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.policies import assign_quota_ids
from benefit_programs.domain.state import Changes
from benefit_programs.domain.values import Updates


def require_legal(details: Details, path: str) -> None:
    """Refuse illegal details. Contract: Prices and item sets."""
    violations = tuple(
        replace(each, field=f"{path}.details.{each.field}") for each in illegalities(details)
    )
    if violations:
        raise Invalid(violations)


def illegalities(details: Details) -> Iterator[FieldViolation]:
    """What is illegal about these details."""
    yield from repetitions(details)
    yield from _shares_of_nothing(details)
    if details.credit_configuration is not None:
        return
    for position, benefit in enumerate(details.benefits or ()):
        if benefit.price:
            yield FieldViolation(
                field=f"benefits[{position}].price",
                description="without a credit configuration only the price 0 can be paid",
                violated_rule=ViolatedRule.OTHER,
                rule_name="price_needs_credit_configuration",
            )


def repetitions(details: Details) -> Iterator[FieldViolation]:
    """What stands there twice: keys of benefits and alerts, and durations of a benefit's terms."""
    yield from _repeated_keys(details)
    yield from _repeated_alerts(details)
    yield from _repeated_terms(details)


def _repeated_keys(details: Details) -> Iterator[FieldViolation]:
    """The benefits whose key an earlier benefit has."""
    keys: set[str] = set()
    for position, benefit in enumerate(details.benefits or ()):
        if benefit.benefit_key in keys:
            yield FieldViolation(
                field=f"benefits[{position}].benefitKey",
                description="another benefit of the pool definition has this key",
                violated_rule=ViolatedRule.OTHER,
                rule_name="benefit_key_is_unique",
            )
        keys.add(benefit.benefit_key)


def _repeated_terms(details: Details) -> Iterator[FieldViolation]:
    """The cancellation terms of a benefit that hold as long as an earlier one of it."""
    for position, benefit in enumerate(details.benefits or ()):
        spans: set[Span] = set()
        for number, term in enumerate(benefit.cancellation_terms or ()):
            span = parse(term.before)
            if span in spans:
                yield FieldViolation(
                    field=f"benefits[{position}].cancellationTerms[{number}].before",
                    description="another cancellation term of the benefit has this duration",
                    violated_rule=ViolatedRule.OTHER,
                    rule_name="cancellation_term_is_unique",
                )
            spans.add(span)


def _shares_of_nothing(details: Details) -> Iterator[FieldViolation]:
    """The shares of nothing among the alerts of details."""
    for position, alert in enumerate(details.alerts or ()):
        options = alert.balance_below_options
        if options is not None and options.percent is not None and not details.credit_amount:
            yield FieldViolation(
                field=f"alerts[{position}].balanceBelowOptions.percent",
                description="is a share of the amount of the credit configuration, which has none",
                violated_rule=ViolatedRule.OTHER,
                rule_name="percent_needs_amount",
            )


def _repeated_alerts(details: Details) -> Iterator[FieldViolation]:
    """The alerts whose key an earlier alert has."""
    keys: set[str] = set()
    for position, alert in enumerate(details.alerts or ()):
        if alert.alert_key in keys:
            yield FieldViolation(
                field=f"alerts[{position}].alertKey",
                description="another alert of the pool definition has this key",
                violated_rule=ViolatedRule.OTHER,
                rule_name="alert_key_is_unique",
            )
        keys.add(alert.alert_key)


def merge_details(current: Details, sent: Mapping[str, Any] | None) -> Details:
    """Details after an update: each part is replaced whole, cleared by None, else kept.

    A benefit with the key of an old one keeps its item set and its provider app.
    """
    if sent is None:
        return Details()
    details = replace(current, **sent)
    if "benefits" not in sent or details.benefits is None:
        return details
    return replace(
        details,
        benefits=tuple(
            _kept(benefit, current.benefit(benefit.benefit_key)) for benefit in details.benefits
        ),
    )


def _kept(benefit: Benefit, current: Benefit | None) -> Benefit:
    if current is None:
        return replace(benefit, item_set_id=None)
    return replace(
        benefit, item_set_id=current.item_set_id, provider_app_id=current.provider_app_id
    )


def settle_details(
    details: Details, current: Details | None, context: Context, *, path: str
) -> Details:
    """Legal details with the ids that the server makes: item sets and quotas.

    Raises Invalid with paths below ``path``, where the entity stands in the request.
    """
    require_legal(details, path)
    benefits = tuple(
        benefit if benefit.item_set_id else replace(benefit, item_set_id=context.new_id())
        for benefit in details.benefits or ()
    )
    settled = replace(details, benefits=benefits)
    return assign_quota_ids(settled, current, context.new_id)


def save_snapshot(
    changes: Changes[Any],
    context: Context,
    *,
    details: Details,
    before: Details | None,
    display_name: str | None,
    description: str | None,
    pool_definition_id: str,
    namespace: str,
) -> Snapshot:
    """Store names and details, with their benefits as rows that queries can join.

    Benefits that weren't there ``before`` get the item sets that their details name.
    """
    snapshot = Snapshot(
        id=context.new_id(),
        created=context.now,
        details=details,
        display_name=display_name,
        description=description,
    )
    changes.save(snapshot)
    known = {benefit.item_set_id for benefit in (before.benefits or ())} if before else set()
    for ordinal, benefit in enumerate(details.benefits or ()):
        assert benefit.item_set_id is not None
        changes.save(
            SnapshotBenefit(
                snapshot_id=snapshot.id,
                benefit_key=benefit.benefit_key,
                ordinal=ordinal,
                item_set_id=benefit.item_set_id,
                provider_app_id=benefit.provider_app_id,
                price=benefit.price or 0,
            )
        )
        if benefit.item_set_id not in known:
            changes.save(
                ItemSet(
                    id=benefit.item_set_id,
                    pool_definition_id=pool_definition_id,
                    benefit_key=benefit.benefit_key,
                    provider_app_id=benefit.provider_app_id,
                    namespace=namespace,
                )
            )
    return snapshot


def update_snapshot(
    changes: Changes[Any],
    context: Context,
    current: Snapshot,
    updates: Updates,
    *,
    pool_definition_id: str,
    namespace: str,
    path: str,
) -> Snapshot:
    """Names and details after an update; the current snapshot where they say the same.

    Raises Invalid with paths below ``path``, where the entity stands in the request.
    """
    details = current.details
    if "details" in updates:
        merged = merge_details(details, updates["details"])
        details = settle_details(merged, details, context, path=path)
    display_name = updates.get("display_name", current.display_name)
    description = updates.get("description", current.description)
    if (
        replace(current, details=details, display_name=display_name, description=description)
        == current
    ):
        return current
    return save_snapshot(
        changes,
        context,
        details=details,
        before=current.details,
        display_name=display_name,
        description=description,
        pool_definition_id=pool_definition_id,
        namespace=namespace,
    )
