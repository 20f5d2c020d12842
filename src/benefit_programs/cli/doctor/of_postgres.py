"""Checks of a PostgreSQL server, of the role that the service has there, and of what is between."""

from __future__ import annotations

from time import time
from typing import Any
from urllib.parse import urlsplit

from benefit_programs.bootstrap import open_postgres
from benefit_programs.cli.doctor.findings import (
    Case,
    DatabaseCheck,
    Verdict,
    counted,
    fail,
    lasting,
    listed,
    ok,
    sized,
    skipped,
    warn,
)
from benefit_programs.domain.store import StoreUnavailable
from benefit_programs.storage.examining import ExaminedPostgres, examine_postgres
from benefit_programs.storage.postgres import CONNECTIONS_MAX
from benefit_programs.storage.tables import EVENT_POSITIONS, TABLES_BY_NAME

OFFSET_SECONDS_ADVISED = 1.0
OFFSET_SECONDS_BORNE = 10.0
"""From here on leases of jobs seem to be over that aren't, or never are."""

TRANSACTION_SECONDS_ADVISED = 300
IDLE_SECONDS_NEEDED = 60
REPLICA_SECONDS_ADVISED = 10
TRANSACTION_IDS_ADVISED = 1_000_000_000
"""At twice as many PostgreSQL takes no more writes."""


async def look_at_server(case: Case) -> Verdict:
    """Which server it is, and whether it takes writes."""
    sql = """
    select current_setting('server_version'), pg_is_in_recovery(), cast((
        select s.setconfig from pg_db_role_setting s where s.setdatabase in (0, (
            select oid from pg_database where datname = current_database()))
        and s.setrole in (0, current_user::regrole)
        and 'default_transaction_read_only=on' = any(s.setconfig) limit 1) as text),
        (select setting from pg_settings where name = 'default_transaction_read_only')
    """
    ((version, is_standby, of_role, read_only),) = await case.database.fetch(sql)
    if is_standby:
        return fail(
            f"PostgreSQL {version} is a standby, which takes no writes.",
            "Name the primary in BENEFITS_DATABASE_URL, or all hosts; docs/how-to/failover.md.",
        )
    if of_role or read_only == "on":
        return fail(
            f"PostgreSQL {version} lets nothing be written (default_transaction_read_only is on).",
            "Set it to off, for the server, the database and the role.",
        )
    return ok(f"PostgreSQL {version} takes writes.")


async def look_at_role(case: Case) -> Verdict:
    """Whether the role may do what the service does, and not everything else."""
    sql = """
    select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user
    """
    ((role, is_super, _),) = await case.database.fetch(sql)
    lacking = await case.database.fetch(
        """
        select c.relname, pg_has_role(c.relowner, 'usage') from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relname = any($1::text[])
        and not case c.relkind
            when 'S' then has_sequence_privilege(c.oid, 'usage')
            else has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
                and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')
            end
        order by c.relname
        """,
        ([*TABLES_BY_NAME, EVENT_POSITIONS],),
    )
    if lacking:
        return fail(
            f"The role {role} may not read and write {listed([name for name, _ in lacking])}.",
            f"grant select, insert, update, delete on all tables in schema public to {role}; "
            f"grant usage on sequence {EVENT_POSITIONS} to {role}",
        )
    if is_super:
        return warn(
            f"The role {role} is a superuser: who gets its password has the whole server.",
            "Give the service a role of its own that owns its database alone.",
        )
    ((others,),) = await case.database.fetch(
        "select count(*) from pg_class where relnamespace = current_schema()::regnamespace"
        " and relname = any($1::text[]) and not pg_has_role(relowner, 'usage')",
        ([*TABLES_BY_NAME],),
    )
    owner = "but owns not all tables, so another role must migrate" if others else "and migrate"
    return ok(f"The role {role} may read and write all tables, {owner}.")


async def look_at_durability(case: Case) -> Verdict:
    """Whether what was answered stays."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    rows = await case.database.fetch(
        "select name, setting from pg_settings where name = any($1::text[])", ([*names],)
    )
    off = sorted(name for name, setting in rows if setting == "off")
    if lost := [name for name in off if name != "synchronous_commit"]:
        return fail(
            f"{listed(lost)} is off: a crash of the machine can destroy the database.",
            "Set it to on and restart PostgreSQL.",
        )
    if off:
        return warn(
            "synchronous_commit is off: a crash loses what was answered just before.",
            "Set it to on, for the server, the database and the role.",
        )
    return ok("What is committed is on the disk.")


async def look_at_timeouts(case: Case) -> Verdict:
    """Whether the server or the role ends connections while the service uses them."""
    rows = await case.database.fetch(
        "select name, cast(setting as bigint), boot_val from pg_settings"
        " where name in ('transaction_timeout', 'idle_session_timeout') and setting <> '0'"
    )
    short = [f"{name} {ms / 1000:g} s" for name, ms, _ in rows if ms < IDLE_SECONDS_NEEDED * 1000]
    if short:
        return warn(
            f"The server ends connections early: {listed(short)}.",
            f"Let it be 0, or above {IDLE_SECONDS_NEEDED} seconds, for the role of the service.",
        )
    return ok("The server ends no connection of the service early.")


async def look_at_connections(case: Case) -> Verdict:
    """Whether there are enough connections for the processes that are to run."""
    sql = """
    select cast(current_setting('max_connections') as int)
        - cast(current_setting('superuser_reserved_connections') as int),
        (select count(*) from pg_stat_activity where backend_type = 'client backend'),
        (select count(*) from pg_stat_activity where application_name = 'benefits'),
        (select d.datconnlimit from pg_database d where d.datname = current_database()),
        (select r.rolconnlimit from pg_roles r where r.rolname = current_user)
    """
    ((allowed, used, own, of_database, of_role),) = await case.database.fetch(sql)
    most = min(each for each in (allowed, of_database, of_role) if each >= 0)
    wanted = case.settings.workers * 2 * CONNECTIONS_MAX
    finding = (
        f"{used} of {most} connections are in use, {own} by the service; a server with "
        f"workers = {case.settings.workers} may take {wanted}."
    )
    if case.settings.has_pooler:
        return ok(finding)
    remedy = "Raise max_connections, lower BENEFITS_WORKERS, or use a pooler."
    if wanted + 1 > most:
        return fail(finding, remedy)
    return warn(finding, remedy) if used - own + wanted > most else ok(finding)


async def look_at_pooler(case: Case) -> Verdict:
    """Whether the setting says what is between, and the service can connect as it does."""
    settings = case.settings
    try:
        store = await open_postgres(settings, connections_max=1)
    except StoreUnavailable as error:
        return fail(f"The service can't connect: {error}.", "See docs/how-to/pgbouncer.md.")
    store.abandon()
    assert isinstance(case.database, ExaminedPostgres)
    is_between = await case.database.has_somebody_between()
    if settings.has_pooler and is_between is False:
        return warn(
            "postgres_pooler is transaction, and nobody is between: each read costs round trips.",
            "Unset BENEFITS_POSTGRES_POOLER, or name the pooler in BENEFITS_DATABASE_URL.",
        )
    if settings.has_pooler:
        return ok("The service connects as behind a pooler of transactions.")
    if is_between:
        return ok("Somebody between translates addresses or keeps sessions, which does no harm.")
    return ok("The service connects to PostgreSQL itself.")


async def look_at_clock(case: Case) -> Verdict:
    """Whether this machine and the database agree on the time: leases and dates need it."""
    before = time()
    rows = await case.database.fetch("select extract(epoch from clock_timestamp())")
    after, theirs = time(), float(rows[0][0])
    # It was told at some time between the two; what can't be known doesn't count.
    offset = max(before - theirs, theirs - after, 0.0)
    remedy = "Keep both machines on time with NTP (chrony, systemd-timesyncd)."
    finding = f"The clocks of this machine and of the database differ by {offset:.1f} seconds."
    if offset > OFFSET_SECONDS_BORNE:
        return fail(finding, remedy)
    return warn(finding, remedy) if offset > OFFSET_SECONDS_ADVISED else ok(finding)


async def look_at_size(case: Case) -> Verdict:
    """How large the database is, and whether numbers of transactions run out."""
    sql = """
    select pg_database_size(current_database()),
        (select age(datfrozenxid) from pg_database where datname = current_database())
    """
    ((size, age),) = await case.database.fetch(sql)
    if age > TRANSACTION_IDS_ADVISED:
        return fail(
            f"{age:,} transactions weren't frozen; at 2 billion nothing can be written.",
            "Find out what holds up autovacuum (long transactions, slots), and run VACUUM FREEZE.",
        )
    return ok(f"The database has {sized(size)}. Watch the disk of its machine there.")


async def look_at_transactions(case: Case) -> Verdict:
    """Whether a transaction is open for long: it holds locks and keeps rows from being cleaned."""
    sql = """
    select a.state, extract(epoch from now() - a.xact_start), a.pid from pg_stat_activity a
    where a.datname = current_database() and a.xact_start is not null
    and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
    union all
    select 'prepared', extract(epoch from now() - p.prepared), null from pg_prepared_xacts p
    where p.database = current_database()
    order by 2 desc limit 1
    """
    rows = await case.database.fetch(sql)
    if not rows or rows[0][1] < TRANSACTION_SECONDS_ADVISED:
        return ok("No transaction is open for long.")
    ((state, seconds, pid),) = rows
    return warn(
        f"A transaction ({state}) is open for {lasting(float(seconds))}.",
        "Roll the prepared transaction back (pg_prepared_xacts)."
        if pid is None
        else f"pg_stat_activity tells whose it is; select pg_terminate_backend({pid}) ends it.",
    )


async def look_at_replicas(case: Case) -> Verdict:
    """Whether the replicas follow this very database, and closely."""
    urls = case.settings.replica_urls
    if not urls:
        return skipped("No replicas are set.")
    here = await _ask_system(case.database)
    wrong = [f"{_place(url)}: {said}" for url in urls if (said := await _wrong_with(url, here))]
    if wrong:
        return warn(
            f"{'; '.join(wrong)}. The primary answers in its place.",
            "See docs/how-to/replicas.md.",
        )
    return ok(f"{counted(len(urls), 'replica')} follow{'s' if len(urls) == 1 else ''} closely.")


async def _ask_system(database: Any) -> tuple[Any, ...]:
    sql = "select system_identifier, current_database() from pg_control_system()"
    return (await database.fetch(sql))[0]  # type: ignore[no-any-return]


async def _wrong_with(url: str, here: tuple[Any, ...]) -> str:
    """What keeps a replica from answering reads, or nothing."""
    lag = """
    select pg_is_in_recovery(), case
        when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
        else extract(epoch from now() - pg_last_xact_replay_timestamp()) end
    """
    try:
        async with examine_postgres(url) as replica:
            if await _ask_system(replica) != here:
                return "holds another database"
            ((is_standby, seconds),) = await replica.fetch(lag)
    except StoreUnavailable as error:
        return str(error)
    if not is_standby:
        return "is no standby"
    if seconds is not None and seconds > REPLICA_SECONDS_ADVISED:
        return f"is {lasting(float(seconds))} behind"
    return ""


def _place(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


CHECKS = (
    DatabaseCheck("server", look_at_server),
    DatabaseCheck("role", look_at_role),
    DatabaseCheck("durability", look_at_durability),
    DatabaseCheck("time-outs", look_at_timeouts),
    DatabaseCheck("connections", look_at_connections),
    DatabaseCheck("pooler", look_at_pooler),
    DatabaseCheck("clock", look_at_clock),
    DatabaseCheck("size", look_at_size),
    DatabaseCheck("transactions", look_at_transactions),
    DatabaseCheck("replicas", look_at_replicas),
)
