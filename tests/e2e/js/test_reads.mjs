// Reading pools, balances and transactions through the official SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, provisioned, refusal } from "./client.mjs";

const client = connect();
const { balances, pools, transactions } = client;

test("a pool is read and queried", async () => {
  const { pool, program, poolDefinition } = await provisioned(client);
  assert.deepEqual(await pools.getPool(pool._id), pool);
  assert.equal(pool.status, "ACTIVE");
  assert.equal(pool.program._id, program._id);
  assert.deepEqual(pool.details, poolDefinition.details);
  const [{ itemSetId }] = pool.details.benefits;
  const query = () => pools.queryPools();
  for (const found of [
    query().eq("_id", pool._id),
    query().eq("program._id", program._id),
    query().eq("poolDefinitionId", poolDefinition._id),
    query().eq("beneficiary.memberId", pool.beneficiary.memberId),
    query().eq("namespace", namespace).eq("status", "ACTIVE").eq("programId", program._id),
    query().hasAll("details.benefits.itemSetId", [itemSetId]),
  ]) {
    assert.deepEqual((await found.find()).items, [pool]);
  }
});

test("an unknown pool is not found", async () => {
  const error = await refusal(pools.getPool(guid()));
  assert.equal(error.status, 404);
  assert.equal(error.details.applicationError.code, "POOL_NOT_FOUND");
});

test("balances are read, listed and queried", async () => {
  const { pool, program } = await provisioned(client, { amount: "12.5" });
  const balance = await balances.getBalance(pool._id);
  assert.equal(balance._id, pool._id);
  assert.deepEqual(balance.amount, { available: "12.5", reserved: "0" });
  assert.equal(balance.poolInfo.programId, program._id);
  const listed = await balances.listBalances({ poolIds: [pool._id, guid()] });
  assert.deepEqual(listed.balances, [balance]);
  const query = balances.queryBalances().eq("beneficiary.memberId", program.beneficiary.memberId);
  assert.deepEqual((await query.find()).items, [balance]);
});

test("balances are listed in pages", async () => {
  const made = [await provisioned(client), await provisioned(client), await provisioned(client)];
  const poolIds = made.map((each) => each.pool._id);
  const first = await balances.listBalances({ poolIds, cursorPaging: { limit: 2 } });
  assert.equal(first.balances.length, 2);
  const { next: cursor } = first.metadata.cursors;
  const second = await balances.listBalances({ poolIds, cursorPaging: { limit: 2, cursor } });
  const seen = [...first.balances, ...second.balances].map((each) => each._id);
  assert.deepEqual(seen.toSorted(), poolIds.toSorted());
});

test("transactions are read and queried", async () => {
  const { pool } = await provisioned(client, { amount: "12.5" });
  const { lastTransactionId } = await balances.getBalance(pool._id);
  const transaction = await transactions.getTransaction(lastTransactionId);
  assert.equal(transaction.amount, "12.5");
  assert.equal(transaction.source, "EXTERNAL");
  assert.equal(transaction.details.reason, "Provisioning");
  const query = () => transactions.queryTransactions();
  for (const found of [
    query().eq("pool._id", pool._id),
    query().eq("_id", transaction._id).eq("status", "COMPLETED"),
    query().eq("relatedTransactionId", null).eq("pool._id", pool._id),
  ]) {
    assert.deepEqual((await found.find()).items, [transaction]);
  }
});
