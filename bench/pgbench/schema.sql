-- The tables that a redemption and a provisioning touch, filled with :pools pools of one tenant.
-- Ids of the rows that are there beforehand are md5 sums, so that a script can name them by number.

create table pool_definitions (
    tenant_id uuid not null,
    id uuid not null,
    details jsonb not null,
    primary key (tenant_id, id)
);

create table items (
    tenant_id uuid not null,
    id uuid not null,
    item_set_id uuid not null,
    provider_app_id uuid not null,
    category text not null,
    external_id text not null,
    primary key (tenant_id, id),
    unique (tenant_id, item_set_id, provider_app_id, category, external_id)
);

create table programs (
    tenant_id uuid not null,
    id uuid not null,
    namespace text not null,
    external_id text not null,
    display_name text,
    status text not null,
    member_id uuid not null,
    revision bigint not null,
    created_date timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, namespace, external_id)
);

create table pools (
    tenant_id uuid not null,
    id uuid not null,
    program_id uuid not null,
    pool_definition_id uuid not null,
    namespace text not null,
    status text not null,
    member_id uuid not null,
    details jsonb not null,
    revision bigint not null,
    created_date timestamptz not null,
    primary key (tenant_id, id)
);
create index pools_program on pools (tenant_id, program_id);
create index pools_beneficiary on pools (tenant_id, namespace, member_id);

create table balances (
    tenant_id uuid not null,
    pool_id uuid not null,
    available bigint not null check (available >= 0),
    reserved bigint not null check (reserved >= 0),
    revision bigint not null,
    last_transaction_id uuid,
    updated_date timestamptz not null,
    primary key (tenant_id, pool_id)
);

create table transactions (
    tenant_id uuid not null,
    id uuid not null,
    pool_id uuid not null,
    amount bigint not null,
    source text not null,
    target text not null,
    idempotency_key text,
    details jsonb not null,
    created_date timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, pool_id, idempotency_key)
);

create table jobs (
    tenant_id uuid not null,
    id uuid not null,
    status text not null,
    details jsonb not null,
    created_date timestamptz not null,
    primary key (tenant_id, id)
);

create table events (
    tenant_id uuid not null,
    id uuid not null,
    entity_id uuid not null,
    slug text not null,
    sequence bigint not null,
    body jsonb not null,
    event_time timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, entity_id, slug, sequence)
);

insert into pool_definitions
select md5('tenant')::uuid, md5('definition' || number)::uuid, jsonb_build_object(
    'benefits', (select jsonb_agg(jsonb_build_object(
        'benefitKey', 'benefit-' || price, 'itemSetId', md5('set' || price)::uuid,
        'providerAppId', md5('app')::uuid, 'price', price::text,
        'displayName', 'Costs ' || price || ' credits')) from generate_series(1, 3) as price),
    'creditConfiguration', jsonb_build_object('amount', '1000000000',
        'rolloverConfiguration', jsonb_build_object('enabled', true, 'balanceCap', '5')))
from generate_series(1, 2) as number;

insert into items
select md5('tenant')::uuid, md5('item' || price || '-' || number)::uuid, md5('set' || price)::uuid,
    md5('app')::uuid, '', md5('external' || number)::uuid::text
from generate_series(1, 3) as price, generate_series(1, 10) as number;

insert into pools
select md5('tenant')::uuid, md5('pool' || number)::uuid, md5('program' || number)::uuid,
    md5('definition1')::uuid, 'bench', 'ACTIVE', md5('member' || number)::uuid, details, 1, now()
from generate_series(1, :pools) as number,
    (select details from pool_definitions order by id limit 1) as definition;

insert into balances
select tenant_id, id, 10000000000000, 0, 1, null, now() from pools;

vacuum analyze;
