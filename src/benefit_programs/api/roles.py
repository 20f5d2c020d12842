"""Roles: what people who work with the service may do, as lists of permission ids.

A key of a role is a key of its scopes, narrowed to its permission ids. An operator's key isn't
narrowed.
"""

from __future__ import annotations

from enum import StrEnum

from benefit_programs.api.method import Scope
from benefit_programs.domain.values import Identity
from benefit_programs.storage.directory import Grants


class Role(StrEnum):
    """What somebody does who uses the service by hand."""

    READER = "reader"
    FRONT_DESK = "front-desk"
    MANAGER = "manager"
    OPERATOR = "operator"


READS = (
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
)
"""To look at everything that members have."""

SERVES = (
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    "BENEFIT_PROGRAMS.PROGRAM_END",
    "BENEFIT_PROGRAMS.PROGRAM_PAUSE",
    "BENEFIT_PROGRAMS.PROGRAM_PROVISION",
    "BENEFIT_PROGRAMS.PROGRAM_RESUME",
    "benefit_programs:v1:pool:cancel_redemption",
    "benefit_programs:v1:pool:check_benefit_eligibility_by_filter",
    "benefit_programs:v1:pool:reallocate_benefit",
)
"""To serve one member: sell, redeem, give back, pause."""

MANAGES = (
    "BENEFIT_PROGRAMS.BENEFICIARY_ERASE",
    "BENEFIT_PROGRAMS.BENEFICIARY_EXPORT",
    "BENEFIT_PROGRAMS.BENEFICIARY_MERGE",
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
    "BENEFIT_PROGRAMS.PROGRAM_RENEW",
    "BENEFIT_PROGRAMS.PROGRAM_UPDATE",
    "BENEFIT_PROGRAMS.SETTINGS_READ",
    "benefit_programs:v1:pool_definition_item:add_items_to_benefit",
    "benefit_programs:v1:pool_definition_item:remove_items_from_benefit",
)
"""To change what is sold, and what many members have."""

_READING = (Scope.READ_LIMITED, Scope.READ, Scope.READ_JOBS)

ROLES: dict[Role, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Role.READER: (tuple(map(str, _READING)), READS),
    Role.FRONT_DESK: ((str(Scope.MANAGE),), READS + SERVES),
    Role.MANAGER: ((str(Scope.MANAGE),), READS + SERVES + MANAGES),
    Role.OPERATOR: ((str(Scope.MANAGE),), ()),
}
"""The scopes and the permission ids of each role, the smallest first."""


def grants_of(role: Role, identity: Identity) -> Grants:
    """What a key of a role allows that stands for somebody."""
    scopes, permission_ids = ROLES[role]
    return Grants(identity=identity, scopes=scopes, permission_ids=permission_ids)
