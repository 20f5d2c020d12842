// Errors as a caller of the official SDK sees them.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as modules from "@wix/benefit-programs";
import { createClient } from "@wix/sdk";
import { authorizeWith, connect, fetchFromService, guid, namespace, refusal } from "./client.mjs";
import { available, defineProgram, openDesk } from "./desk.mjs";

const client = connect();

test("an error carries the id of its request, its status and its words", async () => {
  const answers = [];
  const auth = authorizeWith(process.env.BENEFITS_KEY);
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
    displayName: "d".repeat(65),
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
    "poolDefinition.details.benefits[1].benefitKey",
    "poolDefinition.details.benefits[1].price",
    "poolDefinition.details.benefits[1].providerAppId",
    "poolDefinition.details.creditConfiguration.amount",
    "poolDefinition.displayName",
    "poolDefinition.namespace",
    "poolDefinition.programDefinitionIds[0]",
  ]);
  const [{ data }] = fieldViolations.filter((each) => each.field.endsWith("displayName"));
  assert.deepEqual(data, { threshold: 64 });
  assert.match(error.message, /INVALID_ARGUMENT/);
});

test("of equal calls at the same time one is done, and the others name it", async () => {
  const desk = await openDesk(client);
  const options = desk.redemption();
  const calls = Array.from({ length: 8 }, () =>
    client.pools.redeemBenefit(desk.pool._id, structuredClone(options)),
  );
  const outcomes = await Promise.allSettled(calls);
  const [done, ...more] = outcomes.filter((each) => each.status === "fulfilled");
  assert.equal(more.length, 0);
  for (const { reason } of outcomes.filter((each) => each.status === "rejected")) {
    const { code, data } = reason.details.applicationError;
    assert.equal(code, "BENEFIT_ALREADY_REDEEMED");
    assert.equal(data.transactionId, done.value.transactionId);
  }
  assert.equal(await available(client, desk.pool), "90");
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
  assert.equal(refused.length, 5);
  for (const { reason } of refused) {
    const { code, data } = reason.details.applicationError;
    assert.ok(["PROGRAM_ALREADY_EXISTS", "IN_PROGRESS"].includes(code));
    if (code === "IN_PROGRESS") continue;
    assert.deepEqual(data, { externalProgramId, namespace });
  }
});

test("a change on an old revision names the entity, whichever it is", async () => {
  const desk = await openDesk(client);
  const { poolDefinitions, pools, programDefinitions, programs } = client;
  const { programDefinition, poolDefinition, program, pool } = desk;
  const change = { revision: "7", displayName: "New" };
  const calls = [
    [programDefinition, () => programDefinitions.updateProgramDefinition(programDefinition._id, change)],
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
  const { programDefinition } = await openDesk(client);
  const { _id } = programDefinition;
  const change = { displayName: "New" };
  const error = await refusal(client.programDefinitions.updateProgramDefinition(_id, change));
  const [violation] = error.details.validationError.fieldViolations;
  assert.equal(violation.field, "programDefinition.revision");
  assert.equal(violation.violatedRule, "REQUIRED_FIELD");
});
