/** A real HIdP is the judge: it reads what was published for it, and Django what was put, without a network. */

import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { calculateJwkThumbprint, type JWK } from "jose";
import "idp-janitor";
import { hidp, type KeysRead, readKeys } from "../support/read-keys.ts";
import { startRedis } from "../support/redis.ts";
import { type Deployment, type KeyOptions, withDatabaseCache, withRedisCache } from "./deployments.ts";

const redis = await startRedis();
after(() => redis.close());

const HOUR = { ttlSeconds: 3600 };

/** What HIdP wants of the network where the cache has no keys. */
const FETCHING = ["socket.getaddrinfo ('provider.example', 443)"];

const key = (kid: string, { publicKey }: { readonly publicKey: KeyObject }): JWK => ({
  ...publicKey.export({ format: "jwk" }),
  kid,
  use: "sig",
});

const KEYS = [
  key("rsa", generateKeyPairSync("rsa", { modulusLength: 2048 })),
  key("schlüssel 钥匙 🔑", generateKeyPairSync("ec", { namedCurve: "P-256" })),
  key("ed", generateKeyPairSync("ed25519")),
];
const OTHER_KEYS = [key("other", generateKeyPairSync("ec", { namedCurve: "P-384" }))];

const keySet = (keys: readonly JWK[]) => JSON.stringify({ keys, padding: "p".repeat(70_000) });

/** The keys as HIdP tells of them, in an order of their own. */
async function told(keys: readonly JWK[]) {
  return sorted(
    await Promise.all(
      keys.map(async (one) => ({ kid: one.kid ?? "", thumbprint: await calculateJwkThumbprint(one) })),
    ),
  );
}

/** jwcrypto keeps keys in a set. */
function sorted<Key extends { readonly kid: string }>(keys: readonly Key[] | null): Key[] | null {
  return keys && [...keys].sort((a, b) => (a.kid < b.kid ? -1 : 1));
}

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

describe("expiry in Django's database cache", () => {
  const NOW = Date.UTC(2026, 10, 23, 12, 0, 0, 500);

  test("is told alike by HIdP and by us, at any second of it", async () => {
    let now = NOW;
    const { cache, database, setting, close } = await withDatabaseCache({}, () => now);
    await cache.publish("some-provider", keySet(KEYS), { ttlSeconds: 10 });
    // Published in the middle of a second: 10 seconds and the rest of that one.
    for (const [at, there] of [
      ["2026-11-23 12:00:00.500000+00:00", true],
      ["2026-11-23 12:00:10.500000+00:00", true],
      ["2026-11-23 12:00:11.000000+00:00", true],
      ["2026-11-23 12:00:11.001000+00:00", false],
    ] as const) {
      now = Date.parse(at.replace(" ", "T"));
      assert.equal((await cache.get("hidp:oidc_client_jwks:some-provider")) !== null, there, `here at ${at}`);
      const { keys, refused } = await readKeys(database, setting, "some-provider", at);
      assert.deepEqual([keys !== null, refused], [there, there ? [] : FETCHING], `HIdP at ${at}`);
    }
    await close();
  });

  test("is read from what Django wrote", async () => {
    let now = Date.now();
    const { cache, database, setting, close } = await withDatabaseCache({}, () => now);
    await hidp(database, setting, [["set_value", "key", "value", 100]]);
    now += 90_000;
    assert.equal(await cache.get("key"), "value");
    assert.equal(await cache.add("key", "new", HOUR), false);
    now += 60_000;
    assert.equal(await cache.get("key"), null);
    assert.equal(await cache.add("key", "new", HOUR), true);
    await close();
  });

  test("lets Django cull what is over, and only that", async () => {
    // To us, the first is not over: if it is not there, Django has culled it.
    const { cache, database, setting, close } = await withDatabaseCache({}, () => Date.now() - 7_200_000);
    await cache.put("over", "value", HOUR);
    await cache.put("live", "value", { ttlSeconds: 36_000 });
    const small = { ...setting, OPTIONS: { MAX_ENTRIES: 1 } };
    await hidp(database, small, [["set_value", "new", "value", 60]]);
    assert.deepEqual([await cache.get("over"), await cache.get("live")], [null, "value"]);
    await close();
  });
});

describe("the cut of HIdP's network", () => {
  for (const { network, reached } of [
    { network: "cut", reached: 0 },
    { network: "open", reached: 1 },
  ] as const) {
    test(`a provider at hand is reached ${reached} times while it is ${network}`, async () => {
      let connections = 0;
      const provider = createServer((socket) => {
        connections += 1;
        socket.destroy();
      }).listen(0, "127.0.0.1");
      await once(provider, "listening");
      const uri = `https://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
      const { database, setting, close } = await withDatabaseCache();
      const [read] = await hidp(database, setting, [["read_keys", "some-provider", null, uri]], network);
      assert.equal((read as KeysRead).keys, null);
      assert.equal((read as KeysRead).refused.length, 1 - reached);
      assert.equal(connections, reached);
      provider.close();
      await close();
    });
  }
});
