// All methods of pool definitions through the official SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, details, guid, namespace, refusal, violations } from "./client.mjs";

const client = connect();
const { poolDefinitions, programDefinitions } = client;
const cascade = "FUTURE_PROVISIONS";

const created = (fields = {}, options = {}) =>
  poolDefinitions.createPoolDefinition({ namespace, details: details(), ...fields }, options);
const program = () => programDefinitions.createProgramDefinition({ namespace, externalId: guid() });

test("create answers with the definition, and get reads the same", async () => {
  const place = await program();
  const sent = {
    displayName: "Tokens",
    description: "A token per visit",
    details: {
      benefits: [
        { benefitKey: "a", providerAppId: guid(), price: "2.50", additionalData: { shelf_no: 3 } },
      ],
      creditConfiguration: {
        amount: "5",
        rolloverConfiguration: { enabled: true, balanceCap: "5" },
      },
    },
    programDefinitionIds: [place._id],
  };
  const definition = await created(sent, { cascade });
  const [{ itemSetId, ...benefit }] = definition.details.benefits;
  assert.match(itemSetId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(benefit, { ...sent.details.benefits[0], price: "2.5" });
  assert.deepEqual(
    definition.details.creditConfiguration,
    sent.details.creditConfiguration,
  );
  assert.deepEqual(definition.programDefinitionIds, [place._id]);
  assert.equal(definition.programDefinitions[0]._id, place._id);
  assert.deepEqual(await poolDefinitions.getPoolDefinition(definition._id), definition);
});

test("an entity that was read can be changed and written back", async () => {
  const definition = await created({ displayName: "Old" });
  const updated = await poolDefinitions.updatePoolDefinition(
    definition._id,
    { ...definition, displayName: "New" },
    { cascade: "IMMEDIATELY" },
  );
  assert.deepEqual(updated, {
    ...definition,
    displayName: "New",
    revision: "2",
    _updatedDate: updated._updatedDate,
  });
});

test("a part of the details changes alone, and benefits keep their item sets", async () => {
  const definition = await created();
  const [benefit] = definition.details.benefits;
  const updated = await poolDefinitions.updatePoolDefinition(
    definition._id,
    {
      revision: definition.revision,
      details: { benefits: [{ ...benefit, price: "3" }] },
    },
    { cascade },
  );
  assert.deepEqual(updated.details.benefits, [{ ...benefit, price: "3" }]);
  assert.deepEqual(updated.details.creditConfiguration, { amount: "100" });
});

test("without a cascade a change is refused with the caller's own argument", async () => {
  const definition = await created();
  const error = await refusal(
    poolDefinitions.updatePoolDefinition(definition._id, { revision: "1" }, {}),
  );
  assert.equal(error.status, 400);
  assert.deepEqual(violations(error), { "options.cascade": "OTHER" });
  const [violation] = error.details.validationError.fieldViolations;
  assert.equal(violation.ruleName, "cascade_is_required");
});

test("violations in lists have their indexes", async () => {
  const wrong = details({ price: "0.00001" });
  wrong.benefits.push({ benefitKey: "b" });
  const error = await refusal(created({ details: wrong }));
  assert.deepEqual(violations(error), {
    "poolDefinition.details.benefits[0].price": "DECIMAL_MAX_SCALE",
    "poolDefinition.details.benefits[1].providerAppId": "REQUIRED_FIELD",
  });
});

test("definitions are made in bulk, and a bad one fails alone", async () => {
  const good = { namespace, details: details() };
  const answer = await poolDefinitions.bulkCreatePoolDefinitions(
    [good, { ...good, namespace: "" }, good],
    { cascade, returnEntity: true },
  );
  assert.deepEqual(answer.bulkActionMetadata, {
    totalSuccesses: 2,
    totalFailures: 1,
    undetailedFailures: 0,
  });
  const [first, second, third] = answer.results;
  assert.equal(first.item._id, first.itemMetadata._id);
  assert.equal(second.itemMetadata.error.code, "VALIDATION_ERROR");
  assert.equal(second.item, undefined);
  assert.equal(third.itemMetadata.originalIndex, 2);
});

test("definitions are changed in bulk, each by its own mask", async () => {
  const [a, b] = [await created({ displayName: "a", description: "a" }), await created()];
  const answer = await poolDefinitions.bulkUpdatePoolDefinitions({
    poolDefinitions: [
      {
        poolDefinition: { ...a, displayName: "A", description: "kept" },
        fieldMask: ["displayName"],
      },
      { poolDefinition: { ...b, revision: "9" }, fieldMask: ["displayName"] },
    ],
    cascade,
    returnEntity: true,
  });
  const [first, second] = answer.results;
  assert.equal(first.item.displayName, "A");
  assert.equal(first.item.description, "a");
  assert.equal(second.itemMetadata.error.code, "INVALID_REVISION");
});

test("definitions are deleted alone and in bulk", async () => {
  const [a, b] = [await created(), await created()];
  await poolDefinitions.deletePoolDefinition(a._id, cascade);
  const answer = await poolDefinitions.bulkDeletePoolDefinitions([a._id, b._id], { cascade });
  assert.equal(answer.results[0].itemMetadata.error.code, "POOL_DEFINITION_NOT_FOUND");
  assert.equal(answer.results[1].itemMetadata.success, true);
  const error = await refusal(poolDefinitions.getPoolDefinition(b._id));
  assert.equal(error.details.applicationError.code, "POOL_DEFINITION_NOT_FOUND");
});

test("a definition is added to a program definition, found there, and removed", async () => {
  const [place, definition] = [await program(), await created()];
  const options = { programDefinitionId: place._id, cascade };
  const added = await poolDefinitions.addPoolDefinitionToProgramDefinition(definition._id, options);
  assert.deepEqual(added.poolDefinition.programDefinitionIds, [place._id]);
  const find = () =>
    poolDefinitions.findPoolDefinitionsByProgramDefinition(place._id, { namespace });
  assert.deepEqual((await find()).poolDefinitions, [added.poolDefinition]);
  const removed = await poolDefinitions.removePoolDefinitionFromProgramDefinition(
    definition._id,
    options,
  );
  assert.equal(removed.poolDefinition.revision, "3");
  assert.deepEqual((await find()).poolDefinitions, []);
});

test("queries find by benefits and program definitions", async () => {
  const place = await program();
  const definition = await created({ programDefinitionIds: [place._id] }, { cascade });
  const [{ itemSetId, providerAppId }] = definition.details.benefits;
  const query = () => poolDefinitions.queryPoolDefinitions();
  for (const found of [
    query().hasSome("programDefinitionIds", [place._id, guid()]),
    query().hasAll("details.benefits.itemSetId", [itemSetId]),
    query().hasSome("details.benefits.providerAppId", [providerAppId]),
    query().eq("_id", definition._id).eq("namespace", namespace),
    query().in("_id", [definition._id]).descending("_createdDate"),
  ]) {
    assert.deepEqual((await found.find()).items, [definition]);
  }
});
