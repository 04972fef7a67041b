/** A real HIdP is the judge: it reads what was published for it, and Django what was put, without a network. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import "idp-janitor";
import { hidp, readKeys } from "../support/read-keys.ts";
import { startRedis } from "../support/redis.ts";
import { type Deployment, type KeyOptions, withDatabaseCache, withRedisCache } from "./deployments.ts";
import { FETCHING, KEYS, keySet, OTHER_KEYS, sorted, told } from "./key-sets.ts";

const redis = await startRedis();
after(() => redis.close());

const HOUR = { ttlSeconds: 3600 };

const BACKENDS: Record<string, (options?: KeyOptions) => Promise<Deployment>> = {
  DatabaseCache: (options) => withDatabaseCache(options),
  RedisCache: (options) => withRedisCache(redis, options),
};

for (const [backend, open] of Object.entries(BACKENDS)) {
  describe(`HIdP with ${backend}`, () => {
    /** A deployment with an empty cache for as long as the work takes. */
    const withOpen = (work: (deployment: Deployment) => Promise<void>, options?: KeyOptions) => async () => {
      const deployment = await open(options);
      try {
        await work(deployment);
      } finally {
        await deployment.close();
      }
    };

    for (const options of [{}, { keyPrefix: "sité", version: 7 }]) {
      const which = JSON.stringify(options);
      test(
        `reads the keys that were published, by the key options ${which}`,
        withOpen(async ({ cache, database, setting }) => {
          await cache.publish("some-provider", keySet(KEYS), HOUR);
          await cache.publish("other.provider", keySet(OTHER_KEYS), HOUR);
          const [some, other] = [
            await readKeys(database, setting, "some-provider"),
            await readKeys(database, setting, "other.provider"),
          ];
          assert.deepEqual([sorted(some.keys), some.refused], [await told(KEYS), []]);
          assert.deepEqual([sorted(other.keys), other.refused], [await told(OTHER_KEYS), []]);
        }, options),
      );
    }

    test(
      "has no network: with an empty cache it wants to fetch, cannot, and has no keys",
      withOpen(async ({ cache, database, setting }) => {
        const read = await readKeys(database, setting, "some-provider");
        assert.deepEqual(read, { keys: null, refused: FETCHING });
        // It has now stored that there are none, and does not even try; what is published stands over that.
        assert.deepEqual(await readKeys(database, setting, "some-provider"), { keys: null, refused: [] });
        await cache.publish("some-provider", keySet(KEYS), HOUR);
        const again = await readKeys(database, setting, "some-provider");
        assert.deepEqual(sorted(again.keys), await told(KEYS));
      }),
    );

    test(
      "does not read what was published under another prefix or version",
      withOpen(async ({ cache, database, setting }) => {
        await cache.publish("some-provider", keySet(KEYS), HOUR);
        for (const other of [{ KEY_PREFIX: "other" }, { VERSION: 2 }]) {
          const read = await readKeys(database, { ...setting, ...other }, "some-provider");
          assert.deepEqual(read, { keys: null, refused: FETCHING });
        }
      }),
    );

    test(
      "no longer reads keys whose time is over",
      withOpen(async ({ cache, database, setting }) => {
        await cache.publish("some-provider", keySet(KEYS), { ttlSeconds: 1 });
        await sleep(2100);
        assert.deepEqual(await readKeys(database, setting, "some-provider"), {
          keys: null,
          refused: FETCHING,
        });
      }),
    );

    test(
      "reads by Django's own means what was put and added, and adds nothing over it",
      withOpen(async ({ cache, database, setting }) => {
        await cache.put("put:key", "é 🔑", HOUR);
        await cache.add("added", "5", HOUR);
        const results = await hidp(database, setting, [
          ["get_value", "put:key"],
          ["get_value", "added"],
          ["get_value", "none"],
          ["set_value", "added", "set by Django", 60],
        ]);
        assert.deepEqual(results.slice(0, 3), ["é 🔑", "5", null]);
        assert.equal(await cache.get("added"), "set by Django");
        await hidp(database, setting, [["add_value", "put:key", "added by Django", 60]]);
        assert.equal(await cache.get("put:key"), "é 🔑");
      }),
    );

    test(
      "writes what is read here, and where nothing is added here",
      withOpen(async ({ cache, database, setting }) => {
        const texts = ["", "5", "é 钥匙 🔑", "\ufeffx", "a".repeat(255), "é".repeat(128), keySet(KEYS)];
        const operations = texts.map((text, at) => ["set_value", `key:${at}`, text, 60] as const);
        await hidp(database, setting, operations);
        for (const [at, text] of texts.entries()) {
          assert.equal(await cache.get(`key:${at}`), text);
          assert.equal(await cache.add(`key:${at}`, "new", HOUR), false);
        }
        await hidp(database, setting, [["set_value", "number", 5, 60]]);
        await assert.rejects(cache.get("number"), { code: "cache_failed", message: /no pickled text/ });
      }),
    );
  });
}
