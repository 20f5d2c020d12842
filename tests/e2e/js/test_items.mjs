// All methods of items through the official SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, refusal, sent, violations } from "./client.mjs";
import { definePool, defineProgram } from "./wallet.mjs";

const client = connect();
const { items } = client;

/** The item set of a new benefit, with all that an item of it must say. */
async function newPlace() {
  const definition = await definePool(client, await defineProgram(client));
  const [{ itemSetId, providerAppId }] = definition.details.benefits;
  return { itemSetId, providerAppId, namespace };
}

const results = (answer) => answer.results.map(({ itemMetadata }) => itemMetadata);

test("create answers with the item, and get reads the same", async () => {
  const given = {
    ...(await newPlace()),
    externalId: "mug",
    category: "merch",
    displayName: "Mug",
    extendedFields: { namespaces: { "@gym/app": { shelf_no: 3, madeOn: "2026-01-01" } } },
  };
  const { _id, revision, _createdDate, _updatedDate, ...rest } = await items.createItem(given);
  assert.match(_id, /^[0-9a-f-]{36}$/);
  assert.equal(revision, "1");
  assert.ok(_createdDate instanceof Date);
  assert.deepEqual(_updatedDate, _createdDate);
  assert.deepEqual(rest, given);
  const read = await items.getItem(_id);
  assert.deepEqual(read, { _id, revision, _createdDate, _updatedDate, ...rest });
});

test("an item that was read can be changed and written back", async () => {
  const item = await items.createItem({ ...(await newPlace()), externalId: "mug" });
  const updated = await items.updateItem(item._id, { ...item, displayName: "Mug" });
  const { _updatedDate } = updated;
  assert.deepEqual(updated, { ...item, displayName: "Mug", revision: "2", _updatedDate });
  assert.ok(_updatedDate >= item._updatedDate);
  const error = await refusal(items.updateItem(item._id, item));
  assert.equal(error.details.applicationError.code, "INVALID_REVISION");
});

test("what names an item can't be changed", async () => {
  const item = await items.createItem({ ...(await newPlace()), externalId: "mug" });
  const moved = { ...item, itemSetId: guid(), providerAppId: guid(), namespace: "other" };
  const updated = await items.updateItem(item._id, moved);
  assert.equal(updated.itemSetId, item.itemSetId);
  assert.equal(updated.providerAppId, item.providerAppId);
  assert.equal(updated.namespace, namespace);
});

test("an item is there once, and only in the set of a benefit", async () => {
  const place = await newPlace();
  const item = { ...place, externalId: "mug" };
  const { _id } = await items.createItem(item);
  const again = await refusal(items.createItem(item));
  assert.equal(again.status, 409);
  assert.equal(again.details.applicationError.code, "ITEM_ALREADY_EXISTS");
  const lost = await refusal(items.createItem({ ...item, itemSetId: guid() }));
  assert.equal(lost.status, 404);
  assert.equal(lost.details.applicationError.code, "ITEM_SET_NOT_FOUND");
  const strange = await refusal(items.createItem({ ...item, providerAppId: guid() }));
  assert.deepEqual(Object.keys(violations(strange)), ["item.providerAppId"]);
  await items.deleteItem(_id);
  const gone = await refusal(items.getItem(_id));
  assert.equal(gone.details.applicationError.code, "ITEM_NOT_FOUND");
  assert.equal(gone.details.applicationError.data.itemId, _id);
});

test("violations name the caller's own arguments", async () => {
  const error = await refusal(
    items.createItem({ itemSetId: "nonsense", externalId: "", category: "c".repeat(21) }),
  );
  assert.deepEqual(violations(error), {
    "item.category": "MAX_LENGTH",
    "item.externalId": "MIN_LENGTH",
    "item.itemSetId": "FORMAT",
    "item.namespace": "REQUIRED_FIELD",
    "item.providerAppId": "REQUIRED_FIELD",
  });
  assert.ok(error.details.requestId);
});

test("items are made in bulk, and a bad one fails alone", async () => {
  const place = await newPlace();
  const answer = await items.bulkCreateItems(
    [
      { ...place, externalId: "a" },
      { ...place, externalId: "a" },
      { ...place },
      { ...place, externalId: "b", category: "merch" },
    ],
    { returnEntity: true },
  );
  const [first, second, third, fourth] = results(answer);
  assert.equal(answer.results[0].item._id, first._id);
  assert.ok(answer.results[0].item._createdDate instanceof Date);
  assert.equal(second.error.code, "ITEM_ALREADY_EXISTS");
  assert.equal(third.error.code, "VALIDATION_ERROR");
  assert.equal(third.originalIndex, 2);
  assert.equal(fourth.success, true);
  assert.deepEqual(answer.bulkActionMetadata, {
    totalSuccesses: 2,
    totalFailures: 2,
    undetailedFailures: 0,
  });
  const bare = await items.bulkCreateItems([{ ...place, externalId: "c" }]);
  assert.equal(bare.results[0].item, undefined);
});

test("items are changed in bulk, each by its own mask", async () => {
  const place = await newPlace();
  const [a, b] = await Promise.all(
    ["a", "b"].map((externalId) => items.createItem({ ...place, externalId, displayName: "Old" })),
  );
  const extendedFields = { namespaces: { "@gym/app": { n: 1 } } };
  const answer = await items.bulkUpdateItems({
    items: [
      { item: { ...a, displayName: "New", extendedFields }, fieldMask: ["displayName"] },
      { item: { _id: b._id, revision: "1" }, fieldMask: ["displayName", "extendedFields"] },
      { item: { _id: b._id, revision: "1", displayName: "late" } },
      { item: { _id: guid(), revision: "1" } },
    ],
    returnEntity: true,
  });
  const [first, second, third, fourth] = answer.results;
  assert.equal(first.item.displayName, "New");
  assert.equal(first.item.extendedFields, undefined);
  assert.equal(second.item.displayName, undefined);
  assert.equal(third.itemMetadata.error.code, "INVALID_REVISION");
  assert.equal(fourth.itemMetadata.error.code, "ITEM_NOT_FOUND");
});

test("items are deleted in bulk", async () => {
  const place = await newPlace();
  const given = ["a", "b"].map((externalId) => ({ ...place, externalId }));
  const made = await items.bulkCreateItems(given);
  const ids = results(made).map((each) => each._id);
  const missing = guid();
  const answer = await items.bulkDeleteItems([...ids, missing]);
  assert.deepEqual(results(answer).map((each) => each.success), [true, true, false]);
  assert.equal(results(answer)[2]._id, missing);
  assert.equal(results(answer)[2].error.code, "ITEM_NOT_FOUND");
});

test("items are listed page by page, though the SDK can't send its references", async () => {
  const place = await newPlace();
  const filters = ["a", "b", "c"].map((externalId) => ({ ...place, externalId }));
  await items.bulkCreateItems(filters);
  const filter = { type: "BY_REFERENCE", byReferenceOptions: { filters }, namespace };
  const seen = [];
  let cursor;
  do {
    const paging = cursor ? { cursor } : { limit: 2 };
    const page = await items.listItems({ filter, cursorPaging: paging });
    assert.ok(page.items.length <= 2 || cursor);
    seen.push(...page.items.map((each) => each._id));
    cursor = page.metadata.cursors?.next;
  } while (cursor);
  assert.match(sent.at(-1).path, /^\/benefit-programs\/v1\/items\?/);
  const { count } = await items.countItems({ filter: { namespace } });
  assert.equal(new Set(seen).size, count);
  const all = (await items.listItems()).items.filter((each) => each.namespace === namespace);
  assert.deepEqual(all.map((each) => each._id), seen);
});

test("items are counted by a filter", async () => {
  const place = await newPlace();
  await items.bulkCreateItems(["a", "b", "Ab"].map((externalId) => ({ ...place, externalId })));
  const count = async (filter) => (await items.countItems({ filter })).count;
  const { itemSetId } = place;
  assert.equal(await count({ itemSetId }), 3);
  assert.equal(await count({ itemSetId, externalId: { $startsWith: "A" } }), 2);
  assert.equal(await count({ itemSetId, $not: { externalId: "a" } }), 2);
  assert.equal(await count({ itemSetId: guid() }), 0);
  const error = await refusal(count({ price: 3 }));
  assert.deepEqual(Object.values(violations(error)), ["FIELD_NOT_ALLOWED"]);
});

test("items are deleted by a filter, and a job tells of it", async () => {
  const place = await newPlace();
  await items.bulkCreateItems(["a", "b", "c"].map((externalId) => ({ ...place, externalId })));
  const { itemSetId } = place;
  const filter = { itemSetId, externalId: { $in: ["a", "b"] } };
  const { jobId } = await items.bulkDeleteItemsByFilter(namespace, { filter });
  const job = await finished(jobId);
  assert.equal(job.counts.total, 2);
  assert.equal(job.counts.successCount, 2);
  const left = await items.queryItems().eq("itemSetId", itemSetId).find();
  assert.deepEqual(left.items.map((each) => each.externalId), ["c"]);
});

test("the items of another namespace stay", async () => {
  const place = await newPlace();
  const { _id } = await items.createItem({ ...place, externalId: "a" });
  const { jobId } = await items.bulkDeleteItemsByFilter("another", { filter: {} });
  await finished(jobId);
  assert.equal((await items.getItem(_id))._id, _id);
});

/** A job once it has ended. */
async function finished(jobId) {
  const url = `https://www.wixapis.com/async-jobs/v1/async-jobs/${jobId}`;
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const { job } = await (await client.fetchWithAuth(url, { method: "GET" })).json();
    if (["FINISHED", "FAILED"].includes(job.status)) return job;
  }
  return assert.fail("the job did not end");
}
