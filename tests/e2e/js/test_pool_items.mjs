// Pool items and pool definition items through the official SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, refusal, sent } from "./client.mjs";
import { definePool, defineProgram, join, openWallet } from "./wallet.mjs";

const client = connect();
const { poolDefinitionItems, poolItems } = client;

const benefits = [
  { benefitKey: "towel", price: "2.5", displayName: "Towel", description: "Large" },
  { benefitKey: "mug", price: "0" },
];
const FIELDS = ["POOL", "PROGRAM", "PROGRAM_DEFINITION", "ITEM", "BENEFIT", "BALANCE"];
const PARTS = ["pool", "program", "programDefinition", "itemInfo", "benefitInfo", "balance"];

const found = (wallet, options) => {
  const query = poolItems.queryPoolItems(options).eq("poolId", wallet.pool._id);
  return query.ascending("benefitKey").find();
};

test("a pool item names all that it is made of, and no more", async () => {
  const wallet = await openWallet(client, { benefits });
  const { items } = await found(wallet);
  assert.deepEqual(items.map((each) => each.benefitKey), ["mug", "towel"]);
  const [, towel] = items;
  const [benefit] = wallet.poolDefinition.details.benefits;
  assert.equal(towel.poolId, wallet.pool._id);
  assert.equal(towel.programId, wallet.program._id);
  assert.equal(towel.externalProgramId, wallet.program.externalId);
  assert.equal(towel.programDefinitionId, wallet.programDefinition._id);
  assert.equal(towel.poolDefinitionId, wallet.poolDefinition._id);
  assert.equal(towel.itemSetId, benefit.itemSetId);
  assert.equal(towel.beneficiary.memberId, wallet.memberId);
  assert.equal(towel.itemSearchKey, `${benefit.providerAppId}//item of towel`);
  assert.equal(towel.removed, false);
  assert.ok(towel._createdDate instanceof Date);
  assert.match(towel.revision, /^\d+$/);
  for (const part of PARTS) assert.equal(towel[part], undefined);
});

test("each of the fields fills its own part", async () => {
  const wallet = await openWallet(client, { benefits, displayName: "Mine" });
  for (const [index, field] of FIELDS.entries()) {
    const [, towel] = (await found(wallet, { fields: [field] })).items;
    assert.deepEqual(PARTS.filter((part) => part in towel), [PARTS[index]]);
  }
  const [, towel] = (await found(wallet, { fields: FIELDS })).items;
  assert.deepEqual(JSON.parse(sent.at(-1).body).fields, FIELDS);
  assert.equal(towel.pool.displayName, "Wallet");
  assert.equal(towel.pool.status, "ACTIVE");
  assert.equal(towel.pool.creditConfiguration.amount, "100");
  assert.deepEqual(towel.program, {
    _id: wallet.program._id,
    externalId: wallet.program.externalId,
    displayName: "Mine",
  });
  assert.equal(towel.programDefinition._id, wallet.programDefinition._id);
  assert.equal(towel.benefitInfo.price, "2.5");
  assert.equal(towel.benefitInfo.displayName, "Towel");
  assert.equal(towel.balance.available, "100");
});

test("the fields are asked for with a typed query too, and on every page", async () => {
  const wallet = await openWallet(client, { benefits });
  const filter = { "beneficiary.memberId": wallet.memberId };
  const answer = await poolItems.queryPoolItems({ filter }, { fields: ["BALANCE"] });
  assert.deepEqual(answer.poolItems.map((each) => each.balance.available), ["100", "100"]);
  const query = poolItems.queryPoolItems({ fields: ["PROGRAM"] });
  const first = await query.eq("beneficiary.memberId", wallet.memberId).limit(1).find();
  const second = await first.next();
  assert.equal(second.items[0].program._id, wallet.program._id);
  assert.equal((await second.prev()).items[0]._id, first.items[0]._id);
});

test("items are added to a benefit, reach living pools at once, and are removed", async () => {
  const definition = await definePool(client, await defineProgram(client), { benefits });
  const options = { poolDefinitionId: definition._id, benefitKey: "towel" };
  const references = [
    { externalId: "a" },
    { externalId: "b", category: "merch" },
    { externalId: "a" },
  ];
  const added = await poolDefinitionItems.addItemsToBenefit(references, options);
  const [first, second, third] = added.results.map((each) => each.itemMetadata);
  assert.ok(first.success && second.success);
  assert.equal(third.error.code, "ITEM_ALREADY_EXISTS");
  assert.equal(third.originalIndex, 2);
  const item = await client.items.getItem(second._id);
  assert.equal(item.category, "merch");
  assert.equal(item.itemSetId, definition.details.benefits[0].itemSetId);
  assert.equal(item.namespace, namespace);
  const removed = await poolDefinitionItems.removeItemsFromBenefit(references, options);
  const codes = removed.results.map(({ itemMetadata }) => itemMetadata.error?.code);
  assert.deepEqual(codes, [undefined, undefined, "NOT_FOUND"]);
  assert.equal(removed.bulkActionMetadata.totalSuccesses, 2);
});

test("what is added to a definition stands in its pools at once", async () => {
  const wallet = await openWallet(client);
  const { _id: poolDefinitionId } = wallet.poolDefinition;
  const options = { poolDefinitionId, benefitKey: "towel" };
  await poolDefinitionItems.addItemsToBenefit([{ externalId: "soap" }], options);
  const soap = { ...wallet.reference(), externalId: "soap" };
  await client.pools.redeemBenefit(wallet.pool._id, wallet.redemption({ itemReference: soap }));
  assert.equal((await found(wallet)).items.length, 2);
  await poolDefinitionItems.removeItemsFromBenefit([{ externalId: "soap" }], options);
  assert.equal((await found(wallet)).items.length, 1);
});

test("an unknown benefit is told with its code", async () => {
  const definition = await definePool(client, await defineProgram(client));
  for (const method of ["addItemsToBenefit", "removeItemsFromBenefit"]) {
    for (const place of [
      { poolDefinitionId: definition._id, benefitKey: "sauna" },
      { poolDefinitionId: guid(), benefitKey: "towel" },
    ]) {
      const error = await refusal(poolDefinitionItems[method]([{ externalId: "a" }], place));
      assert.equal(error.status, 404);
      assert.match(error.details.applicationError.code, /^POOL_DEFINITION_(BENEFIT_)?NOT_FOUND$/);
    }
  }
});

test("pool definition items are filled by fields, and found by their place", async () => {
  const wallet = await openWallet(client, { benefits });
  const fields = ["POOL_DEFINITION", "PROGRAM_DEFINITION", "BENEFIT", "ITEM"];
  const parts = ["poolDefinition", "programDefinitions", "benefitInfo", "itemInfo"];
  const query = (options) =>
    poolDefinitionItems
      .queryPoolDefinitionItems(options)
      .eq("programDefinitions.id", wallet.programDefinition._id)
      .descending("benefitKey");
  const [towel, mug] = (await query({ fields }).find()).items;
  assert.deepEqual([towel.benefitKey, mug.benefitKey], ["towel", "mug"]);
  for (const part of parts) assert.ok(part in towel, part);
  assert.equal(towel.poolDefinition.displayName, "Wallet");
  assert.equal(towel.poolDefinition.creditConfiguration.amount, "100");
  assert.equal(towel.programDefinitions[0].externalId, wallet.programDefinition.externalId);
  assert.deepEqual(towel.benefitInfo, {
    price: "2.5",
    displayName: "Towel",
    description: "Large",
  });
  const [bare] = (await query().find()).items;
  assert.equal(bare.benefitInfo, undefined);
  assert.equal(bare.programDefinitions[0]._id, wallet.programDefinition._id);
  const { externalId } = wallet.programDefinition;
  const answer = await poolDefinitionItems.queryPoolDefinitionItems(
    { filter: { "programDefinitions.externalId": { $hasSome: [externalId] } } },
    { fields: ["ITEM"] },
  );
  assert.equal(answer.poolDefinitionItems.length, 2);
});

test("an ended pool has no items", async () => {
  const wallet = await openWallet(client);
  const other = await join(client, wallet.programDefinition);
  await client.programs.endProgram(wallet.program._id);
  assert.equal((await found(wallet)).items.length, 0);
  assert.equal((await found(other)).items.length, 1);
});
