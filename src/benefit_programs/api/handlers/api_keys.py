"""The API keys of the caller's tenant: those that open it and no other tenant."""

from __future__ import annotations

from asyncio import sleep
from uuid import uuid4

from benefit_programs.api.authentication import KEPT_SECONDS_MAX
from benefit_programs.api.call import Call, metadata_of
from benefit_programs.api.errors import Forbidden
from benefit_programs.api.method import GET, OPERATE, POST, Scope, method
from benefit_programs.api.roles import (
    PERMISSION_IDS,
    grants_of,
    require_operable,
    require_within,
    usual_scopes,
)
from benefit_programs.domain.directory_errors import ApiKeyNotFound
from benefit_programs.domain.errors import FieldViolation, Invalid
from benefit_programs.domain.values import Identity, IdentityType, Instant
from benefit_programs.storage import specs
from benefit_programs.storage.directory import ApiKey, Grants, UnknownKey, read_key
from benefit_programs.wire.types import api_keys as wire


@method(
    "createApiKey",
    POST,
    "/benefit-programs/v1/api-keys",
    OPERATE,
    "BENEFIT_PROGRAMS.API_KEY_MANAGE",
    for_administrators=True,
    is_addition=True,
)
async def create(call: Call, request: wire.CreateApiKeyRequest) -> wire.CreateApiKeyResponse:
    grants, expires = _grants(request), request.expiration_date
    _require_later(expires, call.services.engine.now())
    require_operable(grants)
    require_within(call.principal, grants, expires)
    new = await call.services.directory.create_key(
        request.name,
        tenant_ids=(call.tenant_id,),
        grants=grants,
        expires=expires,
        actor=call.actor,
    )
    return wire.CreateApiKeyResponse(api_key=_shown(new.key), secret=new.secret)


@method(
    "queryApiKeys",
    POST,
    "/benefit-programs/v1/api-keys/query",
    OPERATE,
    "BENEFIT_PROGRAMS.API_KEY_READ",
    spec=specs.api_keys,
    for_administrators=True,
    is_addition=True,
)
async def query(call: Call, request: wire.QueryApiKeysRequest) -> wire.QueryApiKeysResponse:
    found = await call.find(request.query, read_key)
    return wire.QueryApiKeysResponse(
        api_keys=tuple(map(_shown, found.rows)), metadata=metadata_of(found.page)
    )


@method(
    "getApiKey",
    GET,
    "/benefit-programs/v1/api-keys/{apiKeyId}",
    OPERATE,
    "BENEFIT_PROGRAMS.API_KEY_READ",
    refuses=(ApiKeyNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def get(call: Call, request: wire.GetApiKeyRequest) -> wire.GetApiKeyResponse:
    return wire.GetApiKeyResponse(api_key=_shown(await _key(call, request.api_key_id)))


@method(
    "revokeApiKey",
    POST,
    "/benefit-programs/v1/api-keys/{apiKeyId}/revoke",
    OPERATE,
    "BENEFIT_PROGRAMS.API_KEY_MANAGE",
    refuses=(ApiKeyNotFound,),
    for_administrators=True,
    is_addition=True,
)
async def revoke(call: Call, request: wire.RevokeApiKeyRequest) -> wire.RevokeApiKeyResponse:
    """The answer comes when no server takes the key any more."""
    key = await _key(call, request.api_key_id)
    if Scope.INSTALLATION in key.grants.scopes and not call.principal.may(Scope.INSTALLATION):
        # It opens other tenants too, whose operator the caller isn't.
        raise Forbidden
    revoked = await call.services.directory.revoke_key(key.id, actor=call.actor)
    if not call.services.alone:
        # What is left needs no turn: others of the tenant needn't wait for the clock.
        call.turn.give_back()
        await sleep(KEPT_SECONDS_MAX)
    return wire.RevokeApiKeyResponse(api_key=_shown(revoked))


async def _key(call: Call, key_id: str) -> ApiKey:
    """The tenant's key with this id. Raises ApiKeyNotFound, also for another tenant's."""
    try:
        key = await call.services.directory.key(key_id)
    except UnknownKey:
        raise ApiKeyNotFound(api_key_id=key_id) from None
    if key.tenant_ids != (call.tenant_id,):
        raise ApiKeyNotFound(api_key_id=key_id)
    return key


def _grants(request: wire.CreateApiKeyRequest) -> Grants:
    identity = _identity(request.identity)
    scopes, permission_ids = request.scopes or (), request.permission_ids or ()
    if request.role is not None:
        if scopes or permission_ids:
            raise Invalid.because("role", "stands in place of scopes and permissionIds")
        return grants_of(request.role, identity)
    _require_known("scopes", scopes, frozenset(map(str, Scope)), "scope")
    _require_known("permissionIds", permission_ids, PERMISSION_IDS, "permission id")
    scopes = scopes or usual_scopes(identity)
    return Grants(identity=identity, scopes=scopes, permission_ids=permission_ids)


def _identity(sent: wire.ApiKeyIdentity | None) -> Identity:
    """Whom a key stands for; a new administrator if nobody is named."""
    if sent is None:
        return Identity(IdentityType.WIX_USER, str(uuid4()))
    return Identity(IdentityType(sent.type), sent.id)


def _require_known(field: str, names: tuple[str, ...], known: frozenset[str], what: str) -> None:
    found = [
        FieldViolation(f"{field}[{index}]", f"is no {what} of the service")
        for index, each in enumerate(names)
        if each not in known
    ]
    if found:
        raise Invalid(tuple(found))


def _require_later(expires: Instant | None, now: Instant) -> None:
    if expires is not None and expires <= now:
        raise Invalid.because("expirationDate", "must lie in the future")


def _shown(key: ApiKey) -> wire.ApiKey:
    grants = key.grants
    return wire.ApiKey(
        id=key.id,
        name=key.name,
        identity=wire.ApiKeyIdentity(
            type=wire.KeyHolderType(grants.identity.type), id=grants.identity.id
        ),
        scopes=grants.scopes,
        permission_ids=grants.permission_ids,
        created_date=key.created,
        expiration_date=key.expires,
        revoked_date=key.revoked,
    )
