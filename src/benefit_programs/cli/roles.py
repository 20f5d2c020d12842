"""Roles as people write them on the command line."""

from __future__ import annotations

from benefit_programs.cli.exits import WrongUsage
from benefit_programs.domain.directory import Role

ROLES = {role.lower().replace("_", "-"): role for role in Role}


def role_of(text: str) -> Role:
    role = ROLES.get(text.lower())
    if role is None:
        raise WrongUsage(f"--role: must be one of {', '.join(ROLES)}, not {text!r}")
    return role
