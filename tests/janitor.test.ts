// What a janitor refuses before it asks its store for anything, and what reaches its caller.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createJanitor, type Janitor, type JanitorOptions, type RunOptions } from "idp-janitor";
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

test("what is no store, and what are no options, are refused by a code", async () => {
  const stores = [undefined, null, 3, "sqlite:idp.db", {}, { dialect: "sqlite" }, { query() {}, batch() {} }];
  // What a caller without types may do.
  const made = (options: unknown) => () => createJanitor(options as JanitorOptions);
  for (const options of [undefined, ...stores.map((store) => ({ store }))]) {
    assert.throws(made(options), { name: "JanitorError", code: "invalid_setting", setting: "store" });
  }
  assert.throws(made(3), { name: "JanitorError", code: "invalid_setting" });

  const janitor = createJanitor({ store: nodeSqlite(sessions()) });
  const split = (options: unknown) =>
    janitor.split("clearsessions", options as Parameters<Janitor["split"]>[1]);
  for (const options of [undefined, null, {}, { parts: 2 }, { step: 0 }]) {
    await assert.rejects(split(options), { name: "JanitorError", code: "invalid_setting" });
  }
  for (const options of [null, 3, "all"]) {
    const run = janitor.run("clearsessions", options as unknown as RunOptions);
    await assert.rejects(run, {
      name: "JanitorError",
      code: "invalid_setting",
      message: /must be an object/,
    });
  }
  await assert.rejects(janitor.run(undefined as unknown as string), { code: "invalid_setting" });
});

test("what a caller's own function throws reaches the caller as it is, and what was done stands", async () => {
  const database = sessions();
  // Whoever has a lease in a row has to give it back.
  const janitor = createJanitor({ store: { ...nodeSqlite(database), rowLease: true } });
  const own = new TypeError("of the caller");
  let told = 0;
  const run = janitor.run("clearsessions", {
    sliceMs: 1,
    onProgress: ({ removed }) => {
      told = removed;
      throw own;
    },
  });
  await assert.rejects(run, (error) => error === own);
  const left = Number(database.prepare("SELECT count(*) AS n FROM django_session").get()?.n);
  assert.ok(told > 0 && left === 2000 - told, `${told} of 2000 are gone and ${left} are left`);
  assert.equal((await janitor.run("clearsessions")).removed.django_session, left);
});
