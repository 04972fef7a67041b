/** What the adapter for D1 sends, and what it makes of the answers; what D1 makes of it is tested in workerd. */

import assert from "node:assert/strict";
import { test } from "node:test";
import "idp-janitor";
import type { SqlValue } from "idp-janitor";
import { type D1Binding, d1 } from "idp-janitor/adapters/d1";

/** A binding that notes what it is sent, and answers to each statement of a batch with two rows and five changes. */
function noting() {
  const sent: { sql: string; values: unknown[] }[] = [];
  const binding: D1Binding = {
    prepare(sql) {
      const prepared = (values: unknown[]) => ({
        bind: (...given: unknown[]) => prepared(given),
        raw: async () => [],
        note: () => sent.push({ sql, values }),
      });
      return prepared([]);
    },
    async batch(statements: { note(): void }[]) {
      for (const statement of statements) statement.note();
      return statements.map(() => ({ results: [{ n: 1 }, { n: 1 }], meta: { changes: 5 } }));
    },
  };
  return { sent, store: d1(binding) };
}

const COUNTED = "\nRETURNING 1";

const CASES: readonly (readonly [sql: string, sent: string, rows: number, changes: number])[] = [
  ["DELETE FROM t WHERE id = 1", `DELETE FROM t WHERE id = 1${COUNTED}`, 0, 2],
  ["delete from t -- all", `delete from t -- all${COUNTED}`, 0, 2],
  ["DELETE FROM t;\n", `DELETE FROM t${COUNTED}`, 0, 2],
  ["DELETE FROM t RETURNING id", "DELETE FROM t RETURNING id", 2, 2],
  ["DELETE FROM t ORDER BY id LIMIT 3", "DELETE FROM t ORDER BY id LIMIT 3", 2, 5],
  [
    "INSERT INTO t SELECT 1 FROM (SELECT 1 LIMIT 3)",
    `INSERT INTO t SELECT 1 FROM (SELECT 1 LIMIT 3)${COUNTED}`,
    0,
    2,
  ],
  ["WITH a AS (SELECT 1) DELETE FROM t", `WITH a AS (SELECT 1) DELETE FROM t${COUNTED}`, 0, 2],
  ["WITH a AS (SELECT 1) SELECT * FROM a", "WITH a AS (SELECT 1) SELECT * FROM a", 2, 0],
  ["SELECT 'DELETE' AS \"update\"", "SELECT 'DELETE' AS \"update\"", 2, 0],
  ["/* DELETE */ SELECT 1", "/* DELETE */ SELECT 1", 2, 0],
  ["UPDATE \"returning\" SET a = 'limit'", `UPDATE "returning" SET a = 'limit'${COUNTED}`, 0, 2],
  ["PRAGMA defer_foreign_keys = ON", "PRAGMA defer_foreign_keys = ON", 2, 0],
  [
    "CREATE TRIGGER x AFTER DELETE ON t BEGIN INSERT INTO u VALUES (1); END",
    "CREATE TRIGGER x AFTER DELETE ON t BEGIN INSERT INTO u VALUES (1); END",
    2,
    0,
  ],
  ["EXPLAIN DELETE FROM t", "EXPLAIN DELETE FROM t", 2, 0],
];

for (const [sql, expected, rows, changes] of CASES) {
  test(`d1 counts what is changed by: ${sql}`, async () => {
    const { sent, store } = noting();
    const [result] = await store.batch([{ sql, params: [] }]);
    assert.deepEqual(sent, [{ sql: expected, values: [] }]);
    assert.deepEqual([result?.rows.length, result?.changes], [rows, changes]);
  });
}

test("d1 writes integers and truths into the text, wherever a placeholder stands, and binds the rest", async () => {
  const { sent, store } = noting();
  const sql = "SELECT '?', \"?\", `?`, [?], -? -- ?\n, ?, ?, ?, ?, /* ? */ ?, ?";
  const params: SqlValue[] = [-5, 9007199254740993n, true, false, "3", 0.5, null];
  await store.batch([{ sql, params }]);
  const text = "SELECT '?', \"?\", `?`, [?], -(-5) -- ?\n, (9007199254740993), 1, 0, ?, /* ? */ ?, ?";
  assert.deepEqual(sent, [{ sql: text, values: ["3", 0.5, null] }]);
});

for (const [message, code] of [
  ["D1_ERROR: Network connection lost.", "store_unavailable"],
  ["D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.", "store_timeout"],
  ["D1_ERROR: D1 DB is overloaded. Too many requests queued.", "store_unavailable"],
  ["D1_ERROR: D1 DB exceeded its CPU time limit and was reset.", "store_timeout"],
  ["D1_ERROR: UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT", "store_constraint"],
  ["D1_ERROR: not authorized: SQLITE_AUTH", "store_denied"],
  ["D1_ERROR: Your account has exceeded the daily row write limit of the free tier", "store_quota"],
  ["D1_ERROR: no such table: daily_limits at offset 7: SQLITE_ERROR", "store_failed"],
] as const) {
  test(`d1 tells as ${code}: ${message}`, async () => {
    const prepared = { bind: () => prepared, raw: () => Promise.reject(new Error(message)) };
    const store = d1({ prepare: () => prepared, batch: () => Promise.reject(new Error(message)) });
    await assert.rejects(store.query("SELECT 1", []), { code });
    await assert.rejects(store.batch([{ sql: "SELECT 1", params: [] }]), { code });
  });
}
