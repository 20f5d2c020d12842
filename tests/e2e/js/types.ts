// Every method that the package's typings offer, called with its own types and asked for what it
// answers. Compiled strictly and never run: what calls do is seen by the scripts beside this.
import {
  balances,
  items,
  poolDefinitionItems,
  poolDefinitions,
  poolItems,
  pools,
  programDefinitions,
  programs,
  transactions,
} from "@wix/benefit-programs";
import { createClient, type AuthenticationStrategy } from "@wix/sdk";

const modules = {
  balances,
  items,
  poolDefinitionItems,
  poolDefinitions,
  poolItems,
  pools,
  programDefinitions,
  programs,
  transactions,
};

/** A client of a service at an origin, for those who have a key of it. */
function connect(origin: string, key: string) {
  const auth: AuthenticationStrategy = {
    getAuthHeaders: async () => ({ headers: { Authorization: key } }),
  };
  const fetchFromService: typeof fetch = (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    return fetch(new URL(pathname + search, origin), init);
  };
  return createClient({ modules, auth, fetch: fetchFromService });
}

type Client = ReturnType<typeof connect>;

const namespace = "gym";
const cascade: poolDefinitions.CascadeWithLiterals = "IMMEDIATELY";

/** What the service always answers with, though its type may say that it can be missing. */
function given<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("the answer is incomplete");
  return value;
}

const idOf = (entity: { _id?: string | null }): string => given(entity._id);
const revisionOf = (entity: { revision?: string | null }): string => given(entity.revision);

async function defineProgram(client: Client): Promise<string> {
  const created: programDefinitions.ProgramDefinition =
    await client.programDefinitions.createProgramDefinition({ namespace, externalId: "gold" });
  const id = idOf(created);
  const updated = await client.programDefinitions.updateProgramDefinition(id, {
    ...created,
    revision: revisionOf(created),
    displayName: "Gold",
  });
  const read = await client.programDefinitions.getProgramDefinition(id);
  const { programDefinition } =
    await client.programDefinitions.getProgramDefinitionByExternalIdAndNamespace(namespace, {
      externalId: "gold",
    });
  const found = await client.programDefinitions
    .queryProgramDefinitions()
    .startsWith("externalId", "go")
    .ge("_createdDate", read._createdDate)
    .descending("_createdDate")
    .limit(10)
    .find();
  const typed = await client.programDefinitions.queryProgramDefinitions({
    filter: { $or: [{ externalId: "gold" }, { namespace: { $in: ["a", "b"] } }] },
    sort: [{ fieldName: "externalId", order: "ASC" }],
    cursorPaging: { limit: 5 },
  });
  const names: (string | null | undefined)[] = [
    updated.displayName,
    programDefinition?.displayName,
    ...found.items.map((each) => each.displayName),
    ...given(typed.programDefinitions).map((each) => each.displayName),
  ];
  if (found.hasNext()) names.push((await found.next()).items[0]?.displayName);
  return id;
}

async function definePool(client: Client, programDefinitionId: string) {
  const details: poolDefinitions.Details = {
    benefits: [{ benefitKey: "towel", price: "2.5", providerAppId: "app" }],
    creditConfiguration: {
      amount: "5",
      rolloverConfiguration: { enabled: true, balanceCap: "5" },
    },
    additionalData: { shelf: 3 },
  };
  const created = await client.poolDefinitions.createPoolDefinition(
    {
      namespace,
      displayName: "Tokens",
      details: { ...details, benefits: [{ benefitKey: "towel", providerAppId: "app" }] },
      programDefinitionIds: [programDefinitionId],
    },
    { cascade },
  );
  const id = idOf(created);
  const bulk = await client.poolDefinitions.bulkCreatePoolDefinitions(
    [{ namespace, details: { benefits: [{ benefitKey: "towel", providerAppId: "app" }] } }],
    { cascade, returnEntity: true },
  );
  const updated = await client.poolDefinitions.updatePoolDefinition(
    id,
    { ...created, revision: revisionOf(created), displayName: "More tokens" },
    { cascade },
  );
  const masked = await client.poolDefinitions.bulkUpdatePoolDefinitions({
    poolDefinitions: [
      {
        poolDefinition: { _id: id, revision: revisionOf(updated), displayName: "Tokens" },
        fieldMask: ["displayName"],
      },
    ],
    cascade,
    returnEntity: true,
  });
  const place = { programDefinitionId, cascade } as const;
  await client.poolDefinitions.removePoolDefinitionFromProgramDefinition(id, place);
  const { poolDefinition } = await client.poolDefinitions.addPoolDefinitionToProgramDefinition(
    id,
    place,
  );
  const { poolDefinitions: ofProgram } =
    await client.poolDefinitions.findPoolDefinitionsByProgramDefinition(programDefinitionId, {
      namespace,
    });
  const found = await client.poolDefinitions
    .queryPoolDefinitions()
    .hasSome("programDefinitionIds", [programDefinitionId])
    .eq("details.benefits.providerAppId", "app")
    .find();
  const successes: number = given(bulk.bulkActionMetadata?.totalSuccesses);
  const code: string | undefined = masked.results?.[0]?.itemMetadata?.error?.code;
  const read = await client.poolDefinitions.getPoolDefinition(id);
  const [benefit] = read.details?.benefits ?? [];
  return { id, benefit, seen: [successes, code, poolDefinition, ofProgram?.length, found.length] };
}

async function stock(client: Client, benefit: poolDefinitions.Benefit | undefined) {
  const place = {
    namespace,
    itemSetId: benefit?.itemSetId ?? "",
    providerAppId: benefit?.providerAppId ?? "",
  };
  const mug: items.Item = await client.items.createItem({ ...place, externalId: "mug" });
  const updated = await client.items.updateItem(idOf(mug), {
    ...mug,
    revision: revisionOf(mug),
    displayName: "Mug",
  });
  const bulk = await client.items.bulkCreateItems([{ ...place, externalId: "cup" }], {
    returnEntity: true,
  });
  const cup = bulk.results?.[0]?.item;
  await client.items.bulkUpdateItems({
    items: [
      {
        item: { _id: idOf(updated), revision: revisionOf(updated), displayName: "A mug" },
        fieldMask: ["displayName"],
      },
    ],
  });
  const read = await client.items.getItem(idOf(mug));
  const listed = await client.items.listItems({
    filter: { type: "BY_REFERENCE", namespace },
    cursorPaging: { limit: 10 },
  });
  const { Filter, QueryBuilder, Sort } = items.utils.query;
  const query = QueryBuilder()
    .withFilter(Filter.and(Filter("externalId").startsWith("m"), Filter("category").isEmpty()))
    .withSorting(Sort("externalId").desc())
    .build();
  const built = await client.items.queryItems(query);
  const found = await client.items.queryItems().in("externalId", ["mug", "cup"]).find();
  const { count } = await client.items.countItems({ filter: { namespace } });
  const total: number[] = [given(count), given(listed.items).length, given(built.items).length];
  total.push(found.length);
  await client.items.deleteItem(idOf(read));
  await client.items.bulkDeleteItems(cup ? [idOf(cup)] : []);
  const { jobId } = await client.items.bulkDeleteItemsByFilter(namespace, {
    filter: { externalId: { $in: ["a"] } },
  });
  return { total, jobId: given(jobId) satisfies string };
}

async function fill(client: Client, poolDefinitionId: string) {
  const options = { poolDefinitionId, benefitKey: "towel" };
  const references = [{ externalId: "mug", category: "merch" }];
  const { addItemsToBenefit, queryPoolDefinitionItems, removeItemsFromBenefit } =
    client.poolDefinitionItems;
  const added = await addItemsToBenefit(references, options);
  const removed = await removeItemsFromBenefit(references, options);
  const found = await queryPoolDefinitionItems({ fields: ["BENEFIT", "POOL_DEFINITION"] })
    .eq("programDefinitions.id", "id")
    .find();
  const price: string | null | undefined = found.items[0]?.benefitInfo?.price;
  const failures: number = given(added.bulkActionMetadata?.totalFailures);
  return [price, failures, removed.results?.length];
}

async function join(client: Client, programDefinitionId: string): Promise<programs.Program> {
  const beneficiary: programs.CommonIdentificationData = { memberId: "member" };
  const { jobId, program } = await client.programs.provisionProgram(
    { programDefinitionId },
    { beneficiary, namespace, externalProgramId: "myProgram17", programStatus: "ACTIVE" },
  );
  const provisioning: string = given(jobId);
  const id = idOf(given(program));
  const read = await client.programs.getProgram(id);
  await client.programs.updateProgram(id, {
    ...read,
    revision: revisionOf(read),
    displayName: "Mine",
  });
  const found = await client.programs
    .queryPrograms()
    .in("status", ["ACTIVE", "PAUSED"])
    .eq("programDefinition.id", programDefinitionId)
    .find();
  const named = await client.programs.getProgramByExternalIdAndNamespace(namespace, {
    externalId: "myProgram17",
  });
  const statuses: (programs.ProgramStatusWithLiterals | undefined)[] = [
    found.items[0]?.status,
    named.program?.status,
  ];
  const idempotencyKey = "key";
  const jobs: string[] = [
    provisioning,
    given((await client.programs.pauseProgram(id, { idempotencyKey })).jobId),
    given((await client.programs.resumeProgram(id, { idempotencyKey })).jobId),
    given((await client.programs.renewProgram(id, { idempotencyKey })).jobId),
    given((await client.programs.endProgram(id)).jobId),
  ];
  if (jobs.length < statuses.length) throw new Error("each action has a job");
  return read;
}

async function redeem(client: Client, program: programs.Program) {
  const found = await client.pools
    .queryPools()
    .eq("program.id", idOf(program))
    .exists("beneficiary", true)
    .find();
  const [first] = found.items;
  const pool = await client.pools.getPool(idOf(first ?? {}));
  const id = idOf(pool);
  const updated = await client.pools.updatePool(id, {
    ...pool,
    revision: revisionOf(pool),
    displayName: "Tokens",
  });
  await client.pools.bulkUpdatePools({
    pools: [
      {
        pool: { _id: id, revision: revisionOf(updated), displayName: "Mine" },
        fieldMask: ["displayName"],
      },
    ],
    returnEntity: true,
  });
  const itemReference: pools.ItemReference = { externalId: "mug", providerAppId: "app" };
  const reference = { externalId: "mug", providerAppId: "app" };
  const beneficiary = program.beneficiary ?? {};
  const asked = { itemReference: reference, namespace, count: 1, targetDate: new Date() };
  const { eligibleBenefits } = await client.pools.getEligibleBenefits(reference, {
    namespace,
    beneficiary,
  });
  const { result } = await client.pools.checkBenefitEligibility(id, asked);
  const { results } = await client.pools.bulkCheckBenefitEligibility({
    benefitSelectors: [{ poolId: id, itemReference }],
    namespace,
  });
  const byFilter = await client.pools.checkBenefitEligibilityByFilter(namespace, {
    itemReference: reference,
    count: 1,
    beneficiary,
    poolSelector: { poolStatuses: ["ACTIVE"] },
  });
  const { transactionId } = await client.pools.redeemBenefit(id, {
    ...asked,
    benefitKey: eligibleBenefits?.[0]?.benefitKey ?? "towel",
    beneficiary,
    idempotencyKey: "key",
  });
  const kinds: (pools.BenefitResultTypeWithLiterals | undefined)[] = [
    result?.benefitResults?.[0]?.type,
    results?.[0]?.result?.benefitResults?.[0]?.type,
    byFilter.results?.[0]?.benefitResults?.[0]?.type,
  ];
  return { id, transactionId: given(transactionId) satisfies string, kinds };
}

async function look(client: Client, poolId: string, transactionId: string) {
  const balance = await client.balances.getBalance(poolId);
  const { balances: listed } = await client.balances.listBalances({ poolIds: [poolId] });
  const found = await client.balances.queryBalances().eq("beneficiary.memberId", "member").find();
  const adjusted = await client.balances.changeBalance(poolId, "adjust", {
    type: "ADJUST",
    adjustOptions: { value: "1" },
    transactionDetails: { reason: "Visit", effectiveDate: new Date() },
  });
  await client.balances.changeBalance(poolId, "set", { setOptions: { value: "7" } });
  const reverted = await client.balances.revertBalanceChange(
    adjusted.transactionId ?? "",
    "revert",
    { instructingParty: { wixUserId: "user" } },
  );
  const transaction: transactions.Transaction =
    await client.transactions.getTransaction(transactionId);
  const ofPool = await client.transactions.queryTransactions().eq("pool.id", poolId).find();
  const typed = await client.transactions.queryTransactions({
    filter: { "pool._id": poolId, status: "COMPLETED" },
  });
  const ofItems = await client.poolItems
    .queryPoolItems({ fields: ["POOL", "BALANCE"] })
    .eq("beneficiary.memberId", "member")
    .find();
  const amounts: (string | null | undefined)[] = [
    balance.amount?.available,
    listed?.[0]?.amount?.reserved,
    found.items[0]?.amount?.available,
    transaction.amount,
    ofItems.items[0]?.balance?.available,
  ];
  return { amounts, reverted, dates: ofPool.items.map((each) => each._createdDate), typed };
}

async function tidyUp(client: Client, poolDefinitionId: string, programDefinitionId: string) {
  await client.poolDefinitions.deletePoolDefinition(poolDefinitionId, cascade);
  const ids = [poolDefinitionId];
  const answer = await client.poolDefinitions.bulkDeletePoolDefinitions(ids, { cascade });
  await client.programDefinitions.deleteProgramDefinition(programDefinitionId, {
    cascadeType: cascade,
  });
  return given(answer.bulkActionMetadata?.undetailedFailures) satisfies number;
}

/** Call everything there is. */
export async function callAll(origin: string, key: string): Promise<void> {
  const client = connect(origin, key);
  const programDefinitionId = await defineProgram(client);
  const definition = await definePool(client, programDefinitionId);
  await stock(client, definition.benefit);
  await fill(client, definition.id);
  const program = await join(client, programDefinitionId);
  const { id, transactionId } = await redeem(client, program);
  await look(client, id, transactionId);
  await tidyUp(client, definition.id, programDefinitionId);
}
