-- The same redemption in one statement, which is its own transaction: one round trip, one commit.
\set number random(1, :pools)
\set key random(1, 9000000000000000000)
with pool as (
    select tenant_id, id, status, details from pools
    where tenant_id = md5('tenant')::uuid and id = md5('pool' || :number)::uuid
    and namespace = 'bench' and status = 'ACTIVE'
), item as (
    select items.id, items.external_id, items.provider_app_id, items.item_set_id from items
    where tenant_id = md5('tenant')::uuid and item_set_id = md5('set1')::uuid
    and provider_app_id = md5('app')::uuid and category = ''
    and external_id = md5('external1')::uuid::text
), balance as (
    update balances set available = available - 10000, revision = revision + 1,
        last_transaction_id = md5('transaction' || :key)::uuid, updated_date = now()
    from pool, item
    where balances.tenant_id = pool.tenant_id and balances.pool_id = pool.id
    and available >= 10000
    returning balances.tenant_id, balances.pool_id, available, revision, pool.details,
        to_jsonb(item) as item
), written as (
    insert into transactions
    select tenant_id, md5('transaction' || :key)::uuid, pool_id, 10000, 'AVAILABLE', 'EXTERNAL',
        md5('key' || :key),
        jsonb_build_object('reason', 'Redemption', 'itemCount', 1, 'benefitKey', 'benefit-1',
            'item', item), now()
    from balance
    returning id, idempotency_key
)
insert into events
select tenant_id, gen_random_uuid(), pool_id, 'benefit_redeemed', revision,
    jsonb_build_object('actionEvent', jsonb_build_object('poolId', pool_id,
        'idempotencyKey', idempotency_key, 'available', available, 'itemCount', 1,
        'item', item, 'details', details)), now()
from balance, written;
