/** The adapter on libSQL's client, by the conformance suite on a file. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createClient, type IntMode } from "@libsql/client";
import "idp-janitor";
import { libsql } from "idp-janitor/adapters/libsql";
import { type OpenedSqlStore, type SqlStoreHarness, sqlStoreCases } from "idp-janitor/testing";

/** Which file an opened store is on, for whoever locks it. */
const paths = new WeakMap<OpenedSqlStore, string>();

const connect = (path: string, intMode: IntMode = "bigint") =>
  createClient({ url: `file:${path}`, intMode, timeout: 50 });

const harness: SqlStoreHarness = {
  async open() {
    const folder = mkdtempSync(join(tmpdir(), "idp-janitor-"));
    const path = join(folder, "store.sqlite3");
    const client = connect(path);
    // Of the same library: of two SQLites in one process, neither sees the locks of the other.
    const witness = connect(path);
    const opened: OpenedSqlStore = {
      store: libsql(client),
      execute: async (sql) => {
        await witness.execute(sql);
      },
      async read(sql) {
        const { rows } = await witness.execute(sql);
        return rows.map((row) =>
          Array.from({ length: row.length }, (_, at) => (row[at] === null ? null : String(row[at]))),
        );
      },
      async close() {
        witness.close();
        client.close();
        rmSync(folder, { recursive: true });
      },
    };
    paths.set(opened, path);
    return opened;
  },

  async lock(opened) {
    const other = connect(paths.get(opened) ?? "");
    const transaction = await other.transaction("write");
    return async () => {
      await transaction.rollback();
      other.close();
    };
  },
};

for (const { name, run } of sqlStoreCases(harness)) test(`libsql ${name}`, run);

function open(context: TestContext, intMode: IntMode) {
  const client = createClient({ url: "file::memory:", intMode });
  context.after(() => client.close());
  return { client, store: libsql(client) };
}

test("libsql fails with advice rather than to round an integer", async (context) => {
  const { store } = open(context, "number");
  assert.deepEqual(await store.query("SELECT 9007199254740991", []), { rows: [[9007199254740991]] });
  const failed = { code: "store_failed", message: /intMode: "bigint"/ };
  await assert.rejects(store.query("SELECT 9007199254740993", []), failed);
  await assert.rejects(store.batch([{ sql: "SELECT 9007199254740993", params: [] }]), failed);
});

test("libsql refuses a client that gives integers as text, at every call", async (context) => {
  const { client, store } = open(context, "string");
  const refused = { code: "invalid_setting", message: /intMode: "bigint"/ };
  await assert.rejects(store.query("SELECT 1", []), refused);
  await assert.rejects(store.batch([{ sql: "CREATE TABLE made (id integer)", params: [] }]), refused);
  assert.deepEqual((await client.execute("SELECT name FROM sqlite_master")).rows, []);
});

test("libsql tells what failed by SQLite's result codes", async (context) => {
  const { client, store } = open(context, "bigint");
  await client.execute("CREATE TABLE things (id integer PRIMARY KEY)");
  await client.execute("PRAGMA query_only = ON");
  const insert = { sql: "INSERT INTO things (id) VALUES (1)", params: [] };
  await assert.rejects(store.batch([insert]), { code: "store_read_only" });
  client.close();
  await assert.rejects(store.query("SELECT 1", []), { code: "store_unavailable" });
});

test("libsql says that a server cannot be reached", async (context) => {
  const client = createClient({ url: "http://127.0.0.1:9", intMode: "bigint" });
  context.after(() => client.close());
  await assert.rejects(libsql(client).query("SELECT 1", []), { code: "store_unavailable" });
  await assert.rejects(libsql(client).batch([]), { code: "store_unavailable" });
});
