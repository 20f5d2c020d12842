// Writes and reads in turn, each request to the next of several servers: no write may be missing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as modules from "@wix/benefit-programs";
import { createClient } from "@wix/sdk";

const { BENEFITS_URLS, BENEFITS_API_KEY } = process.env;
const origins = BENEFITS_URLS.split(",");
const namespace = "replicas";
const ROUNDS = 20;
let turn = 0;

const client = createClient({
  modules,
  auth: { getAuthHeaders: async () => ({ headers: { Authorization: BENEFITS_API_KEY } }) },
  fetch: async (url, init) => {
    const { pathname, search } = new URL(url);
    turn += 1;
    return fetch(new URL(pathname + search, origins[turn % origins.length]), init);
  },
});

const poolDefinition = await client.poolDefinitions.createPoolDefinition({
  namespace,
  details: {
    benefits: [{ benefitKey: "towel", providerAppId: randomUUID(), price: "10" }],
    creditConfiguration: { amount: "100" },
  },
});
const { program } = await client.programs.provisionProgram(
  { poolDefinitionId: poolDefinition._id },
  { beneficiary: { memberId: randomUUID() }, namespace, externalProgramId: randomUUID() },
);
const { items } = await client.pools.queryPools().eq("programId", program._id).find();
assert.equal(items.length, 1);
for (let round = 1; round <= ROUNDS; round += 1) {
  await client.balances.changeBalance(items[0]._id, randomUUID(), {
    adjustOptions: { value: "1" },
  });
  // One read more in every other round, so that writes and reads come to both servers.
  for (let read = 0; read <= round % 2; read += 1) {
    const { amount } = await client.balances.getBalance(items[0]._id);
    assert.equal(amount.available, `${100 + round}`);
  }
}
