import assert from "node:assert/strict";
import { test } from "node:test";
import "idp-janitor";
import { djangoDbCache } from "idp-janitor/caches/django-db";
import { keyCacheCases } from "idp-janitor/testing";
import { pickled } from "./pickled.ts";
import { openFile, readRow } from "./sqlite.ts";

const TABLE = "hidp_cache";
const HOUR = { ttlSeconds: 3600 };

/** What `createcachetable` makes on SQLite. */
const SCHEMA = `CREATE TABLE "hidp_cache" ("cache_key" varchar(255) NOT NULL PRIMARY KEY, "value" text NOT NULL,
  "expires" datetime NOT NULL); CREATE INDEX "hidp_cache_expires" ON "hidp_cache" ("expires")`;

const harness = {
  async open() {
    const { stores, clock, witness, ...file } = openFile();
    witness.exec(SCHEMA);
    const options = { table: TABLE, keyPrefix: "site", version: 7, clock };
    const text = (key: string) => {
      const value = readRow(witness, TABLE, key);
      return value === null ? null : pickled(Buffer.from(value, "base64"));
    };
    return {
      ...file,
      cache: djangoDbCache(stores[0], options),
      peer: djangoDbCache(stores[1], options),
      read: async (key: string) => text(`site:7:${key}`),
      readPublished: async (provider: string) => text(`site:7:hidp:oidc_client_jwks:${provider}`),
    };
  },
};

for (const { name, run } of keyCacheCases(harness)) test(`django-db ${name}`, run);

test("django-db says how to make the table that is not there, and makes none", async () => {
  const { stores, witness, close } = openFile();
  const cache = djangoDbCache(stores[0], { table: TABLE });
  const missing = {
    code: "cache_failed",
    message: /`hidp_cache` does not exist: run `python manage.py createcachetable`/,
  };
  await assert.rejects(cache.get("key"), missing);
  await assert.rejects(cache.put("key", "value", HOUR), missing);
  await assert.rejects(cache.add("key", "value", HOUR), missing);
  await assert.rejects(cache.publish("provider", "{}", HOUR), missing);
  assert.deepEqual(witness.prepare("SELECT name FROM sqlite_master").all(), []);
  await close();
});

test("django-db writes whole seconds, and none too few", async () => {
  const { stores, witness, clock, elapse, close } = openFile();
  witness.exec(SCHEMA);
  const cache = djangoDbCache(stores[0], { table: TABLE, clock });
  const expires = () => witness.prepare("SELECT expires FROM hidp_cache").get()?.expires;
  await cache.put("key", "value", { ttlSeconds: 10 });
  assert.equal(expires(), "2026-06-01 12:00:11");
  await elapse(0.75);
  await cache.put("key", "value", { ttlSeconds: 10 });
  assert.equal(expires(), "2026-06-01 12:00:11");
  await close();
});

test("django-db refuses what is no pickled text, and does not touch it", async () => {
  const { stores, witness, close } = openFile();
  witness.exec(SCHEMA);
  const cache = djangoDbCache(stores[0], { table: TABLE });
  // None, 5, and what is no base64.
  for (const value of ["gAVOLg==", "gAVLBS4=", "***", ""]) {
    witness
      .prepare("INSERT OR REPLACE INTO hidp_cache VALUES (':1:key', ?, '2999-01-01 00:00:00')")
      .run(value);
    await assert.rejects(cache.get("key"), { code: "cache_failed", message: /no pickled text at ":1:key"/ });
    assert.equal(await cache.add("key", "value", HOUR), false, "it is there all the same");
    assert.equal(readRow(witness, TABLE, ":1:key"), value);
  }
  await cache.put("key", "value", HOUR);
  assert.equal(await cache.get("key"), "value");
  await close();
});
