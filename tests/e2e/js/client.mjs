// Clients of the official SDK whose requests go to the service under test: only their origin is
// swapped. BENEFITS_URL names the service, BENEFITS_API_KEY the key of an administrator.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as modules from "@wix/benefit-programs";
import { createClient } from "@wix/sdk";

const { BENEFITS_URL: origin, BENEFITS_API_KEY: administratorKey } = process.env;

/** What went over the wire, the latest last. */
export const sent = [];

/** The option `fetch` of createClient: another origin, and nothing else. */
export async function fetchFromService(url, init) {
  const { pathname, search } = new URL(url);
  sent.push({ verb: init.method, path: pathname + search, headers: init.headers, body: init.body });
  return fetch(new URL(pathname + search, origin), init);
}

/** The option `auth` of createClient: the key as it is. */
export function authorizeWith(key) {
  return { getAuthHeaders: async () => ({ headers: { Authorization: key } }) };
}

/** A client with all modules; without a key it is the administrator's. */
export function connect(key = administratorKey) {
  return createClient({ modules, auth: authorizeWith(key), fetch: fetchFromService });
}

export const guid = randomUUID;

export const namespace = "e2e";

/** Details of a pool definition with one benefit. */
export function details({ amount = "100", price = "10", benefitKey = "towel" } = {}) {
  return {
    benefits: [{ benefitKey, providerAppId: guid(), price }],
    creditConfiguration: { amount },
  };
}

/** What a call was refused with; fails if it was done. */
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  return assert.fail("the call was not refused");
}

/** The fields of a validation error, as the SDK names them, with the rules that they break. */
export function violations(error) {
  const { fieldViolations } = error.details.validationError;
  return Object.fromEntries(fieldViolations.map((each) => [each.field, each.violatedRule]));
}

/** A new program of one pool, with its pool definition and its pool. */
export async function provisioned(client, { amount = "100", ...options } = {}) {
  const poolDefinition = await client.poolDefinitions.createPoolDefinition({
    namespace,
    details: details({ amount }),
  });
  const { jobId, program } = await client.programs.provisionProgram(
    { poolDefinitionId: poolDefinition._id },
    { beneficiary: { memberId: guid() }, namespace, externalProgramId: guid(), ...options },
  );
  const { items } = await client.pools.queryPools().eq("programId", program._id).find();
  assert.equal(items.length, 1);
  return { jobId, poolDefinition, program, pool: items[0] };
}
