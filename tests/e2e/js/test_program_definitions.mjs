// All methods of program definitions through the official SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, refusal, sent, violations } from "./client.mjs";

const client = connect();
const { programDefinitions } = client;

const created = (fields = {}) =>
  programDefinitions.createProgramDefinition({ namespace, externalId: guid(), ...fields });

test("create answers with the definition, and get reads the same", async () => {
  const extendedFields = { namespaces: { "@gym/app": { club_id: 7 } } };
  const definition = await created({ externalId: "gold", displayName: "Gold", extendedFields });
  assert.equal(definition.revision, "1");
  assert.equal(definition.externalId, "gold");
  assert.ok(definition._createdDate instanceof Date);
  assert.deepEqual(definition.extendedFields, extendedFields);
  assert.deepEqual(await programDefinitions.getProgramDefinition(definition._id), definition);
  const found = await programDefinitions.getProgramDefinitionByExternalIdAndNamespace(namespace, {
    externalId: "gold",
  });
  assert.deepEqual(found.programDefinition, definition);
});

test("the request says who calls and what", async () => {
  await created();
  const { verb, path, headers } = sent.at(-1);
  assert.equal(verb, "POST");
  assert.equal(path, "/_api/benefit-programs/v1/program-definitions");
  assert.equal(headers.Authorization, process.env.BENEFITS_API_KEY);
});

test("an entity that was read can be changed and written back", async () => {
  const definition = await created({ displayName: "Gold" });
  const updated = await programDefinitions.updateProgramDefinition(definition._id, {
    ...definition,
    displayName: "Platinum",
  });
  assert.equal(updated.revision, "2");
  assert.equal(updated.displayName, "Platinum");
  const cleared = await programDefinitions.updateProgramDefinition(definition._id, {
    revision: "2",
    displayName: null,
  });
  assert.equal(cleared.displayName ?? null, null);
});

test("an update on another revision is refused with its code", async () => {
  const definition = await created();
  const change = { revision: "7", displayName: "Platinum" };
  const error = await refusal(
    programDefinitions.updateProgramDefinition(definition._id, change),
  );
  assert.equal(error.status, 409);
  assert.equal(error.details.applicationError.code, "INVALID_REVISION");
  assert.deepEqual(error.details.applicationError.data, {
    revisionViolation: { entityId: definition._id },
  });
});

test("a deleted definition is not found, and the error names it", async () => {
  const definition = await created();
  await programDefinitions.deleteProgramDefinition(definition._id, {
    cascadeType: "FUTURE_PROVISIONS",
  });
  const error = await refusal(programDefinitions.getProgramDefinition(definition._id));
  assert.equal(error.status, 404);
  assert.equal(error.details.applicationError.code, "PROGRAM_DEFINITION_NOT_FOUND");
  assert.equal(error.details.applicationError.data.programDefinitionId, definition._id);
  assert.ok(error.details.requestId);
});

test("violations name the caller's own arguments", async () => {
  const error = await refusal(created({ namespace: "n".repeat(21), displayName: "d".repeat(65) }));
  assert.equal(error.status, 400);
  assert.deepEqual(violations(error), {
    "programDefinition.namespace": "MAX_LENGTH",
    "programDefinition.displayName": "MAX_LENGTH",
  });
});

test("an unknown key is refused", async () => {
  const stranger = connect("nonsense");
  const error = await refusal(stranger.programDefinitions.getProgramDefinition(guid()));
  assert.equal(error.status, 401);
  assert.equal(error.details.applicationError.code, "UNAUTHENTICATED");
});

test("a query leads forwards and backwards through all pages", async () => {
  const own = `pages${Date.now() % 1e9}`;
  for (const externalId of ["c", "a", "e", "b", "d"]) {
    await created({ namespace: own, externalId });
  }
  const query = programDefinitions.queryProgramDefinitions();
  let page = await query.eq("namespace", own).ascending("externalId").limit(2).find();
  const seen = [];
  for (;;) {
    seen.push(page.items.map((each) => each.externalId));
    if (!page.hasNext()) break;
    page = await page.next();
  }
  assert.deepEqual(seen, [["a", "b"], ["c", "d"], ["e"]]);
  assert.ok(page.hasPrev());
  page = await page.prev();
  assert.deepEqual(page.items.map((each) => each.externalId), ["c", "d"]);
  const skipped = await query.limit(2).skipTo(page.cursors.next).find();
  assert.deepEqual(skipped.items.map((each) => each.externalId), ["e"]);
});

test("each operator of the builder is understood", async () => {
  const own = `ops${Date.now() % 1e9}`;
  const made = {};
  for (const externalId of ["Alpha", "beta"]) {
    made[externalId] = await created({ namespace: own, externalId });
  }
  const inOwn = () => programDefinitions.queryProgramDefinitions().eq("namespace", own);
  const names = async (query) =>
    (await query.ascending("externalId").find()).items.map((each) => each.externalId);
  assert.deepEqual(await names(inOwn().eq("externalId", "beta")), ["beta"]);
  assert.deepEqual(await names(inOwn().ne("externalId", "beta")), ["Alpha"]);
  assert.deepEqual(await names(inOwn().in("externalId", ["beta", "gamma"])), ["beta"]);
  assert.deepEqual(await names(inOwn().startsWith("externalId", "al")), ["Alpha"]);
  assert.deepEqual(await names(inOwn().exists("externalId", true)), ["Alpha", "beta"]);
  const { _createdDate } = made.beta;
  assert.deepEqual(await names(inOwn().eq("_id", made.beta._id).eq("_createdDate", _createdDate)), [
    "beta",
  ]);
  assert.deepEqual(await names(inOwn().gt("_createdDate", _createdDate)), []);
  assert.deepEqual(await names(inOwn().le("_createdDate", _createdDate)), ["Alpha", "beta"]);
});

test("a typed query takes a filter of its own", async () => {
  const own = `typed${Date.now() % 1e9}`;
  for (const externalId of ["a", "b", "c"]) {
    await created({ namespace: own, externalId });
  }
  const answer = await programDefinitions.queryProgramDefinitions({
    filter: { namespace: own, $or: [{ externalId: "a" }, { externalId: "c" }] },
    sort: [{ fieldName: "externalId", order: "DESC" }],
  });
  assert.deepEqual(answer.programDefinitions.map((each) => each.externalId), ["c", "a"]);
  const rest = await programDefinitions.queryProgramDefinitions({
    filter: { namespace: own, $not: { externalId: "a" } },
    sort: [{ fieldName: "externalId", order: "ASC" }],
  });
  assert.deepEqual(rest.programDefinitions.map((each) => each.externalId), ["b", "c"]);
});

test("a page that is too large is refused", async () => {
  const error = await refusal(programDefinitions.queryProgramDefinitions().limit(101).find());
  assert.equal(error.status, 400);
  assert.deepEqual(Object.values(violations(error)), ["MAX"]);
});
