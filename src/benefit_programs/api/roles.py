"""Roles: what people who work with the service may do, as lists of permission ids.

A key of a role is a key of its scopes, narrowed to its permission ids. An operator's key isn't
narrowed. What somebody may hand on is no more than what they have themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from benefit_programs.api.authentication import Principal, principal_with
from benefit_programs.api.method import OPERATING, Scope
from benefit_programs.domain.audit_rows import PrincipalKind, Who
from benefit_programs.domain.directory import Role
from benefit_programs.domain.errors import FieldViolation, Invalid, ViolatedRule
from benefit_programs.domain.values import Identity, IdentityType, Instant
from benefit_programs.storage.console import ConsoleUser
from benefit_programs.storage.directory import Grants, Tenant

JOB_READ = "BENEFIT_PROGRAMS.JOB_READ"


READS = (
    "BENEFIT_PROGRAMS.AUDIT_READ",
    "BENEFIT_PROGRAMS.BALANCE_READ",
    "BENEFIT_PROGRAMS.EVENT_READ",
    "BENEFIT_PROGRAMS.ITEM_READ",
    JOB_READ,
    "BENEFIT_PROGRAMS.PERSON_READ",
    "BENEFIT_PROGRAMS.POOL_DEFINITION_READ",
    "BENEFIT_PROGRAMS.POOL_READ",
    "BENEFIT_PROGRAMS.PROGRAM_DEFINITION_READ",
    "BENEFIT_PROGRAMS.PROGRAM_READ",
    "BENEFIT_PROGRAMS.STATEMENT_READ",
    "BENEFIT_PROGRAMS.TRANSACTION_READ",
    "benefit_programs:v1:pool:check_benefit_eligibility_by_filter",
    "benefit_programs:v1:pool_definition_item:query_pool_definition_items",
    "benefit_programs:v1:pool_item:query_pool_items",
)
"""To look at everything that members have: also why something can't be paid, and who changed it."""

SERVES = (
    "BENEFIT_PROGRAMS.BALANCE_CHANGE",
    "BENEFIT_PROGRAMS.PERSON_MANAGE",
    "BENEFIT_PROGRAMS.POOL_REDEEM",
    "BENEFIT_PROGRAMS.PROGRAM_END",
    "BENEFIT_PROGRAMS.PROGRAM_PAUSE",
    "BENEFIT_PROGRAMS.PROGRAM_PROVISION",
    "BENEFIT_PROGRAMS.PROGRAM_RESUME",
    "benefit_programs:v1:pool:cancel_redemption",
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

OPERATES = (
    "BENEFIT_PROGRAMS.API_KEY_MANAGE",
    "BENEFIT_PROGRAMS.API_KEY_READ",
    "BENEFIT_PROGRAMS.CLOCK_READ",
    "BENEFIT_PROGRAMS.CLOCK_UPDATE",
    "BENEFIT_PROGRAMS.CONSOLE_USER_MANAGE",
    "BENEFIT_PROGRAMS.CONSOLE_USER_READ",
    "BENEFIT_PROGRAMS.HEALTH_READ",
    "BENEFIT_PROGRAMS.JOB_MANAGE",
    "BENEFIT_PROGRAMS.SETTINGS_UPDATE",
    "BENEFIT_PROGRAMS.WEBHOOK_MANAGE",
    "BENEFIT_PROGRAMS.WEBHOOK_READ",
)
"""To look after the service of one tenant. Operators alone may, whose keys aren't narrowed."""

# A reader's scope is MANAGE too, since the contract asks for it where eligibility is explained. The
# permission ids narrow it: all that they allow only reads.
ROLES: dict[Role, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Role.READER: ((str(Scope.MANAGE),), READS),
    Role.FRONT_DESK: ((str(Scope.MANAGE),), READS + SERVES),
    Role.MANAGER: ((str(Scope.MANAGE),), READS + SERVES + MANAGES),
    Role.OPERATOR: ((str(Scope.MANAGE), str(Scope.OPERATE)), ()),
}
"""The scopes and the permission ids of each role."""

OF_TENANTS = ("BENEFIT_PROGRAMS.TENANT_MANAGE", "BENEFIT_PROGRAMS.TENANT_READ")
"""To make tenants, with a key of the installation."""

PERMISSION_IDS = frozenset((*READS, *SERVES, *MANAGES, *OPERATES, *OF_TENANTS))
"""All that methods need."""


def usual_scopes(identity: Identity) -> tuple[str, ...]:
    """What a key allows that says nothing of scopes."""
    is_member = identity.type is IdentityType.MEMBER
    return (str(Scope.READ_LIMITED if is_member else Scope.MANAGE),)


def grants_of(role: Role, identity: Identity) -> Grants:
    """What a key of a role allows that stands for somebody."""
    scopes, permission_ids = ROLES[role]
    return Grants(identity=identity, scopes=scopes, permission_ids=permission_ids)


def principal_of(user: ConsoleUser, tenant: Tenant) -> Principal:
    """A user of the console as methods see it."""
    identity = Identity(IdentityType.WIX_USER, user.id)
    who = Who(PrincipalKind.CONSOLE_USER, user.id)
    grants = grants_of(Role(user.role), identity)
    return principal_with(tenant, f"console:{user.id}", grants, who)


def require_operable(grants: Grants) -> None:
    """Raise Invalid if somebody gets a scope of operators who is no administrator."""
    if grants.identity.type is IdentityType.WIX_USER:
        return
    found = [
        FieldViolation(f"scopes[{index}]", "is for keys of administrators")
        for index, each in enumerate(grants.scopes)
        if each in OPERATING
    ]
    if found:
        raise Invalid(tuple(found))


def require_within(principal: Principal, grants: Grants, expires: Instant | None) -> None:
    """Raise Invalid if a new key would allow more, or live longer, than the one that asks."""
    found = (*_beyond(principal, grants), *_later(principal, expires))
    if found:
        raise Invalid(found)


def _beyond(principal: Principal, grants: Grants) -> Iterator[FieldViolation]:
    for index, scope in enumerate(grants.scopes):
        # A narrowed key reads jobs by their scope alone.
        needed = (JOB_READ,) if scope == Scope.READ_JOBS else ()
        if not principal.may(scope, needed):
            yield _too_much(f"scopes[{index}]", "is no scope of the key that asks")
    if not principal.permission_ids:
        return
    if not grants.permission_ids:
        yield _too_much("permissionIds", "must name some, for the key that asks is narrowed")
    for index, each in enumerate(grants.permission_ids):
        if each not in principal.permission_ids:
            yield _too_much(f"permissionIds[{index}]", "is no permission id of the key that asks")


def _later(principal: Principal, expires: Instant | None) -> Iterator[FieldViolation]:
    if principal.expires is not None and (expires is None or expires > principal.expires):
        yield _too_much("expirationDate", "must not be later than that of the key that asks")


def _too_much(field: str, description: str) -> FieldViolation:
    return FieldViolation(field, description, ViolatedRule.VALIDATION)
