// Lots beside the SDK: its answers are the contract's, and the routes answer to its fetch.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace } from "./client.mjs";
import { available, openWallet } from "./wallet.mjs";

const client = connect();
const base = "https://www.wixapis.com/benefit-programs/v1";

const call = async (path, body) => {
  const response = await client.fetchWithAuth(`${base}/${path}`, {
    method: body ? "POST" : "GET",
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  return response.json();
};

test("who doesn't use lots sees nothing of them", async () => {
  const wallet = await openWallet(client);
  const { transactionId } = await client.pools.redeemBenefit(wallet.pool._id, wallet.redemption());
  const transaction = await client.transactions.getTransaction(transactionId);
  for (const field of ["lots", "externalReference", "dueDate"]) {
    assert.ok(!(field in transaction));
  }
  const { creditConfiguration } = wallet.pool.details;
  assert.deepEqual(Object.keys(creditConfiguration), ["amount"]);
});

test("granted credits pay through the SDK", async () => {
  const wallet = await openWallet(client, { amount: "5" });
  const grant = { amount: "10", expiresAfter: "P30D", idempotencyKey: guid() };
  const { lot } = await call(`balances/${wallet.pool._id}/grant`, grant);
  assert.equal(await available(client, wallet.pool), "15");
  await client.pools.redeemBenefit(wallet.pool._id, wallet.redemption());
  const { lots } = await call(`balances/${wallet.pool._id}/lots`);
  assert.deepEqual(lots.map((each) => each.available), ["5"]);
  assert.equal((await call(`lots/${lot.id}`)).lot.status, "SPENT");
});

test("the SDK passes the fields of definitions through", async () => {
  const added = {
    amount: "5",
    expiresAfter: "P1M",
    validOn: "TARGET_DATE",
    returnsLive: "P3D",
    lapseAtEnd: true,
    rolloverConfiguration: { enabled: true, percent: "50", expiresAfter: "P7D" },
  };
  const made = await client.poolDefinitions.createPoolDefinition(
    { namespace, details: { benefits: [], creditConfiguration: added } },
    { cascade: "FUTURE_PROVISIONS" },
  );
  assert.deepEqual(made.details.creditConfiguration, added);
});
