"""Turns items of pools and of pool definitions into types of the wire."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from benefit_programs.domain.details import Details
from benefit_programs.domain.entities import (
    Beneficiary,
    PoolStatus,
    ProgramDefinition,
    Snapshot,
)
from benefit_programs.domain.explanations import ProgramDefinitionInfo, ProgramInfo
from benefit_programs.domain.pool_items import PoolDefinitionItem, PoolItem
from benefit_programs.wire.types import pool_definition_items, pool_items
from benefit_programs.wire.types.common import (
    CreditConfigurationInfo,
    IdentificationData,
    ItemInfo,
)

PoolItemFields = pool_items.RequestedFields
PoolDefinitionItemFields = pool_definition_items.RequestedFields


def pool_item(
    row: PoolItem,
    fields: Collection[str],
    *,
    snapshot: Snapshot | None,
    definition: ProgramDefinition | None,
) -> pool_items.PoolItem:
    """A pool item with the parts that were asked for, which the snapshot and definition give."""
    wants = PoolItemFields
    return pool_items.PoolItem(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        external_id=row.external_id,
        category=row.category or None,
        provider_app_id=row.provider_app_id,
        namespace=row.namespace,
        pool_id=row.pool_id,
        program_id=row.program_id,
        external_program_id=row.program_external_id,
        program_definition_id=row.program_definition_id,
        external_program_definition_id=row.program_definition_external_id,
        pool_definition_id=row.pool_definition_id,
        item_set_id=row.item_set_id,
        beneficiary=_beneficiary(row),
        pool=_pool_info(row, snapshot) if snapshot and wants.POOL in fields else None,
        program=_program_info(row) if wants.PROGRAM in fields else None,
        program_definition=(
            _kept_definition_info(row, definition) if wants.PROGRAM_DEFINITION in fields else None
        ),
        item_id=row.item_id,
        item_info=ItemInfo(display_name=row.display_name) if wants.ITEM in fields else None,
        benefit_info=(
            _keyed_benefit_info(row, snapshot) if snapshot and wants.BENEFIT in fields else None
        ),
        balance=(
            pool_items.BalanceInfo(available=row.available) if wants.BALANCE in fields else None
        ),
        benefit_key=row.benefit_key,
        item_search_key=row.search_key,
        removed=False,
        pool_revision=row.pool_revision,
        item_revision=row.item_revision,
    )


def _beneficiary(row: PoolItem) -> IdentificationData:
    columns = Beneficiary(
        anonymous_visitor_id=row.anonymous_visitor_id,
        member_id=row.member_id,
        wix_user_id=row.wix_user_id,
    )
    return IdentificationData.of(columns.beneficiary)


def _pool_info(row: PoolItem, snapshot: Snapshot) -> pool_items.PoolInfo:
    return pool_items.PoolInfo(
        display_name=snapshot.display_name,
        description=snapshot.description,
        status=PoolStatus(row.status),
        credit_configuration=_credit_configuration(snapshot.details),
    )


def _program_info(row: PoolItem) -> ProgramInfo:
    return ProgramInfo(
        id=row.program_id,
        external_id=row.program_external_id,
        display_name=row.program_display_name,
    )


def _kept_definition_info(
    row: PoolItem, definition: ProgramDefinition | None
) -> ProgramDefinitionInfo | None:
    """The program definition, or what the pool keeps of it when it was deleted."""
    if row.program_definition_id is None:
        return None
    return ProgramDefinitionInfo(
        id=row.program_definition_id,
        external_id=row.program_definition_external_id,
        display_name=definition.display_name if definition else None,
        description=definition.description if definition else None,
    )


def _keyed_benefit_info(row: PoolItem, snapshot: Snapshot) -> pool_items.BenefitInfo | None:
    benefit = snapshot.details.benefit(row.benefit_key)
    if benefit is None:
        return None
    return pool_items.BenefitInfo(
        price=benefit.price,
        display_name=benefit.display_name,
        description=benefit.description,
        benefit_key=benefit.benefit_key,
    )


def _credit_configuration(details: Details) -> CreditConfigurationInfo | None:
    configuration = details.credit_configuration
    if configuration is None:
        return None
    return CreditConfigurationInfo(
        amount=configuration.amount,
        unit_display_name=configuration.unit_display_name,
        unit_type=configuration.unit_type,
    )


def pool_definition_item(
    row: PoolDefinitionItem,
    fields: Collection[str],
    *,
    snapshots: Mapping[str, Snapshot],
    definitions: Sequence[ProgramDefinition],
) -> pool_definition_items.PoolDefinitionItem:
    """A pool definition item with the parts that were asked for.

    Its program definitions are always named by their ids, and described if that was asked for.
    """
    wants = PoolDefinitionItemFields
    snapshot = snapshots.get(row.snapshot_id)
    described = wants.PROGRAM_DEFINITION in fields
    return pool_definition_items.PoolDefinitionItem(
        id=row.id,
        revision=row.revision,
        created_date=row.created,
        updated_date=row.updated,
        external_id=row.external_id,
        category=row.category or None,
        provider_app_id=row.provider_app_id,
        namespace=row.namespace,
        pool_definition_id=row.pool_definition_id,
        item_set_id=row.item_set_id,
        pool_definition=(
            _definition_info(snapshot) if snapshot and wants.POOL_DEFINITION in fields else None
        ),
        program_definitions=tuple(
            ProgramDefinitionInfo(
                id=each.id,
                external_id=each.external_id,
                display_name=each.display_name if described else None,
                description=each.description if described else None,
            )
            for each in definitions
        ),
        item_id=row.item_id,
        benefit_info=_benefit_info(row, snapshot) if snapshot and wants.BENEFIT in fields else None,
        item_info=ItemInfo(display_name=row.display_name) if wants.ITEM in fields else None,
        benefit_key=row.benefit_key,
        item_search_key=row.search_key,
        removed=False,
        pool_definition_revision=row.pool_definition_revision,
        item_revision=row.item_revision,
    )


def _definition_info(snapshot: Snapshot) -> pool_definition_items.PoolDefinitionInfo:
    return pool_definition_items.PoolDefinitionInfo(
        display_name=snapshot.display_name,
        description=snapshot.description,
        credit_configuration=_credit_configuration(snapshot.details),
    )


def _benefit_info(
    row: PoolDefinitionItem, snapshot: Snapshot
) -> pool_definition_items.BenefitInfo | None:
    benefit = snapshot.details.benefit(row.benefit_key)
    if benefit is None:
        return None
    return pool_definition_items.BenefitInfo(
        price=benefit.price, display_name=benefit.display_name, description=benefit.description
    )
