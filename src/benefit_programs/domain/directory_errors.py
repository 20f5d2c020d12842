"""Refusals of what concerns tenants and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benefit_programs.domain.errors import Refusal


@dataclass(kw_only=True, eq=False)
class ApiKeyNotFound(Refusal):
    """The tenant has no such key. A key of several tenants is no tenant's."""

    code: ClassVar[str] = "API_KEY_NOT_FOUND"

    api_key_id: str


@dataclass(kw_only=True, eq=False)
class ConsoleUserNotFound(Refusal):
    """The console of the tenant has no such user."""

    code: ClassVar[str] = "CONSOLE_USER_NOT_FOUND"

    console_user_id: str


@dataclass(kw_only=True, eq=False)
class TenantNotFound(Refusal):
    """No tenant has this site id."""

    code: ClassVar[str] = "TENANT_NOT_FOUND"

    site_id: str


@dataclass(kw_only=True, eq=False)
class TenantAlreadyExists(Refusal):
    """Another tenant has this site id."""

    code: ClassVar[str] = "TENANT_ALREADY_EXISTS"

    site_id: str
