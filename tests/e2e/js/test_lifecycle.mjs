// Pause, resume, end, renew, and every cascade of a change to a definition, through the SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, refusal, violations } from "./client.mjs";
import { available, definePool, defineProgram, join, openWallet, poolsOf } from "./wallet.mjs";

const client = connect();
const { balances, poolDefinitions, pools, programDefinitions, programs } = client;
const key = () => ({ idempotencyKey: guid() });

const ACTIONS = {
  pause: (program, options = key()) => programs.pauseProgram(program._id, options),
  resume: (program, options = key()) => programs.resumeProgram(program._id, options),
  renew: (program, options = key()) => programs.renewProgram(program._id, options),
  end: (program) => programs.endProgram(program._id),
};

const statusOf = async ({ _id }) => (await programs.getProgram(_id)).status;
const statusesOf = async (program) =>
  (await poolsOf(client, program)).map((pool) => pool.status);
const reread = (pool) => pools.getPool(pool._id);

async function jobOf(jobId) {
  const url = `https://www.wixapis.com/async-jobs/v1/async-jobs/${jobId}`;
  return (await (await client.fetchWithAuth(url, { method: "GET" })).json()).job;
}

async function refused(call) {
  const { status, details } = await refusal(call);
  const { code, data } = details.applicationError;
  return { status, code, data };
}

test("a program goes through its life, with its pools", async () => {
  const { program } = await openWallet(client);
  const statuses = { pause: "PAUSED", resume: "ACTIVE", renew: "ACTIVE", end: "ENDED" };
  for (const [action, status] of Object.entries(statuses)) {
    const { jobId } = await ACTIONS[action](program);
    const job = await jobOf(jobId);
    assert.equal(job.status, "FINISHED");
    assert.equal(job.counts.successCount, 1);
    assert.equal(await statusOf(program), status);
    assert.deepEqual(await statusesOf(program), [status]);
  }
});

test("what a status does not allow is refused with both statuses", async () => {
  const allowed = {
    ACTIVE: ["pause", "end", "renew"],
    PAUSED: ["resume", "end", "renew"],
    ENDED: [],
  };
  for (const [currentStatus, done] of Object.entries(allowed)) {
    const { program } = await openWallet(client);
    if (currentStatus === "PAUSED") await ACTIONS.pause(program);
    if (currentStatus === "ENDED") await ACTIONS.end(program);
    for (const action of Object.keys(ACTIONS).filter((each) => !done.includes(each))) {
      const { status, code, data } = await refused(ACTIONS[action](program));
      assert.equal(status, 428);
      assert.equal(code, "PROGRAM_STATUS_TRANSITION_NOT_ALLOWED");
      assert.equal(data.currentStatus, currentStatus);
      assert.ok(data.requestedStatus);
    }
  }
});

test("a key pauses and resumes once, and renews once with the same answer", async () => {
  const { program } = await openWallet(client);
  for (const action of ["pause", "resume"]) {
    const options = key();
    const { jobId } = await ACTIONS[action](program, options);
    const { status, code, data } = await refused(ACTIONS[action](program, options));
    assert.deepEqual([status, code], [409, "ALREADY_EXECUTED"]);
    assert.equal(data.jobId, jobId);
  }
  const options = key();
  const first = await ACTIONS.renew(program, options);
  assert.deepEqual(await ACTIONS.renew(program, options), first);
  const [{ renewalCount }] = await poolsOf(client, program);
  assert.equal(renewalCount, 1);
});

test("an unknown program is not found, and a missing key is named", async () => {
  for (const [action, act] of Object.entries(ACTIONS)) {
    const { status, code } = await refused(act({ _id: guid() }));
    assert.deepEqual([status, code], [404, "PROGRAM_NOT_FOUND"]);
    if (action === "end") continue;
    const error = await refusal(act({ _id: guid() }, {}));
    assert.deepEqual(violations(error), { "options.idempotencyKey": "REQUIRED_FIELD" });
  }
});

test("a renewal rolls over what the cap allows", async () => {
  const programDefinition = await defineProgram(client);
  const rolloverConfiguration = { enabled: true, balanceCap: "5" };
  await poolDefinitions.createPoolDefinition(
    {
      namespace,
      programDefinitionIds: [programDefinition._id],
      details: { benefits: [], creditConfiguration: { amount: "10", rolloverConfiguration } },
    },
    { cascade: "FUTURE_PROVISIONS" },
  );
  const { program, pool } = await join(client, programDefinition);
  await ACTIONS.renew(program);
  assert.equal(await available(client, pool), "15");
  const { items } = await client.transactions.queryTransactions().eq("pool.id", pool._id).find();
  const reasons = items.map((each) => [each.details.reason, each.amount]);
  assert.deepEqual(new Set(reasons.map(([reason]) => reason)), new Set([
    "Provisioning",
    "Expiry",
    "Renewal",
  ]));
  const balance = await balances.getBalance(pool._id);
  assert.deepEqual(balance.poolInfo.creditRolloverConfiguration, rolloverConfiguration);
});

// What a change to a definition does to the pool of a program: at once, and after a renewal.
const CASCADES = {
  IMMEDIATELY: { now: true, renewed: true },
  NEXT_RENEWAL: { now: false, renewed: true },
  FUTURE_PROVISIONS: { now: false, renewed: false },
};

for (const [cascade, expected] of Object.entries(CASCADES)) {
  test(`an updated definition reaches its pools: ${cascade}`, async () => {
    const { poolDefinition, pool, program } = await openWallet(client);
    const { details } = structuredClone(poolDefinition);
    details.benefits[0].price = "3";
    const change = { ...structuredClone(poolDefinition), details, displayName: "New" };
    await poolDefinitions.updatePoolDefinition(poolDefinition._id, change, { cascade });
    const isNew = async () => {
      const now = await reread(pool);
      const isUpdated = now.displayName === "New";
      assert.equal(now.details.benefits[0].price, isUpdated ? "3" : "10");
      assert.equal(now.poolDefinitionRevision, isUpdated ? "2" : "1");
      return isUpdated;
    };
    assert.equal(await isNew(), expected.now);
    await ACTIONS.renew(program);
    assert.equal(await isNew(), expected.renewed);
  });

  test(`an update in bulk reaches pools: ${cascade}`, async () => {
    const { poolDefinition, pool, program } = await openWallet(client);
    const { _id, revision } = poolDefinition;
    const answer = await poolDefinitions.bulkUpdatePoolDefinitions({
      poolDefinitions: [
        { poolDefinition: { _id, revision, displayName: "New" }, fieldMask: ["displayName"] },
      ],
      cascade,
    });
    assert.equal(answer.bulkActionMetadata.totalSuccesses, 1);
    const isNew = async () => (await reread(pool)).displayName === "New";
    assert.equal(await isNew(), expected.now);
    await ACTIONS.renew(program);
    assert.equal(await isNew(), expected.renewed);
  });

  test(`an added definition gives programs a pool: ${cascade}`, async () => {
    const { programDefinition, program } = await openWallet(client);
    const lone = await poolDefinitions.createPoolDefinition({
      namespace,
      details: { benefits: [], creditConfiguration: { amount: "7" } },
    });
    const options = { programDefinitionId: programDefinition._id, cascade };
    await poolDefinitions.addPoolDefinitionToProgramDefinition(lone._id, options);
    await requireAdded(program, lone, expected);
  });

  test(`a definition made in a program definition gives programs a pool: ${cascade}`, async () => {
    const { programDefinition, program } = await openWallet(client);
    const added = await poolDefinitions.createPoolDefinition(
      {
        namespace,
        programDefinitionIds: [programDefinition._id],
        details: { benefits: [], creditConfiguration: { amount: "7" } },
      },
      { cascade },
    );
    await requireAdded(program, added, expected);
  });

  test(`definitions made in bulk give programs pools: ${cascade}`, async () => {
    const { programDefinition, program } = await openWallet(client);
    const definition = {
      namespace,
      programDefinitionIds: [programDefinition._id],
      details: { benefits: [], creditConfiguration: { amount: "7" } },
    };
    const options = { cascade, returnEntity: true };
    const answer = await poolDefinitions.bulkCreatePoolDefinitions([definition], options);
    await requireAdded(program, answer.results[0].item, expected);
  });

  test(`a removed definition ends its pools: ${cascade}`, async () => {
    const { programDefinition, poolDefinition, program } = await openWallet(client);
    const options = { programDefinitionId: programDefinition._id, cascade };
    await poolDefinitions.removePoolDefinitionFromProgramDefinition(poolDefinition._id, options);
    await requireEnded(program, expected);
  });

  test(`a deleted definition ends its pools: ${cascade}`, async () => {
    const [one, other] = [await openWallet(client), await openWallet(client)];
    await poolDefinitions.deletePoolDefinition(one.poolDefinition._id, cascade);
    const ids = [other.poolDefinition._id];
    await poolDefinitions.bulkDeletePoolDefinitions(ids, { cascade });
    await requireEnded(one.program, expected);
    await requireEnded(other.program, expected);
  });

  test(`a deleted program definition ends its programs: ${cascade}`, async () => {
    const { programDefinition, program } = await openWallet(client);
    const { _id } = programDefinition;
    await programDefinitions.deleteProgramDefinition(_id, { cascadeType: cascade });
    assert.equal(await statusOf(program), expected.now ? "ENDED" : "ACTIVE");
    await requireEnded(program, expected);
    assert.equal(await statusOf(program), expected.renewed ? "ENDED" : "ACTIVE");
  });
}

/** Fail unless the program gets a pool of the definition when it should. */
async function requireAdded(program, definition, { now, renewed }) {
  const added = async () => {
    const query = pools.queryPools().eq("poolDefinitionId", definition._id);
    const { items } = await query.eq("programId", program._id).find();
    return items;
  };
  assert.equal((await added()).length, now ? 1 : 0);
  await ACTIONS.renew(program);
  const found = await added();
  assert.equal(found.length, renewed ? 1 : 0);
  for (const pool of found) {
    assert.equal(pool.status, "ACTIVE");
    assert.equal(await available(client, pool), "7");
  }
}

/** Fail unless the program's only pool ends when it should. */
async function requireEnded(program, { now, renewed }) {
  assert.deepEqual(await statusesOf(program), [now ? "ENDED" : "ACTIVE"]);
  if (!now) await ACTIONS.renew(program);
  assert.deepEqual(await statusesOf(program), [renewed ? "ENDED" : "ACTIVE"]);
}

test("a program definition is deleted without a cascade, and its programs live on", async () => {
  const { programDefinition, poolDefinition, program } = await openWallet(client);
  await programDefinitions.deleteProgramDefinition(programDefinition._id);
  assert.equal(await statusOf(program), "ACTIVE");
  const left = await poolDefinitions.getPoolDefinition(poolDefinition._id);
  assert.deepEqual(left.programDefinitionIds ?? [], []);
});

test("a change without its cascade names the caller's own argument", async () => {
  const programDefinition = await defineProgram(client);
  const { _id } = await definePool(client, programDefinition);
  const place = { programDefinitionId: programDefinition._id };
  const calls = {
    "options.cascade": [
      () => poolDefinitions.updatePoolDefinition(_id, { revision: "1" }),
      () => poolDefinitions.bulkDeletePoolDefinitions([_id]),
      () => poolDefinitions.addPoolDefinitionToProgramDefinition(_id, place),
      () => poolDefinitions.removePoolDefinitionFromProgramDefinition(_id, place),
    ],
    cascade: [() => poolDefinitions.deletePoolDefinition(_id)],
  };
  for (const [field, refusing] of Object.entries(calls)) {
    for (const call of refusing) {
      const error = await refusal(call());
      assert.deepEqual(Object.keys(violations(error)), [field], String(call));
      const [{ ruleName }] = error.details.validationError.fieldViolations;
      assert.equal(ruleName, "cascade_is_required");
    }
  }
  for (const cascade of ["UNKNOWN_CASCADE", "SOMETIMES"]) {
    const error = await refusal(poolDefinitions.deletePoolDefinition(_id, cascade));
    assert.deepEqual(Object.keys(violations(error)), ["cascade"]);
  }
});
