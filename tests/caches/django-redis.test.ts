import assert from "node:assert/strict";
import { after, test } from "node:test";
import "idp-janitor";
import { djangoRedisCache } from "idp-janitor/caches/django-redis";
import { keyCacheCases } from "idp-janitor/testing";
import { startRedis } from "../support/redis.ts";
import { pickled } from "./pickled.ts";
import { connect, openOnRedis } from "./redis-harness.ts";

const redis = await startRedis();
after(() => redis.close());

const harness = {
  open: () =>
    openOnRedis(redis, {
      cache: (client) => djangoRedisCache(client, { keyPrefix: "site", version: 7 }),
      toKey: (key) => `site:7:${key}`,
      toText: pickled,
      toPublished: (provider) => `site:7:hidp:oidc_client_jwks:${provider}`,
    }),
};

for (const { name, run } of keyCacheCases(harness)) test(`django-redis ${name}`, run);

test("django-redis refuses what is no pickled text, and leaves the client as it is", async (t) => {
  const client = await connect(redis);
  t.after(() => client.destroy());
  const cache = djangoRedisCache(client);
  // Django stores integers as they are; the other is a pickled None.
  for (const value of [Buffer.from("5"), Buffer.from("8005", "hex"), Buffer.from("80054e2e", "hex")]) {
    await client.set(":1:key", value);
    await assert.rejects(cache.get("key"), { code: "cache_failed", message: /no pickled text at ":1:key"/ });
  }
  await client.set(":1:key", "text");
  assert.equal(await client.get(":1:key"), "text");
});
