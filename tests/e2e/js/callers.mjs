// What a member, an app and a reader of the same site see through the official SDK. Run by a test
// that makes their keys: BENEFITS_MEMBER, and BENEFITS_API_KEY_OF_MEMBER, _OF_APP and _OF_READER.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, refusal, violations } from "./client.mjs";
import { openWallet } from "./wallet.mjs";

const { BENEFITS_MEMBER: memberId, ...keys } = process.env;
const administrator = connect();
const member = connect(keys.BENEFITS_API_KEY_OF_MEMBER);
const app = connect(keys.BENEFITS_API_KEY_OF_APP);
const reader = connect(keys.BENEFITS_API_KEY_OF_READER);

const stranger = await openWallet(administrator);
const wallet = await openWallet(administrator);
const { program } = await administrator.programs.provisionProgram(
  { programDefinitionId: wallet.programDefinition._id },
  { beneficiary: { memberId }, namespace, externalProgramId: guid() },
);

async function codeOf(call) {
  const { status, details } = await refusal(call);
  return [status, details.applicationError.code];
}

test("a member finds its own pools, items and balances alone", async () => {
  const { items: pools } = await member.pools.queryPools().find();
  assert.deepEqual(pools.map((each) => each.programId), [program._id]);
  const { items: balances } = await member.balances.queryBalances().find();
  assert.deepEqual(balances.map((each) => each._id), [pools[0]._id]);
  const { items } = await member.poolItems.queryPoolItems({ fields: ["BALANCE"] }).find();
  assert.deepEqual(items.map((each) => each.poolId), [pools[0]._id]);
  assert.equal(items[0].balance.available, "100");
  const others = member.pools.queryPools().eq("beneficiary.memberId", stranger.memberId);
  assert.deepEqual((await others.find()).items, []);
});

test("a member asks for its own eligible benefits, and needn't say who it is", async () => {
  const answer = await member.pools.getEligibleBenefits(wallet.reference(), { namespace });
  assert.deepEqual(answer.eligibleBenefits.map((each) => each.programInfo._id), [program._id]);
});

test("a member does nothing else", async () => {
  for (const call of [
    () => member.pools.getPool(wallet.pool._id),
    () => member.pools.redeemBenefit(wallet.pool._id, wallet.redemption()),
    () => member.programs.queryPrograms().find(),
    () => member.items.countItems(),
    () => member.balances.changeBalance(wallet.pool._id, guid(), { setOptions: { value: "7" } }),
  ]) {
    assert.deepEqual((await codeOf(call()))[0], 403);
  }
});

test("an app says whose pool items it asks for", async () => {
  const error = await refusal(app.poolItems.queryPoolItems().find());
  assert.equal(error.status, 400);
  assert.equal(Object.keys(violations(error)).length, 1);
  const query = app.poolItems.queryPoolItems().eq("namespace", namespace);
  const { items } = await query.eq("beneficiary.memberId", memberId).find();
  assert.equal(items.length, 1);
  const typed = await app.poolItems.queryPoolItems({
    filter: { "beneficiary.memberId": { $in: [memberId, stranger.memberId] } },
  });
  assert.equal(typed.poolItems.length, 2);
});

test("an app asks for the benefits of all members", async () => {
  const { eligibleBenefits } = await app.pools.getEligibleBenefits(wallet.reference(), { namespace });
  assert.equal(eligibleBenefits.length, 2);
});

test("a reader reads, and changes nothing", async () => {
  assert.equal((await reader.programs.getProgram(program._id))._id, program._id);
  assert.ok((await reader.transactions.queryTransactions().find()).length > 0);
  for (const call of [
    () => reader.programs.endProgram(program._id),
    () => reader.pools.redeemBenefit(wallet.pool._id, wallet.redemption()),
    () => reader.items.deleteItem(guid()),
  ]) {
    assert.equal((await codeOf(call()))[0], 403);
  }
});
