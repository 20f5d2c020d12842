"""Checks of what the service has to do, and of who may call it."""

from __future__ import annotations

from benefit_programs.cli.doctor.findings import (
    Case,
    DatabaseCheck,
    Verdict,
    counted,
    fail,
    lasting,
    listed,
    ok,
    skipped,
    warn,
)
from benefit_programs.delivery.sending import purpose_of
from benefit_programs.domain.job_commands import CANCELED
from benefit_programs.domain.values import DAY
from benefit_programs.domain.webhooks.rows import WebhookStatus
from benefit_programs.encryption import SecretError, SecretKeys, key_file_of
from benefit_programs.storage.agenda import count_due, count_jobs
from benefit_programs.storage.all_tenants import AllTenants
from benefit_programs.storage.backlog import read_backlog
from benefit_programs.storage.examining import ExaminedPostgres
from benefit_programs.storage.leftovers import HAS_LEFTOVERS

JOB_SECONDS_ADVISED = 600
DUE_SECONDS_ADVISED = 60
DUE_SECONDS_BORNE = 3_600
LAG_SECONDS_ADVISED = 600
ATTEMPTS_ADVISED = 3
LOST_MILLISECONDS = 60_000
"""So long after its time a job that nobody takes is stuck: others take it after some seconds."""

FAILED_DAYS = 7
EXPIRY_DAYS_ADVISED = 14

_REMEDY_OF_JOBS = "Start a server or a `benefits worker`, and read its log; docs/jobs.md."

_STUCK = """
select cast(j.id as text), j.attempts from jobs j where j.status not in ('FINISHED', 'FAILED')
and ((j.lease_owner is not null and j.due < $1) or j.attempts >= $2) order by j.id limit 100
"""
_FAILED = """
select cast(j.id as text) from jobs j
where j.status = 'FAILED' and j.updated >= $1 and coalesce(j.reason, '') <> $2
order by j.updated desc limit 100
"""
_PAUSED = """
select cast(e.id as text) from webhook_endpoints e where e.status = 'PAUSED' order by e.id limit 100
"""
_SEALED = "select s.tenant_id, s.sealed from webhook_secrets s order by s.created desc limit 20"
_KEYS = "select name, expires, 1 from api_keys where revoked is null"


async def look_at_queue(case: Case) -> Verdict:
    """Whether somebody does the jobs."""
    jobs = await count_jobs(AllTenants(case.database), now=case.now)
    if not jobs.waiting + jobs.running:
        return ok("No job waits.")
    finding = (
        f"{counted(jobs.waiting, 'job')} waiting and {jobs.running} under way, "
        f"the oldest for {lasting(jobs.oldest_seconds)}."
    )
    if jobs.oldest_seconds > JOB_SECONDS_ADVISED:
        return warn(finding, _REMEDY_OF_JOBS)
    return ok(finding)


async def look_at_stuck_jobs(case: Case) -> Verdict:
    """Whether a job fails again and again, or was left by a process that is gone."""
    rows = await case.database.fetch(_STUCK, (case.now - LOST_MILLISECONDS, ATTEMPTS_ADVISED))
    if not rows:
        return ok("No job is stuck.")
    if any(attempts >= ATTEMPTS_ADVISED for _, attempts in rows):
        remedy = f"See `benefits jobs show {rows[0][0]}` and the log of servers and workers."
    else:
        remedy = _REMEDY_OF_JOBS
    return warn(f"Stuck: {listed([job_id for job_id, _ in rows])}.", remedy)


async def look_at_failed_jobs(case: Case) -> Verdict:
    """Whether a job was given up lately."""
    rows = await case.database.fetch(_FAILED, (case.now - FAILED_DAYS * DAY, CANCELED))
    if not rows:
        return ok(f"No job has failed within {FAILED_DAYS} days.")
    failed = [job_id for (job_id,) in rows]
    return warn(
        f"Failed within {FAILED_DAYS} days: {listed(failed)}.",
        f"`benefits jobs show {failed[0]}` tells why; `benefits jobs retry` goes on.",
    )


async def look_at_due(case: Case) -> Verdict:
    """Whether what is due is booked in time."""
    due = await count_due(AllTenants(case.database), now=case.now)
    finding = f"Due in {counted(due.pools, 'pool')}, the first for {lasting(due.late_seconds)}."
    if due.late_seconds > DUE_SECONDS_BORNE:
        return fail(finding, _REMEDY_OF_JOBS)
    if due.late_seconds > DUE_SECONDS_ADVISED:
        return warn(finding, _REMEDY_OF_JOBS)
    return ok("Nothing that is due waits.")


async def look_at_webhooks(case: Case) -> Verdict:
    """Whether receivers get their events."""
    backlog = await read_backlog(AllTenants(case.database), now=case.now)
    if not backlog.endpoints:
        return ok("There are no webhooks.")
    if backlog.endpoints.get(WebhookStatus.PAUSED):
        paused = [each for (each,) in await case.database.fetch(_PAUSED)]
        return warn(
            f"Paused because they only failed: {listed(paused)}.",
            f"Mend the receiver, then `benefits webhooks update {paused[0]} --active`.",
        )
    if backlog.lag_seconds > LAG_SECONDS_ADVISED:
        return warn(
            f"A receiver is {lasting(backlog.lag_seconds)} behind; {backlog.waiting} events wait "
            "to be sent again.",
            "`benefits webhooks list` shows which; docs/how-to/webhooks.md.",
        )
    return ok(f"{counted(sum(backlog.endpoints.values()), 'endpoint')}, none far behind.")


async def look_at_secrets(case: Case) -> Verdict:
    """Whether the secrets that are stored can be read with the keys that are here."""
    settings = case.settings
    file = key_file_of(settings.sqlite_path) if settings.is_sqlite else None
    sealed = await case.database.fetch(_SEALED)
    if not sealed:
        if file is None and not settings.secret_key:
            return warn(
                "BENEFITS_SECRET_KEY isn't set: no webhook can be made.",
                "Set it to what `openssl rand -base64 32` prints, and keep it safe.",
            )
        return ok("No secret is stored yet that would have to be read again.")
    keys = SecretKeys(settings.secret_key, file=file)
    unreadable = 0
    for tenant_id, text in sealed:
        try:
            keys.decrypt(text, of=purpose_of(tenant_id))
        except (SecretError, OSError):
            unreadable += 1
    if unreadable:
        return fail(
            f"{unreadable} of the newest {len(sealed)} secrets can't be read with the keys here.",
            "Put the key back with which they were stored: BENEFITS_SECRET_KEY, or the file .key.",
        )
    return ok("The stored secrets can be read.")


async def look_at_keys(case: Case) -> Verdict:
    """Whether somebody's key opens nothing any more soon."""
    rows = await case.database.fetch(_KEYS)
    valid = [(name, end) for name, end, _ in rows if end is None or end > case.now]
    if not valid:
        return warn(
            "No API key is valid: nobody can call the service.",
            "`benefits keys create NAME --role operator` makes one.",
        )
    soon = [
        name
        for name, end in valid
        if end is not None and end < case.now + EXPIRY_DAYS_ADVISED * DAY
    ]
    if soon:
        return warn(
            f"Keys that expire within {EXPIRY_DAYS_ADVISED} days: {listed(soon)}.",
            "Make new ones with `benefits keys create`, and give them to their callers.",
        )
    return ok(f"{counted(len(valid), 'API key')}, none about to expire.")


async def look_at_leftovers(case: Case) -> Verdict:
    """Whether servers of an older version have left something to put in order."""
    if not isinstance(case.database, ExaminedPostgres):
        return skipped("A SQLite file has one server.")
    if await case.database.fetch(HAS_LEFTOVERS) == [(True,)]:
        return warn(
            "Servers of 0.2.0 counted rate limits after the migration, and nobody adds that up.",
            "When the last of them has stopped: `benefits migrate --finish`.",
        )
    return ok("No older version has left anything.")


CHECKS = (
    DatabaseCheck("leftovers", look_at_leftovers, of_rows=True),
    DatabaseCheck("queue", look_at_queue, of_rows=True),
    DatabaseCheck("stuck jobs", look_at_stuck_jobs, of_rows=True),
    DatabaseCheck("failed jobs", look_at_failed_jobs, of_rows=True),
    DatabaseCheck("due", look_at_due, of_rows=True),
    DatabaseCheck("webhooks", look_at_webhooks, of_rows=True),
    DatabaseCheck("secrets", look_at_secrets, of_rows=True),
    DatabaseCheck("API keys", look_at_keys, of_rows=True),
)
