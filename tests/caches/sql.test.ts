import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import "idp-janitor";
import { sqlCache } from "idp-janitor/caches/sql";
import { keyCacheCases } from "idp-janitor/testing";
import { BEGIN, openFile, readRow } from "./sqlite.ts";

const TABLES = ["idp_janitor_keys", 'odd "table" name; --'];
const HOUR = { ttlSeconds: 3600 };

for (const table of TABLES) {
  const harness = {
    async open() {
      const { stores, clock, witness, ...file } = openFile();
      const [cache, peer] = stores.map((store) => sqlCache(store, { table, clock })) as [
        ReturnType<typeof sqlCache>,
        ReturnType<typeof sqlCache>,
      ];
      return { ...file, cache, peer, read: async (key: string) => readRow(witness, table, key) };
    },
  };
  for (const { name, run } of keyCacheCases(harness)) test(`sql, table ${table} ${name}`, run);
}

test("sql makes its table by the first write, and again where it is gone", async () => {
  const { stores, witness, close } = openFile();
  const cache = sqlCache(stores[0]);
  const tables = () => witness.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  assert.equal(await cache.get("key"), null);
  assert.deepEqual(tables(), [], "reading makes none");
  assert.equal(await cache.add("key", "value", HOUR), true);
  assert.deepEqual(
    tables().map(({ name }) => name),
    ["idp_janitor_keys"],
  );
  witness.exec("DROP TABLE idp_janitor_keys");
  assert.equal(await cache.get("key"), null);
  await cache.put("key", "other", HOUR);
  assert.equal(readRow(witness, "idp_janitor_keys", "key"), "other");
  await close();
});

// Regression: of two refreshes that began on an empty database, one failed and lost its keys.
test("sql writes where somebody else makes the table just after the write has found none", async () => {
  const { stores, witness, close } = openFile();
  const [store, peer] = stores;
  const slow = {
    ...store,
    query: async (...args: Parameters<typeof store.query>) => {
      await sqlCache(peer).put("other", "value", HOUR);
      return store.query(...args);
    },
  };
  await sqlCache(slow).put("key", "value", HOUR);
  assert.equal(readRow(witness, "idp_janitor_keys", "key"), "value");
  await close();
});

test("sql keeps instants as text that sorts", async () => {
  const { stores, witness, clock, elapse, close } = openFile();
  const cache = sqlCache(stores[0], { clock });
  const expires = () => witness.prepare("SELECT expires FROM idp_janitor_keys").get()?.expires;
  await cache.put("key", "value", { ttlSeconds: 10 });
  assert.equal(expires(), "2026-06-01 12:00:10.250");
  await elapse(0.75);
  await cache.put("key", "value", { ttlSeconds: 10 });
  assert.equal(expires(), "2026-06-01 12:00:11");
  await elapse(10);
  assert.equal(await cache.get("key"), "value", "at the instant itself");
  await elapse(0.001);
  assert.equal(await cache.get("key"), null, "right after it");
  assert.equal(clock(), BEGIN + 10_751);
  await close();
});

test("sql tells of a table that is no cache, and leaves it alone", async () => {
  const { stores, witness, close } = openFile();
  witness.exec("CREATE TABLE idp_janitor_keys (id integer); INSERT INTO idp_janitor_keys VALUES (1)");
  const cache = sqlCache(stores[0]);
  const failure = { code: "cache_failed", message: /`idp_janitor_keys` could not be .* at "key"/ };
  await assert.rejects(cache.get("key"), failure);
  await assert.rejects(cache.put("key", "value", HOUR), failure);
  await assert.rejects(cache.add("key", "value", HOUR), failure);
  assert.equal(witness.prepare("SELECT count(*) AS n FROM idp_janitor_keys").get()?.n, 1);
  await close();
});

test("sql tells of a failure on one line, however many the driver takes", async () => {
  const fails = async () => Promise.reject(new Error("the database\n  has gone\n"));
  const cache = sqlCache({ dialect: "sqlite", query: fails, batch: fails });
  await assert.rejects(cache.get("a\nkey"), {
    code: "cache_failed",
    message:
      'the key table `idp_janitor_keys` could not be read at "a\\nkey": the database has gone; nothing was changed',
  });
});

test("sql refuses names that no table can have", async () => {
  const { stores, close } = openFile();
  for (const table of ["", "a\0b"]) {
    assert.throws(() => sqlCache(stores[0], { table }), { code: "invalid_setting", message: /`table`/ });
  }
  await close();
});

test("sql lets one of several threads win, each with a connection of its own, key by key", async () => {
  const { path, witness, close } = openFile();
  const workerData = { path, keys: Array.from({ length: 100 }, (_, at) => `key ${at}`) };
  const workers = [1, 2, 3, 4].map(() => new Worker(new URL("./adder.ts", import.meta.url), { workerData }));
  const won = (await Promise.all(workers.map((worker) => once(worker, "message")))).flat(2);
  assert.deepEqual(won.sort(), workerData.keys.sort());
  assert.equal(witness.prepare("SELECT count(*) AS n FROM idp_janitor_keys").get()?.n, 100);
  await close();
});
