/** The adapter on PGlite, by the conformance suite. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import "idp-janitor";
import { pglite } from "idp-janitor/adapters/pglite";
import { type SqlStoreHarness, sqlStoreCases } from "idp-janitor/testing";

/** An empty database, which takes a second to make and a fraction of that to copy. */
let empty: Blob;
before(async () => {
  const database = await PGlite.create();
  empty = await database.dumpDataDir("none");
  await database.close();
});

const open = async () => {
  const database = await PGlite.create({ loadDataDir: empty });
  await database.exec("SET TIME ZONE 'Asia/Kolkata'");
  return database;
};

const harness: SqlStoreHarness = {
  async open() {
    const database = await open();
    return {
      store: pglite(database),
      async execute(sql) {
        await database.exec(sql);
      },
      async read(sql) {
        const [result] = await database.exec(sql, { rowMode: "array" });
        const rows = (result?.rows ?? []) as unknown[][];
        return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
      },
      close: () => database.close(),
    };
  },

  async readOnly(opened) {
    await opened.execute("SET default_transaction_read_only = on");
    return { store: opened.store, close: () => opened.execute("SET default_transaction_read_only = off") };
  },

  async denied(opened) {
    await opened.execute("CREATE ROLE reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    await opened.execute("SET ROLE reader");
    return { store: opened.store, close: () => opened.execute("RESET ROLE") };
  },
};

for (const { name, run } of sqlStoreCases(harness)) test(`pglite ${name}`, run);

test("pglite reads values by itself, whatever the application has set", async (context) => {
  const bigint = 20;
  const database = await PGlite.create({
    loadDataDir: empty,
    parsers: { [bigint]: () => "the application's own" },
    serializers: { [bigint]: () => "0" },
  });
  context.after(() => database.close());
  const { rows } = await pglite(database).query("SELECT $1::bigint, ARRAY[1]", ["7"]);
  assert.deepEqual(rows, [[7, "{1}"]]);
  const theirs = await database.query("SELECT 7::bigint AS seven");
  assert.deepEqual(theirs.rows, [{ seven: "the application's own" }]);
});

test("pglite leaves a transaction of somebody else alone, and waits for one that ends by itself", async (context) => {
  const database = await open();
  context.after(() => database.close());
  const store = pglite(database);
  const insert = { sql: "INSERT INTO things VALUES (78)", params: [] };
  const bound = { sql: "INSERT INTO things VALUES ($1)", params: ["79"] };
  await database.exec("CREATE TABLE things (id bigint); BEGIN; INSERT INTO things VALUES (77)");
  for (const batch of [[insert], [bound], []]) {
    await assert.rejects(store.batch(batch), { code: "store_failed", message: /a connection of its own/ });
  }
  await database.exec("COMMIT");
  const other = database.transaction(async (transaction) => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await transaction.exec("INSERT INTO things VALUES (80)");
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all([store.batch([insert]), store.batch([bound]), other]);
  const { rows } = await store.query("SELECT id FROM things ORDER BY id", []);
  assert.deepEqual(rows, [[77], [78], [79], [80]]);
});

test("pglite says that it is closed", async () => {
  const database = await open();
  await database.close();
  const store = pglite(database);
  await assert.rejects(store.query("SELECT 1", []), { code: "store_unavailable" });
  await assert.rejects(store.batch([]), { code: "store_unavailable" });
});
