"""Who runs a command of the database's own, for the audit."""

from __future__ import annotations

import getpass

from benefit_programs.domain.audit_rows import Actor, Channel, PrincipalKind


def operator(method: str | None = None) -> Actor:
    """The user of this machine, if it knows the name."""
    try:
        name: str | None = getpass.getuser()
    except (ImportError, KeyError, OSError):
        name = None
    return Actor(kind=PrincipalKind.OPERATOR, channel=Channel.CLI, id=name, method=method)
