import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryCache } from "idp-janitor/caches/memory";
import { keyCacheCases } from "idp-janitor/testing";

const harness = {
  async open() {
    let now = Date.UTC(2026, 5, 1);
    const cache = memoryCache({ clock: () => now });
    return {
      cache,
      peer: cache,
      read: async (key: string) => cache.entries().get(key) ?? null,
      elapse: async (seconds: number) => {
        now += seconds * 1000;
      },
      close: async () => undefined,
    };
  },
};

for (const { name, run } of keyCacheCases(harness)) test(`memory ${name}`, run);

test("memory drops what is over when something is set", async () => {
  let now = 0;
  const cache = memoryCache({ clock: () => now });
  await cache.put("short", "1", { ttlSeconds: 10 });
  await cache.put("long", "2", { ttlSeconds: 20 });
  now = 10_000;
  await cache.add("new", "3", { ttlSeconds: 1 });
  assert.deepEqual([...cache.entries().keys()], ["long", "new"]);
});

test("memory tells the time by itself", async () => {
  const cache = memoryCache();
  await cache.put("key", "value", { ttlSeconds: 60 });
  assert.equal(await cache.get("key"), "value");
});
