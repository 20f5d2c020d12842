"""The API keys of a tenant."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from benefit_programs.domain.constraints import ReadOnly, Size, Text
from benefit_programs.domain.directory import (
    KEY_PERMISSIONS_MAX,
    KEY_SCOPES_MAX,
    NAME_LENGTH_MAX,
    Role,
)
from benefit_programs.wire.types.common import (
    CursorPagingMetadata,
    EntityId,
    IdentityId,
    QueryRequest,
    Timestamp,
)

ApiKeyName = Annotated[str, Text(min_length=1, max_length=NAME_LENGTH_MAX)]
Scopes = Annotated[tuple[str, ...], Size(maximum=KEY_SCOPES_MAX)]
PermissionIds = Annotated[tuple[str, ...], Size(maximum=KEY_PERMISSIONS_MAX)]


class KeyHolderType(StrEnum):
    """What a key may stand for."""

    APP = "APP"
    MEMBER = "MEMBER"
    WIX_USER = "WIX_USER"


class ApiKeyIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a key stands for."""

    type: KeyHolderType
    id: IdentityId


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is answered. Its secret is never shown again."""

    id: Annotated[EntityId, ReadOnly()] | None = None
    name: ApiKeyName | None = None
    identity: ApiKeyIdentity | None = None
    scopes: Scopes | None = None
    permission_ids: PermissionIds | None = None
    created_date: Annotated[Timestamp, ReadOnly()] | None = None
    expiration_date: Timestamp | None = None
    revoked_date: Annotated[Timestamp, ReadOnly()] | None = None


class CreateApiKeyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Make a key of the tenant.

    It allows no more than the key that asks, and lives no longer. Give a role, or scopes and
    permission ids.
    """

    name: ApiKeyName
    identity: ApiKeyIdentity | None = None
    role: Role | None = None
    scopes: Scopes | None = None
    permission_ids: PermissionIds | None = None
    expiration_date: Timestamp | None = None


class CreateApiKeyResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The key, and its secret, which callers send. The secret is shown only here."""

    api_key: ApiKey | None = None
    secret: str | None = None


class GetApiKeyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read a key of the tenant."""

    api_key_id: EntityId


class GetApiKeyResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The key, without its secret."""

    api_key: ApiKey | None = None


class QueryApiKeysRequest(QueryRequest, frozen=True, kw_only=True):
    """Find keys of the tenant, those that are revoked or expired too."""


class QueryApiKeysResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A page of keys, without their secrets."""

    api_keys: tuple[ApiKey, ...] | None = None
    metadata: CursorPagingMetadata | None = None


class RevokeApiKeyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Close a key of the tenant for good. One that is revoked stays as it is."""

    api_key_id: EntityId


class RevokeApiKeyResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The key as it is now."""

    api_key: ApiKey | None = None
