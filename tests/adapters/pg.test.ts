/** The adapter on node-postgres, by the conformance suite on a real PostgreSQL, over a pool and over a client. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import "idp-janitor";
import { type PgClient, pg as pgStore } from "idp-janitor/adapters/pg";
import { sqlStoreCases } from "idp-janitor/testing";
import type { Engine } from "../support/engines.ts";
import { startPostgres } from "../support/postgres.ts";
import { testBehaviour } from "./postgres-behaviour.ts";
import { type Connect, connectWitness, postgresHarness, TERMINATE } from "./postgres-harness.ts";
import { testResets } from "./resets.ts";

let engine: Engine;
before(async () => {
  engine = await startPostgres();
});
after(() => engine.close());

const connectPool: Connect = async (url) => {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on("error", () => undefined);
  return { store: pgStore(pool), end: () => pool.end() };
};

const connectClient: Connect = async (url) => {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return { store: pgStore(client), end: () => client.end() };
};

for (const { name, run } of sqlStoreCases(postgresHarness(() => engine, connectPool))) {
  test(`a pool of pg ${name}`, run);
}
const oneConnection = { isOneConnection: true };
for (const { name, run } of sqlStoreCases(postgresHarness(() => engine, connectClient, oneConnection))) {
  test(`a client of pg ${name}`, run);
}

testBehaviour("a pool of pg", () => engine, connectPool);
testResets("a pool of pg", {
  connect: connectPool,
  url: () => engine.createDatabase(),
  sleep: "SELECT pg_sleep(20)",
  parameter: "$1",
});

const insert = { sql: "INSERT INTO things VALUES (78)", params: [] };
const bound = { sql: "INSERT INTO things VALUES ($1)", params: ["79"] };

test("pg reads values by itself, whatever the application has set, and sets nothing", async (context) => {
  const bigint = 20;
  const before = pg.types.getTypeParser(bigint);
  pg.types.setTypeParser(bigint, () => "the application's own");
  context.after(() => pg.types.setTypeParser(bigint, before));
  const pool = new pg.Pool({ connectionString: await engine.createDatabase() });
  context.after(() => pool.end());
  const store = pgStore(pool);
  assert.deepEqual((await store.query("SELECT 7::bigint, now() IS NULL", [])).rows, [[7, false]]);
  const { rows } = await pool.query("SELECT 7::bigint AS seven");
  assert.deepEqual(rows, [{ seven: "the application's own" }]);
});

test("pg leaves a transaction of somebody else on a client alone", async (context) => {
  const client = new pg.Client({ connectionString: await engine.createDatabase() });
  await client.connect();
  context.after(() => client.end());
  // As versions do that do not tell.
  const silent: PgClient = {
    query: (query) => client.query(query),
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
  };
  await client.query("CREATE TABLE things (id bigint)");
  for (const [at, store] of [pgStore(client), pgStore(silent)].entries()) {
    await client.query("BEGIN");
    await client.query("INSERT INTO things VALUES (77)");
    for (const batch of [[insert], [bound], []]) {
      const refused = { code: "store_failed", message: /a connection of its own/ };
      await assert.rejects(store.batch(batch), refused);
    }
    await client.query("COMMIT");
    assert.deepEqual((await store.query("SELECT count(*) FROM things", [])).rows, [[2 * at + 1]]);
    await client.query("BEGIN");
    await assert.rejects(client.query("SELECT nothing"));
    await assert.rejects(store.batch([insert]), { message: /a connection of its own/ });
    await client.query("ROLLBACK");
    await store.batch([insert]);
  }
});

test("pg leaves a transaction that somebody left in a pool alone", async (context) => {
  const pool = new pg.Pool({ connectionString: await engine.createDatabase(), max: 1 });
  context.after(() => pool.end());
  await pool.query("CREATE TABLE things (id bigint)");
  await pool.query("BEGIN");
  await pool.query("INSERT INTO things VALUES (77)");
  const store = pgStore(pool);
  for (const batch of [[insert], [bound], []]) {
    await assert.rejects(store.batch(batch), { code: "store_failed", message: /a connection of its own/ });
  }
  await assert.rejects(store.query("SELECT nothing", []));
  assert.equal(pool.totalCount, 1);
  await pool.query("ROLLBACK");
  await pool.query("BEGIN");
  await pool.query("INSERT INTO things VALUES (77)");
  await pool.query("COMMIT");
  await store.batch([insert]);
  assert.deepEqual((await store.query("SELECT count(*) FROM things", [])).rows, [[2]]);
});

test("pg lets a broken connection go, and no event of it ends the process", async (context) => {
  const url = await engine.createDatabase();
  const witness = await connectWitness(url);
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  context.after(async () => {
    await pool.end();
    await witness.end();
  });
  const store = pgStore(pool);
  const session = await store.session?.();
  const lost = assert.rejects(store.batch([{ sql: "SELECT pg_sleep(9)", params: [] }]), {
    code: "store_unavailable",
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await witness.execute(TERMINATE);
  await lost;
  await session?.close();
  assert.equal(pool.totalCount, 0);
  assert.equal(pool.waitingCount, 0);
  assert.deepEqual((await store.query("SELECT 1", [])).rows, [[1]]);
  // One that failed for its own reasons stays.
  await assert.rejects(store.query("SELECT nothing", []));
  assert.deepEqual([pool.totalCount, pool.idleCount], [1, 1]);
});

test("pg counts on the connections that a pool has", () => {
  const stores = [{}, { max: 5 }, { max: 2 }, { max: 1 }].map((options) => pgStore(new pg.Pool(options)));
  assert.deepEqual(
    stores.map(({ maxConcurrency, session }) => [maxConcurrency, session !== undefined]),
    [
      [9, true],
      [4, true],
      [1, true],
      [1, false],
    ],
  );
  const pooled = pgStore(new pg.Pool({ max: 5 }), { session: false });
  assert.deepEqual([pooled.maxConcurrency, pooled.session], [5, undefined]);
  assert.equal(pgStore(new pg.Client(), { session: false }).session, undefined);
});

test("pg refuses values in binary, which it would have to interpret", async (context) => {
  // The driver's types do not know of it.
  const binary = { binary: true };
  const pool = new pg.Pool({ connectionString: await engine.createDatabase(), ...binary });
  context.after(() => pool.end());
  const store = pgStore(pool);
  const refused = { code: "invalid_setting", message: /`binary`/ };
  await assert.rejects(store.query("SELECT $1::bigint", ["7"]), refused);
  assert.deepEqual((await store.query("SELECT 7::bigint", [])).rows, [[7]]);
});
