/** A store that counts what is sent to it, on whichever way that goes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SqlSession, SqlStore } from "idp-janitor";
import { metered } from "../pkg/hosts/metered.js";

/** A driver's session: what it does, it does by what it has of its own. */
class Session implements SqlSession {
  readonly sent: string[] = [];
  isClosed = false;

  async query(sql: string): Promise<{ rows: [] }> {
    this.sent.push(sql);
    return sql === "broken" ? Promise.reject(new Error("broken")) : { rows: [] };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

test("counts queries, the statements of batches, and what is asked of sessions", async () => {
  const opened = new Session();
  const bare: SqlStore = {
    dialect: "postgres",
    query: async () => ({ rows: [] }),
    batch: async (statements) => statements.map(() => ({ rows: [], changes: 0 })),
    session: async () => opened,
  };
  const { store, statements } = metered(bare);
  await store.query("SELECT 1", []);
  assert.equal(statements(), 1);
  await store.batch([
    { sql: "a", params: [] },
    { sql: "b", params: [] },
  ]);
  assert.equal(statements(), 3);
  const session = await store.session?.();
  assert.equal(statements(), 3);
  await session?.query("lock", []);
  await assert.rejects(async () => session?.query("broken", []), /broken/);
  assert.equal(statements(), 5);
  await session?.close();
  assert.deepEqual([opened.sent, opened.isClosed, statements()], [["lock", "broken"], true, 5]);
});
