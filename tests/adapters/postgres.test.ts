/** The adapter on postgres.js, by the conformance suite on a real PostgreSQL. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import postgres from "postgres";
import "idp-janitor";
import { postgresJs } from "idp-janitor/adapters/postgres";
import { sqlStoreCases } from "idp-janitor/testing";
import type { Engine } from "../support/engines.ts";
import { startPostgres } from "../support/postgres.ts";
import { testBehaviour } from "./postgres-behaviour.ts";
import { type Connect, postgresHarness } from "./postgres-harness.ts";
import { testResets } from "./resets.ts";

let engine: Engine;
before(async () => {
  engine = await startPostgres();
});
after(() => engine.close());

const connecting =
  (options: postgres.Options<Record<string, postgres.PostgresType>>): Connect =>
  async (url) => {
    const sql = postgres(url, { onnotice: () => undefined, ...options });
    return { store: postgresJs(sql), end: () => sql.end({ timeout: 1 }) };
  };

for (const { name, run } of sqlStoreCases(postgresHarness(() => engine, connecting({ max: 4 })))) {
  test(`postgres.js ${name}`, run);
}

/** As for Hyperdrive, and one connection. */
const frugal = { max: 1, fetch_types: false, prepare: false };
for (const { name, run } of sqlStoreCases(postgresHarness(() => engine, connecting(frugal)))) {
  test(`one connection of postgres.js ${name}`, run);
}

testBehaviour("postgres.js", () => engine, connecting({ max: 4 }));
testResets("postgres.js", {
  connect: connecting({ max: 4 }),
  url: () => engine.createDatabase(),
  sleep: "SELECT pg_sleep(20)",
  parameter: "$1",
});

test("postgres.js reads values by itself, whatever the application has set", async (context) => {
  const url = await engine.createDatabase();
  const own = { to: 20, from: [20], serialize: () => "0", parse: () => "the application's own" };
  const sql = postgres(url, { types: { own }, transform: { ...postgres.camel, undefined: null } });
  context.after(() => sql.end({ timeout: 1 }));
  const store = postgresJs(sql);
  const [result] = await store.batch([{ sql: "SELECT $1::bigint AS a_b, $1::text", params: ["7"] }]);
  assert.deepEqual(result?.rows, [[7, "7"]]);
  assert.deepEqual([...(await sql`SELECT 7::bigint AS seven`)], [{ seven: "the application's own" }]);
});

test("postgres.js prints nothing", async (context) => {
  const print = context.mock.method(console, "log", () => undefined);
  const sql = postgres(await engine.createDatabase(), { max: 2 });
  const store = postgresJs(sql);
  await store.batch([{ sql: "SET LOCAL lock_timeout = 1", params: [] }]);
  const bound = { sql: "SELECT $1", params: ["x"] };
  await store.batch([bound, bound]);
  await assert.rejects(store.batch([bound, { sql: "SELECT nothing", params: [] }]));
  const session = await store.session?.();
  await session?.query("SELECT 1", []);
  await session?.close();
  await sql.end({ timeout: 1 });
  assert.deepEqual(
    print.mock.calls.map(({ arguments: [line] }) => line),
    [],
  );
});

test("postgres.js keeps a session that no time-out of idle transactions ends", async (context) => {
  const url = await engine.createDatabase();
  const sql = postgres(url, { max: 2, connection: { idle_in_transaction_session_timeout: 200 } });
  context.after(() => sql.end({ timeout: 1 }));
  const store = postgresJs(sql);
  const session = await store.session?.();
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.deepEqual((await session?.query("SELECT 1", []))?.rows, [[1]]);
  // It keeps nothing from being vacuumed.
  const held =
    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND backend_xmin IS NOT NULL";
  assert.deepEqual((await store.query(held, [])).rows, [[0]]);
  await session?.close();
  // And is as before when it is given back.
  const settings = Array.from({ length: 4 }, () =>
    store.query("SELECT current_setting('idle_in_transaction_session_timeout')", []),
  );
  for (const { rows } of await Promise.all(settings)) assert.deepEqual(rows, [["200ms"]]);
});

test("postgres.js counts on the connections that an instance has", () => {
  const told = [{}, { max: 5 }, { max: 1 }].map((options) => {
    const { maxConcurrency, session } = postgresJs(postgres(options));
    return [maxConcurrency, session !== undefined];
  });
  assert.deepEqual(told, [
    [9, true],
    [4, true],
    [1, false],
  ]);
  const pooled = postgresJs(postgres({ max: 5 }), { session: false });
  assert.deepEqual([pooled.maxConcurrency, pooled.session], [5, undefined]);
});

test("postgres.js refuses an instance that changes rows", () => {
  const sql = postgres({ transform: { row: { from: (row) => row } } });
  assert.throws(() => postgresJs(sql), { code: "invalid_setting", message: /transform.row.from/ });
});
