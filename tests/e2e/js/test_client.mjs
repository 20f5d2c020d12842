// What stands around the methods: ways to sign in, odd ids, deep details, pages of built queries.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as modules from "@wix/benefit-programs";
import { ApiKeyStrategy, createClient } from "@wix/sdk";
import { connect, fetchFromService, guid, namespace, sent } from "./client.mjs";
import { openWallet } from "./wallet.mjs";

const client = connect();
const apiKey = process.env.BENEFITS_API_KEY;

test("the SDK's own strategy for API keys signs in, whatever site it names", async () => {
  const { program } = await openWallet(client);
  for (const place of [{ siteId: guid() }, { accountId: guid() }]) {
    const auth = ApiKeyStrategy({ apiKey, ...place });
    const other = createClient({ modules, auth, fetch: fetchFromService });
    assert.equal((await other.programs.getProgram(program._id))._id, program._id);
    const { headers } = sent.at(-1);
    assert.ok(headers["wix-site-id"] ?? headers["wix-account-id"]);
  }
});

test("modules can be used one by one", async () => {
  const auth = ApiKeyStrategy({ apiKey, siteId: guid() });
  const other = createClient({ auth, fetch: fetchFromService });
  const { queryPrograms } = other.use(modules.programs);
  assert.ok((await queryPrograms().find()).items);
});

test("external ids may hold whatever can be printed", async () => {
  const { createProgramDefinition, getProgramDefinitionByExternalIdAndNamespace } =
    client.programDefinitions;
  for (const externalId of ["a&b=c/d?e#f%20+g", "Grüße, 世界 €", "a.b[0].c", "'\"<>\\"]) {
    const { _id } = await createProgramDefinition({ namespace, externalId });
    const found = await getProgramDefinitionByExternalIdAndNamespace(namespace, { externalId });
    assert.equal(found.programDefinition._id, _id);
    assert.equal(found.programDefinition.externalId, externalId);
    const query = client.programDefinitions.queryProgramDefinitions();
    const { items } = await query.eq("externalId", externalId).find();
    assert.deepEqual(items.map((each) => each._id), [_id]);
  }
});

test("deep details come back as they were sent, and can be written back", async () => {
  const policy = (type, options) => ({ type: "POLICY", policyOptions: { type, ...options } });
  const expressions = [
    policy("CUSTOM", {
      customOptions: { _id: guid(), appId: guid(), additionalData: { shelf_no: [1, "2", null] } },
    }),
    policy("RATE_LIMITED", { rateLimitedOptions: { times: 2, timePeriod: "DAY" } }),
    {
      type: "OPERATOR_NOT",
      operatorNotOptions: {
        expression: policy("FIXED_INTERVAL", {
          fixedIntervalOptions: {
            fromWeekDay: "MONDAY",
            toWeekDay: "TUESDAY",
            fromHour: 1,
            toHour: 2,
          },
        }),
      },
    },
  ];
  const details = {
    policyExpression: { type: "OPERATOR_AND", operatorAndOptions: { expressions } },
    benefits: [
      {
        benefitKey: "towel",
        providerAppId: guid(),
        price: "0",
        displayName: "Towel",
        description: "Large",
        policyExpression: { type: "OPERATOR_OR", operatorOrOptions: { expressions } },
        additionalData: { deep: { under_score: true } },
      },
    ],
    creditConfiguration: { amount: "1", unitType: "TOKEN", unitDisplayName: "tokens" },
    additionalData: { list: [{ a: 1.5 }] },
  };
  const definition = await client.poolDefinitions.createPoolDefinition({
    namespace,
    details: structuredClone(details),
  });
  const stripped = JSON.stringify(definition.details, (key, value) =>
    ["quotaId", "itemSetId"].includes(key) ? undefined : value,
  );
  assert.deepEqual(JSON.parse(stripped), details);
  const { _id } = definition;
  const copy = structuredClone(definition);
  const options = { cascade: "IMMEDIATELY" };
  const updated = await client.poolDefinitions.updatePoolDefinition(_id, copy, options);
  assert.deepEqual(updated.details, definition.details);
});

test("a built query leads through its pages", async () => {
  const benefits = ["a", "b", "c"].map((benefitKey) => ({ benefitKey, price: "1" }));
  const { poolDefinition } = await openWallet(client, { benefits });
  const ids = poolDefinition.details.benefits.map((each) => each.itemSetId);
  const { Filter, QueryBuilder, Sort } = modules.items.utils.query;
  const query = QueryBuilder().withFilter(Filter("itemSetId").in(ids));
  const sorted = query.withSorting(Sort("externalId").asc()).withPaging({ limit: 2 });
  const first = await client.items.queryItems(sorted.build());
  assert.deepEqual(first.items.map((each) => each.externalId), ["item of a", "item of b"]);
  assert.equal(first.metadata.hasNext, true);
  const { next: cursor } = first.metadata.cursors;
  const paging = { limit: 2, cursor };
  const second = await client.items.queryItems(QueryBuilder().withPaging(paging).build());
  assert.deepEqual(second.items.map((each) => each.externalId), ["item of c"]);
  assert.equal(second.metadata.cursors.next, undefined);
});
