// Reserve, capture and cancel: routes beside the contract's, called by the fetch of the SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid } from "./client.mjs";
import { openWallet } from "./wallet.mjs";

const client = connect();

/** Call a route that the SDK has no method for. */
async function call(path, body) {
  const url = `https://www.wixapis.com/benefit-programs/v1/${path}`;
  const request = body ? { method: "POST", body: JSON.stringify(body) } : { method: "GET" };
  const headers = { "Content-Type": "application/json" };
  return (await client.fetchWithAuth(url, { ...request, headers })).json();
}

const amountOf = async (wallet) => (await client.balances.getBalance(wallet.pool._id)).amount;

async function reserve(wallet, more) {
  const request = { poolId: wallet.pool._id, ...wallet.redemption(more) };
  return (await call("benefits/reserve", request)).transactionId;
}

test("what is reserved is captured in part, and canceled as a redemption", async () => {
  const wallet = await openWallet(client);
  const reservation = await reserve(wallet, { count: 3, expiresAfter: "PT2H" });
  assert.deepEqual(await amountOf(wallet), { available: "70", reserved: "30" });
  const end = { transactionId: reservation, idempotencyKey: guid(), count: 1 };
  const { transactionId } = await call("benefits/capture-reservation", end);
  assert.deepEqual(await amountOf(wallet), { available: "90", reserved: "0" });
  const transaction = await client.transactions.getTransaction(transactionId);
  assert.equal(transaction.source, "RESERVED");
  assert.equal(transaction.target, "EXTERNAL");
  assert.equal(transaction.reservationId, reservation);
  await client.pools.cancelRedemption(transactionId, { idempotencyKey: guid() });
  assert.deepEqual(await amountOf(wallet), { available: "100", reserved: "0" });
});

test("a reservation is found, read and canceled once", async () => {
  const wallet = await openWallet(client);
  const reservation = await reserve(wallet);
  const filter = { poolId: wallet.pool._id, status: "OPEN" };
  const { reservations } = await call("reservations/query", { query: { filter } });
  assert.deepEqual(
    reservations.map(({ id }) => id),
    [reservation],
  );
  const end = { transactionId: reservation, idempotencyKey: guid() };
  const { transactionId } = await call("benefits/cancel-reservation", end);
  const { details } = await call("benefits/cancel-reservation", end);
  assert.equal(details.applicationError.code, "ALREADY_EXECUTED");
  assert.equal(details.applicationError.data.transactionId, transactionId);
  const read = await call(`reservations/${reservation}`);
  assert.equal(read.reservation.status, "CANCELED");
  assert.deepEqual(await amountOf(wallet), { available: "100", reserved: "0" });
});
