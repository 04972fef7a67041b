// What a janitor refuses before it asks its store for anything, and what reaches its caller.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createJanitor, type JanitorOptions } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";

/** A database with some sessions and nothing else. */
function sessions(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(`CREATE TABLE django_session (session_key text PRIMARY KEY, expire_date datetime);
    WITH n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
    INSERT INTO django_session SELECT n, '2020-01-01 00:00:00' FROM n`);
  return database;
}

test("an examination throws at settings that name what is not there, and says which", async () => {
  const store = nodeSqlite(sessions());
  const cases: readonly (readonly [Omit<JanitorOptions, "store">, string])[] = [
    [{ userTable: "people" }, "userTable"],
    [{ onDelete: { "django_session.owner": "cascade" } }, "onDelete.django_session.owner"],
  ];
  for (const [options, setting] of cases) {
    const examined = createJanitor({ store, ...options }).examine();
    await assert.rejects(examined, { name: "JanitorError", code: "invalid_setting", setting });
  }
  const { jobs } = await createJanitor({ store }).examine();
  const codes = jobs.map(({ code }) => code);
  assert.deepEqual(codes, ["not_this_schema", "not_this_schema", "not_this_schema", undefined]);
});

test("a record store is not examined", async () => {
  const examined = createJanitor({ store: memory({ django_session: [] }) }).examine();
  const message = "`store` must be a database to be examined, not a record store";
  await assert.rejects(examined, { code: "invalid_setting", setting: "store", message });
});
