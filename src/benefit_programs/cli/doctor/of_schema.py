"""Checks of the schema, on either engine."""

from __future__ import annotations

from benefit_programs.cli.doctor.findings import Case, DatabaseCheck, Verdict, fail, listed, ok
from benefit_programs.storage.drift import read_drift
from benefit_programs.storage.examining import Examined, ExaminedPostgres
from benefit_programs.storage.schema import REVISIONS, newest_revision

_POSTGRES_HAS_SCHEMA = "select to_regclass('alembic_version') is not null"
_SQLITE_HAS_SCHEMA = "select count(*) from sqlite_schema where name = 'alembic_version'"


async def read_revision(database: Examined) -> str | None:
    """The revision of its schema; None if it has none. Raises what a question raises."""
    is_postgres = isinstance(database, ExaminedPostgres)
    ((has_schema,),) = await database.fetch(
        _POSTGRES_HAS_SCHEMA if is_postgres else _SQLITE_HAS_SCHEMA
    )
    if not has_schema:
        return None
    rows = await database.fetch("select version_num from alembic_version")
    return str(rows[0][0]) if rows else None


async def look_at_schema(case: Case) -> Verdict:
    """Whether this version can work with the schema."""
    revision, own = await read_revision(case.database), newest_revision()
    if revision == own:
        return ok(f"The schema has revision {revision}, that of this version.")
    if revision is None:
        return fail("The database has no schema yet.", "Run `benefits migrate`.")
    if revision not in REVISIONS:
        return fail(
            f"The schema has revision {revision}, which a newer version made.",
            f"Install the newer version: this one works with {own}.",
        )
    return fail(
        f"The schema has revision {revision}, and this version works with {own}.",
        "Run `benefits migrate`; docs/how-to/upgrade.md.",
    )


async def look_at_tables(case: Case) -> Verdict:
    """Whether all tables, columns and indexes are there that the service relies on."""
    drift = await read_drift(case.database)
    if missing := drift.tables + drift.columns:
        return fail(
            f"Missing: {listed(missing)}.", "Restore the backup: somebody has changed the schema."
        )
    if drift.foreign_columns:
        return fail(
            f"Nothing fills {listed(drift.foreign_columns)}, so no row can be added.",
            "Give these columns a default, or drop them.",
        )
    if drift.invalid_indexes:
        return fail(
            f"Invalid indexes: {listed(drift.invalid_indexes)}.",
            f"reindex index concurrently {drift.invalid_indexes[0]}; if its build was given up, "
            "drop it and build it again.",
        )
    if drift.indexes:
        return fail(
            f"Missing indexes: {listed(drift.indexes)}.",
            "Build them as `benefits migrate --sql` on an empty database shows them.",
        )
    return ok("Tables and indexes are as this version made them.")


CHECKS = (
    DatabaseCheck("schema", look_at_schema),
    DatabaseCheck("tables", look_at_tables, of_rows=True),
)
