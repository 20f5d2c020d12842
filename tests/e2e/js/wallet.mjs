// The wallet of a member: a pool definition with priced benefits, an item in each of
// them, and the own program and pool of the member.
import assert from "node:assert/strict";
import { guid, namespace } from "./client.mjs";

/** The benefit of a wallet for which nothing else was asked. */
export const towel = { benefitKey: "towel", price: "10" };

/** Open a wallet; its program definition is made too, and `programStatus` and the like go on. */
export async function openWallet(client, { amount = "100", benefits = [towel], ...options } = {}) {
  const programDefinition = await defineProgram(client);
  const poolDefinition = await definePool(client, programDefinition, { amount, benefits });
  await addItems(client, poolDefinition);
  const member = await join(client, programDefinition, options);
  return { programDefinition, poolDefinition, ...member, ...requestsOf(poolDefinition, member) };
}

/** A program definition of its own. */
export function defineProgram(client, fields = {}) {
  return client.programDefinitions.createProgramDefinition({
    namespace,
    externalId: guid(),
    ...fields,
  });
}

/** A pool definition in a program definition. */
export function definePool(client, programDefinition, { amount = "100", benefits = [towel] } = {}) {
  const given = benefits.map((each) => ({ providerAppId: guid(), ...each }));
  return client.poolDefinitions.createPoolDefinition(
    {
      namespace,
      displayName: "Wallet",
      programDefinitionIds: [programDefinition._id],
      details: { benefits: given, creditConfiguration: { amount } },
    },
    { cascade: "FUTURE_PROVISIONS" },
  );
}

/** A new member of a program definition: the program and its pools, the oldest first. */
export async function join(client, programDefinition, options = {}) {
  const memberId = guid();
  const { jobId, program } = await client.programs.provisionProgram(
    { programDefinitionId: programDefinition._id },
    { beneficiary: { memberId }, namespace, externalProgramId: guid(), ...options },
  );
  const pools = await poolsOf(client, program);
  return { jobId, program, pools, pool: pools[0], memberId };
}

/** The pools of a program, the oldest first. */
export async function poolsOf(client, program) {
  const query = client.pools.queryPools().eq("program.id", program._id).ascending("_createdDate");
  return (await query.find()).items;
}

/** The credits that a pool has left. */
export async function available(client, pool) {
  return (await client.balances.getBalance(pool._id)).amount.available;
}

async function addItems(client, poolDefinition) {
  const items = poolDefinition.details.benefits.map(({ itemSetId, providerAppId, benefitKey }) => ({
    itemSetId,
    providerAppId,
    namespace,
    externalId: `item of ${benefitKey}`,
  }));
  const { bulkActionMetadata } = await client.items.bulkCreateItems(items);
  assert.equal(bulkActionMetadata.totalFailures, 0);
}

function requestsOf(poolDefinition, { memberId }) {
  const benefitOf = (key) =>
    poolDefinition.details.benefits.find(({ benefitKey }) => benefitKey === key);
  const reference = (key = "towel") => ({
    externalId: `item of ${key}`,
    providerAppId: benefitOf(key).providerAppId,
  });
  const redemption = ({ benefitKey = "towel", ...more } = {}) => ({
    benefitKey,
    itemReference: reference(benefitKey),
    beneficiary: { memberId },
    namespace,
    count: 1,
    idempotencyKey: guid(),
    ...more,
  });
  return { reference, redemption };
}
