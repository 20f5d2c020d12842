-- A program with two pools as an application sends it: one statement after the other.
-- Rows: 1 program, 2 pools, 2 balances, 2 opening transactions, 1 job, 5 events.
begin;
select id, details from pool_definitions where tenant_id = md5('tenant')::uuid;
select gen_random_uuid() as program_id, gen_random_uuid() as member_id \gset
insert into programs values (md5('tenant')::uuid, :program_id::uuid, 'bench',
    gen_random_uuid()::text, 'New Program', 'ACTIVE', :member_id::uuid, 1, now());
insert into pools
    select tenant_id, gen_random_uuid(), :program_id::uuid, id, 'bench', 'ACTIVE', :member_id::uuid,
    details, 1, now() from pool_definitions where tenant_id = md5('tenant')::uuid;
insert into balances
    select tenant_id, id, 10000000000000, 0, 1, gen_random_uuid(), now() from pools
    where tenant_id = md5('tenant')::uuid and program_id = :program_id::uuid;
insert into transactions
    select tenant_id, gen_random_uuid(), id, 10000000000000, 'EXTERNAL', 'AVAILABLE', null,
    '{"reason": "Provisioning"}', now() from pools
    where tenant_id = md5('tenant')::uuid and program_id = :program_id::uuid;
insert into jobs values (md5('tenant')::uuid, gen_random_uuid(), 'FINISHED',
    jsonb_build_object('programId', :program_id::uuid), now());
insert into events
    select tenant_id, gen_random_uuid(), id, 'provisioned', 1,
    jsonb_build_object('program', to_jsonb(programs)), now() from programs
    where tenant_id = md5('tenant')::uuid and id = :program_id::uuid
    union all
    select tenant_id, gen_random_uuid(), id, slug, 1,
    jsonb_build_object('entity', to_jsonb(pools)), now()
    from pools, unnest(array['pool_provisioned', 'balance_created']) as slug
    where tenant_id = md5('tenant')::uuid and program_id = :program_id::uuid;
commit;
