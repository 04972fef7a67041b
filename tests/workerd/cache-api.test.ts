import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cacheApi } from "idp-janitor/caches/cache-api";
import { startWorker } from "../support/worker.ts";
import { testCases } from "./conformance.ts";

const HOUR = { ttlSeconds: 3600 };

const running = await startWorker(new URL("workers/cache-api.ts", import.meta.url));
after(() => running.close());
await testCases("cache-api", running);

/** A cache in memory, with every response as it was put. */
function inMemory() {
  const responses = new Map<string, Response>();
  return {
    responses,
    match: async (url: string) => responses.get(url)?.clone(),
    put: async (url: string, response: Response) => void responses.set(url, response),
  };
}

test("cache-api has nothing, and says nothing, where the Cache API does nothing", async () => {
  const cache = cacheApi({ match: async () => undefined, put: async () => undefined });
  await cache.put("key", "value", HOUR);
  assert.equal(await cache.get("key"), null);
  assert.deepEqual([await cache.add("key", "one", HOUR), await cache.add("key", "two", HOUR)], [true, true]);
});

test("cache-api hands out nothing but what was put", async () => {
  const driver = inMemory();
  const cache = cacheApi(driver);
  const address = (key: string) => `https://idp-janitor.invalid/.idp-janitor/key:${key}`;
  await cache.put("key", "value", HOUR);
  const entry = (await (await driver.match(address("key")))?.text()) ?? "";
  const odd: Record<string, Response> = {
    page: new Response("<!doctype html>"),
    truncated: new Response(entry.slice(0, -1)),
    other: new Response(entry),
    empty: new Response(null, { status: 204 }),
  };
  for (const [key, response] of Object.entries(odd)) {
    await driver.put(address(key), response);
    await assert.rejects(cache.get(key), {
      code: "cache_failed",
      message: /^the Cache API could not be read at "[a-z]+": what is there is .*; nothing was changed$/,
    });
    await assert.rejects(cache.add(key, "added", HOUR), { code: "cache_failed" });
    assert.equal(driver.responses.get(address(key)), response);
  }
});

test("cache-api has addresses of the origin that it is told, none of which is another's", async () => {
  const driver = inMemory();
  const cache = cacheApi(driver, { origin: "https://login.acme.example", prefix: "p" });
  for (const key of ["", ".", "..", "/..", "a/../b", "?", "#", "%2e"]) await cache.put(key, key, HOUR);
  const addresses = [...driver.responses.keys()];
  assert.equal(new Set(addresses.map((one) => new URL(one).href)).size, 8);
  for (const one of addresses) {
    assert.match(one, /^https:\/\/login\.acme\.example\/\.idp-janitor\/key:p/);
    assert.equal(new URL(one).href, one);
  }
});

test("cache-api refuses origins that are none", () => {
  for (const origin of ["", "acme.example", "http://acme.example", "https://acme.example/", "https://"]) {
    assert.throws(() => cacheApi(inMemory(), { origin }), { code: "invalid_setting" }, origin);
  }
});
