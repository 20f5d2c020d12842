"""Roles: named lists of permission ids, each with all that the one before has."""

from __future__ import annotations

from enum import StrEnum

from benefit_programs.api.methods import METHODS


class Role(StrEnum):
    """What somebody does who uses the service by hand."""

    READER = "reader"
    FRONT_DESK = "front-desk"
    MANAGER = "manager"
    OPERATOR = "operator"


_READER = frozenset(
    {
        "BENEFIT_PROGRAMS.BALANCE_READ",
        "BENEFIT_PROGRAMS.EVENT_READ",
        "BENEFIT_PROGRAMS.ITEM_READ",
        "BENEFIT_PROGRAMS.POOL_DEFINITION_READ",
        "BENEFIT_PROGRAMS.POOL_READ",
        "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",
        "BENEFIT_PROGRAMS.PROGRAM_READ",
        "BENEFIT_PROGRAMS.STATEMENT_READ",
        "BENEFIT_PROGRAMS.TRANSACTION_READ",
        "benefit_programs:v1:pool_definition_item:query_pool_definition_items",
        "benefit_programs:v1:pool_item:query_pool_items",
    }
)
_FRONT_DESK = _READER | {
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    "BENEFIT_PROGRAMS.PROGRAM_PAUSE",
    "BENEFIT_PROGRAMS.PROGRAM_PROVISION",
    "BENEFIT_PROGRAMS.PROGRAM_RESUME",
    "benefit_programs:v1:pool:cancel_redemption",
    "benefit_programs:v1:pool:check_benefit_eligibility_by_filter",
    "benefit_programs:v1:pool:reallocate_benefit",
}
_MANAGER = _FRONT_DESK | {
    "BENEFIT_PROGRAMS.BENEFICIARY_EXPORT",
    "BENEFIT_PROGRAMS.BENEFICIARY_MERGE",
    "BENEFIT_PROGRAMS.CLOCK_READ",
    "BENEFIT_PROGRAMS.ITEM_CREATE",
    "BENEFIT_PROGRAMS.ITEM_DELETE",
    "BENEFIT_PROGRAMS.ITEM_UPDATE",
    "BENEFIT_PROGRAMS.POOL_DEFINITION_CREATE",
    "BENEFIT_PROGRAMS.POOL_DEFINITION_DELETE",
    "BENEFIT_PROGRAMS.POOL_DEFINITION_UPDATE",
    "BENEFIT_PROGRAMS.POOL_UPDATE",
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_CREATE",
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_DELETE",
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_UPDATE",
    "BENEFIT_PROGRAMS.PROGRAM_END",
    "BENEFIT_PROGRAMS.PROGRAM_RENEW",
    "BENEFIT_PROGRAMS.PROGRAM_UPDATE",
    "BENEFIT_PROGRAMS.SETTINGS_READ",
    "benefit_programs:v1:pool_definition_item:add_items_to_benefit",
    "benefit_programs:v1:pool_definition_item:remove_items_from_benefit",
}

ROLES: dict[Role, frozenset[str]] = {
    Role.READER: _READER,
    Role.FRONT_DESK: _FRONT_DESK,
    Role.MANAGER: _MANAGER,
    Role.OPERATOR: frozenset(
        permission_id for method in METHODS.values() for permission_id in method.permission_ids
    ),
}
"""The permission ids of each role, those of the smallest role first."""
