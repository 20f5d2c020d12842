"""The rival: the same endpoints with FastAPI, the SQLAlchemy 2 ORM, asyncpg and pydantic."""
