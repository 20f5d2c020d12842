"""The application factory: `uvicorn --factory bench.baseline.app:create_app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from fastapi import FastAPI

from bench.baseline import balances, definitions, items, pools, programs
from bench.baseline.auth import KeyRing
from bench.baseline.database import (
    SessionFactory,
    bootstrap,
    create_engine,
    create_session_factory,
)
from bench.baseline.errors import add_error_handlers
from bench.baseline.settings import Settings

PREFIX = "/benefit-programs/v1"


class State(TypedDict):
    """What requests find in `request.state`."""

    session_factory: SessionFactory
    key_ring: KeyRing


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; it opens the database when it starts, not before."""
    chosen = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        engine = create_engine(chosen)
        await bootstrap(engine, api_key=chosen.api_key)
        session_factory = create_session_factory(engine)
        yield {"session_factory": session_factory, "key_ring": KeyRing(session_factory)}
        await engine.dispose()

    app = FastAPI(title="Benefit programs, the baseline", lifespan=lifespan)
    for module in (definitions, items, programs, pools, balances):
        app.include_router(module.router, prefix=PREFIX)
    app.add_api_route("/readyz", answer_ready)
    add_error_handlers(app)
    return app


async def answer_ready() -> dict[str, str]:
    """Answer once the lifespan has begun, that is, with the database in place."""
    return {"status": "ready"}
