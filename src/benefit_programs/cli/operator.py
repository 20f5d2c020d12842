"""Who runs a command on the database itself, for the audit."""

from __future__ import annotations

import getpass

from benefit_programs.domain.audit_rows import Actor, PrincipalKind, Who


def operator(method: str | None = None) -> Actor:
    """The user of this machine, if it knows the name."""
    try:
        name: str | None = getpass.getuser()
    except (ImportError, KeyError, OSError):
        name = None
    return Actor(Who(PrincipalKind.COMMAND_LINE, name), method)
