"""The engine, the session factory, and what has to be in the database before the first request."""

import uuid

from pydantic_core import from_json, to_json
from sqlalchemy import func, make_url, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from bench.baseline.models import ApiKey, Base, Tenant, hash_api_key
from bench.baseline.settings import Settings

SessionFactory = async_sessionmaker[AsyncSession]

_BOOTSTRAP_LOCK = 7_301_226
_TENANT_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")


def create_engine(settings: Settings) -> AsyncEngine:
    """Make an engine with a fixed number of connections; asyncpg keeps its statements prepared."""
    return create_async_engine(
        make_url(settings.database_url).set(drivername="postgresql+asyncpg"),
        pool_size=settings.pool_size,
        max_overflow=0,
        json_serializer=lambda value: to_json(value).decode(),
        json_deserializer=from_json,
    )


def create_session_factory(engine: AsyncEngine) -> SessionFactory:
    """Sessions whose objects stay readable after the commit, so that answers need no reload."""
    return async_sessionmaker(engine, expire_on_commit=False)


async def bootstrap(engine: AsyncEngine, *, api_key: str) -> None:
    """Create the tables, the tenant and its key, unless they are there already."""
    async with engine.begin() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(_BOOTSTRAP_LOCK)))
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(
            insert(Tenant).values(id=_TENANT_ID, name="Benchmark").on_conflict_do_nothing()
        )
        await connection.execute(
            insert(ApiKey)
            .values(id=uuid.uuid4(), tenant_id=_TENANT_ID, key_hash=hash_api_key(api_key))
            .on_conflict_do_nothing()
        )
