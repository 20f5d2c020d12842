"""Who is calling: an API key, hashed, looked up in the database through a small cache."""

import time
import uuid
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Request
from sqlalchemy import select

from bench.baseline.database import SessionFactory
from bench.baseline.errors import ApplicationError
from bench.baseline.models import ApiKey, hash_api_key

CACHE_SECONDS = 30.0
CACHE_KEYS_MAX = 10_000


class KeyRing:
    """Finds the tenant of a key; what it found is believed for CACHE_SECONDS."""

    def __init__(self, session_factory: SessionFactory) -> None:
        """Start with an empty cache."""
        self._session_factory = session_factory
        self._cache: dict[str, tuple[uuid.UUID, float]] = {}

    async def find_tenant(self, api_key: str) -> uuid.UUID | None:
        """Return the tenant that the key acts for, or None if nobody knows the key."""
        key_hash = hash_api_key(api_key)
        cached = self._cache.get(key_hash)
        if cached and cached[1] > time.monotonic():
            return cached[0]
        async with self._session_factory() as session:
            statement = select(ApiKey.tenant_id).where(ApiKey.key_hash == key_hash)
            tenant_id = (await session.execute(statement)).scalar_one_or_none()
        if tenant_id:
            self._remember(key_hash, tenant_id)
        return tenant_id

    def _remember(self, key_hash: str, tenant_id: uuid.UUID) -> None:
        if len(self._cache) >= CACHE_KEYS_MAX:
            self._cache.clear()
        self._cache[key_hash] = (tenant_id, time.monotonic() + CACHE_SECONDS)


async def authenticate(request: Request, authorization: Annotated[str, Header()] = "") -> uuid.UUID:
    """Return the caller's tenant, or refuse with 401."""
    key_ring: KeyRing = request.state.key_ring
    tenant_id = await key_ring.find_tenant(authorization.removeprefix("Bearer "))
    if tenant_id is None:
        raise ApplicationError(HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED")
    return tenant_id


async def get_session_factory(request: Request) -> SessionFactory:
    """Return the factory that the application made when it started."""
    factory: SessionFactory = request.state.session_factory
    return factory


TenantId = Annotated[uuid.UUID, Depends(authenticate)]
Sessions = Annotated[SessionFactory, Depends(get_session_factory)]
