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
      toKey: (key) => key,
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
    await client.lPush("list", "element");
    await assert.rejects(cache.get("list"), {
      code: "cache_failed",
      message: /^Redis could not be read at "list": WRONGTYPE .*; nothing was changed$/,
    });
    await client.configSet("maxmemory", "1");
    await assert.rejects(cache.put("key", "value", { ttlSeconds: 1 }), {
      code: "cache_failed",
      message: /^Redis could not be written at "key": OOM .*; it is unknown whether the value was set$/,
    });
    await client.configSet("maxmemory", "0");
    assert.equal(await cache.get("key"), null);
  }));

test("redis speaks to clients of any version, each of which ignores the options of others", async () => {
  const calls: unknown[] = [];
  const cache = redisCache({
    get: async () => null,
    set: async (key, value, { EX, NX, expiration, condition }) => {
      calls.push({ key, value, until4: [EX, NX], later: [expiration.type, expiration.value, condition] });
      return null;
    },
  });
  await cache.put("key", "put", { ttlSeconds: 5 });
  assert.equal(await cache.add("key", "added", { ttlSeconds: 6 }), false);
  const key = "key";
  assert.deepEqual(calls, [
    { key, value: "put", until4: [5, undefined], later: ["EX", 5, undefined] },
    { key, value: "added", until4: [6, true], later: ["EX", 6, "NX"] },
  ]);
});
