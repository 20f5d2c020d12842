// Errors as a caller of the official SDK sees them.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as modules from "@wix/benefit-programs";
import { createClient } from "@wix/sdk";
import {
  authorizeWith,
  connect,
  fetchFromService,
  guid,
  namespace,
  refusal,
  violations,
} from "./client.mjs";
import { available, defineProgram, openWallet } from "./wallet.mjs";

const client = connect();

test("an error carries the id of its request, its status and its words", async () => {
  const answers = [];
  const auth = authorizeWith(process.env.BENEFITS_API_KEY);
  const { programs } = createClient({
    modules,
    auth,
    async fetch(url, init) {
      answers.push(await fetchFromService(url, init));
      return answers.at(-1).clone();
    },
  });
  const _id = guid();
  const error = await refusal(programs.getProgram(_id));
  const [answer] = answers;
  const { message, details } = await answer.json();
  assert.ok(error instanceof Error);
  assert.equal(error.status, 404);
  assert.equal(error.requestId, answer.headers.get("x-wix-request-id"));
  assert.equal(answer.headers.get("x-request-id"), error.requestId);
  assert.deepEqual(error.details, { ...details, requestId: error.requestId });
  assert.equal(error.details.applicationError.code, "PROGRAM_NOT_FOUND");
  assert.ok(error.message.includes(message));
  const invalid = await refusal(programs.getProgram("nonsense"));
  assert.equal(invalid.requestId, answers[1].headers.get("x-wix-request-id"));
  assert.notEqual(invalid.requestId, error.requestId);
  assert.equal(invalid.details.validationError.fieldViolations[0].data.type, "GUID");
});

test("who has no key, or another one, is refused", async () => {
  const stranger = createClient({ modules, fetch: fetchFromService });
  for (const { items } of [stranger, connect("nonsense")]) {
    const error = await refusal(items.queryItems().find());
    assert.equal(error.status, 401);
    assert.equal(error.details.applicationError.code, "UNAUTHENTICATED");
  }
});

test("many violations are told at once, each by its own path", async () => {
  const benefit = { benefitKey: "", price: "-1", providerAppId: "nonsense" };
  const definition = {
    namespace: "",
    displayName: "d".repeat(129),
    details: {
      benefits: [{ benefitKey: "a", providerAppId: guid() }, benefit],
      creditConfiguration: { amount: "1.23456" },
    },
    programDefinitionIds: ["nonsense"],
  };
  const error = await refusal(client.poolDefinitions.createPoolDefinition(definition));
  assert.equal(error.status, 400);
  const { fieldViolations } = error.details.validationError;
  assert.deepEqual(fieldViolations.map((each) => each.field).toSorted(), [
    "options.cascade",
    "poolDefinition.details.benefits[1].benefitKey",
    "poolDefinition.details.benefits[1].price",
    "poolDefinition.details.benefits[1].providerAppId",
    "poolDefinition.details.creditConfiguration.amount",
    "poolDefinition.displayName",
    "poolDefinition.namespace",
    "poolDefinition.programDefinitionIds[0]",
  ]);
  const [{ data }] = fieldViolations.filter((each) => each.field.endsWith("displayName"));
  assert.deepEqual(data, { threshold: 128 });
  assert.match(error.message, /INVALID_ARGUMENT/);
});

test("of equal calls at the same time one is done, and the others name it", async () => {
  const wallet = await openWallet(client);
  const options = wallet.redemption();
  const calls = Array.from({ length: 8 }, () =>
    client.pools.redeemBenefit(wallet.pool._id, structuredClone(options)),
  );
  const outcomes = await Promise.allSettled(calls);
  const [done, ...more] = outcomes.filter((each) => each.status === "fulfilled");
  assert.equal(more.length, 0);
  for (const { reason } of outcomes.filter((each) => each.status === "rejected")) {
    const { code, data } = reason.details.applicationError;
    assert.equal(code, "BENEFIT_ALREADY_REDEEMED");
    assert.equal(data.transactionId, done.value.transactionId);
  }
  assert.equal(await available(client, wallet.pool), "90");
});

test("of equal programs at the same time one is provisioned", async () => {
  const { _id: programDefinitionId } = await defineProgram(client);
  await client.poolDefinitions.createPoolDefinition(
    { namespace, details: { benefits: [] }, programDefinitionIds: [programDefinitionId] },
    { cascade: "FUTURE_PROVISIONS" },
  );
  const externalProgramId = guid();
  const calls = Array.from({ length: 6 }, () =>
    client.programs.provisionProgram(
      { programDefinitionId },
      { beneficiary: { memberId: guid() }, namespace, externalProgramId },
    ),
  );
  const outcomes = await Promise.allSettled(calls);
  const refused = outcomes.filter((each) => each.status === "rejected");
  const { program } = outcomes.find((each) => each.status === "fulfilled").value;
  assert.equal(refused.length, 5);
  for (const { reason } of refused) {
    const { code, data } = reason.details.applicationError;
    assert.ok(["PROGRAM_ALREADY_EXISTS", "IN_PROGRESS"].includes(code));
    if (code === "IN_PROGRESS") continue;
    assert.deepEqual(data, { externalProgramId, namespace, programId: program._id });
  }
});

test("a change on an old revision names the entity, whichever it is", async () => {
  const wallet = await openWallet(client);
  const { poolDefinitions, pools, programDefinitions, programs } = client;
  const { programDefinition, poolDefinition, program, pool } = wallet;
  const change = { revision: "7", displayName: "New" };
  const calls = [
    [
      programDefinition,
      () => programDefinitions.updateProgramDefinition(programDefinition._id, change),
    ],
    [program, () => programs.updateProgram(program._id, change)],
    [pool, () => pools.updatePool(pool._id, change)],
    [
      poolDefinition,
      () =>
        poolDefinitions.updatePoolDefinition(poolDefinition._id, change, {
          cascade: "IMMEDIATELY",
        }),
    ],
  ];
  for (const [{ _id }, call] of calls) {
    const { status, details } = await refusal(call());
    assert.equal(status, 409);
    assert.equal(details.applicationError.code, "INVALID_REVISION");
    assert.equal(details.applicationError.data.revisionViolation.entityId, _id);
  }
});

test("a change without its revision names it", async () => {
  const { programDefinition } = await openWallet(client);
  const { _id } = programDefinition;
  const change = { displayName: "New" };
  const error = await refusal(client.programDefinitions.updateProgramDefinition(_id, change));
  const [violation] = error.details.validationError.fieldViolations;
  assert.equal(violation.field, "programDefinition.revision");
  assert.equal(violation.violatedRule, "REQUIRED_FIELD");
});

const { balances, items, poolDefinitionItems, poolDefinitions } = client;
const { poolItems, pools, programs } = client;
const member = { memberId: guid() };
const many = Array.from({ length: 101 }, guid);
const towel = { poolDefinitionId: guid(), benefitKey: "towel" };
const known = { beneficiary: member, namespace, externalProgramId: "x" };

/** Calls that are wrong, with the caller's own arguments that are to be named. */
const WRONG = [
  [() => items.bulkDeleteItems([]), { itemIds: "MIN_SIZE" }],
  [() => items.bulkDeleteItems(many), { itemIds: "MAX_SIZE" }],
  [() => poolDefinitionItems.addItemsToBenefit([], towel), { itemReferences: "MIN_SIZE" }],
  [() => balances.listBalances({ poolIds: many }), { "options.poolIds": "MAX_SIZE" }],
  [
    () => items.listItems({ cursorPaging: { limit: 1001 } }),
    { "options.cursorPaging.limit": "MAX" },
  ],
  [
    () => poolItems.queryPoolItems({ fields: ["NONE"] }).find(),
    { "fields[0]": "INVALID_ENUM_VALUE" },
  ],
  [() => programs.provisionProgram({}, known), { poolDefinitionLookupId: "ONE_OF_ALIGNMENT" }],
  [
    () => {
      const both = { poolDefinitionId: guid(), programDefinitionId: guid() };
      return programs.provisionProgram(both, known);
    },
    { "poolDefinitionLookupId.programDefinitionId": "ONE_OF_ALIGNMENT" },
  ],
  [
    () => programs.provisionProgram({ programDefinitionId: guid() }),
    {
      "options.beneficiary": "REQUIRED_FIELD",
      "options.externalProgramId": "REQUIRED_FIELD",
      "options.namespace": "REQUIRED_FIELD",
    },
  ],
  [
    () =>
      pools.checkBenefitEligibilityByFilter(namespace, {
        count: 0,
        itemReference: { externalId: "", providerAppId: "x" },
        poolSelector: { poolStatuses: ["NONE"] },
      }),
    {
      "options.count": "MIN",
      "options.itemReference.externalId": "MIN_LENGTH",
      "options.itemReference.providerAppId": "FORMAT",
      "options.poolSelector.poolStatuses[0]": "INVALID_ENUM_VALUE",
    },
  ],
  [
    () => pools.getEligibleBenefits({ externalId: "a" }, { namespace: "" }),
    { "itemReference.providerAppId": "REQUIRED_FIELD", "options.namespace": "MIN_LENGTH" },
  ],
  [
    () => pools.bulkCheckBenefitEligibility({ benefitSelectors: [{ poolId: "x" }], namespace }),
    {
      "options.benefitSelectors[0].itemReference": "REQUIRED_FIELD",
      "options.benefitSelectors[0].poolId": "FORMAT",
    },
  ],
  [
    () => pools.reallocateBenefit("x", {}),
    {
      "options.beneficiary": "REQUIRED_FIELD",
      "options.idempotencyKey": "REQUIRED_FIELD",
      "options.namespace": "REQUIRED_FIELD",
      "options.targetDate": "REQUIRED_FIELD",
      transactionId: "FORMAT",
    },
  ],
  [
    () => pools.cancelRedemption("x", {}),
    { "options.idempotencyKey": "REQUIRED_FIELD", transactionId: "FORMAT" },
  ],
  [
    () => balances.revertBalanceChange("x", ""),
    { idempotencyKey: "MIN_LENGTH", transactionId: "FORMAT" },
  ],
  [() => pools.bulkUpdatePools({}), { "options.pools": "REQUIRED_FIELD" }],
  [
    () => poolDefinitions.findPoolDefinitionsByProgramDefinition("x", {}),
    { "options.namespace": "REQUIRED_FIELD", programDefinitionId: "FORMAT" },
  ],
  [() => items.bulkDeleteItemsByFilter("", { filter: {} }), { namespace: "MIN_LENGTH" }],
  [
    () => items.bulkDeleteItemsByFilter(namespace, { filter: { nonsense: 1 } }),
    { "options.filter.nonsense": "FIELD_NOT_ALLOWED" },
  ],
];

for (const [call, expected] of WRONG) {
  test(`violations have the caller's own names: ${Object.keys(expected)}`, async () => {
    const error = await refusal(call());
    assert.equal(error.status, 400);
    assert.deepEqual(violations(error), expected);
  });
}

test("a bad entry of a bulk call tells its violations in its own result", async () => {
  const revisionless = { pool: { _id: guid() }, fieldMask: ["displayName"] };
  const { results } = await pools.bulkUpdatePools({ pools: [revisionless, {}] });
  const told = results.map(({ itemMetadata: { error } }) => [
    error.code,
    ...error.data.fieldViolations.map((each) => each.field),
  ]);
  assert.deepEqual(told, [
    ["VALIDATION_ERROR", "pools[0].pool.revision"],
    ["VALIDATION_ERROR", "pools[1].pool"],
  ]);
});
