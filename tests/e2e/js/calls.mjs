// A call of each method of the official SDK: it makes the request that the world of
// tests/conformance has of the method. The reference shows these calls, with names in place of ids.
export const calls = {
  createProgramDefinition: (client) =>
    client.programDefinitions.createProgramDefinition({
      namespace: "gym",
      externalId: "silver",
    }),
  updateProgramDefinition: (client, it) =>
    client.programDefinitions.updateProgramDefinition(it.programDefinition, {
      revision: "1",
      displayName: "New",
    }),
  deleteProgramDefinition: (client, it) =>
    client.programDefinitions.deleteProgramDefinition(it.programDefinition),
  getProgramDefinition: (client, it) =>
    client.programDefinitions.getProgramDefinition(it.programDefinition),
  getProgramDefinitionByExternalIdAndNamespace: (client, it) =>
    client.programDefinitions.getProgramDefinitionByExternalIdAndNamespace("gym", {
      externalId: it.programDefinitionExternal,
    }),
  queryProgramDefinitions: (client, it) =>
    client.programDefinitions.queryProgramDefinitions()
      .eq("_id", it.programDefinition)
      .find(),
  createPoolDefinition: (client, it) =>
    client.poolDefinitions.createPoolDefinition(
      {
        namespace: "gym",
        details: {
          benefits: [{ benefitKey: "towel", price: "10", providerAppId: it.app }],
          creditConfiguration: { amount: "100" },
        },
        programDefinitionIds: [it.programDefinition],
      },
      { cascade: "IMMEDIATELY" },
    ),
  bulkCreatePoolDefinitions: (client, it) =>
    client.poolDefinitions.bulkCreatePoolDefinitions(
      [
        {
          namespace: "gym",
          details: {
            benefits: [{ benefitKey: "towel", price: "10", providerAppId: it.app }],
            creditConfiguration: { amount: "100" },
          },
          programDefinitionIds: [it.programDefinition],
        },
      ],
      { cascade: "IMMEDIATELY" },
    ),
  updatePoolDefinition: (client, it) =>
    client.poolDefinitions.updatePoolDefinition(
      it.poolDefinition,
      { revision: "1", displayName: "New" },
      { cascade: "IMMEDIATELY" },
    ),
  bulkUpdatePoolDefinitions: (client, it) =>
    client.poolDefinitions.bulkUpdatePoolDefinitions({
      poolDefinitions: [
        {
          poolDefinition: { _id: it.poolDefinition, revision: "1", displayName: "New" },
        },
      ],
      cascade: "IMMEDIATELY",
      returnEntity: true,
    }),
  deletePoolDefinition: (client, it) =>
    client.poolDefinitions.deletePoolDefinition(
      it.poolDefinition,
      "IMMEDIATELY",
    ),
  bulkDeletePoolDefinitions: (client, it) =>
    client.poolDefinitions.bulkDeletePoolDefinitions([it.poolDefinition], {
      cascade: "IMMEDIATELY",
    }),
  getPoolDefinition: (client, it) =>
    client.poolDefinitions.getPoolDefinition(it.poolDefinition),
  queryPoolDefinitions: (client, it) =>
    client.poolDefinitions.queryPoolDefinitions()
      .hasSome("programDefinitionIds", [it.programDefinition])
      .find(),
  addPoolDefinitionToProgramDefinition: (client, it) =>
    client.poolDefinitions.addPoolDefinitionToProgramDefinition(it.otherPoolDefinition, {
      programDefinitionId: it.programDefinition,
      cascade: "FUTURE_PROVISIONS",
    }),
  removePoolDefinitionFromProgramDefinition: (client, it) =>
    client.poolDefinitions.removePoolDefinitionFromProgramDefinition(it.otherPoolDefinition, {
      programDefinitionId: it.programDefinition,
      cascade: "FUTURE_PROVISIONS",
    }),
  findPoolDefinitionsByProgramDefinition: (client, it) =>
    client.poolDefinitions.findPoolDefinitionsByProgramDefinition(it.programDefinition, {
      namespace: "gym",
    }),
  provisionProgram: (client, it) =>
    client.programs.provisionProgram(
      { programDefinitionId: it.programDefinition },
      {
        beneficiary: { memberId: it.member },
        namespace: "gym",
        externalProgramId: "order-1844",
      },
    ),
  renewProgram: (client, it) =>
    client.programs.renewProgram(it.program, {
      idempotencyKey: crypto.randomUUID(),
    }),
  pauseProgram: (client, it) =>
    client.programs.pauseProgram(it.program, {
      idempotencyKey: crypto.randomUUID(),
    }),
  resumeProgram: (client, it) =>
    client.programs.resumeProgram(it.program, {
      idempotencyKey: crypto.randomUUID(),
    }),
  endProgram: (client, it) => client.programs.endProgram(it.program),
  updateProgram: (client, it) =>
    client.programs.updateProgram(it.program, {
      revision: "1",
      displayName: "New",
    }),
  getProgram: (client, it) => client.programs.getProgram(it.program),
  queryPrograms: (client, it) =>
    client.programs.queryPrograms()
      .eq("externalId", it.programExternal)
      .find(),
  getProgramByExternalIdAndNamespace: (client, it) =>
    client.programs.getProgramByExternalIdAndNamespace("gym", {
      externalId: it.programExternal,
    }),
  getPool: (client, it) => client.pools.getPool(it.pool),
  updatePool: (client, it) =>
    client.pools.updatePool(it.pool, {
      revision: "1",
      displayName: "New",
    }),
  queryPools: (client, it) =>
    client.pools.queryPools()
      .eq("programId", it.program)
      .find(),
  bulkUpdatePools: (client, it) =>
    client.pools.bulkUpdatePools({
      pools: [{ pool: { _id: it.pool, revision: "1", displayName: "New" } }],
    }),
  redeemBenefit: (client, it) =>
    client.pools.redeemBenefit(it.pool, {
      benefitKey: "towel",
      itemReference: { externalId: it.itemExternal, providerAppId: it.app },
      namespace: "gym",
      count: 1,
      beneficiary: { memberId: it.member },
      idempotencyKey: crypto.randomUUID(),
    }),
  reallocateBenefit: (client, it) =>
    client.pools.reallocateBenefit(it.redemption, {
      targetDate: new Date("2027-01-01T00:00:00Z"),
      beneficiary: { memberId: it.member },
      namespace: "gym",
      idempotencyKey: crypto.randomUUID(),
    }),
  cancelRedemption: (client, it) =>
    client.pools.cancelRedemption(it.redemption, {
      idempotencyKey: crypto.randomUUID(),
    }),
  checkBenefitEligibility: (client, it) =>
    client.pools.checkBenefitEligibility(it.pool, {
      benefitKey: "towel",
      itemReference: { externalId: it.itemExternal, providerAppId: it.app },
      namespace: "gym",
      count: 1,
      beneficiary: { memberId: it.member },
    }),
  bulkCheckBenefitEligibility: (client, it) =>
    client.pools.bulkCheckBenefitEligibility({
      benefitSelectors: [
        {
          poolId: it.pool,
          itemReference: { externalId: it.itemExternal, providerAppId: it.app },
          count: 1,
        },
      ],
      namespace: "gym",
    }),
  checkBenefitEligibilityByFilter: (client, it) =>
    client.pools.checkBenefitEligibilityByFilter("gym", {
      itemReference: { externalId: it.itemExternal, providerAppId: it.app },
      count: 1,
      beneficiary: { memberId: it.member },
    }),
  getEligibleBenefits: (client, it) =>
    client.pools.getEligibleBenefits(
      { externalId: it.itemExternal, providerAppId: it.app },
      { namespace: "gym", count: 1, beneficiary: { memberId: it.member } },
    ),
  createItem: (client, it) =>
    client.items.createItem({
      externalId: it.itemExternal,
      itemSetId: it.itemSet,
      providerAppId: it.app,
      namespace: "gym",
    }),
  bulkCreateItems: (client, it) =>
    client.items.bulkCreateItems(
      [
        {
          externalId: it.itemExternal,
          itemSetId: it.itemSet,
          providerAppId: it.app,
          namespace: "gym",
        },
      ],
      { returnEntity: true },
    ),
  deleteItem: (client, it) => client.items.deleteItem(it.item),
  bulkDeleteItems: (client, it) => client.items.bulkDeleteItems([it.item]),
  bulkDeleteItemsByFilter: (client, it) =>
    client.items.bulkDeleteItemsByFilter("gym", {
      filter: { itemSetId: it.itemSet },
    }),
  updateItem: (client, it) =>
    client.items.updateItem(it.item, {
      revision: "1",
      displayName: "New",
    }),
  bulkUpdateItems: (client, it) =>
    client.items.bulkUpdateItems({
      items: [{ item: { _id: it.item, revision: "1", displayName: "New" } }],
    }),
  getItem: (client, it) => client.items.getItem(it.item),
  listItems: (client) => client.items.listItems({ filter: { namespace: "gym" } }),
  queryItems: (client, it) =>
    client.items.queryItems()
      .eq("itemSetId", it.itemSet)
      .find(),
  countItems: (client, it) => client.items.countItems({ filter: { itemSetId: it.itemSet } }),
  queryPoolDefinitionItems: (client, it) =>
    client.poolDefinitionItems.queryPoolDefinitionItems()
      .eq("poolDefinitionId", it.poolDefinition)
      .find(),
  addItemsToBenefit: (client, it) =>
    client.poolDefinitionItems.addItemsToBenefit([{ externalId: it.itemExternal }], {
      poolDefinitionId: it.poolDefinition,
      benefitKey: "towel",
    }),
  removeItemsFromBenefit: (client, it) =>
    client.poolDefinitionItems.removeItemsFromBenefit([{ externalId: it.itemExternal }], {
      poolDefinitionId: it.poolDefinition,
      benefitKey: "towel",
    }),
  queryPoolItems: (client, it) =>
    client.poolItems.queryPoolItems()
      .eq("poolId", it.pool)
      .find(),
  getBalance: (client, it) => client.balances.getBalance(it.pool),
  listBalances: (client, it) => client.balances.listBalances({ poolIds: [it.pool] }),
  queryBalances: (client, it) =>
    client.balances.queryBalances()
      .eq("beneficiary.memberId", it.member)
      .find(),
  changeBalance: (client, it) =>
    client.balances.changeBalance(it.pool, crypto.randomUUID(), {
      type: "ADJUST",
      adjustOptions: { value: "5" },
    }),
  revertBalanceChange: (client, it) =>
    client.balances.revertBalanceChange(it.change, crypto.randomUUID()),
  getTransaction: (client, it) => client.transactions.getTransaction(it.change),
  queryTransactions: (client, it) =>
    client.transactions.queryTransactions()
      .eq("pool._id", it.pool)
      .find(),
};
