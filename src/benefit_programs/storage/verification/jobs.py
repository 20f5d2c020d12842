"""Checks of what goes on after its request was answered: I16, I18 and I19."""

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
        and not exists (select 1 from agenda a
            where a.tenant_id = $1 and a.kind = 'jobs' and a.since is not null)
        """,
        Paged.JOBS,
    ),
    Check(
        "I16",
        "job",
        f"""
        select t.id, 'did ' || (t.success_count + t.fail_count) || ', and tells of '
            || c.listed as detail
        from jobs t join (
            select j.id, coalesce(length[j.items], 0) + coalesce(
                (select sum(length[p.items]) from job_pages p
                    where p.tenant_id = $1 and p.job_id = j.id), 0) as listed,
                (select min(p.number) from job_pages p
                    where p.tenant_id = $1 and p.job_id = j.id) as first
            from jobs j where j.tenant_id = $1 and j.id > $2 and j.id <= $3
        ) c on c.id = t.id
        where {_JOB} and c.listed <> t.success_count + t.fail_count
            and not (t.status in ('FINISHED', 'FAILED') and coalesce(c.first, 0) > 0)
        """,
        Paged.JOBS,
    ),
)

# Jobs that carry out an order.
_OF_ORDERS = "t.order_number > 0 and t.status not in ('FINISHED', 'FAILED')"

ORDERS = (
    Check(
        "I18",
        "order",
        """
        select t.job_id as id, t.kind || ' ' || t.number || ' is ' || t.phase || ', its job is '
            || coalesce(j.kind || ' and ' || j.status, 'gone') as detail
        from orders t left join jobs j on j.tenant_id = t.tenant_id and j.id = t.job_id
        where t.tenant_id = $1 and t.phase <> 'REACHED'
        and (j.id is null or j.kind <> t.kind
            or (j.status = 'FINISHED' and (t.opened_id is null or j.fail_count = 0))
            or (t.opened_id is null and j.order_number <> t.number))
        """,
    ),
    Check(
        "I18",
        "order",
        """
        select coalesce(t.job_id, t.pool_definition_id) as id, t.kind || ' ' || t.number
            || ' has the snapshot ' || t.snapshot_id || ', which isn''t there' as detail
        from orders t where t.tenant_id = $1 and t.snapshot_id is not null
        and not exists (select 1 from snapshots s
            where s.tenant_id = $1 and s.id = t.snapshot_id)
        """,
    ),
    Check(
        "I18",
        "job",
        f"""
        select t.id, t.kind || ' is ' || t.status || ' without its order' as detail
        from jobs t where {_JOB} and {_OF_ORDERS}
        and not exists (select 1 from orders o
            where o.tenant_id = $1 and o.job_id = t.id and o.phase <> 'REACHED')
        """,
        Paged.JOBS,
    ),
    Check(
        "I18",
        "program",
        """
        select t.program_id as id, 'waits for ' || t.kind || ' to make it ' || t.status
            || ', is ' || coalesce(p.status, 'gone') as detail
        from orders t left join programs p on p.tenant_id = t.tenant_id and p.id = t.program_id
        where t.tenant_id = $1 and t.program_id is not null
        and (p.id is null or coalesce(p.target_status, '') <> t.status)
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
        and not exists (select 1 from orders o
            where o.tenant_id = $1 and o.program_id = t.id)
        """,
        Paged.PROGRAMS,
    ),
    Check(
        "I18",
        "pool_definition",
        """
        select t.pool_definition_id as id, t.kind || ' stands in the program definition '
            || t.program_definition_id || ', and one of the two isn''t there' as detail
        from orders t where t.tenant_id = $1 and t.stands = 1 and t.pool_definition_id is not null
        and not (
            exists (select 1 from pool_definitions o
                where o.tenant_id = $1 and o.id = t.pool_definition_id)
            and exists (select 1 from program_definitions o
                where o.tenant_id = $1 and o.id = t.program_definition_id))
        """,
    ),
    Check(
        "I18",
        "pool_definition",
        """
        select t.pool_definition_id as id, t.kind || ' stands in the program definition '
            || t.program_definition_id || ', to which it doesn''t belong' as detail
        from orders t where t.tenant_id = $1 and t.stands = 1 and t.kind = 'ADD_POOLS'
        and not exists (select 1 from assignments o
            where o.tenant_id = $1 and o.pool_definition_id = t.pool_definition_id
            and o.program_definition_id = t.program_definition_id)
        """,
    ),
    Check(
        "I18",
        "program_definition",
        """
        select t.program_definition_id as id, 'its programs are to end, and it is there' as detail
        from orders t where t.tenant_id = $1 and t.stands = 1 and t.kind = 'END_PROGRAMS'
        and exists (select 1 from program_definitions o
            where o.tenant_id = $1 and o.id = t.program_definition_id)
        """,
    ),
    Check(
        "I19",
        "order",
        """
        select t.job_id as id, t.kind || ' has the number ' || t.number || ', the newest is '
            || coalesce(a.newest_order, 0) as detail
        from orders t left join agenda a on a.tenant_id = t.tenant_id and a.kind = 'jobs'
        where t.tenant_id = $1 and t.number > coalesce(a.newest_order, 0)
        """,
    ),
    Check(
        "I19",
        "pool",
        """
        select t.id, 'has been through the order ' || t.order_number || ', the newest is '
            || coalesce(a.newest_order, 0) as detail
        from pools t left join agenda a on a.tenant_id = t.tenant_id and a.kind = 'jobs'
        where t.tenant_id = $1 and t.id > $2 and t.id <= $3
        and t.order_number > coalesce(a.newest_order, 0)
        """,
        Paged.POOLS,
    ),
    Check(
        "I19",
        "pool",
        """
        select t.id, 'has yet to go through the order ' || o.number || ', which has reached all'
            as detail
        from pools t join orders o on o.tenant_id = t.tenant_id
            and o.pool_definition_id = t.pool_definition_id
            and (o.program_definition_id is null
                or o.program_definition_id = t.program_definition_id)
        left join jobs j on j.tenant_id = o.tenant_id and j.id = o.job_id
        where t.tenant_id = $1 and t.id > $2 and t.id <= $3 and o.tenant_id = $1
        and t.status <> 'ENDED' and o.phase = 'REACHED' and t.order_number < o.number
        and coalesce(j.fail_count, 0) = 0 and coalesce(j.status, 'FINISHED') = 'FINISHED'
        and not (o.kind = 'ADD_POOLS' and o.cascade = 'NEXT_RENEWAL')
        """,
        Paged.POOLS,
    ),
)

JOB_CHECKS = (*JOBS, *ORDERS)
