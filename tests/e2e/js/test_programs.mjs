// Provisioning, reading and changing programs through the official SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, details, guid, namespace, provisioned, refusal, violations } from "./client.mjs";

const client = connect();
const { programs, poolDefinitions, programDefinitions } = client;

test("a program is provisioned from a program definition", async () => {
  const definition = await programDefinitions.createProgramDefinition({
    namespace,
    externalId: guid(),
  });
  await poolDefinitions.createPoolDefinition(
    { namespace, details: details(), programDefinitionIds: [definition._id] },
    { cascade: "IMMEDIATELY" },
  );
  const memberId = guid();
  const externalProgramId = guid();
  const { jobId, program } = await programs.provisionProgram(
    { programDefinitionId: definition._id },
    {
      beneficiary: { memberId },
      namespace,
      externalProgramId,
      displayName: "Mine",
      programStatus: "PAUSED",
    },
  );
  assert.match(jobId, /^[0-9a-f-]{36}$/);
  assert.equal(program.status, "PAUSED");
  assert.equal(program.displayName, "Mine");
  assert.equal(program.externalId, externalProgramId);
  assert.equal(program.beneficiary.memberId, memberId);
  assert.equal(program.programDefinition._id, definition._id);
  assert.ok(program._createdDate instanceof Date);
  assert.deepEqual(await programs.getProgram(program._id), program);
  const found = await programs.getProgramByExternalIdAndNamespace(namespace, {
    externalId: externalProgramId,
  });
  assert.deepEqual(found.program, program);
});

test("a second program of an external id is refused with its code", async () => {
  const { poolDefinition, program } = await provisioned(client);
  const error = await refusal(
    programs.provisionProgram(
      { poolDefinitionId: poolDefinition._id },
      { beneficiary: { memberId: guid() }, namespace, externalProgramId: program.externalId },
    ),
  );
  assert.equal(error.status, 409);
  const { code, data } = error.details.applicationError;
  assert.equal(code, "PROGRAM_ALREADY_EXISTS");
  assert.deepEqual(data, {
    externalProgramId: program.externalId,
    namespace,
    programId: program._id,
  });
});

test("violations name the caller's own arguments", async () => {
  const error = await refusal(
    programs.provisionProgram(
      { poolDefinitionId: "nonsense" },
      { beneficiary: {}, namespace, externalProgramId: "" },
    ),
  );
  assert.deepEqual(violations(error), {
    "poolDefinitionLookupId.poolDefinitionId": "FORMAT",
    "options.beneficiary": "ONE_OF_ALIGNMENT",
    "options.externalProgramId": "MIN_LENGTH",
  });
});

test("a program that was read can be changed and written back", async () => {
  const { program } = await provisioned(client, { displayName: "Old" });
  const extendedFields = { namespaces: { "@gym/app": { n: 1 } } };
  const updated = await programs.updateProgram(program._id, {
    ...program,
    displayName: "New",
    extendedFields,
  });
  assert.deepEqual(updated, {
    ...program,
    displayName: "New",
    extendedFields,
    revision: "2",
    _updatedDate: updated._updatedDate,
  });
  const error = await refusal(programs.updateProgram(program._id, program));
  assert.equal(error.details.applicationError.code, "INVALID_REVISION");
});

test("programs are queried by what they are", async () => {
  const { program } = await provisioned(client);
  const query = () => programs.queryPrograms();
  for (const found of [
    query().eq("_id", program._id),
    query().eq("externalId", program.externalId).eq("namespace", namespace),
    query().in("status", ["ACTIVE"]).eq("_id", program._id),
    query().eq("programDefinitionId", null).eq("_id", program._id),
    query().eq("_createdDate", program._createdDate).eq("_id", program._id),
  ]) {
    assert.deepEqual((await found.find()).items, [program]);
  }
  const answer = await programs.queryPrograms({ filter: { _id: program._id } });
  assert.deepEqual(answer.programs, [program]);
});

test("a job can be read through the client", async () => {
  const { jobId, pool } = await provisioned(client);
  const path = `/async-jobs/v1/async-jobs/${jobId}`;
  const url = `https://www.wixapis.com${path}`;
  const { job } = await (await client.fetchWithAuth(url, { method: "GET" })).json();
  assert.equal(job.status, "FINISHED");
  assert.equal(job.counts.total, 1);
  const items = await (await client.fetchWithAuth(`${url}/items`, { method: "GET" })).json();
  assert.deepEqual(items.jobItems.map((each) => each.id), [pool._id]);
});
