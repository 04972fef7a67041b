import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { type OpenedSqlStore, type SqlStoreHarness, sqlStoreCases } from "idp-janitor/testing";

/** Which file an opened store is on, for whoever locks it. */
const paths = new WeakMap<OpenedSqlStore, string>();

const harness: SqlStoreHarness = {
  async open() {
    const folder = mkdtempSync(join(tmpdir(), "idp-janitor-"));
    const path = join(folder, "store.sqlite3");
    const database = new DatabaseSync(path, { timeout: 50 });
    const witness = new DatabaseSync(path);
    const opened: OpenedSqlStore = {
      store: nodeSqlite(database),
      execute: async (sql) => witness.exec(sql),
      async read(sql) {
        const statement = witness.prepare(sql);
        statement.setReadBigInts(true);
        return statement
          .all()
          .map((row) => Object.values(row).map((value) => (value === null ? null : String(value))));
      },
      async close() {
        witness.close();
        database.close();
        rmSync(folder, { recursive: true });
      },
    };
    paths.set(opened, path);
    return opened;
  },
  async lock(opened) {
    const other = new DatabaseSync(paths.get(opened) ?? "");
    other.exec("BEGIN EXCLUSIVE");
    return async () => {
      other.exec("COMMIT");
      other.close();
    };
  },
};

test("node-sqlite leaves a transaction of somebody else alone", async () => {
  const database = new DatabaseSync(":memory:");
  const store = nodeSqlite(database);
  database.exec("CREATE TABLE things (id integer); BEGIN; INSERT INTO things VALUES (77)");
  const insert = { sql: "INSERT INTO things VALUES (78)", params: [] };
  await assert.rejects(store.batch([insert]), { code: "store_failed", message: /a connection of its own/ });
  assert.equal(database.isTransaction, true);
  database.exec("COMMIT");
  assert.deepEqual(
    database
      .prepare("SELECT id FROM things")
      .all()
      .map(({ id }) => id),
    [77],
  );
  database.close();
});

for (const { name, run } of sqlStoreCases(harness)) test(`node-sqlite ${name}`, run);
