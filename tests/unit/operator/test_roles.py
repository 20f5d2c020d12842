"""What roles allow, and that nobody hands on more than they have."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from benefit_programs.api.authentication import Principal, anybody_with
from benefit_programs.api.method import Scope
from benefit_programs.api.methods import METHODS
from benefit_programs.api.roles import (
    JOB_READ,
    PERMISSION_IDS,
    ROLES,
    grants_of,
    require_operable,
    require_within,
)
from benefit_programs.domain.directory import KEY_PERMISSIONS_MAX, Role
from benefit_programs.domain.errors import Invalid
from benefit_programs.domain.values import Identity, IdentityType
from benefit_programs.storage.directory import Grants

ADMINISTRATOR = Identity(IdentityType.WIX_USER, "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90")
POOL_READ, REDEEM = "BENEFIT_PROGRAMS.POOL_READ", "BENEFIT_PROGRAMS.POOL_REDEEM"
NOON = 1_795_000_000_000


def principal_of(grants: Grants, expires: int | None = None) -> Principal:
    return replace(anybody_with(grants), expires=expires)


def granting(*scopes: Scope, ids: tuple[str, ...] = ()) -> Grants:
    return Grants(identity=ADMINISTRATOR, scopes=tuple(map(str, scopes)), permission_ids=ids)


def methods_of(role: Role) -> set[str]:
    principal = principal_of(grants_of(role, ADMINISTRATOR))
    return {name for name, method in METHODS.items() if principal.may_call(method)}


def test_every_permission_id_has_its_place() -> None:
    """A method with a new permission id can't be forgotten by the roles."""
    assert {each for method in METHODS.values() for each in method.permission_ids} == PERMISSION_IDS


def test_every_method_needs_a_permission_id() -> None:
    """A narrowed key can be given each method, and be refused it."""
    assert [name for name, method in METHODS.items() if not method.permission_ids] == []


def test_each_role_may_do_what_the_one_before_may() -> None:
    """From reading to everything in a tenant; only the installation's methods are no role's."""
    allowed = [methods_of(role) for role in Role]
    for fewer, more in itertools.pairwise(allowed):
        assert fewer < more
    assert all(METHODS[name].only_reads for name in methods_of(Role.READER))
    others = {name for name, each in METHODS.items() if each.scope is Scope.INSTALLATION}
    assert methods_of(Role.OPERATOR) == METHODS.keys() - others
    assert all(len(ids) <= KEY_PERMISSIONS_MAX for _, ids in ROLES.values())


@pytest.mark.parametrize(
    ("own", "new"),
    [
        (granting(Scope.OPERATE), granting(Scope.OPERATE)),
        (granting(Scope.MANAGE, Scope.OPERATE), granting(Scope.READ_JOBS, Scope.READ)),
        (granting(Scope.MANAGE), granting(Scope.MANAGE, ids=(POOL_READ,))),
        (granting(Scope.MANAGE, ids=(POOL_READ, REDEEM)), granting(Scope.READ, ids=(REDEEM,))),
        (
            granting(Scope.MANAGE, ids=(JOB_READ,)),
            granting(Scope.READ_JOBS, ids=(JOB_READ,)),
        ),
        (granting(Scope.OPERATE, Scope.INSTALLATION), granting(Scope.INSTALLATION)),
    ],
)
def test_what_may_be_handed_on(own: Grants, new: Grants) -> None:
    """The same or less."""
    require_within(principal_of(own), new, None)


@pytest.mark.parametrize(
    ("own", "new", "fields"),
    [
        (granting(Scope.OPERATE), granting(Scope.MANAGE), {"scopes[0]"}),
        (granting(Scope.MANAGE), granting(Scope.READ, Scope.OPERATE), {"scopes[1]"}),
        (granting(Scope.OPERATE), granting(Scope.INSTALLATION), {"scopes[0]"}),
        (granting(Scope.MANAGE, ids=(POOL_READ,)), granting(Scope.MANAGE), {"permissionIds"}),
        (
            granting(Scope.MANAGE, ids=(POOL_READ,)),
            granting(Scope.MANAGE, ids=(POOL_READ, REDEEM)),
            {"permissionIds[1]"},
        ),
        (
            granting(Scope.MANAGE, ids=(POOL_READ,)),
            granting(Scope.READ_JOBS, ids=(POOL_READ,)),
            {"scopes[0]"},
        ),
    ],
)
def test_what_may_not_be_handed_on(own: Grants, new: Grants, fields: set[str]) -> None:
    """More is refused, with each field that would be more."""
    with pytest.raises(Invalid) as refused:
        require_within(principal_of(own), new, None)
    assert {each.field for each in refused.value.violations} == fields


@pytest.mark.parametrize(
    ("own", "new", "allowed"),
    [
        (None, None, True),
        (None, NOON, True),
        (NOON, NOON, True),
        (NOON, NOON + 1, False),
        (NOON, None, False),
    ],
)
def test_nothing_outlives_the_key_that_made_it(own: Any, new: Any, *, allowed: bool) -> None:
    """A key that ends makes keys that end no later."""
    principal, grants = principal_of(granting(Scope.OPERATE), own), granting(Scope.OPERATE)
    if allowed:
        require_within(principal, grants, new)
        return
    with pytest.raises(Invalid) as refused:
        require_within(principal, grants, new)
    assert [each.field for each in refused.value.violations] == ["expirationDate"]


@pytest.mark.parametrize("kind", [IdentityType.APP, IdentityType.MEMBER])
@pytest.mark.parametrize("scope", [Scope.OPERATE, Scope.INSTALLATION])
def test_only_administrators_operate(kind: IdentityType, scope: Scope) -> None:
    """Neither apps nor members get a scope of operators."""
    grants = Grants(identity=Identity(kind, "one"), scopes=(str(Scope.READ), str(scope)))
    with pytest.raises(Invalid) as refused:
        require_operable(grants)
    assert [each.field for each in refused.value.violations] == ["scopes[1]"]
