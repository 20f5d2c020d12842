"""Checks of what goes on after its request was answered: I16 and I18."""

from __future__ import annotations

from benefit_programs.storage.verification.checks import Check, Paged

_JOB = "t.tenant_id = $1 and t.id > $2 and t.id <= $3"

# A job that has had its time goes in several commits if it is large, its first pages first.
JOBS = (
    Check(
        "I16",
        "job",
        f"""
        select t.id, t.status || ' with ' || t.success_count || ' and ' || t.fail_count || ' of '
            || t.total as detail
        from jobs t where {_JOB} and (t.total < 0 or t.success_count < 0
            or t.fail_count < 0 or t.success_count + t.fail_count > t.total
            or (t.status = 'FINISHED' and t.success_count + t.fail_count <> t.total))
        """,
        Paged.JOBS,
    ),
    Check(
        "I16",
        "job",
        f"""
        select t.id, t.status || ', but nobody would go on with it' as detail
        from jobs t where {_JOB} and t.status not in ('FINISHED', 'FAILED')
        and not exists (select 1 from work w where w.tenant_id = t.tenant_id and w.kind = 'jobs')
        """,
        Paged.JOBS,
    ),
    Check(
        "I16",
        "job",
        f"""
        select t.id, 'did ' || (t.success_count + t.fail_count) || ', and tells of '
            || c.told as detail
        from jobs t join (
            select j.id, coalesce(length[j.items], 0) + coalesce(
                (select sum(length[p.items]) from job_pages p
                    where p.tenant_id = j.tenant_id and p.job_id = j.id), 0) as told,
                (select min(p.number) from job_pages p
                    where p.tenant_id = j.tenant_id and p.job_id = j.id) as first
            from jobs j where j.tenant_id = $1 and j.id > $2 and j.id <= $3
        ) c on c.id = t.id
        where {_JOB} and c.told <> t.success_count + t.fail_count
            and not (t.status in ('FINISHED', 'FAILED') and coalesce(c.first, 0) > 0)
        """,
        Paged.JOBS,
    ),
)

# Jobs that go by a cascade's row.
_CASCADE_JOBS = "('UPDATE_POOLS', 'END_POOLS', 'KEEP_POOLS', 'ADD_POOLS', 'END_PROGRAMS')"

# Jobs that go by the row of an action.
_ACTION_JOBS = "('PAUSE_PROGRAM', 'RESUME_PROGRAM', 'END_PROGRAM', 'RENEW_PROGRAM')"

UNFINISHED = (
    Check(
        "I18",
        "cascade",
        """
        select t.id, 'is unfinished, its job is ' || coalesce(j.status, 'gone') as detail
        from unfinished_cascades t left join jobs j on j.tenant_id = t.tenant_id and j.id = t.id
        where t.tenant_id = $1 and (j.id is null or j.status = 'FINISHED')
        """,
    ),
    Check(
        "I18",
        "cascade",
        """
        select t.id, 'has the snapshot ' || t.snapshot_id || ', which isn''t there' as detail
        from unfinished_cascades t where t.tenant_id = $1 and t.snapshot_id is not null
        and not exists (select 1 from snapshots s
            where s.tenant_id = t.tenant_id and s.id = t.snapshot_id)
        """,
    ),
    Check(
        "I18",
        "job",
        f"""
        select t.id, t.kind || ' is ' || t.status || ' without its cascade' as detail
        from jobs t where {_JOB} and t.kind in {_CASCADE_JOBS}
        and t.status not in ('FINISHED', 'FAILED')
        and not exists (select 1 from unfinished_cascades c
            where c.tenant_id = t.tenant_id and c.id = t.id)
        """,
        Paged.JOBS,
    ),
    Check(
        "I18",
        "program",
        f"""
        select t.program_id as id, 'waits for ' || t.kind || ' to make it ' || t.status
            || ', is ' || coalesce(p.status, 'gone') || ', the job is '
            || coalesce(j.status, 'gone') as detail
        from unfinished_actions t
        left join jobs j on j.tenant_id = t.tenant_id and j.id = t.id
        left join programs p on p.tenant_id = t.tenant_id and p.id = t.program_id
        where t.tenant_id = $1 and (j.id is null or j.status = 'FINISHED' or j.kind <> t.kind
            or j.kind not in {_ACTION_JOBS} or j.subject_id <> t.program_id
            or p.id is null or coalesce(p.target_status, '') <> t.status)
        """,
    ),
    Check(
        "I18",
        "program",
        f"""
        select t.id, 'is ' || t.status || ' on its way to ' || coalesce(t.target_status, 'nothing')
            || ', and no action is under way' as detail
        from programs t where {_JOB} and t.status <> 'PROVISIONING'
        and (t.target_status is not null or t.status in ('PAUSING', 'RESUMING', 'ENDING'))
        and not exists (select 1 from unfinished_actions a
            where a.tenant_id = t.tenant_id and a.program_id = t.id)
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I18",
        "program",
        """
        select t.program_id as id, 'waits for a pool of the definition ' || t.pool_definition_id
            || ', its job is ' || coalesce(j.status, 'gone') as detail
        from unopened_pools t
        left join jobs j on j.tenant_id = t.tenant_id and j.id = t.job_id
            and j.subject_id = t.program_id
        left join programs p on p.tenant_id = t.tenant_id and p.id = t.program_id
        where t.tenant_id = $1
        and (p.id is null or p.status = 'PROVISIONING' or j.fail_count = 0)
        and (j.id is null or j.status = 'FINISHED')
        """,
    ),
    Check(
        "I18",
        "program",
        """
        select t.program_id as id, 'waits for a pool of the definition ' || t.pool_definition_id
            || ', whose snapshot ' || t.snapshot_id || ' isn''t there' as detail
        from unopened_pools t where t.tenant_id = $1
        and not exists (select 1 from snapshots s
            where s.tenant_id = t.tenant_id and s.id = t.snapshot_id)
        """,
    ),
)

PENDING = (
    Check(
        "I18",
        "pool_definition",
        """
        select t.pool_definition_id as id, t.kind || ' is pending in the program definition '
            || t.program_definition_id || ', and one of them or the snapshot isn''t there' as detail
        from pending_changes t where t.tenant_id = $1 and not (
            exists (select 1 from pool_definitions o
                where o.tenant_id = t.tenant_id and o.id = t.pool_definition_id)
            and exists (select 1 from program_definitions o
                where o.tenant_id = t.tenant_id and o.id = t.program_definition_id)
            and exists (select 1 from snapshots o
                where o.tenant_id = t.tenant_id and o.id = t.snapshot_id))
        """,
    ),
    Check(
        "I18",
        "pool_definition",
        """
        select t.pool_definition_id as id, t.kind || ' is pending in the program definition '
            || t.program_definition_id || ', to which it doesn''t belong' as detail
        from pending_changes t where t.tenant_id = $1 and t.kind = 'ADD'
        and not exists (select 1 from assignments o
            where o.tenant_id = t.tenant_id and o.pool_definition_id = t.pool_definition_id
            and o.program_definition_id = t.program_definition_id)
        """,
    ),
    Check(
        "I18",
        "program_definition",
        """
        select t.program_definition_id as id, 'its programs are to end, and it is there' as detail
        from pending_ends t where t.tenant_id = $1
        and exists (select 1 from program_definitions o
            where o.tenant_id = t.tenant_id and o.id = t.program_definition_id)
        """,
    ),
)

JOB_CHECKS = (*JOBS, *UNFINISHED, *PENDING)
