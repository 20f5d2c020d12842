// A year at the gym: a token per visit, merchandise for tokens, a few of them rolled over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, guid, refusal } from "./client.mjs";

const namespace = "gym";
const PRICES = { gym10: "10", gym20: "20", gym30: "30" };
const MERCHANDISE = { gym10: ["mug", "towel"], gym20: ["shirt"], gym30: ["hoodie"] };
const shop = guid();

test("a year at the gym", async () => {
  const { balances, items, poolDefinitions, pools, programDefinitions, programs, transactions } =
    connect();

  const membership = await programDefinitions.createProgramDefinition({
    namespace,
    externalId: guid(),
    displayName: "Membership",
  });

  const tokens = await poolDefinitions.createPoolDefinition(
    {
      namespace,
      displayName: "Tokens",
      programDefinitionIds: [membership._id],
      details: {
        benefits: Object.entries(PRICES).map(([benefitKey, price]) => ({
          benefitKey,
          price,
          providerAppId: shop,
        })),
        creditConfiguration: {
          amount: "0",
          rolloverConfiguration: { enabled: true, balanceCap: "5" },
        },
      },
    },
    { cascade: "FUTURE_PROVISIONS" },
  );

  const stocked = await items.bulkCreateItems(
    tokens.details.benefits.flatMap(({ benefitKey, itemSetId }) =>
      MERCHANDISE[benefitKey].map((externalId) => ({
        externalId,
        category: "merch",
        itemSetId,
        namespace,
        providerAppId: shop,
      })),
    ),
  );
  assert.equal(stocked.bulkActionMetadata.totalSuccesses, 4);

  const beneficiary = { memberId: guid() };
  const { program } = await programs.provisionProgram(
    { programDefinitionId: membership._id },
    { beneficiary, namespace, displayName: "Ada's year", externalProgramId: guid() },
  );
  assert.equal(program.status, "ACTIVE");
  const [pool] = (await pools.queryPools().eq("program.id", program._id).find()).items;
  const left = async () => (await balances.getBalance(pool._id)).amount.available;
  assert.equal(await left(), "0");

  const visit = () =>
    balances.changeBalance(pool._id, guid(), {
      type: "ADJUST",
      adjustOptions: { value: "1" },
      transactionDetails: { reason: "Visit" },
    });
  for (let visits = 0; visits < 18; visits += 1) await visit();
  assert.equal(await left(), "18");

  const mug = { externalId: "mug", category: "merch", providerAppId: shop };
  const { eligibleBenefits } = await pools.getEligibleBenefits(mug, { namespace, beneficiary });
  const offered = eligibleBenefits.map((each) => [each.benefitKey, each.price]);
  assert.deepEqual(offered, [["gym10", "10"]]);
  const [{ poolId, benefitKey }] = eligibleBenefits;
  const buy = (itemReference, key) =>
    pools.redeemBenefit(poolId, {
      itemReference,
      benefitKey: key,
      count: 1,
      beneficiary,
      namespace,
      idempotencyKey: guid(),
    });
  const { transactionId } = await buy(mug, benefitKey);
  assert.equal((await transactions.getTransaction(transactionId)).amount, "10");
  assert.equal(await left(), "8");
  const hoodie = { ...mug, externalId: "hoodie" };
  const tooDear = await refusal(buy(hoodie, "gym30"));
  assert.equal(tooDear.details.applicationError.code, "NOT_ENOUGH_BALANCE");
  const nothing = await pools.getEligibleBenefits(hoodie, { namespace, beneficiary });
  assert.deepEqual(nothing.eligibleBenefits, []);

  for (let month = 1; month < 12; month += 1) {
    await programs.renewProgram(program._id, { idempotencyKey: `month ${month}` });
    assert.equal(await left(), "5");
    await visit();
  }
  assert.equal((await pools.getPool(pool._id)).renewalCount, 11);

  await programs.endProgram(program._id);
  assert.equal((await programs.getProgram(program._id)).status, "ENDED");
  assert.equal((await pools.getPool(pool._id)).status, "ENDED");
  const closed = await refusal(buy(mug, benefitKey));
  assert.equal(closed.details.applicationError.code, "POOL_NOT_ACTIVE");
});
