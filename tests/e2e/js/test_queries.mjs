// Every operator, field and order that the typings of the query builders offer, judged against
// what the same rows say here; then pages, and queries that are put together by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import * as modules from "@wix/benefit-programs";
import { connect, guid, namespace, refusal, sent, violations } from "./client.mjs";
import { definePool, defineProgram, openWallet } from "./wallet.mjs";

const client = connect();

const FIELDS_OF_POOL_ITEMS = ["POOL", "PROGRAM", "PROGRAM_DEFINITION"];

/** Each builder, by the package and the interface that describe it. */
const BUILDERS = {
  ProgramDefinitions: () => client.programDefinitions.queryProgramDefinitions(),
  PoolDefinitions: () => client.poolDefinitions.queryPoolDefinitions(),
  Programs: () => client.programs.queryPrograms(),
  Pools: () => client.pools.queryPools(),
  Items: () => client.items.queryItems(),
  PoolItems: () => client.poolItems.queryPoolItems({ fields: FIELDS_OF_POOL_ITEMS }),
  PoolDefinitionItems: () =>
    client.poolDefinitionItems.queryPoolDefinitionItems({ fields: ["PROGRAM_DEFINITION"] }),
  Balances: () => client.balances.queryBalances(),
  Transactions: () => client.transactions.queryTransactions(),
};

/** The fields that the typings offer for each operator and order of a builder. */
function offersOf(name) {
  const folder = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
  const path = `@wix/auto_sdk_benefit-programs_${folder}/build/es/index.typings.d.mts`;
  const typings = readFileSync(new URL(`node_modules/${path}`, import.meta.url), "utf8");
  const [, body] = typings.split(`interface ${name}QueryBuilder {`);
  const offers = {};
  for (const [, operator, fields] of body
    .slice(0, body.indexOf("\n}"))
    .matchAll(/^ *(\w+): \((?:propertyName|\.\.\.propertyNames): ([^),]+)/gm)) {
    offers[operator] = [...fields.matchAll(/'([^']+)'/g)].map(([, field]) => field);
  }
  return offers;
}

/** The value of a row at a path; a list for what has several. */
function valueAt(row, path) {
  let value = row;
  for (const name of path.replace(/\.id$/, "._id").split(".")) {
    value = Array.isArray(value) ? value.map((each) => each[name]) : value?.[name];
  }
  return value instanceof Date ? value.toISOString() : value;
}

const membersOf = (value) => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const compared = (check) => (value, given) => membersOf(value).some((each) => check(each, given));
const equal = compared((each, given) => each === given);
const isEqual = (value, given) =>
  given === null ? membersOf(value).length === 0 : equal(value, given);
const folded = (text) => text.toLowerCase();

/** What each operator says of a row's value, and what it is given for one. */
const OPERATORS = {
  eq: [isEqual, (given) => given],
  ne: [(value, given) => !isEqual(value, given), (given) => given],
  ge: [compared((each, given) => each >= given), (given) => given],
  gt: [compared((each, given) => each > given), (given) => given],
  le: [compared((each, given) => each <= given), (given) => given],
  lt: [compared((each, given) => each < given), (given) => given],
  in: [(value, given) => given.some((one) => isEqual(value, one)), (given) => [given]],
  hasSome: [(value, given) => given.some((one) => equal(value, one)), (given) => [given, guid()]],
  hasAll: [(value, given) => given.every((one) => equal(value, one)), (given) => [given]],
  startsWith: [
    compared((each, given) => folded(each).startsWith(folded(given))),
    (given) => given.slice(0, Math.ceil(given.length / 2)).toUpperCase(),
  ],
  exists: [(value, given) => membersOf(value).length > 0 === given],
};

/** What an operator is given in turn: values that rows have, one that none has, and null. */
function givenTo(operator, rows, field) {
  if (operator === "exists") return [true, false];
  const had = rows.flatMap((row) => membersOf(valueAt(row, field)));
  const [, given] = OPERATORS[operator];
  const some = [...new Set(had)].toSorted().slice(0, 3);
  const values = (some.length ? some : [guid()]).map(given);
  return ["eq", "ne"].includes(operator) && operator in OPERATORS ? [...values, null] : values;
}

/** All rows of a builder, page by page, the newest first. */
async function allRows(query) {
  const rows = [];
  for (let page = await query.limit(100).find(); ; page = await page.next()) {
    rows.push(...page.items);
    if (!page.hasNext()) return rows;
  }
}

const idsOf = (rows) => rows.map((row) => row._id);

before(async () => {
  const benefits = [
    { benefitKey: "towel", price: "10" },
    { benefitKey: "mug", price: "3" },
  ];
  for (const [index, programStatus] of ["ACTIVE", "PAUSED", "ACTIVE"].entries()) {
    const wallet = await openWallet(client, { benefits, programStatus });
    if (index === 1) continue;
    const { transactionId } = await client.pools.redeemBenefit(wallet.pool._id, wallet.redemption());
    if (index === 2) await client.pools.cancelRedemption(transactionId, { idempotencyKey: guid() });
    const [{ itemSetId, providerAppId }] = wallet.poolDefinition.details.benefits;
    const item = { externalId: `Cup ${index}`, category: "merch", namespace };
    await client.items.createItem({ ...item, itemSetId, providerAppId });
  }
  await provisionAlone({ wixUserId: guid() });
  await provisionAlone({ anonymousVisitorId: guid() });
});

/** A program without a program definition. */
async function provisionAlone(beneficiary) {
  const poolDefinition = await client.poolDefinitions.createPoolDefinition({
    namespace: "other",
    details: { benefits: [], creditConfiguration: { amount: "5" } },
  });
  await client.programs.provisionProgram(
    { poolDefinitionId: poolDefinition._id },
    { beneficiary, namespace: "other", externalProgramId: guid() },
  );
}

for (const [name, query] of Object.entries(BUILDERS)) {
  const { ascending, descending, limit, skipTo, find, ...operators } = offersOf(name);

  test(`each operator finds its rows: ${name}`, async () => {
    assert.ok(Object.keys(operators).every((each) => each in OPERATORS));
    assert.ok(Object.keys(operators).length >= 9);
    const rows = await allRows(query());
    assert.ok(rows.length >= 3);
    for (const [operator, fields] of Object.entries(operators)) {
      for (const field of fields) {
        for (const given of givenTo(operator, rows, field)) {
          const found = await allRows(query()[operator](field, given));
          const [holds] = OPERATORS[operator];
          const expected = rows.filter((row) => holds(valueAt(row, field), given));
          const told = `${operator}(${field}, ${JSON.stringify(given)})`;
          assert.deepEqual(idsOf(found), idsOf(expected), told);
        }
      }
    }
  });

  test(`each order leads through all rows: ${name}`, async () => {
    const rows = await allRows(query());
    const orders = [...ascending.map((each) => ["ascending", each])];
    orders.push(...descending.map((each) => ["descending", each]));
    for (const [order, field] of orders) {
      const found = await allRows(query()[order](field));
      assert.deepEqual(idsOf(found).toSorted(), idsOf(rows).toSorted(), `${order} ${field}`);
      const values = found.map((row) => valueAt(row, field));
      if (values.some((each) => typeof each === "object")) continue;
      const sorted = idsOf(found.toSorted(orderBy(field, order === "ascending" ? 1 : -1)));
      assert.deepEqual(idsOf(found), sorted, `${order} ${field}`);
    }
  });

  test(`pages lead forth and back: ${name}`, async () => {
    const expected = idsOf(await allRows(query()));
    let page = await query().limit(2).find();
    const pages = [idsOf(page.items)];
    while (page.hasNext()) {
      page = await page.next();
      pages.push(idsOf(page.items));
    }
    assert.deepEqual(pages.flat(), expected);
    for (const each of pages.slice(0, -1).toReversed()) {
      assert.ok(page.hasPrev());
      page = await page.prev();
      assert.deepEqual(idsOf(page.items), each);
    }
    assert.equal(page.hasPrev(), false);
    const skipped = await query().limit(1).skipTo(page.cursors.next).find();
    assert.deepEqual(idsOf(skipped.items), expected.slice(2, 3));
  });
}

/** Absent values first upwards; ties by id, in the same direction. */
function orderBy(field, direction) {
  const keyOf = (row) => [valueAt(row, field) ?? "", row._id];
  return (one, other) => {
    const [a, b] = [keyOf(one), keyOf(other)];
    const index = a[0] === b[0] ? 1 : 0;
    return direction * (a[index] < b[index] ? -1 : a[index] > b[index] ? 1 : 0);
  };
}

test("conditions of one field are one list, and all hold", async () => {
  const rows = await allRows(client.transactions.queryTransactions());
  const dates = rows.map((row) => row._createdDate).toSorted((a, b) => a - b);
  const query = client.transactions.queryTransactions();
  const found = await query.ge("_createdDate", dates[0]).lt("_createdDate", dates.at(-1)).find();
  assert.deepEqual(JSON.parse(sent.at(-1).body).query.filter, {
    $and: [
      { createdDate: { $gte: dates[0].toISOString() } },
      { createdDate: { $lt: dates.at(-1).toISOString() } },
    ],
  });
  const expected = rows.filter((row) => row._createdDate < dates.at(-1));
  assert.deepEqual(idsOf(found.items), idsOf(expected));
});

test("builders can be joined and turned round", async () => {
  const query = () => client.items.queryItems();
  const rows = await allRows(query());
  const merch = query().eq("category", "merch");
  const others = await query().not(merch).find();
  assert.deepEqual(
    idsOf(others.items),
    idsOf(rows.filter((row) => row.category !== "merch")),
  );
  const either = await merch.or(query().eq("externalId", "item of towel")).find();
  const expected = rows.filter((row) => row.category || row.externalId === "item of towel");
  assert.deepEqual(idsOf(either.items), idsOf(expected));
  const both = await merch.and(query().startsWith("externalId", "cup 2")).find();
  assert.deepEqual(both.items.map((row) => row.externalId), ["Cup 2"]);
  assert.equal((await query().isEmpty("category").find()).length, others.length);
  assert.equal((await query().isNotEmpty("category").find()).length, 2);
  const [newest, next] = rows;
  const between = query().between("_createdDate", next._createdDate, newest._createdDate);
  assert.ok((await between.find()).items.some((row) => row._id === next._id));
});

test("an operator that the service does not have is refused by its field", async () => {
  const query = client.items.queryItems();
  for (const refused of [query.endsWith("externalId", "p"), query.contains("externalId", "p")]) {
    const error = await refusal(refused.find());
    assert.equal(error.status, 400);
    assert.equal(Object.keys(violations(error)).length, 1);
  }
});

test("a query of the package's own query tools is understood", async () => {
  const { Filter, Sort, QueryBuilder } = modules.items.utils.query;
  const rows = await allRows(client.items.queryItems());
  const asked = async (filter, paging = { limit: 50 }) => {
    const builder = QueryBuilder().withFilter(filter).withSorting(Sort("externalId").desc());
    return client.items.queryItems(builder.withPaging(paging).build());
  };
  const names = async (filter) => (await asked(filter)).items.map((row) => row.externalId);
  const dates = rows.map((row) => row._createdDate);
  assert.deepEqual(await names(Filter("category").in(["merch", "none"])), ["Cup 2", "Cup 0"]);
  assert.deepEqual(await names(Filter("category").nin(["merch"]).startsWith("c")), []);
  const cups = Filter("externalId").startsWith("cup");
  assert.deepEqual(await names(cups), ["Cup 2", "Cup 0"]);
  assert.deepEqual(await names(Filter.and(cups, Filter("category").isEmpty())), []);
  assert.deepEqual(await names(Filter.and(cups, Filter("category").isEmpty(false))), [
    "Cup 2",
    "Cup 0",
  ]);
  const first = Filter("externalId").eq("Cup 0");
  assert.deepEqual(await names(Filter.and(cups, Filter.not(first))), ["Cup 2"]);
  assert.deepEqual(await names(Filter.or(first, Filter("externalId").eq("Cup 2"))), [
    "Cup 2",
    "Cup 0",
  ]);
  const all = Filter("_createdDate").gte(dates.at(-1)).lte(dates[0]);
  assert.equal((await names(all)).length, rows.length);
  assert.equal((await asked(all, { limit: 3 })).items.length, 3);
});

test("a typed query leads through its pages by its cursor alone", async () => {
  const expected = idsOf(await allRows(client.items.queryItems()));
  const query = { filter: { namespace }, cursorPaging: { limit: 4 } };
  const seen = [];
  for (let page = await client.items.queryItems(query); ; ) {
    seen.push(...idsOf(page.items));
    const cursor = page.metadata.cursors?.next;
    if (!cursor) break;
    page = await client.items.queryItems({ cursorPaging: { cursor } });
  }
  assert.deepEqual(seen, expected);
});

test("what can't be asked is refused by the caller's own words", async () => {
  const query = client.items.queryItems();
  const error = await refusal(query.eq("displayName", "x").find());
  assert.equal(error.status, 400);
  assert.deepEqual(Object.values(violations(error)), ["FIELD_NOT_ALLOWED"]);
  for (const limit of [0, 1001]) {
    assert.equal((await refusal(query.limit(limit).find())).status, 400);
  }
  assert.equal((await refusal(query.skipTo("nonsense").find())).status, 400);
  const foreign = await client.pools.queryPools().limit(1).find();
  assert.equal((await refusal(query.skipTo(foreign.cursors.next).find())).status, 400);
});

test("a member of a list finds what has it", async () => {
  const programDefinition = await defineProgram(client);
  const poolDefinition = await definePool(client, programDefinition);
  const [{ providerAppId }] = poolDefinition.details.benefits;
  const query = () => client.poolDefinitions.queryPoolDefinitions();
  const ofApp = await query().eq("details.benefits.providerAppId", providerAppId).find();
  assert.deepEqual(ofApp.items, [poolDefinition]);
  const ofBoth = query().hasAll("programDefinitionIds", [programDefinition._id, guid()]);
  assert.deepEqual((await ofBoth.find()).items, []);
});
