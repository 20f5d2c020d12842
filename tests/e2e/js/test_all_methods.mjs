// Each of the 59 methods once, under the verb and the path of the contract's table of methods.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as modules from "@wix/benefit-programs";
import { connect, details, guid, namespace, sent } from "./client.mjs";

const METHODS_URL = new URL("../../conformance/data/methods.json", import.meta.url);
const METHODS = JSON.parse(readFileSync(METHODS_URL));
const JOBS = "async-jobs";

const client = connect();
const { balances, items, poolDefinitionItems, poolDefinitions } = client;
const { poolItems, pools, programDefinitions, programs, transactions } = client;
const cascade = "IMMEDIATELY";
const memberId = guid();
const beneficiary = { memberId };
const externalId = guid();
const key = () => ({ idempotencyKey: guid() });

/** What the calls before have made. */
const made = {};

const definitionOf = (_id) => poolDefinitions.getPoolDefinition(_id);
const reference = () => ({ externalId: "towel", providerAppId: made.benefit.providerAppId });
const newItem = (externalId) => ({
  externalId,
  namespace,
  itemSetId: made.benefit.itemSetId,
  providerAppId: made.benefit.providerAppId,
});
const asked = () => ({ itemReference: reference(), namespace, beneficiary, count: 1 });
const job = (suffix) =>
  client.fetchWithAuth(`https://www.wixapis.com/async-jobs/v1/async-jobs/${made.jobId}${suffix}`, {
    method: "GET",
  });

/** A call of each method, in an order in which each finds what it needs. */
const calls = {
  async createProgramDefinition() {
    const definition = { namespace, externalId };
    made.place = await programDefinitions.createProgramDefinition(definition);
  },
  async updateProgramDefinition() {
    const changed = { ...made.place, displayName: "Gold" };
    made.place = await programDefinitions.updateProgramDefinition(made.place._id, changed);
  },
  getProgramDefinition: () => programDefinitions.getProgramDefinition(made.place._id),
  getProgramDefinitionByExternalIdAndNamespace: () =>
    programDefinitions.getProgramDefinitionByExternalIdAndNamespace(namespace, { externalId }),
  queryProgramDefinitions: () => programDefinitions.queryProgramDefinitions().find(),
  async createPoolDefinition() {
    const definition = { namespace, details: details() };
    made.definition = await poolDefinitions.createPoolDefinition(definition);
    [made.benefit] = made.definition.details.benefits;
  },
  async addPoolDefinitionToProgramDefinition() {
    const options = { programDefinitionId: made.place._id, cascade };
    await poolDefinitions.addPoolDefinitionToProgramDefinition(made.definition._id, options);
  },
  findPoolDefinitionsByProgramDefinition: () =>
    poolDefinitions.findPoolDefinitionsByProgramDefinition(made.place._id, { namespace }),
  getPoolDefinition: () => definitionOf(made.definition._id),
  queryPoolDefinitions: () => poolDefinitions.queryPoolDefinitions().find(),
  async bulkCreatePoolDefinitions() {
    const definition = { namespace, details: details() };
    const answer = await poolDefinitions.bulkCreatePoolDefinitions([definition, definition], {
      returnEntity: true,
    });
    made.others = answer.results.map((each) => each.item);
  },
  async bulkUpdatePoolDefinitions() {
    const changes = made.others.map((each) => ({
      poolDefinition: { ...each, displayName: "Other" },
      fieldMask: ["displayName"],
    }));
    await poolDefinitions.bulkUpdatePoolDefinitions({ poolDefinitions: changes, cascade });
  },
  async createItem() {
    made.item = await items.createItem(newItem("towel"));
  },
  async bulkCreateItems() {
    const answer = await items.bulkCreateItems([newItem("a"), newItem("b"), newItem("c")], {
      returnEntity: true,
    });
    made.items = answer.results.map((each) => each.item);
  },
  async updateItem() {
    made.item = await items.updateItem(made.item._id, { ...made.item, displayName: "Towel" });
  },
  async bulkUpdateItems() {
    const changes = made.items.map((item) => ({
      item: { ...item, displayName: "New" },
      fieldMask: ["displayName"],
    }));
    await items.bulkUpdateItems({ items: changes });
  },
  getItem: () => items.getItem(made.item._id),
  listItems: () => items.listItems({ cursorPaging: { limit: 10 } }),
  queryItems: () => items.queryItems().find(),
  countItems: () => items.countItems(),
  deleteItem: () => items.deleteItem(made.items[0]._id),
  bulkDeleteItems: () => items.bulkDeleteItems([made.items[1]._id]),
  bulkDeleteItemsByFilter: () =>
    items.bulkDeleteItemsByFilter(namespace, { filter: { externalId: "c" } }),
  addItemsToBenefit: () => poolDefinitionItems.addItemsToBenefit([{ externalId: "d" }], inTowel()),
  removeItemsFromBenefit: () =>
    poolDefinitionItems.removeItemsFromBenefit([{ externalId: "d" }], inTowel()),
  queryPoolDefinitionItems: () => poolDefinitionItems.queryPoolDefinitionItems().find(),
  async provisionProgram() {
    const options = { beneficiary, namespace, externalProgramId: externalId };
    const reference = { programDefinitionId: made.place._id };
    const { jobId, program } = await programs.provisionProgram(reference, options);
    Object.assign(made, { jobId, program });
  },
  getAsyncJob: () => job(""),
  listAsyncJobItems: () => job("/items"),
  getProgram: () => programs.getProgram(made.program._id),
  getProgramByExternalIdAndNamespace: () =>
    programs.getProgramByExternalIdAndNamespace(namespace, { externalId }),
  queryPrograms: () => programs.queryPrograms().find(),
  updateProgram: () =>
    programs.updateProgram(made.program._id, { ...made.program, displayName: "Mine" }),
  async queryPools() {
    const found = await pools.queryPools().eq("programId", made.program._id).find();
    [made.pool] = found.items;
  },
  async getPool() {
    made.pool = await pools.getPool(made.pool._id);
  },
  async updatePool() {
    made.pool = await pools.updatePool(made.pool._id, { ...made.pool, displayName: "Tokens" });
  },
  async bulkUpdatePools() {
    const pool = { ...made.pool, displayName: "More tokens" };
    await pools.bulkUpdatePools({ pools: [{ pool, fieldMask: ["displayName"] }] });
  },
  queryPoolItems: () => poolItems.queryPoolItems().find(),
  checkBenefitEligibility: () => pools.checkBenefitEligibility(made.pool._id, asked()),
  bulkCheckBenefitEligibility: () =>
    pools.bulkCheckBenefitEligibility({
      benefitSelectors: [{ poolId: made.pool._id, itemReference: reference() }],
      namespace,
    }),
  checkBenefitEligibilityByFilter: () => pools.checkBenefitEligibilityByFilter(namespace, asked()),
  getEligibleBenefits: () => pools.getEligibleBenefits(reference(), { namespace, beneficiary }),
  async redeemBenefit() {
    const options = { ...asked(), ...key(), benefitKey: "towel" };
    made.redemption = await pools.redeemBenefit(made.pool._id, options);
  },
  async reallocateBenefit() {
    const options = { targetDate: new Date(), beneficiary, namespace, ...key() };
    const { transactionId } = made.redemption;
    made.redemption = await pools.reallocateBenefit(transactionId, options);
  },
  cancelRedemption: () => pools.cancelRedemption(made.redemption.transactionId, key()),
  getBalance: () => balances.getBalance(made.pool._id),
  listBalances: () => balances.listBalances({ poolIds: [made.pool._id] }),
  queryBalances: () => balances.queryBalances().find(),
  async changeBalance() {
    const options = { type: "ADJUST", adjustOptions: { value: "1" } };
    made.change = await balances.changeBalance(made.pool._id, guid(), options);
  },
  revertBalanceChange: () => balances.revertBalanceChange(made.change.transactionId, guid()),
  getTransaction: () => transactions.getTransaction(made.change.transactionId),
  queryTransactions: () => transactions.queryTransactions().find(),
  pauseProgram: () => programs.pauseProgram(made.program._id, key()),
  resumeProgram: () => programs.resumeProgram(made.program._id, key()),
  renewProgram: () => programs.renewProgram(made.program._id, key()),
  endProgram: () => programs.endProgram(made.program._id),
  async updatePoolDefinition() {
    const { _id } = made.definition;
    const changed = { ...(await definitionOf(_id)), displayName: "Tokens" };
    await poolDefinitions.updatePoolDefinition(_id, changed, { cascade });
  },
  removePoolDefinitionFromProgramDefinition: () =>
    poolDefinitions.removePoolDefinitionFromProgramDefinition(made.definition._id, {
      programDefinitionId: made.place._id,
      cascade,
    }),
  deletePoolDefinition: () => poolDefinitions.deletePoolDefinition(made.definition._id, cascade),
  bulkDeletePoolDefinitions: () =>
    poolDefinitions.bulkDeletePoolDefinitions(made.others.map((each) => each._id), { cascade }),
  deleteProgramDefinition: () =>
    programDefinitions.deleteProgramDefinition(made.place._id, { cascadeType: cascade }),
};

function inTowel() {
  return { poolDefinitionId: made.definition._id, benefitKey: "towel" };
}

/** What the paths of a method look like, with or without the prefix that some of them get. */
function pathPattern(path) {
  const escaped = path.replaceAll(/\{[^}]+\}/g, "[0-9a-f-]{36}");
  return new RegExp(`^(/_api)?${escaped}([?]|$)`);
}

test("nothing of the package is left out", () => {
  const functions = Object.values(modules).flatMap((module) =>
    Object.keys(module).filter((name) => typeof module[name] === "function"),
  );
  const ofPrograms = Object.keys(METHODS).filter((name) => METHODS[name].module !== JOBS);
  assert.equal(ofPrograms.length, 59);
  assert.deepEqual(functions.toSorted(), ofPrograms.toSorted());
  assert.deepEqual(Object.keys(calls).toSorted(), Object.keys(METHODS).toSorted());
});

for (const [name, call] of Object.entries(calls)) {
  test(name, async () => {
    const before = sent.length;
    const answer = await call();
    if (answer instanceof Response) assert.ok(answer.ok);
    if (answer?.bulkActionMetadata) assert.equal(answer.bulkActionMetadata.totalFailures, 0);
    const { verb, path } = METHODS[name];
    const requests = sent.slice(before).filter((each) => each.verb === verb);
    assert.ok(requests.some((each) => pathPattern(path).test(each.path)));
  });
}
