// Redeem, reallocate, cancel, change and revert, and what can be redeemed, through the SDK.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, namespace, refusal, violations } from "./client.mjs";
import { available, openWallet } from "./wallet.mjs";

const client = connect();
const { balances, pools, transactions } = client;
const key = () => ({ idempotencyKey: guid() });

const TOMORROW = new Date("2030-05-02T10:00:00.000Z");
const EARLY = {
  type: "POLICY",
  policyOptions: {
    type: "FIXED_INTERVAL",
    fixedIntervalOptions: { fromHour: 6, toHour: 9, fromMinute: 0, toMinute: 0 },
  },
};

/** Redeem from a wallet; the id of the transaction. */
async function redeem(wallet, more) {
  const { transactionId } = await pools.redeemBenefit(wallet.pool._id, wallet.redemption(more));
  return transactionId;
}

/** The status, the code and the data of what a call was refused with. */
async function refused(call) {
  const { status, details } = await refusal(call);
  assert.ok(details.requestId);
  return [status, details.applicationError.code, details.applicationError.data];
}

/** The status and the code alone. */
const codeOf = async (call) => (await refused(call)).slice(0, 2);

const adjust = (wallet, value, more = {}) =>
  balances.changeBalance(wallet.pool._id, guid(), {
    type: "ADJUST",
    adjustOptions: { value, ...more },
  });

const set = (wallet, value) =>
  balances.changeBalance(wallet.pool._id, guid(), { type: "SET", setOptions: { value } });

test("a redemption is a transaction, and the balance's last one", async () => {
  const wallet = await openWallet(client, { benefits: [{ benefitKey: "towel", price: "2.5" }] });
  const request = wallet.redemption({ count: 3, targetDate: TOMORROW, additionalData: { till: 1 } });
  const { transactionId } = await pools.redeemBenefit(wallet.pool._id, request);
  const balance = await balances.getBalance(wallet.pool._id);
  assert.deepEqual(balance.amount, { available: "92.5", reserved: "0" });
  assert.equal(balance.lastTransactionId, transactionId);
  const transaction = await transactions.getTransaction(transactionId);
  assert.equal(transaction.amount, "7.5");
  assert.equal(transaction.source, "AVAILABLE");
  assert.equal(transaction.target, "EXTERNAL");
  assert.equal(transaction.status, "COMPLETED");
  assert.equal(transaction.idempotencyKey, request.idempotencyKey);
  assert.equal(transaction.beneficiary.memberId, wallet.memberId);
  assert.equal(transaction.pool._id, wallet.pool._id);
  assert.deepEqual(transaction.details.effectiveDate, TOMORROW);
  assert.equal(transaction.details.itemCount, 3);
  assert.equal(transaction.details.benefitKey, "towel");
  assert.equal(transaction.details.item.externalId, "item of towel");
  assert.match(transaction.details.item._id, /^[0-9a-f-]{36}$/);
  const { _id } = transaction.details.item;
  const found = await transactions.queryTransactions().eq("details.item.id", _id).find();
  assert.deepEqual(found.items, [transaction]);
});

test("a replay is told the first transaction, and spends nothing", async () => {
  const wallet = await openWallet(client);
  const request = wallet.redemption();
  const { transactionId } = await pools.redeemBenefit(wallet.pool._id, request);
  const [status, code, data] = await refused(pools.redeemBenefit(wallet.pool._id, request));
  assert.deepEqual([status, code], [409, "BENEFIT_ALREADY_REDEEMED"]);
  assert.equal(data.transactionId, transactionId);
  assert.equal(data.poolId, wallet.pool._id);
  assert.equal(data.idempotencyKey, request.idempotencyKey);
  assert.equal(await available(client, wallet.pool), "90");
});

test("each refusal of a redemption has its code and its data", async () => {
  const strict = { benefitKey: "early", price: "1", policyExpression: EARLY };
  const wallet = await openWallet(client, {
    amount: "15",
    benefits: [{ benefitKey: "towel", price: "10" }, strict],
  });
  const { _id: poolId } = wallet.pool;
  const itemReference = wallet.reference();
  const attempt = (more, id = poolId) => refused(pools.redeemBenefit(id, wallet.redemption(more)));
  const [poorStatus, poorCode, poor] = await attempt({ count: 2 });
  assert.deepEqual([poorStatus, poorCode], [428, "NOT_ENOUGH_BALANCE"]);
  assert.equal(poor.availableBalance, "15");
  assert.equal(poor.requestedBalance, "20");
  assert.equal(poor.itemReference.externalId, itemReference.externalId);
  assert.equal(poor.poolInfo.poolDefinitionId, wallet.poolDefinition._id);
  const stranger = guid();
  assert.deepEqual(await attempt({}, stranger), [404, "POOL_NOT_FOUND", { poolId: stranger }]);
  const other = { itemReference: { ...itemReference, externalId: "other" } };
  const [, missing, data] = await attempt(other);
  assert.equal(missing, "BENEFIT_NOT_FOUND");
  assert.equal(data.benefitKey, "towel");
  const late = { benefitKey: "early", targetDate: new Date("2030-05-01T12:00:00Z") };
  const [lateStatus, lateCode, { failureDetails }] = await attempt(late);
  assert.deepEqual([lateStatus, lateCode], [428, "POLICY_EXPRESSION_EVALUATED_TO_FALSE"]);
  assert.equal(failureDetails.length, 1);
  await client.programs.pauseProgram(wallet.program._id, key());
  const [, closed, { poolStatus }] = await attempt({});
  assert.deepEqual([closed, poolStatus], ["POOL_NOT_ACTIVE", "PAUSED"]);
  assert.equal(await available(client, wallet.pool), "15");
});

test("violations of a redemption name the caller's own arguments", async () => {
  const error = await refusal(
    pools.redeemBenefit("nonsense", { itemReference: { externalId: "a" }, count: 0 }),
  );
  assert.deepEqual(violations(error), {
    poolId: "FORMAT",
    "options.benefitKey": "REQUIRED_FIELD",
    "options.count": "MIN",
    "options.idempotencyKey": "REQUIRED_FIELD",
    "options.itemReference.providerAppId": "REQUIRED_FIELD",
    "options.namespace": "REQUIRED_FIELD",
  });
});

test("a redemption is moved and then cancelled, each once", async () => {
  const wallet = await openWallet(client);
  const { beneficiary } = wallet.redemption();
  const redemption = await redeem(wallet);
  const move = { targetDate: TOMORROW, beneficiary, namespace, ...key() };
  const { transactionId: moved } = await pools.reallocateBenefit(redemption, move);
  const transaction = await transactions.getTransaction(moved);
  assert.equal(transaction.amount, "0");
  assert.equal(transaction.correlationId, redemption);
  assert.deepEqual(transaction.details.effectiveDate, TOMORROW);
  const replay = await refused(pools.reallocateBenefit(redemption, move));
  assert.deepEqual(replay.slice(0, 2), [409, "ALREADY_EXECUTED"]);
  assert.equal(replay[2].transactionId, moved);
  const [status, code, data] = await refused(pools.cancelRedemption(redemption, key()));
  assert.deepEqual([status, code], [428, "NOT_LATEST_TRANSACTION"]);
  assert.equal(data.latestTransactionId, moved);
  const cancel = key();
  const { transactionId: canceled } = await pools.cancelRedemption(moved, cancel);
  assert.equal(await available(client, wallet.pool), "100");
  const repeated = await refused(pools.cancelRedemption(moved, cancel));
  assert.equal(repeated[1], "ALREADY_EXECUTED");
  const again = await refused(pools.cancelRedemption(moved, key()));
  assert.equal(again[1], "REDEMPTION_ALREADY_CANCELED");
  assert.equal(again[2].cancellationTransactionId, canceled);
  const late = await codeOf(pools.reallocateBenefit(moved, { ...move, ...key() }));
  assert.deepEqual(late, [428, "REDEMPTION_ALREADY_CANCELED"]);
  const chain = await transactions.queryTransactions().eq("correlationId", redemption).find();
  const ids = chain.items.map((each) => each._id);
  assert.deepEqual(new Set(ids), new Set([redemption, moved, canceled]));
});

test("what is no redemption is neither moved nor cancelled", async () => {
  const wallet = await openWallet(client);
  const { transactionId } = await adjust(wallet, "1");
  const { beneficiary } = wallet.redemption();
  const move = () => ({ targetDate: TOMORROW, beneficiary, namespace, ...key() });
  assert.deepEqual(await codeOf(pools.reallocateBenefit(transactionId, move())), [
    428,
    "TRANSACTION_NOT_REALLOCATABLE",
  ]);
  assert.deepEqual(await codeOf(pools.cancelRedemption(transactionId, key())), [
    428,
    "TRANSACTION_NOT_CANCELABLE",
  ]);
  const unknown = guid();
  for (const call of [
    () => pools.reallocateBenefit(unknown, move()),
    () => pools.cancelRedemption(unknown, key()),
    () => balances.revertBalanceChange(unknown, guid()),
    () => transactions.getTransaction(unknown),
  ]) {
    assert.deepEqual(await codeOf(call()), [404, "TRANSACTION_NOT_FOUND"]);
  }
});

test("a balance is adjusted and set", async () => {
  const wallet = await openWallet(client);
  const up = await adjust(wallet, "0.5");
  assert.equal(up.balance._id, wallet.pool._id);
  assert.equal(up.balance.amount.available, "100.5");
  assert.equal(up.balance.lastTransactionId, up.transactionId);
  assert.equal((await transactions.getTransaction(up.transactionId)).target, "AVAILABLE");
  const down = await adjust(wallet, "-40.5");
  assert.equal(down.balance.amount.available, "60");
  assert.equal((await transactions.getTransaction(down.transactionId)).source, "AVAILABLE");
  const fixed = await set(wallet, "12.3456");
  assert.equal(fixed.balance.amount.available, "12.3456");
  const same = await set(wallet, "12.3456");
  assert.equal(same.transactionId, undefined);
  assert.equal(same.balance.revision, fixed.balance.revision);
});

test("a change says who made it and what for", async () => {
  const wallet = await openWallet(client);
  const instructingParty = { wixUserId: guid() };
  const effectiveDate = new Date("2026-02-03T04:05:06.789Z");
  const { transactionId } = await balances.changeBalance(wallet.pool._id, guid(), {
    adjustOptions: { value: "3" },
    instructingParty,
    transactionDetails: { reason: "Visit", effectiveDate, itemCount: 2, benefitKey: "towel" },
  });
  const transaction = await transactions.getTransaction(transactionId);
  assert.equal(transaction.instructingParty.wixUserId, instructingParty.wixUserId);
  assert.equal(transaction.details.reason, "Visit");
  assert.deepEqual(transaction.details.effectiveDate, effectiveDate);
});

test("each refusal of a change has its code and its data", async () => {
  const wallet = await openWallet(client);
  const [status, code, data] = await refused(adjust(wallet, "-100.0001"));
  assert.deepEqual([status, code], [428, "BALANCE_EXCEEDED_LIMITS"]);
  assert.equal(data.lowerLimit, "0");
  assert.deepEqual(data.balance, { available: "100", reserved: "0" });
  const above = await refused(adjust(wallet, "1", { upperLimit: "100", limitRule: "FAIL" }));
  assert.equal(above[2].upperLimit, "100");
  const capped = await adjust(wallet, "7", { upperLimit: "105", limitRule: "SOFT_ENFORCE" });
  assert.equal(capped.balance.amount.available, "105");
  const idempotencyKey = guid();
  const change = { type: "ADJUST", adjustOptions: { value: "1" } };
  const first = await balances.changeBalance(wallet.pool._id, idempotencyKey, change);
  const replay = await refused(balances.changeBalance(wallet.pool._id, idempotencyKey, change));
  assert.deepEqual(replay.slice(0, 2), [409, "ALREADY_EXECUTED"]);
  assert.equal(replay[2].transactionId, first.transactionId);
  assert.deepEqual(await codeOf(balances.changeBalance(guid(), guid(), change)), [
    404,
    "BALANCE_NOT_FOUND",
  ]);
});

test("violations of a change name the caller's own arguments", async () => {
  const wallet = await openWallet(client);
  const wrong = [
    [{ type: "SET", setOptions: { value: "-1" } }, { "options.setOptions.value": "DECIMAL_GTE" }],
    [
      { type: "ADJUST", adjustOptions: { value: "0.00001" } },
      { "options.adjustOptions.value": "DECIMAL_MAX_SCALE" },
    ],
  ];
  for (const [options, expected] of wrong) {
    const error = await refusal(balances.changeBalance(wallet.pool._id, guid(), options));
    assert.equal(error.status, 400);
    assert.deepEqual(violations(error), expected);
  }
  const empty = await refusal(balances.changeBalance(wallet.pool._id, "", {}));
  assert.equal(violations(empty).idempotencyKey, "MIN_LENGTH");
});

test("a change is taken back once", async () => {
  const wallet = await openWallet(client);
  const { transactionId } = await adjust(wallet, "5");
  const back = await balances.revertBalanceChange(transactionId, guid());
  const transaction = await transactions.getTransaction(back.transactionId);
  assert.equal(transaction.amount, "5");
  assert.equal(transaction.source, "AVAILABLE");
  assert.equal(transaction.relatedTransactionId, transactionId);
  assert.equal(await available(client, wallet.pool), "100");
  const [status, code, data] = await refused(balances.revertBalanceChange(transactionId, guid()));
  assert.deepEqual([status, code], [428, "CHANGE_ALREADY_REVERTED"]);
  assert.equal(data.originalTransactionId, transactionId);
  assert.equal(data.revertedTransactionId, back.transactionId);
  const { transactionId: given } = await adjust(wallet, "5");
  await set(wallet, "0");
  assert.deepEqual(await codeOf(balances.revertBalanceChange(given, guid())), [
    428,
    "NOT_ENOUGH_BALANCE",
  ]);
});

test("a redemption is given back by one of revert and cancel", async () => {
  const wallet = await openWallet(client);
  const first = await redeem(wallet);
  const options = { instructingParty: { memberId: wallet.memberId } };
  const { transactionId } = await balances.revertBalanceChange(first, guid(), options);
  const [, code, data] = await refused(pools.cancelRedemption(first, key()));
  assert.equal(code, "REDEMPTION_ALREADY_CANCELED");
  assert.equal(data.cancellationTransactionId, transactionId);
  const second = await redeem(wallet);
  await pools.cancelRedemption(second, key());
  const reverted = await codeOf(balances.revertBalanceChange(second, guid()));
  assert.equal(reverted[1], "CHANGE_ALREADY_REVERTED");
  assert.equal(await available(client, wallet.pool), "100");
});

test("eligibility of one pool tells why or why not", async () => {
  const wallet = await openWallet(client, { amount: "15" });
  const ask = async (more) => {
    const request = { itemReference: wallet.reference(), namespace, count: 1, ...more };
    const { result } = await pools.checkBenefitEligibility(wallet.pool._id, request);
    return result.benefitResults;
  };
  const [eligible] = await ask({ benefitKey: "towel", targetDate: TOMORROW });
  assert.equal(eligible.type, "ELIGIBLE_BENEFIT");
  assert.equal(eligible.eligibleBenefitOptions.price, "10");
  assert.equal(eligible.eligibleBenefitOptions.programInfo._id, wallet.program._id);
  const [poor] = await ask({ count: 2 });
  assert.equal(poor.notEnoughBalanceOptions.requestedBalance, "20");
  const [unknown] = await ask({ benefitKey: "sauna" });
  assert.equal(unknown.benefitNotFoundOptions.benefitKey, "sauna");
  const [moved] = await ask({ count: 2, intent: "REALLOCATION" });
  assert.equal(moved.type, "ELIGIBLE_BENEFIT");
  await client.programs.pauseProgram(wallet.program._id, key());
  const [paused] = await ask();
  assert.equal(paused.poolNotActiveOptions.poolStatus, "PAUSED");
});

test("eligibility of several pools comes in the order of the questions", async () => {
  const [one, other] = [await openWallet(client), await openWallet(client, { amount: "1" })];
  const selectorOf = (wallet) => ({
    poolId: wallet.pool._id,
    itemReference: wallet.reference(),
    count: 1,
    targetDate: TOMORROW,
  });
  const stranger = { ...selectorOf(one), poolId: guid() };
  const benefitSelectors = [selectorOf(other), selectorOf(one), stranger];
  const { results } = await pools.bulkCheckBenefitEligibility({ benefitSelectors, namespace });
  assert.deepEqual(results.map((each) => each.result.benefitResults[0].type), [
    "NOT_ENOUGH_BALANCE",
    "ELIGIBLE_BENEFIT",
    "POOL_NOT_FOUND",
  ]);
  assert.deepEqual(results[0].benefitSelector, selectorOf(other));
});

test("eligible benefits and the check by filter look at all pools of a member", async () => {
  const wallet = await openWallet(client);
  const { _id: programDefinitionId } = wallet.programDefinition;
  const beneficiary = { memberId: wallet.memberId };
  const { program } = await client.programs.provisionProgram(
    { programDefinitionId },
    { beneficiary, namespace, externalProgramId: guid() },
  );
  const eligible = () =>
    pools.getEligibleBenefits(wallet.reference(), { namespace, beneficiary, targetDate: TOMORROW });
  const judged = async (poolSelector) => {
    const request = { itemReference: wallet.reference(), beneficiary, count: 1, poolSelector };
    const { results } = await pools.checkBenefitEligibilityByFilter(namespace, request);
    return results.map(({ benefitResults: [{ type }] }) => type);
  };
  const { eligibleBenefits } = await eligible();
  assert.deepEqual(eligibleBenefits.map((each) => each.poolId)[0], wallet.pool._id);
  assert.deepEqual(eligibleBenefits.map((each) => each.price), ["10", "10"]);
  assert.deepEqual(await judged(), ["ELIGIBLE_BENEFIT", "ELIGIBLE_BENEFIT"]);
  await client.programs.endProgram(program._id);
  assert.deepEqual(await judged(), ["ELIGIBLE_BENEFIT", "POOL_NOT_ACTIVE"]);
  assert.deepEqual(await judged({ poolStatuses: ["ENDED"] }), ["POOL_NOT_ACTIVE"]);
  assert.equal((await eligible()).eligibleBenefits.length, 1);
});

test("an app that no benefit has is an invalid reference", async () => {
  const wallet = await openWallet(client);
  const stranger = { externalId: "a", providerAppId: guid() };
  const beneficiary = { memberId: wallet.memberId };
  const asked = { itemReference: stranger, count: 1, beneficiary };
  for (const call of [
    () => pools.getEligibleBenefits(stranger, { namespace, beneficiary }),
    () => pools.checkBenefitEligibilityByFilter(namespace, asked),
  ]) {
    assert.deepEqual(await codeOf(call()), [400, "INVALID_ITEM_REFERENCE"]);
  }
  const unknown = { ...wallet.reference(), externalId: "unknown" };
  const { eligibleBenefits } = await pools.getEligibleBenefits(unknown, { namespace, beneficiary });
  assert.deepEqual(eligibleBenefits, []);
});

test("a pool that was read can be changed and written back", async () => {
  const wallet = await openWallet(client);
  // The SDK renames the keys of what it is given in place, so it gets a copy.
  const { details, ...pool } = structuredClone(wallet.pool);
  const extendedFields = { namespaces: { "@gym/app": { n: 1 } } };
  const [benefit] = details.benefits;
  const changed = { ...details, benefits: [{ ...benefit, price: "4" }] };
  const updated = await pools.updatePool(wallet.pool._id, {
    ...pool,
    details: changed,
    displayName: "Mine",
    extendedFields,
  });
  const { _updatedDate } = updated;
  assert.deepEqual(updated, {
    ...wallet.pool,
    details: changed,
    displayName: "Mine",
    extendedFields,
    revision: "2",
    _updatedDate,
  });
  await redeem(wallet);
  assert.equal(await available(client, wallet.pool), "96");
  const stale = await refused(pools.updatePool(wallet.pool._id, wallet.pool));
  assert.deepEqual(stale.slice(0, 2), [409, "INVALID_REVISION"]);
  assert.equal(stale[2].revisionViolation.entityId, wallet.pool._id);
});

test("violations of a pool name the caller's own arguments", async () => {
  const wallet = await openWallet(client);
  const [benefit] = wallet.pool.details.benefits;
  const details = { ...wallet.pool.details, benefits: [{ ...benefit, price: "-1" }] };
  const wrong = { revision: "1", details, displayName: "d".repeat(65) };
  const error = await refusal(pools.updatePool(wallet.pool._id, wrong));
  assert.deepEqual(violations(error), {
    "pool.details.benefits[0].price": "DECIMAL_GTE",
    "pool.displayName": "MAX_LENGTH",
  });
});

test("pools are changed in bulk, each by its own mask", async () => {
  const [one, other] = [await openWallet(client), await openWallet(client)];
  const answer = await pools.bulkUpdatePools({
    pools: [
      { pool: { ...one.pool, displayName: "One", details: {} }, fieldMask: ["displayName"] },
      { pool: { ...other.pool, revision: "9" }, fieldMask: ["displayName"] },
      { pool: { _id: guid(), revision: "1" }, fieldMask: ["displayName"] },
    ],
    returnEntity: true,
  });
  const [first, second, third] = answer.results;
  assert.equal(first.item.displayName, "One");
  assert.deepEqual(first.item.details, one.pool.details);
  assert.ok(first.item._createdDate instanceof Date);
  assert.equal(second.itemMetadata.error.code, "INVALID_REVISION");
  assert.equal(third.itemMetadata.error.code, "POOL_NOT_FOUND");
  assert.equal(answer.bulkActionMetadata.totalSuccesses, 1);
});
