-- A redemption as an application sends it: one statement after the other in one transaction.
\set number random(1, :pools)
\set key random(1, 9000000000000000000)
begin;
select status, details from pools
    where tenant_id = md5('tenant')::uuid and id = md5('pool' || :number)::uuid
    and namespace = 'bench';
select available from balances
    where tenant_id = md5('tenant')::uuid and pool_id = md5('pool' || :number)::uuid for update;
select id from transactions
    where tenant_id = md5('tenant')::uuid and pool_id = md5('pool' || :number)::uuid
    and idempotency_key = md5('key' || :key);
select id from items
    where tenant_id = md5('tenant')::uuid and item_set_id = md5('set1')::uuid
    and provider_app_id = md5('app')::uuid and category = ''
    and external_id = md5('external1')::uuid::text;
insert into transactions
    select md5('tenant')::uuid, md5('transaction' || :key)::uuid, md5('pool' || :number)::uuid,
    10000,
    'AVAILABLE', 'EXTERNAL', md5('key' || :key),
    jsonb_build_object('reason', 'Redemption', 'itemCount', 1, 'benefitKey', 'benefit-1',
        'item', jsonb_build_object('externalId', md5('external1')::uuid,
            'providerAppId', md5('app')::uuid, 'itemSetId', md5('set1')::uuid)), now();
update balances set available = available - 10000, revision = revision + 1,
    last_transaction_id = md5('transaction' || :key)::uuid, updated_date = now()
    where tenant_id = md5('tenant')::uuid and pool_id = md5('pool' || :number)::uuid;
insert into events
    select tenant_id, gen_random_uuid(), pool_id, 'benefit_redeemed', revision,
    jsonb_build_object('actionEvent', jsonb_build_object('poolId', pool_id,
        'idempotencyKey', md5('key' || :key), 'available', available, 'itemCount', 1,
        'item', jsonb_build_object('externalId', md5('external1')::uuid,
            'providerAppId', md5('app')::uuid, 'itemSetId', md5('set1')::uuid),
        'details', (select details from pool_definitions
            where tenant_id = md5('tenant')::uuid and id = md5('definition1')::uuid))), now()
    from balances
    where tenant_id = md5('tenant')::uuid and pool_id = md5('pool' || :number)::uuid;
commit;
