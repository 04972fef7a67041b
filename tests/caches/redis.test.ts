import assert from "node:assert/strict";
import { after, test } from "node:test";
import "idp-janitor";
import { redisCache } from "idp-janitor/caches/redis";
import { keyCacheCases } from "idp-janitor/testing";
import { startRedis } from "../support/redis.ts";
import { type Client, connect, openOnRedis } from "./redis-harness.ts";

const redis = await startRedis();
after(() => redis.close());

const harness = {
  open: () =>
    openOnRedis(redis, {
      cache: (client) => redisCache(client),
      toKey: (key) => `idp-janitor:${key}`,
      toText: (bytes) => bytes.toString("utf8"),
    }),
};

for (const { name, run } of keyCacheCases(harness)) test(`redis ${name}`, run);

/** A connection to an emptied Redis for as long as the work takes. */
async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const client = await connect(redis);
  try {
    await client.flushAll();
    await work(client);
  } finally {
    client.destroy();
  }
}

test("redis has Redis itself end what is over, in seconds", () =>
  withClient(async (client) => {
    const cache = redisCache(client, { prefix: "mine/" });
    await cache.put("put", "value", { ttlSeconds: 100 });
    await cache.add("added", "value", { ttlSeconds: 200 });
    assert.deepEqual((await client.keys("*")).sort(), ["mine/added", "mine/put"]);
    const [put, added] = await Promise.all([client.pTTL("mine/put"), client.pTTL("mine/added")]);
    assert.ok(put > 90_000 && put <= 100_000, `${put} ms`);
    assert.ok(added > 190_000 && added <= 200_000, `${added} ms`);
  }));

test("redis tells of a key that holds something else, and of a Redis that refuses", () =>
  withClient(async (client) => {
    const cache = redisCache(client);
    await client.lPush("idp-janitor:list", "element");
    await assert.rejects(cache.get("list"), {
      code: "cache_failed",
      message: /^Redis could not be read at "idp-janitor:list": WRONGTYPE .*; nothing was changed$/,
    });
    await client.configSet("maxmemory", "1");
    await assert.rejects(cache.put("key", "value", { ttlSeconds: 1 }), {
      code: "cache_failed",
      message:
        /^Redis could not be written at "idp-janitor:key": OOM .*; it is unknown whether the value was set$/,
    });
    await client.configSet("maxmemory", "0");
    assert.equal(await cache.get("key"), null);
  }));

test("redis speaks to clients of older versions too, whose options have other names", async () => {
  const calls: unknown[] = [];
  const old = {
    get: async () => null,
    // As version 4 does: what it does not know, it ignores.
    set: async (key: string, value: string, { EX, NX }: { EX?: number; NX?: true }) => {
      calls.push([key, value, EX, NX]);
      return null;
    },
  };
  const cache = redisCache(old);
  await cache.put("key", "value", { ttlSeconds: 5 });
  assert.equal(await cache.add("key", "value", { ttlSeconds: 6 }), false);
  assert.deepEqual(calls, [
    ["idp-janitor:key", "value", 5, undefined],
    ["idp-janitor:key", "value", 6, true],
  ]);
});
